//! The gradient of a graph is a graph.
//!
//! Each primitive states its vector-Jacobian product in primitives, so the result can be differentiated again: the
//! penalties of WGAN-GP, R1 and R2 are exact.

use crate::{Error, Graph, NodeId, Op, Result};

/// What [`Graph::differentiate`] appended.
#[derive(Clone, Debug)]
pub struct Derivative {
    /// Feed the gradient of the loss with respect to the differentiated node here; it has that node's shape.
    pub cotangent: NodeId,
    /// For each wanted node the node that holds its gradient; `None` where the output does not depend on it.
    pub gradients: Vec<Option<NodeId>>,
}

impl Graph {
    /// Appends the gradient of `output` with respect to the nodes `wrt` (parameters, inputs or inner nodes).
    ///
    /// Only nodes on a path from `wrt` to `output` get a gradient: frozen parameters cost nothing. The graph's own output
    /// stays what it was.
    ///
    /// # Errors
    /// The graph has layers (lower it first), or shapes that do not fit.
    pub fn differentiate(&mut self, output: NodeId, wrt: &[NodeId]) -> Result<Derivative> {
        if let Some(layer) = self.nodes().iter().find(|n| n.op.is_layer()) {
            return Err(Error::Graph(format!(
                "{} is a layer; a graph is lowered before it is differentiated",
                layer.name
            )));
        }
        // Two images suffice: only lengths along axes other than the batch are read.
        let shapes = self.shapes(2)?;
        let before = self.output();
        let depends = self.depending_on(wrt);
        let mut adjoints: Vec<Option<NodeId>> = vec![None; self.nodes().len()];
        let name = format!("d:{}", self.node(output).name);
        let cotangent = self.push_like(self.fresh(&name), Op::Cotangent, &[], Some(output));
        adjoints[output] = Some(cotangent);
        for id in (0..=output).rev() {
            let (Some(g), true) = (adjoints[id], depends[id]) else { continue };
            let node = self.node(id).clone();
            for (place, &input) in node.inputs.iter().enumerate() {
                if !depends[input] {
                    continue;
                }
                if let Some(part) = self.pull_back(id, place, g, &shapes) {
                    adjoints[input] = Some(match adjoints[input] {
                        Some(sum) => self.derived(input, Op::Add, &[sum, part], None),
                        None => part,
                    });
                }
            }
        }
        self.set_output(before);
        Ok(Derivative { cotangent, gradients: wrt.iter().map(|&id| adjoints[id]).collect() })
    }

    fn depending_on(&self, wrt: &[NodeId]) -> Vec<bool> {
        let mut depends = vec![false; self.nodes().len()];
        wrt.iter().for_each(|&id| depends[id] = true);
        for id in 0..depends.len() {
            depends[id] |= self.node(id).inputs.iter().any(|&input| depends[input]);
        }
        depends
    }

    fn derived(&mut self, of: NodeId, op: Op, inputs: &[NodeId], like: Option<NodeId>) -> NodeId {
        let name = self.fresh(&format!("d/{}", self.node(of).name));
        self.push_like(name, op, inputs, like)
    }

    /// The part of the gradient of input number `place` of node `id` that comes through this node, given the gradient
    /// `g` of its result. `None`: there is none.
    fn pull_back(&mut self, id: NodeId, place: usize, g: NodeId, shapes: &[Vec<usize>]) -> Option<NodeId> {
        let node = self.node(id).clone();
        let input = node.inputs[place];
        let other = || node.inputs[1 - place];
        let first = place == 0;
        let mut node_of = |op: Op, inputs: &[NodeId], like: Option<NodeId>| self.derived(input, op, inputs, like);
        let matmul = |transpose_a, transpose_b| Op::MatMul { transpose_a, transpose_b };
        Some(match node.op {
            Op::Conv2d { conv } => match place {
                0 => node_of(Op::ConvTranspose2d { conv, output_padding: 0 }, &[g, node.inputs[1]], Some(input)),
                1 => node_of(Op::ConvWeight { conv }, &[node.inputs[0], g], Some(input)),
                _ => node_of(Op::ChannelSum, &[g], None),
            },
            // y = transpose(x, w) is defined by <g, y> = <conv(g, w), x>; both gradients follow.
            Op::ConvTranspose2d { conv, .. } => match place {
                0 => node_of(Op::Conv2d { conv }, &[g, node.inputs[1]], None),
                1 => node_of(Op::ConvWeight { conv }, &[g, node.inputs[0]], Some(input)),
                _ => node_of(Op::ChannelSum, &[g], None),
            },
            Op::ConvWeight { conv } if first => {
                node_of(Op::ConvTranspose2d { conv, output_padding: 0 }, &[other(), g], Some(input))
            }
            Op::ConvWeight { conv } => node_of(Op::Conv2d { conv }, &[other(), g], None),
            Op::MatMul { transpose_a: ta, transpose_b: tb } => match (first, ta) {
                (true, false) => node_of(matmul(false, !tb), &[g, other()], None),
                (true, true) => node_of(matmul(tb, true), &[other(), g], None),
                (false, _) if tb => node_of(matmul(true, ta), &[g, other()], None),
                (false, _) => node_of(matmul(!ta, false), &[other(), g], None),
            },
            Op::Add => g,
            Op::Sub if first => g,
            Op::Sub => node_of(Op::Scale { factor: -1.0 }, &[g], None),
            Op::Mul => node_of(Op::Mul, &[g, other()], None),
            Op::Scale { factor } => node_of(Op::Scale { factor }, &[g], None),
            Op::AddScalar { .. } => g,
            // Under a slope that is not negative the result is positive where x is, so that x need not be kept.
            Op::LeakyRelu { slope } => {
                let sign = if slope >= 0.0 { id } else { input };
                node_of(Op::LeakyReluGradient { slope }, &[g, sign], None)
            }
            // Linear in g; in the other it is a step, whose derivative is 0 almost everywhere.
            Op::LeakyReluGradient { slope } if first => node_of(Op::LeakyReluGradient { slope }, &[g, other()], None),
            Op::Tanh => node_of(Op::TanhGradient, &[g, id], None),
            Op::TanhGradient if first => node_of(Op::TanhGradient, &[g, other()], None),
            Op::TanhGradient => {
                let products = node_of(Op::Mul, &[g, other()], None);
                let with_y = node_of(Op::Mul, &[products, input], None);
                node_of(Op::Scale { factor: -2.0 }, &[with_y], None)
            }
            // y' = y - y^2
            Op::Sigmoid => {
                let square = node_of(Op::Mul, &[id, id], None);
                let slope = node_of(Op::Sub, &[id, square], None);
                node_of(Op::Mul, &[g, slope], None)
            }
            // y' = 1 / (2 y)
            Op::Sqrt => {
                let inverse = node_of(Op::Recip, &[id], None);
                let half = node_of(Op::Scale { factor: 0.5 }, &[inverse], None);
                node_of(Op::Mul, &[g, half], None)
            }
            // y' = -y^2
            Op::Recip => {
                let square = node_of(Op::Mul, &[id, id], None);
                let slope = node_of(Op::Scale { factor: -1.0 }, &[square], None);
                node_of(Op::Mul, &[g, slope], None)
            }
            Op::AddChannel if first => g,
            Op::AddChannel => node_of(Op::ChannelSum, &[g], None),
            Op::MulChannel if first => node_of(Op::MulChannel, &[g, other()], None),
            Op::MulChannel => node_of(Op::ChannelDot, &[g, other()], None),
            Op::ChannelSum => node_of(Op::ChannelBroadcast, &[g], Some(input)),
            Op::ChannelDot => node_of(Op::MulChannel, &[other(), g], None),
            Op::ChannelSquares if first => {
                let minus_mean = node_of(Op::Scale { factor: -1.0 }, &[other()], None);
                let centred = node_of(Op::AddChannel, &[input, minus_mean], None);
                let twice = node_of(Op::Scale { factor: 2.0 }, &[g], None);
                node_of(Op::MulChannel, &[centred, twice], None)
            }
            Op::ChannelBroadcast => node_of(Op::ChannelSum, &[g], None),
            Op::Sum { axes } => node_of(Op::Broadcast { axes }, &[g], Some(input)),
            Op::Broadcast { axes } => node_of(Op::Sum { axes }, &[g], None),
            Op::DivCount { minus } => node_of(Op::DivCount { minus }, &[g], node.like),
            Op::Reshape { .. } | Op::ReshapeLike => node_of(Op::ReshapeLike, &[g], Some(input)),
            Op::Concat { axis } => {
                let start = node.inputs[..place].iter().map(|&i| shapes[i][axis]).sum();
                node_of(Op::Narrow { axis, start, len: shapes[input][axis] }, &[g], None)
            }
            Op::Narrow { axis, start, .. } => node_of(Op::Embed { axis, start }, &[g], Some(input)),
            Op::Embed { axis, start } => node_of(Op::Narrow { axis, start, len: shapes[input][axis] }, &[g], None),
            Op::UpsampleNearest { factor } => node_of(Op::SumPool { factor }, &[g], None),
            Op::SumPool { factor } => node_of(Op::UpsampleNearest { factor }, &[g], None),
            Op::LeakyReluGradient { .. }
            | Op::ChannelSquares
            | Op::StopGradient
            | Op::Input { .. }
            | Op::Param { .. }
            | Op::Cotangent
            | Op::Linear
            | Op::Relu
            | Op::BatchNorm { .. }
            | Op::SpectralNorm
            | Op::PixelNorm { .. }
            | Op::MinibatchStd
            | Op::AvgPool { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests;
