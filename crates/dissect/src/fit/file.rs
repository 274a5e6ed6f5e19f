//! `fit.npz`: levels and typical values of the units of every layer.

use crate::archive::Archive;
use crate::fit::{LayerFit, QUANTILES};
use crate::plan::Plan;
use base::Result;
use base::npy::{self, Array, Elements};
use std::path::Path;

/// Writes the fits, atomically.
pub(crate) fn write(path: &Path, plan: &Plan, fits: &[LayerFit]) -> Result<()> {
    let concepts = plan.concepts().list().len();
    let mut arrays = Vec::new();
    for (i, fit) in fits.iter().enumerate() {
        let units = fit.levels.len();
        let mut push = |name: &str, shape: Vec<usize>, values: &[f32]| {
            arrays.push((format!("layer{i}.{name}"), Array::f32(shape, values.to_vec())));
        };
        push("levels", vec![units], &fit.levels);
        push("errors", vec![units], &fit.errors);
        push("means", vec![units], &fit.means);
        push("class_means", vec![units, concepts], &fit.class_means);
        push("quantiles", vec![units, QUANTILES], &fit.quantiles);
        let informative = fit.informative.iter().map(|c| c.map_or(-1, |c| c as i64)).collect();
        let array = Array { shape: vec![units], data: Elements::I64(informative) };
        arrays.push((format!("layer{i}.informative"), array));
    }
    let named: Vec<(&str, &Array)> = arrays.iter().map(|(name, array)| (name.as_str(), array)).collect();
    npy::write_npz(path, &named)
}

/// Reads the fits of a plan's layers.
pub(crate) fn read(path: &Path, plan: &Plan) -> Result<Vec<LayerFit>> {
    parse(&Archive::read(path)?, plan)
}

/// As [`read`], from the arrays of the file.
pub(crate) fn parse(archive: &Archive, plan: &Plan) -> Result<Vec<LayerFit>> {
    let concepts = plan.concepts().list().len();
    let floats = |name: String, len: usize| archive.floats(&name, len).map(<[f32]>::to_vec);
    let layer = |(i, units): (usize, usize)| {
        let chosen = archive.integers(&format!("layer{i}.informative"), units)?;
        Ok(LayerFit {
            levels: floats(format!("layer{i}.levels"), units)?,
            informative: chosen.iter().map(|&c| usize::try_from(c).ok().filter(|&c| c < concepts)).collect(),
            errors: floats(format!("layer{i}.errors"), units)?,
            means: floats(format!("layer{i}.means"), units)?,
            class_means: floats(format!("layer{i}.class_means"), units * concepts)?,
            quantiles: floats(format!("layer{i}.quantiles"), units * QUANTILES)?,
        })
    };
    plan.layers.iter().map(|layer| layer.units).enumerate().map(layer).collect()
}
