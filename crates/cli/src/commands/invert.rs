//! `ganatomy invert MODEL PHOTO`

use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit::{self, Code};
use crate::progress::Progress;
use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use models::{Distance, Fit, Found, Generator, InversionSettings, Photo};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Bring a photo into a generator: look for what makes it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
First the latent with the nearest picture is searched, by the generator's own gradients; then what
is still missing is added to one layer. The folder gets latents.npy, shift.npy, photo.png,
inversion.json and sheet.png (photo, latent alone, with the shift, difference; grey is none). Both
`sample` and `edit` take the folder as --latents; `edit` then writes the edited photo as well.

Distances are root mean square, of numbers from -1 to 1. Where that of the latent alone is above
0.25, the generator knows nothing like the photo: a shift may still draw it, but there units need
not mean what they mean elsewhere.

Examples:
  ganatomy invert scenes photo.png --out house
  ganatomy edit scenes --latents house --ablate 1b:tree/20 --out no-trees
  ganatomy sample scenes --latents house --out house.png
  ganatomy invert model.safetensors wide.jpg --fit crop --layer 2 --steps 400 --out found")]
pub(crate) struct Invert {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,

    /// The photo: PNG, JPEG, WebP, BMP or GIF, of the form of the model's pictures or larger
    photo: PathBuf,

    /// What to do with a photo of another form: keep the middle, repeat its edges, or squeeze it [default: refuse it]
    #[arg(long, value_parser = fits())]
    fit: Option<Fit>,

    /// The layer that is shifted [default: the first one with maps of at least an eighth of the picture's sides]
    #[arg(long, value_name = "LAYER")]
    layer: Option<String>,

    /// Latents that are drawn; the nearest are followed
    #[arg(long, value_name = "N", default_value_t = InversionSettings::default().starts)]
    starts: usize,

    /// Steps in which latents are moved
    #[arg(long, value_name = "N", default_value_t = InversionSettings::default().steps)]
    steps: usize,

    /// Steps in which the layer is shifted; 0: it is not
    #[arg(long, value_name = "N", default_value_t = InversionSettings::default().shift_steps)]
    shift_steps: usize,

    /// Seed of the drawn latents
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,

    /// The folder for what is found
    #[arg(long, value_name = "DIR", default_value = "inverted")]
    out: PathBuf,

    #[command(flatten)]
    computing: Computing,
}

fn fits() -> impl TypedValueParser<Value = Fit> {
    PossibleValuesParser::new(Fit::OTHERS.map(Fit::name)).try_map(|name| name.parse::<Fit>())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    model: &'a str,
    photo: String,
    out: String,
    layer: &'a str,
    distance: Distance,
    near: bool,
    seconds: f64,
}

impl Invert {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let device = self.computing.open(console)?;
        let generator = Generator::find(&self.model, &device, &mut |note| console.note(note))?;
        let photo = generator.photo(&self.photo, self.fit.unwrap_or_default())?;
        let settings = InversionSettings {
            seed: self.seed,
            starts: self.starts,
            // Of few latents all are followed.
            kept: InversionSettings::default().kept.min(self.starts.max(1)),
            steps: self.steps,
            shift_steps: self.shift_steps,
            ..InversionSettings::default()
        };
        let inverter = generator.inverter(self.layer.as_deref(), settings)?;
        base::files::create_folder(&self.out)?;
        self.tell_what_is_lost(console, &photo, generator.image_shape()?);
        let (start, mut progress) = (Instant::now(), Progress::new(console)?);
        let found = inverter.invert(&photo, &mut progress)?;
        let signal = progress.finish();
        let Some(found) = found else { return Ok(exit::of_stop(signal)) };
        found.write(&self.out)?;
        let record = &found.inverted.record;
        let text = |path: &PathBuf| path.display().to_string();
        let json = Json {
            model: &record.model.name,
            photo: text(&self.photo),
            out: text(&self.out),
            layer: &record.layer,
            distance: record.distance,
            near: record.distance.is_near(),
            seconds: start.elapsed().as_secs_f64(),
        };
        console::result(&json, || told(&found))?;
        if !record.distance.is_near() {
            console.warn(&format!(
                "{}: is not near to anything that {} makes ({:.3} by its latent): units may not mean there what they mean elsewhere",
                self.photo.display(),
                record.model.name,
                record.distance.latent
            ));
        }
        console::made(&self.out)?;
        Ok(exit::DONE)
    }

    /// What the photo has that the generator's pictures do not, or the other way round.
    fn tell_what_is_lost(&self, console: Console, photo: &Photo, [channels, height, width]: [usize; 3]) {
        let (name, image) = (self.photo.display(), photo.image());
        match (image.channels, channels) {
            (1, 3) => console.say(&format!("{name}: is grey; the model's pictures are in colour")),
            (3, 1) => console.say(&format!("{name}: is in colour; the model's pictures are grey")),
            _ => {}
        }
        if image.width < width || image.height < height {
            let (w, h) = (image.width, image.height);
            console.say(&format!(
                "{name}: has {w}x{h} pixels and is enlarged; the model's pictures have {width}x{height}"
            ));
        }
    }
}

/// The distances, in two lines.
fn told(found: &Found) -> String {
    let record = &found.inverted.record;
    let Distance { latent, refined } = record.distance;
    format!(
        "distance by the latent alone:   {latent:.3}\nwith layer {} shifted:{}{refined:.3}\n",
        record.layer,
        pad(&record.layer)
    )
}

/// Spaces that put the second distance below the first.
fn pad(layer: &str) -> String {
    " ".repeat(12usize.saturating_sub(layer.chars().count()).max(1))
}
