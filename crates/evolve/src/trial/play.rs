//! One run on a mixture, in memory: its generations, and what its generator reaches.

use crate::Loss;
use crate::estimate::{Check, Checks};
use crate::gan::{Gan, Generator};
use crate::generation::{Rules, generation};
use crate::graphs::{Graphs, networks};
use crate::settings::Settings;
use data::toys::{Mixture, Toy};
use data::{Loader, LoaderOptions};
use metrics::swd::wasserstein_1d;
use metrics::{mmd, modes};
use net::{Device, Network, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::sync::Arc;
use std::time::Instant;
use train::Moments;
use train::signals::Interrupt;

/// Samples on which modes are counted.
const SAMPLES: usize = 2500;
/// Samples in the MMD, on either side (IE-GAN's protocol).
const MMD_SAMPLES: usize = 512;
/// Directions of the sliced distance.
const DIRECTIONS: u32 = 64;
/// Looks at the generator over the last half of a run, the last one at its end.
const LOOKS: usize = 10;

/// How long a run is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// So many generations.
    Generations(u64),
    /// So many seconds.
    Seconds(f64),
}

impl Length {
    /// The part that is done, 1 at the end.
    pub(crate) fn part(self, generations: u64, seconds: f64) -> f64 {
        match self {
            Self::Generations(all) => generations as f64 / all.max(1) as f64,
            Self::Seconds(all) => seconds / all,
        }
    }
}

/// What a generator reaches of a mixture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    /// Modes hit by at least one sample within 3 sigma.
    pub modes: f64,
    /// Share of samples within 3 sigma of a mode.
    pub high_quality: f64,
    /// KL divergence of the samples' modes from the uniform law, in nats.
    pub kl: f64,
    /// Squared MMD, 512 samples against 512 (biased, five bandwidths).
    pub mmd2: f64,
    /// Sliced Wasserstein-1 distance of 2,500 samples from as many points, over 64 directions.
    pub sw: f64,
}

/// A run that was played.
pub(crate) struct Played {
    pub(crate) end: Reach,
    /// The mean over the last half.
    pub(crate) late: Reach,
    pub(crate) selected: BTreeMap<Loss, u64>,
    pub(crate) checks: Option<Checks>,
    pub(crate) generations: u64,
    pub(crate) macs: u64,
    pub(crate) seconds: f64,
    pub(crate) cloud: Vec<[f32; 2]>,
}

/// Plays a run; `None` where a signal stopped it.
pub(crate) fn play(
    toy: Toy,
    mixture: &Mixture,
    settings: &Settings,
    length: Length,
    interrupt: &Interrupt,
    watch: &(dyn Fn(u64) + Sync),
) -> Result<Option<Played>> {
    let (started, seed, device) = (Instant::now(), settings.seed, Device::cpu());
    let set = Arc::new(data::open(toy.name(), &data::Options { seed, ..data::Options::default() })?);
    let (g, d) = networks(settings, set.shape());
    let p = settings.penalty;
    let graphs = Graphs::new(&g, &d, p.gp > 0.0 || p.r1 > 0.0 || p.r2 > 0.0)?;
    let discriminator = Network::initial(d, seed, "discriminator", &device).params;
    let mut network = Network::initial(g, seed, "generator 0", &device);
    let loader = Loader::new(set.clone(), LoaderOptions { seed, workers: 1, ..LoaderOptions::default() })?;
    let mut gan = Gan::new(&graphs, settings, loader, discriminator, device.clone());
    let moments = Moments::zero(&graphs.g.graph, &network.params);
    let mut population = vec![Generator { params: network.params.clone(), moments, fakes: None, gradient_norm: 0.0 }];
    let rules = Rules { mu: 1, ..Rules::of(settings) };
    let z = settings.latent_law.batch(SAMPLES, &[settings.latent], seed, "trial", 0, &device);
    let reals: Vec<[f64; 2]> = toy.points(seed, 1 << 40..(1 << 40) + SAMPLES as u64).collect();
    let (mut selected, mut checks) = (BTreeMap::new(), Vec::<Check>::new());
    let (mut looks, mut samples): (Vec<Reach>, _) = (Vec::new(), Vec::new());
    // The time of looking is not the run's.
    let (mut generations, mut seconds, mut looking) = (0, 0.0, 0.0);
    while length.part(generations, seconds) < 1.0 {
        if interrupt.requested().is_some() {
            return Ok(None);
        }
        let record = generation(&mut gan, &mut population, &rules, generations)?;
        if let Some(mutation) = record.survivors.first().and_then(|&i| record.children[i].mutation) {
            *selected.entry(mutation).or_default() += 1;
        }
        checks.extend(record.check);
        generations += 1;
        watch(1);
        seconds = started.elapsed().as_secs_f64() - looking;
        let into_last_half = 2.0 * length.part(generations, seconds).min(1.0) - 1.0;
        if into_last_half * LOOKS as f64 >= (looks.len() + 1) as f64 {
            let begun = Instant::now();
            network.params = population[0].params.clone();
            samples = points(&network.forward(&z, &[])?);
            looks.push(reach(&samples, &reals, mixture));
            looking += begun.elapsed().as_secs_f64();
        }
    }
    Ok(Some(Played {
        end: looks.last().copied().unwrap_or_default(),
        late: Reach::mean(&looks),
        selected,
        checks: Checks::of(&checks),
        generations,
        macs: gan.work.macs,
        seconds,
        cloud: samples.iter().take(MMD_SAMPLES).map(|p| p.map(|v| v as f32)).collect(),
    }))
}

impl Reach {
    fn mean(all: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| all.iter().map(of).sum::<f64>() / all.len().max(1) as f64;
        Self {
            modes: mean(|r| r.modes),
            high_quality: mean(|r| r.high_quality),
            kl: mean(|r| r.kl),
            mmd2: mean(|r| r.mmd2),
            sw: mean(|r| r.sw),
        }
    }
}

fn reach(samples: &[[f64; 2]], reals: &[[f64; 2]], mixture: &Mixture) -> Reach {
    let report = modes::coverage(samples, &mixture.centres, mixture.sigma);
    let some = |points: &[[f64; 2]]| points[..MMD_SAMPLES.min(points.len())].to_vec();
    Reach {
        modes: report.modes_covered as f64,
        high_quality: report.high_quality_share,
        kl: report.kl_to_uniform,
        mmd2: mmd::squared(&some(samples), &some(reals)).biased,
        sw: sliced(samples, reals),
    }
}

/// The sliced Wasserstein-1 distance of two sets of points: the mean over directions that share the half circle out.
fn sliced(a: &[[f64; 2]], b: &[[f64; 2]]) -> f64 {
    let along = |points: &[[f64; 2]], k: u32| {
        let angle = PI * f64::from(k) / f64::from(DIRECTIONS);
        let (x, y) = (libm::cos(angle), libm::sin(angle));
        let mut line: Vec<f32> = points.iter().map(|p| (p[0] * x + p[1] * y) as f32).collect();
        line.sort_unstable_by(f32::total_cmp);
        line
    };
    (0..DIRECTIONS).map(|k| wasserstein_1d(&along(a, k), &along(b, k))).sum::<f64>() / f64::from(DIRECTIONS)
}

fn points(x: &Tensor) -> Vec<[f64; 2]> {
    x.to_vec().as_chunks::<2>().0.iter().map(|p| p.map(f64::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sliced_distance_of_a_shift_is_known() {
        let points: Vec<[f64; 2]> = Toy::Ring8.points(1, 0..500).collect();
        let moved: Vec<[f64; 2]> = points.iter().map(|p| [p[0] + 0.3, p[1] - 0.4]).collect();
        // A shift by 0.5 moves the points by 0.5 |cos| along a direction, whose mean is 2 / pi.
        assert!((sliced(&points, &moved) - 0.5 * 2.0 / PI).abs() < 1e-3);
        assert_eq!(sliced(&points, &points), 0.0);
    }
}
