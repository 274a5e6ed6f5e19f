//! `PyTorch`'s files: the zip archives of today, the stream of pickles of 2018, the tar archives before.

mod legacy;
mod rebuild;
mod tar;
mod zip;

pub(crate) use legacy::{is_magic, read as read_legacy};
pub(crate) use rebuild::{NoKeeper, resolve, shape};
pub(crate) use tar::read as read_tar;
pub(crate) use zip::{Zip, holds_pickle};
