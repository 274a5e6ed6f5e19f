//! What a segmenter sees in pictures, and how much of each class.

use data::{Image, LabelMap, Plane, pictures};
use net::{Device, Result, Tensor};
use segment::{Segment, Segmenter};
use serde::Serialize;

/// Looks at pictures with a segmenter and counts the pixels of every class.
pub struct Seen<'a> {
    segmenter: &'a Segmenter,
    device: Device,
    images: u64,
    finite: bool,
    /// Pixels of each class of each plane.
    pixels: Vec<Vec<u64>>,
}

/// The classes of one label plane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlaneShares<'a> {
    /// The plane's name.
    pub name: &'a str,
    /// Its classes.
    pub classes: Vec<ClassShare<'a>>,
}

/// How much of the pictures a class has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassShare<'a> {
    /// The class's name.
    pub name: &'a str,
    /// Its pixels.
    pub pixels: u64,
    /// Of all pixels.
    pub share: f64,
}

impl<'a> Seen<'a> {
    /// Nothing seen yet.
    pub fn new(segmenter: &'a Segmenter, device: &Device) -> Self {
        let pixels = segmenter.planes().iter().map(|plane| vec![0; plane.classes.len()]).collect();
        Self { segmenter, device: device.clone(), images: 0, finite: true, pixels }
    }

    /// Looks at pictures by their numbers, side by side: each with its label maps, one for each plane.
    ///
    /// # Errors
    /// They are no whole images of the segmenter's shape.
    pub fn look(&mut self, values: &[f32]) -> Result<Vec<(Image, Vec<LabelMap>)>> {
        let item = self.segmenter.image_shape();
        let shape = [&[values.len() / item.iter().product::<usize>().max(1)], &item[..]].concat();
        let images = pictures::from_batch(&shape, values)?;
        let (said, finite) = self.segmenter.label(&Tensor::new(&shape, values.to_vec(), &self.device))?;
        self.finite &= finite;
        for maps in &said {
            self.images += 1;
            for (pixels, map) in self.pixels.iter_mut().zip(maps) {
                map.classes.iter().for_each(|&class| pixels[usize::from(class)] += 1);
            }
        }
        Ok(images.into_iter().zip(said).collect())
    }

    /// How many pictures were looked at.
    pub fn images(&self) -> u64 {
        self.images
    }

    /// Whether all that the segmenter said of them were finite numbers.
    pub fn finite(&self) -> bool {
        self.finite
    }

    /// The shares of all classes in what was looked at.
    pub fn shares(&self) -> Vec<PlaneShares<'a>> {
        let mut planes = Vec::new();
        for (plane, pixels) in self.segmenter.planes().iter().zip(&self.pixels) {
            let all = pixels.iter().sum::<u64>().max(1) as f64;
            let classes = plane.classes.iter().zip(pixels);
            let classes = classes.map(|(class, &n)| ClassShare { name: &class.name, pixels: n, share: n as f64 / all });
            planes.push(PlaneShares { name: &plane.name, classes: classes.collect() });
        }
        planes
    }
}

/// The classes of a plane as the file that goes with index PNGs, `classes.json`.
pub fn classes_document(plane: &Plane) -> serde_json::Value {
    let classes: Vec<_> = (0u16..)
        .zip(&plane.classes)
        .map(|(index, class)| serde_json::json!({"index": index, "name": class.name, "colour": class.colour}))
        .collect();
    let mut json = serde_json::json!({ "classes": classes });
    if let Some(ignore) = plane.ignore {
        json["ignore_index"] = ignore.into();
    }
    json
}

/// A folder for each plane, whatever a model file calls its planes.
pub fn folders_of_planes(planes: &[Plane]) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    for (place, Plane { name, .. }) in planes.iter().enumerate() {
        let plain = base::file_name(&[name]);
        // Nothing keeps a model file from calling two planes the same.
        folders.push(if folders.contains(&plain) { base::file_name(&[name, &place.to_string()]) } else { plain });
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generator, open_segmenter};

    #[test]
    fn every_plane_has_a_folder_of_its_own_and_none_leads_out_of_it() {
        let plane = |name: &str| Plane { name: name.into(), classes: Vec::new(), ignore: None };
        let folders = folders_of_planes(&["parts", "../../etc", ".", "", "C:\\x", "parts", "parts"].map(plane));
        assert_eq!(([&*folders[0], &*folders[5], &*folders[6]]), ["parts", "parts-5", "parts-6"]);
        assert!(folders.iter().all(|name| !name.starts_with('.') && !name.contains(['/', '\\', ':'])), "{folders:?}");
        let mut once = folders.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), folders.len(), "{folders:?}");
    }

    #[test]
    fn every_pixel_is_of_one_class_of_each_plane() {
        let device = Device::cpu();
        let segmenter = open_segmenter("scenes", &device).unwrap();
        let generator = Generator::open("scenes", &device).unwrap();
        let mut seen = Seen::new(&segmenter, &device);
        for seeds in [[0, 1], [2, 3]] {
            let z = generator.network().latents(&seeds, &device);
            let found = seen.look(&generator.forward(&z.into()).unwrap().to_vec()).unwrap();
            assert_eq!((found.len(), found[0].1.len()), (2, segmenter.planes().len()));
        }
        let [_, height, width] = generator.image_shape().unwrap();
        for plane in seen.shares() {
            assert_eq!(
                plane.classes.iter().map(|c| c.pixels).sum::<u64>(),
                (4 * height * width) as u64,
                "{}",
                plane.name
            );
            assert!((plane.classes.iter().map(|c| c.share).sum::<f64>() - 1.0).abs() < 1e-9);
        }
        assert_eq!(seen.images(), 4);
    }

    #[test]
    fn the_file_of_classes_says_which_is_ignored() {
        let segmenter = open_segmenter("scenes", &Device::cpu()).unwrap();
        let plane = Plane { ignore: Some(0), ..segmenter.planes()[0].clone() };
        let json = classes_document(&plane);
        assert_eq!((json["ignore_index"].as_u64(), json["classes"][1]["index"].as_u64()), (Some(0), Some(1)));
        assert!(classes_document(&Plane { ignore: None, ..plane }).get("ignore_index").is_none());
    }
}
