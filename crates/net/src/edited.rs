//! Edits that stay: a network whose description does what an edit of a run does.

use crate::{Edit, Graph, Init, Network, NodeId, Op, Params, Result, Tensor};
use std::sync::Arc;
use tensor::Binary;

impl Network {
    /// The network that gives, without edits, what this one gives with them: each edited node's value is multiplied and added to once more, by
    /// numbers that are stored beside the weights. The node that carries the edited value keeps its name, so that edits and taps of it
    /// find what runs with these edits found; what it was before is called `NODE.unedited`.
    ///
    /// # Errors
    /// There is no such node, or the edit does not fit it; the node is a parameter.
    pub fn edited(&self, edits: &[Edit]) -> Result<Self> {
        let shapes = self.graph.shapes(1)?;
        let mut tensors = Vec::with_capacity(self.params.tensors().len() + 2 * edits.len());
        let mut weights = self.params.tensors().iter();
        let mut graph = Graph::default();
        let mut moved: Vec<NodeId> = Vec::with_capacity(shapes.len());
        for edit in edits {
            let id = self.graph.find(&edit.node)?;
            if matches!(self.graph.node(id).op, Op::Param { .. }) {
                let reason = "is a parameter; values of nodes are edited".into();
                return Err(crate::Error::Edit { node: edit.node.clone(), reason });
            }
        }
        for (id, node) in self.graph.nodes().iter().enumerate() {
            let inputs: Vec<NodeId> = node.inputs.iter().map(|&input| moved[input]).collect();
            let of_node: Vec<&Edit> = edits.iter().filter(|edit| edit.node == node.name).collect();
            // Neither a name of this network nor one that was made here.
            let fresh = |graph: &Graph, wish: String| {
                let free = |name: &String| self.graph.find(name).is_err() && graph.find(name).is_err();
                let numbered = (2..).map(|number: u64| format!("{wish}.{number}"));
                std::iter::once(wish.clone()).chain(numbered).find(free).unwrap_or_default()
            };
            let name =
                if of_node.is_empty() { node.name.clone() } else { fresh(&graph, format!("{}.unedited", node.name)) };
            let mut value = graph.push_like(name, node.op.clone(), &inputs, node.like.map(|like| moved[like]));
            if matches!(node.op, Op::Param { .. }) {
                tensors.extend(weights.next().cloned());
            }
            node.units.into_iter().for_each(|axis| graph.set_unit_axis(value, axis));
            for (place, edit) in of_node.iter().enumerate() {
                let terms = edit.terms(&shapes[id], node.unit_axis())?;
                let mut param = |graph: &mut Graph, name: &str, values: Vec<f32>| {
                    let name = fresh(graph, format!("{}.{name}", node.name));
                    let op = Op::Param { shape: terms.shape.clone(), init: Init::Constant(0.0), trainable: false };
                    tensors.push(Tensor::new(&terms.shape, values, &crate::Device::cpu()));
                    graph.push(name, op, &[])
                };
                let factor = param(&mut graph, "factor", terms.factor);
                let term = param(&mut graph, "term", terms.term);
                let scaled_name = fresh(&graph, format!("{}.scaled", node.name));
                let scaled = graph.push(scaled_name, Binary::Mul, &[value, factor]);
                let last = place + 1 == of_node.len();
                let name = if last { node.name.clone() } else { fresh(&graph, format!("{}.edited", node.name)) };
                value = graph.push(name, Binary::Add, &[scaled, term]);
                node.units.into_iter().for_each(|axis| graph.set_unit_axis(value, axis));
            }
            moved.push(value);
        }
        graph.set_output(moved[self.graph.output()]);
        self.graph.named_outputs().for_each(|(name, id)| graph.name_output(name, moved[id]));
        graph.shapes(1)?;
        Ok(Self { graph: Arc::new(graph), params: Params::new(tensors), notes: self.notes.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Device;
    use crate::zoo::{self, DcganGenerator, GeneratorStart};

    fn network() -> Network {
        let graph = zoo::dcgan_generator(DcganGenerator {
            size: [16; 2],
            channels: 3,
            latent: 4,
            width: 4,
            norm: crate::Norm::Batch,
            start: GeneratorStart::Linear,
            extra: false,
        });
        Network::initial(graph, 1, "test", &Device::cpu())
    }

    #[test]
    fn it_gives_what_a_run_with_the_edits_gives() {
        let network = network();
        let z = network.latents(&[3, 4], &Device::cpu());
        let mask = Some(vec![vec![1.0, 0.0], vec![0.5, 0.25]]);
        let edits = [
            Edit { alpha: 0.5, values: vec![0.25, -1.0], mask, ..Edit::ablate("1", vec![0, 2]) },
            Edit::force("0", vec![1], 2.0),
            Edit::ablate("1", vec![1]),
        ];
        let wanted = network.forward(&z, &edits).unwrap();
        let edited = network.edited(&edits).unwrap();
        let largest = wanted
            .numbers()
            .iter()
            .zip(edited.forward(&z, &[]).unwrap().numbers().iter())
            .fold(0f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(largest < 1e-6, "{largest}");
        assert!(wanted.to_vec() != network.forward(&z, &[]).unwrap().to_vec());
        // A file of it is read again, and it can be edited again.
        let bytes = edited.to_bytes(crate::Storage::F32).unwrap();
        let read = Network::from_bytes(&bytes, "e".as_ref(), &Device::cpu()).unwrap();
        let more = [Edit::ablate("1", vec![3])];
        let twice = read.edited(&more).unwrap().forward(&z, &[]).unwrap().to_vec();
        let both = network.forward(&z, &[&edits[..], &more].concat()).unwrap().to_vec();
        assert!(twice.iter().zip(&both).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    #[test]
    fn names_that_are_taken_stay_those_of_their_nodes() {
        let mut graph = Graph::default();
        let z = graph.push("z", Op::input(&[2, 2, 2]), &[]);
        let a = graph.push("a", tensor::Unary::Relu, &[z]);
        let b = graph.push("a.factor.2", tensor::Unary::Abs, &[a]);
        graph.push("a.factor", tensor::Unary::Abs, &[b]);
        let network = Network::initial(graph, 1, "test", &Device::cpu());
        let edits = [Edit::force("a", vec![0], 1.0), Edit::force("a", vec![1], 2.0)];
        let x = Tensor::new(&[1, 2, 2, 2], vec![0.5; 8], &Device::cpu());
        let (wanted, given) = (network.forward(&x, &edits).unwrap(), network.edited(&edits).unwrap().forward(&x, &[]));
        assert_eq!(wanted.to_vec(), given.unwrap().to_vec());
    }

    #[test]
    fn what_cannot_be_edited_is_named() {
        let refused = |edit: Edit| network().edited(&[edit]).unwrap_err().to_string();
        assert!(refused(Edit::ablate("nowhere", vec![0])).starts_with("there is no node \"nowhere\""));
        assert_eq!(refused(Edit::ablate("1", vec![99])), "edit of 1: there is no unit 99; the node has units 0 to 3");
        let weight = network().graph.node(network().graph.params()[0]).name.clone();
        assert_eq!(
            refused(Edit::ablate(&weight, vec![0])),
            format!("edit of {weight}: is a parameter; values of nodes are edited")
        );
    }
}
