//! What an edit was and did, beside its pictures: enough to repeat it and to cut its sheet into pictures again.

#![warn(clippy::indexing_slicing)]

use crate::edit::Effect;
use crate::plan::Origin;
use base::{Error, Result, files};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file in an edit's folder.
pub const EDITED: &str = "edit.json";
/// The version that is written, and the newest that is read.
const FORMAT: u32 = 1;
/// The longest file that is read.
const LIMIT: u64 = 64 << 20;

/// One edit of a generator's images, its recipe left out: that is `recipe.json` beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edited {
    /// The version of this form.
    pub format: u32,
    /// The version of the program.
    pub program: String,
    /// The generator.
    pub model: Origin,
    /// The dissection that names units and values, where one was given.
    pub dissection: Option<String>,
    /// What counted the classes, where something did.
    pub segmenter: Option<String>,
    /// The seeds of the images, as people write them.
    pub seeds: Option<String>,
    /// The file of latents that was used instead of seeds.
    pub latents: Option<String>,
    /// How many images were edited.
    pub images: u64,
    /// What the picture shows.
    pub sheet: Sheet,
    /// The classes before and after; empty without a segmenter.
    pub classes: Vec<Effect>,
}

/// The picture of an edit: up to `columns` images in a row; a row before, a row after, a row of differences, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Images that are shown: the first ones.
    pub shown: usize,
    /// Images in a row.
    pub columns: usize,
    /// Width and height of an image, in pixels of the sheet.
    pub cell: [usize; 2],
    /// How many pixels of the sheet a pixel of an image is wide and high.
    pub zoom: usize,
    /// Pixels around the images.
    pub gap: usize,
}

impl Sheet {
    /// The sheet of so many images of this width and height: eight in a row, small ones enlarged.
    pub fn new(shown: usize, [width, height]: [usize; 2]) -> Self {
        let zoom = 128usize.div_ceil(width.max(1)).clamp(1, 4);
        Self { shown, columns: shown.clamp(1, 8), cell: [width * zoom, height * zoom], zoom, gap: 2 }
    }
}

impl Edited {
    /// The version that is written.
    pub const FORMAT: u32 = FORMAT;

    /// Reads the record of an edit's folder.
    ///
    /// # Errors
    /// There is none, or it is broken or of another format.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(EDITED);
        let broken = |reason: String| Error::file(&path, reason);
        let found: Self =
            serde_json::from_slice(&files::read(&path, LIMIT)?).map_err(|e| broken(format!("corrupt: {e}")))?;
        if found.format != FORMAT {
            return Err(broken(format!("is of format {}; this program reads {FORMAT}", found.format)));
        }
        let Sheet { shown, columns, cell, zoom, .. } = found.sheet;
        if shown as u64 > found.images || !(1..=shown.max(1)).contains(&columns) || cell.contains(&0) || zoom == 0 {
            return Err(broken("corrupt: there is no sheet of these sizes".into()));
        }
        Ok(found)
    }

    /// Writes the record into an edit's folder.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(EDITED);
        let json = serde_json::to_string_pretty(self).map_err(|e| Error::file(&path, e.to_string()))?;
        files::write_atomic(&path, (json + "\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::concepts::Concept;

    #[test]
    fn the_record_of_an_edit_comes_back_and_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let concept = Concept { name: "tree".into(), category: "objects".into() };
        let edited = Edited {
            format: FORMAT,
            program: "0.1.0".into(),
            model: Origin { name: "scenes".into(), blake3: "00".into() },
            dissection: None,
            segmenter: Some("scenes".into()),
            seeds: Some("0..8".into()),
            latents: None,
            images: 8,
            sheet: Sheet { shown: 8, columns: 8, cell: [128, 128], zoom: 2, gap: 2 },
            classes: vec![Effect { concept, before: 10, after: 3 }],
        };
        edited.write(folder.path()).unwrap();
        assert_eq!(Edited::read(folder.path()).unwrap(), edited);
        for sheet in [
            Sheet { shown: 9, ..edited.sheet },
            Sheet { columns: 0, ..edited.sheet },
            Sheet { zoom: 0, ..edited.sheet },
        ] {
            Edited { sheet, ..edited.clone() }.write(folder.path()).unwrap();
            assert!(
                Edited::read(folder.path())
                    .unwrap_err()
                    .to_string()
                    .ends_with("corrupt: there is no sheet of these sizes")
            );
        }
        Edited { format: 2, ..edited }.write(folder.path()).unwrap();
        assert!(Edited::read(folder.path()).unwrap_err().to_string().ends_with("is of format 2; this program reads 1"));
        std::fs::write(folder.path().join(EDITED), "{").unwrap();
        assert!(Edited::read(folder.path()).unwrap_err().to_string().contains("edit.json: corrupt: "));
    }
}
