//! Each operation in ONNX's operators.

use super::model::{Attribute, BOOL, FLOAT, INT64, Writer};
use crate::portable::with_open_batch;
use net::{Error, Graph, NodeId, Op, Result};
use tensor::{AxisMap, Binary, Conv, Dim, Primitive, Reduction, Unary, Window};

pub(super) struct Nodes<'a> {
    pub(super) writer: &'a mut Writer,
    pub(super) graph: &'a Graph,
    pub(super) dims: &'a [Vec<Dim>],
    /// An input that knows the batch.
    pub(super) input: Option<NodeId>,
}

impl Nodes<'_> {
    /// Writes one node, whose result goes by its name.
    ///
    /// # Errors
    /// ONNX has no form for it.
    pub(super) fn write(&mut self, id: NodeId, op: &Op) -> Result<()> {
        let graph = self.graph;
        let node = graph.node(id);
        let name = node.name.as_str();
        let inputs: Vec<&str> = node.inputs.iter().map(|&input| graph.node(input).name.as_str()).collect();
        let input_dims = |place: usize| self.dims[node.inputs[place]].clone();
        match op {
            Op::Input { .. } | Op::Param { .. } => {}
            Op::Linear => self.writer.node("Gemm", &inputs, name, &[Attribute::Int("transB", 1)]),
            Op::BatchNorm { epsilon, .. } => {
                self.writer.node("BatchNormalization", &inputs, name, &[Attribute::Float("epsilon", *epsilon)]);
            }
            Op::PixelNorm { epsilon } => {
                let x = inputs[0];
                let squares = self.part(name, "squares", "Mul", &[x, x], &[]);
                let mean = self.mean(name, "mean", &squares, vec![1]);
                let safe = self.with_number(name, "safe", "Add", &mean, *epsilon);
                let root = self.part(name, "root", "Sqrt", &[&safe], &[]);
                self.writer.node("Div", &[x, &root], name, &[]);
            }
            Op::MinibatchStd => self.minibatch_std(name, inputs[0], &input_dims(0))?,
            Op::AvgPool { factor } => {
                let both = || vec![*factor as i64; 2];
                let attributes = [Attribute::Ints("kernel_shape", both()), Attribute::Ints("strides", both())];
                self.writer.node("AveragePool", &inputs, name, &attributes);
            }
            Op::UpsampleNearest { factor } => {
                let factor = *factor as f32;
                self.enlarged(name, inputs[0], &[1.0, 1.0, factor, factor]);
            }
            Op::ConvTranspose2d { conv, output_padding } => {
                let more = match node.like {
                    Some(_) => self.output_padding(id, conv, node),
                    None => [*output_padding as i64; 2],
                };
                self.transposed(name, &inputs, conv, more);
            }
            Op::AddChannel | Op::MulChannel => {
                let kind = if matches!(op, Op::AddChannel) { "Add" } else { "Mul" };
                let rank = self.dims[id].len();
                let shape: Vec<i64> = (0..rank).map(|axis| if axis == 1 { -1 } else { 1 }).collect();
                let shape = self.writer.whole(name, "shape", &shape);
                let numbers = self.part(name, "numbers", "Reshape", &[inputs[1], &shape], &[]);
                self.writer.node(kind, &[inputs[0], &numbers], name, &[]);
            }
            Op::Reshape { .. } | Op::Primitive(Primitive::Reshape { .. }) => {
                let shape = with_open_batch(name, &self.dims[id])?;
                let shape = self.writer.whole(name, "shape", &shape);
                self.writer.node("Reshape", &[inputs[0], &shape], name, &[]);
            }
            Op::Narrow { axis, start, len } => self.slice(name, inputs[0], [*axis, *start, *len], 1),
            Op::Broadcast { .. } | Op::Primitive(Primitive::Broadcast { .. }) => {
                let shape = self.shape(name, &self.dims[id].clone())?;
                self.writer.node("Expand", &[inputs[0], &shape], name, &[]);
            }
            // Computed before anything is written.
            Op::SpectralNorm => return self.none(id),
            Op::Primitive(primitive) => self.primitive(id, primitive, &inputs)?,
        }
        Ok(())
    }

    fn primitive(&mut self, id: NodeId, primitive: &Primitive, inputs: &[&str]) -> Result<()> {
        let graph = self.graph;
        let node = graph.node(id);
        let name = node.name.as_str();
        match primitive {
            Primitive::Unary(function) => self.unary(name, *function, inputs[0]),
            Primitive::Binary(function) => self.binary(id, *function, inputs)?,
            Primitive::Select => {
                let condition = self.cast(name, "condition", inputs[0], BOOL);
                self.writer.node("Where", &[&condition, inputs[1], inputs[2]], name, &[]);
            }
            Primitive::Fill { shape, value } => {
                let (shape, value) = (self.shape(name, shape)?, self.writer.number(name, "value", *value));
                self.writer.node("Expand", &[&value, &shape], name, &[]);
            }
            Primitive::Reduce { reduction, axes } => match reduction {
                Reduction::Sum => {
                    let axes = self.writer.whole(name, "axes", &whole(axes));
                    self.writer.node("ReduceSum", &[inputs[0], &axes], name, &[]);
                }
                Reduction::Max => self.writer.node("ReduceMax", inputs, name, &[Attribute::Ints("axes", whole(axes))]),
                Reduction::Min => self.writer.node("ReduceMin", inputs, name, &[Attribute::Ints("axes", whole(axes))]),
            },
            Primitive::CentredSquares { axes } => {
                let centred = self.part(name, "centred", "Sub", inputs, &[]);
                let squares = self.part(name, "squares", "Mul", &[&centred, &centred], &[]);
                let axes = self.writer.whole(name, "axes", &whole(axes));
                self.writer.node("ReduceSum", &[&squares, &axes], name, &[]);
            }
            Primitive::DivideByCount { count, minus } => {
                let count = self.count(name, *count)?;
                let less = self.with_number(name, "less", "Sub", &count, *minus as f64);
                let least = self.with_number(name, "least", "Max", &less, 1.0);
                self.writer.node("Div", &[inputs[0], &least], name, &[]);
            }
            Primitive::Permute { axes } => {
                self.writer.node("Transpose", inputs, name, &[Attribute::Ints("perm", whole(axes))]);
            }
            Primitive::Slice { axis, start, step, length } => {
                self.slice(name, inputs[0], [*axis, *start, *length], *step);
            }
            Primitive::Embed { axis, start, step: 1, length, value } => {
                let rank = self.dims[id].len();
                let own = self.dims[node.inputs[0]][*axis].fixed().unwrap_or_default();
                let mut pads = vec![0; 2 * rank];
                pads[*axis] = *start as i64;
                pads[rank + axis] = *length as i64 - *start as i64 - own as i64;
                let (pads, value) = (self.writer.whole(name, "pads", &pads), self.writer.number(name, "value", *value));
                self.writer.node("Pad", &[inputs[0], &pads, &value], name, &[]);
            }
            Primitive::Concat { axis } => {
                self.writer.node("Concat", inputs, name, &[Attribute::Int("axis", *axis as i64)]);
            }
            Primitive::Gather { axis } => {
                let indices = self.cast(name, "indices", inputs[1], INT64);
                self.writer.node("Gather", &[inputs[0], &indices], name, &[Attribute::Int("axis", *axis as i64)]);
            }
            Primitive::MatMul { transpose_a, transpose_b } => {
                let mut turned = |place: usize, part: &str, turn: bool| {
                    let rank = self.dims[node.inputs[place]].len();
                    if !turn || rank < 2 {
                        return inputs[place].to_owned();
                    }
                    let mut order: Vec<i64> = (0..rank as i64).collect();
                    order.swap(rank - 1, rank - 2);
                    self.part(name, part, "Transpose", &[inputs[place]], &[Attribute::Ints("perm", order)])
                };
                let (a, b) = (turned(0, "a", *transpose_a), turned(1, "b", *transpose_b));
                self.writer.node("MatMul", &[&a, &b], name, &[]);
            }
            Primitive::Conv2d { conv } => self.writer.node("Conv", inputs, name, &moving(conv)),
            Primitive::ConvTranspose2d { conv, .. } => {
                let more = self.output_padding(id, conv, node);
                self.transposed(name, inputs, conv, more);
            }
            Primitive::WindowMax { window } if node.inputs[0] == node.inputs[1] => {
                self.writer.node("MaxPool", &inputs[..1], name, &pooling(window));
            }
            Primitive::Along { axis, map: AxisMap::Repeat { factor } } => {
                let mut scales = vec![1.0; self.dims[id].len()];
                scales[*axis] = *factor as f32;
                self.enlarged(name, inputs[0], &scales);
            }
            Primitive::StopGradient => self.writer.node("Identity", inputs, name, &[]),
            Primitive::Along { .. }
            | Primitive::AlongAdjoint { .. }
            | Primitive::Embed { .. }
            | Primitive::GatherAdjoint { .. }
            | Primitive::ConvWeight { .. }
            | Primitive::WindowMax { .. }
            | Primitive::WindowMaxAdjoint { .. } => return self.none(id),
            Primitive::Broadcast { .. } | Primitive::Reshape { .. } => {
                unreachable!("written with the layers of the same name")
            }
        }
        Ok(())
    }

    fn none(&self, id: NodeId) -> Result<()> {
        let node = self.graph.node(id);
        Err(Error::Graph(format!("node {} ({}) has no form in ONNX", node.name, node.op.name())))
    }

    /// An inner value of a node.
    fn part(&mut self, node: &str, part: &str, kind: &str, inputs: &[&str], attributes: &[Attribute]) -> String {
        let name = self.writer.part(node, part);
        self.writer.node(kind, inputs, &name, attributes);
        name
    }

    fn with_number(&mut self, node: &str, part: &str, kind: &str, x: &str, number: f64) -> String {
        let number = self.writer.number(node, &format!("{part}_number"), number);
        self.part(node, part, kind, &[x, &number], &[])
    }

    fn cast(&mut self, node: &str, part: &str, x: &str, to: i64) -> String {
        self.part(node, part, "Cast", &[x], &[Attribute::Int("to", to)])
    }

    fn mean(&mut self, node: &str, part: &str, x: &str, axes: Vec<i64>) -> String {
        self.part(node, part, "ReduceMean", &[x], &[Attribute::Ints("axes", axes)])
    }

    /// The batch as a list of one whole number.
    fn batch(&mut self, node: &str) -> Result<String> {
        let Some(input) = self.input else {
            return Err(Error::Graph(format!("node {node}: depends on the batch, but no input has one")));
        };
        let input = self.graph.node(input).name.clone();
        Ok(self.part(node, "batch", "Shape", &[&input], &[Attribute::Int("start", 0), Attribute::Int("end", 1)]))
    }

    /// A length as a list of one whole number.
    fn length(&mut self, node: &str, dim: Dim) -> Result<String> {
        let (Dim::Fixed(number) | Dim::Batch(number)) = dim;
        let number = self.writer.whole(node, "length", &[number as i64]);
        if dim.fixed().is_some() {
            return Ok(number);
        }
        let batch = self.batch(node)?;
        Ok(self.part(node, "lengths", "Mul", &[&batch, &number], &[]))
    }

    fn shape(&mut self, node: &str, dims: &[Dim]) -> Result<String> {
        let fixed: Option<Vec<i64>> = dims.iter().map(|dim| dim.fixed().map(|length| length as i64)).collect();
        if let Some(fixed) = fixed {
            return Ok(self.writer.whole(node, "shape", &fixed));
        }
        let lengths = dims.iter().map(|&dim| self.length(node, dim)).collect::<Result<Vec<_>>>()?;
        let lengths: Vec<&str> = lengths.iter().map(String::as_str).collect();
        Ok(self.part(node, "shape", "Concat", &lengths, &[Attribute::Int("axis", 0)]))
    }

    /// A number of elements as a number.
    fn count(&mut self, node: &str, count: Dim) -> Result<String> {
        let length = self.length(node, count)?;
        Ok(self.cast(node, "count", &length, FLOAT))
    }

    fn slice(&mut self, name: &str, x: &str, [axis, start, length]: [usize; 3], step: isize) {
        let last = start as i64 + (length as i64 - 1) * step as i64;
        // Backwards to the first entry: an end before it. Negative ends count from the back, so it is far below.
        let end = if step > 0 {
            last + 1
        } else if last == 0 {
            i64::MIN
        } else {
            last - 1
        };
        let [start, end, axis, step] =
            [("start", start as i64), ("end", end), ("axis", axis as i64), ("step", step as i64)]
                .map(|(part, value)| self.writer.whole(name, part, &[value]));
        self.writer.node("Slice", &[x, &start, &end, &axis, &step], name, &[]);
    }

    fn enlarged(&mut self, name: &str, x: &str, scales: &[f32]) {
        let scales_name = self.writer.part(name, "scales");
        self.writer.floats(&scales_name, &[scales.len() as i64], scales);
        let attributes = [
            Attribute::Text("mode", "nearest"),
            Attribute::Text("coordinate_transformation_mode", "asymmetric"),
            Attribute::Text("nearest_mode", "floor"),
        ];
        self.writer.node("Resize", &[x, "", &scales_name], name, &attributes);
    }

    /// How much larger a transposed convolution's result is than the least.
    fn output_padding(&self, id: NodeId, conv: &Conv, node: &net::Node) -> [i64; 2] {
        let map =
            |id: NodeId| [2, 3].map(|axis| self.dims[id].get(axis).and_then(|dim| dim.fixed()).unwrap_or_default());
        let (own, kernel) = (map(id), map(node.inputs[1]));
        let least = conv.transposed_output(map(node.inputs[0]), kernel, [0; 2]).unwrap_or_default();
        [0, 1].map(|axis| own[axis] as i64 - least[axis] as i64)
    }

    fn transposed(&mut self, name: &str, inputs: &[&str], conv: &Conv, more: [i64; 2]) {
        let mut attributes = moving(conv);
        attributes.push(Attribute::Ints("output_padding", more.to_vec()));
        self.writer.node("ConvTranspose", inputs, name, &attributes);
    }

    fn minibatch_std(&mut self, name: &str, x: &str, dims: &[Dim]) -> Result<()> {
        let mean = self.mean(name, "mean", x, vec![0]);
        let centred = self.part(name, "centred", "Sub", &[x, &mean], &[]);
        let squares = self.part(name, "squares", "Mul", &[&centred, &centred], &[]);
        let variance = self.mean(name, "variance", &squares, vec![0]);
        let safe = self.with_number(name, "safe", "Add", &variance, 1e-8);
        let deviation = self.part(name, "deviation", "Sqrt", &[&safe], &[]);
        let average = self.mean(name, "average", &deviation, vec![1, 2, 3]);
        let mut one_map = dims.to_vec();
        one_map[1] = Dim::Fixed(1);
        let shape = self.shape(name, &one_map)?;
        let map = self.part(name, "map", "Expand", &[&average, &shape], &[]);
        self.writer.node("Concat", &[x, &map], name, &[Attribute::Int("axis", 1)]);
        Ok(())
    }

    fn unary(&mut self, name: &str, function: Unary, x: &str) {
        let plain = match function {
            Unary::Abs => "Abs",
            Unary::Sign => "Sign",
            Unary::Floor => "Floor",
            Unary::Ceil => "Ceil",
            Unary::Round => "Round",
            Unary::Exp => "Exp",
            Unary::Log => "Log",
            Unary::Sqrt => "Sqrt",
            Unary::Recip => "Reciprocal",
            Unary::Sin => "Sin",
            Unary::Cos => "Cos",
            Unary::Tanh => "Tanh",
            Unary::Sigmoid => "Sigmoid",
            Unary::Softplus => "Softplus",
            Unary::Erf => "Erf",
            Unary::Relu => "Relu",
            Unary::LeakyRelu { slope } => {
                return self.writer.node("LeakyRelu", &[x], name, &[Attribute::Float("alpha", slope)]);
            }
            Unary::Elu { alpha } => return self.writer.node("Elu", &[x], name, &[Attribute::Float("alpha", alpha)]),
            Unary::Clamp { min, max } => {
                let (min, max) = (self.writer.number(name, "min", min), self.writer.number(name, "max", max));
                return self.writer.node("Clip", &[x, &min, &max], name, &[]);
            }
            Unary::Scale { factor } => {
                let factor = self.writer.number(name, "factor", factor);
                return self.writer.node("Mul", &[x, &factor], name, &[]);
            }
            Unary::AddScalar { term } => {
                let term = self.writer.number(name, "term", term);
                return self.writer.node("Add", &[x, &term], name, &[]);
            }
        };
        self.writer.node(plain, &[x], name, &[]);
    }

    fn binary(&mut self, id: NodeId, function: Binary, inputs: &[&str]) -> Result<()> {
        let graph = self.graph;
        let name = graph.node(id).name.as_str();
        let kind = match function {
            Binary::Add => "Add",
            Binary::Sub => "Sub",
            Binary::Mul => "Mul",
            Binary::Div => "Div",
            Binary::Pow => "Pow",
            Binary::Min => "Min",
            Binary::Max => "Max",
            Binary::Equal | Binary::Less | Binary::LessEqual => {
                let kind = match function {
                    Binary::Equal => "Equal",
                    Binary::Less => "Less",
                    _ => "LessOrEqual",
                };
                let truth = self.part(name, "truth", kind, inputs, &[]);
                self.writer.node("Cast", &[&truth], name, &[Attribute::Int("to", FLOAT)]);
                return Ok(());
            }
            Binary::LeakyReluGradient { .. } | Binary::TanhGradient => return self.none(id),
        };
        self.writer.node(kind, inputs, name, &[]);
        Ok(())
    }
}

fn whole(axes: &[usize]) -> Vec<i64> {
    axes.iter().map(|&axis| axis as i64).collect()
}

fn sides([[above, below], [left, right]]: [[usize; 2]; 2]) -> Vec<i64> {
    whole(&[above, left, below, right])
}

fn moving(conv: &Conv) -> Vec<Attribute<'static>> {
    vec![
        Attribute::Ints("strides", whole(&conv.stride)),
        Attribute::Ints("pads", sides(conv.padding)),
        Attribute::Ints("dilations", whole(&conv.dilation)),
        Attribute::Int("group", conv.groups as i64),
    ]
}

fn pooling(window: &Window) -> Vec<Attribute<'static>> {
    vec![
        Attribute::Ints("kernel_shape", whole(&window.size)),
        Attribute::Ints("strides", whole(&window.stride)),
        Attribute::Ints("pads", sides(window.padding)),
        Attribute::Ints("dilations", whole(&window.dilation)),
    ]
}
