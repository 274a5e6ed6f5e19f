//! Grids with a row for each class.

use super::{COLUMNS, PADDING, images};
use crate::labelled::Labelled;
use base::Result;
use data::pictures;
use data::{Classes, Dataset};
use net::{Device, Network, one_hot};

/// Classes that are shown, from the first on: more would be more than a page.
const SHOWN: usize = 16;

fn shown(classes: &Classes) -> usize {
    classes.len().min(SHOWN)
}

/// The latents of the first seeds, the same ones for each class: a column is one latent.
pub(crate) fn latents(network: &Network, classes: &Classes, device: &Device) -> Labelled {
    let rows = shown(classes);
    let seeds: Vec<u64> = (0..rows).flat_map(|_| 0..COLUMNS as u64).collect();
    let of: Vec<usize> = (0..rows).flat_map(|class| [class; COLUMNS]).collect();
    Labelled { x: network.latents(&seeds, device), label: Some(one_hot(&of, classes.len(), device)) }
}

/// The first reals of each class, `[n, ...]` and their numbers; of a class that has fewer than a row, its images again.
pub(crate) fn reals(set: &Dataset, classes: &Classes) -> Result<(Vec<usize>, Vec<f32>)> {
    let mut of: Vec<Vec<u64>> = vec![Vec::new(); shown(classes)];
    for index in 0..set.len().unwrap_or_default() as u64 {
        let row = set.label(index).and_then(|class| of.get_mut(class as usize));
        row.filter(|row| row.len() < COLUMNS).into_iter().for_each(|row| row.push(index));
    }
    let mut values = Vec::new();
    for index in of.iter().flat_map(|row| row.iter().cycle().take(COLUMNS)) {
        values.extend(set.values(*index)?);
    }
    Ok(([&[of.len() * COLUMNS], set.shape()].concat(), values))
}

/// The picture of such latents or reals, as PNG bytes.
pub(crate) fn picture(classes: &Classes, shape: &[usize], values: &[f32]) -> Result<Vec<u8>> {
    let names = classes.names.get(..shown(classes)).unwrap_or_default();
    pictures::png(&pictures::rows(&images(shape, values)?, COLUMNS, PADDING, names)?)
}
