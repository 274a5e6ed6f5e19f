//! A function as a segmenter.

use crate::{Segment, count_of};
use base::{Error, Result};
use data::{LabelMap, Plane};
use net::Tensor;
use rayon::prelude::*;

/// Labels pictures by a function of their numbers: exact where the function knows the world that they show.
pub struct Oracle<F> {
    planes: Vec<Plane>,
    shape: [usize; 3],
    label: F,
}

impl<F: Fn(&[f32]) -> Vec<LabelMap> + Sync> Oracle<F> {
    /// `label` maps the numbers `[channels, height, width]` of one image to a label map for each plane.
    pub fn new(planes: Vec<Plane>, shape: [usize; 3], label: F) -> Self {
        Self { planes, shape, label }
    }
}

impl<F: Fn(&[f32]) -> Vec<LabelMap> + Send + Sync> Segment for Oracle<F> {
    fn planes(&self) -> &[Plane] {
        &self.planes
    }

    fn image_shape(&self) -> [usize; 3] {
        self.shape
    }

    fn segment(&self, images: &Tensor) -> Result<Vec<Vec<LabelMap>>> {
        count_of(images, self.shape)?;
        let [c, h, w] = self.shape;
        let maps: Vec<Vec<LabelMap>> = images.to_vec().par_chunks(c * h * w).map(|image| (self.label)(image)).collect();
        let fits = |maps: &Vec<LabelMap>| {
            maps.len() == self.planes.len() && maps.iter().all(|map| (map.width, map.height) == (w, h))
        };
        if maps.iter().all(fits) {
            Ok(maps)
        } else {
            Err(Error::setting("oracle", format!("gave other maps than {} of {w}x{h} pixels", self.planes.len())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data::Class;
    use net::Device;

    fn bright(classes: usize) -> Oracle<impl Fn(&[f32]) -> Vec<LabelMap> + Sync> {
        let class = |name: &str| Class { name: name.into(), colour: [0; 3] };
        let plane = Plane { name: "light".into(), classes: vec![class("dark"), class("bright")], ignore: None };
        Oracle::new(vec![plane], [1, 1, 2], move |image: &[f32]| {
            let map = LabelMap { width: 2, height: 1, classes: image.iter().map(|&v| u16::from(v > 0.0)).collect() };
            vec![map; classes]
        })
    }

    #[test]
    fn each_image_is_labelled_by_the_function() {
        let images = Tensor::new(&[2, 1, 1, 2], vec![0.5, -0.5, -1.0, 1.0], &Device::cpu());
        let maps = bright(1).segment(&images).unwrap();
        assert_eq!((&maps[0][0].classes[..], &maps[1][0].classes[..]), (&[1, 0][..], &[0, 1][..]));
    }

    #[test]
    fn a_wrong_shape_and_a_wrong_number_of_maps_are_errors() {
        let images = Tensor::new(&[1, 1, 1, 2], vec![0.0; 2], &Device::cpu());
        assert_eq!(bright(2).segment(&images).unwrap_err().to_string(), "oracle: gave other maps than 1 of 2x1 pixels");
        let tall = images.reshape(&[1, 1, 2, 1]);
        let message = bright(1).segment(&tall).unwrap_err().to_string();
        assert_eq!(message, "images: have shape [1, 2, 1]; this segmenter reads [1, 1, 2]");
    }
}
