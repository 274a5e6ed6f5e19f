//! How much one request may ask for. Each is in the API's answer to `studio`, and each has a test.

use dissect::{LatentOf, Place, Recipe, Units};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Bytes of a request that is JSON.
pub(crate) const BODY: usize = 2 << 20;
/// Bytes of a photo.
pub(crate) const PHOTO: usize = 16 << 20;
/// Edits of a recipe.
pub(crate) const STROKES: usize = 64;
/// Pictures of one request.
pub(crate) const BATCH: usize = 64;
/// Units of which one request gets maps.
pub(crate) const MAPS: usize = 64;
/// Examples of a concept of one's own.
pub(crate) const EXAMPLES: usize = 64;
/// Requests that wait until others are done.
pub(crate) const QUEUE: usize = 8;
/// Of those, how many may be of one client.
pub(crate) const QUEUE_OF_CLIENT: usize = 4;
/// The longest side of a picture, enlarged.
pub(crate) const SIDE: usize = 4096;
/// Records of a run in one answer.
pub(crate) const RECORDS: usize = 2000;
/// Records of a run in one event.
pub(crate) const RECORDS_OF_EVENT: usize = 200;
/// Runs that are watched at a time.
pub(crate) const WATCHED: usize = 64;
/// Bytes of a picture that is read from a file.
pub(crate) const PICTURE: u64 = 64 << 20;
/// Connections at a time.
pub(crate) const CONNECTIONS: usize = 256;
/// Time for the head of a request.
pub(crate) const HEAD: Duration = Duration::from_secs(10);
/// Time for a request until its answer begins.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);

/// The limits, for who asks.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Limits {
    /// Bytes of a request that is JSON.
    body_bytes: usize,
    /// Bytes of a photo.
    photo_bytes: usize,
    /// Edits of a recipe.
    strokes: usize,
    /// Pictures of one sheet.
    batch: usize,
    /// Units of which one request gets maps.
    maps: usize,
    /// Examples of a concept of one's own.
    examples: usize,
    /// Requests that wait until others are done.
    queue: usize,
    /// Records of a run in one answer.
    records: usize,
    /// Runs that are watched at a time.
    watched: usize,
}

/// All of them.
pub(crate) const LIMITS: Limits = Limits {
    body_bytes: BODY,
    photo_bytes: PHOTO,
    strokes: STROKES,
    batch: BATCH,
    maps: MAPS,
    examples: EXAMPLES,
    queue: QUEUE,
    records: RECORDS,
    watched: WATCHED,
};

/// Whether a recipe is small enough to be looked at, for a generator of images of this height and width and layers of so many units.
///
/// # Errors
/// It is not; why.
pub(crate) fn check(recipe: &Recipe, image: [usize; 2], most_units: usize) -> Result<(), String> {
    if recipe.edits.len() > STROKES {
        return Err(format!("the recipe has {} edits; {STROKES} are the most", recipe.edits.len()));
    }
    if let Some(LatentOf::Inversion(name)) = &recipe.latent
        && name.len() > 64
    {
        return Err("the name of the inversion is too long".into());
    }
    for (place, edit) in recipe.edits.iter().enumerate() {
        let wrong = |what: String| Err(format!("edit {}: {what}", place + 1));
        if let Units::Numbers(units) = &edit.units
            && units.len() > most_units
        {
            return wrong(format!("names {} units; no layer has more than {most_units}", units.len()));
        }
        check_place(&edit.place, image).or_else(wrong)?;
    }
    Ok(())
}

/// As [`check`], for what is painted.
///
/// # Errors
/// The mask is larger than the image.
pub(crate) fn check_place(place: &Place, [height, width]: [usize; 2]) -> Result<(), String> {
    let size = match place {
        Place::Everywhere => return Ok(()),
        Place::Cells(cells) if cells.len() > height * width => {
            return Err(format!("names {} cells; the image has {} pixels", cells.len(), height * width));
        }
        Place::Cells(_) => return Ok(()),
        Place::Mask(rows) => [rows.len(), rows.iter().map(Vec::len).max().unwrap_or(0)],
        Place::Painted(painted) => painted.size,
    };
    if size[0] > height || size[1] > width {
        return Err(format!("the mask is {} x {}; the image is {width} x {height}", size[1], size[0]));
    }
    Ok(())
}
