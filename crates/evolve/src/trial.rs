//! The toy experiment of the paper, with statistics over seeds: which arm covers the modes of a mixture?
//!
//! An *arm* is a way to choose mutations: one loss (a plain GAN), one at random, or evolution. All arms take as many steps
//! of the discriminator. Every finished run is one file in the trial's folder, so a trial goes on where it stopped.

mod play;
mod summary;

pub(crate) use play::play;
pub use play::{Length, Reach};
pub use summary::{Figure, Row, clouds, csv, table};

use crate::estimate::Checks;
use crate::settings::Settings;
use crate::{Loss, Selection, jobs};
use base::{Error, files};
use data::toys::{Mixture, Toy};
use net::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use train::RunSettings;
use train::signals::Interrupt;

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
    let (mut done, mut open) = (Vec::new(), Vec::new());
    for seed in 0..plan.seeds {
        for &arm in &plan.arms {
            match read(plan, folder, arm, seed)? {
                Some(trial) => {
                    watch(plan.settings.generations);
                    done.push(trial);
                }
                None => open.push((arm, seed)),
            }
        }
    }
    done.extend(jobs::each(jobs, open, |(arm, seed)| {
        let trial = one(plan, &mixture, arm, seed, interrupt, watch)?;
        if let Some(trial) = &trial {
            let json = serde_json::to_vec(trial).map_err(|e| net::Error::Graph(e.to_string()))?;
            files::write_atomic(path_of(folder, arm, seed), &json)?;
        }
        Ok(trial)
    })?);
    if interrupt.requested().is_some() {
        return Ok(None);
    }
    let place = |trial: &Trial| plan.arms.iter().position(|arm| arm.name() == trial.arm);
    done.sort_by_key(|trial| (place(trial), trial.seed));
    Ok(Some(done))
}

pub(crate) fn mixture_of(toy: Toy) -> Result<Mixture> {
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
    let settings = arm.settings(&plan.settings, seed);
    let length = Length::Generations(settings.generations);
    let played = play(plan.toy, mixture, &settings, length, interrupt, watch)?;
    Ok(played.map(|played| Trial {
        arm: arm.name().to_owned(),
        seed,
        settings: key(plan, arm, seed),
        modes: played.end.modes as usize,
        high_quality: played.end.high_quality,
        kl: played.end.kl,
        mmd2: played.end.mmd2,
        selected: played.selected,
        checks: played.checks,
        macs: played.macs,
        seconds: played.seconds,
        cloud: played.cloud,
    }))
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
