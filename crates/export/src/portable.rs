//! A network in the few operations that every framework has.

use net::{Device, Graph, Init, Network, Node, NodeId, Op, Params, Result, Tensor};
use std::sync::Arc;
use tensor::{AxisMap, Dim, Primitive};

/// The same network, written for others: what depends on parameters alone is a parameter, linear maps along an axis are products with
/// their matrices (but for repetition and choice), and parameters that nothing reads are gone. An input that has a value of itself for all
/// images together (a truncation) is that value. Names of nodes stay.
///
/// # Errors
/// The shapes do not fit.
pub fn portable(network: &Network) -> Result<Network> {
    let old = &network.graph;
    let dims = old.dims()?;
    let known = constants(network)?;
    let mut new = Writing { graph: Graph::default(), tensors: Vec::new(), taken: old };
    let mut moved: Vec<Option<NodeId>> = vec![None; dims.len()];
    let wanted = wanted(old, &known);
    let mut weights = network.params.tensors().iter();
    for (id, node) in old.nodes().iter().enumerate() {
        let weight = if let Op::Param { .. } = node.op { weights.next() } else { None };
        if !wanted[id] {
            continue;
        }
        new.tensors.extend(weight.cloned());
        if let Some(value) = &known[id] {
            moved[id] = Some(new.constant(node.name.clone(), value.clone()));
            continue;
        }
        // All that a wanted node reads is wanted, and comes before it.
        let place = |input: &NodeId| moved.get(*input).copied().flatten();
        let inputs: Vec<NodeId> = node.inputs.iter().filter_map(place).collect();
        let at = match &node.op {
            Op::Primitive(Primitive::Along { axis, map }) if !is_known_elsewhere(map) => {
                let length = dims[node.inputs[0]][*axis].fixed().unwrap_or_default();
                new.product(&node.name, inputs[0], [*axis, dims[id].len()], &map.rows(length))
            }
            Op::Primitive(Primitive::AlongAdjoint { axis, map, length }) => {
                new.product(&node.name, inputs[0], [*axis, dims[id].len()], &map.rows(*length).transposed())
            }
            op => new.graph.push_like(&node.name, op.clone(), &inputs, node.like.as_ref().and_then(place)),
        };
        node.units.into_iter().for_each(|axis| new.graph.set_unit_axis(at, axis));
        moved[id] = Some(at);
    }
    let place = |id: NodeId| moved[id].ok_or_else(|| net::Error::Graph("the network has no output".into()));
    new.graph.set_output(place(old.output())?);
    for (name, id) in old.outputs().skip(1) {
        new.graph.name_output(name, place(id)?);
    }
    new.graph.dims()?;
    Ok(Network { graph: Arc::new(new.graph), params: Params::new(new.tensors), notes: network.notes.clone() })
}

/// Whether other frameworks have the map itself.
fn is_known_elsewhere(map: &AxisMap) -> bool {
    matches!(map, AxisMap::Repeat { .. } | AxisMap::Take { .. })
}

/// The values of nodes that depend on parameters alone, and are none.
fn constants(network: &Network) -> Result<Vec<Option<Tensor>>> {
    let graph = &network.graph;
    let fed = graph.inputs_to_feed();
    let mut constant = Vec::with_capacity(graph.nodes().len());
    for (id, node) in graph.nodes().iter().enumerate() {
        let fixed = match &node.op {
            Op::Input { batch, .. } => !*batch && !fed.contains(&id),
            Op::Primitive(Primitive::Fill { shape, .. }) => shape.iter().all(|dim| dim.fixed().is_some()),
            _ => {
                node.inputs.iter().all(|&input: &NodeId| constant[input])
                    && node.like.is_none_or(|like: NodeId| constant[like])
            }
        };
        constant.push(fixed);
    }
    let ready = network.inference()?;
    let mut run = ready.start(&[])?;
    let value = |(id, &constant): (usize, &bool)| {
        if !constant || matches!(graph.node(id).op, Op::Param { .. }) {
            return Ok(None);
        }
        run.fetch_one(ready.find(&graph.node(id).name)?).map(|value| Some(value.on(&Device::cpu())))
    };
    constant.iter().enumerate().map(value).collect()
}

/// Which nodes the results need.
fn wanted(graph: &Graph, known: &[Option<Tensor>]) -> Vec<bool> {
    let is_input = |(id, node): (usize, &Node)| matches!(node.op, Op::Input { .. }) && known[id].is_none();
    let mut wanted: Vec<bool> = graph.nodes().iter().enumerate().map(is_input).collect();
    graph.outputs().for_each(|(_, id)| wanted[id] = true);
    for (id, node) in graph.nodes().iter().enumerate().rev() {
        if wanted[id] && known[id].is_none() {
            node.inputs.iter().chain(&node.like).for_each(|&input| wanted[input] = true);
        }
    }
    wanted
}

struct Writing<'a> {
    graph: Graph,
    tensors: Vec<Tensor>,
    /// Names of this graph are for its nodes.
    taken: &'a Graph,
}

impl Writing<'_> {
    fn constant(&mut self, name: String, value: Tensor) -> NodeId {
        let op = Op::Param { shape: value.shape().to_vec(), init: Init::Constant(0.0), trainable: false };
        self.tensors.push(value);
        self.graph.push(name, op, &[])
    }

    fn fresh(&self, wish: &str) -> String {
        let free = |name: &String| self.graph.find(name).is_err() && self.taken.find(name).is_err();
        let numbered = (2..).map(|number| format!("{wish}.{number}"));
        std::iter::once(wish.to_owned()).chain(numbered).find(free).unwrap_or_default()
    }

    /// A matrix along an axis of x, which has this rank; the result goes by `name`.
    fn product(&mut self, name: &str, x: NodeId, [axis, rank]: [usize; 2], rows: &tensor::Rows) -> NodeId {
        let mut matrix = vec![0.0; rows.rows.len() * rows.inputs];
        for (output, row) in rows.rows.iter().enumerate() {
            for &(input, weight) in row {
                matrix[output * rows.inputs + input] += weight as f32;
            }
        }
        let shape = [&vec![1; rank.saturating_sub(2)][..], &[rows.rows.len(), rows.inputs]].concat();
        let matrix = Tensor::new(&shape, matrix, &Device::cpu());
        let matrix_name = self.fresh(&format!("{name}.matrix"));
        let matrix = self.constant(matrix_name, matrix);
        let times = Primitive::mat_mul(false, true);
        if axis + 1 == rank && rank > 1 {
            return self.graph.push(name, times, &[x, matrix]);
        }
        if axis + 2 == rank {
            return self.graph.push(name, Primitive::mat_mul(false, false), &[matrix, x]);
        }
        // The axis is brought to the end and back.
        let mut there: Vec<usize> = (0..rank).filter(|&other| other != axis).collect();
        there.push(axis);
        let back = (0..rank).map(|to| there.iter().position(|&from| from == to).unwrap_or_default()).collect();
        let (turned, multiplied) = (self.fresh(&format!("{name}.turned")), self.fresh(&format!("{name}.multiplied")));
        let turned = self.graph.push(turned, Primitive::Permute { axes: there }, &[x]);
        let multiplied = self.graph.push(multiplied, times, &[turned, matrix]);
        self.graph.push(name, Primitive::Permute { axes: back }, &[multiplied])
    }
}

/// A shape with -1 for the batch, as reshapes of other frameworks have it.
///
/// # Errors
/// Two axes depend on the batch.
pub(crate) fn with_open_batch(node: &str, dims: &[Dim]) -> Result<Vec<i64>> {
    let open = dims.iter().filter(|dim| dim.fixed().is_none()).count();
    if open > 1 {
        return Err(net::Error::Graph(format!(
            "node {node}: two axes depend on the batch, which has no form elsewhere"
        )));
    }
    Ok(dims.iter().map(|dim| dim.fixed().map_or(-1, |length| length as i64)).collect())
}
