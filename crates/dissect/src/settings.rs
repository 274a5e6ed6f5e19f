//! What a dissection is asked for.

use base::{Error, Malformed, Result};
use serde::{Deserialize, Serialize};

/// How the level above which a unit counts as on is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The level that a fixed share of all pixels exceeds (Bau et al. 2020; top 1 %).
    #[default]
    Quantile,
    /// The level with the largest information quality ratio with some label (Bau et al., arXiv 1811.10597).
    Iqr,
}

/// The settings of one dissection. Two dissections with the same settings, model and segmenter are the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Images that are counted: those of the seeds `seed .. seed + samples`.
    pub samples: u64,
    /// The first seed.
    pub seed: u64,
    /// Images from which levels and mean activations are taken; never the counted ones.
    pub fit_samples: u64,
    /// How levels are chosen.
    pub rule: Rule,
    /// Share of pixels above the level under [`Rule::Quantile`], in (0, 1).
    pub top: f64,
    /// A unit is interpretable only with an `IoU` above this.
    pub min_iou: f64,
    /// And with an information quality ratio above this.
    pub min_iqr: f64,
    /// And, where below 1, with a false-discovery rate of at most this against the chance level.
    pub max_fdr: f64,
    /// Real images whose classes are compared with the generated ones'; 0 for none.
    pub real_samples: u64,
    /// Top images that are kept of each unit.
    pub top_images: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            samples: 10_000,
            seed: 0,
            fit_samples: 1000,
            rule: Rule::Quantile,
            top: 0.01,
            min_iou: 0.05,
            min_iqr: 0.0,
            max_fdr: 0.05,
            real_samples: 0,
            top_images: 8,
        }
    }
}

/// The names of the presets.
pub const PRESETS: [&str; 2] = ["iclr2019", "pnas2020"];

/// Images of each kind that are looked at, at most: weeks of work.
const MOST_IMAGES: u64 = 1 << 32;
/// Where the seeds of counted images end; behind them lie those of the pools of a search for causes.
const END_OF_SEEDS: u64 = 1 << 36;
/// Where the fitting seeds begin: far beyond any that people count.
const FIT_SEEDS: u64 = 1 << 40;
/// Top images of a unit at most.
const MOST_TOP_IMAGES: usize = 64;

impl Settings {
    /// The settings of a publication: `iclr2019` (level by information quality, `IoU` > 0.05 and ratio > 0.01; arXiv
    /// 1811.10597 and its code) or `pnas2020` (top 1 %, `IoU` > 0.04). Neither has a chance level.
    ///
    /// # Errors
    /// There is no such preset.
    pub fn preset(name: &str) -> Result<Self> {
        let base = Self { max_fdr: 1.0, ..Self::default() };
        match name {
            "iclr2019" => Ok(Self { rule: Rule::Iqr, min_iou: 0.05, min_iqr: 0.01, ..base }),
            "pnas2020" => Ok(Self { rule: Rule::Quantile, top: 0.01, min_iou: 0.04, ..base }),
            _ => Err(Error::setting("preset", format!("there is no preset {name:?}"))
                .with_hint(base::known_names(name, "presets", PRESETS))),
        }
    }

    /// Refuses what cannot be done.
    ///
    /// # Errors
    /// A number is out of its range.
    pub fn check(&self) -> Result<()> {
        let wrong = |key: &str, reason: &str| Err(Error::setting(key, reason));
        if self.samples == 0 {
            return wrong("samples", "is 0; at least 1 image must be counted");
        }
        if self.fit_samples == 0 {
            return wrong("fit_samples", "is 0; the levels are taken from at least 1 image");
        }
        let counts =
            [("samples", self.samples), ("fit_samples", self.fit_samples), ("real_samples", self.real_samples)];
        if let Some((key, n)) = counts.into_iter().find(|(_, n)| *n > MOST_IMAGES) {
            return wrong(key, &format!("is {n}; at most {MOST_IMAGES} images are looked at"));
        }
        if self.top_images > MOST_TOP_IMAGES {
            return wrong("top_images", &format!("is {}; at most {MOST_TOP_IMAGES} are kept", self.top_images));
        }
        if !(self.top > 0.0 && self.top < 1.0) {
            return wrong("top", &format!("is {}; it is a share of the pixels, above 0 and below 1", self.top));
        }
        for (key, value) in [("min_iou", self.min_iou), ("min_iqr", self.min_iqr), ("max_fdr", self.max_fdr)] {
            if !(0.0..=1.0).contains(&value) {
                return wrong(key, &format!("is {value}; it lies in 0 to 1"));
            }
        }
        if self.seed.checked_add(self.samples).is_none_or(|end| end > END_OF_SEEDS) {
            return wrong("seed", &format!("seeds from {END_OF_SEEDS} on are those of images that are not counted"));
        }
        Ok(())
    }

    /// The seeds of the fitting images.
    pub(crate) fn fit_seeds(&self) -> std::ops::Range<u64> {
        FIT_SEEDS + self.seed..FIT_SEEDS + self.seed + self.fit_samples
    }
}

/// Which part of the samples a process counts: `index` of `of`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// 1 to `of`.
    pub index: u64,
    /// How many there are.
    pub of: u64,
}

impl Shard {
    /// All samples.
    pub const WHOLE: Self = Self { index: 1, of: 1 };

    /// How many of `all` groups it counts.
    pub(crate) fn count(self, all: u64) -> u64 {
        if all < self.index { 0 } else { (all - self.index) / self.of + 1 }
    }

    /// The groups of `all` that it counts, by number, the first `done` of them left out.
    pub(crate) fn groups(self, all: u64, done: u64) -> impl Iterator<Item = u64> {
        (done..self.count(all)).map(move |place| self.index - 1 + place * self.of)
    }

    /// Whether there is such a shard.
    pub(crate) fn exists(self) -> bool {
        (1..=self.of).contains(&self.index)
    }
}

impl std::str::FromStr for Shard {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let wrong = |reason: String| Err(Malformed::new("shard", reason));
        let parsed = text.split_once('/').and_then(|(i, n)| Some((i.trim().parse().ok()?, n.trim().parse().ok()?)));
        match parsed {
            Some((index, of)) if (Self { index, of }).exists() => Ok(Self { index, of }),
            Some((index, of)) => {
                wrong(format!("there is no shard {index} of {of}; shards are counted from 1/{of} to {of}/{of}"))
            }
            None => wrong(format!("{text:?} is not a shard: write 1/4")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_counted_from_1() {
        assert_eq!("2/3".parse::<Shard>().unwrap(), Shard { index: 2, of: 3 });
        for text in ["0/3", "4/3", "1", "a/b", "1/0", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        for (of, all) in (1..6).flat_map(|of| [0, 1, 3, 20].map(|all| (of, all))) {
            let mut groups: Vec<u64> = (1..=of).flat_map(|index| Shard { index, of }.groups(all, 0)).collect();
            groups.sort_unstable();
            assert_eq!(groups, (0..all).collect::<Vec<_>>(), "each group is counted once");
            assert!((1..=of).all(|index| {
                let shard = Shard { index, of };
                shard.groups(all, 0).count() as u64 == shard.count(all)
                    && shard.groups(all, 1).eq(shard.groups(all, 0).skip(1))
            }));
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let refused = |settings: Settings| settings.check().unwrap_err().to_string();
        assert!(refused(Settings { samples: 0, ..Settings::default() }).starts_with("samples"));
        assert!(refused(Settings { top: 1.0, ..Settings::default() }).starts_with("top"));
        assert!(refused(Settings { min_iou: f64::NAN, ..Settings::default() }).starts_with("min_iou"));
        assert!(refused(Settings { seed: u64::MAX, ..Settings::default() }).starts_with("seed"));
        let many = 1_000_000_000_000;
        assert_eq!(
            refused(Settings { samples: many, ..Settings::default() }),
            "samples: is 1000000000000; at most 4294967296 images are looked at"
        );
        assert!(
            refused(Settings { real_samples: many, ..Settings::default() })
                .starts_with("real_samples: is 1000000000000;")
        );
        assert!(refused(Settings { fit_samples: many, ..Settings::default() }).starts_with("fit_samples"));
        assert!(refused(Settings { top_images: 65, ..Settings::default() }).starts_with("top_images"));
        assert!(Settings::default().check().is_ok());
        assert!(PRESETS.iter().all(|name| Settings::preset(name).unwrap().check().is_ok()));
        assert!(Settings::preset("x").is_err());
    }
}
