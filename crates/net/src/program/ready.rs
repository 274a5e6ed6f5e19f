//! A program with parameters that stay: what follows from them alone is computed once, and convolutions are prepared once.

use super::fusion::{Chain, Fold};
use super::{Program, Run, Step};
use crate::{Feed, NodeId, Params, Result};
use kernels::PreparedConv;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use tensor::{Dim, Precision, Primitive, Tensor};

/// A program and the parameters that all its runs have. Any number of threads may run it at once; cloning shares it.
///
/// What depends on parameters alone (scales of batch norms with stored statistics, weights after spectral norm) is computed when it is
/// made. A convolution takes into its weights what scales and shifts its channels afterwards, does the activation on the way, and keeps
/// its weights in the form in which they are multiplied. Where a node between them is asked for, fed or edited, the nodes are
/// computed one by one instead, with the same numbers up to rounding.
#[derive(Clone, Debug)]
pub struct Ready(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: Arc<Program>,
    /// By node: parameters, and what follows from them.
    constants: Arc<Vec<Option<Tensor>>>,
    prepared: Mutex<HashMap<(NodeId, NodeId, Precision), Arc<PreparedConv>>>,
}

impl Ready {
    /// Binds a program to parameters.
    ///
    /// # Errors
    /// The parameters have other shapes than the program's.
    pub fn new(program: impl Into<Arc<Program>>, params: &Params) -> Result<Self> {
        let program = program.into();
        let constant = program.constant();
        let computed = |id: NodeId| constant[id] && matches!(program.nodes[id].op, Step::Primitive(_));
        // What no result needs is computed when somebody asks for it.
        let outputs: Vec<NodeId> = program.outputs.iter().map(|&(_, id)| id).collect();
        let needed = program.ancestors(&vec![false; constant.len()], &outputs);
        let mut read = vec![false; constant.len()];
        outputs.iter().for_each(|&id| read[id] = true);
        for id in needed.into_iter().filter(|&id| !constant[id]) {
            program.nodes[id].inputs.iter().for_each(|&input| read[input] = true);
        }
        let wanted: Vec<NodeId> = (0..constant.len()).filter(|&id| read[id] && computed(id)).collect();
        let mut run = program.start(params, &[])?;
        let values = run.fetch(&wanted)?;
        let mut constants = vec![None; constant.len()];
        let known = program.params.iter().copied().zip(params.tensors().iter().cloned());
        for (id, value) in known.chain(wanted.into_iter().zip(values)) {
            constants[id] = Some(value);
        }
        let constants = Arc::new(constants);
        Ok(Self(Arc::new(Inner { program, constants, prepared: Mutex::default() })))
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.0.program
    }

    /// Starts a run with some fed nodes. The batch is what they say; 1 where they say nothing.
    ///
    /// # Errors
    /// Shapes that do not fit, each other or the nodes.
    pub fn start(&self, feeds: &[(NodeId, &Tensor)]) -> Result<Run<'_>> {
        Run::of_ready(self, self.0.constants.clone(), feeds)
    }

    /// Starts a run that makes pictures.
    ///
    /// # Errors
    /// The network has no input, or one of those is missing that the feed names; or the latents, what is fed beside them or the shift have
    /// other shapes than it reads.
    pub fn begin(&self, feed: &Feed) -> Result<Run<'_>> {
        let mut feeds = vec![(self.program().input()?, &feed.latents)];
        for (name, value) in &feed.beside {
            feeds.push((self.program().find(name)?, value));
        }
        let mut run = self.start(&feeds)?;
        run.shift(feed.shift.as_slice())?;
        Ok(run)
    }

    /// Bytes that a run takes at most: [`Program::memory`], with what is prepared of the parameters.
    ///
    /// # Errors
    /// As there.
    pub fn memory(&self, batch: usize, fed: &[NodeId], stages: &[&[NodeId]]) -> Result<u64> {
        let mut known: Vec<bool> = self.0.constants.iter().map(Option::is_some).collect();
        fed.iter().for_each(|&id| known[id] = true);
        self.program().memory_of_stages(batch, known, stages, true)
    }

    /// The convolution of a chain with all that it does on the way, prepared when it is first asked for. There is none where the numbers
    /// are not in the processor's memory, or where the kernels cannot compute it.
    pub(super) fn prepared(
        &self,
        chain: &Chain,
        shapes: &[Vec<usize>],
        precision: Precision,
    ) -> Option<Arc<PreparedConv>> {
        let key = (chain.conv, chain.root(), precision);
        let mut kept = self.0.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = kept.get(&key) {
            return Some(prepared.clone());
        }
        let prepared = Arc::new(self.prepare(chain, shapes, precision)?);
        kept.insert(key, prepared.clone());
        Some(prepared)
    }

    fn prepare(&self, chain: &Chain, shapes: &[Vec<usize>], precision: Precision) -> Option<PreparedConv> {
        let primitive = self.program().primitive(chain.conv)?;
        let inputs = &self.program().nodes[chain.conv].inputs;
        let of_inputs: Vec<&[usize]> = inputs.iter().map(|&input| shapes[input].as_slice()).collect();
        let (shape, transposed) = primitive.conv_shape(&of_inputs, &shapes[chain.conv])?;
        let numbers = |id: NodeId| self.0.constants[id].as_ref().and_then(Tensor::slice);
        let mut weights = numbers(inputs[1])?.to_vec();
        let channels = if transposed { shape.c } else { shape.o };
        let bias = match inputs.get(2) {
            Some(&bias) => Some(numbers(bias)?),
            None => None,
        };
        if chain.folds.is_empty() {
            let bias = bias.map(<[f32]>::to_vec);
            return Some(PreparedConv::new(&shape, transposed, weights, bias, chain.activation, precision));
        }
        let mut scales = vec![1.0; channels];
        let mut shifts: Vec<f64> =
            bias.map_or_else(|| vec![0.0; channels], |b| b.iter().map(|&v| f64::from(v)).collect());
        for fold in &chain.folds {
            let of_channels = |id: NodeId| numbers(id).map(|values| values.iter().map(|&v| f64::from(v)).cycle());
            let (factors, terms) = match *fold {
                Fold::Mul(id) => (Some(of_channels(id)?.take(channels).collect()), None),
                Fold::Add(id) => (None, Some(of_channels(id)?.take(channels).collect::<Vec<f64>>())),
                Fold::Scale(factor) => (Some(vec![factor; channels]), None),
            };
            for (channel, factor) in factors.into_iter().flatten().enumerate() {
                scales[channel] *= factor;
                shifts[channel] *= factor;
            }
            for (channel, term) in terms.into_iter().flatten().enumerate() {
                shifts[channel] += term;
            }
        }
        // Weights are [o, c, ...], of a transposed convolution as well: there the result's channels are the second axis.
        let taps = shape.kernel[0] * shape.kernel[1];
        let per_group = channels / shape.groups;
        for (number, kernel) in weights.chunks_exact_mut(taps).enumerate() {
            let channel = if transposed {
                let group = number / per_group / (shape.o / shape.groups);
                group * per_group + number % per_group
            } else {
                number / (shape.c / shape.groups)
            };
            kernel.iter_mut().for_each(|weight| *weight = (f64::from(*weight) * scales[channel]) as f32);
        }
        let bias = shifts.into_iter().map(|shift| shift as f32).collect();
        Some(PreparedConv::new(&shape, transposed, weights, Some(bias), chain.activation, precision))
    }
}

impl Deref for Ready {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.0.program
    }
}

impl Program {
    /// By node: whether it follows from the parameters alone.
    pub(super) fn constant(&self) -> &[bool] {
        self.constant.get_or_init(|| {
            let mut constant = vec![false; self.nodes.len()];
            self.params.iter().for_each(|&id| constant[id] = true);
            for (id, node) in self.nodes.iter().enumerate() {
                let Step::Primitive(primitive) = &node.op else { continue };
                // An input that has a value of itself may be fed another one.
                if self.inputs.iter().any(|input| input.node == id) {
                    continue;
                }
                let batch_free = !matches!(primitive, Primitive::DivideByCount { count: Dim::Batch(_), .. })
                    && self.dims[id].iter().all(|dim| dim.fixed().is_some());
                constant[id] = batch_free && node.inputs.iter().all(|&input| constant[input]);
            }
            constant
        })
    }
}

#[cfg(test)]
mod tests;
