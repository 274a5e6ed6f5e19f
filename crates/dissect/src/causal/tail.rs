//! The rest of a generator after a layer, followed by one class of a segmenter, with its gradient.

use crate::subject::{Layer, Subject};
use base::Error;
use net::{Derivative, NodeId, Ready, Result, Run, Tensor};
use segment::{Segment, Segmenter};

/// `f` and `s_c`: from the maps `r` of a layer to where a class is.
pub(super) struct Tail<'a> {
    pub(super) subject: &'a Subject,
    pub(super) layer: Layer,
    at: usize,
    pub(super) segmenter: &'a Segmenter,
    pub(super) plane: usize,
    class: usize,
    /// The generator, which is fed at the layer, with its gradient.
    ready: Ready,
    input: NodeId,
    output: NodeId,
    by_maps: Derivative,
    pub(super) pixels: [usize; 2],
}

/// The maps of some images: `[n, units, cells]`, side by side.
#[derive(Clone, Debug)]
pub(super) struct Maps {
    pub(super) values: Vec<f32>,
    /// Numbers of one image.
    pub(super) size: usize,
}

impl Maps {
    pub(super) fn image(&self, image: usize) -> &[f32] {
        &self.values[image * self.size..][..self.size]
    }
}

impl<'a> Tail<'a> {
    pub(super) fn new(
        subject: &'a Subject,
        at: usize,
        segmenter: &'a Segmenter,
        plane: usize,
        class: usize,
    ) -> Result<Self> {
        let layer = subject.layers()[at].clone();
        let mut program = subject.program().clone();
        let (input, output) = (program.find(&layer.name)?, program.output());
        if !program.needs(&[output], &[input]).is_empty() {
            let reason = format!("{} does not cut the generator in two: something passes by it", layer.name);
            return Err(Error::setting("layer", reason).with_hint("Choose the end of a block.").into());
        }
        let by_maps = program.differentiate(output, &[input])?;
        let ready = Ready::new(program, &subject.network().params)?;
        let [_, height, width] = segmenter.image_shape();
        let pixels = [height, width];
        Ok(Self { subject, layer, at, segmenter, plane, class, ready, input, output, by_maps, pixels })
    }

    pub(super) fn units(&self) -> usize {
        self.layer.units
    }

    pub(super) fn cells(&self) -> usize {
        self.layer.size[0] * self.layer.size[1]
    }

    /// The maps of some seeds.
    pub(super) fn maps(&self, seeds: &[u64]) -> Result<Maps> {
        let maps = self.subject.maps(seeds)?.swap_remove(self.at);
        Ok(Maps { values: maps.to_vec(), size: self.units() * self.cells() })
    }

    fn tensor(&self, maps: &Maps) -> Tensor {
        let [h, w] = self.layer.size;
        let n = maps.values.len() / maps.size;
        Tensor::new(&[n, self.units(), h, w], maps.values.clone(), self.subject.device())
    }

    /// A run that begins at the layer.
    fn start(&self, maps: &Maps) -> Result<Run<'_>> {
        self.ready.start(&[(self.input, &self.tensor(maps))])
    }

    fn images(&self, maps: &Maps) -> Result<Tensor> {
        self.start(maps)?.fetch_one(self.output)
    }

    /// The names of the subject's layers after this one.
    pub(super) fn later(&self) -> impl Iterator<Item = &str> {
        self.subject.layers()[self.at + 1..].iter().map(|layer| layer.name.as_str())
    }

    /// The images, and what comes after this layer: the maps of [`Tail::later`], then the images once more.
    pub(super) fn images_and_layers(&self, maps: &Maps) -> Result<(Tensor, Vec<Tensor>)> {
        let mut wanted = self.later().map(|name| self.ready.find(name)).collect::<Result<Vec<_>>>()?;
        wanted.push(self.output);
        let found = self.start(maps)?.fetch(&wanted)?;
        Ok((found[found.len() - 1].clone(), found))
    }

    pub(super) fn is_class(&self, found: u16) -> bool {
        usize::from(found) == self.class
    }

    /// Where the class wins in images: for each one, a flag for each pixel.
    pub(super) fn class_of_images(&self, images: &Tensor) -> Result<Vec<Vec<bool>>> {
        let labels = self.segmenter.segment(images)?;
        let shown = |map: &[u16]| map.iter().map(|&found| self.is_class(found)).collect();
        Ok(labels.iter().map(|planes| shown(&planes[self.plane].classes)).collect())
    }

    /// The same of the images that follow from maps.
    pub(super) fn class_pixels(&self, maps: &Maps) -> Result<Vec<Vec<bool>>> {
        self.class_of_images(&self.images(maps)?)
    }

    /// The class's mean probability over one cell of each image, and its gradient by that image's maps, times `weight`.
    pub(super) fn cell_probability(&self, maps: &Maps, cells: &[usize], weight: f32) -> Result<(Vec<f64>, Maps)> {
        let area = self.pixels[0] * self.pixels[1];
        let mut cotangent = vec![0.0; area * cells.len()];
        for (image, &cell) in cells.iter().enumerate() {
            let window = self.window(cell);
            let share = weight / window.len() as f32;
            window.iter().for_each(|&pixel| cotangent[image * area + pixel] = share);
        }
        let later = self.by_maps.nodes();
        let mut run = self.start(maps)?;
        let images = run.fetch_before(&[self.output], &later)?.remove(0);
        let (probability, by_images) = self.segmenter.class_gradient(&images, self.plane, self.class, &cotangent)?;
        let values = cells.iter().enumerate().map(|(image, &cell)| {
            let window = self.window(cell);
            let sum: f64 = window.iter().map(|&pixel| f64::from(probability[image * area + pixel])).sum();
            sum / window.len() as f64
        });
        let values = values.collect();
        let Some(&by_maps) = later.first() else {
            return Err(Error::setting("layer", format!("the image does not depend on {}", self.layer.name)).into());
        };
        run.feed(self.by_maps.cotangent, &by_images)?;
        let gradient = run.fetch_one(by_maps)?;
        Ok((values, Maps { values: gradient.to_vec(), size: maps.size }))
    }

    /// The pixels of a cell, as adaptive average pooling divides the image.
    pub(super) fn window(&self, cell: usize) -> Vec<usize> {
        let ([h, w], [height, width]) = (self.layer.size, self.pixels);
        let (i, j) = (cell / w, cell % w);
        let rows = i * height / h..((i + 1) * height).div_ceil(h);
        let columns = j * width / w..((j + 1) * width).div_ceil(w);
        rows.flat_map(|y| columns.clone().map(move |x| y * width + x)).collect()
    }

    /// The share of each cell that the class covers.
    pub(super) fn covered(&self, pixels: &[bool]) -> Vec<f32> {
        let share = |cell| {
            let window = self.window(cell);
            window.iter().filter(|&&pixel| pixels[pixel]).count() as f32 / window.len() as f32
        };
        (0..self.cells()).map(share).collect()
    }
}
