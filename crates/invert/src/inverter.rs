//! A generator made ready for inversions, and the course of one.

use crate::loss::Target;
use crate::{Distance, FORMAT, Found, Inverted, Photo, Record, Settings, latents, shift};
use base::npy::Array;
use base::{Error, memory};
use data::Image;
use dissect::{Layer, Origin, Subject, Watch};
use net::{Derivative, NodeId, Program, Ready, Result, Run, Tensor};
use std::sync::Arc;

/// Latents whose pictures are made at a time, where only the pictures are wanted and there is memory for them.
const CHUNK: usize = 16;

/// A generator made ready for inversions into one of its layers. Cloning shares it; any number of threads may use it at once.
#[derive(Clone)]
pub struct Inverter {
    pub(crate) subject: Arc<Subject>,
    pub(crate) settings: Settings,
    layer: Layer,
    model: Origin,
    ready: Ready,
    input: NodeId,
    at: NodeId,
    /// Whether the image depends on the latent by ways that do not pass the layer: then it is fed as well.
    passed_by: bool,
    output: NodeId,
    by_latent: Derivative,
    by_layer: Derivative,
    /// Latents whose pictures are made at a time.
    chunk: usize,
}

/// A loss of pictures, each by itself, and its derivative by each number of them.
pub(crate) struct Slope {
    pub(crate) losses: Vec<f64>,
    pub(crate) gradient: Vec<f32>,
}

impl Inverter {
    /// Makes the subject's generator, which people call `name`, ready. The layer is one of the subject's; where none is named it is the
    /// first one whose maps are at least an eighth as wide and high as the image: units there and behind keep their meaning, and the shift
    /// has room enough (`docs/inversion.md`).
    ///
    /// # Errors
    /// A setting cannot be used, the subject has no such layer, the image does not depend on it or on the latent, or there is no memory
    /// for a step.
    pub fn new(subject: Subject, name: &str, layer: Option<&str>, settings: Settings) -> Result<Self> {
        settings.check()?;
        let layer = chosen(&subject, layer)?.clone();
        let model = Origin::of_network(name, subject.network())?;
        let mut program = Program::clone(subject.program());
        let (input, at, output) = (program.input()?, program.find(&layer.name)?, program.output());
        if let Some(&other) = program.needs(&[output], &[input]).first() {
            let other = program.inputs().iter().find(|input| input.node == other).map_or("", |input| &input.name);
            let reason = format!("reads {other} beside its latent, and a photo does not say what that is");
            return Err(Error::setting(name, reason).into());
        }
        let passed_by = !program.needs(&[output], &[at]).is_empty();
        let by_latent = program.differentiate(output, &[input])?;
        let by_layer = program.differentiate(output, &[at])?;
        for (derivative, what) in [(&by_latent, "the latent"), (&by_layer, layer.name.as_str())] {
            if derivative.nodes().is_empty() {
                return Err(Error::setting("layer", format!("the image does not depend on {what}")).into());
            }
        }
        let ready = Ready::new(program, &subject.network().params)?;
        let forward = |batch: usize| ready.memory(batch, &[input], &[&[output]]);
        let chunk = if subject.device().is_cpu() { memory::fitting(CHUNK, forward)? } else { CHUNK };
        if subject.device().is_cpu() {
            let fed = [input, by_latent.cotangent];
            let needed = ready.memory(settings.kept, &fed, &[&[output], &by_latent.nodes()])?;
            memory::check(format!("{name}: a step of an inversion"), needed, "Follow fewer latents: lower `kept`.")?;
        }
        let subject = Arc::new(subject);
        Ok(Self { subject, settings, layer, model, ready, input, at, passed_by, output, by_latent, by_layer, chunk })
    }

    /// The layer that is shifted.
    pub fn layer(&self) -> &str {
        &self.layer.name
    }

    /// Looks for what makes a photo; `None` where the watcher wanted it to end.
    ///
    /// # Errors
    /// The generator gives numbers that are not finite, or there is no memory for a step.
    pub fn invert(&self, photo: &Photo, watch: &mut dyn Watch) -> Result<Option<Found>> {
        let shape = self.subject.image_shape();
        let target = Target { shape, values: photo.picture(shape).to_floats(), halvings: self.settings.halvings };
        let Some(starts) = latents::starts(self, &target, watch)? else { return Ok(None) };
        let Some(latent) = latents::follow(self, &target, starts, watch)? else { return Ok(None) };
        let z = self.latents(&latent);
        let h = self.ready.start(&[(self.input, &z)])?.fetch_one(self.at)?;
        let Some(shift) = shift::follow(self, &target, (&z, &h), watch)? else { return Ok(None) };
        let alone = self.pictures(&z)?;
        let refined = self.run_behind(&z, &shifted(&h, &shift))?.fetch_one(self.output)?;
        self.subject.check(std::slice::from_ref(&refined))?;
        let (alone, refined) = (alone.to_vec(), refined.to_vec());
        let distance = Distance { latent: target.distance(&alone), refined: target.distance(&refined) };
        let record = Record {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").into(),
            model: self.model.clone(),
            layer: self.layer.name.clone(),
            fit: photo.fit(),
            distance,
            settings: self.settings.clone(),
        };
        let inverted = Inverted {
            record,
            latent: Array::f32(z.shape().to_vec(), latent),
            shift: Array::f32(h.shape().to_vec(), shift),
            photo: photo.clone(),
        };
        let [channels, height, width] = shape;
        let image = |values: &[f32]| Image::from_floats(values, channels, height, width);
        Ok(Some(Found { inverted, alone: image(&alone)?, refined: image(&refined)? }))
    }

    /// Latents by their numbers, side by side.
    fn latents(&self, values: &[f32]) -> Tensor {
        let shape = self.subject.network().input_shape();
        let n = values.len() / self.latent_length();
        Tensor::new(&[&[n], shape.as_slice()].concat(), values.to_vec(), self.subject.device())
    }

    /// Numbers of one latent.
    pub(crate) fn latent_length(&self) -> usize {
        self.subject.network().input_shape().iter().product::<usize>().max(1)
    }

    fn pictures(&self, latents: &Tensor) -> Result<Tensor> {
        let pictures = self.ready.start(&[(self.input, latents)])?.fetch_one(self.output)?;
        self.subject.check(std::slice::from_ref(&pictures))?;
        Ok(pictures)
    }

    /// The loss of the pictures of latents, a few at a time.
    pub(crate) fn losses(&self, target: &Target, latents: &[f32]) -> Result<Vec<f64>> {
        let mut losses = Vec::new();
        for latents in latents.chunks(self.chunk * self.latent_length()) {
            let pictures = self.pictures(&self.latents(latents))?;
            losses.extend(pictures.numbers().chunks_exact(target.len()).map(|picture| target.judge(picture).loss));
        }
        Ok(losses)
    }

    /// How many latents [`Inverter::losses`] looks at together.
    pub(crate) fn chunk(&self) -> usize {
        self.chunk
    }

    /// The loss of the pictures of latents, and its derivative by these.
    pub(crate) fn slope_of_latents(&self, target: &Target, latents: &[f32]) -> Result<Slope> {
        let run = self.ready.start(&[(self.input, &self.latents(latents))])?;
        self.slope(target, run, &self.by_latent)
    }

    /// The same by a shift of the layer, whose value without it is `h`.
    pub(crate) fn slope_of_shift(&self, target: &Target, (z, h): (&Tensor, &Tensor), shift: &[f32]) -> Result<Slope> {
        self.slope(target, self.run_behind(z, &shifted(h, shift))?, &self.by_layer)
    }

    fn slope(&self, target: &Target, mut run: Run<'_>, by: &Derivative) -> Result<Slope> {
        let later = by.nodes();
        let pictures = run.fetch_before(&[self.output], &later)?.remove(0);
        self.subject.check(std::slice::from_ref(&pictures))?;
        let judged =
            pictures.numbers().chunks_exact(target.len()).map(|picture| target.judge(picture)).collect::<Vec<_>>();
        let gradient = judged.iter().flat_map(|judged| judged.gradient.iter().copied()).collect();
        run.feed(by.cotangent, &Tensor::new(pictures.shape(), gradient, self.subject.device()))?;
        let gradients = run.fetch(&later)?;
        self.subject.check(&gradients)?;
        let gradient = gradients.first().map(Tensor::to_vec).unwrap_or_default();
        Ok(Slope { losses: judged.iter().map(|judged| judged.loss).collect(), gradient })
    }

    /// A run that begins at the layer.
    fn run_behind(&self, z: &Tensor, r: &Tensor) -> Result<Run<'_>> {
        let mut run = self.ready.start(&[(self.at, r)])?;
        if self.passed_by {
            run.feed(self.input, z)?;
        }
        Ok(run)
    }
}

fn shifted(h: &Tensor, shift: &[f32]) -> Tensor {
    h.add(&Tensor::new(h.shape(), shift.to_vec(), &h.device()))
}

/// The layer of this name, or the one that is meant where none is named.
fn chosen<'a>(subject: &'a Subject, name: Option<&str>) -> Result<&'a Layer> {
    let layers = subject.layers();
    let [_, height, width] = subject.image_shape();
    let is_fine =
        |layer: &&Layer| layer.size[0].saturating_mul(8) >= height && layer.size[1].saturating_mul(8) >= width;
    let found = match name {
        Some(name) => layers.iter().find(|layer| layer.name == name),
        None => layers.iter().find(is_fine).or(layers.last()),
    };
    let missing = || {
        let name = name.unwrap_or_default();
        let hint = base::known_names(name, "layers", layers.iter().map(|layer| layer.name.as_str()));
        Error::setting("layer", format!("{name}: there is no such layer")).with_hint(hint)
    };
    Ok(found.ok_or_else(missing)?)
}
