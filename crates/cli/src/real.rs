//! Real images to put beside generated ones.

use anyhow::Result;
use data::{Channels, Dataset, Options, Size};

/// Opens a source as images of a generator's shape `[channels, height, width]`.
pub(crate) fn open(name: &str, shape: [usize; 3]) -> Result<Dataset> {
    let channels = if shape[0] == 1 { Channels::Grey } else { Channels::Rgb };
    Ok(data::open(name, &Options { size: Some(Size::of(shape)), channels, ..Options::default() })?)
}
