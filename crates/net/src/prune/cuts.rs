//! Which entries of which parameters belong to the units of a node.

use crate::{Binary, Graph, Node, NodeId, Op, Primitive, Tensor, Unary};

/// A parameter with entries of a node's units along one axis: `block` in a row for each unit, in the order of units.
pub(super) struct Part {
    pub(super) param: NodeId,
    pub(super) axis: usize,
    pub(super) block: usize,
    /// Whether zeros there help to make a unit 0: not so for running statistics.
    pub(super) zeroable: bool,
}

/// Everything whose shape follows from the number of units.
#[derive(Default)]
pub(super) struct Cut {
    pub(super) params: Vec<Part>,
    /// Reshapes to maps, whose first length is the number of units.
    pub(super) reshapes: Vec<NodeId>,
}

impl Cut {
    pub(super) fn joined(mut self, other: Self) -> Self {
        self.params.extend(other.params);
        self.reshapes.extend(other.reshapes);
        self
    }
}

impl Part {
    /// The tensor without the entries of gone units.
    pub(super) fn without(&self, tensor: &Tensor, gone: &[bool]) -> Tensor {
        let (mut shape, values) = (tensor.shape().to_vec(), tensor.to_vec());
        let inner: usize = shape[self.axis + 1..].iter().product();
        let keep = |place: usize| !gone[place / inner % shape[self.axis] / self.block];
        let values = values.into_iter().enumerate().filter(|(place, _)| keep(*place)).map(|(_, v)| v).collect();
        shape[self.axis] = gone.iter().filter(|&&gone| !gone).count() * self.block;
        Tensor::new(&shape, values, &tensor.device())
    }

    /// The tensor with zeros for the entries of gone units.
    pub(super) fn zeroed(&self, tensor: &Tensor, gone: &[bool]) -> Tensor {
        let (shape, mut values) = (tensor.shape(), tensor.to_vec());
        let inner: usize = shape[self.axis + 1..].iter().product();
        for (place, value) in values.iter_mut().enumerate() {
            if gone[place / inner % shape[self.axis] / self.block] {
                *value = 0.0;
            }
        }
        Tensor::new(shape, values, &tensor.device())
    }
}

/// Operations of one input that work on each channel by itself and give 0 for 0.
pub(super) fn keeps_zero(op: &Op) -> bool {
    matches!(
        op,
        Op::UpsampleNearest { .. }
            | Op::AvgPool { .. }
            | Op::Primitive(
                Primitive::Unary(Unary::Relu | Unary::LeakyRelu { .. } | Unary::Tanh | Unary::Scale { .. })
                    | Primitive::StopGradient
            )
    )
}

/// Looks around a node for what belongs to its units; where that cannot be cut out, the error says what stands in the way.
pub(super) struct Cuts<'a> {
    graph: &'a Graph,
    shapes: &'a [Vec<usize>],
    /// The nodes that read each node, once for each input.
    readers: Vec<Vec<NodeId>>,
}

type Found<T = ()> = Result<T, String>;

impl<'a> Cuts<'a> {
    pub(super) fn new(graph: &'a Graph, shapes: &'a [Vec<usize>]) -> Self {
        let mut readers = vec![Vec::new(); graph.nodes().len()];
        for (id, node) in graph.nodes().iter().enumerate() {
            node.inputs.iter().for_each(|&input| readers[input].push(id));
        }
        Self { graph, shapes, readers }
    }

    /// What makes the units of a node, which nobody else reads: with zeros there, they are 0.
    pub(super) fn making(&self, id: NodeId) -> Found<Cut> {
        let mut cut = Cut::default();
        self.made_by(id, 1, &mut cut)?;
        Ok(cut)
    }

    /// What reads the units of a node: without the entries there, nobody misses units that are 0.
    pub(super) fn reading(&self, id: NodeId) -> Found<Cut> {
        let mut cut = Cut::default();
        self.read_by(id, &mut cut)?;
        Ok(cut)
    }

    fn made_by(&self, id: NodeId, mut block: usize, cut: &mut Cut) -> Found {
        let node = self.graph.node(id);
        let kernels = |axis, cut: &mut Cut| {
            self.weights(node.inputs[1], axis, block, cut)?;
            node.inputs.get(2).map_or(Ok(()), |&bias| self.own(bias, 0, block, true, cut))
        };
        match node.op {
            Op::Primitive(Primitive::Conv2d { conv }) if conv.groups == 1 => return kernels(0, cut),
            Op::Linear => return kernels(0, cut),
            Op::ConvTranspose2d { conv, .. } if conv.groups == 1 => return kernels(1, cut),
            ref op if keeps_zero(op) => {}
            Op::BatchNorm { .. } => {
                for (place, &param) in node.inputs.iter().enumerate().skip(1) {
                    self.own(param, 0, block, place < 3, cut)?;
                }
            }
            Op::AddChannel | Op::MulChannel => self.own(node.inputs[1], 0, block, true, cut)?,
            Op::Reshape { .. } => match (&*self.shapes[node.inputs[0]], &*self.shapes[id]) {
                ([_, _], [_, _, h, w]) => {
                    block *= h * w;
                    cut.reshapes.push(id);
                }
                _ => return Err(format!("{} reshapes what makes them", node.name)),
            },
            Op::Primitive(Primitive::Binary(Binary::Add)) if self.joins_equals(node) => {
                self.private(node.inputs[1])?;
                self.made_by(node.inputs[1], block, cut)?;
            }
            ref op => return Err(format!("{} ({}) mixes them with others", node.name, op.name())),
        }
        self.private(node.inputs[0])?;
        self.made_by(node.inputs[0], block, cut)
    }

    /// Whether the inputs of a sum have one shape, so that units meet units.
    fn joins_equals(&self, node: &Node) -> bool {
        let [a, b] = node.inputs[..] else { return false };
        self.shapes[a] == self.shapes[b]
    }

    fn read_by(&self, id: NodeId, cut: &mut Cut) -> Found {
        let name = &self.graph.node(id).name;
        if id == self.graph.output() {
            return Err(format!("{name} is the result"));
        }
        let takes_shape = |node: &&Node| node.like == Some(id) && !matches!(node.op, Op::ConvTranspose2d { .. });
        if let Some(node) = self.graph.nodes().iter().find(takes_shape) {
            return Err(format!("{} takes the shape of {name}", node.name));
        }
        for &reader in &self.readers[id] {
            let node = self.graph.node(reader);
            match node.op {
                ref op if keeps_zero(op) => self.read_by(reader, cut)?,
                Op::Primitive(Primitive::Conv2d { conv }) if node.inputs[0] == id && conv.groups == 1 => {
                    self.weights(node.inputs[1], 1, 1, cut)?;
                }
                Op::ConvTranspose2d { conv, .. } if node.inputs[0] == id && conv.groups == 1 => {
                    self.weights(node.inputs[1], 0, 1, cut)?;
                }
                ref op => return Err(format!("{} ({}) needs all of them", node.name, op.name())),
            }
        }
        Ok(())
    }

    /// Weights, stored or scaled by a constant.
    fn weights(&self, id: NodeId, axis: usize, block: usize, cut: &mut Cut) -> Found {
        match self.graph.node(id).op {
            Op::Primitive(Primitive::Unary(Unary::Scale { .. })) => {
                self.private(id)?;
                self.own(self.graph.node(id).inputs[0], axis, block, true, cut)
            }
            _ => self.own(id, axis, block, true, cut),
        }
    }

    /// A parameter that one node alone reads.
    fn own(&self, param: NodeId, axis: usize, block: usize, zeroable: bool, cut: &mut Cut) -> Found {
        let node = self.graph.node(param);
        if !matches!(node.op, Op::Param { .. }) {
            return Err(format!("{} ({}) depends on all of them", node.name, node.op.name()));
        }
        self.private(param)?;
        cut.params.push(Part { param, axis, block, zeroable });
        Ok(())
    }

    fn private(&self, id: NodeId) -> Found {
        let name = &self.graph.node(id).name;
        if self.readers[id].len() == 1 && id != self.graph.output() {
            Ok(())
        } else {
            Err(format!("{name} is read by others, too"))
        }
    }
}
