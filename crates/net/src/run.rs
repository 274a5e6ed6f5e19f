//! The executor: feeds some nodes, computes others, keeps what is still needed.

use crate::{Edit, Error, Graph, Node, NodeId, Op, Params, Result, Tensor};
use kernels::Precision;
use std::rc::Rc;

mod fusion;

/// One computation over a lowered graph.
///
/// [`Run::fetch`] computes the nodes that are asked for from what is already known; a buffer is freed after its last use,
/// except where a later stage ([`Run::fetch_before`]) needs it. A [`Run::fork`] shares everything computed so far: one forward
/// pass serves several backward passes.
#[derive(Clone)]
pub struct Run<'g> {
    graph: &'g Graph,
    params: Rc<Vec<Option<Tensor>>>,
    shapes: Rc<Vec<Vec<usize>>>,
    values: Vec<Option<Tensor>>,
    edits: Rc<Vec<(NodeId, Edit)>>,
    precision: Precision,
    macs: u64,
}

impl<'g> Run<'g> {
    /// Starts with the parameters and some fed nodes, whose first dimension is the batch.
    ///
    /// # Errors
    /// Shapes that do not fit, or a graph with layers in it.
    pub fn new(graph: &'g Graph, params: &Params, feeds: &[(NodeId, &Tensor)]) -> Result<Self> {
        if let Some(layer) = graph.nodes().iter().find(|n| n.op.is_layer()) {
            return Err(Error::Graph(format!("{} is a layer; a graph is lowered before it runs", layer.name)));
        }
        let batch = feeds.first().and_then(|(_, t)| t.shape().first().copied()).unwrap_or(1);
        let mut run = Self {
            graph,
            params: Rc::new(vec![None; graph.nodes().len()]),
            shapes: Rc::new(graph.shapes(batch)?),
            values: vec![None; graph.nodes().len()],
            edits: Rc::default(),
            precision: Precision::F32,
            macs: 0,
        };
        let mut tensors = vec![None; graph.nodes().len()];
        for (&id, tensor) in graph.params().iter().zip(params.tensors()) {
            run.check(id, tensor)?;
            tensors[id] = Some(tensor.clone());
        }
        run.params = Rc::new(tensors);
        for (id, tensor) in feeds {
            run.feed(*id, tensor)?;
        }
        Ok(run)
    }

    /// Convolutions are computed in this precision.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    fn check(&self, id: NodeId, tensor: &Tensor) -> Result<()> {
        if tensor.shape() == self.shapes[id] {
            return Ok(());
        }
        let node = self.graph.node(id);
        Err(Error::Shape {
            node: node.name.clone(),
            op: node.op.name(),
            expected: format!("{:?}", self.shapes[id]),
            found: format!("{:?}", tensor.shape()),
        })
    }

    /// Gives a node its value; what lies before it is not needed then.
    ///
    /// # Errors
    /// The value has another shape than the node.
    pub fn feed(&mut self, id: NodeId, value: &Tensor) -> Result<()> {
        self.check(id, value)?;
        self.values[id] = Some(value.clone());
        Ok(())
    }

    /// Edits nodes as soon as they are computed; several edits of one node in their order.
    ///
    /// # Errors
    /// There is no such node.
    pub fn edit(&mut self, edits: &[Edit]) -> Result<()> {
        let found = edits.iter().map(|e| Ok((self.graph.find(&e.node)?, e.clone()))).collect::<Result<_>>()?;
        self.edits = Rc::new(found);
        Ok(())
    }

    /// A second run from here on, which shares everything computed so far.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { macs: 0, ..self.clone() }
    }

    /// Multiplications with addition of products and convolutions so far (of this run or fork alone).
    pub fn macs(&self) -> u64 {
        self.macs
    }

    /// The shape of a node in this run.
    pub fn shape(&self, id: NodeId) -> &[usize] {
        &self.shapes[id]
    }

    /// Computes the nodes `wanted`.
    ///
    /// # Errors
    /// A node that must be fed has not been, or an edit cannot be applied.
    pub fn fetch(&mut self, wanted: &[NodeId]) -> Result<Vec<Tensor>> {
        self.fetch_before(wanted, &[])
    }

    /// As [`Run::fetch`], and keeps what a later stage that fetches `later` will read.
    ///
    /// # Errors
    /// As [`Run::fetch`].
    pub fn fetch_before(&mut self, wanted: &[NodeId], later: &[NodeId]) -> Result<Vec<Tensor>> {
        let schedule = self.ancestors(wanted);
        let mut readers = vec![0usize; self.values.len()];
        for &id in &schedule {
            self.graph.node(id).inputs.iter().for_each(|&input| readers[input] += 1);
        }
        wanted.iter().for_each(|&id| readers[id] += 1);
        for id in self.ancestors(later).into_iter().filter(|id| schedule.binary_search(id).is_err()) {
            self.graph.node(id).inputs.iter().for_each(|&input| readers[input] += 1);
        }
        let graph = self.graph;
        let deferred = self.deferred(&schedule, &readers);
        for id in schedule.into_iter().filter(|&id| !deferred[id]) {
            let tree = fusion::tree(graph, id, &deferred);
            let mut value = self.compute_tree(&tree)?;
            for (_, edit) in self.edits.iter().filter(|(at, _)| *at == id) {
                value = edit.apply(&value)?;
            }
            self.values[id] = Some(value);
            for &input in tree.iter().flat_map(|&member| &graph.node(member).inputs) {
                readers[input] -= 1;
                if readers[input] == 0 {
                    self.values[input] = None;
                }
            }
        }
        wanted.iter().map(|&id| self.value(id)).collect()
    }

    /// The nodes that have to be computed for `wanted`, in order.
    fn ancestors(&self, wanted: &[NodeId]) -> Vec<NodeId> {
        let mut needed = vec![false; self.values.len()];
        wanted.iter().for_each(|&id| needed[id] = true);
        let mut order = Vec::new();
        for id in (0..needed.len()).rev() {
            if needed[id] && self.values[id].is_none() && self.params[id].is_none() {
                order.push(id);
                self.graph.node(id).inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        order.reverse();
        order
    }

    fn known(&self, id: NodeId) -> Result<&Tensor> {
        self.values[id].as_ref().or(self.params[id].as_ref()).ok_or_else(|| {
            Error::Graph(format!("node {} has to be fed before this can be computed", self.graph.node(id).name))
        })
    }

    fn value(&self, id: NodeId) -> Result<Tensor> {
        self.known(id).cloned()
    }

    fn compute(&mut self, id: NodeId, node: &Node) -> Result<Tensor> {
        let inputs: Vec<Tensor> = node.inputs.iter().map(|&i| self.value(i)).collect::<Result<_>>()?;
        let shape = &self.shapes[id];
        self.macs += macs(node, shape, &inputs);
        let x = |i: usize| &inputs[i];
        let spatial = || [shape[2], shape[3]];
        Ok(match &node.op {
            Op::Conv2d { conv } => x(0).conv2d(x(1), inputs.get(2), *conv, spatial(), self.precision),
            Op::ConvTranspose2d { conv, .. } => {
                x(0).conv2d_transpose(x(1), inputs.get(2), *conv, spatial(), self.precision)
            }
            Op::ConvWeight { conv } => x(0).conv2d_weight_gradient(x(1), *conv, spatial(), self.precision),
            Op::MatMul { transpose_a, transpose_b } => x(0).matmul(x(1), *transpose_a, *transpose_b),
            Op::Add => x(0).add(x(1)),
            Op::Sub => x(0).sub(x(1)),
            Op::Mul => x(0).mul(x(1)),
            Op::Scale { factor } => x(0).scale(*factor),
            Op::AddScalar { term } => x(0).add_scalar(*term),
            Op::LeakyRelu { slope } => x(0).leaky_relu(*slope),
            Op::LeakyReluGradient { slope } => x(0).leaky_relu_gradient(x(1), *slope),
            Op::Tanh => x(0).tanh(),
            Op::TanhGradient => x(0).tanh_gradient(x(1)),
            Op::Sigmoid => x(0).sigmoid(),
            Op::Sqrt => x(0).sqrt(),
            Op::Recip => x(0).recip(),
            Op::AddChannel => x(0).add_channel(x(1)),
            Op::MulChannel => x(0).mul_channel(x(1)),
            Op::ChannelSum => x(0).channel_sum(),
            Op::ChannelDot => x(0).channel_dot(x(1)),
            Op::ChannelSquares => x(0).channel_squares(x(1)),
            Op::ChannelBroadcast => x(0).channel_broadcast(shape),
            Op::Sum { axes } => x(0).sum(axes),
            Op::Broadcast { .. } => x(0).broadcast(shape),
            Op::DivCount { minus } => {
                let like: usize = node.like.map_or(1, |l| self.shapes[l].iter().product());
                let count = (like / x(0).len().max(1)).saturating_sub(*minus).max(1);
                x(0).scale(1.0 / count as f64)
            }
            Op::Reshape { .. } | Op::ReshapeLike => x(0).reshape(shape),
            Op::Concat { axis } => Tensor::concat(&inputs.iter().collect::<Vec<_>>(), *axis),
            Op::Narrow { axis, start, len } => x(0).narrow(*axis, *start, *len),
            Op::Embed { axis, start } => x(0).embed(*axis, *start, shape),
            Op::UpsampleNearest { factor } => x(0).upsample_nearest(*factor),
            Op::SumPool { factor } => x(0).sum_pool(*factor),
            Op::StopGradient => x(0).clone(),
            Op::Input { .. }
            | Op::Param { .. }
            | Op::Cotangent
            | Op::Linear
            | Op::Relu
            | Op::BatchNorm { .. }
            | Op::SpectralNorm
            | Op::PixelNorm { .. }
            | Op::MinibatchStd
            | Op::AvgPool { .. } => {
                return Err(Error::Graph(format!("node {} has to be fed before this can be computed", node.name)));
            }
        })
    }
}

/// Multiplications with addition of one node; only products and convolutions count.
pub(crate) fn macs_of(op: &Op, output: &[usize], inputs: &[&[usize]]) -> u64 {
    let pixels = |s: &[usize]| s.iter().product::<usize>() as u64;
    match op {
        // Every output element takes one product per tap.
        Op::Conv2d { .. } => pixels(output) * pixels(&inputs[1][1..]),
        // Every input element is spread over the taps.
        Op::ConvTranspose2d { .. } => pixels(inputs[0]) * pixels(&inputs[1][1..]),
        // Every element of dy meets every tap.
        Op::ConvWeight { .. } => pixels(inputs[1]) * pixels(&output[1..]),
        Op::Linear => pixels(output) * inputs[0][1] as u64,
        Op::MatMul { transpose_a, .. } => pixels(output) * inputs[0][usize::from(!*transpose_a)] as u64,
        _ => 0,
    }
}

fn macs(node: &Node, output: &[usize], inputs: &[Tensor]) -> u64 {
    if !matches!(node.op, Op::Conv2d { .. } | Op::ConvTranspose2d { .. } | Op::ConvWeight { .. } | Op::MatMul { .. }) {
        return 0;
    }
    let shapes: Vec<Vec<usize>> = inputs.iter().map(Tensor::shape).collect();
    macs_of(&node.op, output, &shapes.iter().map(Vec::as_slice).collect::<Vec<_>>())
}
