//! The settings of a training.

use crate::{Augment, Ignored, Weighting};
use base::{Error, Result};
use data::Size;
use serde::{Deserialize, Serialize};
use std::path::Path;
use train::settings::{Key, Values};
use train::{RunSettings, Schedule};

/// What a run folder's `config.toml` says its run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// A segmenter learns.
    #[default]
    Segmenter,
}

/// Everything that decides how a training goes, all resolved. Its TOML form is the run folder's `config.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `segmenter`.
    pub task: Task,
    /// The labelled set: `scenes`, or the path of a folder or zip.
    pub data: String,
    /// The labelled set to judge by; without one (empty) another seed of `scenes`, or the last part of `data`.
    pub val: String,
    /// The part of `data` that is kept from learning where there is no `val`.
    pub held_out: f64,
    /// The model file of a segmenter of the same form whose weights are the first ones; empty: random ones.
    pub from: String,
    /// The size to which images are brought, `64` or `"80x48"` (width and height); 0: as they are.
    pub size: Size,
    /// The seed of everything random.
    pub seed: u64,
    /// Steps in all.
    pub steps: u64,
    /// Images in a step.
    pub batch: usize,
    /// Maps of the network at full size.
    pub width: usize,
    /// How often the network halves its maps.
    pub levels: usize,
    /// The learning rate at its highest: it rises over the first twentieth of the steps, then falls to 0 by a cosine.
    pub lr: f64,
    /// How classes count in the loss.
    pub weighting: Weighting,
    /// What becomes of pixels with the plane's ignore class.
    pub ignored: Ignored,
    /// How images are changed before they are learnt from.
    pub augment: Augment,
    /// What is written, and how often.
    pub log: LogSettings,
}

/// What is written, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Steps between checkpoints, each with a judgement and a picture; there is always one at the end.
    pub checkpoint: u64,
    /// Checkpoints that are kept, besides the best.
    pub keep: usize,
    /// Images of a judgement.
    pub judged: usize,
}

impl Settings {
    /// The settings to start from for a set of this name.
    pub fn preset(data: &str) -> Self {
        let scenes = data == "scenes";
        Self {
            task: Task::Segmenter,
            data: data.to_owned(),
            val: String::new(),
            held_out: 0.1,
            from: String::new(),
            size: Size::square(if scenes { 64 } else { 0 }),
            seed: 0,
            steps: 3000,
            batch: 16,
            width: 16,
            levels: 3,
            lr: 2e-3,
            // Weights find rare classes early and say them too often in the end: files are few, scenes have no end.
            weighting: if scenes { Weighting::None } else { Weighting::Root },
            // In scenes "no part" is an answer; in files the ignore index means that nobody said.
            ignored: if scenes { Ignored::Learn } else { Ignored::Skip },
            augment: Augment { flip: true, colour: 0.5, shift: if scenes { 0 } else { 8 } },
            log: LogSettings { checkpoint: 250, keep: 2, judged: 256 },
        }
    }

    /// The learning rate of a step, counted from 0.
    pub(crate) fn lr_of(&self, step: u64) -> f64 {
        let warm = self.steps.div_ceil(20);
        if step < warm {
            return self.lr * (step + 1) as f64 / warm as f64;
        }
        let part = (step - warm) as f64 / (self.steps - warm).max(1) as f64;
        self.lr * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * part))
    }
}

impl RunSettings for Settings {
    const TASK: Option<&'static str> = Some("segmenter");
    const COMMAND: &'static str = "segmenter train";
    const UNIT: &'static str = "step";
    const EXAMPLES: [&'static str; 2] = ["batch=32", "augment.colour=0"];
    const DATA: &'static [&'static str] = &["data", "val"];
    const FILES: &'static [&'static str] = &["from"];
    const KEYS: &'static [Key] = &[
        Key::new("task", Values::OneOf(&["segmenter"]), "what kind of run it is"),
        Key::new("data", Values::Free("scenes, a folder or a zip"), "the labelled images"),
        Key::new(
            "val",
            Values::Free("scenes, a folder or a zip; empty: a part of data"),
            "the labelled images to judge by",
        ),
        Key::new("held_out", Values::Share, "the part of data that is kept from learning where there is no val"),
        Key::new(
            "from",
            Values::Free("a model file; empty: random weights"),
            "the segmenter whose weights are the first ones",
        ),
        Key::new(
            "size",
            Values::Free("64, or 80x48 for 80 in a row and 48 rows; 0: as they are"),
            "the size of images in pixels",
        ),
        Key::new("seed", Values::SEED, "the seed of everything random"),
        Key::new("steps", Values::count(100_000_000), "steps in all"),
        Key::new("batch", Values::count(4096), "images in a step"),
        Key::new("width", Values::count(1024), "maps of the network at full size"),
        Key::new("levels", Values::count(8), "how often the network halves its maps"),
        Key::new(
            "lr",
            Values::Positive,
            "the learning rate at its highest; it rises over the first twentieth of the steps, then falls to 0",
        ),
        Key::new("weighting", Values::OneOf(&["none", "root", "median"]), "how much rare classes count in the loss"),
        Key::new("ignored", Values::OneOf(&["learn", "skip"]), "what becomes of pixels with the ignore class"),
        Key::new("augment.flip", Values::Switch, "mirror every other image"),
        Key::new("augment.colour", Values::Share, "how strongly colours are changed"),
        Key::new("augment.shift", Values::Whole(0, 1024), "by how many pixels images move at most"),
        Key::new("log.checkpoint", Values::EVERY, "steps between checkpoints; 0: only at the end"),
        Key::new("log.keep", Values::EVERY, "checkpoints that are kept, besides the best"),
        Key::new("log.judged", Values::count(1_000_000), "images of a judgement"),
    ];

    fn place_in<'v>(_key: &str, value: &'v str) -> Option<&'v str> {
        (!value.is_empty() && !data::BUILT_IN.contains(&value)).then_some(value)
    }

    fn schedule(&self) -> Schedule {
        Schedule { length: self.steps, checkpoint: self.log.checkpoint, judged: 0, keep: self.log.keep }
    }

    fn beneath(table: &toml::Table, path: &Path) -> Result<Self> {
        if !table.contains_key("task") {
            return Err(Error::file(path, "is not of a segmenter's run")
                .with_hint(format!("Give the folder that `{}` made.", Self::COMMAND)));
        }
        Ok(Self::preset(table.get("data").and_then(toml::Value::as_str).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_setting() {
        let mut names: Vec<&str> = Settings::KEYS.iter().map(|key| key.name).collect();
        let mut found: Vec<String> = Settings::preset("scenes").as_typed().into_iter().map(|(key, _)| key).collect();
        names.sort_unstable();
        found.sort_unstable();
        assert_eq!(names, found);
        for key in Settings::KEYS {
            for word in key.values.words() {
                Settings::preset("scenes").with(&[format!("{}={word}", key.name)]).unwrap();
            }
        }
    }

    #[test]
    fn settings_survive_toml() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(train::run_folder::CONFIG);
        for data in ["scenes", "street/"] {
            let settings = Settings::preset(data).with(&["steps=7", "augment.colour=1", "size=80x48"]).unwrap();
            std::fs::write(&path, settings.to_toml()).unwrap();
            assert_eq!(Settings::read(&path).unwrap(), settings);
            assert!(Settings::are_in(folder.path()));
            // A run from before a setting existed.
            std::fs::write(&path, settings.to_toml().replace("lr = 0.002\n", "")).unwrap();
            assert_eq!(Settings::read(&path).unwrap(), settings);
        }
        std::fs::write(&path, "preset = \"paper\"\n").unwrap();
        assert!(!Settings::are_in(folder.path()) && Settings::read(&path).is_err());
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_cure() {
        let message = |entry: &str| {
            let error = Settings::preset("scenes").with(&[entry]).unwrap_err();
            format!("{error} | {}", error.hint().unwrap_or_default())
        };
        assert_eq!(message("witdh=16"), "witdh: there is no such setting | Did you mean width?");
        assert_eq!(message("batch=0"), "batch: 0 is not a whole number from 1 to 4096 | ");
        assert_eq!(message("held_out=2"), "held_out: 2 is not a number from 0 to 1 | ");
        assert!(
            message("weighting=best").starts_with("weighting: \"best\" is none of none, "),
            "{}",
            message("weighting=best")
        );
        assert_eq!(message("task=generator"), "task: \"generator\" is none of segmenter | ");
    }

    #[test]
    fn the_learning_rate_rises_and_falls_to_nothing() {
        let settings = Settings { steps: 100, lr: 1.0, ..Settings::preset("scenes") };
        assert_eq!([0, 4].map(|step| settings.lr_of(step)), [0.2, 1.0]);
        assert!((5..99).all(|step| settings.lr_of(step) > settings.lr_of(step + 1)));
        assert!(settings.lr_of(99) < 1e-3 && settings.lr_of(99) > 0.0);
        let one = Settings { steps: 1, ..settings };
        assert!(one.lr_of(0) > 0.0);
    }

    #[test]
    fn differences_leave_out_the_log() {
        let (a, b) = (Settings::preset("scenes"), Settings::preset("scenes"));
        let b = b.with(&["batch=8", "log.keep=1"]).unwrap();
        assert_eq!(a.differences(&b), ["batch: 16 -> 8"]);
        assert_ne!(a.hash(), b.hash());
    }
}
