//! Photos brought into a generator.

use crate::Generator;
use base::{Error, files};
use data::MAX_BYTES;
use invert::{Fit, Inverter, Photo, Settings};
use net::Result;
use std::path::Path;

impl Generator {
    /// It made ready for inversions into a layer; where none is named, [`Inverter::new`] says which.
    ///
    /// # Errors
    /// It makes no images that can be shown, there is no such layer, or as [`Inverter::new`].
    pub fn inverter(&self, layer: Option<&str>, settings: Settings) -> Result<Inverter> {
        self.image_shape()?;
        let layers: Vec<String> = layer.into_iter().map(str::to_owned).collect();
        let name = self.path().display().to_string();
        Inverter::new(self.subject(&layers)?, &name, layer, settings)
    }

    /// Reads a photo that is to be brought into it.
    ///
    /// # Errors
    /// The file cannot be read or is no picture; or it has another form than the generator's pictures, and `fit` is [`Fit::Same`].
    pub fn photo(&self, path: &Path, fit: Fit) -> Result<Photo> {
        let shape = self.image_shape()?;
        let image = data::decode(&files::read(path, MAX_BYTES)?, path)?;
        let in_file = |error: Error| {
            let (hint, text) = (error.hint(), error.to_string());
            let reason = text.strip_prefix("photo: ").unwrap_or(&text);
            let error = Error::file(path, reason);
            match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        };
        Ok(Photo::new(image, fit, shape).map_err(in_file)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::tests::{points, small};
    use crate::{EDITED_PHOTO, EditNames, Editing, Latents, Unwatched, files as output};
    use data::{Image, pictures};
    use dissect::Recipe;

    fn settings() -> Settings {
        Settings { starts: 16, kept: 2, steps: 10, shift_steps: 10, ..Settings::default() }
    }

    #[test]
    fn the_folder_of_a_photo_stands_for_its_picture_everywhere() {
        let (generator, folder) = (small(3), tempfile::tempdir().unwrap());
        let path = folder.path().join("photo.jpg");
        // Twice the size of the generator's pictures.
        let photo = Image::new(32, 32, 3, (0..32 * 32 * 3).map(|i| (i * 7 % 251) as u8).collect()).unwrap();
        output::write(&path, &pictures::png(&photo).unwrap()).unwrap();
        let photo = generator.photo(&path, Fit::Same).unwrap();
        let inverter = generator.inverter(Some("0"), settings()).unwrap();
        let found = inverter.invert(&photo, &mut Unwatched).unwrap().unwrap();
        found.write(&folder.path().join("found")).unwrap();
        let latents = Latents::read(&folder.path().join("found"), &generator).unwrap();
        assert_eq!((latents.len(), latents.name(0), latents.photo()), (1, "photo".into(), Some(&photo)));
        let refined = std::slice::from_ref(&found.refined);
        assert_eq!(generator.images(&latents, &mut Unwatched).unwrap().unwrap(), refined);
        assert!(latents.batch(&generator, 1, 4).is_empty());
        // Without the shift it is the latent's picture.
        let alone = Latents::read(&folder.path().join("found/latents.npy"), &generator).unwrap();
        assert_eq!(generator.images(&alone, &mut Unwatched).unwrap().unwrap(), std::slice::from_ref(&found.alone));

        // Edits at, before and behind the shifted layer begin with the same picture.
        for edit in ["0:0@9", "1:1@9"] {
            let recipe = Recipe::new(vec![edit.parse().unwrap()]);
            let editing = Editing::new(&generator, recipe, None, None).unwrap();
            let outcome = editing.outcome(&latents, &mut Unwatched).unwrap().unwrap();
            assert_eq!(outcome.before, refined, "{edit}");
            let edited = outcome.photo.as_ref().unwrap();
            assert_eq!(edited, &photo.put_back(&outcome.before[0], &outcome.after[0]).unwrap());
            assert!((edited.width, edited) != (16, photo.image()), "{edit}");
            let out = folder.path().join("edited");
            editing.write(&out, &outcome, EditNames::default()).unwrap();
            let bytes = std::fs::read(out.join(EDITED_PHOTO)).unwrap();
            assert_eq!(&data::decode(&bytes, &out).unwrap(), edited);
            // The next edit into the folder is of no photo.
            let plain = editing.outcome(&"0".parse().unwrap(), &mut Unwatched).unwrap().unwrap();
            editing.write(&out, &plain, EditNames::default()).unwrap();
            assert!(!out.join(EDITED_PHOTO).exists());
        }
    }

    #[test]
    fn what_cannot_be_inverted_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wide.png");
        output::write(&path, &pictures::png(&Image::filled(32, 16, [9; 3])).unwrap()).unwrap();
        let refused = small(3).photo(&path, Fit::Same).unwrap_err();
        let reason = "is 32 pixels wide and 16 high; the model's pictures are 16 and 16";
        assert_eq!(refused.to_string(), format!("{}: {reason}", path.display()));
        assert!(refused.hint().unwrap().contains("`fit crop`"));
        assert!(small(3).photo(&path, Fit::Crop).is_ok());
        assert!(small(3).photo(folder.path(), Fit::Same).unwrap_err().to_string().ends_with("is a folder, not a file"));
        assert!(points().photo(&path, Fit::Same).is_err() && points().inverter(None, settings()).is_err());
        assert!(small(4).inverter(None, settings()).is_err());
        let refused = Latents::read(folder.path(), &small(3)).unwrap_err().to_string();
        assert!(refused.ends_with("is not an inversion (no inversion.json)"), "{refused}");
    }
}
