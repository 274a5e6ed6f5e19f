//! What an inversion came to, and its files.

#![warn(clippy::indexing_slicing)]

use crate::{Fit, Photo, Settings};
use base::npy::Array;
use base::sniff::{Kind, Wanted};
use base::{Error, Result, files};
use data::{MAX_BYTES, pictures};
use dissect::Origin;
use net::{Device, Feed, Network, Shift, Tensor};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file that says what the folder is.
pub const INVERSION: &str = "inversion.json";
/// The file of the latent.
pub const LATENTS: &str = "latents.npy";
/// The file of the shift.
pub const SHIFT: &str = "shift.npy";
/// The file of the photo.
pub const PHOTO: &str = "photo.png";
/// The version of these files that is written, and the newest that is read.
pub const FORMAT: u32 = 1;

/// The longest record that is read.
const LIMIT: u64 = 1 << 20;

/// What is opened here, for messages about folders and files that are something else.
const WANTED: Wanted =
    Wanted { name: "an inversion", kind: Kind::INVERSION, cure: "Give the folder that `invert` has written." };

/// How far the generator's picture is from the one that was given: the root of the mean squared difference of their numbers, which go from
/// -1 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distance {
    /// Of the latent alone: the best picture that the generator was found to make by itself.
    pub latent: f64,
    /// With the layer shifted.
    pub refined: f64,
}

/// The distance of the latent alone up to which a picture is near to what the generator makes.
const NEAR: f64 = 0.25;

impl Distance {
    /// Whether the generator makes something like the picture by itself. A shift draws nearly anything, so it does not count.
    pub fn is_near(&self) -> bool {
        self.latent <= NEAR
    }
}

/// Where a picture comes from: a latent, and what is added to one layer on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Inverted {
    /// What is written beside the numbers.
    pub record: Record,
    /// The latent `[1, ...]`, as the generator reads it.
    pub latent: Array,
    /// What is added to the layer, `[1, ...]`.
    pub shift: Array,
    /// What was inverted.
    pub photo: Photo,
}

/// The record of an inversion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of the program.
    pub program: String,
    /// The generator.
    pub model: Origin,
    /// The layer that is shifted, by the node's name.
    pub layer: String,
    /// How the photo came to the form of the generator's pictures.
    pub fit: Fit,
    /// How near it came.
    pub distance: Distance,
    /// How it was searched.
    pub settings: Settings,
}

impl Inverted {
    /// What the generator makes the picture from, on a device. [`Inverted::check`] says whether a generator can.
    pub fn feed(&self, device: &Device) -> Feed {
        let tensor = |array: &Array| Tensor::new(&array.shape, array.clone().into_f32(), device);
        let shift = Shift { node: self.record.layer.clone(), by: tensor(&self.shift) };
        Feed { shift: Some(shift), ..tensor(&self.latent).into() }
    }

    /// Whether this generator is the one that the photo was inverted into; `name` is what people call it.
    ///
    /// # Errors
    /// The photo was inverted into another one, or its numbers have other shapes than this one's.
    pub fn check(&self, network: &Network, name: &str) -> net::Result<()> {
        if !self.record.model.is(network)? {
            let reason =
                format!("the photo was inverted into {}, which is another model than {name}", self.record.model.name);
            return Err(Error::setting("latents", reason).with_hint("Run `invert` for this model.").into());
        }
        let layer = &self.record.layer;
        let graph = &network.graph;
        let shape = graph.sample_shapes()?.into_iter().nth(graph.find(layer)?).flatten();
        let places = [
            ("latent", &self.latent, "the input".to_owned(), Some(network.input_shape())),
            ("shift", &self.shift, format!("layer {layer}"), shape),
        ];
        for (what, array, place, wanted) in places {
            let wanted = [vec![1], wanted.unwrap_or_default()].concat();
            if array.shape != wanted {
                let reason = format!("the {what} has the shape {:?}; {place} of {name} has {wanted:?}", array.shape);
                return Err(Error::setting("latents", reason).into());
            }
        }
        Ok(())
    }

    /// Whether a folder is one that [`Inverted::write`] has written.
    pub fn is_at(folder: &Path) -> bool {
        folder.join(INVERSION).is_file()
    }

    /// Reads the folder of an inversion.
    ///
    /// # Errors
    /// It is none, a file is broken or of a newer program, or numbers are not finite.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(INVERSION);
        if !path.is_file() {
            files::must_exist(folder)?;
            let otherwise = Error::file(folder, format!("is not an inversion (no {INVERSION})")).with_hint(WANTED.cure);
            return Err(WANTED.unfit(folder, Kind::of_path(folder), otherwise));
        }
        let record = Record::parse(&files::read(&path, LIMIT)?, &path)?;
        let (latent, shift) = (numbers(&folder.join(LATENTS))?, numbers(&folder.join(SHIFT))?);
        let path = folder.join(PHOTO);
        let photo = Photo::kept(data::decode(&files::read(&path, MAX_BYTES)?, &path)?, record.fit);
        Ok(Self { record, latent, shift, photo })
    }

    /// Writes the files into a folder, the record last: without it the folder is no inversion.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        files::create_folder(folder)?;
        let path = folder.join(INVERSION);
        if path.is_file() {
            // Numbers of one inversion never stand beside the record of another.
            std::fs::remove_file(&path).map_err(|e| Error::io("remove", &path, e))?;
        }
        self.latent.write(folder.join(LATENTS))?;
        self.shift.write(folder.join(SHIFT))?;
        files::write_atomic(folder.join(PHOTO), &pictures::quick_png(self.photo.image())?)?;
        let json = serde_json::to_string_pretty(&self.record).map_err(|e| Error::file(&path, e.to_string()))?;
        files::write_atomic(&path, (json + "\n").as_bytes())
    }
}

/// What can be told of a record from any program.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Record {
    fn parse(bytes: &[u8], path: &Path) -> Result<Self> {
        let broken = |reason: String| Error::file(path, reason);
        let Version { format } = serde_json::from_slice(bytes).map_err(|e| broken(format!("corrupt: {e}")))?;
        if format != FORMAT {
            return Err(broken(format!("is of format {format}; this program reads {FORMAT}")));
        }
        let found: Self = serde_json::from_slice(bytes).map_err(|e| broken(format!("corrupt: {e}")))?;
        let Distance { latent, refined } = found.distance;
        if ![latent, refined].iter().all(|d| d.is_finite() && *d >= 0.0) {
            return Err(broken("corrupt: there are no such distances".into()));
        }
        found.settings.check().map_err(|e| broken(format!("corrupt: {e}")))?;
        Ok(found)
    }
}

/// The numbers of one photo: `[1, ...]`, all finite.
fn numbers(path: &Path) -> Result<Array> {
    let array = Array::read(path)?;
    let shape = array.shape.clone();
    if shape.first() != Some(&1) || shape.len() < 2 || shape.contains(&0) {
        return Err(Error::file(path, format!("has shape {shape:?}; an inversion is of 1 photo")));
    }
    let values = array.into_f32();
    if let Some(wrong) = values.iter().find(|v| !v.is_finite()) {
        return Err(Error::file(path, format!("holds {wrong}, which is not finite")));
    }
    Ok(Array::f32(shape, values))
}
