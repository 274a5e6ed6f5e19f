//! Numbers of networks that others believe.

use crate::{Error, Result, Tensor};
use std::path::Path;

/// Refuses what a network gives where it is not finite: what is counted or compared then means nothing. `path` is the network's file,
/// where it has one; `what` it gives is a plural, such as `images`.
///
/// # Errors
/// An element is NaN or infinite: the message names the file.
pub fn check_finite(path: Option<&Path>, what: &str, values: &[Tensor]) -> Result<()> {
    let Some(value) = values.iter().find_map(Tensor::not_finite) else { return Ok(()) };
    let reason = format!("gives {what} with numbers that are not finite ({value})");
    let hint = "Its weights are damaged, or its training went wrong: take another file or checkpoint.".to_owned();
    Err(match path {
        Some(path) => Error::Model { path: path.to_owned(), reason, hint: Some(hint) },
        None => Error::Graph(format!("the network {reason}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Device;

    #[test]
    fn the_first_number_that_is_not_finite_is_found_wherever_it_is() {
        for place in [0, 1, 4095, 4096, 9998] {
            let mut values = vec![1.0; 10_000];
            values[place] = f32::NEG_INFINITY;
            values[9999] = f32::NAN;
            let tensor = Tensor::new(&[10_000], values, &Device::cpu());
            assert_eq!(tensor.not_finite(), Some(f32::NEG_INFINITY), "{place}");
        }
    }

    #[test]
    fn the_file_and_the_number_are_named() {
        let tensor = |last: f32| {
            let mut values = vec![0.5; 10_000];
            values[9_999] = last;
            Tensor::new(&[10_000], values, &Device::cpu())
        };
        check_finite(None, "images", &[tensor(f32::MAX), tensor(f32::MIN)]).unwrap();
        let said =
            |last| check_finite(Some(Path::new("m")), "images", &[tensor(0.0), tensor(last)]).unwrap_err().to_string();
        assert_eq!(said(f32::NAN), "m: gives images with numbers that are not finite (NaN)");
        assert_eq!(said(f32::NEG_INFINITY), "m: gives images with numbers that are not finite (-inf)");
        let unnamed = check_finite(None, "logits", &[tensor(f32::INFINITY)]).unwrap_err().to_string();
        assert_eq!(unnamed, "the network gives logits with numbers that are not finite (inf)");
    }
}
