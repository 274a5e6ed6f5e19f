//! What is computed on the way to another node and needs no buffer of its own.
//!
//! Elementwise nodes that only one other elementwise node of their shape reads are put off until that one is computed, and
//! then all go in one pass over memory. A repetition that an elementwise node reads is left to that node, which repeats what
//! it reads in any case. A product of which only the sums over channels are wanted is never written down. Where parameters stay, a
//! convolution takes what scales and shifts its channels into its weights.

use super::plan::Way;
use super::{Program, Run};
use crate::{NodeId, Result};
use kernels::{Function, Leaf, Source, Step};
use tensor::{Binary, Device, Primitive, Reduction, Tensor, Unary};

/// Nodes of one tree at most: what lies between its leaves and its root has to stay in the processor's first cache.
const LARGEST_TREE: usize = 12;

/// Elementwise nodes in one pass.
#[derive(Debug)]
pub(super) struct Tree {
    /// The nodes in order, the root last.
    pub(super) members: Vec<NodeId>,
    steps: Vec<Step>,
    leaves: Vec<NodeId>,
}

/// A convolution whose weights stay, with the only reader of its result, the only reader of that one's, and so on.
#[derive(Debug)]
pub(super) struct Chain {
    /// The convolution.
    pub(super) conv: NodeId,
    /// All nodes in order, the convolution first.
    pub(super) members: Vec<NodeId>,
    /// What is done to channels, in order.
    pub(super) folds: Vec<Fold>,
    /// What is done to each number last.
    pub(super) activation: Option<Unary>,
}

/// Something that a convolution can take into its weights and bias.
#[derive(Debug)]
pub(super) enum Fold {
    /// Times a number for each channel, or one for all.
    Mul(NodeId),
    /// Plus a number for each channel, or one for all.
    Add(NodeId),
    /// Times this.
    Scale(f64),
}

impl Chain {
    /// The node whose value comes out.
    pub(super) fn root(&self) -> NodeId {
        self.members.last().copied().unwrap_or(self.conv)
    }
}

/// The only reader of each node of a schedule, where it has one. The caller, and a reader that is no part of the schedule, count too.
fn only_readers(program: &Program, schedule: &[NodeId], readers: &[usize], edited: &[NodeId]) -> Vec<Option<NodeId>> {
    let mut reader = vec![None; readers.len()];
    for &id in schedule {
        program.nodes[id].inputs.iter().for_each(|&input| reader[input] = Some(id));
    }
    let mut only = vec![None; readers.len()];
    for &id in schedule {
        only[id] = reader[id].filter(|_| readers[id] == 1 && !edited.contains(&id));
    }
    only
}

impl Program {
    /// The convolutions of a schedule whose weights stay.
    pub(super) fn chains(&self, schedule: &[NodeId], readers: &[usize], edited: &[NodeId]) -> Vec<Chain> {
        let only_reader = only_readers(self, schedule, readers, edited);
        let constant = self.constant();
        let is_conv = |&&id: &&NodeId| {
            matches!(self.primitive(id), Some(Primitive::Conv2d { .. } | Primitive::ConvTranspose2d { .. }))
                && self.nodes[id].inputs[1..].iter().all(|&input| constant[input])
        };
        let chain = |&conv: &NodeId| {
            let mut chain = Chain { conv, members: vec![conv], folds: Vec::new(), activation: None };
            let mut at = conv;
            while let Some(reader) = only_reader[at] {
                let other = self.nodes[reader].inputs.iter().copied().find(|&input| input != at);
                let of_channels = other.filter(|&id| constant[id] && self.is_of_channels(id, conv));
                match (self.primitive(reader), of_channels) {
                    (Some(Primitive::Binary(Binary::Mul)), Some(id)) => chain.folds.push(Fold::Mul(id)),
                    (Some(Primitive::Binary(Binary::Add)), Some(id)) => chain.folds.push(Fold::Add(id)),
                    (Some(Primitive::Unary(Unary::Scale { factor })), _) => chain.folds.push(Fold::Scale(*factor)),
                    (Some(Primitive::Unary(function)), _) => chain.activation = Some(*function),
                    _ => break,
                }
                chain.members.push(reader);
                at = reader;
                if chain.activation.is_some() {
                    break;
                }
            }
            chain
        };
        schedule.iter().filter(is_conv).map(chain).collect()
    }

    /// Whether a node holds one number for each channel of the maps `maps`, or one for all.
    fn is_of_channels(&self, id: NodeId, maps: NodeId) -> bool {
        let (own, maps) = (&self.dims[id], &self.dims[maps]);
        let before = maps.len().checked_sub(own.len());
        let along = |before: usize| {
            own.iter().enumerate().all(|(axis, dim)| dim.fixed() == Some(1) || axis + before == 1 && *dim == maps[1])
        };
        before.is_some_and(along)
    }

    /// Which nodes of a schedule are put off, given how often each is read. The bits of the results do not depend on it.
    pub(super) fn put_off(
        &self,
        schedule: &[NodeId],
        readers: &[usize],
        edited: &[NodeId],
        chains: &[Chain],
    ) -> Vec<bool> {
        let only = only_readers(self, schedule, readers, edited);
        let only_reader = |id: NodeId| only[id];
        let mut chained = vec![false; readers.len()];
        chains.iter().flat_map(|chain| &chain.members).for_each(|&id| chained[id] = true);
        let mut summed = vec![false; readers.len()];
        for &id in schedule {
            summed[id] = self.is_product(id) && only_reader(id).is_some_and(|reader| self.sums_channels(reader));
        }
        let fuses = |id: NodeId| self.is_elementwise(id) && !summed[id] && !chained[id];
        let mut put_off = vec![false; readers.len()];
        chains.iter().flat_map(|chain| &chain.members[..chain.members.len() - 1]).for_each(|&id| put_off[id] = true);
        let mut size = vec![0; readers.len()];
        for &id in schedule.iter().filter(|&&id| !chained[id]) {
            let inner = self.nodes[id].inputs.iter().filter(|&&input| put_off[input]);
            size[id] = 1 + inner.map(|&input| size[input]).sum::<usize>();
            put_off[id] = summed[id]
                || only_reader(id).is_some_and(|reader| {
                    let repeats = matches!(self.primitive(id), Some(Primitive::Broadcast { .. }));
                    let leaf = repeats && self.dims[reader] == self.dims[id] && self.repeats_its_input(id);
                    let joins = fuses(id) && size[id] < LARGEST_TREE && self.dims[reader] == self.dims[id];
                    fuses(reader) && (leaf || joins)
                });
        }
        put_off
    }

    /// A node with those that were put off for it, itself last.
    pub(super) fn tree(&self, root: NodeId, put_off: &[bool]) -> Vec<NodeId> {
        let mut members = vec![root];
        let mut next = 0;
        while let Some(&id) = members.get(next) {
            members.extend(self.nodes[id].inputs.iter().copied().filter(|&input| put_off[input]));
            next += 1;
        }
        // Inputs have smaller numbers than their readers.
        members.sort_unstable();
        members.dedup();
        members
    }

    /// How a node with its members is computed.
    pub(super) fn way(&self, members: Vec<NodeId>) -> Way {
        let [.., root] = members[..] else { unreachable!("a tree has a root") };
        if let ([product, _], true) = (&members[..], self.sums_channels(root)) {
            return Way::Dot { product: *product, factor: None };
        }
        if !self.is_elementwise(root) {
            return Way::Alone;
        }
        let mut steps: Vec<Step> = Vec::with_capacity(members.len());
        let mut leaves: Vec<NodeId> = Vec::new();
        // Repetitions are no steps: their readers read what is repeated.
        let mut places: Vec<Option<usize>> = Vec::with_capacity(members.len());
        for &id in &members {
            let function = match self.primitive(id) {
                Some(Primitive::Unary(function)) => Function::Unary(*function),
                Some(Primitive::Binary(function)) => Function::Binary(*function),
                Some(Primitive::Select) => Function::Select,
                _ => {
                    places.push(None);
                    continue;
                }
            };
            let mut sources = self.nodes[id].inputs.iter().map(|&input| {
                let leaf = match members.binary_search(&input).ok() {
                    Some(at) => match places[at] {
                        Some(step) => return Source::Step(step),
                        None => self.nodes[input].inputs[0],
                    },
                    None => input,
                };
                let at = leaves.iter().position(|&known| known == leaf).unwrap_or_else(|| {
                    leaves.push(leaf);
                    leaves.len() - 1
                });
                Source::Leaf(at)
            });
            let first = sources.next().unwrap_or(Source::Leaf(0));
            let second = sources.next().unwrap_or(first);
            let third = sources.next().unwrap_or(first);
            drop(sources);
            places.push(Some(steps.len()));
            steps.push(Step { function, inputs: [first, second, third] });
        }
        Way::Tree(Tree { members, steps, leaves })
    }

    fn is_elementwise(&self, id: NodeId) -> bool {
        self.primitive(id).is_some_and(Primitive::is_elementwise)
    }

    /// Whether a repetition only repeats axes of length 1, as an elementwise node does with its inputs.
    fn repeats_its_input(&self, id: NodeId) -> bool {
        self.nodes[id].inputs.first().is_some_and(|&input| self.dims[input].len() <= self.dims[id].len())
    }

    /// A product of two values of one shape, with channels.
    fn is_product(&self, id: NodeId) -> bool {
        let [a, b] = self.nodes[id].inputs[..] else { return false };
        matches!(self.primitive(id), Some(Primitive::Binary(Binary::Mul)))
            && self.dims[id].len() > 1
            && self.dims[a] == self.dims[id]
            && self.dims[b] == self.dims[id]
    }

    /// A sum over everything but channels.
    pub(super) fn sums_channels(&self, id: NodeId) -> bool {
        let Some(Primitive::Reduce { reduction: Reduction::Sum, axes }) = self.primitive(id) else { return false };
        let rank = self.dims[id].len();
        rank > 1 && axes.iter().copied().eq((0..rank).filter(|&axis| axis != 1))
    }
}

impl Run<'_> {
    /// The root of a tree from values that are known: in one pass where all that it reads lies in the processor's memory.
    pub(super) fn compute_tree(&mut self, tree: &Tree) -> Result<Tensor> {
        if let Some(value) = self.fused(tree)? {
            return Ok(value);
        }
        let [inner @ .., root] = &tree.members[..] else { unreachable!("a tree has a root") };
        self.compute_through(inner, *root)
    }

    /// A convolution with all that is done on the way.
    pub(super) fn compute_chain(&mut self, chain: &Chain) -> Result<Tensor> {
        let (conv, root) = (chain.conv, chain.root());
        let inputs = &self.program.nodes[conv].inputs;
        let prepared = self.ready.and_then(|ready| ready.prepared(chain, &self.shapes, self.precision));
        if let (Some(prepared), Some(maps)) = (prepared, self.known(inputs[0])?.slice()) {
            let value = prepared.run(self.shapes[inputs[0]][0], maps);
            self.count_macs(conv);
            return Ok(Tensor::new(&self.shapes[root], value, &Device::cpu()));
        }
        self.compute_through(&chain.members[..chain.members.len() - 1], root)
    }

    /// A sum of products over channels, and that of a factor where it is wanted.
    pub(super) fn compute_dot(
        &mut self,
        product: NodeId,
        sum: NodeId,
        factor: Option<(NodeId, usize)>,
    ) -> Result<Tensor> {
        let [a, b] = self.program.nodes[product].inputs[..] else { unreachable!("a product has two factors") };
        if let (Some(x), Some(y)) = (self.known(a)?.slice(), self.known(b)?.slice()) {
            let (shape, cpu) = (&self.shapes[a], Device::cpu());
            let (channels, cells) = (shape[1], shape[2..].iter().product());
            let Some((of_factor, place)) = factor else {
                return Ok(Tensor::new(&self.shapes[sum], kernels::channel_dot(x, y, channels, cells), &cpu));
            };
            let (x, y) = if place == 0 { (x, y) } else { (y, x) };
            let (alone, product) = kernels::channel_sum_and_dot(x, y, channels, cells);
            let alone = Tensor::new(&self.shapes[of_factor], alone, &cpu);
            let product = Tensor::new(&self.shapes[sum], product, &cpu);
            self.values[of_factor] = Some(alone);
            return Ok(product);
        }
        if let Some((of_factor, _)) = factor {
            self.values[of_factor] = Some(self.compute(of_factor)?);
        }
        self.compute_through(&[product], sum)
    }

    /// One node after the other: on a device that our kernels do not reach, or in another precision.
    fn compute_through(&mut self, inner: &[NodeId], root: NodeId) -> Result<Tensor> {
        for &id in inner {
            self.values[id] = Some(self.compute(id)?);
        }
        let value = self.compute(root);
        inner.iter().for_each(|&id| self.values[id] = None);
        value
    }

    fn fused(&self, tree: &Tree) -> Result<Option<Tensor>> {
        let mut leaves = Vec::with_capacity(tree.leaves.len());
        for &leaf in &tree.leaves {
            let Some(values) = self.known(leaf)?.slice() else { return Ok(None) };
            leaves.push(Leaf { values, shape: &self.shapes[leaf] });
        }
        let [.., root] = tree.members[..] else { unreachable!("a tree has a root") };
        let shape = &self.shapes[root];
        Ok(Some(Tensor::new(shape, kernels::fused(&tree.steps, &leaves, shape), &Device::cpu())))
    }
}

#[cfg(test)]
mod tests;
