//! `ganatomy interpolate MODEL`

use crate::conditions::Likeness;
use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit::{self, Code};
use crate::progress::Progress;
use anyhow::Result;
use base::Error;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use models::files::{self, has_ending};
use models::pictures::Look;
use models::{Generator, Seeds, Walk, Way};
use serde::Serialize;
use std::path::PathBuf;

/// Pictures that are made at a time, where there is memory for them.
const BATCH: usize = 64;

/// Walk from seed to seed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A .png has one row for each pair of neighbouring seeds, both ends included. A .gif walks through all
seeds and back to the first, over and over; so does an .apng, an animated PNG, which keeps all
colours where a .gif has 256, and takes more room.

Examples:
  ganatomy interpolate scenes --seeds 0..8 --out walk.gif
  ganatomy interpolate scenes --seeds 0..8 --scale 4 --out walk.apng
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
    #[arg(long, value_parser = ways())]
    mode: Option<Way>,

    #[command(flatten)]
    like: Likeness,

    /// Milliseconds that an animation shows each picture
    #[arg(long, value_name = "MS", default_value = "80", value_parser = clap::value_parser!(u32).range(10..=60_000))]
    delay: u32,

    /// Enlarge pictures: every pixel becomes a square of so many
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=32))]
    scale: u32,

    /// Write this .png, .gif or .apng
    #[arg(long, value_name = "PNG|GIF|APNG")]
    out: PathBuf,

    #[command(flatten)]
    computing: Computing,
}

fn ways() -> impl TypedValueParser<Value = Way> {
    PossibleValuesParser::new(Way::ALL.map(Way::name)).try_map(|name| name.parse::<Way>())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    model: String,
    pictures: usize,
}

impl Interpolate {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let animated = has_ending(&self.out, &["gif", "apng"]);
        if !animated && !has_ending(&self.out, &["png"]) {
            let reason = format!("{} ends in neither .png, .gif nor .apng", self.out.display());
            return Err(Error::setting("out", reason).into());
        }
        let device = self.computing.open(console)?;
        let generator = Generator::find(&self.model, &device, &mut |note| console.note(note))?;
        let walk = Walk { seeds: self.seeds, steps: self.steps as usize, round: animated, way: self.mode };
        let look = Look { scale: self.scale as usize, caption: None };
        walk.check(look.shape(generator.image_shape()?))?;
        let latents = walk.latents(&generator)?.under(&self.like.conditions(), &generator)?;
        let mut progress = Progress::new(console)?;
        let mut images = Vec::new();
        let batch = generator.fitting(BATCH)?;
        let made = generator.make(&latents, batch, &mut progress, |_, values| {
            images.extend(generator.pictures(values)?.iter().map(|image| look.of(image, "")));
            Ok::<(), net::Error>(())
        })?;
        let signal = progress.finish();
        let Some(made) = made else { return Ok(exit::of_stop(signal)) };
        if !made.finite {
            console.warn(&format!("{}: gave numbers that are not finite", generator.path().display()));
        }
        if animated {
            files::write(&self.out, &Walk::animation(&images, self.delay, has_ending(&self.out, &["apng"]))?)?;
        } else {
            files::write_png(&self.out, &walk.sheet(&images)?)?;
        }
        let model = generator.path().display().to_string();
        console::result(&Json { model, pictures: images.len() }, String::new)?;
        console::made(&self.out)?;
        Ok(exit::DONE)
    }
}
