//! Elementwise nodes that only one other elementwise node reads need no buffer of their own: they are put off until that
//! one is computed, and then all go in one pass over memory.

use super::Run;
use crate::{Graph, NodeId, Op, Result, Tensor};
use kernels::{Pointwise, Source, Step};

/// Maps of fewer cells are not worth a block.
const SMALLEST_MAP: usize = 16;
/// Nodes of one tree at most: what lies between its leaves and its root has to stay in the processor's first cache.
const LARGEST_TREE: usize = 12;

impl Run<'_> {
    /// Which nodes of a schedule are put off, given how often each is read. The bits of the results do not depend on it.
    pub(super) fn deferred(&self, schedule: &[NodeId], readers: &[usize]) -> Vec<bool> {
        let mut reader = vec![None; readers.len()];
        for &id in schedule {
            self.graph.node(id).inputs.iter().for_each(|&input| reader[input] = Some(id));
        }
        let mut deferred = vec![false; readers.len()];
        let mut size = vec![0; readers.len()];
        for &id in schedule {
            let inputs = &self.graph.node(id).inputs;
            size[id] = 1 + inputs.iter().filter(|&&input| deferred[input]).map(|&input| size[input]).sum::<usize>();
            // A reader that is no part of this schedule, or the caller, counts too: then there is none here, or another one.
            deferred[id] = readers[id] == 1
                && size[id] < LARGEST_TREE
                && self.is_pointwise(id)
                && reader[id].is_some_and(|reader| self.is_pointwise(reader) && self.shapes[reader] == self.shapes[id])
                && self.edits.iter().all(|(edited, _)| *edited != id);
        }
        deferred
    }

    fn is_pointwise(&self, id: NodeId) -> bool {
        let cells: usize = self.shapes[id].iter().skip(2).product();
        self.shapes[id].len() > 2 && cells >= SMALLEST_MAP && pointwise(&self.graph.node(id).op).is_some()
    }

    /// The root of a tree, from values that are known.
    pub(super) fn compute_tree(&mut self, tree: &[NodeId]) -> Result<Tensor> {
        let graph = self.graph;
        if let Some(value) = self.fused(tree)? {
            return Ok(value);
        }
        // Another operation, or a device that our kernels do not reach.
        let [inner @ .., root] = tree else { unreachable!("a tree has a root") };
        let root = *root;
        for &id in inner {
            self.values[id] = Some(self.compute(id, graph.node(id))?);
        }
        let value = self.compute(root, graph.node(root));
        inner.iter().for_each(|&id| self.values[id] = None);
        value
    }

    /// The root of a tree in one pass, where all that it reads lies in the processor's memory.
    fn fused(&self, tree: &[NodeId]) -> Result<Option<Tensor>> {
        let mut steps = Vec::with_capacity(tree.len());
        let mut device = None;
        for &id in tree {
            let node = self.graph.node(id);
            let Some(op) = pointwise(&node.op) else { return Ok(None) };
            let mut sources = Vec::with_capacity(2);
            for &input in &node.inputs {
                sources.push(if let Ok(place) = tree.binary_search(&input) {
                    Source::Step(place)
                } else {
                    let leaf = self.known(input)?;
                    device.get_or_insert_with(|| leaf.device());
                    let Some(numbers) = leaf.slice() else { return Ok(None) };
                    if self.shapes[input] == self.shapes[id] {
                        Source::Maps(numbers)
                    } else {
                        Source::Channels(numbers)
                    }
                });
            }
            let (Some(&a), Some(&b)) = (sources.first(), sources.last()) else { return Ok(None) };
            steps.push(Step { op, a, b });
        }
        let (Some(&root), Some(device)) = (tree.last(), device) else { return Ok(None) };
        let shape = &self.shapes[root];
        let (batch, rest) = shape.split_at(1.min(shape.len()));
        let (channels, cells) = rest.split_at(1.min(rest.len()));
        let [batch, channels, cells] = [batch, channels, cells].map(|part| part.iter().product());
        let numbers = kernels::fused(&steps, batch, channels, cells);
        Ok(Some(Tensor::new(shape, numbers, &device)))
    }
}

/// A node with the deferred nodes that it stands for, itself last.
pub(super) fn tree(graph: &Graph, root: NodeId, deferred: &[bool]) -> Vec<NodeId> {
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(&id) = tree.get(next) {
        tree.extend(graph.node(id).inputs.iter().copied().filter(|&input| deferred[input]));
        next += 1;
    }
    // Inputs have smaller numbers than their readers.
    tree.sort_unstable();
    tree
}

/// The operation as one of a tree.
fn pointwise(op: &Op) -> Option<Pointwise> {
    Some(match *op {
        Op::Add => Pointwise::Add,
        Op::Sub => Pointwise::Sub,
        Op::Mul => Pointwise::Mul,
        Op::Scale { factor } => Pointwise::Scale(factor as f32),
        Op::AddScalar { term } => Pointwise::AddScalar(term as f32),
        Op::LeakyRelu { slope } => Pointwise::LeakyRelu(slope as f32),
        Op::LeakyReluGradient { slope } => Pointwise::LeakyReluGradient(slope as f32),
        Op::Tanh => Pointwise::Tanh,
        Op::TanhGradient => Pointwise::TanhGradient,
        Op::AddChannel => Pointwise::AddChannel,
        Op::MulChannel => Pointwise::MulChannel,
        Op::ChannelBroadcast => Pointwise::ChannelBroadcast,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::{self, DcganGenerator, GeneratorStart, Norm};
    use crate::{Device, Edit, Mode, Network};

    fn generator() -> Network {
        let graph = zoo::dcgan_generator(DcganGenerator {
            size: [16; 2],
            channels: 3,
            latent: 4,
            width: 4,
            norm: Norm::Batch,
            start: GeneratorStart::Deconvolution,
            extra: true,
        });
        Network::initial(graph, 3, "weights", &Device::cpu())
    }

    /// The output and all gradients of a training pass of a generator.
    fn trained(network: &Network) -> (Graph, NodeId, Vec<NodeId>) {
        let mut graph = network.graph.lower(Mode::Training).graph;
        let weights = graph.params().to_vec();
        let derivative = graph.differentiate(graph.output(), &weights).unwrap();
        let wanted = std::iter::once(graph.output()).chain(derivative.gradients.into_iter().flatten()).collect();
        (graph, derivative.cotangent, wanted)
    }

    #[test]
    fn results_do_not_depend_on_what_is_put_off() {
        let network = generator();
        let (graph, cotangent, wanted) = trained(&network);
        let z = network.latents(&[1, 2, 3], &Device::cpu());
        let mut run = Run::new(&graph, &network.params, &[(graph.inputs()[0], &z)]).unwrap();
        let g = Tensor::new(
            run.shape(graph.output()),
            (0..3 * 768).map(|i| (i % 7) as f32 - 3.0).collect(),
            &Device::cpu(),
        );
        run.feed(cotangent, &g).unwrap();

        let all = run.ancestors(&wanted);
        let mut readers = vec![0; graph.nodes().len()];
        all.iter().flat_map(|&id| &graph.node(id).inputs).chain(&wanted).for_each(|&id| readers[id] += 1);
        let put_off = run.deferred(&all, &readers).iter().filter(|&&deferred| deferred).count();
        assert!(put_off > 10, "only {put_off} nodes are put off");

        let together = run.fork().fetch(&wanted).unwrap();
        // Whoever asks for every node gets them all, and then nothing can be put off.
        let each = run.fork().fetch(&all).unwrap();
        for (id, value) in wanted.iter().zip(together) {
            let place = all.binary_search(id).unwrap();
            assert_eq!(value.to_vec(), each[place].to_vec(), "{}", graph.node(*id).name);
        }
    }

    #[test]
    fn an_edited_node_is_not_put_off() {
        let network = generator();
        let z = network.latents(&[1, 2], &Device::cpu());
        let graph = network.inference().graph;
        let norm = graph.node(graph.find("1b").unwrap()).inputs[0];
        let edit = Edit::ablate(&graph.node(norm).name, vec![1]);
        let mut run = Run::new(&graph, &network.params, &[(graph.inputs()[0], &z)]).unwrap();
        run.edit(&[edit]).unwrap();
        let edited = run.fork().fetch(&[graph.output()]).unwrap().remove(0).to_vec();
        let watched = run.fetch(&[norm, graph.output()]).unwrap();
        assert_eq!(edited, watched[1].to_vec());
        assert_ne!(edited, network.forward(&z, &[]).unwrap().to_vec());
        let map = watched[0].to_vec();
        let cells = map.len() / run.shape(norm)[1] / 2;
        assert!(map[cells..2 * cells].iter().all(|&v| v == 0.0));
    }
}
