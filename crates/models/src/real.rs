//! Real images to put beside generated ones.

use base::Error;
use data::{Channels, Dataset, Options};
use net::Result;

/// Opens a source as images of a generator's shape `[channels, height, width]`. `role` is the setting by which it was asked for:
/// `real`, `nearest`.
///
/// # Errors
/// The generator's images are not square, or the source cannot be opened.
pub fn open_real(name: &str, role: &str, [channels, height, width]: [usize; 3]) -> Result<Dataset> {
    if height != width {
        let reason = format!("the generator's images are not square ({width}x{height})");
        return Err(Error::setting(role, reason).into());
    }
    let channels = if channels == 1 { Channels::Grey } else { Channels::Rgb };
    Ok(data::open(name, &Options { size: Some(height), channels, ..Options::default() })?)
}

/// How many real images are used where nobody says: as many as generated ones, or all there are.
pub fn real_count(real: &Dataset, samples: u64) -> u64 {
    samples.min(real.len().map_or(u64::MAX, |n| n as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_images_have_the_generators_shape() {
        let set = open_real("scenes", "real", [1, 32, 32]).unwrap();
        assert_eq!((set.shape(), real_count(&set, 7)), (&[1, 32, 32][..], 7));
        let error = open_real("scenes", "nearest", [3, 48, 80]).err().unwrap();
        assert_eq!(error.to_string(), "nearest: the generator's images are not square (80x48)");
    }
}
