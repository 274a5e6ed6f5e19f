//! Trains a small E-GAN on a folder of images, and draws pictures with what came out.
//!
//!     cargo run -p ganatomy-kit --example train_on_folder -- [OUT] [IMAGES] [GENERATIONS]
//!
//! Without images it learns small scenes, which it writes into `OUT/images` first. Stopped by Ctrl-C and called again, it goes on
//! where it was. For pictures worth looking at give it thousands of generations, and wider networks.

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use ganatomy_kit::data::{self, Options, Size};
use ganatomy_kit::evolve::{Evolution, Settings};
use ganatomy_kit::train::{Interrupt, Outcome, RunSettings, Training};
use ganatomy_kit::{Device, Generator, Result, pictures, unwatched};
use std::path::{Path, PathBuf};

/// Both sides of an image: small, so that a minute shows something.
const SIDE: usize = 32;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().unwrap_or_else(|| "out/trained".to_owned()));
    let images = arguments.next();
    let generations = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(500);
    let images = match images {
        Some(folder) => folder,
        None => scenes_in(&out.join("images"))?,
    };

    // A preset, and what is different here. Settings are a plain struct; `with(&["batch=8"])` takes them as people write them.
    let mut settings = Settings { data: images, generations, ..Settings::preset("modern", false)? };
    (settings.width, settings.width_d, settings.ema) = (24, 24, 0.99);
    (settings.batch, settings.eval) = (8, 8);
    settings.image.size = Size::square(SIDE);

    // A run is a folder. One that is there already goes on, if its settings are these.
    let (folder, device) = (out.join("run"), Device::cpu());
    let mut run = if Settings::are_in(&folder) {
        Evolution::resume(&folder, settings, device)?
    } else {
        Evolution::start_in(&folder, settings, device)?
    };
    let set = run.training().dataset();
    println!("learning from {}: {} images of {:?}", set.name(), set.len().unwrap_or_default(), set.shape());

    let outcome = run.run(&Interrupt::install()?, |stats| {
        if stats.generation % 50 == 0 {
            // The best child, and the loss that made it: the mutation that survived.
            let winner = &stats.children[stats.survivors[0]];
            let mutation = winner.mutation.map_or("parent", |loss| loss.name());
            let fitness = winner.f.unwrap_or(f64::NAN);
            println!(
                "generation {:5}  {mutation:20} fitness {fitness:7.3}  D {:6.3}  {:4.0} images/s",
                stats.generation, stats.d_loss, stats.images_per_second
            );
        }
    })?;
    if let Outcome::Interrupted(_) = outcome {
        println!("stopped after generation {}; call me again to go on", run.done());
        return Ok(());
    }

    // What stands for the run is its best checkpoint.
    let generator = Generator::open(&folder, &Device::cpu())?;
    let samples = unwatched(|watch| generator.images(&"0..64".parse()?, watch))?;
    let path = out.join("samples.png");
    pictures::write_png(&path, &pictures::zoomed(&pictures::grid(&samples, 8)?, 2))?;
    println!("wrote {}; the run with its curves and checkpoints is {}", path.display(), folder.display());
    Ok(())
}

/// Writes pictures of a built-in world into a folder, as files like any others.
fn scenes_in(folder: &Path) -> Result<String> {
    let world = data::open("scenes", &Options { size: Some(Size::square(SIDE)), ..Options::default() })?;
    for number in 0..500 {
        pictures::write_png(&folder.join(format!("scene{number:04}.png")), &world.image(number)?)?;
    }
    println!("wrote 500 scenes into {}", folder.display());
    Ok(folder.display().to_string())
}
