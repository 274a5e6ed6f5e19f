//! What `--out` means.

use anyhow::Result;
use base::Error;
use models::files::has_ending;
use std::path::{Path, PathBuf};

/// Where the pictures go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// All in one PNG.
    Grid(PathBuf),
    /// One PNG each, in this folder.
    Folder(PathBuf),
}

impl Target {
    /// `grid.png` or a folder; other endings of pictures are refused.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        if has_ending(path, &["png"]) {
            return Ok(Self::Grid(path.to_owned()));
        }
        let wrong = |reason: &str| Error::setting("--out", format!("{} {reason}", path.display()));
        if has_ending(path, &["jpg", "jpeg", "webp", "gif", "bmp", "npy", "npz"]) {
            return Err(wrong("is not a kind of file that is written here")
                .with_hint("End it in .png for one grid, or give a folder for one PNG each.")
                .into());
        }
        if path.exists() && !path.is_dir() {
            return Err(wrong("is a file, not a folder")
                .with_hint("End it in .png for one grid, or give a folder.")
                .into());
        }
        Ok(Self::Folder(path.to_owned()))
    }
}

/// Refuses a page whose name is not that of one; a device may be called anything.
pub(crate) fn check_page(out: &Path, flag: &str) -> Result<()> {
    if has_ending(out, &["html", "htm"]) || out.exists() && !out.is_file() {
        return Ok(());
    }
    let reason = format!("{} is not a kind of file that is written here", out.display());
    Err(Error::setting(flag, reason).with_hint("End it in .html.").into())
}

/// Refuses a result whose name does not end in `.ending`.
pub(crate) fn check_ending(out: &Path, ending: &str) -> Result<()> {
    check_endings(out, &[ending])
}

/// Refuses a result whose name ends in none of these.
pub(crate) fn check_endings(out: &Path, endings: &[&str]) -> Result<()> {
    if has_ending(out, endings) {
        return Ok(());
    }
    let reason = format!("{} is not a kind of file that is written here", out.display());
    Err(Error::setting("--out", reason).with_hint(format!("End it in .{}.", endings.join(" or ."))).into())
}
