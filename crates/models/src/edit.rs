//! An edit, from a recipe to pictures and figures.

use crate::dissection::check_same;
use crate::{Generator, Latents, Watch, files as output};
use base::memory::{check, fitting};
use base::{Error, files};
use data::{Image, MAX_BYTES, pictures};
use dissect::{Action, Dissection, Edited, Effect, Effects, Origin, RECIPE, Recipe, Sheet, Subject, Value};
use net::{Edit, Feed, Result, Tensor};
use segment::Segmenter;
use std::path::Path;

/// Images made and compared at a time, where there is memory for them.
const BATCH: usize = 32;
/// The edited photo in the folder of an edit.
pub const EDITED_PHOTO: &str = "photo.png";
/// Images shown in the sheet.
const MOST_SHOWN: usize = 64;

/// A recipe made ready for one generator.
pub struct Editing<'a> {
    generator: &'a Generator,
    segmenter: Option<&'a Segmenter>,
    blind: bool,
    recipe: Recipe,
    subject: Subject,
    edits: Vec<Edit>,
    /// Images that are made and compared at a time.
    batch: usize,
}

/// Images of a generator that are made and compared at a time: as many as there is memory for.
fn batch_of(subject: &Subject, segmenter: Option<&Segmenter>, generator: &Path) -> Result<usize> {
    let needed = |batch: usize| {
        let seen = segmenter.map_or(Ok(0), |segmenter| segmenter.memory(batch))?;
        // What comes behind an edited layer is there twice.
        Ok::<u64, net::Error>(subject.memory(batch)?.saturating_mul(2).saturating_add(seen))
    };
    let batch = fitting(BATCH, needed)?;
    check(format!("{}: an edit", generator.display()), needed(batch)?, "Take a machine with more memory.")?;
    Ok(batch)
}

/// What an edit did.
#[derive(Clone, Debug)]
pub struct EditOutcome {
    /// How many images were edited.
    pub images: u64,
    /// The first of them, before.
    pub before: Vec<Image>,
    /// The same, after.
    pub after: Vec<Image>,
    /// What became of every class; empty without a segmenter.
    pub classes: Vec<Effect>,
    /// Where the latent is that of a photo: the photo with what the edit changed in its picture.
    pub photo: Option<Image>,
}

/// What people called the things of an edit, for its record.
#[derive(Clone, Debug, Default)]
pub struct EditNames {
    /// The generator.
    pub model: String,
    /// The dissection, where one was named.
    pub dissection: Option<String>,
    /// The segmenter, where there is one.
    pub segmenter: Option<String>,
    /// The seeds, where the latents come from seeds.
    pub seeds: Option<String>,
    /// The file of latents, where they come from one.
    pub latents: Option<String>,
}

impl<'a> Editing<'a> {
    /// Makes a recipe ready. The dissection names units and values; the segmenter counts what becomes of every class, unless it
    /// [is blind](Editing::is_blind).
    ///
    /// # Errors
    /// The recipe is empty, names what the generator does not have, or needs a dissection that is not given; the dissection is of
    /// another generator; the generator makes no images; or there is no memory for one.
    pub fn new(
        generator: &'a Generator,
        recipe: Recipe,
        dissection: Option<&Dissection>,
        segmenter: Option<&'a Segmenter>,
    ) -> Result<Self> {
        generator.image_shape()?;
        if recipe.shown().next().is_none() {
            return Err(Error::setting("edit", "no edit is given")
                .with_hint("Give `ablate`, `scale`, `insert` or `recipe`.")
                .into());
        }
        let mut layers: Vec<String> = Vec::new();
        for action in recipe.shown() {
            if !layers.contains(&action.layer) {
                layers.push(action.layer.clone());
            }
        }
        let subject = generator.subject(&layers)?;
        if let Some(dissection) = dissection {
            check_same(dissection, generator.network(), generator.path())?;
        }
        let edits = recipe.resolve(&subject, dissection)?;
        let blind = segmenter.map(|segmenter| segmenter.is_blind(generator.device())).transpose()?.unwrap_or(false);
        let segmenter = segmenter.filter(|_| !blind);
        let batch = batch_of(&subject, segmenter, generator.path())?;
        Ok(Self { generator, segmenter, blind, recipe, subject, edits, batch })
    }

    /// Whether the segmenter says the same of every picture, as painted masks do. Classes are not counted then: no edit changes them.
    pub fn is_blind(&self) -> bool {
        self.blind
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The images of some latents before and after.
    ///
    /// # Errors
    /// The latents have another shape than the network reads.
    pub fn before_and_after(&self, feed: &Feed) -> Result<[Tensor; 2]> {
        self.subject.before_and_after(feed, &self.edits)
    }

    /// Edits the images of latents: `each` gets the numbers of every batch, after. `None` where the watcher wanted it to end.
    ///
    /// # Errors
    /// The latents have another shape than the network reads, the images are not of the segmenter's size, or what `each` gives.
    pub fn run<E: From<net::Error>>(
        &self,
        latents: &Latents,
        watch: &mut dyn Watch,
        mut each: impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<Option<EditOutcome>, E> {
        let mut effects = self.segmenter.map(|segmenter| (segmenter, Effects::new(segmenter)));
        let mut shown: [Vec<Image>; 2] = Default::default();
        watch.stage("images", latents.len());
        let mut first = 0;
        while first < latents.len() {
            if watch.stop() {
                return Ok(None);
            }
            let feed = latents.batch(self.generator, first, self.batch);
            let pair = self.before_and_after(&feed)?;
            if let Some((segmenter, effects)) = &mut effects {
                effects.count(*segmenter, &pair[0], &pair[1])?;
            }
            let values = pair.each_ref().map(Tensor::to_vec);
            each(&values[1])?;
            for ((cells, images), values) in shown.iter_mut().zip(&pair).zip(&values) {
                let room = MOST_SHOWN.saturating_sub(cells.len());
                cells.extend(
                    pictures::from_batch(images.shape(), values).map_err(net::Error::from)?.into_iter().take(room),
                );
            }
            let n = feed.len() as u64;
            first += n;
            watch.step(n);
        }
        let [before, after] = shown;
        let classes = effects.map(|(_, effects)| effects.table()).unwrap_or_default();
        let photo = match (latents.photo(), before.first(), after.first()) {
            (Some(photo), Some(before), Some(after)) => Some(photo.put_back(before, after).map_err(net::Error::from)?),
            _ => None,
        };
        Ok(Some(EditOutcome { images: latents.len(), before, after, classes, photo }))
    }

    /// As [`Editing::run`], for the outcome alone.
    ///
    /// # Errors
    /// As [`Editing::run`].
    pub fn outcome(&self, latents: &Latents, watch: &mut dyn Watch) -> Result<Option<EditOutcome>> {
        self.run(latents, watch, |_| Ok::<(), net::Error>(()))
    }

    /// Writes the folder of an edit: its recipe, its sheet, the edited photo where there is one, what became of every class, and its
    /// record.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, folder: &Path, outcome: &EditOutcome, names: EditNames) -> Result<()> {
        files::create_folder(folder)?;
        self.recipe.write(&folder.join(RECIPE))?;
        output::write_png(&folder.join("sheet.png"), &outcome.sheet()?)?;
        let effects = folder.join("effects.csv");
        if !outcome.classes.is_empty() {
            output::write(&effects, outcome.csv().as_bytes())?;
        } else if effects.is_file() {
            // That of an earlier edit would be taken for what this one did.
            output::remove(&effects)?;
        }
        let photo = folder.join(EDITED_PHOTO);
        if let Some(image) = &outcome.photo {
            output::write_png(&photo, image)?;
        } else if photo.is_file() {
            output::remove(&photo)?;
        }
        let size = outcome.before.first().map_or([0; 2], |image| [image.width, image.height]);
        let record = Edited {
            format: Edited::FORMAT,
            program: env!("CARGO_PKG_VERSION").into(),
            model: Origin::of_network(names.model, self.generator.network())?,
            dissection: names.dissection,
            segmenter: names.segmenter,
            seeds: names.seeds,
            latents: names.latents,
            images: outcome.images,
            sheet: Sheet::new(outcome.before.len(), size),
            classes: outcome.classes.clone(),
        };
        Ok(record.write(folder)?)
    }
}

impl EditOutcome {
    /// Rows of images before, after, and of what differs.
    ///
    /// # Errors
    /// There is no image.
    pub fn sheet(&self) -> Result<Image, Error> {
        dissect::comparison_sheet(&self.before, &self.after)
    }

    /// What became of every class, as CSV.
    pub fn csv(&self) -> String {
        let mut text = vec!["class,category,before,after,removed\n".to_owned()];
        for effect in &self.classes {
            let [name, category] = [&effect.concept.name, &effect.concept.category].map(|f| base::csv_field(f));
            let removed = if effect.before == 0 { String::new() } else { format!("{:.6}", effect.removed()) };
            text.push(format!("{name},{category},{},{},{removed}\n", effect.before, effect.after));
        }
        text.concat()
    }

    /// The classes that there were or are, those that changed most first.
    pub fn changed(&self) -> Vec<&Effect> {
        let mut rows: Vec<&Effect> = self.classes.iter().filter(|e| e.before > 0 || e.after > 0).collect();
        rows.sort_by_key(|e| std::cmp::Reverse(e.before.abs_diff(e.after)));
        rows
    }
}

/// An action whose value is the factor by which its units are multiplied.
///
/// # Errors
/// The value is no number.
pub fn scaled(action: &Action) -> Result<Action, Error> {
    // x' = x (1 - a) is x times the factor for a = 1 - factor.
    let Value::Number(factor) = action.value else {
        return Err(
            Error::setting("scale", "names no factor").with_hint("Write LAYER:UNITS@FACTOR, such as 2:3,5@0.5.")
        );
    };
    Ok(Action { value: Value::Zero, alpha: 1.0 - factor, ..action.clone() })
}

/// A picture as a mask: black is 0, white is 1. What is transparent is black.
///
/// # Errors
/// The file cannot be read, is no picture, or is all black.
pub fn read_mask(path: &Path) -> Result<Vec<Vec<f32>>, Error> {
    let image = data::decode(&files::read(path, MAX_BYTES)?, path)?.into_grey();
    if image.pixels.iter().all(|&v| v == 0) {
        return Err(Error::file(path, "marks nothing: all of it is black or transparent").with_hint(segment::MASK_HINT));
    }
    Ok(image.pixels.chunks_exact(image.width).map(|row| row.iter().map(|&v| f32::from(v) / 255.0).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::tests::{points, small};
    use crate::{Seeds, Unwatched, open_dissection, open_segmenter};
    use dissect::EDITED;

    fn latents(text: &str) -> Latents {
        text.parse::<Seeds>().unwrap().into()
    }

    fn recipe(text: &str) -> Recipe {
        Recipe::new(vec![text.parse().unwrap()])
    }

    #[test]
    fn the_pictures_are_those_of_the_numbers_and_the_folder_holds_them() {
        let generator = small(3);
        let editing = Editing::new(&generator, recipe("1:0"), None, None).unwrap();
        let mut raw = Vec::new();
        let outcome = editing.run(&latents("0..70"), &mut Unwatched, |values| {
            raw.extend(values);
            Ok::<(), net::Error>(())
        });
        let outcome = outcome.unwrap().unwrap();
        assert_eq!((outcome.images, raw.len(), outcome.before.len()), (70, 70 * 3 * 16 * 16, MOST_SHOWN));
        assert_eq!(outcome.after, generator.pictures(&raw).unwrap()[..MOST_SHOWN]);
        let plain = generator.images(&latents("0..64"), &mut Unwatched).unwrap().unwrap();
        assert!(outcome.before == plain && outcome.after != plain);
        let folder = tempfile::tempdir().unwrap();
        let names = EditNames { model: "g".into(), seeds: Some("0..70".into()), ..EditNames::default() };
        output::write(&folder.path().join("new/effects.csv"), b"those of an earlier edit").unwrap();
        editing.write(&folder.path().join("new"), &outcome, names).unwrap();
        let record = Edited::read(&folder.path().join("new")).unwrap();
        assert_eq!((record.images, record.sheet.shown, record.seeds.as_deref()), (70, 64, Some("0..70")));
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path().join("new")).unwrap().flatten().map(|e| e.file_name()).collect();
        names.sort();
        assert_eq!(names, [EDITED, RECIPE, "sheet.png"]);
    }

    #[test]
    fn a_mask_that_marks_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        let read = |pixels: &[u8]| {
            std::fs::write(&path, pictures::png(&Image::new(2, 1, 1, pixels.to_vec()).unwrap()).unwrap()).unwrap();
            read_mask(&path)
        };
        assert_eq!(read(&[255, 0]).unwrap(), [[1.0, 0.0]]);
        let refused = read(&[0, 0]).unwrap_err();
        assert!(
            refused.to_string().ends_with("mask.png: marks nothing: all of it is black or transparent"),
            "{refused}"
        );
        assert!(refused.hint().is_some());
    }

    #[test]
    fn what_became_of_the_classes_is_counted() {
        let device = net::Device::cpu();
        let generator = Generator::open("scenes", &device).unwrap();
        let segmenter = open_segmenter("scenes", &device).unwrap();
        let found = open_dissection("scenes").unwrap();
        let editing = Editing::new(&generator, recipe("1b:tree/20"), Some(&found), Some(&segmenter)).unwrap();
        let outcome = editing.outcome(&latents("0..16"), &mut Unwatched).unwrap().unwrap();
        let tree = outcome.classes.iter().find(|e| e.concept.name == "tree").unwrap();
        assert!(tree.before > 0 && tree.removed() > 0.3, "{tree:?}");
        let changes: Vec<u64> = outcome.changed().iter().map(|e| e.before.abs_diff(e.after)).collect();
        assert!(changes.is_sorted_by(|a, b| a >= b), "{changes:?}");
        assert!(
            outcome.csv().contains(&format!("\ntree,objects,{},{},0.", tree.before, tree.after)),
            "{}",
            outcome.csv()
        );
    }

    #[test]
    fn edits_that_cannot_be_are_refused() {
        let generator = small(3);
        let refused = |recipe, dissection: Option<&Dissection>| {
            Editing::new(&generator, recipe, dissection, None).err().unwrap().to_string()
        };
        assert_eq!(refused(Recipe::new(Vec::new()), None), "edit: no edit is given");
        assert!(refused(recipe("7:0"), None).contains("7: there is no such layer"));
        assert!(refused(recipe("1:tree/2"), None).contains("none is given"));
        let scenes = open_dissection("scenes").unwrap();
        assert!(refused(recipe("1:0"), Some(&scenes)).contains("is of another generator"));
        assert!(Editing::new(&points(), recipe("1:0"), None, None).is_err());
    }

    #[test]
    fn a_factor_scales() {
        let action = scaled(&"2:3@0.25".parse().unwrap()).unwrap();
        assert_eq!((action.alpha, action.value), (0.75, Value::Zero));
        assert!(scaled(&"2:3@mean".parse().unwrap()).is_err());
    }
}
