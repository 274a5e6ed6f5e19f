//! A generator as a canvas: the pictures of recipes, one at a time and quickly, what became of the classes in them, and what its units
//! do there.

mod asked;
mod effects;
mod kept;
mod palette;
mod units;

pub use asked::{Active, AtPixel, Heat, PixelUnit, UnitHeat};
pub use effects::{Cells, ClassEffect, PictureEffects, StrokeEffect};
pub use palette::{Context, OwnConcept, PaletteConcept, RankedBy, Ranking};
pub use units::{UnitEffect, UnitRow};

use crate::dissection::check_same;
use crate::{Conditions, Generator, Latents};
use base::Error;
use data::{Image, LabelMap, pictures};
use dissect::{Causal, Dissection, Findings, LatentOf, Layer, Recipe, Subject};
use invert::Inverted;
use kept::Kept;
use net::{Edit, Feed, Result, Tensor};
use segment::{Segment, Segmenter};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Inverted photos that are kept.
const PHOTOS: usize = 16;
/// Bytes that are kept of each kind of thing.
const KEPT_BYTES: usize = 64 << 20;

/// A generator with what was found about it. Nothing in it changes what a recipe gives: what is kept is only sooner there.
pub struct Painter {
    generator: Generator,
    subject: Subject,
    found: Option<Found>,
    segmenter: Option<Segmenter>,
    /// Values of layers, by latent and layer.
    values: Kept<Tensor>,
    /// Label maps, by recipe.
    labels: Kept<Vec<LabelMap>>,
    /// Maps of layers as edits leave them, by recipe and layer.
    maps: Kept<Tensor>,
    /// Photos that were inverted, by name; the newest first.
    photos: Mutex<VecDeque<(String, Latents)>>,
    /// A picture for each concept.
    icons: OnceLock<Vec<Option<Image>>>,
}

/// A dissection with what follows from it.
struct Found {
    dissection: Dissection,
    findings: Findings,
    /// The generator with the layers of the dissection.
    subject: Subject,
    causes: Vec<Causal>,
}

/// One picture on its way: its latent and the edits that are shown.
#[derive(Clone, Debug)]
pub struct Sketch {
    feed: Feed,
    /// What names the latent.
    key: String,
    edits: Vec<Edit>,
}

impl Painter {
    /// A generator, with its dissection, results of [`dissect::causal()`] that belong to it, and a segmenter.
    ///
    /// # Errors
    /// The generator makes no images that can be shown or has no layer with maps, the dissection is of another one, or the segmenter
    /// reads images of another shape.
    pub fn new(
        generator: Generator,
        dissection: Option<Dissection>,
        causes: Vec<Causal>,
        segmenter: Option<Segmenter>,
    ) -> Result<Self> {
        let shape = generator.image_shape()?;
        let subject = generator.subject(&[])?;
        if let Some(segmenter) = segmenter.as_ref().filter(|segmenter| segmenter.image_shape() != shape) {
            let reads = segmenter.image_shape();
            let reason = format!("reads images {reads:?}; the generator makes {shape:?}");
            return Err(Error::setting("segmenter", reason)
                .with_hint("Train one for these images: `segmenter train`.")
                .into());
        }
        let found = dissection.map(|dissection| {
            check_same(&dissection, generator.network(), generator.path())?;
            let causes = causes.into_iter().filter(|found| found.place_in(&dissection).is_ok()).collect();
            let (findings, subject) = (dissection.findings(), generator.subject(&layer_names(&dissection))?);
            Ok::<_, net::Error>(Found { dissection, findings, subject, causes })
        });
        let found = found.transpose()?;
        let (values, labels, maps) = (Kept::new(KEPT_BYTES), Kept::new(KEPT_BYTES), Kept::new(KEPT_BYTES));
        Ok(Self {
            generator,
            subject,
            found,
            segmenter,
            values,
            labels,
            maps,
            photos: Mutex::default(),
            icons: OnceLock::new(),
        })
    }

    /// The generator.
    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    /// All layers with maps.
    pub fn layers(&self) -> &[Layer] {
        self.subject.layers()
    }

    /// The dissection.
    pub fn dissection(&self) -> Option<&Dissection> {
        self.found.as_ref().map(|found| &found.dissection)
    }

    /// What was found.
    pub fn findings(&self) -> Option<&Findings> {
        self.found.as_ref().map(|found| &found.findings)
    }

    /// The segmenter.
    pub fn segmenter(&self) -> Option<&Segmenter> {
        self.segmenter.as_ref()
    }

    /// Makes a recipe ready: what it names is looked up.
    ///
    /// # Errors
    /// The recipe names no picture, or what the generator or the dissection does not have.
    pub fn sketch(&self, recipe: &Recipe) -> Result<Sketch> {
        let Some(latent) = &recipe.latent else {
            let hint = r#"Say which picture: "latent": {"seed": 7}."#;
            return Err(Error::setting("latent", "is not given").with_hint(hint).into());
        };
        let mut sketch = self.plain(latent, &Conditions::of_recipe(recipe))?;
        sketch.edits = recipe.resolve(&self.subject, self.dissection())?;
        Ok(sketch)
    }

    /// A picture as it is, under conditions ([`Latents::under`]).
    ///
    /// # Errors
    /// The generator has no such latent, or cannot make such a picture of it.
    pub fn plain(&self, latent: &LatentOf, conditions: &Conditions) -> Result<Sketch> {
        let truncation = conditions.truncation.map(|truncation| (truncation.psi, truncation.layers));
        let named = serde_json::to_string(&(latent, truncation, &conditions.class));
        let key = named.map_err(|e| Error::setting("latent", e.to_string()))?;
        let latents = self.whole_latents(latent)?.under(conditions, &self.generator)?;
        Ok(Sketch { feed: latents.batch(&self.generator, 0, 1), key, edits: Vec::new() })
    }

    fn whole_latents(&self, latent: &LatentOf) -> Result<Latents> {
        let LatentOf::Inversion(name) = latent else { return Latents::of_recipe(latent, &self.generator) };
        let photos = self.photos.lock().unwrap_or_else(PoisonError::into_inner);
        let known = photos.iter().find(|(known, _)| known == name).map(|(_, latents)| latents.clone());
        known.ok_or_else(|| {
            let reason = format!("names the inversion {name}, which is not known here (any more)");
            Error::setting("latent", reason).with_hint("Invert the photo again.").into()
        })
    }

    /// From now on recipes can name this photo so. The last 16 are kept.
    ///
    /// # Errors
    /// It was inverted into another generator.
    pub fn keep_photo(&self, name: impl Into<String>, inverted: Inverted) -> Result<()> {
        let (name, latents) = (name.into(), Latents::inverted(inverted, &self.generator)?);
        let mut photos = self.photos.lock().unwrap_or_else(PoisonError::into_inner);
        photos.retain(|(known, _)| *known != name);
        photos.push_front((name, latents));
        photos.truncate(PHOTOS);
        Ok(())
    }

    /// The photo of a recipe with what its edits change in the picture put back onto it.
    ///
    /// # Errors
    /// The recipe is not about a photo, or cannot be drawn.
    pub fn photo(&self, recipe: &Recipe) -> Result<Image> {
        let sketch = self.sketch(recipe)?;
        let latents = recipe.latent.as_ref().map(|latent| self.whole_latents(latent)).transpose()?;
        let Some(photo) = latents.as_ref().and_then(|latents| latents.photo()) else {
            return Err(Error::setting("latent", "is not that of a photo").into());
        };
        Ok(photo.put_back(&self.image(&sketch.first(0))?, &self.image(&sketch)?)?)
    }

    /// The numbers of its image, `[1, c, h, w]`.
    ///
    /// # Errors
    /// An edit does not fit its layer, or the image has numbers that are not finite.
    pub fn numbers(&self, sketch: &Sketch) -> Result<Tensor> {
        let Some(layer) = self.subject.first_layer(&sketch.edits)? else {
            return self.subject.unedited(&sketch.feed);
        };
        let r = self.values.get_or(&format!("{layer}\n{}", sketch.key), || {
            let value = self.subject.value(&sketch.feed, layer)?;
            let bytes = 4 * value.shape().iter().product::<usize>();
            Ok::<_, net::Error>((value, bytes))
        })?;
        self.subject.edited_from(&sketch.feed, layer, &r, &sketch.edits)
    }

    /// Its image.
    ///
    /// # Errors
    /// As [`Painter::numbers`].
    pub fn image(&self, sketch: &Sketch) -> Result<Image> {
        let numbers = self.numbers(sketch)?;
        Ok(pictures::from_batch(numbers.shape(), &numbers.numbers())?.remove(0))
    }

    /// What the segmenter sees in its image: a label map for each of its planes.
    ///
    /// # Errors
    /// There is no segmenter, or as [`Painter::numbers`].
    pub fn labels(&self, sketch: &Sketch) -> Result<Arc<Vec<LabelMap>>> {
        let segmenter = self.segmenter.as_ref().ok_or_else(|| {
            let hint = "Give one with `segmenter`, or dissect the generator with one.";
            Error::setting("segmenter", "there is none for this model").with_hint(hint)
        })?;
        self.labels.get_or(&sketch.name()?, || {
            let maps = segmenter.segment(&self.numbers(sketch)?)?.remove(0);
            let bytes = maps.iter().map(|map| 2 * map.classes.len()).sum();
            Ok((maps, bytes))
        })
    }

    fn found(&self) -> Result<&Found> {
        self.found.as_ref().ok_or_else(|| {
            let reason = "this model has no dissection";
            Error::setting("dissection", reason).with_hint("Dissect it: `dissect`.").into()
        })
    }
}

impl Sketch {
    /// The same picture with its first `n` edits alone.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        Self { edits: self.edits.iter().take(n).cloned().collect(), ..self.clone() }
    }

    /// Its edits.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The same picture with all alphas multiplied.
    #[must_use]
    pub fn faded(&self, factor: f64) -> Self {
        let faded = |edit: &Edit| Edit { alpha: edit.alpha * factor, ..edit.clone() };
        Self { edits: self.edits.iter().map(faded).collect(), ..self.clone() }
    }

    /// What tells it from all others.
    fn name(&self) -> Result<String> {
        let edits = serde_json::to_string(&self.edits).map_err(|e| Error::setting("recipe", e.to_string()))?;
        Ok(format!("{}\n{edits}", self.key))
    }
}

/// How a class is named where it must be clear which is meant.
fn id_of(concept: &dissect::Concept) -> String {
    format!("{}/{}", concept.category, concept.name)
}

fn layer_names(dissection: &Dissection) -> Vec<String> {
    dissection.plan.layers.iter().map(|layer| layer.name.clone()).collect()
}

#[cfg(test)]
mod tests;
