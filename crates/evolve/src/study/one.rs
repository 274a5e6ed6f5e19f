//! One run of a study, and what is kept of it.

use super::plan::{Kind, Plan};
use crate::estimate::Checks;
use crate::run::{Evolution, Stats};
use crate::settings::Settings;
use crate::trial::{self, Length, Reach};
use base::{Error, files};
use net::{Device, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use train::signals::{Interrupt, Signal};
use train::{Change, OpenRun, RunSettings, Training, run_folder, stats};

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Hash of its settings and its length, so that outcomes of others are not mixed in.
    pub key: String,
    /// Its figures by name; none where it ended on a value that is not finite.
    pub figures: BTreeMap<String, f64>,
    /// Why it ended early, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Generations.
    pub generations: u64,
    /// Reals that the discriminator learnt from.
    pub images: u64,
    /// Multiplications with addition.
    pub macs: u64,
    /// Seconds of its steps.
    pub seconds: f64,
    /// How often each mutation won.
    pub selected: BTreeMap<String, u64>,
    /// How good estimates of fitness were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Checks>,
}

/// The file of an outcome in a run's folder.
const FILE: &str = "outcome.json";

/// A run that is to be done.
pub(super) struct Job<'a> {
    pub(super) plan: &'a Plan,
    pub(super) settings: Settings,
    pub(super) length: Length,
    /// Multiplications of a generation.
    pub(super) macs: u64,
    pub(super) folder: &'a Path,
}

impl Job<'_> {
    fn key(&self) -> String {
        format!("{} {:?}", self.settings.hash(), self.length)
    }

    /// The outcome, if it is there already.
    pub(super) fn known(&self) -> Result<Option<Outcome>> {
        let path = self.folder.join(FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let outcome: Outcome = serde_json::from_slice(&files::read(&path, 16 << 20)?)
            .map_err(|e| Error::file(&path, format!("is not an outcome of a study: {e}")))?;
        if outcome.key != self.key() {
            return Err(Error::file(&path, "was made by another plan")
                .with_hint("Choose another `out`, or remove the folder.".to_string())
                .into());
        }
        Ok(Some(outcome))
    }

    /// Does the run; `None` where a signal stopped it.
    pub(super) fn play(&self, interrupt: &Interrupt) -> Result<Option<Outcome>> {
        files::create_folder(self.folder)?;
        let played = match self.plan.kind {
            Kind::Trial => self.trial(interrupt),
            Kind::Evolve => self.evolve(interrupt),
        };
        let outcome = match played {
            // What diverges under some settings is a result of them.
            Err(net::Error::File(error @ Error::NonFinite { .. })) => {
                Some(Outcome { failed: Some(error.to_string()), ..self.empty() })
            }
            other => other?,
        };
        if let Some(outcome) = &outcome {
            let json = serde_json::to_vec_pretty(outcome).map_err(|e| net::Error::Graph(e.to_string()))?;
            files::write_atomic(self.folder.join(FILE), &json)?;
        }
        Ok(outcome)
    }

    fn empty(&self) -> Outcome {
        Outcome {
            key: self.key(),
            figures: BTreeMap::new(),
            failed: None,
            generations: 0,
            images: 0,
            macs: 0,
            seconds: 0.0,
            selected: BTreeMap::new(),
            checks: None,
        }
    }

    fn trial(&self, interrupt: &Interrupt) -> Result<Option<Outcome>> {
        let s = &self.settings;
        let toy = self.plan.toy(s)?;
        let mixture = trial::mixture_of(toy)?;
        let Some(played) = trial::play(toy, &mixture, s, self.length, interrupt, &|_| ())? else { return Ok(None) };
        let mut figures = BTreeMap::new();
        let ends: [(&str, Reach); 2] = [("", played.end), ("_late", played.late)];
        for (when, reach) in ends {
            let Reach { modes, high_quality, kl, mmd2, sw } = reach;
            let named = [("modes", modes), ("high_quality", high_quality), ("kl", kl), ("mmd2", mmd2), ("sw", sw)];
            figures.extend(named.map(|(name, value)| (format!("{name}{when}"), value)));
        }
        Ok(Some(Outcome {
            figures,
            generations: played.generations,
            images: played.generations * (s.batch * s.d_steps) as u64,
            macs: played.macs,
            seconds: played.seconds,
            selected: played.selected.iter().map(|(loss, n)| (loss.name().to_owned(), *n)).collect(),
            checks: played.checks,
            ..self.empty()
        }))
    }

    fn evolve(&self, interrupt: &Interrupt) -> Result<Option<Outcome>> {
        let folder = self.folder.join("run");
        let mut run: OpenRun<Evolution> = if run_folder::is_run(&folder) {
            OpenRun::resume(&folder, self.settings.clone(), Device::cpu(), Change::Refused)?
        } else {
            Evolution::start_in(&folder, self.settings.clone(), Device::cpu())?
        };
        let path = folder.join(stats::FILE);
        let mut seconds: f64 = stats::read::<Stats>(&path)?.iter().map(|s| s.seconds).sum();
        if self.length.part(run.done(), seconds) < 1.0 {
            let own = Interrupt::default();
            run.run(&own, |record| {
                seconds += record.seconds;
                let signal = interrupt.requested();
                if signal.is_some() || self.length.part(record.generation, seconds) >= 1.0 {
                    own.request(signal.unwrap_or(Signal::Interrupt));
                }
            })?;
        }
        if self.length.part(run.done(), seconds) < 1.0 {
            return Ok(None);
        }
        let records = stats::read::<Stats>(&path)?;
        Ok(Some(self.of_records(&records, run.training().score(run.state())?.map(|score| score.value))))
    }

    /// Figures of a run from its records and the score of what it ended with.
    fn of_records(&self, records: &[Stats], score: Option<f64>) -> Outcome {
        let (mut seconds, mut late, mut figures) = (0.0, Vec::new(), BTreeMap::new());
        let (mut selected, mut checks) = (BTreeMap::<String, u64>::new(), Vec::new());
        for record in records {
            seconds += record.seconds;
            let part = self.length.part(record.generation, seconds);
            // The end has the score that was found anew.
            late.extend(record.score.as_ref().filter(|_| (0.5..1.0).contains(&part)).map(|score| score.value));
            let winner = record.survivors.first().and_then(|&i| record.children.get(i)?.mutation);
            if let Some(loss) = winner {
                *selected.entry(loss.name().to_owned()).or_default() += 1;
            }
            checks.extend(record.check.clone());
        }
        if let Some(score) = score {
            late.push(score);
            figures.insert("score".to_owned(), score);
            figures.insert("score_late".to_owned(), late.iter().sum::<f64>() / late.len() as f64);
        }
        let collapsed = records.iter().any(|record| record.collapsed);
        figures.insert("collapsed".to_owned(), f64::from(u8::from(collapsed)));
        if let Some(variance) = records.last().and_then(|record| record.sample_variance) {
            figures.insert("sample_variance".to_owned(), variance);
        }
        let generations = records.last().map_or(0, |record| record.generation);
        Outcome {
            figures,
            generations,
            images: records.last().map_or(0, |record| record.images),
            macs: self.macs.saturating_mul(generations),
            seconds,
            selected,
            checks: Checks::of(&checks),
            ..self.empty()
        }
    }
}
