//! Networks that know classes, made from those that know none: both get one more input, `class [classes]`, which is 1 in the place of the
//! class and 0 elsewhere.
//!
//! - A generator scales and shifts the channels of every layer by the class, between its normalisation and its activation. Where there is
//!   batch norm, that is conditional batch norm (de Vries et al., arXiv 1707.00683, as in Miyato & Koyama), written as what a class changes:
//!   `(1 + s_y) BN(x) + t_y`. Where there is none, it is the same scale and shift alone. In the first layer every cell has a shift of its own.
//! - A discriminator gets the projection of Miyato and Koyama (arXiv 1802.05637): `D(x, y) = w phi(x) + v_y phi(x)`, phi the features that the
//!   logit reads. A class has so a logit of its own, which is added to that of all.
//!
//! All scales and shifts begin at 0: a generator begins as the one without classes, and may take its weights.

use crate::{Binary, Graph, Init, Node, NodeId, Op, Primitive, Result, Role, Unary};
use tensor::Dim;

/// The name of the input.
const CLASS: &str = "class";
/// Scales and shifts are so many times their weights. Adam moves all weights by about its rate: scales and shifts are of the size of 1, while
/// weights of layers are of some hundredths.
const PACE: f64 = 10.0;

/// The generator with classes: inputs are its own, then `class [classes]`.
///
/// # Errors
/// The shapes of the description do not fit.
pub fn generator_by_class(graph: &Graph, classes: usize) -> Result<Graph> {
    let dims = graph.dims()?;
    let mut copy = Copying::of(graph, classes);
    let mut first = true;
    for (id, node) in graph.nodes().iter().enumerate() {
        let channels = match node.inputs.as_slice() {
            [x] if node.op.is_activation() && id != graph.output() => fixed(&dims[*x]),
            _ => Vec::new(),
        };
        if channels.is_empty() {
            copy.node(id, node);
            continue;
        }
        // The first layer says what is where in the picture.
        let x = copy.by_class(&node.name, copy.moved[node.inputs[0]], &channels, first);
        first = false;
        copy.node_reading(id, node, &[x]);
    }
    Ok(copy.finish(graph))
}

/// The discriminator with classes: its last layer, which must be linear to one logit, is also that of the projection.
///
/// # Errors
/// The shapes of the description do not fit, or its output is no linear layer.
pub fn discriminator_by_class(graph: &Graph, classes: usize) -> Result<Graph> {
    let last = graph.node(graph.output());
    let dims = graph.dims()?;
    let (Op::Linear, Some(&[_, Dim::Fixed(features)])) = (&last.op, last.inputs.first().map(|&x| dims[x].as_slice()))
    else {
        return Err(crate::Error::Graph(format!("node {} is no linear layer to a logit", last.name)));
    };
    let mut copy = Copying::of(graph, classes);
    for (id, node) in graph.nodes().iter().enumerate() {
        copy.node(id, node);
    }
    let weight = copy.weight_like(graph, last.inputs[1], [classes, features]);
    let phi = copy.moved[last.inputs[0]];
    let all = copy.push("logits", Op::Linear, &[phi, weight]);
    let class = copy.class;
    let own = copy.push("logits.own", Binary::Mul, &[all, class]);
    let own = copy.push("logit.own", Primitive::sum([1]), &[own]);
    let logit = copy.moved[graph.output()];
    copy.moved[graph.output()] = copy.push("logit", Binary::Add, &[logit, own]);
    Ok(copy.finish(graph))
}

/// The lengths behind the batch, where all are known and there are channels.
fn fixed(dims: &[Dim]) -> Vec<usize> {
    match dims {
        [Dim::N, rest @ ..] => rest.iter().map(|dim| dim.fixed()).collect::<Option<_>>().unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// A graph that becomes another one, node by node.
struct Copying {
    graph: Graph,
    /// Where the nodes of the old one are.
    moved: Vec<NodeId>,
    class: NodeId,
    classes: usize,
}

impl Copying {
    /// With the inputs alone, the class behind them.
    fn of(old: &Graph, classes: usize) -> Self {
        let mut copy = Self { graph: Graph::default(), moved: vec![0; old.nodes().len()], class: 0, classes };
        for id in old.inputs() {
            copy.node(id, old.node(id));
        }
        let class = Op::Input { shape: vec![classes], batch: true, role: Some(Role::Label), law: None };
        copy.class = copy.graph.push(CLASS, class, &[]);
        copy
    }

    fn node(&mut self, id: NodeId, node: &Node) {
        let inputs: Vec<NodeId> = node.inputs.iter().map(|&input| self.moved[input]).collect();
        self.node_reading(id, node, &inputs);
    }

    fn node_reading(&mut self, id: NodeId, node: &Node, inputs: &[NodeId]) {
        if self.graph.find(&node.name).is_ok() {
            return;
        }
        let like = node.like.map(|like| self.moved[like]);
        self.moved[id] = self.graph.push_like(&node.name, node.op.clone(), inputs, like);
        if let Some(axis) = node.units {
            self.graph.set_unit_axis(self.moved[id], axis);
        }
    }

    /// A node of the class's own.
    fn push(&mut self, name: &str, op: impl Into<Op>, inputs: &[NodeId]) -> NodeId {
        let name = self.graph.fresh(&format!("{CLASS}.{name}"));
        self.graph.push(name, op, inputs)
    }

    /// `(1 + s_y) x + t_y` of a layer's `x [n, shape...]`: s a number for each channel, t likewise, or for each cell of each channel.
    fn by_class(&mut self, layer: &str, x: NodeId, shape: &[usize], cells: bool) -> NodeId {
        let mut channels = vec![1; shape.len()];
        channels[0] = shape[0];
        let scale = self.numbers(&format!("{layer}.scale"), &channels);
        let scale = self.push(&format!("{layer}.factor"), Unary::AddScalar { term: 1.0 }, &[scale]);
        let shift = self.numbers(&format!("{layer}.shift"), if cells { shape } else { &channels });
        let scaled = self.push(&format!("{layer}.scaled"), Binary::Mul, &[x, scale]);
        self.push(layer, Binary::Add, &[scaled, shift])
    }

    /// Numbers of each class, `[n, shape...]`, that begin at 0.
    fn numbers(&mut self, name: &str, shape: &[usize]) -> NodeId {
        let init = Init::Constant(0.0);
        let weight = Op::Param { shape: vec![shape.iter().product(), self.classes], init, trainable: true };
        let weight = self.push(&format!("{name}.weight"), weight, &[]);
        let rows = self.push(&format!("{name}.rows"), Op::Linear, &[self.class, weight]);
        let numbers = self.push(&format!("{name}.numbers"), Unary::Scale { factor: PACE }, &[rows]);
        self.push(name, Op::Reshape { shape: shape.to_vec() }, &[numbers])
    }

    /// A weight `[rows, columns]` of the law of another one, scaled or divided by its spectral norm as that one.
    fn weight_like(&mut self, old: &Graph, other: NodeId, [rows, columns]: [usize; 2]) -> NodeId {
        let node = old.node(other);
        match &node.op {
            Op::Param { init, .. } => {
                let op = Op::Param { shape: vec![rows, columns], init: *init, trainable: true };
                self.push("weight", op, &[])
            }
            Op::SpectralNorm => {
                let weight = self.weight_like(old, node.inputs[0], [rows, columns]);
                let vector = |length| Op::Param { shape: vec![length, 1], init: Init::UnitVector, trainable: false };
                let (u, v) = (self.push("u", vector(rows), &[]), self.push("v", vector(columns), &[]));
                self.push("spectral", Op::SpectralNorm, &[weight, u, v])
            }
            op => {
                let inner = self.weight_like(old, node.inputs[0], [rows, columns]);
                self.push("scaled", op.clone(), &[inner])
            }
        }
    }

    fn finish(mut self, old: &Graph) -> Graph {
        self.graph.set_output(self.moved[old.output()]);
        for (name, id) in old.named_outputs() {
            self.graph.name_output(name, self.moved[id]);
        }
        self.graph
    }
}

#[cfg(test)]
mod tests;
