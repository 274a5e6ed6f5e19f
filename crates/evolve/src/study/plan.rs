//! The plan of a study, as a TOML file has it.

use crate::settings::{Settings, usual_preset};
use base::{Error, Result};
use data::toys::Toy;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use train::RunSettings;
use train::table::{flatten, read_table, typed};

/// The most seeds, arms and values to try.
const MOST: usize = 10_000;

/// What a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A run on a toy mixture, in memory: figures of its modes.
    Trial,
    /// A training with its folder: scores by features.
    Evolve,
}

/// How long a run of each arm is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Generations of a run; of the arm in `compute_of` where that is given.
    pub generations: Option<u64>,
    /// Seconds of a run, of its steps alone.
    pub seconds: Option<f64>,
    /// Equal compute: all arms take as many multiplications as this arm in its generations.
    pub compute_of: Option<String>,
}

/// An arm.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// Its name in tables and folders.
    pub name: String,
    /// The preset from which its settings start, instead of the plan's.
    pub preset: Option<String>,
    /// Its settings over those of all arms.
    #[serde(default)]
    pub set: toml::Table,
    /// Values to try, instead of the plan's.
    #[serde(default)]
    pub r#try: Vec<toml::Table>,
}

/// How values are tried.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// Seeds of each value.
    pub seeds: u64,
    /// How long their runs are.
    pub budget: Budget,
    /// The values that all arms try: sets of settings.
    #[serde(default)]
    pub r#try: Vec<toml::Table>,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What is claimed or asked, in a sentence.
    pub claim: String,
    /// How long it takes on what, in words.
    pub expected: String,
    /// What a run is.
    pub kind: Kind,
    /// The preset from which settings start; the usual one of the kind.
    pub preset: Option<String>,
    /// The figure that decides; less is better.
    pub figure: String,
    /// Fresh seeds of each arm.
    pub seeds: u64,
    /// The first of them.
    #[serde(default)]
    pub first_seed: u64,
    /// The arm with which all are compared.
    pub reference: String,
    /// The least value of the figure: what is smaller counts as this.
    #[serde(default = "floor")]
    pub floor: f64,
    /// How long runs are.
    pub budget: Budget,
    /// The settings of all arms.
    #[serde(default)]
    pub set: toml::Table,
    /// How values are tried, if any.
    pub tuning: Option<Tuning>,
    /// The arms.
    #[serde(rename = "arm")]
    pub arms: Vec<Arm>,
}

fn floor() -> f64 {
    1e-6
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// The file cannot be read or is no plan; an arm's settings cannot be; arms try different numbers of values.
    pub fn read(path: &Path) -> Result<Self> {
        let table = read_table(path)?;
        let plan: Self = table
            .try_into()
            .map_err(|e: toml::de::Error| Error::file(path, e.to_string().trim().replace('\n', " ")))?;
        plan.check().map_err(|e| train::settings::in_file(e, path))?;
        Ok(plan)
    }

    /// The settings of an arm with the values of one try.
    ///
    /// # Errors
    /// One cannot be.
    pub fn settings(&self, arm: &Arm, tried: Option<&toml::Table>, seed: u64) -> Result<Settings> {
        let points = self.kind == Kind::Trial;
        let preset = arm.preset.clone().or_else(|| self.preset.clone());
        let preset = preset.unwrap_or_else(|| usual_preset(points).to_owned());
        let mut overrides = Vec::new();
        for table in [Some(&self.set), Some(&arm.set), tried].into_iter().flatten() {
            overrides.extend(flatten(table).into_iter().map(|(key, value)| format!("{key}={}", typed(&value))));
        }
        overrides.push(format!("seed={seed}"));
        let settings = Settings::preset(&preset, points)?.with(&overrides);
        settings.map_err(|e| match e {
            Error::Setting { key, reason, hint } => {
                Error::Setting { key: format!("arm {}: {key}", arm.name), reason, hint }
            }
            other => other,
        })
    }

    /// The values that an arm tries; one empty set where it tries none.
    pub fn tries<'a>(&'a self, arm: &'a Arm) -> &'a [toml::Table] {
        let common = self.tuning.as_ref().map_or(&[][..], |tuning| &tuning.r#try);
        if arm.r#try.is_empty() { common } else { &arm.r#try }
    }

    /// The toy of a study of trials.
    ///
    /// # Errors
    /// The data have no modes.
    pub fn toy(&self, settings: &Settings) -> Result<Toy> {
        let found = Toy::ALL.into_iter().find(|toy| toy.name() == settings.data && toy.mixture().is_some());
        found.ok_or_else(|| {
            Error::setting("data", format!("{:?} has no modes to count", settings.data))
                .with_hint("Set data to ring8 or grid25, or choose the kind `evolve`.")
        })
    }

    fn check(&self) -> Result<()> {
        let wrong = |key: &str, reason: String, hint: &str| Err(Error::setting(key, reason).with_hint(hint));
        if self.arms.is_empty() || self.arms.len() > MOST {
            return wrong("arm", format!("there are {}", self.arms.len()), "Write an [[arm]] for each way to compare.");
        }
        if self.seeds == 0 || self.seeds > MOST as u64 {
            return wrong("seeds", format!("{} is not from 1 to {MOST}", self.seeds), "Five say little, twenty more.");
        }
        if self.first_seed > TUNING_SEEDS - MOST as u64 {
            return wrong("first_seed", "is too large: tuning seeds begin there".into(), "Choose a smaller one.");
        }
        if !(self.floor > 0.0 && self.floor.is_finite()) {
            return wrong("floor", "is not a positive number".into(), "It is the least value that a logarithm is of.");
        }
        let figures = self.kind.figures();
        if !figures.contains(&self.figure.as_str()) {
            let hint = base::known_names(&self.figure, "figures", figures.iter().copied());
            return wrong("figure", format!("there is no figure {:?}", self.figure), &hint);
        }
        let mut names = BTreeSet::new();
        for arm in &self.arms {
            if !names.insert(base::file_name(&[&arm.name])) {
                let hint = "Give each arm a name of its own.";
                return wrong("arm", format!("two are called {:?}, or nearly so", arm.name), hint);
            }
        }
        let known: Vec<&str> = self.arms.iter().map(|arm| arm.name.as_str()).collect();
        let budgets = std::iter::once(&self.budget).chain(self.tuning.as_ref().map(|tuning| &tuning.budget));
        let named = budgets.clone().filter_map(|budget| budget.compute_of.as_ref());
        for name in named.chain([&self.reference]) {
            if !known.contains(&name.as_str()) {
                let hint = base::known_names(name, "arms", known.iter().copied());
                return wrong("reference", format!("there is no arm {name:?}"), &hint);
            }
        }
        for budget in budgets {
            budget.check()?;
        }
        self.check_tuning()?;
        self.arms.iter().try_for_each(|arm| self.check_arm(arm))
    }

    /// The rule of fair tuning.
    fn check_tuning(&self) -> Result<()> {
        let counts: BTreeSet<usize> = self.arms.iter().map(|arm| self.tries(arm).len()).collect();
        match &self.tuning {
            None if counts.iter().any(|&n| n > 0) => {
                Err(Error::setting("try", "needs a table [tuning] with seeds and a budget")
                    .with_hint("Write [tuning] with seeds and budget."))
            }
            Some(tuning) if tuning.seeds == 0 || tuning.seeds > MOST as u64 => {
                Err(Error::setting("tuning.seeds", format!("{} is not from 1 to {MOST}", tuning.seeds)))
            }
            Some(_) if counts.len() > 1 => {
                Err(Error::setting("try", format!("arms try different numbers of values: {counts:?}")).with_hint(
                    "What an arm gains by a larger search is no merit of the arm: let all try equally many.",
                ))
            }
            _ => Ok(()),
        }
    }

    fn check_arm(&self, arm: &Arm) -> Result<()> {
        let none = toml::Table::new();
        for tried in self.tries(arm).iter().chain([&none]) {
            let settings = self.settings(arm, Some(tried), self.first_seed)?;
            let wrong = |key: &str, reason: &str, hint: &str| {
                Err(Error::setting(format!("arm {}: {key}", arm.name), reason).with_hint(hint))
            };
            if self.kind == Kind::Trial {
                self.toy(&settings)?;
                if settings.network != crate::Family::Mlp {
                    return wrong("network", "must be mlp in a study of trials", "Leave it out.");
                }
                if settings.mu != 1 {
                    return wrong(
                        "mu",
                        "must be 1 in a study of trials",
                        "Choose the kind `evolve` for more survivors.",
                    );
                }
            } else if settings.score.every == 0 && self.figure.starts_with("score") {
                return wrong("score.every", "is 0, but scores decide", "Set score.every, such as a tenth of the run.");
            }
        }
        Ok(())
    }
}

impl Kind {
    /// The names of the figures of its runs; less is better.
    pub fn figures(self) -> &'static [&'static str] {
        match self {
            Self::Trial => &["sw", "sw_late", "kl", "kl_late", "mmd2", "mmd2_late"],
            Self::Evolve => &["score", "score_late"],
        }
    }
}

impl Budget {
    fn check(&self) -> Result<()> {
        let wrong = |reason: &str| {
            Err(Error::setting("budget", reason)
                .with_hint("Write generations = N, or seconds = S, or compute_of = \"ARM\" with generations."))
        };
        match (self.generations, self.seconds, &self.compute_of) {
            (Some(0), ..) => wrong("generations is 0"),
            (Some(n), ..) if n > 4_000_000_000 => wrong("generations is above 4000000000"),
            (None, Some(s), None) if s > 0.0 && s.is_finite() => Ok(()),
            (Some(_), None, _) => Ok(()),
            (None, Some(_), None) => wrong("seconds is not a positive number"),
            (None, None, _) => wrong("says neither generations nor seconds"),
            (_, Some(_), _) => wrong("says seconds beside something else"),
        }
    }
}

/// Seeds of tuning begin here, so that none is a fresh one.
pub(super) const TUNING_SEEDS: u64 = 1_000_000_000;

impl Plan {
    /// The folder of the study of a file, where none is chosen.
    pub fn usual_folder(path: &Path) -> PathBuf {
        let name = path.file_stem().map_or_else(|| "plan".into(), |stem| stem.to_string_lossy().into_owned());
        PathBuf::from(format!("study-{}", base::file_name(&[&name])))
    }
}
