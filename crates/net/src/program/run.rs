//! The executor: feeds some nodes, computes others, keeps what is still needed.

use super::Program;
use super::plan::{Plan, Question, Way};
use super::ready::Ready;
use crate::dims::of_node;
use crate::{Edit, Error, NodeId, Params, Result, Shift};
use std::sync::Arc;
use tensor::{Dim, Precision, Primitive, Tensor};

/// One computation of a program.
///
/// [`Run::fetch`] computes the nodes that are asked for from what is already known; a buffer is freed after its last use,
/// except where a later stage ([`Run::fetch_before`]) needs it. A [`Run::fork`] shares everything computed so far: one forward
/// pass serves several backward passes. Runs of one program do not see each other.
#[derive(Clone)]
pub struct Run<'p> {
    pub(super) program: &'p Program,
    /// What has been prepared for it, if anything.
    pub(super) ready: Option<&'p Ready>,
    /// By node: the parameters, and of what is ready also what follows from them.
    params: Arc<Vec<Option<Tensor>>>,
    pub(super) shapes: Arc<Vec<Vec<usize>>>,
    pub(super) values: Vec<Option<Tensor>>,
    shifts: Arc<Vec<(NodeId, Shift)>>,
    edits: Arc<Vec<(NodeId, usize, Edit)>>,
    pub(super) batch: usize,
    pub(super) precision: Precision,
    macs: u64,
}

impl<'p> Run<'p> {
    pub(super) fn new(program: &'p Program, params: &Params, feeds: &[(NodeId, &Tensor)]) -> Result<Self> {
        let mut run = Self::empty(program, feeds)?;
        let mut tensors = vec![None; program.nodes.len()];
        for (&id, tensor) in program.params.iter().zip(params.tensors()) {
            run.check(id, tensor)?;
            tensors[id] = Some(tensor.clone());
        }
        run.params = Arc::new(tensors);
        run.feed_all(feeds)
    }

    pub(super) fn of_ready(
        ready: &'p Ready,
        constants: Arc<Vec<Option<Tensor>>>,
        feeds: &[(NodeId, &Tensor)],
    ) -> Result<Self> {
        let empty = Self::empty(ready.program(), feeds)?;
        Self { ready: Some(ready), params: constants, ..empty }.feed_all(feeds)
    }

    fn empty(program: &'p Program, feeds: &[(NodeId, &Tensor)]) -> Result<Self> {
        let batch = feeds.iter().find_map(|(id, tensor)| batch_of(&program.dims[*id], tensor.shape())).unwrap_or(1);
        Ok(Self {
            program,
            ready: None,
            params: Arc::default(),
            shapes: program.shapes(batch)?,
            values: vec![None; program.nodes.len()],
            shifts: Arc::default(),
            edits: Arc::default(),
            batch,
            precision: Precision::F32,
            macs: 0,
        })
    }

    fn feed_all(mut self, feeds: &[(NodeId, &Tensor)]) -> Result<Self> {
        for (id, tensor) in feeds {
            self.feed(*id, tensor)?;
        }
        Ok(self)
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
        let node = &self.program.nodes[id];
        Err(Error::Shape {
            node: node.label.clone(),
            op: self.program.primitive(id).map_or("fed", Primitive::name),
            expected: format!("{:?}", self.shapes[id]),
            found: format!("{:?}", tensor.shape()),
        })
    }

    /// Gives a node its value; what lies before it is not needed then. A value that is fed is not edited.
    ///
    /// # Errors
    /// The value has another shape than the node; or the node follows from parameters that stay.
    pub fn feed(&mut self, id: NodeId, value: &Tensor) -> Result<()> {
        self.check(id, value)?;
        if self.ready.is_some() && self.params[id].is_some() {
            let label = &self.program.nodes[id].label;
            return Err(Error::Graph(format!("{label} cannot be fed: the parameters stay in a network that is ready")));
        }
        self.values[id] = Some(value.clone());
        Ok(())
    }

    /// Edits nodes as soon as they are computed; several edits of one node in their order.
    ///
    /// # Errors
    /// There is no such node.
    pub fn edit(&mut self, edits: &[Edit]) -> Result<()> {
        let found = edits.iter().map(|edit| {
            let (id, axis) = self.program.named(&edit.node)?;
            Ok((id, axis, edit.clone()))
        });
        self.edits = Arc::new(found.collect::<Result<_>>()?);
        Ok(())
    }

    /// Shifts nodes as soon as they are computed, before their edits. A value that is fed is not shifted.
    ///
    /// # Errors
    /// There is no such node, or it has another shape.
    pub fn shift(&mut self, shifts: &[Shift]) -> Result<()> {
        let found = shifts.iter().map(|shift| {
            let id = self.program.find(&shift.node)?;
            self.check(id, &shift.by)?;
            Ok((id, shift.clone()))
        });
        self.shifts = Arc::new(found.collect::<Result<_>>()?);
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
    /// A node that must be fed has not been, an edit cannot be applied, or the machine has not as much memory as all that takes.
    pub fn fetch(&mut self, wanted: &[NodeId]) -> Result<Vec<Tensor>> {
        self.fetch_before(wanted, &[])
    }

    /// As [`Run::fetch`], one node alone.
    ///
    /// # Errors
    /// As [`Run::fetch`].
    pub fn fetch_one(&mut self, wanted: NodeId) -> Result<Tensor> {
        self.fetch_before(&[wanted], &[])?;
        self.known(wanted).cloned()
    }

    /// As [`Run::fetch`], of the nodes that there are.
    ///
    /// # Errors
    /// As [`Run::fetch`].
    pub fn fetch_some(&mut self, wanted: &[Option<NodeId>]) -> Result<Vec<Option<Tensor>>> {
        let nodes: Vec<NodeId> = wanted.iter().flatten().copied().collect();
        let mut values = self.fetch(&nodes)?.into_iter();
        Ok(wanted.iter().map(|node| node.and_then(|_| values.next())).collect())
    }

    /// As [`Run::fetch`], and keeps what a later stage that fetches `later` will read.
    ///
    /// # Errors
    /// As [`Run::fetch`].
    pub fn fetch_before(&mut self, wanted: &[NodeId], later: &[NodeId]) -> Result<Vec<Tensor>> {
        let known = self.values.iter().zip(self.params.iter()).map(|(value, param)| value.is_some() || param.is_some());
        let plan = self.program.plan(Question {
            known: known.collect(),
            wanted: wanted.to_vec(),
            later: later.to_vec(),
            edited: self.shifts.iter().map(|(id, _)| *id).chain(self.edits.iter().map(|(id, ..)| *id)).collect(),
            ready: self.ready.is_some(),
        });
        if !plan.is_known_to_fit(self.batch) {
            self.check_memory(&plan)?;
            plan.fits(self.batch);
        }
        kernels::in_pool(|| self.execute(&plan))?;
        wanted.iter().map(|&id| self.known(id).cloned()).collect()
    }

    /// Refuses a plan that the machine has no memory for. What lies on a device is not counted in its memory.
    fn check_memory(&self, plan: &Plan) -> Result<()> {
        let fed = || self.values.iter().chain(self.params.iter()).flatten();
        if fed().any(|value| !value.device().is_cpu()) {
            return Ok(());
        }
        let needed = self.program.memory_of_plan(plan, &self.shapes);
        let batch = self.batch;
        Ok(base::memory::check(format!("the network for a batch of {batch}"), needed, "")?)
    }

    fn execute(&mut self, plan: &Plan) -> Result<()> {
        for work in &plan.works {
            let mut value = match &work.way {
                Way::Alone => self.compute(work.node)?,
                Way::Tree(tree) => self.compute_tree(tree)?,
                Way::Chain(chain) => self.compute_chain(chain)?,
                Way::Dot { product, factor } => self.compute_dot(*product, work.node, *factor)?,
            };
            for (_, shift) in self.shifts.iter().filter(|(at, _)| *at == work.node) {
                value = shift.apply(&value)?;
            }
            for (_, axis, edit) in self.edits.iter().filter(|(at, ..)| *at == work.node) {
                value = edit.apply(&value, *axis)?;
            }
            self.values[work.node] = Some(value);
            work.done.iter().for_each(|&id| self.values[id] = None);
        }
        Ok(())
    }

    pub(super) fn known(&self, id: NodeId) -> Result<&Tensor> {
        self.values[id].as_ref().or(self.params[id].as_ref()).ok_or_else(|| {
            let node = &self.program.nodes[id];
            Error::Graph(format!("node {} has to be fed before this can be computed", node.label))
        })
    }

    /// Adds the multiplications of a primitive to those so far.
    pub(super) fn count_macs(&mut self, id: NodeId) {
        let Some(primitive) = self.program.primitive(id) else { return };
        let inputs = self.program.nodes[id].inputs.iter();
        let shapes: Vec<&[usize]> = inputs.map(|&input| self.shapes[input].as_slice()).collect();
        self.macs = self.macs.saturating_add(primitive.macs(&shapes, &self.shapes[id]));
    }

    pub(super) fn compute(&mut self, id: NodeId) -> Result<Tensor> {
        let program = self.program;
        let Some(primitive) = program.primitive(id) else {
            return self.known(id).cloned();
        };
        let inputs = &program.nodes[id].inputs;
        self.count_macs(id);
        let inputs: Vec<&Tensor> = inputs.iter().map(|&i| self.known(i)).collect::<Result<_>>()?;
        let counted;
        let primitive = match *primitive {
            Primitive::DivideByCount { count: Dim::Batch(times), minus } => {
                counted = Primitive::DivideByCount { count: Dim::Fixed(times.saturating_mul(self.batch)), minus };
                &counted
            }
            _ => primitive,
        };
        Tensor::compute(primitive, &inputs, &self.shapes[id], self.precision)
            .map_err(|wrong| of_node(&program.nodes[id].label, primitive.name(), wrong))
    }
}

/// The batch that a value of some dimensions tells.
fn batch_of(dims: &[Dim], shape: &[usize]) -> Option<usize> {
    dims.iter().zip(shape).find_map(|(dim, &length)| match dim {
        Dim::Batch(times) if *times > 0 => Some(length / times),
        _ => None,
    })
}
