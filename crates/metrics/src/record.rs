//! A figure with everything that it depends on: two figures may be compared only where all of that agrees.

use crate::fid::Fid;
use crate::inception_score::Score;
use crate::infinity::FidInfinity;
use crate::kid::Kid;
use crate::mind::Mind;
use crate::neighbourhood::Neighbourhoods;
use crate::path_length::PathLength;
use crate::rounding::Rounding;
use crate::summary::Interval;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A figure of features with its options.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "metric", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is what its type says")]
pub enum Figure {
    Fid(Fid),
    FidInfinity(FidInfinity),
    Kid(Kid),
    Mind(Mind),
    InceptionScore(Score),
    Neighbourhoods(Neighbourhoods),
    PathLength(PathLength),
}

impl Figure {
    /// The word that names of protocols begin with.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Fid(_) => "fid",
            Self::FidInfinity(_) => "fid_infinity",
            Self::Kid(_) => "kid",
            Self::Mind(_) => "mind",
            Self::InceptionScore(_) => "is",
            Self::Neighbourhoods(_) => "prdc",
            Self::PathLength(_) => "ppl",
        }
    }

    /// The same without what was found: what was asked for.
    fn asked(self) -> Self {
        match self {
            Self::Fid(f) => Self::Fid(Fid { value: 0.0, of_means: 0.0, ..f }),
            Self::FidInfinity(f) => {
                let interval = Interval { low: 0.0, high: 0.0 };
                Self::FidInfinity(FidInfinity { value: 0.0, at_all: 0.0, interval, ..f })
            }
            Self::Kid(f) => Self::Kid(Kid { value: 0.0, deviation: 0.0, ..f }),
            Self::Mind(f) => Self::Mind(Mind { value: 0.0, error_of_directions: 0.0, ..f }),
            Self::InceptionScore(f) => Self::InceptionScore(Score { value: 0.0, deviation: None, ..f }),
            Self::Neighbourhoods(f) => {
                Self::Neighbourhoods(Neighbourhoods { precision: 0.0, recall: 0.0, density: 0.0, coverage: 0.0, ..f })
            }
            Self::PathLength(f) => Self::PathLength(PathLength { value: 0.0, deviation: 0.0, kept: 0, ..f }),
        }
    }
}

/// How images became features.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extraction {
    /// The feature network by name, such as `inception-2015-12-05`. It fixes which range of numbers it is given.
    pub extractor: String,
    /// The hash of its weights.
    pub weights: String,
    /// How images were brought to its size: `tf1`, `clean`, `none`. The same images may differ by 6 FID between two rules.
    pub resize: String,
}

/// Which images of a set were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// All of them.
    All,
    /// Those that come first.
    First,
    /// By chance.
    Random {
        /// Seed of the draw.
        seed: u64,
    },
}

/// A set of images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    /// Its name, or a hash of what is in it.
    pub set: String,
    /// Part of the data set, such as `train`, where it has parts.
    pub split: Option<String>,
    /// Whether each image was taken mirrored as well.
    pub mirrored: bool,
    /// Which of them were taken.
    pub choice: Choice,
    /// How many.
    pub count: u64,
    /// Height and width to which they were brought before the feature network saw them, as training does; none: as they are.
    #[serde(default)]
    pub size: Option<[usize; 2]>,
    /// How numbers became bytes, where images were not bytes before.
    pub rounding: Option<Rounding>,
    /// Whether they come from files that lose something, such as JPEG: the loss moves distances.
    pub lossy: bool,
}

/// One line of a file of figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The protocol: `fid50k_full`.
    pub name: String,
    /// What was found, with its options.
    pub figure: Figure,
    /// How features were made.
    pub extraction: Extraction,
    /// The generated images.
    pub generated: Images,
    /// The real images; none for figures without.
    pub real: Option<Images>,
    /// Which model, as a hash; it may differ between figures that are compared.
    pub model: Option<String>,
    /// Version of the program; it may differ.
    pub code: String,
}

impl Record {
    /// The name of the protocol: metric, generated images (in thousands where they are whole), and `_full` where all real ones were taken. That of
    /// a path length says where the steps are, as `StyleGAN` does: `ppl10k_zfull`.
    pub fn protocol(figure: &Figure, generated: u64, real: Option<Choice>) -> String {
        let count = if generated > 0 && generated.is_multiple_of(1000) {
            format!("{}k", generated / 1000)
        } else {
            format!("_{generated}")
        };
        let end = match figure {
            Figure::PathLength(path) => format!("_{}{}", path.options.space.name(), path.options.places.name()),
            _ if real == Some(Choice::All) => "_full".to_owned(),
            _ => String::new(),
        };
        format!("{}{count}{end}", figure.word())
    }

    /// Where two records differ in more than what was found, the model and the program: `/real/split`. Their figures may be compared only
    /// if there is nothing.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let recipe = |record: &Self| {
            let generated = Images { set: String::new(), ..record.generated.clone() };
            let (model, code) = (None, String::new());
            serde_json::to_value(Self { figure: record.figure.asked(), generated, model, code, ..record.clone() })
        };
        match (recipe(self), recipe(other)) {
            (Ok(a), Ok(b)) => {
                let mut found = Vec::new();
                compare(&a, &b, "", &mut found);
                found
            }
            // A number that JSON does not know is like no other.
            _ => vec![String::from("/figure")],
        }
    }
}

fn compare(a: &Value, b: &Value, path: &str, found: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, one) in a {
                compare(one, b.get(key).unwrap_or(&Value::Null), &format!("{path}/{key}"), found);
            }
            let only = b.keys().filter(|key| !a.contains_key(*key) && !b[*key].is_null());
            found.extend(only.map(|key| format!("{path}/{key}")));
        }
        _ if a == b => {}
        _ => found.push(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kid::{Estimator, Options};
    use crate::path_length;
    use crate::statistics::Divisor;

    fn record(value: f64) -> Record {
        let fid = Fid {
            value,
            of_means: 0.5 * value,
            width: 2048,
            generated: Some(50_000),
            real: Some(50_000),
            divisor: Some(Divisor::SamplesLessOne),
        };
        let images = |set: &str, choice| Images {
            set: set.into(),
            split: None,
            mirrored: false,
            choice,
            count: 50_000,
            size: None,
            rounding: Some(Rounding::Nearest),
            lossy: false,
        };
        let figure = Figure::Fid(fid);
        Record {
            name: Record::protocol(&figure, 50_000, Some(Choice::All)),
            figure,
            extraction: Extraction { extractor: "scenes".into(), weights: "00ff".into(), resize: "none".into() },
            generated: images("run 1", Choice::First),
            real: Some(images("cifar10", Choice::All)),
            model: Some("aa".into()),
            code: "0.1.0".into(),
        }
    }

    #[test]
    fn another_model_may_be_compared_and_another_recipe_may_not() {
        let one = record(3.0);
        let mut other = record(4.0);
        (other.model, other.generated.set) = (Some("bb".into()), "run 2".into());
        assert_eq!(one.differences(&other), [""; 0]);
        other.extraction.resize = "clean".into();
        other.real.as_mut().unwrap().mirrored = true;
        assert_eq!(one.differences(&other), ["/extraction/resize", "/real/mirrored"]);
        other.real = None;
        assert_eq!(one.differences(&other), ["/extraction/resize", "/real"]);
        if let Figure::Fid(fid) = &mut other.figure {
            fid.divisor = Some(Divisor::Samples);
        }
        assert_eq!(one.differences(&other)[0], "/figure/divisor");
    }

    #[test]
    fn options_of_a_figure_are_compared() {
        let kid = |options| Figure::Kid(Kid { value: 1.0, deviation: 2.0, options, width: 3, generated: 4, real: 5 });
        let one = Record { figure: kid(Options::default()), ..record(1.0) };
        let biased = Options { estimator: Estimator::Biased, ..Options::default() };
        let other = Record { figure: kid(biased), ..record(1.0) };
        assert_eq!(one.differences(&other), ["/figure/options/estimator"]);
        assert!(one.differences(&record(1.0)).contains(&"/figure/metric".to_owned()));
    }

    #[test]
    fn a_record_is_one_line_that_comes_back() {
        let line = serde_json::to_string(&record(3.0)).unwrap();
        assert!(line.starts_with(r#"{"name":"fid50k_full","figure":{"metric":"fid","value":3.0,"#), "{line}");
        assert!(line.contains(r#""divisor":"N-1""#) && !line.contains('\n'));
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record(3.0));
        assert_eq!(Record::protocol(&record(1.0).figure, 1500, None), "fid_1500");
        let options = path_length::Options { space: path_length::Space::W, ..path_length::Options::default() };
        let path = PathLength { value: 1.0, deviation: 1.0, options, width: 3, pairs: 2000, kept: 1961 };
        assert_eq!(Record::protocol(&Figure::PathLength(path), 2000, None), "ppl2k_wfull");
    }
}
