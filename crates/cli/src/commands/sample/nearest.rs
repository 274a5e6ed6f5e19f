//! The image most like each sample, pixel by pixel: whether a generator makes new images or gives back what it was shown.

use crate::latents::Latents;
use crate::output::PADDING;
use crate::progress::Progress;
use anyhow::Result;
use base::Error;
use data::{Dataset, Image, pictures};
use dissect::Watch;
use metrics::nearest::{Neighbour, Search};
use metrics::summary::median;
use serde::Serialize;

/// Images that are looked at of a source without an end.
const MOST_OF_ENDLESS: u64 = 10_000;

/// What was found; `--json` says all of it.
#[derive(Serialize)]
pub(crate) struct Nearest {
    source: String,
    among: u64,
    samples: Vec<Match>,
    /// From some of the source's images to the nearest other one.
    between_reals: Vec<f64>,
}

/// A sample and the image nearest to it.
#[derive(Serialize)]
struct Match {
    sample: String,
    nearest: String,
    /// Root of the mean squared difference of pixels, which go from -1 to 1.
    distance: f64,
    mirrored: bool,
}

impl Nearest {
    /// Looks through the source: what was found, and each sample above the image nearest to it; `None` if the user wants to stop.
    pub(crate) fn find(
        set: &Dataset,
        samples: &[Image],
        latents: &Latents,
        progress: &mut Progress,
    ) -> Result<Option<(Self, Vec<Image>)>> {
        let among = set.len().map_or(MOST_OF_ENDLESS, |n| n as u64);
        if among < 2 {
            let reason = format!("{} has {among} images; to compare, two are needed", set.name());
            return Err(Error::setting("--nearest", reason).into());
        }
        // Real images to judge by, evenly over the source.
        let count = (samples.len() as u64).min(among);
        let own: Vec<u64> =
            (0..count).map(|k| (u128::from(k) * u128::from(among) / u128::from(count)) as u64).collect();
        let mut queries: Vec<f32> = samples.iter().flat_map(Image::to_floats).collect();
        for &number in &own {
            queries.extend(set.values(number)?);
        }
        let length = set.shape().iter().product();
        let mut search = Search::new(queries, length, set.shape()[2]);
        progress.stage("images looked at", among);
        for number in 0..among {
            if progress.stop() {
                return Ok(None);
            }
            let is_other = |place: usize| place.checked_sub(samples.len()).is_none_or(|k| own[k] != number);
            search.see(number, &set.values(number)?, is_other);
            progress.step(1);
        }
        let (of_samples, of_reals) = search.found().split_at(samples.len());
        let mut found = Self {
            source: set.name().to_owned(),
            among,
            samples: Vec::new(),
            between_reals: of_reals.iter().flatten().map(|n| n.distance).collect(),
        };
        let mut shown = Vec::with_capacity(samples.len());
        for (place, (sample, neighbour)) in samples.iter().zip(of_samples).enumerate() {
            // Pictures are bytes, always finite, and every one of the source was compared with every sample.
            let Some(Neighbour { number, distance, mirrored }) = *neighbour else { continue };
            let image = set.image(number)?;
            let image = if mirrored { image.flipped() } else { image };
            shown.push(pictures::stack(&[sample.clone(), image], PADDING / 2)?);
            let (sample, nearest) = (latents.file_stem(place as u64), set.item_name(number));
            found.samples.push(Match { sample, nearest, distance, mirrored });
        }
        Ok(Some((found, shown)))
    }

    /// Two lines for people.
    pub(crate) fn told(&self) -> String {
        let distances: Vec<f64> = self.samples.iter().map(|m| m.distance).collect();
        let closest = self.samples.iter().min_by(|a, b| a.distance.total_cmp(&b.distance));
        let closest =
            closest.map_or(String::new(), |m| format!(", least {:.3} ({} and {})", m.distance, m.sample, m.nearest));
        let least = self.between_reals.iter().copied().fold(f64::INFINITY, f64::min);
        format!(
            "distance to the nearest of {} images of {}: median {:.3}{closest}\n\
             from {} of these images to the nearest other: median {:.3}, least {least:.3}\n",
            self.among,
            self.source,
            median(&distances),
            self.between_reals.len(),
            median(&self.between_reals),
        )
    }
}
