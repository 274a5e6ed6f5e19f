//! Pictures of all classes side by side.

use crate::conditions::Conditions;
use crate::pictures::{PADDING, check_grid};
use crate::{Generator, Latents, Watch};
use data::Image;
use net::Result;

impl Generator {
    /// A grid with a row for each class, named at its left: a column is one latent, under the same conditions. Made in batches of `batch`; `None`
    /// where the watcher wanted it to end.
    ///
    /// # Errors
    /// It reads no label, makes no images that can be shown, or the grid would be too large; or as [`Latents::under`].
    pub fn rows_by_class(
        &self,
        latents: &Latents,
        conditions: &Conditions,
        batch: usize,
        watch: &mut dyn Watch,
    ) -> Result<Option<Image>> {
        self.class("0")?;
        let (names, columns) = (self.classes(), latents.len());
        let width = usize::try_from(columns).unwrap_or(usize::MAX);
        let cells = columns.saturating_mul(names.len() as u64);
        check_grid(cells, width, self.image_shape()?, "Ask for fewer seeds, or for one class: `class`.")?;
        let mut images = Vec::new();
        for class in 0..names.len() {
            let latents = latents.clone().of_class(class).under(conditions, self)?;
            let made = self.make(&latents, batch, watch, |_, values| {
                images.extend(self.pictures(values)?);
                Ok::<(), net::Error>(())
            })?;
            if made.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(data::pictures::rows(&images, width, PADDING, &names)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions::tests::conditional;
    use crate::generator::tests::small;
    use crate::{Seeds, Unwatched};

    fn rows(generator: &Generator, seeds: &str) -> Result<Option<Image>> {
        let latents = seeds.parse::<Seeds>().unwrap().into();
        generator.rows_by_class(&latents, &Conditions::default(), 2, &mut Unwatched)
    }

    #[test]
    fn each_class_has_a_row_of_the_same_latents() {
        let generator = conditional();
        let sheet = rows(&generator, "4..7").unwrap().unwrap();
        let mut images = Vec::new();
        for name in generator.classes() {
            let conditions = Conditions { class: Some(name), ..Conditions::default() };
            let latents = Latents::from("4..7".parse::<Seeds>().unwrap()).under(&conditions, &generator).unwrap();
            images.extend(generator.images(&latents, &mut Unwatched).unwrap().unwrap());
        }
        assert_eq!(sheet, data::pictures::rows(&images, 3, PADDING, &generator.classes()).unwrap());
        assert!(images[0] != images[3] && images[3] != images[6], "classes differ");
    }

    #[test]
    fn what_has_no_classes_or_too_many_pictures_is_refused() {
        let refused = |generator: &Generator, seeds: &str| rows(generator, seeds).unwrap_err().to_string();
        assert_eq!(refused(&small(3), "0..2"), "class: this generator reads no label");
        assert!(refused(&conditional(), "0..9000").starts_with("grid: a grid of 27000 pictures in 9000 columns"));
    }
}
