//! Takes the things of a class out of a generator's pictures, and puts others in.
//!
//!     cargo run -p ganatomy-kit --example write_an_edit -- [OUT] [CLASS]
//!
//! Units are named by what they stand for: a dissection says which those are. Here it is the one that comes with the generator;
//! the classes are those of its world, such as `tree`, `house`, `cloud` and `road`.

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use ganatomy_kit::edit::{Action, EditNames, Editing, Place, Recipe, Units, Value};
use ganatomy_kit::segment::Segmenter;
use ganatomy_kit::{Device, Generator, Latents, Result, dissect, pictures, segment, unwatched};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let out = PathBuf::from(arguments.next().unwrap_or_else(|| "out/edits".to_owned()));
    let class = arguments.next().unwrap_or_else(|| "tree".to_owned());

    let device = Device::cpu();
    let generator = Generator::open("scenes", &device)?;
    let segmenter = segment::open("scenes", &device)?;

    // As people type it on a command line: the 20 units of layer 1b that fit the class best, off.
    let off: Action = format!("1b:{class}/20").parse()?;
    edit(&generator, &segmenter, Recipe::new(vec![off]), &out.join(format!("no-{class}")))?;

    // The same in full: the units that fit doors, forced to a value that they rarely reach, at some cells of the layer's maps.
    let doors = Action {
        units: Units::OfClass { class: "door".to_owned(), best: 20 },
        value: Value::Quantile(0.995),
        place: Place::Cells(vec![[10, 4], [10, 5], [11, 4], [11, 5], [10, 10], [10, 11], [11, 10], [11, 11]]),
        ..Action::ablate("2", Vec::new())
    };
    edit(&generator, &segmenter, Recipe::new(vec![doors]), &out.join("doors"))
}

/// Edits some pictures, says what became of the classes, and writes what there is to see.
fn edit(generator: &Generator, segmenter: &Segmenter, recipe: Recipe, folder: &Path) -> Result<()> {
    let found = dissect::open("scenes")?;
    let latents: Latents = "0..16".parse()?;

    // Everything that can be wrong with a recipe is wrong here: a layer, a unit, a class that there is not.
    let editing = Editing::new(generator, recipe, Some(&found), Some(segmenter))?;
    let outcome = unwatched(|watch| editing.outcome(&latents, watch))?;

    println!("{}", folder.display());
    println!("  {:12} {:>8} {:>8} pixels before and after", "class", "before", "after");
    for effect in outcome.changed().into_iter().take(5) {
        println!("  {:12} {:8} {:8}", effect.concept.name, effect.before, effect.after);
    }
    // The recipe, a sheet of before, after and difference, a table: what `ganatomy report` puts on its page.
    let names = EditNames { model: "scenes".to_owned(), seeds: Some("0..16".to_owned()), ..EditNames::default() };
    editing.write(folder, &outcome, names)?;
    for (name, images) in [("before", &outcome.before), ("after", &outcome.after)] {
        pictures::write_png(&folder.join(format!("{name}.png")), &pictures::grid(images, 4)?)?;
    }
    println!("  wrote before.png, after.png, sheet.png, recipe.json, effects.csv and edit.json");
    Ok(())
}
