//! The gradient of a program is part of the program.
//!
//! Each primitive states its vector-Jacobian product in primitives, so the result can be differentiated again: the
//! penalties of WGAN-GP, R1 and R2 are exact.

mod elementwise;

use super::Program;
use crate::{NodeId, Result};
use tensor::{Binary, Dim, Primitive, Reduction, Unary};

/// What [`Program::differentiate`] appended.
#[derive(Clone, Debug)]
pub struct Derivative {
    /// Feed the gradient of the loss with respect to the differentiated node here; it has that node's shape.
    pub cotangent: NodeId,
    /// For each wanted node the node that holds its gradient; `None` where the output does not depend on it.
    pub gradients: Vec<Option<NodeId>>,
}

impl Derivative {
    /// The nodes that hold gradients, as far as there are any.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.gradients.iter().flatten().copied().collect()
    }
}

impl Program {
    /// Appends the gradient of `output` with respect to the nodes `wrt` (parameters, inputs or inner nodes).
    ///
    /// Only nodes on a path from `wrt` to `output` get a gradient: frozen parameters cost nothing.
    ///
    /// # Errors
    /// The gradient of a node would have an impossible shape.
    pub fn differentiate(&mut self, output: NodeId, wrt: &[NodeId]) -> Result<Derivative> {
        let depends = self.depending_on(wrt);
        let mut adjoints: Vec<Option<NodeId>> = vec![None; self.nodes.len()];
        let label = format!("d:{}", self.nodes[output].label);
        let cotangent = self.fed(label, self.dims[output].clone());
        adjoints[output] = Some(cotangent);
        for id in (0..=output).rev() {
            let (Some(g), true) = (adjoints[id], depends[id]) else { continue };
            for (place, input) in self.nodes[id].inputs.clone().into_iter().enumerate() {
                if !depends[input] {
                    continue;
                }
                if let Some(part) = self.pull_back(id, place, g)? {
                    adjoints[input] = Some(match adjoints[input] {
                        Some(sum) => self.derived(input, Binary::Add, &[sum, part])?,
                        None => part,
                    });
                }
            }
        }
        Ok(Derivative { cotangent, gradients: wrt.iter().map(|&id| adjoints[id]).collect() })
    }

    fn depending_on(&self, wrt: &[NodeId]) -> Vec<bool> {
        let mut depends = vec![false; self.nodes.len()];
        wrt.iter().for_each(|&id| depends[id] = true);
        for id in 0..depends.len() {
            depends[id] |= self.nodes[id].inputs.iter().any(|&input| depends[input]);
        }
        depends
    }

    fn derived(&mut self, of: NodeId, primitive: impl Into<Primitive>, inputs: &[NodeId]) -> Result<NodeId> {
        let label = format!("d/{}", self.nodes[of].label);
        self.push(label, primitive, inputs)
    }

    /// A gradient of a broadcast shape, summed to the shape of `input`.
    fn summed_to(&mut self, input: NodeId, g: NodeId) -> Result<NodeId> {
        let (target, dims) = (self.dims[input].clone(), self.dims[g].clone());
        if target == dims {
            return Ok(g);
        }
        let extra = dims.len() - target.len();
        let repeated = |axis: usize| axis < extra || target[axis - extra] != dims[axis];
        let axes: Vec<usize> = (0..dims.len()).filter(|&axis| repeated(axis)).collect();
        let sum = if axes.is_empty() { g } else { self.derived(input, Primitive::sum(axes), &[g])? };
        if extra == 0 { Ok(sum) } else { self.derived(input, Primitive::Reshape { shape: target }, &[sum]) }
    }

    fn fixed(&self, id: NodeId, axis: usize) -> usize {
        self.dims[id][axis].fixed().unwrap_or_default()
    }

    /// Height and width of maps or kernels.
    fn size(&self, id: NodeId) -> [usize; 2] {
        [self.fixed(id, 2), self.fixed(id, 3)]
    }

    /// The part of the gradient of input number `place` of node `id` that comes through this node, given the gradient
    /// `g` of its result. `None`: there is none.
    fn pull_back(&mut self, id: NodeId, place: usize, g: NodeId) -> Result<Option<NodeId>> {
        let Some(primitive) = self.primitive(id).cloned() else { return Ok(None) };
        let inputs = self.nodes[id].inputs.clone();
        let input = inputs[place];
        let first = place == 0;
        let other = || inputs[1 - place];
        let matmul = Primitive::mat_mul;
        let part = match primitive {
            Primitive::Unary(function) => match elementwise::unary(self, function, input, id, g)? {
                Some(part) => part,
                None => return Ok(None),
            },
            Primitive::Binary(function) => {
                let [a, b] = [inputs[0], inputs[1]];
                match elementwise::binary(self, function, place, [a, b], id, g)? {
                    Some(wide) => self.summed_to(input, wide)?,
                    None => return Ok(None),
                }
            }
            Primitive::Select if first => return Ok(None),
            Primitive::Select => {
                let nothing = self.derived(input, Primitive::Fill { shape: Vec::new(), value: 0.0 }, &[])?;
                let [then, otherwise] = if place == 1 { [g, nothing] } else { [nothing, g] };
                let wide = self.derived(input, Primitive::Select, &[inputs[0], then, otherwise])?;
                self.summed_to(input, wide)?
            }
            Primitive::Reduce { reduction: Reduction::Sum, .. } => {
                self.derived(input, Primitive::Broadcast { shape: self.dims[input].clone() }, &[g])?
            }
            // Elements that share the greatest or least value share its gradient.
            Primitive::Reduce { axes, .. } => {
                let chosen = self.derived(input, Binary::Equal, &[input, id])?;
                let count = self.derived(input, Primitive::sum(axes), &[chosen])?;
                let share = self.derived(input, Binary::Div, &[g, count])?;
                self.derived(input, Binary::Mul, &[chosen, share])?
            }
            Primitive::CentredSquares { .. } if first => {
                let centred = self.derived(input, Binary::Sub, &[input, other()])?;
                let twice = self.derived(input, Unary::Scale { factor: 2.0 }, &[g])?;
                self.derived(input, Binary::Mul, &[centred, twice])?
            }
            Primitive::CentredSquares { .. } => return Ok(None),
            Primitive::DivideByCount { count, minus } => {
                self.derived(input, Primitive::DivideByCount { count, minus }, &[g])?
            }
            Primitive::Broadcast { .. } => self.summed_to(input, g)?,
            Primitive::Permute { axes } => {
                let mut back = vec![0; axes.len()];
                axes.iter().enumerate().for_each(|(to, &from)| back[from] = to);
                self.derived(input, Primitive::Permute { axes: back }, &[g])?
            }
            Primitive::Reshape { .. } => {
                self.derived(input, Primitive::Reshape { shape: self.dims[input].clone() }, &[g])?
            }
            Primitive::Slice { axis, start, step, .. } => {
                let length = self.fixed(input, axis);
                self.derived(input, Primitive::Embed { axis, start, step, length, value: 0.0 }, &[g])?
            }
            Primitive::Embed { axis, start, step, .. } => {
                let length = self.fixed(input, axis);
                self.derived(input, Primitive::Slice { axis, start, step, length }, &[g])?
            }
            Primitive::Concat { axis } => {
                let start = inputs[..place].iter().map(|&i| self.fixed(i, axis)).sum();
                let length = self.fixed(input, axis);
                self.derived(input, Primitive::Slice { axis, start, step: 1, length }, &[g])?
            }
            Primitive::Gather { axis } if first => {
                let (length, rank) = (self.dims[input][axis], self.dims[other()].len());
                self.derived(input, Primitive::GatherAdjoint { axis, length, rank }, &[g, other()])?
            }
            Primitive::GatherAdjoint { axis, .. } if first => {
                self.derived(input, Primitive::Gather { axis }, &[g, other()])?
            }
            Primitive::Gather { .. } | Primitive::GatherAdjoint { .. } => return Ok(None),
            Primitive::MatMul { transpose_a: ta, transpose_b: tb } => {
                let wide = match (first, ta) {
                    (true, false) => self.derived(input, matmul(false, !tb), &[g, other()])?,
                    (true, true) => self.derived(input, matmul(tb, true), &[other(), g])?,
                    (false, _) if tb => self.derived(input, matmul(true, ta), &[g, other()])?,
                    (false, _) => self.derived(input, matmul(!ta, false), &[other(), g])?,
                };
                self.summed_to(input, wide)?
            }
            Primitive::Conv2d { conv } => match place {
                0 => {
                    let size = self.size(input);
                    self.derived(input, Primitive::ConvTranspose2d { conv, size }, &[g, inputs[1]])?
                }
                1 => {
                    let kernel = self.size(input);
                    self.derived(input, Primitive::ConvWeight { conv, kernel }, &[inputs[0], g])?
                }
                _ => self.bias(input, g)?,
            },
            // y = transpose(x, w) is defined by <g, y> = <conv(g, w), x>; both gradients follow.
            Primitive::ConvTranspose2d { conv, .. } => match place {
                0 => self.derived(input, Primitive::Conv2d { conv }, &[g, inputs[1]])?,
                1 => {
                    let kernel = self.size(input);
                    self.derived(input, Primitive::ConvWeight { conv, kernel }, &[g, inputs[0]])?
                }
                _ => self.bias(input, g)?,
            },
            Primitive::ConvWeight { conv, .. } if first => {
                let size = self.size(input);
                self.derived(input, Primitive::ConvTranspose2d { conv, size }, &[other(), g])?
            }
            Primitive::ConvWeight { conv, .. } => self.derived(input, Primitive::Conv2d { conv }, &[other(), g])?,
            Primitive::WindowMax { window } if first => {
                self.derived(input, Primitive::WindowMaxAdjoint { window }, &[g, other()])?
            }
            Primitive::WindowMaxAdjoint { window } if first => {
                self.derived(input, Primitive::WindowMax { window }, &[g, other()])?
            }
            // Which place is greatest is a step, whose derivative is 0 almost everywhere.
            Primitive::WindowMax { .. } | Primitive::WindowMaxAdjoint { .. } => return Ok(None),
            Primitive::Along { axis, map } => {
                let length = self.fixed(input, axis);
                self.derived(input, Primitive::AlongAdjoint { axis, map, length }, &[g])?
            }
            Primitive::AlongAdjoint { axis, map, .. } => self.derived(input, Primitive::Along { axis, map }, &[g])?,
            Primitive::StopGradient | Primitive::Fill { .. } => return Ok(None),
        };
        Ok(Some(part))
    }

    /// The gradient of a convolution's bias.
    fn bias(&mut self, input: NodeId, g: NodeId) -> Result<NodeId> {
        let sum = self.derived(input, Primitive::sum([0, 2, 3]), &[g])?;
        let shape: Vec<Dim> = self.dims[input].clone();
        self.derived(input, Primitive::Reshape { shape }, &[sum])
    }
}

#[cfg(test)]
mod tests;
