//! Figures by their names, what each needs, and how it is computed.

use crate::{Divisor, Gathered, Vectors, Wanted};
use base::{Error, Malformed, Result, known_names};
use metrics::features::{Generated, Real};
use metrics::infinity::fid_infinity;
use metrics::record::Figure;
use metrics::statistics::Statistics;
use metrics::{fid, inception_score, infinity, kid, mind, neighbourhood, path_length};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A figure that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The Fréchet distance.
    Fid,
    /// It at infinitely many generated images, with its interval.
    FidInfinity,
    /// The kernel distance.
    Kid,
    /// The Inception score: of the classes that the network tells.
    Is,
    /// Precision, recall, density and coverage.
    Prdc,
    /// The sliced Wasserstein distance of features.
    Mind,
    /// The path length: how far images are apart when latents are a little apart.
    Ppl,
}

/// What can be chosen of each figure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// What covariances are divided by.
    pub divisor: Divisor,
    /// Of the distance at infinitely many images.
    pub infinity: infinity::Options,
    /// Of the kernel distance.
    pub kid: kid::Options,
    /// Of the Inception score.
    pub score: inception_score::Options,
    /// Of precision and its kin.
    pub neighbourhood: neighbourhood::Options,
    /// Of the sliced distance.
    pub mind: mind::Options,
    /// Of the path length.
    pub path: path_length::Options,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Fid, Self::FidInfinity, Self::Kid, Self::Is, Self::Prdc, Self::Mind, Self::Ppl];

    /// Its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fid => "fid",
            Self::FidInfinity => "fid-infinity",
            Self::Kid => "kid",
            Self::Is => "is",
            Self::Prdc => "prdc",
            Self::Mind => "mind",
            Self::Ppl => "ppl",
        }
    }

    /// Whether it compares with real images.
    pub fn compares(self) -> bool {
        !matches!(self, Self::Is | Self::Ppl)
    }

    /// What it needs of the generated images and of the real ones.
    pub(crate) fn needs(self, options: &Options) -> [Wanted; 2] {
        let none = Wanted::default();
        let statistics = Wanted { statistics: true, ..none };
        let features = Wanted { features: true, ..none };
        match self {
            Self::Fid => [statistics; 2],
            Self::FidInfinity => [Wanted { groups: Some(options.infinity.groups), ..none }, statistics],
            Self::Kid | Self::Prdc | Self::Mind => [features; 2],
            Self::Is => [Wanted { logits: true, ..none }, none],
            // Of steps, not of images.
            Self::Ppl => [none; 2],
        }
    }

    /// The figure of what was gathered.
    ///
    /// # Errors
    /// Something that it needs is not there, or those of the figure.
    pub(crate) fn of(self, generated: &Given, real: Option<&Given>, options: &Options) -> Result<Figure> {
        let reference = || {
            real.ok_or_else(|| {
                Error::setting("reference", format!("is missing: {self} compares with real images"))
                    .with_hint("Name the real images by `reference`; the figures `is` and `ppl` do without.")
            })
        };
        Ok(match self {
            Self::Fid => {
                let (x, y) = (generated.statistics(self)?, reference()?.statistics(self)?);
                Figure::Fid(fid::fid(Generated(x), Real(y))?)
            }
            Self::FidInfinity => {
                let groups = generated
                    .gathered
                    .groups
                    .as_ref()
                    .ok_or_else(|| generated.lacks(self, "the features of every image"))?;
                let real = reference()?.statistics(self)?;
                Figure::FidInfinity(fid_infinity(Generated(groups), Real(real), options.infinity.confidence)?)
            }
            Self::Kid => {
                let (x, y) = (generated.features(self)?, reference()?.features(self)?);
                let (x, y) = (Generated(x.features("generated features")?), Real(y.features("real features")?));
                Figure::Kid(kid::kid(x, y, options.kid)?)
            }
            Self::Prdc => {
                let (x, y) = (generated.features(self)?, reference()?.features(self)?);
                let (x, y) = (Generated(x.features("generated features")?), Real(y.features("real features")?));
                Figure::Neighbourhoods(neighbourhood::neighbourhoods(x, y, options.neighbourhood)?)
            }
            Self::Mind => {
                let (x, y) = (generated.features(self)?, reference()?.features(self)?);
                let (x, y) = (Generated(x.features("generated features")?), Real(y.features("real features")?));
                Figure::Mind(mind::mind(x, y, options.mind)?)
            }
            Self::Is => {
                let logits = generated.gathered.logits.as_ref().ok_or_else(|| generated.lacks(self, "logits"))?;
                Figure::InceptionScore(inception_score::from_logits(&logits.features("logits")?, options.score)?)
            }
            Self::Ppl => {
                let [from, to] = generated.steps.as_ref().ok_or_else(|| crate::steps::missing(&generated.name))?;
                let (from, to) = (from.features("features of steps")?, to.features("features of ends of steps")?);
                Figure::PathLength(path_length::path_length(&from, &to, options.path)?)
            }
        })
    }
}

/// What was gathered of one side, with what messages call it.
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) gathered: Gathered,
    /// The features at both ends of steps, where they were wanted.
    pub(crate) steps: Option<[Vectors; 2]>,
}

impl Given {
    fn statistics(&self, metric: Metric) -> Result<&Statistics> {
        self.gathered.statistics.as_ref().ok_or_else(|| self.lacks(metric, "more than one image"))
    }

    fn features(&self, metric: Metric) -> Result<&Vectors> {
        self.gathered.features.as_ref().ok_or_else(|| self.lacks(metric, "the features of every image"))
    }

    fn lacks(&self, metric: Metric, what: &str) -> Error {
        Error::file(&self.name, format!("does not hold what the figure {metric:?} needs: {what}", metric = metric.name()))
            .with_hint("Give images. Of features in an .npy all but `is` and `ppl` can be computed, of mean and covariance in an .npz fid alone.")
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|metric| metric.name() == text).ok_or_else(|| {
            let cure = known_names(text, "figures", Self::ALL.map(Self::name));
            Malformed::new("metrics", format!("{text:?} is not known. {cure}"))
        })
    }
}
