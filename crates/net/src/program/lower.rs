//! Writes the layers of a description out in primitives, for training or for inference.

use super::{Input, Mode, Program, is_param};
use crate::{Graph, NodeId, Op, Result};
use tensor::{AxisMap, Binary, Dim, Primitive, Unary};

/// The program of a description. The node that carries a layer's result goes by the layer's name.
pub(super) fn lowered(graph: &Graph, mode: Mode) -> Result<Program> {
    let all_dims = graph.dims()?;
    let mut lowering = Lowering { program: Program::empty(), mode, layer: String::new() };
    let mut moved: Vec<NodeId> = Vec::with_capacity(graph.nodes().len());
    for (id, node) in graph.nodes().iter().enumerate() {
        let inputs: Vec<NodeId> = node.inputs.iter().map(|&i| moved[i]).collect();
        let like = node.like.map(|i| all_dims[i].as_slice());
        lowering.layer.clone_from(&node.name);
        let program = &mut lowering.program;
        let result = match &node.op {
            Op::Input { .. } => {
                let (role, shape) = (graph.role(id), all_dims[id].clone());
                let node_of = match role.otherwise() {
                    Some(value) => program.push(&node.name, Primitive::Fill { shape, value }, &[])?,
                    None => program.fed(&node.name, shape),
                };
                program.inputs.push(Input { name: node.name.clone(), node: node_of, role });
                node_of
            }
            Op::Param { trainable, .. } => {
                let node_of = program.fed(&node.name, all_dims[id].clone());
                if *trainable {
                    program.trainable.push(program.params.len());
                }
                program.params.push(node_of);
                node_of
            }
            op => lowering.layer(op, &inputs, like)?,
        };
        lowering.program.names.insert(node.name.clone(), (result, node.unit_axis()));
        moved.push(result);
    }
    let mut program = lowering.program;
    program.outputs = graph.outputs().map(|(name, id)| (name.to_owned(), moved[id])).collect();
    if program.outputs.is_empty() {
        return Err(crate::Error::Graph("the network has no nodes".into()));
    }
    debug_assert_eq!(program.params.len(), graph.nodes().iter().filter(|node| is_param(&node.op)).count());
    Ok(program)
}

struct Lowering {
    program: Program,
    mode: Mode,
    layer: String,
}

impl Lowering {
    /// An inner node of the layer.
    fn part(&mut self, name: &str, primitive: impl Into<Primitive>, inputs: &[NodeId]) -> Result<NodeId> {
        let label = format!("{}/{name}", self.layer);
        self.program.push(label, primitive, inputs)
    }

    /// The node that carries the layer's result.
    fn result(&mut self, primitive: impl Into<Primitive>, inputs: &[NodeId]) -> Result<NodeId> {
        let label = self.layer.clone();
        self.program.push(label, primitive, inputs)
    }

    fn dims(&self, id: NodeId) -> &[Dim] {
        &self.program.dims[id]
    }

    fn layer(&mut self, op: &Op, inputs: &[NodeId], like: Option<&[Dim]>) -> Result<NodeId> {
        match *op {
            Op::Linear => {
                let product = Primitive::mat_mul(false, true);
                match *inputs {
                    [x, w, b] => {
                        let y = self.part("product", product, &[x, w])?;
                        self.result(Binary::Add, &[y, b])
                    }
                    _ => self.result(product, inputs),
                }
            }
            Op::BatchNorm { epsilon, momentum } => self.batch_norm(inputs, epsilon, momentum),
            Op::SpectralNorm => self.spectral_norm(inputs),
            Op::PixelNorm { epsilon } => {
                let x = inputs[0];
                let squares = self.part("squares", Binary::Mul, &[x, x])?;
                let mean = self.mean(squares, vec![1])?;
                let scale = self.inverse_root(mean, epsilon)?;
                self.result(Binary::Mul, &[x, scale])
            }
            Op::MinibatchStd => self.minibatch_std(inputs[0]),
            Op::UpsampleNearest { factor } => {
                let map = AxisMap::Repeat { factor };
                let wide = self.part("wide", Primitive::Along { axis: 3, map: map.clone() }, inputs)?;
                self.result(Primitive::Along { axis: 2, map }, &[wide])
            }
            Op::AvgPool { factor } => {
                let map = AxisMap::Repeat { factor };
                let mut sums = inputs[0];
                for (axis, name) in [(3, "columns"), (2, "rows")] {
                    let length = self.dims(sums)[axis].fixed().unwrap_or_default() / factor;
                    sums = self.part(name, Primitive::AlongAdjoint { axis, map: map.clone(), length }, &[sums])?;
                }
                self.result(Unary::Scale { factor: 1.0 / (factor as f64 * factor as f64) }, &[sums])
            }
            Op::ConvTranspose2d { conv, output_padding } => {
                let map = |dims: &[Dim]| [2, 3].map(|axis| dims.get(axis).and_then(|dim| dim.fixed()).unwrap_or(0));
                let size = match like {
                    Some(like) => map(like),
                    None => {
                        let (input, kernel) = (map(self.dims(inputs[0])), map(self.dims(inputs[1])));
                        conv.transposed_output(input, kernel, [output_padding; 2]).unwrap_or_default()
                    }
                };
                self.result(Primitive::ConvTranspose2d { conv, size }, inputs)
            }
            Op::AddChannel | Op::MulChannel => {
                let function = if matches!(op, Op::AddChannel) { Binary::Add } else { Binary::Mul };
                let numbers = self.per_channel("numbers", inputs[1], inputs[0])?;
                self.result(function, &[inputs[0], numbers])
            }
            Op::Reshape { ref shape } => {
                let first = self.dims(inputs[0])[0];
                let shape = std::iter::once(first).chain(shape.iter().map(|&length| Dim::Fixed(length))).collect();
                self.result(Primitive::Reshape { shape }, inputs)
            }
            Op::Narrow { axis, start, len } => {
                self.result(Primitive::Slice { axis, start, step: 1, length: len }, inputs)
            }
            Op::Broadcast { .. } => {
                self.result(Primitive::Broadcast { shape: like.unwrap_or_default().to_vec() }, inputs)
            }
            Op::Primitive(ref primitive) => self.result(primitive.clone(), inputs),
            Op::Input { .. } | Op::Param { .. } => unreachable!("sources are fed"),
        }
    }

    /// Numbers `[c]` in the rank of `x`, so that they meet its channels.
    fn per_channel(&mut self, name: &str, numbers: NodeId, x: NodeId) -> Result<NodeId> {
        let dims = self.dims(x);
        if dims.len() == 2 {
            return Ok(numbers);
        }
        let mut shape = vec![Dim::Fixed(1); dims.len()];
        shape[1] = dims[1];
        self.part(name, Primitive::Reshape { shape }, &[numbers])
    }

    /// The means over axes, each kept with length 1.
    fn mean(&mut self, x: NodeId, axes: Vec<usize>) -> Result<NodeId> {
        let count = self.count(x, &axes);
        let sum = self.part("sum", Primitive::sum(axes), &[x])?;
        self.part("mean", Primitive::DivideByCount { count, minus: 0 }, &[sum])
    }

    /// How many elements of x there are along axes.
    fn count(&self, x: NodeId, axes: &[usize]) -> Dim {
        let along: Vec<Dim> = axes.iter().map(|&axis| self.dims(x)[axis]).collect();
        // No two axes of maps are multiples of the batch.
        Dim::product(&along).unwrap_or(Dim::Fixed(1))
    }

    /// `1 / sqrt(x + epsilon)`.
    fn inverse_root(&mut self, x: NodeId, epsilon: f64) -> Result<NodeId> {
        let safe = self.part("safe", Unary::AddScalar { term: epsilon }, &[x])?;
        let root = self.part("root", Unary::Sqrt, &[safe])?;
        self.part("inverse", Unary::Recip, &[root])
    }

    fn place(&self, param: NodeId) -> Option<usize> {
        self.program.params.iter().position(|&id| id == param)
    }

    fn batch_norm(&mut self, inputs: &[NodeId], epsilon: f64, momentum: f64) -> Result<NodeId> {
        let &[x, gamma, beta, running_mean, running_variance] = inputs else {
            unreachable!("the inputs of {} were counted", self.layer)
        };
        let gamma = self.per_channel("gamma", gamma, x)?;
        let beta = self.per_channel("beta", beta, x)?;
        if self.mode == Mode::Inference {
            let mean = self.per_channel("mean", running_mean, x)?;
            let variance = self.per_channel("variance", running_variance, x)?;
            return self.normalised(x, mean, variance, (gamma, beta), epsilon);
        }
        let axes: Vec<usize> = (0..self.dims(x).len()).filter(|&axis| axis != 1).collect();
        let count = self.count(x, &axes);
        let sum = self.part("sum", Primitive::sum(axes.clone()), &[x])?;
        let mean = self.part("mean", Primitive::DivideByCount { count, minus: 0 }, &[sum])?;
        let squares = self.part("squares", Primitive::CentredSquares { axes }, &[x, mean])?;
        let variance = self.part("variance", Primitive::DivideByCount { count, minus: 0 }, &[squares])?;
        // The running variance is the unbiased one, as PyTorch keeps it.
        let unbiased = self.part("unbiased", Primitive::DivideByCount { count, minus: 1 }, &[squares])?;
        for (running, now) in [(running_mean, mean), (running_variance, unbiased)] {
            let Some(place) = self.place(running) else { continue };
            let now = self.part("now", Primitive::Reshape { shape: self.dims(running).to_vec() }, &[now])?;
            let old = self.part("old", Unary::Scale { factor: 1.0 - momentum }, &[running])?;
            let new = self.part("new", Unary::Scale { factor: momentum }, &[now])?;
            let next = self.part("next", Binary::Add, &[old, new])?;
            self.program.statistics.push((place, now));
            self.program.updates.push((place, next));
        }
        self.normalised(x, mean, variance, (gamma, beta), epsilon)
    }

    /// `gamma (x - mean) / sqrt(variance + epsilon) + beta` as `x scale + shift`: two numbers per channel, and a gradient that reads x
    /// and that of the result once for its sums and once for itself.
    fn normalised(
        &mut self,
        x: NodeId,
        mean: NodeId,
        variance: NodeId,
        (gamma, beta): (NodeId, NodeId),
        epsilon: f64,
    ) -> Result<NodeId> {
        let inverse = self.inverse_root(variance, epsilon)?;
        let scale = self.part("scale", Binary::Mul, &[gamma, inverse])?;
        let scaled_mean = self.part("scaled_mean", Binary::Mul, &[mean, scale])?;
        let shift = self.part("shift", Binary::Sub, &[beta, scaled_mean])?;
        let scaled = self.part("scaled", Binary::Mul, &[x, scale])?;
        self.result(Binary::Add, &[scaled, shift])
    }

    fn spectral_norm(&mut self, inputs: &[NodeId]) -> Result<NodeId> {
        let &[w, mut u, mut v] = inputs else { unreachable!("the inputs of {} were counted", self.layer) };
        let (rows, columns) = (self.dims(u)[0], self.dims(v)[0]);
        let matrix = self.part("matrix", Primitive::Reshape { shape: vec![rows, columns] }, &[w])?;
        if self.mode == Mode::Training {
            let towards_v = self.part("towards_v", Primitive::mat_mul(true, false), &[matrix, u])?;
            let next_v = self.unit(towards_v)?;
            let towards_u = self.part("towards_u", Primitive::mat_mul(false, false), &[matrix, next_v])?;
            let next_u = self.unit(towards_u)?;
            for (old, next) in [(u, next_u), (v, next_v)] {
                if let Some(place) = self.place(old) {
                    self.program.updates.push((place, next));
                }
            }
            (u, v) = (next_u, next_v);
        }
        let image = self.part("image", Primitive::mat_mul(false, false), &[matrix, v])?;
        let sigma = self.part("sigma", Primitive::mat_mul(true, false), &[u, image])?;
        let inverse = self.part("inverse", Unary::Recip, &[sigma])?;
        let divided = self.part("divided", Binary::Mul, &[matrix, inverse])?;
        self.result(Primitive::Reshape { shape: self.dims(w).to_vec() }, &[divided])
    }

    /// The vector at length 1, which no gradient passes.
    fn unit(&mut self, vector: NodeId) -> Result<NodeId> {
        let squares = self.part("squares", Binary::Mul, &[vector, vector])?;
        let sum = self.part("sum", Primitive::sum([0, 1]), &[squares])?;
        let root = self.part("root", Unary::Sqrt, &[sum])?;
        let safe = self.part("safe", Unary::AddScalar { term: 1e-12 }, &[root])?;
        let inverse = self.part("inverse", Unary::Recip, &[safe])?;
        let unit = self.part("unit", Binary::Mul, &[vector, inverse])?;
        self.part("next", Primitive::StopGradient, &[unit])
    }

    fn minibatch_std(&mut self, x: NodeId) -> Result<NodeId> {
        let mean = self.mean(x, vec![0])?;
        let centred = self.part("centred", Binary::Sub, &[x, mean])?;
        let squares = self.part("squares", Binary::Mul, &[centred, centred])?;
        let variance = self.mean(squares, vec![0])?;
        let safe = self.part("safe", Unary::AddScalar { term: 1e-8 }, &[variance])?;
        let deviation = self.part("deviation", Unary::Sqrt, &[safe])?;
        let average = self.mean(deviation, vec![1, 2, 3])?;
        let mut one_map = self.dims(x).to_vec();
        one_map[1] = Dim::Fixed(1);
        let map = self.part("map", Primitive::Broadcast { shape: one_map }, &[average])?;
        self.result(Primitive::Concat { axis: 1 }, &[x, map])
    }
}
