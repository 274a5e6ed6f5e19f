//! What a network consists of, for people and programs.

use crate::{Network, Op, Result};
use serde::Serialize;
use tensor::Primitive;

/// One node of a network as `inspect` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeReport {
    /// The node's name.
    pub name: String,
    /// Its operation.
    pub op: &'static str,
    /// Where it reads from (parameters left out).
    pub inputs: Vec<String>,
    /// Shape of its result for one sample, without the batch.
    pub shape: Vec<usize>,
    /// Numbers in the parameters that it reads first.
    pub parameters: usize,
    /// Multiplications with addition for one sample.
    pub macs: u64,
}

/// A whole network as `inspect` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The nodes in order, parameters folded into the nodes that read them.
    pub nodes: Vec<NodeReport>,
    /// Numbers that training changes.
    pub parameters: usize,
    /// Numbers of state: running statistics, singular vectors.
    pub state: usize,
    /// Multiplications with addition for one sample.
    pub macs: u64,
    /// What the file says about itself.
    pub notes: Vec<(String, String)>,
}

impl Network {
    /// Lists the nodes with shapes, parameters and work.
    ///
    /// # Errors
    /// The shapes do not fit.
    pub fn report(&self) -> Result<Report> {
        let graph = &self.graph;
        let shapes = graph.shapes(1)?;
        let size = |id: usize| shapes[id].iter().product::<usize>();
        let mut nodes = Vec::new();
        let (mut parameters, mut state, mut total) = (0, 0, 0);
        let mut counted = vec![false; graph.nodes().len()];
        // Nodes that only prepare weights (spectral norm, a scale) are folded into the node that uses them.
        let mut prepares = vec![true; graph.nodes().len()];
        for (id, node) in graph.nodes().iter().enumerate() {
            prepares[id] = match node.op {
                Op::Input { .. } => false,
                Op::Param { .. } => true,
                _ => node.inputs.iter().all(|&i| prepares[i]),
            };
        }
        for (id, node) in graph.nodes().iter().enumerate() {
            if let Op::Param { trainable, .. } = node.op {
                *(if trainable { &mut parameters } else { &mut state }) += size(id);
            }
            if prepares[id] {
                continue;
            }
            let mut own = 0;
            let mut stack: Vec<usize> = node.inputs.clone();
            while let Some(input) = stack.pop() {
                if prepares[input] && !counted[input] {
                    counted[input] = true;
                    own += if matches!(graph.node(input).op, Op::Param { .. }) { size(input) } else { 0 };
                    stack.extend(&graph.node(input).inputs);
                }
            }
            let inputs: Vec<&[usize]> = node.inputs.iter().map(|&i| shapes[i].as_slice()).collect();
            let macs = macs_of(&node.op, &shapes[id], &inputs);
            total = u64::saturating_add(total, macs);
            nodes.push(NodeReport {
                name: node.name.clone(),
                op: node.op.name(),
                inputs: node.inputs.iter().filter(|&&i| !prepares[i]).map(|&i| graph.node(i).name.clone()).collect(),
                shape: shapes[id].get(1..).unwrap_or_default().to_vec(),
                parameters: own,
                macs,
            });
        }
        Ok(Report { nodes, parameters, state, macs: total, notes: self.notes.clone() })
    }
}

/// Multiplications with addition of one node; only products and convolutions count.
fn macs_of(op: &Op, output: &[usize], inputs: &[&[usize]]) -> u64 {
    match op {
        Op::Linear => Primitive::mat_mul(false, true).macs(inputs, output),
        Op::ConvTranspose2d { conv, .. } => {
            Primitive::ConvTranspose2d { conv: *conv, size: [0; 2] }.macs(inputs, output)
        }
        Op::Primitive(primitive) => primitive.macs(inputs, output),
        _ => 0,
    }
}
