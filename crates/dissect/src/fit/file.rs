//! `fit.npz`: levels and typical values of the units of every layer.

#![warn(clippy::indexing_slicing)]

use crate::archive::Archive;
use crate::fit::{LayerFit, QUANTILES};
use crate::plan::Plan;
use base::Result;
use base::npy::{self, Array, Elements};
use std::path::Path;

/// The one array in which NaN means something.
const CLASS_MEANS: &str = "class_means";

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
        push(CLASS_MEANS, vec![units, concepts], &fit.class_means);
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
    let layer = |(i, units): (usize, usize)| {
        // Of numbers that are some: only a class that never occurred has no mean.
        let floats = |name: &str, shape: &[usize]| {
            let name = format!("layer{i}.{name}");
            let values = archive.floats(&name, shape)?;
            let is_some = |v: &f32| v.is_finite() || v.is_nan() && name.ends_with(CLASS_MEANS);
            match values.iter().find(|v| !is_some(v)) {
                Some(value) => Err(archive.corrupt(&format!("{name} holds {value}"))),
                None => Ok(values.to_vec()),
            }
        };
        let name = format!("layer{i}.informative");
        let concept = |&place: &i64| match usize::try_from(place) {
            Ok(concept) if concept < concepts => Ok(Some(concept)),
            Err(_) if place == -1 => Ok(None),
            _ => Err(archive.corrupt(&format!("{name} holds {place}; there are {concepts} classes"))),
        };
        Ok(LayerFit {
            levels: floats("levels", &[units])?,
            informative: archive.integers(&name, &[units])?.iter().map(concept).collect::<Result<_>>()?,
            errors: floats("errors", &[units])?,
            means: floats("means", &[units])?,
            class_means: floats(CLASS_MEANS, &[units, concepts])?,
            quantiles: floats("quantiles", &[units, QUANTILES])?,
        })
    };
    plan.layers.iter().map(|layer| layer.units).enumerate().map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;

    #[test]
    fn fits_with_numbers_that_are_none_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fit.npz");
        let fit = || LayerFit {
            levels: vec![0.5; 4],
            informative: vec![Some(1), None, Some(0), None],
            errors: vec![0.0; 4],
            means: vec![0.25; 4],
            class_means: [[0.5, f32::NAN]; 4].concat(),
            quantiles: vec![0.0; 4 * QUANTILES],
        };
        let read = |fit: LayerFit| {
            write(&path, &plan(), &[fit]).unwrap();
            read(&path, &plan())
        };
        assert_eq!(read(fit()).unwrap()[0].informative, fit().informative, "a class without a mean never occurred");
        let refused = |fit| read(fit).unwrap_err().to_string().split_once("fit.npz: corrupt: ").unwrap().1.to_owned();
        assert_eq!(refused(LayerFit { levels: vec![f32::NAN; 4], ..fit() }), "layer0.levels holds NaN");
        assert_eq!(
            refused(LayerFit { quantiles: vec![f32::INFINITY; 4 * QUANTILES], ..fit() }),
            "layer0.quantiles holds inf"
        );
        assert_eq!(refused(LayerFit { class_means: vec![f32::INFINITY; 8], ..fit() }), "layer0.class_means holds inf");
        assert_eq!(
            refused(LayerFit { informative: vec![Some(2); 4], ..fit() }),
            "layer0.informative holds 2; there are 2 classes"
        );
    }
}
