//! The settings of a run: presets, files, overrides, checks, differences.

use crate::{Loss, Selection};
use base::{Error, Result};
use net::Law;
use net::zoo::{GeneratorStart, Norm};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Everything that decides how a run goes, all resolved. Its TOML form is the run folder's `config.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The preset that the other values started from.
    pub preset: String,
    /// The data set: a built-in name or a path.
    pub data: String,
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
    /// Additional 3x3 convolutions at 8 and 16 pixels in a DCGAN generator.
    pub extra: bool,
    /// Minibatch standard deviation at the end of a DCGAN discriminator.
    pub minibatch_std: bool,

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
    /// Whether the mutations of a parent share their noise.
    pub noise: Noise,
    /// Whether all children are judged on the same noise.
    pub eval_noise: Noise,
    /// What D learns against: the survivors' evaluation images, or new ones.
    pub fakes: Fakes,

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

    /// The images.
    pub image: ImageSettings,
    /// Gradient penalties on D, by weight; 0: none.
    pub penalty: PenaltySettings,
    /// What is written, and how often.
    pub log: LogSettings,
}

/// Size and kind of the images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSettings {
    /// Pixels on a side.
    pub size: usize,
    /// 1 or 3; 0: as the data are.
    pub channels: usize,
    /// Whether reals are mirrored at random.
    pub flip: bool,
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
    /// A grid of samples.
    pub samples: u64,
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$variant_doc])* $variant),* }
    };
}

choice!(
    /// A family of networks.
    Family {
        /// Strided and transposed 4x4 convolutions.
        Dcgan,
        /// SNGAN's residual blocks.
        Residual,
        /// Upsampling and 3x3 convolutions, equalised learning rate.
        Progan,
        /// Three hidden layers, for points.
        Mlp
    }
);
choice!(
    /// What the quality of a child averages.
    Quality {
        /// `sigmoid(logit)`.
        Probability,
        /// The logit itself.
        Logit
    }
);
choice!(
    /// Which moments a child's Adam starts with.
    AdamPolicy {
        /// Its parent's.
        Inherit,
        /// Those of its mutation, which run over all evaluations.
        PerMutation,
        /// None.
        Fresh
    }
);
choice!(
    /// Whether noise is common.
    Noise {
        /// The same for all.
        Shared,
        /// Each its own.
        Independent
    }
);
choice!(
    /// The fakes of the discriminator's steps.
    Fakes {
        /// The survivors' evaluation images, as the releases do.
        Evaluation,
        /// New ones for every step.
        Fresh
    }
);
choice!(
    /// A differentiable augmentation.
    Augmentation {
        /// Brightness, saturation, contrast.
        Color,
        /// Shifts of up to an eighth of the side.
        Translation,
        /// A missing square of half the side.
        Cutout
    }
);

/// The names of the presets.
pub const PRESETS: [&str; 4] = ["paper", "theano", "pytorch", "modern"];

impl Settings {
    /// The values of a preset, for images (or for points where `points`).
    ///
    /// # Errors
    /// There is no such preset.
    pub fn preset(name: &str, points: bool) -> Result<Self> {
        let paper = Self {
            preset: name.to_owned(),
            data: String::new(),
            seed: 0,
            generations: 10_000,
            network: Family::Dcgan,
            width: 128,
            width_d: 128,
            latent: 100,
            latent_law: Law::Uniform,
            norm_g: Norm::None,
            norm_d: Norm::Batch,
            start: GeneratorStart::Linear,
            extra: false,
            minibatch_std: false,
            batch: 32,
            eval: 256,
            d_steps: 3,
            mu: 1,
            gamma: 0.01,
            mutations: vec![Loss::Minimax, Loss::Heuristic, Loss::LeastSquares],
            d_loss: Loss::Minimax,
            quality: Quality::Probability,
            selection: Selection::Fitness,
            adam: AdamPolicy::Inherit,
            noise: Noise::Shared,
            eval_noise: Noise::Shared,
            fakes: Fakes::Evaluation,
            lr_g: 2e-4,
            lr_d: 2e-4,
            beta1_g: 0.5,
            beta1_d: 0.5,
            beta2: 0.999,
            ema: 0.0,
            augment: Vec::new(),
            image: ImageSettings { size: 32, channels: 0, flip: false },
            penalty: PenaltySettings { gp: 0.0, r1: 0.0, r2: 0.0 },
            log: LogSettings { checkpoint: 500, keep: 3, samples: 250 },
        };
        let published = Self { noise: Noise::Independent, eval_noise: Noise::Independent, ..paper.clone() };
        let mut settings = match name {
            "paper" => paper,
            "theano" => Self { adam: AdamPolicy::PerMutation, gamma: 0.004, ..published },
            "pytorch" => Self {
                mutations: vec![Loss::Heuristic, Loss::LeastSquaresLogit, Loss::Minimax],
                start: GeneratorStart::Deconvolution,
                ..published
            },
            "modern" => Self {
                width: 64,
                width_d: 64,
                latent: 64,
                latent_law: Law::Normal,
                norm_g: Norm::Batch,
                norm_d: Norm::Spectral,
                extra: true,
                minibatch_std: true,
                eval: 64,
                d_steps: 1,
                gamma: 0.01,
                mutations: vec![Loss::Hinge, Loss::Heuristic, Loss::LeastSquaresLogit],
                d_loss: Loss::Hinge,
                beta1_g: 0.0,
                beta1_d: 0.0,
                lr_d: 4e-4,
                ema: 0.999,
                ..paper
            },
            _ => {
                return Err(Error::setting("preset", format!("there is no preset {name:?}"))
                    .with_hint(format!("Choose one of {}.", PRESETS.join(", "))));
            }
        };
        if points {
            // The toys of the Theano release.
            settings = Self {
                network: Family::Mlp,
                width: 512,
                width_d: 512,
                latent: 2,
                norm_g: Norm::None,
                norm_d: if name == "modern" { Norm::Spectral } else { Norm::Batch },
                batch: 64,
                eval: 256,
                d_steps: 1,
                gamma: if name == "pytorch" { settings.gamma } else { 2.0 },
                lr_g: 1e-4,
                lr_d: 1e-4,
                beta1_d: 0.0,
                ..settings
            };
        }
        Ok(settings)
    }

    /// A preset, then a file over it, then single settings `key=value` over both.
    ///
    /// # Errors
    /// A file that cannot be read, a key that does not exist (with the nearest one), a value of the wrong kind or range.
    pub fn resolve(preset: &Self, file: Option<&Path>, overrides: &[String]) -> Result<Self> {
        let mut table = preset.to_table();
        if let Some(path) = file {
            let given = read_table(path)?;
            for (key, value) in flatten(&given) {
                put(&mut table, &key, value).map_err(|e| match e {
                    Error::Setting { key, reason, hint } => {
                        Error::File { path: path.to_owned(), reason: format!("{key}: {reason}"), hint }
                    }
                    other => other,
                })?;
            }
        }
        for entry in overrides {
            let (key, text) = entry.split_once('=').ok_or_else(|| {
                Error::setting("--set", format!("{entry:?} is not of the form key=value"))
                    .with_hint("For example --set batch=16 or --set image.size=64.".to_string())
            })?;
            put(&mut table, key.trim(), value_of(text.trim()))?;
        }
        Self::from_table(table)
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

    /// Reads the resolved settings of a run.
    ///
    /// # Errors
    /// The text is not the `config.toml` of a run.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let table: toml::Table =
            text.parse().map_err(|e: toml::de::Error| Error::file(path, format!("is not TOML: {}", e.message())))?;
        Self::from_table(table).map_err(|e| Error::file(path, e.to_string()))
    }

    /// The `config.toml` of these settings.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }

    fn to_table(&self) -> toml::Table {
        toml::Table::try_from(self).unwrap_or_default()
    }

    fn from_table(table: toml::Table) -> Result<Self> {
        let settings: Self = table.try_into().map_err(|e: toml::de::Error| {
            let text = e.to_string();
            let key = text.lines().find_map(|l| l.strip_prefix("in `").and_then(|l| l.strip_suffix('`')));
            Error::setting(key.unwrap_or("settings"), e.message().replace('\n', " "))
        })?;
        settings.check()?;
        Ok(settings)
    }

    /// What differs between two settings, one line each: `key: here, there`; how long a run is and what it writes do not
    /// count.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let (mine, theirs) = (flatten(&self.to_table()), flatten(&other.to_table()));
        mine.iter()
            .zip(&theirs)
            .filter(|((key, a), (_, b))| a != b && key != "generations" && !key.starts_with("log."))
            .map(|((key, a), (_, b))| format!("{key}: {a}, now {b}"))
            .collect()
    }

    /// A short hash of everything that decides the result.
    pub fn hash(&self) -> String {
        let fixed: Vec<String> = flatten(&self.to_table())
            .into_iter()
            .filter(|(key, _)| key != "generations" && !key.starts_with("log."))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        blake3::hash(fixed.join("\n").as_bytes()).to_hex()[..16].to_owned()
    }

    fn check(&self) -> Result<()> {
        let wrong = |key: &str, reason: String, hint: &str| {
            let error = Error::setting(key, reason);
            Err(if hint.is_empty() { error } else { error.with_hint(hint.to_string()) })
        };
        let counts = [
            ("width", self.width, 4096),
            ("width_d", self.width_d, 4096),
            ("latent", self.latent, 65_536),
            ("batch", self.batch, 65_536),
            ("eval", self.eval, 65_536),
            ("d_steps", self.d_steps, 1000),
            ("mu", self.mu, 1000),
        ];
        for (key, value, most) in counts {
            if value == 0 || value > most {
                return wrong(key, format!("{value} is not between 1 and {most}"), "");
            }
        }
        for (key, value) in [("lr_g", self.lr_g), ("lr_d", self.lr_d)] {
            if !(value > 0.0 && value.is_finite()) {
                return wrong(key, format!("{value} is not a positive number"), "");
            }
        }
        let decays = [("beta1_g", self.beta1_g), ("beta1_d", self.beta1_d), ("beta2", self.beta2), ("ema", self.ema)];
        for (key, value) in decays {
            if !(0.0..1.0).contains(&value) {
                return wrong(key, format!("{value} is not in [0, 1)"), "");
            }
        }
        let weights = [
            ("gamma", self.gamma),
            ("penalty.gp", self.penalty.gp),
            ("penalty.r1", self.penalty.r1),
            ("penalty.r2", self.penalty.r2),
        ];
        for (key, value) in weights {
            if !(value >= 0.0 && value.is_finite()) {
                return wrong(key, format!("{value} is not zero or positive"), "");
            }
        }
        if self.mutations.is_empty() {
            return wrong("mutations", "there is none".into(), "Name at least one loss, such as [\"heuristic\"].");
        }
        if self.norm_g == Norm::Spectral {
            return wrong("norm_g", "spectral norm is for discriminators".into(), "Choose none, batch or pixel.");
        }
        if self.norm_d == Norm::Pixel {
            return wrong("norm_d", "pixel norm is for generators".into(), "Choose none, batch or spectral.");
        }
        if self.network != Family::Mlp {
            let size = self.image.size;
            if !(8..=1024).contains(&size) || !size.is_power_of_two() {
                return wrong("image.size", format!("{size} is not a power of two from 8 to 1024"), "Try 32 or 64.");
            }
            if !matches!(self.image.channels, 0 | 1 | 3) {
                return wrong(
                    "image.channels",
                    format!("{} is not 1 or 3 (or 0, as the data are)", self.image.channels),
                    "",
                );
            }
        }
        let fakes = self.batch * self.d_steps;
        if self.fakes == Fakes::Evaluation && self.selection.compares() && self.eval * self.mu < fakes {
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

fn read_table(path: &Path) -> Result<toml::Table> {
    let bytes = base::files::read(path, 1 << 20)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::file(path, "is not a text file"))?;
    text.parse().map_err(|e: toml::de::Error| {
        let line = e.span().map_or(1, |s| text[..s.start.min(text.len())].matches('\n').count() + 1);
        Error::file(path, format!("line {line}: {}", e.message().replace('\n', " ")))
    })
}

fn flatten(table: &toml::Table) -> Vec<(String, toml::Value)> {
    let mut flat = Vec::new();
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => {
                flat.extend(flatten(inner).into_iter().map(|(k, v)| (format!("{key}.{k}"), v)));
            }
            other => flat.push((key.clone(), other.clone())),
        }
    }
    flat
}

/// Replaces an existing value, a whole number standing in for a float.
fn put(table: &mut toml::Table, key: &str, value: toml::Value) -> Result<()> {
    let known: Vec<String> = flatten(table).into_iter().map(|(k, _)| k).collect();
    if !known.iter().any(|k| k == key) {
        let nearest = known.iter().min_by_key(|k| distance(k, key)).filter(|k| distance(k, key) <= 3);
        let hint = match nearest {
            Some(near) => format!("Did you mean {near}?"),
            None => format!("The settings are: {}.", known.join(", ")),
        };
        return Err(Error::setting(key, "there is no such setting").with_hint(hint));
    }
    let mut place = table;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            let value = match (place.get(part), value) {
                (Some(toml::Value::Float(_)), toml::Value::Integer(whole)) => toml::Value::Float(whole as f64),
                (_, value) => value,
            };
            place.insert(part.to_owned(), value);
            return Ok(());
        }
        let Some(toml::Value::Table(inner)) = place.get_mut(part) else { return Ok(()) };
        place = inner;
    }
    Ok(())
}

/// A value as people type it: TOML where it is TOML, `[a, b]` of bare words, else text.
fn value_of(text: &str) -> toml::Value {
    let parse = |text: &str| format!("v = {text}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v"));
    if let Some(value) = parse(text) {
        return value;
    }
    match text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        Some(list) => {
            let items = list.split(',').map(str::trim).filter(|t| !t.is_empty());
            toml::Value::Array(items.map(|t| toml::Value::String(t.trim_matches('"').to_owned())).collect())
        }
        None => toml::Value::String(text.to_owned()),
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let next = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(overrides: &[&str]) -> Result<Settings> {
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        Settings::resolve(&Settings::preset("paper", false).unwrap(), None, &overrides)
    }

    #[test]
    fn settings_survive_toml() {
        for preset in PRESETS {
            for points in [false, true] {
                let settings = Settings::preset(preset, points).unwrap();
                assert_eq!(Settings::parse(&settings.to_toml(), Path::new("c")).unwrap(), settings);
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
        assert_eq!((settings.batch, settings.lr_g, settings.image.size), (16, 1.0, 64));
        assert_eq!(settings.mutations, [Loss::Heuristic, Loss::Hinge]);
        assert_eq!(settings.norm_d, Norm::Spectral);
        assert_eq!(settings.augment, [Augmentation::Color]);
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_cure() {
        let message = |overrides: &[&str]| {
            let error = set(overrides).unwrap_err();
            format!("{error} | {}", error.hint().unwrap_or_default())
        };
        assert_eq!(message(&["bacth=16"]), "bacth: there is no such setting | Did you mean batch?");
        assert_eq!(message(&["image.sise=64"]), "image.sise: there is no such setting | Did you mean image.size?");
        assert_eq!(message(&["batch=0"]), "batch: 0 is not between 1 and 65536 | ");
        assert_eq!(message(&["lr_g=nan"]), "lr_g: NaN is not a positive number | ");
        assert_eq!(message(&["image.size=48"]), "image.size: 48 is not a power of two from 8 to 1024 | Try 32 or 64.");
        assert!(message(&["batch=-1"]).starts_with("batch: invalid value: integer `-1`"), "{}", message(&["batch=-1"]));
        assert!(message(&["selection=best"]).contains("unknown variant `best`, expected one of `fitness`"));
        assert!(message(&["eval=8"]).contains("Raise eval, or set fakes=fresh."));
        assert!(message(&["batch"]).contains("is not of the form key=value"));
    }

    #[test]
    fn differences_leave_out_length_and_log() {
        let (a, b) = (set(&[]).unwrap(), set(&["batch=16", "generations=5", "log.keep=1"]).unwrap());
        assert_eq!(a.differences(&b), ["batch: 32, now 16"]);
        assert_ne!(a.hash(), b.hash());
        assert_eq!(a.hash(), set(&["generations=5"]).unwrap().hash());
    }
}
