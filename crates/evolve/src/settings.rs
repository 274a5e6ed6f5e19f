//! The settings of a run: presets, files, overrides, checks, differences.

mod choices;
mod fitness;
mod keys;
mod presets;

pub use choices::{
    AdamPolicy, Augmentation, BrokenImages, Fakes, Family, Fitness, Gradients, Lengths, Noise, Precision, Quality,
};
pub use presets::{PRESETS, about_preset, usual_preset};

use crate::rate::{Player, RateSettings};
use crate::{Loss, Selection};
use base::{Error, Result};
use data::Size;
use net::Law;
use net::zoo::{Doublings, GeneratorStart, Norm};
use score::Extractor;
use serde::{Deserialize, Serialize};
use std::path::Path;
use train::settings::Key;
use train::table::read_table;
use train::{RunSettings, Schedule};

/// Everything that decides how a run goes, all resolved. Its TOML form is the run folder's `config.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The preset that the other values started from.
    pub preset: String,
    /// The data set: a built-in name or a path.
    pub data: String,
    /// A model file whose weights the generator begins with, as far as they fit; a discriminator beside it lends its own. Empty: none.
    #[serde(default)]
    pub from: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Generations in all.
    pub generations: u64,

    /// Family of the networks: `dcgan`, `residual`, `progan`, or `mlp` for points.
    pub network: Family,
    /// Width of the generator (channels of its last maps but one; see `inspect`).
    pub width: usize,
    /// Width of the discriminator.
    pub width_d: usize,
    /// Length of the latent.
    pub latent: usize,
    /// Law of the latent.
    pub latent_law: Law,
    /// Normalisation in the generator: `none`, `batch`, `pixel`.
    pub norm_g: Norm,
    /// Normalisation in the discriminator: `none`, `batch`, `spectral`.
    pub norm_d: Norm,
    /// First layer of a DCGAN generator.
    pub start: GeneratorStart,
    /// Additional 3x3 convolutions after the first two doublings (at 8 and 16 pixels) in a DCGAN generator.
    pub extra: bool,
    /// Minibatch standard deviation at the end of a DCGAN discriminator.
    pub minibatch_std: bool,
    /// Whether both networks learn by class: the class of an image is an input of each.
    #[serde(default)]
    pub classes: bool,

    /// Images in a step of G or D.
    pub batch: usize,
    /// Images with which a child is judged, fakes and reals each.
    pub eval: usize,
    /// Steps of D in a generation.
    pub d_steps: usize,
    /// Survivors.
    pub mu: usize,
    /// Weight of diversity in the fitness.
    pub gamma: f64,
    /// The mutations: losses of the generator.
    pub mutations: Vec<Loss>,
    /// The loss of the discriminator.
    pub d_loss: Loss,
    /// What quality averages: `probability` or `logit`.
    pub quality: Quality,
    /// Who survives.
    pub selection: Selection,
    /// Which moments a child's Adam starts with.
    pub adam: AdamPolicy,
    /// What of a loss's gradient enters the moments.
    pub gradients: Gradients,
    /// Whether the children of a parent are equally far from it.
    pub lengths: Lengths,
    /// How fitness is found.
    pub fitness: Fitness,
    /// Whether the mutations of a parent share their noise.
    pub noise: Noise,
    /// Whether all children are judged on the same noise.
    pub eval_noise: Noise,
    /// What D learns against: the survivors' evaluation images, or new ones.
    pub fakes: Fakes,

    /// What convolutions multiply: `f32`, or numbers rounded to `bf16`.
    #[serde(default)]
    pub precision: Precision,

    /// Learning rate of the generators.
    pub lr_g: f64,
    /// Learning rate of the discriminator.
    pub lr_d: f64,
    /// Adam's first decay for generators.
    pub beta1_g: f64,
    /// Adam's first decay for the discriminator.
    pub beta1_d: f64,
    /// Adam's second decay.
    pub beta2: f64,
    /// Decay of the moving average of the best survivor's weights; 0: none is kept.
    pub ema: f64,
    /// Differentiable augmentation of all that D sees (Zhao et al., arXiv 2006.10738).
    pub augment: Vec<Augmentation>,

    /// How the learning rates go over the run.
    #[serde(default)]
    pub rate: RateSettings,
    /// The images.
    pub image: ImageSettings,
    /// Gradient penalties on D, by weight; 0: none.
    pub penalty: PenaltySettings,
    /// By what checkpoints are judged.
    #[serde(default)]
    pub score: ScoreSettings,
    /// What is written, and how often.
    pub log: LogSettings,
}

/// A score of the generator by the features of a network, instead of the rough distance on 8 x 8 pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreSettings {
    /// Generations between scores; 0: none.
    pub every: u64,
    /// The feature network, as [`score::Extractor::open`] reads it.
    pub features: String,
    /// Generated images of a score.
    pub samples: u64,
}

impl Default for ScoreSettings {
    fn default() -> Self {
        Self { every: 0, features: "scenes".into(), samples: 2000 }
    }
}

/// Size and kind of the images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSettings {
    /// The size in pixels: `64`, or `"80x48"` for 80 in a row and 48 rows.
    pub size: Size,
    /// 1 or 3; 0: as the data are.
    pub channels: usize,
    /// Whether reals are mirrored at random.
    pub flip: bool,
    /// Images that cannot be read: `refuse` (the first one met stops the run) or `skip` (all are found at the start).
    pub broken: BrokenImages,
}

/// Weights of the gradient penalties.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PenaltySettings {
    /// `mean((|grad D| - 1)^2)` between reals and fakes (WGAN-GP).
    pub gp: f64,
    /// `mean(|grad D|^2) / 2` on reals.
    pub r1: f64,
    /// `mean(|grad D|^2) / 2` on fakes.
    pub r2: f64,
}

/// How often what is written, in generations; 0: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// A checkpoint; there is always one at the end.
    pub checkpoint: u64,
    /// Checkpoints that are kept, besides the best.
    pub keep: usize,
    /// An exact check of an estimated fitness.
    pub fitness: u64,
    /// A grid of samples.
    pub samples: u64,
}

impl Settings {
    /// The learning rate of a player in a generation, counted from 0.
    pub fn rate_of(&self, player: Player, generation: u64) -> f64 {
        let full = if player == Player::G { self.lr_g } else { self.lr_d };
        full * self.rate.factor(player, generation, self.generations)
    }

    /// What a settings file says of data and preset, which have to be known before the rest can be resolved.
    ///
    /// # Errors
    /// The file cannot be read or is not TOML.
    pub fn names_in(path: &Path) -> Result<(Option<String>, Option<String>)> {
        let table = read_table(path)?;
        let text = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        Ok((text("data"), text("preset")))
    }
}

impl RunSettings for Settings {
    const TASK: Option<&'static str> = None;
    const COMMAND: &'static str = "evolve";
    const UNIT: &'static str = "generation";
    const EXAMPLES: [&'static str; 2] = ["batch=16", "image.size=64"];
    const FREE: &'static [&'static str] = &["generations"];
    const DATA: &'static [&'static str] = &["data"];
    const FILES: &'static [&'static str] = &["from", "score.features"];
    const JUDGEMENT: Option<&'static str> = Some("score.");
    const KEYS: &'static [Key] = keys::KEYS;

    fn place_in<'v>(key: &str, value: &'v str) -> Option<&'v str> {
        match key {
            "score.features" => Extractor::file_in(value),
            _ => (!value.is_empty() && !data::BUILT_IN.contains(&value)).then_some(value),
        }
    }

    fn schedule(&self) -> Schedule {
        let LogSettings { checkpoint, keep, .. } = self.log;
        Schedule { length: self.generations, checkpoint, judged: self.score.every, keep }
    }

    fn beneath(table: &toml::Table, path: &Path) -> Result<Self> {
        if let Some(task) = table.get("task") {
            return Err(Error::file(path, format!("is of another kind of run: its task is {task}"))
                .with_hint(format!("Give the folder that `{}` made.", Self::COMMAND)));
        }
        let text = |key: &str| table.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        Self::preset(text("preset"), text("network") == "mlp").map_err(|e| Error::file(path, e.to_string()))
    }

    fn may_set(table: &toml::Table, key: &str, value: &str) -> Result<()> {
        if key == "preset" && table.get("preset").and_then(toml::Value::as_str) != Some(value) {
            return Err(Error::setting("preset", "cannot be set by itself: the other values come from it")
                .with_hint(format!("Choose it with `preset {value}`.")));
        }
        Ok(())
    }

    fn check_together(&self) -> Result<()> {
        let wrong = |key: &str, reason: String, hint: &str| {
            let error = Error::setting(key, reason);
            Err(if hint.is_empty() { error } else { error.with_hint(hint.to_string()) })
        };
        if self.mutations.is_empty() {
            return wrong("mutations", "there is none".into(), "Name at least one loss, such as [\"heuristic\"].");
        }
        if self.network != Family::Mlp {
            check_size(self.image.size)?;
        } else if self.score.every > 0 {
            let hint = "Leave it at 0: points are measured by their modes.";
            return wrong("score.every", format!("is {}, but points have no features", self.score.every), hint);
        }
        if self.classes && self.network == Family::Mlp {
            return wrong("classes", "points have no classes".into(), "Train without classes.");
        }
        fitness::check(self)?;
        let fakes = self.batch * self.d_steps;
        let judged = self.selection.compares() && self.fitness == Fitness::Exact;
        if self.fakes == Fakes::Evaluation && judged && self.eval * self.mu < fakes {
            return wrong(
                "eval",
                format!(
                    "{} evaluation images of {} survivors are fewer than the {fakes} fakes that D's steps need",
                    self.eval, self.mu
                ),
                "Raise eval, or set fakes=fresh.",
            );
        }
        Ok(())
    }
}

/// The longest side of an image.
const MOST: usize = 1024;

/// Refuses sizes that no family can make: all of them double small maps.
fn check_size(size: Size) -> Result<()> {
    if size.shorter() >= 8 && size.longer() <= MOST && Doublings::to(size.rows_and_columns()).is_some() {
        return Ok(());
    }
    let [height, width] = Doublings::nearest(size.rows_and_columns(), MOST);
    let reason = format!("{size} is not made by doubling small maps, or its sides are not 8 to {MOST}");
    Err(Error::setting("image.size", reason).with_hint(format!(
        "Both sides must be 3 to 16 times the same power of two, such as 64, 48 or 80x48; the nearest size is {}.",
        Size { width, height }
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(overrides: &[&str]) -> Result<Settings> {
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        Settings::resolve(&Settings::preset("paper", false).unwrap(), None, &overrides)
    }

    #[test]
    fn the_table_has_every_setting_with_the_words_that_it_takes() {
        let settings = Settings::preset("modern", false).unwrap();
        let mut names: Vec<&str> = Settings::KEYS.iter().map(|key| key.name).collect();
        let mut found: Vec<String> = settings.as_typed().into_iter().map(|(key, _)| key).collect();
        names.sort_unstable();
        found.sort_unstable();
        assert_eq!(names, found);
        for key in Settings::KEYS.iter().filter(|key| key.name != "preset" && !key.values.words().is_empty()) {
            for word in key.values.words() {
                let refused = set(&[&format!("{}={word}", key.name)]).err().map(|e| e.to_string());
                let combination =
                    refused.as_ref().is_some_and(|told| told.contains("fewer than") || told.contains("one-pass"));
                assert!(refused.is_none() || combination, "{}={word}: {refused:?}", key.name);
            }
            let refused = set(&[&format!("{}=nonsense", key.name)]).unwrap_err().to_string();
            let all = key.values.words().join(", ");
            let of_one_side = matches!(key.name, "norm_g" | "norm_d");
            assert!(of_one_side || refused.contains(&all) || refused.ends_with("is not true or false"), "{refused}");
        }
        assert_eq!(
            set(&["norm_g=spectral"]).unwrap_err().to_string(),
            "norm_g: \"spectral\" is none of none, batch, pixel"
        );
    }

    #[test]
    fn settings_survive_toml() {
        for preset in PRESETS {
            for points in [false, true] {
                let mut settings = Settings::preset(preset, points).unwrap();
                if preset == "modern" {
                    settings.image.size = Size { width: 80, height: 48 };
                    assert!(settings.to_toml().contains("size = \"80x48\""));
                } else {
                    assert!(settings.to_toml().contains("size = 32"));
                }
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("config.toml");
                std::fs::write(&path, settings.to_toml()).unwrap();
                assert_eq!(Settings::read(&path).unwrap(), settings);
                // A run from before a setting existed.
                std::fs::write(&path, settings.to_toml().replace("broken = \"refuse\"", "")).unwrap();
                assert_eq!(Settings::read(&path).unwrap(), settings);
            }
        }
    }

    #[test]
    fn overrides_are_typed_as_people_type() {
        let settings = set(&[
            "batch=16",
            "lr_g=1",
            "image.size=64",
            "mutations=[heuristic, hinge]",
            "norm_d=spectral",
            "augment=[color]",
        ])
        .unwrap();
        assert_eq!((settings.batch, settings.lr_g, settings.image.size), (16, 1.0, Size::square(64)));
        assert_eq!(set(&["image.size=80x48"]).unwrap().image.size, Size { width: 80, height: 48 });
        assert_eq!(settings.mutations, [Loss::Heuristic, Loss::Hinge]);
        assert_eq!(settings.norm_d, Norm::Spectral);
        assert_eq!(settings.augment, [Augmentation::Color]);
        assert_eq!(set(&["mutations=hinge"]).unwrap().mutations, [Loss::Hinge]);
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_cure() {
        let message = |overrides: &[&str]| {
            let error = set(overrides).unwrap_err();
            format!("{error} | {}", error.hint().unwrap_or_default())
        };
        assert_eq!(message(&["bacth=16"]), "bacth: there is no such setting | Did you mean batch?");
        assert_eq!(message(&["image.sise=64"]), "image.sise: there is no such setting | Did you mean image.size?");
        assert_eq!(message(&["batch=0"]), "batch: 0 is not a whole number from 1 to 65536 | ");
        for (value, shown) in [("-1", "-1"), ("1.5", "1.5"), ("many", "\"many\""), ("70000", "70000"), ("true", "true")]
        {
            let said = format!("batch: {shown} is not a whole number from 1 to 65536 | ");
            assert_eq!(message(&[&format!("batch={value}")]), said);
        }
        let seeds = "is not a whole number from 0 to 9223372036854775807 | ";
        assert_eq!(message(&["seed=18446744073709551615"]), format!("seed: 18446744073709551615 {seeds}"));
        assert_eq!(message(&["seed=-1"]), format!("seed: -1 {seeds}"));
        let by_hand = Settings { seed: u64::MAX, ..set(&[]).unwrap() };
        assert_eq!(by_hand.check().unwrap_err().to_string() + " | ", format!("seed: 18446744073709551615 {seeds}"));
        assert_eq!(message(&["beta1_d=1"]), "beta1_d: 1 is not a number of at least 0 and below 1 | ");
        assert_eq!(message(&["gamma=high"]), "gamma: \"high\" is not a number | ");
        assert_eq!(message(&["extra=2"]), "extra: 2 is not true or false | ");
        assert_eq!(message(&["mutations=5"]), "mutations: 5 is not a list such as [a, b] | ");
        assert_eq!(message(&["noise=1"]), "noise: \"1\" is none of shared, independent | ");
        assert!(
            message(&["mutations=[hinge,best]"]).starts_with("mutations: \"best\" is none of minimax, heuristic, ")
        );
        assert_eq!(message(&["lr_g=nan"]), "lr_g: NaN is not a positive number | ");
        let no_size = |size: &str, near: &str| {
            let rule = "Both sides must be 3 to 16 times the same power of two, such as 64, 48 or 80x48";
            let reason = "is not made by doubling small maps, or its sides are not 8 to 1024";
            format!("image.size: {size} {reason} | {rule}; the nearest size is {near}.")
        };
        for (size, near) in [("50", "48"), ("100x75", "104x72"), ("4", "8"), ("2048", "1024"), ("240x180", "240x176")] {
            assert_eq!(message(&[&format!("image.size={size}")]), no_size(size, near));
        }
        let wrong = message(&["image.size=wide"]);
        assert!(wrong.ends_with("expected a number of pixels or WIDTHxHEIGHT, such as 64 or 80x48 | "), "{wrong}");
        assert!(message(&["selection=best"]).starts_with("selection: \"best\" is none of fitness, "));
        assert!(message(&["eval=8"]).contains("Raise eval, or set fakes=fresh."));
        assert!(message(&["batch"]).contains("is not of the form key=value"));
    }

    #[test]
    fn differences_leave_out_length_and_log() {
        let (a, b) = (set(&[]).unwrap(), set(&["batch=16", "generations=5", "log.keep=1"]).unwrap());
        assert_eq!(a.differences(&b), ["batch: 32 -> 16"]);
        assert_ne!(a.hash(), b.hash());
        assert_eq!(a.hash(), set(&["generations=5"]).unwrap().hash());
    }

    #[test]
    fn a_feature_network_is_found_from_every_folder() {
        let of = |features: &str| set(&[&format!("score.features={features}")]).unwrap();
        let [named, node, file] = ["scenes", "scenes:down.1", "nets/f.safetensors:pool"].map(of);
        assert_eq!((named.absolute().unwrap(), node.absolute().unwrap()), (named.clone(), node.clone()));
        let absolute = file.absolute().unwrap().score.features;
        assert!(Path::new(&absolute).is_absolute() && absolute.ends_with("/nets/f.safetensors:pool"), "{absolute}");
        // Whether it is the same network, its weights say.
        assert!(file.differences(&of("/elsewhere/f.safetensors:pool")).is_empty());
        assert_eq!(named.differences(&node).len(), 1);
        assert_eq!(named.differences(&file).len(), 1);
    }

    #[test]
    fn files_may_move_and_what_is_built_in_is_what_it_is() {
        let [here, there, scenes] =
            ["photos", "/elsewhere/photos", "scenes"].map(|d| set(&[&format!("data={d}")]).unwrap());
        assert!(here.differences(&there).is_empty() && here.hash() == there.hash());
        assert_eq!(here.differences(&scenes), ["data: \"photos\" -> \"scenes\""]);
        assert_ne!(here.hash(), scenes.hash());
        let absolute = here.absolute().unwrap().data;
        assert!(Path::new(&absolute).is_absolute() && absolute.ends_with("photos"), "{absolute}");
        assert_eq!((there.absolute().unwrap(), scenes.absolute().unwrap()), (there, scenes));
    }
}
