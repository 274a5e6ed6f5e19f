//! Networks that together hold every operation which can be exported.

use net::{Binary, Conv, Device, Graph, Init, Network, NodeId, Norm, Op, Primitive, Unary, zoo};
use tensor::{AxisMap, Coordinates, Dim, Interpolation, PadMode, Reduction, Window};

/// Each with its name. The first input is that of [`samples`].
pub(crate) fn all() -> Vec<(String, Network)> {
    let mut cases = Cases(Vec::new());
    cases.layers();
    cases.functions();
    cases.shapes();
    cases.sums();
    cases.maps();
    cases.along();
    cases.0
}

/// Three samples for a network.
pub(crate) fn samples(network: &Network) -> net::Tensor {
    net::Law::Normal.batch(3, &network.input_shape(), 1, "export", 0, &Device::cpu())
}

struct Cases(Vec<(String, Network)>);

impl Cases {
    fn whole(&mut self, name: &str, graph: Graph) {
        self.0.push((name.into(), Network::initial(graph, 7, "export", &Device::cpu())));
    }

    /// A network of an input, what is added, and the output.
    fn add(&mut self, name: &str, shape: &[usize], add: impl FnOnce(&mut Graph, NodeId) -> NodeId) {
        let mut graph = Graph::default();
        let x = graph.push("x", Op::input(shape), &[]);
        let result = add(&mut graph, x);
        graph.push("y", Unary::Scale { factor: 0.5 }, &[result]);
        self.whole(name, graph);
    }

    fn layers(&mut self) {
        self.whole("progan", zoo::progan_generator([16, 16], 3, 8, 4));
        self.whole("residual", zoo::residual_generator([16, 16], 3, 8, 4, Norm::Batch));
        self.add("layers", &[4, 8, 6], |g, x| {
            let unit = g.push("unit", Op::PixelNorm { epsilon: 1e-8 }, &[x]);
            let more = g.push("more", Op::MinibatchStd, &[unit]);
            let less = g.push("less", Op::AvgPool { factor: 2 }, &[more]);
            let large = g.push("large", Op::UpsampleNearest { factor: 3 }, &[less]);
            let (bias, scale) = (param(g, "bias", &[5]), param(g, "scale", &[5]));
            let shifted = g.push("shifted", Op::AddChannel, &[large, bias]);
            let scaled = g.push("scaled", Op::MulChannel, &[shifted, scale]);
            let three = g.push("three", Op::Narrow { axis: 1, start: 1, len: 3 }, &[scaled]);
            let (w, u, v) = (param(g, "w", &[4, 3, 1, 1]), param(g, "u", &[4, 1]), param(g, "v", &[3, 1]));
            let normed = g.push("normed", Op::SpectralNorm, &[w, u, v]);
            let conv = g.push("conv", Op::conv2d(Conv::new(1, 0)), &[three, normed]);
            let flat = g.push("flat", Op::Reshape { shape: vec![4 * 12 * 9] }, &[conv]);
            let (w, b) = (param(g, "linear.weight", &[7, 4 * 12 * 9]), param(g, "linear.bias", &[7]));
            g.push("linear", Op::Linear, &[flat, w, b])
        });
    }

    fn functions(&mut self) {
        for function in Unary::EXAMPLES {
            self.add(function.name(), &[5, 4], |g, x| {
                let positive = matches!(function, Unary::Log | Unary::Sqrt);
                let x = if positive { g.push("positive", Unary::Abs, &[x]) } else { x };
                g.push("f", *function, &[x])
            });
        }
        let gradients = ["leaky_relu_gradient", "tanh_gradient"];
        for function in Binary::EXAMPLES.iter().filter(|function| !gradients.contains(&function.name())) {
            self.add(function.name(), &[5, 4], |g, x| {
                let (w, positive) = (param(g, "w", &[5, 1]), g.push("positive", Unary::Abs, &[x]));
                g.push("f", *function, &[positive, w])
            });
        }
        self.add("select", &[5, 4], |g, x| {
            let w = param(g, "w", &[1, 4]);
            let less = g.push("less", Binary::Less, &[x, w]);
            g.push("selected", Primitive::Select, &[less, x, w])
        });
    }

    fn shapes(&mut self) {
        self.add("permute", &[5, 4, 3], |g, x| g.push("p", Primitive::Permute { axes: vec![0, 3, 1, 2] }, &[x]));
        let halves = vec![Dim::Batch(2), Dim::Fixed(12)];
        self.add("reshape_to", &[6, 4], |g, x| g.push("r", Primitive::Reshape { shape: halves }, &[x]));
        for (start, step, length) in [(1, 1, 3), (0, 2, 3), (4, -2, 3), (5, -1, 6), (3, -1, 2)] {
            let slice = Primitive::Slice { axis: 1, start, step, length };
            self.add(&format!("slice{step}from{start}"), &[6, 4], |g, x| g.push("s", slice, &[x]));
        }
        let embed = Primitive::Embed { axis: 1, start: 2, step: 1, length: 11, value: -1.5 };
        self.add("embed", &[6, 4], |g, x| g.push("e", embed, &[x]));
        self.add("concat", &[6, 4], |g, x| g.push("c", Op::concat(2), &[x, x]));
        self.add("fill", &[5], |g, x| {
            let shape = vec![Dim::N, Dim::Fixed(5)];
            let fill = g.push("filled", Primitive::Fill { shape, value: 0.5 }, &[]);
            g.push("sum", Binary::Add, &[x, fill])
        });
        self.add("stop_gradient", &[6, 4], |g, x| g.push("s", Primitive::StopGradient, &[x]));
    }

    fn sums(&mut self) {
        for reduction in [Reduction::Sum, Reduction::Max, Reduction::Min] {
            let reduce = Primitive::Reduce { reduction, axes: vec![1, 3] };
            self.add(&format!("reduce-{reduction:?}"), &[5, 4, 3], |g, x| g.push("r", reduce, &[x]));
        }
        self.add("statistics of the batch", &[5], |g, x| {
            let sum = g.push("sum", Primitive::sum([0]), &[x]);
            let mean = g.push("mean", Primitive::DivideByCount { count: Dim::N, minus: 0 }, &[sum]);
            let squares = g.push("squares", Primitive::CentredSquares { axes: vec![0] }, &[x, mean]);
            let variance = g.push("variance", Primitive::DivideByCount { count: Dim::N, minus: 1 }, &[squares]);
            g.push("all", Primitive::Broadcast { shape: vec![Dim::N, Dim::Fixed(5)] }, &[variance])
        });
        for (a, b) in [(false, false), (true, false), (false, true)] {
            self.add(&format!("mat_mul-{a}-{b}"), &[3, 5, 5], |g, x| {
                let w = param(g, "w", &[1, 1, 5, 5]);
                g.push("product", Primitive::mat_mul(a, b), &[x, w])
            });
        }
    }

    fn maps(&mut self) {
        let conv = Conv { stride: [2, 1], padding: [[1, 0], [2, 1]], dilation: [1, 2], groups: 2 };
        self.add("conv2d", &[4, 9, 8], |g, x| {
            let (w, b) = (param(g, "w", &[6, 2, 3, 2]), param(g, "b", &[6]));
            g.push("conv", Op::conv2d(conv), &[x, w, b])
        });
        let two = Conv::new(2, 1);
        for (name, conv, output_padding) in [("strange", conv, 0), ("larger", two.grouped(2), 1)] {
            self.add(&format!("conv_transpose2d-{name}"), &[4, 5, 4], |g, x| {
                let (w, b) = (param(g, "w", &[4, 3, 3, 2]), param(g, "b", &[6]));
                g.push("deconv", Op::ConvTranspose2d { conv, output_padding }, &[x, w, b])
            });
        }
        self.add("conv_transpose2d_to", &[4, 5, 4], |g, x| {
            let (w, b) = (param(g, "w", &[4, 3, 4, 4]), param(g, "b", &[3]));
            g.push("deconv", Primitive::ConvTranspose2d { conv: two, size: [11, 9] }, &[x, w, b])
        });
        let window = Window { size: [3, 2], stride: [2, 1], padding: [[1, 1], [0, 1]], dilation: [1, 2] };
        self.add("window_max", &[4, 7, 6], |g, x| g.push("pool", Primitive::WindowMax { window }, &[x, x]));
    }

    fn along(&mut self) {
        let (half, interpolation) =
            (Coordinates::HalfPixel { scale: None }, Interpolation::Linear { antialias: false });
        let maps = [
            AxisMap::Repeat { factor: 3 },
            AxisMap::Average { size: 3, stride: 2, padding: [1, 1], count_padding: false },
            AxisMap::Filter { taps: vec![0.25, 0.5, 0.2], up: 2, down: 1, padding: [1, 2] },
            AxisMap::Resize { length: 9, coordinates: half, interpolation },
            AxisMap::Pad { padding: [2, 1], mode: PadMode::Reflect },
            AxisMap::Cumulative { exclusive: true, reverse: true },
        ];
        for (number, map) in maps.iter().enumerate() {
            for axis in 1..4 {
                let along = Primitive::Along { axis, map: map.clone() };
                self.add(&format!("along{number}-{axis}"), &[6, 5, 4], |g, x| g.push("a", along, &[x]));
            }
        }
        let adjoint = Primitive::AlongAdjoint { axis: 2, map: maps[0].clone(), length: 3 };
        self.add("along_adjoint", &[6, 9], |g, x| g.push("a", adjoint, &[x]));
    }
}

fn param(graph: &mut Graph, name: &str, shape: &[usize]) -> NodeId {
    let init = Init::Normal { mean: 0.3, std: 1.0 };
    graph.push(name, Op::Param { shape: shape.to_vec(), init, trainable: true }, &[])
}
