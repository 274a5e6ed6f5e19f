//! Statistics in `.npz` archives, as pytorch-fid, TTUR and EDM write and read them: the keys `mu` and `sigma`.
//!
//! What those files do not say lies beside them in keys of its own, which other programs pass over: `samples` (`i8`), and as UTF-8 in `u1`
//! `divisor`, `extractor`, `weights` and `resize`.

#![warn(clippy::indexing_slicing)]

use super::{Divisor, Statistics};
use base::npy::{Array, Elements, Npz, write_npz};
use base::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How features were made, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The feature network by name.
    pub extractor: Option<String>,
    /// The hash of its weights.
    pub weights: Option<String>,
    /// How images were brought to its size.
    pub resize: Option<String>,
}

/// Statistics with what is known of how they were made.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Mean and covariance.
    pub statistics: Statistics,
    /// How the features were made.
    pub made: Made,
}

impl Stored {
    /// What the file did not say. A figure computed with it may have been made otherwise than one thinks: tell people.
    pub fn unknown(&self) -> Vec<&'static str> {
        let known = [
            ("samples", self.statistics.samples.is_some()),
            ("divisor", self.statistics.divisor.is_some()),
            ("extractor", self.made.extractor.is_some()),
            ("weights", self.made.weights.is_some()),
            ("resize", self.made.resize.is_some()),
        ];
        known.into_iter().filter(|(_, is_known)| !is_known).map(|(key, _)| key).collect()
    }

    /// Writes an `.npz`, atomically.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let Statistics { mean, covariance, samples, divisor } = &self.statistics;
        let n = mean.len();
        let mut arrays = vec![
            ("mu", Array { shape: vec![n], data: Elements::F64(mean.clone()) }),
            ("sigma", Array { shape: vec![n, n], data: Elements::F64(covariance.clone()) }),
        ];
        if let Some(samples) = samples {
            arrays.push(("samples", Array { shape: vec![], data: Elements::I64(vec![*samples as i64]) }));
        }
        let texts = [
            ("divisor", divisor.map(|divisor| divisor.name().to_owned())),
            ("extractor", self.made.extractor.clone()),
            ("weights", self.made.weights.clone()),
            ("resize", self.made.resize.clone()),
        ];
        for (key, text) in texts {
            let bytes = text.map(String::into_bytes);
            arrays.extend(bytes.map(|text| (key, Array { shape: vec![text.len()], data: Elements::U8(text) })));
        }
        write_npz(path, &arrays.iter().map(|(key, array)| (*key, array)).collect::<Vec<_>>())
    }

    /// Reads an `.npz`.
    ///
    /// # Errors
    /// The file cannot be read, lacks `mu` or `sigma`, or they are no mean and covariance.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let npz = Npz::open(path)?;
        let array = |key: &str| match npz.names().iter().position(|name| name == key) {
            Some(place) => npz.read(place).map(Some),
            None => Ok(None),
        };
        let numbers = |key: &str| -> Result<(Vec<usize>, Vec<f64>)> {
            let Some(found) = array(key)? else {
                let held = npz.names().iter().take(8).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
                return Err(Error::file(path, format!("holds no array {key:?}, but {held}")).with_hint(
                    "Statistics of features have a mean `mu` and a covariance `sigma`, as pytorch-fid writes them.",
                ));
            };
            match found.data {
                Elements::F64(values) => Ok((found.shape, values)),
                Elements::F32(values) => Ok((found.shape, values.into_iter().map(f64::from).collect())),
                _ => Err(Error::file(path, format!("{key:?} holds whole numbers"))),
            }
        };
        let ((mean_shape, mean), (shape, covariance)) = (numbers("mu")?, numbers("sigma")?);
        if mean_shape != [mean.len()] || shape != [mean.len(), mean.len()] {
            return Err(Error::file(
                path,
                format!("\"mu\" has shape {mean_shape:?} and \"sigma\" {shape:?}; [d] and [d, d] are read"),
            ));
        }
        let text = |key: &str| -> Result<Option<String>> {
            match array(key)?.map(|found| found.data) {
                None => Ok(None),
                Some(Elements::U8(bytes)) => Ok(String::from_utf8(bytes).ok()),
                Some(_) => Err(Error::file(path, format!("{key:?} is no text (UTF-8 as u1)"))),
            }
        };
        let samples = match array("samples")?.map(|found| found.data) {
            Some(Elements::I64(values)) => values.first().and_then(|&n| u64::try_from(n).ok()),
            _ => None,
        };
        let divisor = match text("divisor")?.as_deref() {
            Some("N-1") => Some(Divisor::SamplesLessOne),
            Some("N") => Some(Divisor::Samples),
            Some(other) => return Err(Error::file(path, format!("the divisor is {other:?}; N-1 and N are read"))),
            None => None,
        };
        let statistics = Statistics::new(mean, covariance, samples, divisor).map_err(|error| match error {
            Error::Setting { reason, hint, .. } => Error::File { path: path.to_owned(), reason, hint },
            other => other,
        })?;
        Ok(Self {
            statistics,
            made: Made { extractor: text("extractor")?, weights: text("weights")?, resize: text("resize")? },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Stored {
        let statistics =
            Statistics::new(vec![1.0, -2.0], vec![2.0, 0.5, 0.5, 1.0], Some(50_000), Some(Divisor::SamplesLessOne));
        let made = Made { extractor: Some("scenes".into()), weights: Some("blake3:00ff".into()), resize: None };
        Stored { statistics: statistics.unwrap(), made }
    }

    #[test]
    fn what_was_written_comes_back_with_how_it_was_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        stored().write(&path).unwrap();
        let back = Stored::read(&path).unwrap();
        assert_eq!(back, stored());
        assert_eq!(back.unknown(), ["resize"]);
    }

    #[test]
    fn a_file_of_others_is_read_and_what_it_lacks_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let mu = Array::f32(vec![1], vec![0.5]);
        let sigma = Array { shape: vec![1, 1], data: Elements::F64(vec![2.0]) };
        write_npz(&path, &[("mu", &mu), ("sigma", &sigma)]).unwrap();
        let found = Stored::read(&path).unwrap();
        assert_eq!((found.statistics.mean(), found.statistics.covariance()), (&[0.5][..], &[2.0][..]));
        assert_eq!(found.unknown(), ["samples", "divisor", "extractor", "weights", "resize"]);
    }

    #[test]
    fn what_is_no_statistics_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let f64s =
            |shape: &[usize], values: &[f64]| Array { shape: shape.to_vec(), data: Elements::F64(values.to_vec()) };
        let message = |arrays: &[(&str, &Array)]| {
            write_npz(&path, arrays).unwrap();
            let message = Stored::read(&path).unwrap_err().to_string();
            message.rsplit_once("a.npz: ").unwrap().1.to_owned()
        };
        let (mu, sigma) = (f64s(&[1], &[0.0]), f64s(&[1, 1], &[-1.0]));
        assert_eq!(message(&[("mu", &mu), ("latents", &mu)]), "holds no array \"sigma\", but \"mu\", \"latents\"");
        assert_eq!(
            message(&[("mu", &mu), ("sigma", &mu)]),
            "\"mu\" has shape [1] and \"sigma\" [1]; [d] and [d, d] are read"
        );
        assert_eq!(message(&[("mu", &mu), ("sigma", &f64s(&[1, 1], &[f64::NAN]))]), "hold the number NaN");
        assert_eq!(
            message(&[("mu", &f64s(&[2], &[0.0; 2])), ("sigma", &f64s(&[2, 2], &[1.0, 0.5, -0.5, 1.0]))]),
            "the covariance is not symmetric: -0.5 at (1, 0), 0.5 at (0, 1)"
        );
        assert_eq!(
            message(&[("mu", &f64s(&[2], &[0.0; 2])), ("sigma", &f64s(&[2, 2], &[1.0, 2.0, 2.0, 1.0]))]),
            "numbers 1 and 0 have a covariance of 2, above 1, which their variances allow"
        );
        assert_eq!(message(&[("mu", &mu), ("sigma", &sigma)]), "variance 0 is -1");
        assert_eq!(
            message(&[("mu", &mu), ("sigma", &f64s(&[1, 1], &[1.0])), ("divisor", &mu)]),
            "\"divisor\" is no text (UTF-8 as u1)"
        );
    }
}
