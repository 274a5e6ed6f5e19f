//! The toy experiment of the paper, with statistics over seeds: which arm covers the modes of a mixture?
//!
//! An *arm* is a way to choose mutations: one loss (a plain GAN), one at random, or evolution. All arms take as many steps
//! of the discriminator. Every finished run is one file in the trial's folder, so a trial goes on where it stopped.

mod summary;

pub use summary::{Figure, Row, clouds, csv, table};

use crate::estimate::Checks;
use crate::gan::{Gan, Generator};
use crate::generation::{Rules, generation};
use crate::graphs::{Graphs, networks};
use crate::settings::Settings;
use crate::{Loss, Selection};
use base::{Error, files};
use data::toys::{Mixture, Toy};
use data::{Loader, LoaderOptions};
use metrics::{mmd, modes};
use net::{Device, Network, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use train::signals::Interrupt;
use train::{Moments, RunSettings};

/// Samples on which modes are counted.
const SAMPLES: usize = 2500;
/// Samples in the MMD, on either side (IE-GAN's protocol).
const MMD_SAMPLES: usize = 512;
/// A way to choose mutations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arm {
    /// One loss throughout: a plain GAN.
    Single(Loss),
    /// A mutation drawn at random each generation; nothing is evaluated.
    Random,
    /// E-GAN.
    Egan,
    /// E-GAN on quality alone.
    EganGamma0,
}

impl Arm {
    /// The arm with this name: a loss, `random`, `egan` or `egan-gamma0`.
    ///
    /// # Errors
    /// There is none.
    pub fn parse(name: &str) -> base::Result<Self> {
        match name {
            "random" => Ok(Self::Random),
            "egan" => Ok(Self::Egan),
            "egan-gamma0" => Ok(Self::EganGamma0),
            _ => Loss::from_name(name).map(Self::Single).ok_or_else(|| {
                let losses: Vec<&str> = Loss::ALL.iter().map(|l| l.name()).collect();
                Error::setting("arms", format!("there is no arm {name:?}"))
                    .with_hint(format!("The arms are random, egan, egan-gamma0, {}.", losses.join(", ")))
            }),
        }
    }

    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single(loss) => loss.name(),
            Self::Random => "random",
            Self::Egan => "egan",
            Self::EganGamma0 => "egan-gamma0",
        }
    }

    fn settings(self, base: &Settings, seed: u64) -> Settings {
        let base = Settings { seed, ..base.clone() };
        match self {
            Self::Single(loss) => Settings { mutations: vec![loss], ..base },
            Self::Random => Settings { selection: Selection::Random, ..base },
            Self::Egan => base,
            Self::EganGamma0 => Settings { gamma: 0.0, ..base },
        }
    }
}

/// One run of one arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The arm's name.
    pub arm: String,
    /// The seed.
    pub seed: u64,
    /// Hash of the settings, so that results of other settings are not mixed in.
    pub settings: String,
    /// Modes hit by at least one sample within 3 sigma.
    pub modes: usize,
    /// Share of samples within 3 sigma of a mode.
    pub high_quality: f64,
    /// KL divergence of the samples' modes from the uniform law, in nats.
    pub kl: f64,
    /// Squared MMD, 512 samples against 512 (biased, five bandwidths).
    pub mmd2: f64,
    /// How often each mutation won.
    pub selected: BTreeMap<Loss, u64>,
    /// How good estimates of fitness were, where they were checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Checks>,
    /// Multiplications with addition of the whole run.
    pub macs: u64,
    /// Seconds on one core.
    pub seconds: f64,
    /// Some samples, for the picture.
    pub cloud: Vec<[f32; 2]>,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The mixture.
    pub toy: Toy,
    /// The arms.
    pub arms: Vec<Arm>,
    /// Seeds 0 to this.
    pub seeds: u64,
    /// Settings of the egan arm; the others change what makes them.
    pub settings: Settings,
}

/// Runs what is missing of a trial, one run a core, and returns all results in the order of arms and seeds; `None` where a
/// signal stopped it. `watch` is told the generations that were played.
///
/// # Errors
/// The data have no modes, the folder holds results of other settings, or a file cannot be written.
pub fn run(
    plan: &Plan,
    folder: &Path,
    jobs: usize,
    interrupt: &Interrupt,
    watch: &(dyn Fn(u64) + Sync),
) -> Result<Option<Vec<Trial>>> {
    let mixture = mixture_of(plan.toy)?;
    files::create_folder(folder.join("runs"))?;
    let mut done = Vec::new();
    let mut open = VecDeque::new();
    for seed in 0..plan.seeds {
        for &arm in &plan.arms {
            match read(plan, folder, arm, seed)? {
                Some(trial) => {
                    watch(plan.settings.generations);
                    done.push(trial);
                }
                None => open.push_back((arm, seed)),
            }
        }
    }
    let jobs = jobs.min(open.len());
    let (open, done) = (Mutex::new(open), Mutex::new(done));
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while failure.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
                    let next = open.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((arm, seed)) = next else { return };
                    match one(plan, &mixture, arm, seed, interrupt, watch).and_then(|trial| {
                        if let Some(trial) = &trial {
                            let json = serde_json::to_vec(trial).map_err(|e| net::Error::Graph(e.to_string()))?;
                            files::write_atomic(path_of(folder, arm, seed), &json)?;
                        }
                        Ok(trial)
                    }) {
                        Ok(Some(trial)) => done.lock().unwrap_or_else(PoisonError::into_inner).push(trial),
                        Ok(None) => return,
                        Err(error) => *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
                    }
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    if interrupt.requested().is_some() {
        return Ok(None);
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let place = |trial: &Trial| plan.arms.iter().position(|arm| arm.name() == trial.arm);
    done.sort_by_key(|trial| (place(trial), trial.seed));
    Ok(Some(done))
}

fn mixture_of(toy: Toy) -> Result<Mixture> {
    let missing = || {
        Error::setting("trial", format!("{} has no modes to count", toy.name()))
            .with_hint("Choose ring8 or grid25.".to_string())
            .into()
    };
    toy.mixture().ok_or_else(missing)
}

fn path_of(folder: &Path, arm: Arm, seed: u64) -> PathBuf {
    folder.join("runs").join(format!("{}-{seed:03}.json", arm.name()))
}

fn read(plan: &Plan, folder: &Path, arm: Arm, seed: u64) -> Result<Option<Trial>> {
    let path = path_of(folder, arm, seed);
    if !path.is_file() {
        return Ok(None);
    }
    let trial: Trial = serde_json::from_slice(&files::read(&path, 16 << 20)?)
        .map_err(|e| Error::file(&path, format!("is not a result of a trial: {e}")))?;
    if trial.settings != key(plan, arm, seed) {
        return Err(Error::file(&path, "was made with other settings")
            .with_hint("Choose another `out`, or remove the folder.".to_string())
            .into());
    }
    Ok(Some(trial))
}

fn key(plan: &Plan, arm: Arm, seed: u64) -> String {
    format!("{} {}", arm.settings(&plan.settings, seed).hash(), plan.settings.generations)
}

/// One run on one core; `None` where a signal stopped it.
fn one(
    plan: &Plan,
    mixture: &Mixture,
    arm: Arm,
    seed: u64,
    interrupt: &Interrupt,
    watch: &(dyn Fn(u64) + Sync),
) -> Result<Option<Trial>> {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let alone = alone.map_err(|e| Error::setting("trial", format!("cannot start a thread: {e}")))?;
    alone.install(|| {
        let started = Instant::now();
        let settings = arm.settings(&plan.settings, seed);
        let device = Device::cpu();
        let set = Arc::new(data::open(plan.toy.name(), &data::Options { seed, ..data::Options::default() })?);
        let (g, d) = networks(&settings, set.shape());
        let graphs = Graphs::new(&g, &d, false)?;
        let discriminator = Network::initial(d, seed, "discriminator", &device).params;
        let mut generator = Network::initial(g, seed, "generator 0", &device);
        let loader = Loader::new(set.clone(), LoaderOptions { seed, workers: 1, ..LoaderOptions::default() })?;
        let mut gan = Gan::new(&graphs, &settings, loader, discriminator, device.clone());
        let moments = Moments::zero(&graphs.g.graph, &generator.params);
        let mut population =
            vec![Generator { params: generator.params.clone(), moments, fakes: None, gradient_norm: 0.0 }];
        let rules = Rules::of(&settings);
        let (mut selected, mut checks) = (BTreeMap::new(), Vec::new());
        for number in 0..settings.generations {
            if interrupt.requested().is_some() {
                return Ok(None);
            }
            let record = generation(&mut gan, &mut population, &rules, number)?;
            if let Some(mutation) = record.survivors.first().and_then(|&i| record.children[i].mutation) {
                *selected.entry(mutation).or_default() += 1;
            }
            checks.extend(record.check);
            watch(1);
        }
        generator.params = population.swap_remove(0).params;
        let z = settings.latent_law.batch(SAMPLES, &[settings.latent], seed, "trial", 0, &device);
        let samples = points(&generator.forward(&z, &[])?);
        let reals: Vec<[f64; 2]> = plan.toy.points(seed, 1 << 40..(1 << 40) + MMD_SAMPLES as u64).collect();
        let report = modes::coverage(&samples, &mixture.centres, mixture.sigma);
        Ok(Some(Trial {
            arm: arm.name().to_owned(),
            seed,
            settings: key(plan, arm, seed),
            modes: report.modes_covered,
            high_quality: report.high_quality_share,
            kl: report.kl_to_uniform,
            mmd2: mmd::squared(&samples[..MMD_SAMPLES], &reals).biased,
            selected,
            checks: Checks::of(&checks),
            macs: gan.work.macs,
            seconds: started.elapsed().as_secs_f64(),
            cloud: samples[..MMD_SAMPLES].iter().map(|p| p.map(|v| v as f32)).collect(),
        }))
    })
}

fn points(x: &Tensor) -> Vec<[f64; 2]> {
    x.to_vec().as_chunks::<2>().0.iter().map(|p| p.map(f64::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(generations: u64) -> Plan {
        let overrides = ["data=ring8", "width=16", "width_d=16", "batch=16", "eval=32"].map(str::to_owned);
        let mut settings = Settings::resolve(&Settings::preset("paper", true).unwrap(), None, &overrides).unwrap();
        settings.generations = generations;
        let arms = ["heuristic", "random", "egan", "egan-gamma0"].map(|a| Arm::parse(a).unwrap()).to_vec();
        Plan { toy: Toy::Ring8, arms, seeds: 2, settings }
    }

    #[test]
    fn a_trial_goes_on_where_it_stopped_and_gives_the_same_results() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let results = run(&plan(3), one.path(), 2, &Interrupt::default(), &|_| ()).unwrap().unwrap();
        assert_eq!(results.len(), 8);
        // Another folder, one worker, in two goes.
        let first = Plan { seeds: 1, ..plan(3) };
        run(&first, two.path(), 1, &Interrupt::default(), &|_| ()).unwrap();
        let again = run(&plan(3), two.path(), 1, &Interrupt::default(), &|_| ()).unwrap().unwrap();
        let timeless = |t: &Trial| Trial { seconds: 0.0, ..t.clone() };
        assert_eq!(results.iter().map(timeless).collect::<Vec<_>>(), again.iter().map(timeless).collect::<Vec<_>>());
        let error = run(&plan(4), two.path(), 1, &Interrupt::default(), &|_| ()).unwrap_err();
        assert!(error.to_string().contains("was made with other settings"));
        assert!(clouds(Toy::Ring8, &results).unwrap().contains("egan-gamma0"));
        assert_eq!(csv(&results).lines().count(), 9);
    }

    #[test]
    fn arms_differ_only_in_what_makes_them() {
        let base = plan(1).settings;
        assert_eq!(Arm::Egan.settings(&base, 0), base);
        let gamma0 = Arm::EganGamma0.settings(&base, 0);
        assert_eq!(base.differences(&gamma0), ["gamma: 2.0 -> 0.0"]);
        assert!(Arm::parse("best").unwrap_err().hint().unwrap().starts_with("The arms are random, egan"));
    }
}
