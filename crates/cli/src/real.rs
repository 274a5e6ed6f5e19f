//! Real images to put beside generated ones.

use anyhow::Result;
use base::Error;
use data::{Channels, Dataset, Options};

/// Opens a source as images of a generator's shape `[channels, height, width]`.
pub(crate) fn open(name: &str, option: &str, [channels, height, width]: [usize; 3]) -> Result<Dataset> {
    if height != width {
        let reason = format!("the generator's images are not square ({width}x{height})");
        return Err(Error::setting(option, reason).into());
    }
    let channels = if channels == 1 { Channels::Grey } else { Channels::Rgb };
    Ok(data::open(name, &Options { size: Some(height), channels, ..Options::default() })?)
}
