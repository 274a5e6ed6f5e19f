//! Whether a repair helps: distances to real images on images that the search never saw.

use super::sample::{BATCH, Real, Seen, peaks, versions};
use super::{RepairMeans, RepairSettings};
use base::seed::Stream;
use base::watch::Watch;
use net::{Removal, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Repaired {
    /// The units that are gone, by their old numbers.
    pub units: Vec<usize>,
    /// How they are gone from the model file.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub removal: Removal,
    /// What stood in the way of a better way, if anything did.
    pub obstacles: Vec<String>,
    /// The distance of as many other real images as there are in `all`; none where there are not enough.
    pub other_real: Option<f64>,
    /// Of the images that activate the units most, from the real images that are most like them: whether they look wrong.
    pub alike: Distances,
    /// Of the same images, from all real images, as published: it falls as well when images only become more usual.
    pub strongest: Distances,
    /// Of all images from all real ones: what the repair costs.
    pub all: Distances,
    /// Some of these, the strongest first.
    pub strongest_seeds: Vec<u64>,
}

/// Distances of one set of images to the real ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Distances {
    /// Images in the set.
    pub images: usize,
    /// As the generator made them.
    pub before: f64,
    /// Without the units.
    pub after: f64,
    /// Without as many random other units of the layer, one for each draw.
    pub random: Vec<f64>,
}

impl Distances {
    /// Mean and standard deviation of the random draws; NaN for too few.
    pub fn random_summary(&self) -> [f64; 2] {
        let n = self.random.len() as f64;
        let mean = self.random.iter().sum::<f64>() / n;
        let variance = self.random.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / (n - 1.0);
        [mean, libm::sqrt(variance)]
    }
}

/// [`Repaired`] before the units are taken out.
pub(super) struct Judged {
    pub(super) other_real: Option<f64>,
    pub(super) alike: Distances,
    pub(super) strongest: Distances,
    pub(super) all: Distances,
    pub(super) strongest_seeds: Vec<u64>,
}

/// Images shown before and after.
const SHOWN: usize = 16;

/// `None` when the watcher wanted it to end.
pub(super) fn judge(
    means: &RepairMeans,
    real: &Real,
    units: &[usize],
    settings: &RepairSettings,
    watch: &mut dyn Watch,
) -> Result<Option<Judged>> {
    let layer = &means.subject.layers()[0];
    let cells = layer.size[0] * layer.size[1];
    let first = settings.seed + settings.samples;
    let seeds: Vec<u64> = (first..first + settings.samples).collect();
    let others: Vec<usize> = (0..layer.units).filter(|unit| !units.contains(unit)).collect();
    let draws: Vec<Vec<usize>> = (0..settings.random)
        .map(|draw| {
            let mut order = others.clone();
            Stream::new(settings.seed, "repair random units", draw).shuffle(&mut order);
            order.truncate(units.len());
            order
        })
        .collect();
    let off: Vec<&[usize]> = [&[], units].into_iter().chain(draws.iter().map(Vec::as_slice)).collect();

    let mut found: Vec<Vec<Seen>> = off.iter().map(|_| Vec::new()).collect();
    let mut strength: Vec<f64> = Vec::new();
    watch.stage("repaired images", seeds.len() as u64);
    for part in seeds.chunks(BATCH) {
        let (maps, images) = versions(means.subject, part, &off)?;
        let peaks: Vec<f32> = peaks(&maps.to_vec(), cells).collect();
        let summed = |image: &[f32]| units.iter().map(|&unit| f64::from(image[unit])).sum::<f64>();
        strength.extend(peaks.chunks_exact(layer.units).map(summed));
        for (found, images) in found.iter_mut().zip(&images) {
            found.extend(real.see(images, part));
        }
        watch.step(part.len() as u64);
        if watch.stop() {
            return Ok(None);
        }
    }

    let mut order: Vec<usize> = (0..seeds.len()).collect();
    let everything = order.clone();
    order.sort_by(|&a, &b| strength[b].total_cmp(&strength[a]));
    order.truncate(RepairSettings::strongest(settings.samples));
    let of = |images: &[usize], measure: &(dyn Fn(&[&Seen]) -> f64 + Sync)| {
        let distance = |set: &Vec<Seen>| measure(&images.iter().map(|&i| &set[i]).collect::<Vec<_>>());
        let distances: Vec<f64> = found.par_iter().map(distance).collect();
        Distances {
            images: images.len(),
            before: distances[0],
            after: distances[1],
            random: if others.is_empty() { Vec::new() } else { distances[2..].to_vec() },
        }
    };
    let all = of(&everything, &|images| real.distance(images));
    let strongest = of(&order, &|images| real.distance(images));
    let alike = of(&order, &|images| real.distance_to_alike(images));
    let other_real = settings.real_samples..settings.real_samples + settings.samples;
    let other_real = if means.real.len().is_none_or(|n| n as u64 >= other_real.end) {
        let Some(others) = real.others(means.real, other_real, watch)? else { return Ok(None) };
        Some(real.distance(&others.iter().collect::<Vec<_>>()))
    } else {
        None
    };
    let strongest_seeds = order.iter().take(SHOWN).map(|&image| seeds[image]).collect();
    Ok(Some(Judged { other_real, alike, strongest, all, strongest_seeds }))
}
