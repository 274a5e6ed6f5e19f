//! A dissection as one page: a file that needs no network, no other file and no program but a browser.
//!
//! [`comparison()`] puts several of them side by side on one.
//!
//! [`report()`] reads the folder of a dissection, and what `causal`, `edit` and `repair` have written, and makes the page. Every
//! text that was read is escaped on its way into it (`html.rs` leaves no other way); the page's own rules forbid it to load anything
//! or to run another script than its own. It can be read without scripts, printed, and used with the keyboard.
//!
//! ```
//! use ganatomy_report::{Wanted, report};
//!
//! # use data::{Class, LabelMap, Plane};
//! # use dissect::{Means, Origin, Plan, Settings, Shard, Subject, Unwatched, dissect};
//! # use net::zoo::{DcganGenerator, GeneratorStart, Norm, dcgan_generator};
//! # use net::{Device, Network};
//! # use segment::{Oracle, Segment};
//! #
//! # let shape = DcganGenerator {
//! #     size: [16; 2], channels: 3, latent: 4, width: 2, norm: Norm::Batch, start: GeneratorStart::Linear, extra: false,
//! # };
//! # let device = Device::cpu();
//! # let network = Network::initial(dcgan_generator(shape), 1, "weights", &device);
//! # let class = |name: &str, grey| Class { name: name.into(), colour: [grey; 3] };
//! # let light = Plane { name: "light".into(), classes: vec![class("dark", 0), class("bright", 255)], ignore: Some(0) };
//! # let segmenter = Oracle::new(vec![light], [3, 16, 16], |image: &[f32]| {
//! #     vec![LabelMap { width: 16, height: 16, classes: image[..256].iter().map(|&v| u16::from(v > 0.0)).collect() }]
//! # });
//! #
//! # let subject = Subject::new(&network, &[], &device)?;
//! # let settings = Settings { samples: 32, fit_samples: 16, ..Settings::default() };
//! # let origins = [Origin::of_network("mine", &network)?, Origin { name: "bright".into(), blake3: String::new() }];
//! # let plan = Plan::new(&subject, segmenter.planes(), origins, None, settings, Shard::WHOLE);
//! # let means = Means { subject: &subject, segmenter: &segmenter, real: None, device: &device };
//! # let folder = tempfile::tempdir().unwrap();
//! # let folder = folder.path();
//! # let Some(_) = dissect(folder, &plan, &means, &mut Unwatched)? else { unreachable!("nobody ends it") };
//! // `folder` holds a finished dissection.
//! let page = report(folder, &Wanted { pictures: 4, ..Wanted::default() })?;
//! std::fs::write(folder.join("report.html"), &page.html).unwrap();
//! assert!(page.html.contains("bright") && page.notes.is_empty());
//! # Ok::<(), net::Error>(())
//! ```

mod best;
mod causes;
mod classes;
mod comparison;
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

use dissect::{Causal, Comparison, Dissection};
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

/// A dissection, the results of `causal` that lie in its folder, and what lies there and could not be read, a line each.
///
/// # Errors
/// The folder is no finished dissection.
pub fn causes_beside(folder: &Path) -> Result<(Dissection, Vec<Causal>, Vec<String>)> {
    let inputs = Inputs::gather(folder, &Wanted::default())?;
    Ok((inputs.dissection, inputs.causes.into_iter().map(|cause| cause.found).collect(), inputs.notes))
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

/// Makes one page of dissections side by side: what `found` says of them, their charts, and the best unit of each class of each. A picture that
/// is not there is left out, and the notes say so.
pub fn comparison(dissections: Vec<Dissection>, found: &Comparison) -> Report {
    let inputs: Vec<Inputs> = dissections.into_iter().map(Inputs::of).collect();
    let (html, notes) = comparison::page(&inputs, found);
    Report { html: html.into_string(), notes }
}
