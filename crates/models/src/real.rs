//! Real images to put beside generated ones.

use data::{Channels, Dataset, Options, Size};
use net::Result;

/// Opens a source as images of a generator's shape `[channels, height, width]`.
///
/// # Errors
/// The source cannot be opened.
pub fn open_real(name: &str, shape: [usize; 3]) -> Result<Dataset> {
    let channels = if shape[0] == 1 { Channels::Grey } else { Channels::Rgb };
    Ok(data::open(name, &Options { size: Some(Size::of(shape)), channels, ..Options::default() })?)
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
        let set = open_real("scenes", [1, 48, 80]).unwrap();
        assert_eq!((set.shape(), real_count(&set, 7)), (&[1, 48, 80][..], 7));
    }
}
