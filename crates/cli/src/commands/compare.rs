//! `ganatomy compare DIR DIR ...`

use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit::{self, Code};
use crate::output;
use crate::progress::Progress;
use anyhow::Result;
use dissect::{Comparison, Dissection};
use models::{measure_images, open_dissection};
use std::path::PathBuf;

/// Put dissections side by side: generators, or checkpoints of one
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Class distance is how far the classes' shares of pixels are from those of the real images that
a dissection counted (dissect --real): 0 is the same, 1 nothing in common. With --real here, the
images themselves are compared: sliced Wasserstein distance over patches of Laplacian pyramids,
beside that of as many other real images.

What keeps dissections from being compared with the first one (another segmenter, other classes,
rules, sizes or numbers of images) is said, and what can be compared all the same.

Examples:
  ganatomy compare dissection-1000 dissection-5000
  ganatomy compare dissection-1000 dissection-5000 --report compared.html
  ganatomy compare dissection-1000 dissection-5000 --real scenes
  ganatomy compare runs/*-dissection --json")]
pub(crate) struct Compare {
    /// Folders of dissections
    #[arg(required = true, num_args = 2.., value_name = "DIR")]
    dissections: Vec<PathBuf>,

    /// Real images, to measure the distance of generated ones by
    #[arg(long, value_name = "SRC")]
    real: Option<String>,

    /// How many generated images of each; twice as many real ones are needed
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "real")]
    images: u64,

    /// Write a page that shows them side by side, with the best unit of each class of each
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,

    #[command(flatten)]
    computing: Computing,
}

impl Compare {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        self.report.as_deref().map(|path| output::check_page(path, "--report")).transpose()?;
        let device = self.computing.open(console)?;
        let dissections: Vec<Dissection> =
            self.dissections.iter().map(open_dissection).collect::<models::Result<_>>()?;
        let mut comparison = Comparison::new(&dissections);
        for difference in &comparison.differences {
            console.warn(&difference.text);
        }
        if let Some(name) = &self.real {
            let mut progress = Progress::new(console)?;
            let (images, mut tell) = (self.images, |note: &models::Note| console.note(note));
            let whole = measure_images(&mut comparison, &dissections, name, images, &device, &mut progress, &mut tell)?;
            let signal = progress.finish();
            if !whole {
                return Ok(exit::of_stop(signal));
            }
        }
        console::result(&comparison, || table(&comparison))?;
        if let Some(path) = &self.report {
            let page = report::comparison(dissections, &comparison);
            for note in &page.notes {
                console.warn(&format!("left out: {note}"));
            }
            models::files::write(path, page.html.as_bytes())?;
            console::made(path)?;
        }
        Ok(exit::DONE)
    }
}

fn table(comparison: &Comparison) -> String {
    let mut text: Vec<String> = Vec::new();
    for (number, found) in (1..).zip(&comparison.dissections) {
        let distance = found.class_distance.map_or(String::new(), |d| format!(", class distance {d:.3}"));
        let images = found.image_distance.map_or(String::new(), |d| {
            format!(", image distance {:.4} (real {:.4}, {} images)", d.generated, d.real, d.images)
        });
        let units = if found.chance_level {
            format!("{} of {} units interpretable, {} concepts", found.interpretable, found.units, found.concepts)
        } else {
            format!("none of {} units is called interpretable: too few images for a chance level", found.units)
        };
        text.push(format!("{number}  {}: {units}{distance}{images}\n", found.folder));
    }
    let columns = || (1..=comparison.dissections.len()).map(|n| format!("  {n:>14}")).collect::<Vec<_>>().concat();
    let cells = |cells: Vec<String>| cells.iter().map(|cell| format!("  {cell:>14}")).collect::<Vec<_>>().concat();
    text.push(format!("\n{:20}{}\n", "layer", columns()));
    for row in &comparison.layers {
        let cell = |count: &Option<dissect::LayerCount>| {
            count.map_or("-".into(), |c| format!("{} of {} ({})", c.interpretable, c.units, c.concepts))
        };
        text.push(format!("{:20}{}\n", row.layer, cells(row.found.iter().map(cell).collect())));
    }
    text.push(format!("\n{:20}{}  {:>8}\n", "class: units, share", columns(), "real"));
    for row in &comparison.classes {
        let cell =
            |(units, share): (&usize, &Option<f64>)| share.map_or("-".into(), |share| format!("{units}, {share:.4}"));
        let found = row.units.iter().zip(&row.generated).map(cell).collect();
        let real = row.real.map_or("-".into(), |real| format!("{real:.4}"));
        text.push(format!("{:20}{}  {real:>8}\n", row.class, cells(found)));
    }
    text.concat()
}
