//! Changing units on their way through a network.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use tensor::{Binary, Precision, Tensor};

/// `x' = x (1 - a P) + k a P` for some units (channels, unless the node says otherwise) of one node: at every cell, or under a
/// mask.
///
/// An edit is an argument of a run, never a state of the network. Alpha 1 and value 0 switch units off; alpha 1 and
/// another value forces them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The node's name.
    pub node: String,
    /// The units: channels of the node.
    pub units: Vec<usize>,
    /// How far towards the value, 0 to 1.
    pub alpha: f64,
    /// The value that each unit is moved to: one for all, or one for each of `units`.
    pub values: Vec<f64>,
    /// P, `mask[row][column]` in 0 to 1, any size: it is averaged down (or repeated up) to the node's map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Vec<Vec<f32>>>,
}

impl Edit {
    /// Switches units off everywhere.
    pub fn ablate(node: impl Into<String>, units: Vec<usize>) -> Self {
        Self { node: node.into(), units, alpha: 1.0, values: vec![0.0], mask: None }
    }

    /// Forces units to a value everywhere.
    pub fn force(node: impl Into<String>, units: Vec<usize>, value: f64) -> Self {
        Self { values: vec![value], ..Self::ablate(node, units) }
    }

    /// The mask at a map of `h x w` cells, row by row: the share of each cell that it covers. Everywhere 1 without a mask; none where the
    /// mask is empty or ragged.
    pub fn cells(&self, [h, w]: [usize; 2]) -> Option<Vec<f32>> {
        self.mask.as_ref().map_or_else(|| Some(vec![1.0; h * w]), |mask| pooled(mask, h, w))
    }

    /// The edited tensor, whose axis number `axis` holds the units; a mask needs maps `[n, c, h, w]`.
    ///
    /// # Errors
    /// A unit that the node does not have, values that do not match the units, or a mask where there is no map.
    pub fn apply(&self, x: &Tensor, axis: usize) -> Result<Tensor> {
        let shape = x.shape();
        let Terms { shape: thin, factor, term } = self.terms(shape, axis)?;
        let with = |x: &Tensor, function: Binary, numbers: Vec<f32>| {
            let numbers = Tensor::new(&thin, numbers, &x.device());
            Tensor::compute(&function.into(), &[x, &numbers], shape, Precision::F32).map_err(|e| Error::Edit {
                node: self.node.clone(),
                reason: format!("the node's values cannot be edited: {e:?}"),
            })
        };
        with(&with(x, Binary::Mul, factor)?, Binary::Add, term)
    }

    /// What the edit multiplies a value of this shape by, and what it adds, as [`Edit::apply`] does.
    pub(crate) fn terms(&self, shape: &[usize], axis: usize) -> Result<Terms> {
        let wrong = |reason: String| Error::Edit { node: self.node.clone(), reason };
        let units = *shape.get(axis).ok_or_else(|| wrong("the node has no units".into()))?;
        if let Some(unit) = self.units.iter().find(|&&u| u >= units) {
            return Err(wrong(format!("there is no unit {unit}; the node has units 0 to {}", units.saturating_sub(1))));
        }
        if self.values.len() != 1 && self.values.len() != self.units.len() {
            return Err(wrong(format!(
                "{} values for {} units; give one, or one each",
                self.values.len(),
                self.units.len()
            )));
        }
        let mask = match (&self.mask, shape, axis) {
            (None, ..) => None,
            (Some(mask), &[_, _, h, w], 1) => {
                Some(pooled(mask, h, w).ok_or_else(|| wrong("the mask is empty or ragged".into()))?)
            }
            (Some(_), ..) => return Err(wrong("a mask needs a node that gives maps".into())),
        };
        let cells = mask.as_ref().map_or(1, Vec::len);
        let (mut factor, mut term) = (vec![1.0f32; units * cells], vec![0.0f32; units * cells]);
        for (i, &unit) in self.units.iter().enumerate() {
            let value = self.values[if self.values.len() == 1 { 0 } else { i }] as f32;
            for cell in 0..cells {
                let a = self.alpha as f32 * mask.as_ref().map_or(1.0, |m| m[cell]);
                factor[unit * cells + cell] = 1.0 - a;
                term[unit * cells + cell] = value * a;
            }
        }
        let mut thin = vec![1; shape.len()];
        thin[axis] = units;
        if mask.is_some() {
            thin[2..].copy_from_slice(&shape[2..]);
        }
        Ok(Terms { shape: thin, factor, term })
    }
}

/// An edit as `x factor + term`; both have `shape`, which is broadcast to that of x.
pub(crate) struct Terms {
    pub(crate) shape: Vec<usize>,
    pub(crate) factor: Vec<f32>,
    pub(crate) term: Vec<f32>,
}

/// A mask at `h x w` cells: each cell is the mean of the mask over the cell's area.
fn pooled(mask: &[Vec<f32>], h: usize, w: usize) -> Option<Vec<f32>> {
    let (rows, columns) = (mask.len(), mask.first()?.len());
    if columns == 0 || mask.iter().any(|row| row.len() != columns) {
        return None;
    }
    // Share of pixel `p` (of `pixels`) in cell `c` (of `cells`), in pixels.
    let shares = |c: usize, cells: usize, pixels: usize| {
        let (start, end) = (c as f32 * pixels as f32 / cells as f32, (c + 1) as f32 * pixels as f32 / cells as f32);
        let range = start.floor() as usize..(end.ceil() as usize).min(pixels);
        range.map(move |p| (p, (end.min(p as f32 + 1.0) - start.max(p as f32)).max(0.0) / (end - start)))
    };
    let cell = |i, j| {
        shares(i, h, rows)
            .map(|(y, a)| shares(j, w, columns).map(|(x, b)| a * b * mask[y][x]).sum::<f32>())
            .sum::<f32>()
    };
    Some((0..h * w).map(|k| cell(k / w, k % w)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tensor::Device;

    #[test]
    fn an_edit_follows_its_formula() {
        let x = Tensor::new(&[1, 2, 2, 2], (1..=8).map(|v| v as f32).collect(), &Device::cpu());
        assert_eq!(Edit::ablate("x", vec![1]).apply(&x, 1).unwrap().to_vec(), [1., 2., 3., 4., 0., 0., 0., 0.]);
        let half = Edit { alpha: 0.5, ..Edit::force("x", vec![0], 10.0) };
        assert_eq!(half.apply(&x, 1).unwrap().to_vec(), [5.5, 6., 6.5, 7., 5., 6., 7., 8.]);
        let masked = Edit { mask: Some(vec![vec![1.0, 0.0]]), ..Edit::force("x", vec![0, 1], -1.0) };
        assert_eq!(masked.apply(&x, 1).unwrap().to_vec(), [-1., 2., -1., 4., -1., 6., -1., 8.]);
        assert!(Edit::ablate("x", vec![2]).apply(&x, 1).unwrap_err().to_string().contains("units 0 to 1"));
    }

    #[test]
    fn a_fine_mask_is_averaged_over_each_cell() {
        let mask = vec![vec![1.0, 0.0, 0.0, 0.0], vec![1.0, 1.0, 0.0, 0.0]];
        assert_eq!(pooled(&mask, 1, 2).unwrap(), [0.75, 0.0]);
        assert_eq!(pooled(&mask, 2, 4).unwrap(), [1., 0., 0., 0., 1., 1., 0., 0.]);
        let odd = pooled(&mask, 1, 3).unwrap();
        assert!((odd[0] - 0.875).abs() < 1e-6 && (odd[1] - 0.25).abs() < 1e-6, "{odd:?}");
    }
}
