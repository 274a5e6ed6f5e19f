//! A dissection as one page: a file that needs no network, no other file and no program but a browser.
//!
//! [`report()`] reads the folder of a dissection, and what `causal`, `edit` and `repair` have written, and makes the page. Every
//! text that was read is escaped on its way into it (`html.rs` leaves no other way); the page's own rules forbid it to load anything
//! or to run another script than its own. It can be read without scripts, printed, and used with the keyboard.

mod causes;
mod classes;
mod edits;
mod html;
mod inputs;
mod layers;
mod made;
mod numbers;
mod page;
mod pictures;
mod repair;
mod units;

#[cfg(test)]
mod tests;

use inputs::Inputs;
use net::Result;
use std::path::{Path, PathBuf};

/// What goes into a page besides the dissection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Units of each layer that get a picture, the best first. Pictures decide the size of the page.
    pub pictures: usize,
    /// Images in the picture of a unit.
    pub top_images: usize,
    /// Results of `causal`, files or folders of them, besides those in the dissection's folder.
    pub causal: Vec<PathBuf>,
    /// Folders of `edit`, besides those in the dissection's folder.
    pub edits: Vec<PathBuf>,
    /// A folder of `repair`; else one in the dissection's folder is taken.
    pub repair: Option<PathBuf>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { pictures: 32, top_images: 8, causal: Vec::new(), edits: Vec::new(), repair: None }
    }
}

/// A finished page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The page.
    pub html: String,
    /// What lay in the dissection's folder and could not be shown, a line each.
    pub notes: Vec<String>,
}

/// Makes the page of a dissection.
///
/// # Errors
/// The folder is no finished dissection, a picture of it is missing, or something that was named cannot be read or belongs to
/// another dissection.
pub fn report(folder: &Path, wanted: &Wanted) -> Result<Report> {
    let inputs = Inputs::gather(folder, wanted)?;
    let html = page::page(&inputs, wanted)?.into_string();
    Ok(Report { html, notes: inputs.notes })
}
