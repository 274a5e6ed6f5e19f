//! A network that says what is where.

use crate::softmax::Layout;
use crate::{Reads, Segment, classes_of_notes, count_of};
use base::seed::Stream;
use base::{Error, Result};
use data::{LabelMap, Plane};
use net::{Derivative, Device, Network, NodeId, Params, Program, Ready, Run, Storage, Tensor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The note of a model file that holds the label planes, as JSON: `[{"name": "objects", "classes": [{"name": "sky",
/// "colour": [135, 190, 235]}, ...], "ignore": 0}, ...]`.
pub const PLANES: &str = "planes";

/// The note that says whether the planes' ignore classes were learnt, as "nothing is here": `yes` or `no`.
pub(crate) const LEARNT: &str = "ignore classes learnt";

/// The most classes that all planes together may have.
const MOST_CLASSES: usize = 4096;

/// A network whose output is logits `[n, classes of all planes, h, w]` for images `[n, c, h, w]`, and what they mean.
///
/// The network is made ready to run once, and again after its weights have been replaced.
#[derive(Clone, Debug)]
pub struct Segmenter {
    /// Where the network came from, for messages.
    path: Option<PathBuf>,
    network: Network,
    planes: Vec<Plane>,
    shape: [usize; 3],
    layout: Layout,
    /// The network ready to run, with its gradient by the image.
    program: Arc<Program>,
    /// It with the weights of now, made when it is first asked for.
    ready: OnceLock<Ready>,
    input: NodeId,
    output: NodeId,
    by_image: Derivative,
}

impl Segmenter {
    /// A network with what its logits mean; the planes are written into the network's notes.
    ///
    /// # Errors
    /// The network is not from images to as many maps of their size as the planes have classes, or a plane is empty.
    pub fn new(mut network: Network, planes: Vec<Plane>) -> Result<Self> {
        let wrong = |reason: String| Error::setting("segmenter", reason);
        let classes: usize = planes.iter().map(|plane| plane.classes.len()).sum();
        if planes.is_empty() || classes > MOST_CLASSES || planes.iter().any(|plane| plane.classes.is_empty()) {
            return Err(wrong(format!("has {} planes with {classes} classes in all", planes.len())));
        }
        let output = network.graph.sample_shapes()?[network.graph.output()].take().unwrap_or_default();
        let [_] = *network.graph.inputs() else {
            return Err(wrong(format!("reads {} inputs instead of one image", network.graph.inputs().len())));
        };
        let input = network.input_shape();
        let &[channels, height, width] = input.as_slice() else {
            return Err(wrong(format!("reads {input:?} instead of an image")));
        };
        if input.contains(&0) {
            return Err(wrong(format!("reads {input:?}, which is no image")));
        }
        if output != [classes, height, width] {
            let reason = format!("gives {output:?}; its {classes} classes need {:?}", [classes, height, width]);
            return Err(wrong(reason));
        }
        let json = serde_json::to_string(&planes).map_err(|e| wrong(e.to_string()))?;
        network.notes.retain(|(key, _)| key != PLANES);
        network.notes.push((PLANES.to_owned(), json));
        let mut program = Program::inference(&network.graph)?;
        let (input, output) = (program.input()?, program.output());
        let by_image = program.differentiate(output, &[input])?;
        let program = Arc::new(program);
        let layout = Layout::new(&planes, height, width);
        Ok(Self {
            path: None,
            network,
            planes,
            shape: [channels, height, width],
            layout,
            program,
            ready: OnceLock::new(),
            input,
            output,
            by_image,
        })
    }

    /// Reads a segmenter's model file.
    ///
    /// # Errors
    /// As [`Network::load`]; or the model is not a segmenter.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        Self::of_file(Network::load(path, device)?, path)
    }

    /// Parses the bytes of a segmenter's model file; `path` is only for the messages.
    ///
    /// # Errors
    /// As [`Segmenter::load`].
    pub fn from_bytes(bytes: &[u8], path: &Path, device: &Device) -> Result<Self> {
        Self::of_file(Network::from_bytes(bytes, path, device)?, path)
    }

    /// A network that was read from a file, with the planes in its notes. One that others trained names its classes there in their way
    /// ([`classes_of_notes`]) and how it reads images ([`Reads::of_notes`]); where it says nothing of that, as ImageNet's networks do.
    ///
    /// # Errors
    /// It is not a segmenter.
    pub fn of_file(network: Network, path: &Path) -> Result<Self> {
        let hint = "Give a model that `segmenter train` made, or the name of a shipped one; one that others trained gets its classes by \
                    `import classes`.";
        let in_file = |error| match error {
            Error::Setting { reason, .. } => {
                Error::file(path, format!("is not a segmenter: it {reason}")).with_hint(hint)
            }
            other => other,
        };
        let segmenter = if let Some((_, json)) = network.notes.iter().find(|(key, _)| key == PLANES) {
            let planes = serde_json::from_str(json)
                .map_err(|e| Error::file(path, format!("has classes that are not understood: {e}")).with_hint(hint))?;
            Self::new(network, planes).map_err(in_file)?
        } else if let Some(plane) = classes_of_notes(&network.notes)? {
            let reads = Reads::of_notes(&network.notes)?.unwrap_or_else(Reads::image_net);
            Self::of_others(&network, plane, &reads, None).map_err(in_file)?
        } else {
            return Err(Error::file(path, "is a network, but not a segmenter: it names no classes").with_hint(hint));
        };
        Ok(Self { path: Some(path.to_owned()), ..segmenter })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Replaces the weights: as many tensors, of the same shapes.
    pub fn set_params(&mut self, params: Params) {
        self.network.params = params;
        self.ready = OnceLock::new();
    }

    /// Whether the planes' ignore classes are answers ("nothing is here") that were learnt, and are to be judged.
    pub fn learnt_ignored(&self) -> bool {
        self.network.notes.iter().any(|(key, value)| key == LEARNT && value == "yes")
    }

    /// The bytes of the model file.
    ///
    /// # Errors
    /// As [`Network::to_bytes`].
    pub fn to_bytes(&self, precision: Storage) -> Result<Vec<u8>> {
        Ok(self.network.to_bytes(precision)?)
    }

    /// Writes the model file, atomically.
    ///
    /// # Errors
    /// As [`Network::save`].
    pub fn save(&self, path: impl AsRef<Path>, precision: Storage) -> Result<()> {
        Ok(self.network.save(path, precision)?)
    }

    /// The logits `[n, classes of all planes, h, w]`, plane after plane.
    ///
    /// # Errors
    /// The images have another shape than [`Segment::image_shape`].
    pub fn logits(&self, images: &Tensor) -> Result<Tensor> {
        self.start(images)?.fetch_one(self.output).map_err(|error| self.named(error))
    }

    /// What is wrong with the network is wrong with its file.
    fn named(&self, error: net::Error) -> Error {
        match &self.path {
            Some(path) => error.in_file(path).into(),
            None => error.into(),
        }
    }

    /// Bytes that a batch of images takes at most on its way to label maps, where they lie in the processor's memory.
    ///
    /// # Errors
    /// A value would be too large to be one.
    pub fn memory(&self, batch: usize) -> Result<u64> {
        Ok(self.program.memory(batch, &[self.input], &[&[self.output]])?)
    }

    /// The label maps, as [`Segment::segment`] gives them, whatever the logits; and whether these were all finite.
    ///
    /// # Errors
    /// The images have another shape than [`Segment::image_shape`].
    pub fn label(&self, images: &Tensor) -> Result<(Vec<Vec<LabelMap>>, bool)> {
        let logits = self.logits(images)?;
        Ok((self.layout.winners(&logits.numbers()), logits.not_finite().is_none()))
    }

    /// The logits, from which something is to be concluded.
    fn sound_logits(&self, images: &Tensor) -> Result<Tensor> {
        let logits = self.logits(images)?;
        self.check_finite(&logits)?;
        Ok(logits)
    }

    fn check_finite(&self, logits: &Tensor) -> Result<()> {
        Ok(net::check_finite(self.path.as_deref(), "logits", std::slice::from_ref(logits))?)
    }

    /// Whether it says the same of every picture, as one of painted masks does: then nothing can change what it says.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn is_blind(&self, device: &Device) -> Result<bool> {
        let [channels, height, width] = self.shape;
        let mut draw = Stream::new(0, "blind", 0);
        let mut noise = || (0..channels * height * width).map(|_| 2.0 * draw.unit() as f32 - 1.0).collect::<Vec<_>>();
        let images = [noise(), noise(), noise()].concat();
        let said = self.logits(&Tensor::new(&[3, channels, height, width], images, device))?.to_vec();
        let mut pictures = said.chunks_exact((said.len() / 3).max(1));
        let first = pictures.next();
        Ok(pictures.all(|said| Some(said) == first))
    }

    fn start(&self, images: &Tensor) -> Result<Run<'_>> {
        count_of(images, self.shape)?;
        let ready = match self.ready.get() {
            Some(ready) => ready,
            None => {
                let made = Ready::new(self.program.clone(), &self.network.params).map_err(|error| self.named(error))?;
                self.ready.get_or_init(|| made)
            }
        };
        Ok(ready.start(&[(self.input, images)])?)
    }

    fn check(&self, plane: usize, class: usize) -> Result<()> {
        let Some(found) = self.planes.get(plane) else {
            return Err(Error::setting("plane", format!("{plane} does not exist; there are {}", self.planes.len())));
        };
        if class >= found.classes.len() {
            let reason = format!("{class} does not exist; plane {} has {}", found.name, found.classes.len());
            return Err(Error::setting("class", reason));
        }
        Ok(())
    }

    /// How probable class number `class` of plane number `plane` is: `[n, h, w]`, the softmax within the plane; and where
    /// it is the plane's winner.
    ///
    /// # Errors
    /// There is no such class, the images have another shape, or the logits are not finite.
    pub fn class_probability(&self, images: &Tensor, plane: usize, class: usize) -> Result<(Vec<f32>, Vec<bool>)> {
        self.check(plane, class)?;
        let logits = self.sound_logits(images)?.to_vec();
        let winners = self.layout.winners(&logits);
        let won =
            winners.iter().flat_map(|maps| maps[plane].classes.iter().map(|&c| usize::from(c) == class)).collect();
        Ok((self.layout.probability(&logits, plane, class), won))
    }

    /// The probability of [`Segmenter::class_probability`], and the gradient by the images of `sum(cotangent * probability)` for a
    /// cotangent `[n, h, w]`.
    ///
    /// # Errors
    /// As [`Segmenter::class_probability`], or the cotangent has another length.
    pub fn class_gradient(
        &self,
        images: &Tensor,
        plane: usize,
        class: usize,
        cotangent: &[f32],
    ) -> Result<(Vec<f32>, Tensor)> {
        self.check(plane, class)?;
        let wanted = images.shape()[0] * self.layout.area();
        if cotangent.len() != wanted {
            return Err(Error::setting("cotangent", format!("has {} numbers instead of {wanted}", cotangent.len())));
        }
        let later = self.by_image.nodes();
        let mut run = self.start(images)?;
        let logits = run.fetch_before(&[self.output], &later)?.remove(0);
        self.check_finite(&logits)?;
        let values = logits.to_vec();
        let probability = self.layout.probability(&values, plane, class);
        let Some(&by_image) = later.first() else { return Ok((probability, images.full_like(images.shape(), 0.0))) };
        let by_logits = self.layout.probability_gradient(&values, plane, class, cotangent);
        run.feed(self.by_image.cotangent, &Tensor::new(logits.shape(), by_logits, &images.device()))?;
        Ok((probability, run.fetch_one(by_image)?))
    }
}

impl Segment for Segmenter {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn image_shape(&self) -> [usize; 3] {
        self.shape
    }

    fn segment(&self, images: &Tensor) -> Result<Vec<Vec<LabelMap>>> {
        let logits = self.sound_logits(images)?;
        Ok(self.layout.winners(&logits.numbers()))
    }
}

#[cfg(test)]
mod tests;
