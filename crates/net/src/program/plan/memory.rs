//! How much memory runs take, from shapes and lifetimes alone.

use super::{Plan, Question, Way};
use crate::program::Program;
use crate::{NodeId, Result};
use std::collections::HashMap;
use tensor::Primitive;

/// Bytes of a number.
const NUMBER: u64 = 4;

impl Program {
    /// Bytes that a run over a batch takes at most for what it computes, beside parameters and what is fed: by the shapes and lifetimes
    /// of nodes, with what kernels need on their way. `stages` are what is fetched one after the other, each by
    /// [`crate::Run::fetch_before`] with the later ones.
    ///
    /// # Errors
    /// A value would be too large to be one.
    pub fn memory(&self, batch: usize, fed: &[NodeId], stages: &[&[NodeId]]) -> Result<u64> {
        let mut known = vec![false; self.nodes.len()];
        fed.iter().chain(&self.params).for_each(|&id| known[id] = true);
        self.memory_of_stages(batch, known, stages, false)
    }

    /// As [`Program::memory`], where these nodes are known; and with what is prepared of parameters that stay, if they do.
    pub(in crate::program) fn memory_of_stages(
        &self,
        batch: usize,
        mut known: Vec<bool>,
        stages: &[&[NodeId]],
        ready: bool,
    ) -> Result<u64> {
        let shapes = self.shapes(batch)?;
        let mut held = Held::default();
        for (number, wanted) in stages.iter().enumerate() {
            let later = stages[number + 1..].concat();
            let question = Question { known: known.clone(), wanted: wanted.to_vec(), later, edited: Vec::new(), ready };
            held.run(self, &self.plan(question), &shapes);
            for (id, known) in known.iter_mut().enumerate() {
                *known |= held.owner.contains_key(&id);
            }
        }
        Ok(held.most())
    }

    /// Bytes that a plan takes at most for a batch of these shapes.
    pub(in crate::program) fn memory_of_plan(&self, plan: &Plan, shapes: &[Vec<usize>]) -> u64 {
        let mut held = Held::default();
        held.run(self, plan, shapes);
        held.most()
    }
}

/// What a run holds while it goes on.
#[derive(Default)]
struct Held {
    /// The node whose numbers a node has: its own, or those of another one in another shape.
    owner: HashMap<NodeId, NodeId>,
    /// By owner: bytes, and how many nodes have them.
    values: HashMap<NodeId, (u64, usize)>,
    now: u64,
    peak: u64,
    /// What kernels keep from call to call.
    scratch: u64,
    /// What is prepared of parameters.
    prepared: u64,
}

impl Held {
    fn most(&self) -> u64 {
        self.peak.saturating_add(self.scratch).saturating_add(self.prepared)
    }

    fn run(&mut self, program: &Program, plan: &Plan, shapes: &[Vec<usize>]) {
        for work in &plan.works {
            match shares(program, work.node, &work.way, shapes) {
                Some(input) => self.share(work.node, input),
                None => self.take(work.node, bytes(&shapes[work.node])),
            }
            if let Way::Dot { factor: Some((sum, _)), .. } = work.way {
                self.take(sum, bytes(&shapes[sum]));
            }
            let conv = match &work.way {
                Way::Chain(chain) => {
                    // Weights are kept transformed and as they are.
                    let weights = bytes(&shapes[program.nodes[chain.conv].inputs[1]]);
                    self.prepared = self.prepared.saturating_add(weights.saturating_mul(5));
                    chain.conv
                }
                _ => work.node,
            };
            self.scratch = self.scratch.max(scratch(program, conv, shapes).saturating_mul(NUMBER));
            work.done.iter().for_each(|&id| self.release(id));
        }
    }

    fn take(&mut self, id: NodeId, bytes: u64) {
        self.owner.insert(id, id);
        self.values.insert(id, (bytes, 1));
        self.now = self.now.saturating_add(bytes);
        self.peak = self.peak.max(self.now);
    }

    /// The node has the numbers of another one; of nobody here, where these were fed.
    fn share(&mut self, id: NodeId, with: NodeId) {
        match self.owner.get(&with).copied() {
            Some(owner) => {
                self.owner.insert(id, owner);
                self.values.entry(owner).and_modify(|(_, readers)| *readers += 1);
            }
            None => self.take(id, 0),
        }
    }

    fn release(&mut self, id: NodeId) {
        let Some(owner) = self.owner.remove(&id) else { return };
        let Some((bytes, nodes)) = self.values.get_mut(&owner) else { return };
        *nodes -= 1;
        if *nodes == 0 {
            self.now -= *bytes;
            self.values.remove(&owner);
        }
    }
}

fn bytes(shape: &[usize]) -> u64 {
    shape.iter().fold(NUMBER, |bytes, &length| bytes.saturating_mul(length as u64))
}

/// The input whose numbers a node has in another shape, where it does.
fn shares(program: &Program, id: NodeId, way: &Way, shapes: &[Vec<usize>]) -> Option<NodeId> {
    let input = *program.nodes[id].inputs.first().filter(|_| matches!(way, Way::Alone))?;
    let same = match program.primitive(id)? {
        Primitive::Reshape { .. } | Primitive::StopGradient => true,
        Primitive::Broadcast { .. } => bytes(&shapes[input]) == bytes(&shapes[id]),
        _ => false,
    };
    same.then_some(input)
}

/// Numbers that the kernel of a node needs on its way.
fn scratch(program: &Program, id: NodeId, shapes: &[Vec<usize>]) -> u64 {
    let inputs: Vec<&[usize]> = program.nodes[id].inputs.iter().map(|&input| shapes[input].as_slice()).collect();
    program.primitive(id).map_or(0, |primitive| primitive.scratch(&inputs, &shapes[id]))
}
