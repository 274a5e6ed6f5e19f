//! Writes the layers of a description out in primitives, for training or for inference.

use crate::{Graph, NodeId, Op};

/// Which statistics the normalising layers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those of the batch; the running ones get updates.
    Training,
    /// The stored ones.
    Inference,
}

/// A graph without layers.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The graph; parameters in the order of the description, nodes under their old names.
    pub graph: Graph,
    /// State that a training pass moves: (the parameter, the node that holds its next value).
    pub updates: Vec<(NodeId, NodeId)>,
}

impl Graph {
    /// Writes every layer out in primitives. The node that carries a layer's result keeps the layer's name.
    pub fn lower(&self, mode: Mode) -> Lowered {
        let mut lowering =
            Lowering { graph: Self::default(), updates: Vec::new(), mode, layer: String::new(), moved: Vec::new() };
        for node in self.nodes() {
            let inputs: Vec<NodeId> = node.inputs.iter().map(|&i| lowering.moved[i]).collect();
            let like = node.like.map(|i| lowering.moved[i]);
            lowering.layer.clone_from(&node.name);
            let id = lowering.node(&node.op, &inputs, like);
            lowering.moved.push(id);
        }
        let output = lowering.moved.get(self.output()).copied().unwrap_or_default();
        if !lowering.moved.is_empty() {
            lowering.graph.set_output(output);
        }
        Lowered { graph: lowering.graph, updates: lowering.updates }
    }
}

struct Lowering {
    graph: Graph,
    updates: Vec<(NodeId, NodeId)>,
    mode: Mode,
    layer: String,
    moved: Vec<NodeId>,
}

impl Lowering {
    /// An inner node of the layer.
    fn part(&mut self, name: &str, op: Op, inputs: &[NodeId]) -> NodeId {
        self.part_like(name, op, inputs, None)
    }

    fn part_like(&mut self, name: &str, op: Op, inputs: &[NodeId], like: Option<NodeId>) -> NodeId {
        let name = format!("{}/{name}", self.layer);
        self.graph.push_like(name, op, inputs, like)
    }

    /// The node that carries the layer's result and name.
    fn result(&mut self, op: Op, inputs: &[NodeId], like: Option<NodeId>) -> NodeId {
        let name = self.layer.clone();
        self.graph.push_like(name, op, inputs, like)
    }

    fn node(&mut self, op: &Op, inputs: &[NodeId], like: Option<NodeId>) -> NodeId {
        match *op {
            Op::Linear => {
                let product = Op::MatMul { transpose_a: false, transpose_b: true };
                match *inputs {
                    [x, w, b] => {
                        let y = self.part("product", product, &[x, w]);
                        self.result(Op::AddChannel, &[y, b], None)
                    }
                    _ => self.result(product, inputs, None),
                }
            }
            Op::Relu => self.result(Op::LeakyRelu { slope: 0.0 }, inputs, None),
            Op::BatchNorm { epsilon, momentum } => self.batch_norm(inputs, epsilon, momentum),
            Op::SpectralNorm => self.spectral_norm(inputs),
            Op::PixelNorm { epsilon } => {
                let x = inputs[0];
                let squares = self.part("squares", Op::Mul, &[x, x]);
                let sum = self.part("sum", Op::Sum { axes: vec![1] }, &[squares]);
                let mean = self.part_like("mean", Op::DivCount { minus: 0 }, &[sum], Some(x));
                let scale = self.inverse_root(mean, epsilon);
                let wide = self.part_like("scale", Op::Broadcast { axes: vec![1] }, &[scale], Some(x));
                self.result(Op::Mul, &[x, wide], None)
            }
            Op::MinibatchStd => self.minibatch_std(inputs[0]),
            Op::AvgPool { factor } => {
                let sums = self.part("sums", Op::SumPool { factor }, inputs);
                self.result(Op::Scale { factor: 1.0 / (factor * factor) as f64 }, &[sums], None)
            }
            ref primitive => self.result(primitive.clone(), inputs, like),
        }
    }

    /// `1 / sqrt(x + epsilon)`.
    fn inverse_root(&mut self, x: NodeId, epsilon: f64) -> NodeId {
        let safe = self.part("safe", Op::AddScalar { term: epsilon }, &[x]);
        let root = self.part("root", Op::Sqrt, &[safe]);
        self.part("inverse", Op::Recip, &[root])
    }

    fn batch_norm(&mut self, inputs: &[NodeId], epsilon: f64, momentum: f64) -> NodeId {
        let &[x, gamma, beta, running_mean, running_variance] = inputs else { return inputs[0] };
        if self.mode == Mode::Inference {
            return self.normalised(x, running_mean, running_variance, (gamma, beta), epsilon);
        }
        let sum = self.part("sum", Op::ChannelSum, &[x]);
        let mean = self.part_like("mean", Op::DivCount { minus: 0 }, &[sum], Some(x));
        let squares = self.part("squares", Op::ChannelSquares, &[x, mean]);
        let variance = self.part_like("variance", Op::DivCount { minus: 0 }, &[squares], Some(x));
        // The running variance is the unbiased one, as PyTorch keeps it.
        let unbiased = self.part_like("unbiased", Op::DivCount { minus: 1 }, &[squares], Some(x));
        for (name, running, now) in [("mean", running_mean, mean), ("variance", running_variance, unbiased)] {
            let old = self.part(&format!("old_{name}"), Op::Scale { factor: 1.0 - momentum }, &[running]);
            let new = self.part(&format!("new_{name}"), Op::Scale { factor: momentum }, &[now]);
            let next = self.part(&format!("next_{name}"), Op::Add, &[old, new]);
            self.updates.push((running, next));
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
    ) -> NodeId {
        let inverse = self.inverse_root(variance, epsilon);
        let scale = self.part("scale", Op::Mul, &[gamma, inverse]);
        let scaled_mean = self.part("scaled_mean", Op::Mul, &[mean, scale]);
        let shift = self.part("shift", Op::Sub, &[beta, scaled_mean]);
        let scaled = self.part("scaled", Op::MulChannel, &[x, scale]);
        self.result(Op::AddChannel, &[scaled, shift], None)
    }

    fn spectral_norm(&mut self, inputs: &[NodeId]) -> NodeId {
        let &[w, mut u, mut v] = inputs else { return inputs[0] };
        let transposed = Op::MatMul { transpose_a: true, transpose_b: false };
        let straight = Op::MatMul { transpose_a: false, transpose_b: false };
        // Rows are the first dimension; v says how many columns there are.
        let columns = match &self.graph.node(v).op {
            Op::Param { shape, .. } => shape.first().copied().unwrap_or_default(),
            _ => 0,
        };
        let matrix = self.part("matrix", Op::Reshape { shape: vec![columns] }, &[w]);
        if self.mode == Mode::Training {
            let towards_v = self.part("towards_v", transposed.clone(), &[matrix, u]);
            let next_v = self.unit("v", towards_v);
            let towards_u = self.part("towards_u", straight.clone(), &[matrix, next_v]);
            let next_u = self.unit("u", towards_u);
            self.updates.extend([(u, next_u), (v, next_v)]);
            (u, v) = (next_u, next_v);
        }
        let image = self.part("image", straight, &[matrix, v]);
        let sigma = self.part("sigma", transposed, &[u, image]);
        let inverse = self.part("inverse", Op::Recip, &[sigma]);
        let wide = self.part_like("wide", Op::Broadcast { axes: vec![0, 1] }, &[inverse], Some(matrix));
        let divided = self.part("divided", Op::Mul, &[matrix, wide]);
        self.result(Op::ReshapeLike, &[divided], Some(w))
    }

    /// The vector at length 1, which no gradient passes.
    fn unit(&mut self, name: &str, vector: NodeId) -> NodeId {
        let squares = self.part(&format!("{name}_squares"), Op::Mul, &[vector, vector]);
        let sum = self.part(&format!("{name}_sum"), Op::Sum { axes: vec![0, 1] }, &[squares]);
        let root = self.part(&format!("{name}_root"), Op::Sqrt, &[sum]);
        let safe = self.part(&format!("{name}_safe"), Op::AddScalar { term: 1e-12 }, &[root]);
        let inverse = self.part(&format!("{name}_inverse"), Op::Recip, &[safe]);
        let wide =
            self.part_like(&format!("{name}_wide"), Op::Broadcast { axes: vec![0, 1] }, &[inverse], Some(vector));
        let unit = self.part(&format!("{name}_unit"), Op::Mul, &[vector, wide]);
        self.part(&format!("{name}_next"), Op::StopGradient, &[unit])
    }

    fn minibatch_std(&mut self, x: NodeId) -> NodeId {
        let count = || Op::DivCount { minus: 0 };
        let sum = self.part("sum", Op::Sum { axes: vec![0] }, &[x]);
        let mean = self.part_like("mean", count(), &[sum], Some(x));
        let means = self.part_like("means", Op::Broadcast { axes: vec![0] }, &[mean], Some(x));
        let centred = self.part("centred", Op::Sub, &[x, means]);
        let squares = self.part("squares", Op::Mul, &[centred, centred]);
        let square = self.part("square", Op::Sum { axes: vec![0] }, &[squares]);
        let variance = self.part_like("variance", count(), &[square], Some(x));
        let safe = self.part("safe", Op::AddScalar { term: 1e-8 }, &[variance]);
        let deviation = self.part("deviation", Op::Sqrt, &[safe]);
        let total = self.part("total", Op::Sum { axes: vec![1, 2, 3] }, &[deviation]);
        let average = self.part_like("average", count(), &[total], Some(deviation));
        let one_map = self.part("one_map", Op::Narrow { axis: 1, start: 0, len: 1 }, &[x]);
        let map = self.part_like("map", Op::Broadcast { axes: vec![0, 2, 3] }, &[average], Some(one_map));
        self.result(Op::Concat { axis: 1 }, &[x, map], None)
    }
}
