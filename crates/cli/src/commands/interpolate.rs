//! `ganatomy interpolate MODEL`

use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit;
use crate::generator::Generator;
use crate::latents::{Latents, Way};
use crate::output::{self, PADDING};
use crate::seeds::Seeds;
use anyhow::Result;
use base::Error;
use data::pictures;
use net::Law;
use std::path::PathBuf;
use std::process::ExitCode;

/// The pixels of all frames of an animation may take this much memory: 512 MiB.
const MOST_BYTES: u128 = 512 << 20;
/// Samples made at a time.
const BATCH: usize = 64;

/// Walk from seed to seed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A .png has one row for each pair of neighbouring seeds, both ends included. A .gif walks through all
seeds and back to the first, over and over.

Examples:
  ganatomy interpolate scenes --seeds 0..8 --out walk.gif
  ganatomy interpolate model.safetensors --seeds 0..4 --out strip.png
  ganatomy interpolate runs/00003-scenes-paper --seeds 3,1,4 --steps 24 --out walk.gif")]
pub(crate) struct Interpolate {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,

    /// Seeds: a half-open range, or a list such as 3,1,4; at least two
    #[arg(long, value_name = "A..B", default_value = "0..8")]
    seeds: Seeds,

    /// Pictures from one seed to the next
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    steps: u32,

    /// The way; spherical keeps the length of latents [default: spherical where they are normal, else linear]
    #[arg(long)]
    mode: Option<Way>,

    /// Milliseconds that a .gif shows each picture
    #[arg(long, value_name = "MS", default_value = "80", value_parser = clap::value_parser!(u32).range(10..=60_000))]
    delay: u32,

    /// Write this .png or .gif
    #[arg(long, value_name = "PNG|GIF")]
    out: PathBuf,

    #[command(flatten)]
    computing: Computing,
}

impl Interpolate {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        let animated = output::has_ending(&self.out, &["gif"]);
        if !animated && !output::has_ending(&self.out, &["png"]) {
            let reason = format!("{} ends in neither .png nor .gif", self.out.display());
            return Err(Error::setting("--out", reason).into());
        }
        if self.seeds.len() < 2 {
            return Err(Error::setting("--seeds", "is one seed; a way needs two").into());
        }
        let generator = Generator::open(&self.model, self.computing.open(console)?, console)?;
        let shape = generator.image_shape()?;
        let steps = self.steps as usize;
        let pairs = if animated { self.seeds.len() } else { self.seeds.len() - 1 };
        let total = u128::from(pairs) * steps as u128;
        if !animated {
            output::check_grid(u64::try_from(total).unwrap_or(u64::MAX), steps, shape, "Take fewer seeds or --steps.")?;
        } else if total * shape.iter().product::<usize>() as u128 > MOST_BYTES {
            let reason = format!("an animation of {total} pictures takes too much memory");
            return Err(Error::setting("--out", reason).with_hint("Take fewer seeds or --steps.").into());
        }

        let way = self.mode.unwrap_or(match generator.network.latent_law() {
            Law::Normal => Way::Spherical,
            Law::Uniform => Way::Linear,
        });
        // The check above bounds the number of seeds.
        let ends = generator.latents_of(&self.seeds.part(0, self.seeds.len() as usize));
        // A row shows both of its ends; an animation shows each end once.
        let whole = if animated { steps } else { steps - 1 } as f64;
        let values: Vec<f32> = (0..pairs as usize)
            .flat_map(|pair| (0..steps).map(move |step| (pair, step)))
            .flat_map(|(pair, step)| way.between(&ends[pair], &ends[(pair + 1) % ends.len()], step as f64 / whole))
            .collect();
        let latents = Latents::File { n: total as usize, values };
        let mut frames = Vec::new();
        let stopped = generator.make(&latents, BATCH, console, |_, values| {
            let n = values.len() / shape.iter().product::<usize>();
            frames.extend(pictures::from_batch(&[&[n], shape.as_slice()].concat(), values)?);
            Ok(())
        })?;
        if let Some(signal) = stopped {
            return Ok(exit::of_signal(signal));
        }
        if animated {
            output::write(&self.out, &pictures::gif(&frames, self.delay)?)?;
        } else {
            output::write_png(&self.out, &pictures::grid(&frames, steps, PADDING)?)?;
        }
        console::print(&format!("{}\n", self.out.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
