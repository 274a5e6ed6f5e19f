//! A network as a maker of pictures: batches of latents in, images or points out.

use crate::console::Console;
use crate::latents::Latents;
use crate::model::Model;
use anyhow::Result;
use base::Error;
use net::{Device, Network, Tensor};
use std::path::{Path, PathBuf};
use train::signals::{Interrupt, Signal};

/// What comes out of a generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Images `[channels, height, width]`.
    Images([usize; 3]),
    /// Points of the plane.
    Points,
}

/// A network that makes images or points.
pub(crate) struct Generator {
    /// The network.
    pub(crate) network: Network,
    /// The file in which it lies, for messages.
    pub(crate) path: PathBuf,
    /// What comes out of it.
    pub(crate) kind: Kind,
    device: Device,
}

impl Generator {
    /// Loads MODEL and checks that it generates something that can be shown.
    pub(crate) fn open(path: &Path, device: Device, console: Console) -> Result<Self> {
        let Model { network, path } = Model::open(path, &device, console)?;
        if network.notes.iter().any(|(key, _)| key == segment::PLANES) {
            return Err(Error::file(path, "is a segmenter, not a generator")
                .with_hint("Look through it with `ganatomy segmenter apply`.")
                .into());
        }
        let graph = &network.graph;
        let output = graph.shapes(1)?[graph.output()].get(1..).unwrap_or_default().to_vec();
        let inputs = graph.inputs().len();
        let kind = match *output {
            [channels, height, width] if inputs == 1 && !output.contains(&0) => Kind::Images([channels, height, width]),
            [2] if inputs == 1 => Kind::Points,
            _ => {
                let reason = format!(
                    "is not a generator: it gives {output:?} from {inputs} input{}",
                    if inputs == 1 { "" } else { "s" }
                );
                return Err(Error::file(path, reason)
                    .with_hint("Give a network that makes images [C, H, W] or points [2] from one latent.")
                    .into());
            }
        };
        Ok(Self { network, path, kind, device })
    }

    /// The shape of one result.
    pub(crate) fn shape(&self) -> Vec<usize> {
        match self.kind {
            Kind::Images(shape) => shape.to_vec(),
            Kind::Points => vec![2],
        }
    }

    /// The shape of one result, which must be an image that can be shown.
    pub(crate) fn image_shape(&self) -> Result<[usize; 3]> {
        match self.kind {
            Kind::Images(shape) if shape[0] == 1 || shape[0] == 3 => Ok(shape),
            Kind::Images(shape) => {
                Err(Error::file(&self.path, format!("makes images of {} channels; 1 and 3 can be shown", shape[0]))
                    .with_hint("Write the numbers with `ganatomy sample --raw x.npy`.")
                    .into())
            }
            Kind::Points => Err(Error::file(&self.path, "makes points of the plane, not images")
                .with_hint("Draw them with `ganatomy sample --out points.png`.")
                .into()),
        }
    }

    /// Makes one result for each latent, in batches of `batch`; `each` gets the place of the first and the numbers.
    ///
    /// Between batches it looks whether the user wants to stop; that signal is returned then.
    pub(crate) fn make(
        &self,
        latents: &Latents,
        batch: usize,
        console: Console,
        mut each: impl FnMut(u64, &[f32]) -> Result<()>,
    ) -> Result<Option<Signal>> {
        let interrupt = Interrupt::install()?;
        let bar = console.bar(latents.len(), "samples");
        let mut wild = false;
        let mut first = 0;
        while first < latents.len() {
            if let Some(signal) = interrupt.requested() {
                bar.finish_and_clear();
                return Ok(Some(signal));
            }
            let z = latents.batch(&self.network, first, batch, &self.device);
            let n = z.shape()[0] as u64;
            let values = self.forward(&z)?;
            wild |= values.iter().any(|v| !v.is_finite());
            each(first, &values)?;
            first += n;
            bar.inc(n);
        }
        bar.finish_and_clear();
        if wild {
            console.warn(&format!("{}: gave numbers that are not finite", self.path.display()));
        }
        Ok(None)
    }

    fn forward(&self, z: &Tensor) -> Result<Vec<f32>> {
        Ok(self.network.forward(z, &[])?.to_vec())
    }

    /// The latents of a few seeds, a vector each.
    pub(crate) fn latents_of(&self, seeds: &[u64]) -> Vec<Vec<f32>> {
        let all = self.network.latents(seeds, &self.device).to_vec();
        all.chunks_exact((all.len() / seeds.len().max(1)).max(1)).map(<[f32]>::to_vec).collect()
    }
}
