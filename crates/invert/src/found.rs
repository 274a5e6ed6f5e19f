//! What an inversion found, with the pictures that people look at.

use crate::Inverted;
use base::{Result, files};
use data::{Image, pictures};
use std::path::Path;

/// The picture in the folder of an inversion.
pub const SHEET: &str = "sheet.png";

/// An inversion with its pictures.
#[derive(Clone, Debug)]
pub struct Found {
    /// The latent and the shift.
    pub inverted: Inverted,
    /// What the latent alone makes.
    pub alone: Image,
    /// What it makes with the layer shifted.
    pub refined: Image,
}

impl Found {
    /// The photo as the generator sees it, the latent's picture, the refined one, and how that differs from the first (grey is none), side
    /// by side.
    ///
    /// # Errors
    /// They would make too large a picture.
    pub fn sheet(&self) -> Result<Image> {
        let Image { width, height, channels, .. } = self.refined;
        let picture = self.inverted.photo.picture([channels, height, width]);
        let difference = dissect::difference(&picture, &self.refined);
        let zoom = dissect::Sheet::new(4, [width, height]).zoom;
        let cells = [&picture, &self.alone, &self.refined, &difference].map(|image| pictures::zoomed(image, zoom));
        pictures::grid(&cells, 4, 2)
    }

    /// Writes the folder of the inversion: what [`Inverted::read`] reads, and the picture.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        files::create_folder(folder)?;
        files::write_atomic(folder.join(SHEET), &pictures::png(&self.sheet()?)?)?;
        self.inverted.write(folder)
    }
}
