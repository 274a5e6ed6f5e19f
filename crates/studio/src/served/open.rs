//! A model that is open: its painter, and what could not be opened beside it.

use super::Asked;
use super::find::Spec;
use dissect::{Causal, Dissection};
use models::{Generator, Note, Painter};
use net::{Device, Result};
use segment::{Segment, Segmenter};
use serde::Serialize;
use std::path::{Path, PathBuf};
use utoipa::ToSchema;

/// A model that is open.
pub struct Open {
    /// What draws its pictures.
    pub painter: Painter,
    /// The hash by which recipes name it.
    pub blake3: String,
    /// What people call the segmenter.
    pub segmenter: Option<String>,
    /// Why there is no dissection although one was named.
    pub problem: Option<Problem>,
    /// What went otherwise than people may think.
    pub notes: Vec<String>,
}

/// What is wrong, and its cure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    fn of(error: &net::Error) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }
}

impl Open {
    /// Opens a model with its dissection and segmenter. What cannot be had beside the model is told, not an error.
    ///
    /// # Errors
    /// The model cannot be opened, or makes no pictures; or something that was asked for by name cannot be opened.
    pub(super) fn new(spec: &Spec, asked: &Asked, device: &Device) -> Result<Self> {
        let mut notes = Vec::new();
        let mut tell = |note: &Note| notes.extend(note.is_warning().then(|| note.to_string()));
        let (found, mut problem) = match dissection(spec.dissection.as_deref(), &spec.path) {
            Ok((found, more)) => (found, more),
            Err(error) => (None, Some(Problem::of(&error))),
        };
        let plan = found.as_ref().map(|(dissection, _)| &dissection.plan);
        let generator = Generator::new(models::model_for(&spec.path, plan, device, &mut tell)?, device)?;
        let blake3 = dissect::Origin::of_network("", generator.network())?.blake3;
        let found = match found {
            Some((dissection, _)) if dissection.plan.model.blake3 != blake3 => {
                problem = models::check_same(&dissection, generator.network(), generator.path())
                    .err()
                    .map(|error| Problem::of(&error.into()));
                None
            }
            found => found,
        };
        let plan = found.as_ref().map(|(dissection, _)| &dissection.plan);
        let segmenter = match (&asked.segmenter, plan) {
            (Some(path), _) => Some(models::segmenter_for(path, plan, device, &mut tell)),
            (None, Some(plan)) => Some(models::segmenter_of_plan(plan, None, device, &mut tell)),
            (None, None) => None,
        };
        let shape = generator.image_shape()?;
        let segmenter = segmenter.and_then(|opened| match usable(opened, shape, device) {
            Ok(opened) => Some(opened),
            Err(error) => {
                notes.push(error.to_string());
                None
            }
        });
        let (segmenter, name) =
            segmenter.map_or((None, None), |(segmenter, path)| (Some(segmenter), Some(path.display().to_string())));
        let (dissection, causes) = found.map_or((None, Vec::new()), |(dissection, causes)| (Some(dissection), causes));
        let painter = Painter::new(generator, dissection, causes, segmenter)?;
        Ok(Self { painter, blake3, segmenter: name, problem, notes })
    }
}

/// A segmenter that can say something of pictures of this shape.
fn usable(opened: Result<(Segmenter, PathBuf)>, shape: [usize; 3], device: &Device) -> Result<(Segmenter, PathBuf)> {
    let (segmenter, path) = opened?;
    if segmenter.image_shape() != shape {
        let reason = format!("reads images {:?}; the generator makes {shape:?}", segmenter.image_shape());
        return Err(base::Error::file(&path, reason).into());
    }
    if segmenter.is_blind(device)? {
        let reason = "says the same of every picture, as painted masks do, so classes are not counted";
        return Err(base::Error::file(&path, reason).into());
    }
    Ok((segmenter, path))
}

type Found = (Dissection, Vec<Causal>);

/// The dissection of this name, else the shipped one of a shipped model, with the causes that were found; and what could not be read
/// beside it.
fn dissection(named: Option<&Path>, model: &Path) -> Result<(Option<Found>, Option<Problem>)> {
    if let Some(folder) = named.filter(|folder| folder.is_dir()) {
        let (dissection, causes, notes) = report::causes_beside(folder)?;
        let problem = notes.into_iter().next().map(|message| Problem { message, hint: None });
        return Ok((Some((dissection, causes)), problem));
    }
    let dissection = models::dissection_of_model(named, model)?;
    Ok((dissection.map(|dissection| (dissection, models::shipped_causes(model))), None))
}
