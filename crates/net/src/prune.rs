//! Taking units out of a network for good, so that their maps are 0 (or gone) with no edit at run time.

mod cuts;

use crate::{Error, Graph, Init, Network, NodeId, Op, Params, Result, Tensor};
use cuts::{Cut, Cuts};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// In which way units are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// Their channels do not exist any more, before and behind the node; units behind them have moved up. The network is smaller.
    Removed,
    /// All weights, biases, scales and shifts that made them are 0: the shapes stay, because somebody else needs them.
    Zeroed,
    /// The network multiplies them by a stored 0, because zero weights would change other units as well.
    Masked,
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Removed => "removed",
            Self::Zeroed => "zeroed",
            Self::Masked => "masked",
        })
    }
}

/// A network that has lost units.
#[derive(Clone, Debug)]
pub struct Pruned {
    /// The network.
    pub network: Network,
    /// How they are gone.
    pub removal: Removal,
    /// What stood in the way of each better way, best way first.
    pub obstacles: Vec<String>,
}

impl Network {
    /// The network without some units (channels) of a node: it gives what this one gives when they are ablated, but for rounding. Their
    /// channels are removed where that is possible, else the weights that make them are set to 0, else they are masked.
    ///
    /// # Errors
    /// There is no such node or unit, the node is a parameter, an input or the output, or has no channels.
    pub fn without_units(&self, node: &str, units: &[usize]) -> Result<Pruned> {
        let id = self.graph.find(node)?;
        let wrong = |reason: String| Error::Edit { node: node.into(), reason };
        let shapes = self.graph.shapes(1)?;
        let channels = shapes[id].get(1).copied().filter(|_| !matches!(self.graph.node(id).op, Op::Param { .. }));
        let channels = channels.ok_or_else(|| wrong("the node has no units".into()))?;
        if self.graph.node(id).unit_axis() != 1 {
            return Err(wrong("its units are not channels; only channels can be taken out".into()));
        }
        if let Some(unit) = units.iter().find(|&&unit| unit >= channels) {
            return Err(wrong(format!("there is no unit {unit}; the node has units 0 to {}", channels - 1)));
        }
        if matches!(self.graph.node(id).op, Op::Input { .. }) || id == self.graph.output() {
            return Err(wrong("units of the input and of the output cannot be taken out".into()));
        }
        let mut gone = vec![false; channels];
        units.iter().for_each(|&unit| gone[unit] = true);

        let cuts = Cuts::new(&self.graph, &shapes);
        let mut obstacles = Vec::new();
        let pruned = |network, removal, obstacles| Ok(Pruned { network, removal, obstacles });
        let making = match cuts.making(id) {
            Ok(making) => making,
            Err(obstacle) => return pruned(self.masked(id, &gone), Removal::Masked, vec![obstacle]),
        };
        match cuts.reading(id) {
            Ok(_) if gone.iter().all(|&gone| gone) => obstacles.push(format!("{node} would have no unit left")),
            Ok(reading) => {
                let all = Cut::joined(making, reading);
                return pruned(self.cut(&all, &gone)?, Removal::Removed, obstacles);
            }
            Err(obstacle) => obstacles.push(obstacle),
        }
        pruned(self.zeroed(&making.params, &gone), Removal::Zeroed, obstacles)
    }

    /// Without the entries of gone units, in every parameter and shape that has some.
    fn cut(&self, cut: &Cut, gone: &[bool]) -> Result<Self> {
        let left = gone.iter().filter(|&&gone| !gone).count();
        let mut graph = Graph::default();
        for (id, node) in self.graph.nodes().iter().enumerate() {
            let mut op = node.op.clone();
            match &mut op {
                Op::Param { shape, .. } => {
                    for part in cut.params.iter().filter(|part| part.param == id) {
                        shape[part.axis] = left * part.block;
                    }
                }
                Op::Reshape { shape } if cut.reshapes.contains(&id) => shape[0] = left,
                _ => {}
            }
            let id = graph.push_like(&node.name, op, &node.inputs, node.like);
            node.units.into_iter().for_each(|axis| graph.set_unit_axis(id, axis));
        }
        graph.set_output(self.graph.output());
        self.graph.named_outputs().for_each(|(name, id)| graph.name_output(name, id));
        let params = self.with_parts(&cut.params, |tensor, part| part.without(tensor, gone));
        graph.shapes(1)?;
        Ok(Self { graph: Arc::new(graph), params, notes: self.notes.clone() })
    }

    /// With zeros for everything that makes gone units.
    fn zeroed(&self, parts: &[cuts::Part], gone: &[bool]) -> Self {
        let params = self.with_parts(
            parts,
            |tensor, part| {
                if part.zeroable { part.zeroed(tensor, gone) } else { tensor.clone() }
            },
        );
        Self { graph: self.graph.clone(), params, notes: self.notes.clone() }
    }

    fn with_parts(&self, parts: &[cuts::Part], change: impl Fn(&Tensor, &cuts::Part) -> Tensor) -> Params {
        let mut params = self.params.clone();
        for (place, id) in self.graph.params().iter().enumerate() {
            for part in parts.iter().filter(|part| part.param == *id) {
                let changed = change(&params.tensors()[place], part);
                params.set(place, changed);
            }
        }
        params
    }

    /// With a factor of 0 or 1 for each unit of a node: before an activation that keeps 0, so that the node stays what it is, else behind.
    fn masked(&self, at: NodeId, gone: &[bool]) -> Self {
        let old = &self.graph;
        let before = cuts::keeps_zero(&old.node(at).op) && old.node(at).inputs.len() == 1;
        let name = old.node(at).name.clone();
        let values: Vec<f32> = gone.iter().map(|&gone| if gone { 0.0 } else { 1.0 }).collect();
        let mut graph = Graph::default();
        let mut tensors = Vec::new();
        let mut moved: Vec<NodeId> = Vec::new();
        let mut old_tensors = self.params.tensors().iter();
        for (id, node) in old.nodes().iter().enumerate() {
            if matches!(node.op, Op::Param { .. }) {
                tensors.extend(old_tensors.next().cloned());
            }
            let mut inputs: Vec<NodeId> = node.inputs.iter().map(|&i| moved[i]).collect();
            let like = node.like.map(|i| moved[i]);
            if id != at {
                moved.push(graph.push_like(&node.name, node.op.clone(), &inputs, like));
                node.units.into_iter().for_each(|axis| graph.set_unit_axis(moved[id], axis));
                continue;
            }
            let shape = vec![gone.len()];
            let mask = Op::Param { shape: shape.clone(), init: Init::Constant(1.0), trainable: false };
            let mask = graph.push(old.fresh(&format!("{name}.mask")), mask, &[]);
            let device = self.params.tensors().first().map(Tensor::device).unwrap_or_default();
            tensors.push(Tensor::new(&shape, values.clone(), &device));
            if before {
                inputs[0] = graph.push(old.fresh(&format!("{name}.masked")), Op::MulChannel, &[inputs[0], mask]);
                moved.push(graph.push_like(&name, node.op.clone(), &inputs, like));
            } else {
                let whole = graph.push_like(old.fresh(&format!("{name}.whole")), node.op.clone(), &inputs, like);
                moved.push(graph.push(&name, Op::MulChannel, &[whole, mask]));
            }
        }
        graph.set_output(moved[old.output()]);
        old.named_outputs().for_each(|(name, id)| graph.name_output(name, moved[id]));
        Self { graph: Arc::new(graph), params: Params::new(tensors), notes: self.notes.clone() }
    }
}

#[cfg(test)]
mod tests;
