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
    /// Whether the image depends on the latent by ways that do not pass the layer: then it is fed as well.
    passed_by: bool,
    output: NodeId,
    by_maps: Derivative,
    pub(super) pixels: [usize; 2],
}

/// The maps of some images: `[n, units, cells]`, side by side.
#[derive(Clone, Debug)]
pub(super) struct Maps {
    /// The images' seeds: where something passes by the layer, it comes from them.
    pub(super) seeds: Vec<u64>,
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
        if program.unit_axis(&layer.name)? != 1 || program.dims(input).len() != 4 {
            let reason = format!("{} has no maps of its units, but tokens", layer.name);
            let hint = "Causes are searched in layers with maps `[n, units, h, w]`.";
            return Err(Error::setting("layer", reason).with_hint(hint).into());
        }
        let passed_by = !program.needs(&[output], &[input]).is_empty();
        let by_maps = program.differentiate(output, &[input])?;
        let ready = Ready::new(program, &subject.network().params)?;
        let [_, height, width] = segmenter.image_shape();
        let pixels = [height, width];
        Ok(Self { subject, layer, at, segmenter, plane, class, ready, input, passed_by, output, by_maps, pixels })
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
        Ok(Maps { seeds: seeds.to_vec(), values: maps.to_vec(), size: self.units() * self.cells() })
    }

    fn tensor(&self, maps: &Maps) -> Tensor {
        let [h, w] = self.layer.size;
        let n = maps.values.len() / maps.size;
        Tensor::new(&[n, self.units(), h, w], maps.values.clone(), self.subject.device())
    }

    /// A run that begins at the layer.
    fn start(&self, maps: &Maps) -> Result<Run<'_>> {
        let values = self.tensor(maps);
        if !self.passed_by {
            return self.ready.start(&[(self.input, &values)]);
        }
        let mut run = self.ready.begin(&self.subject.network().feed(&maps.seeds, self.subject.device()))?;
        run.feed(self.input, &values)?;
        Ok(run)
    }

    fn images(&self, maps: &Maps) -> Result<Tensor> {
        let images = self.start(maps)?.fetch_one(self.output)?;
        self.subject.check(std::slice::from_ref(&images))?;
        Ok(images)
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
        self.subject.check(&found)?;
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
        self.subject.check(std::slice::from_ref(&images))?;
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
        Ok((values, Maps { seeds: maps.seeds.clone(), values: gradient.to_vec(), size: maps.size }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use data::{Class, Plane};
    use net::{Conv, Device, Graph, Init, Network, Op, Unary};

    fn param(graph: &mut Graph, name: &str, shape: &[usize]) -> NodeId {
        graph.push(name, Op::Param { shape: shape.to_vec(), init: Init::normal(1.0), trainable: true }, &[])
    }

    /// A generator whose image depends on the latent by way of layer `a` and past it.
    fn passed_by() -> Network {
        let mut graph = Graph::default();
        let z = graph.push("z", Op::input(&[4]), &[]);
        let wide = param(&mut graph, "a.weight", &[5 * 16, 4]);
        let a = graph.push("a.linear", Op::Linear, &[z, wide]);
        let a = graph.push("a.maps", Op::Reshape { shape: vec![5, 4, 4] }, &[a]);
        let a = graph.push("a", Unary::Relu, &[a]);
        let up = graph.push("up", Op::UpsampleNearest { factor: 2 }, &[a]);
        let w = param(&mut graph, "image.weight", &[3, 5, 3, 3]);
        let image = graph.push("image", Op::conv2d(Conv::new(1, 1)), &[up, w]);
        let past = param(&mut graph, "past.weight", &[3 * 64, 4]);
        let past = graph.push("past.linear", Op::Linear, &[z, past]);
        let past = graph.push("past", Op::Reshape { shape: vec![3, 8, 8] }, &[past]);
        let sum = graph.push("sum", net::Binary::Add, &[image, past]);
        graph.push("x", Unary::Tanh, &[sum]);
        Network::initial(graph, 1, "test", &Device::cpu())
    }

    fn segmenter() -> Segmenter {
        let mut graph = Graph::default();
        let x = graph.push("x", Op::input(&[3, 8, 8]), &[]);
        let w = param(&mut graph, "weight", &[2, 3, 1, 1]);
        graph.push("logits", Op::conv2d(Conv::new(1, 0)), &[x, w]);
        let class = |name: &str| Class { name: name.into(), colour: [0; 3] };
        let planes = vec![Plane { name: "objects".into(), classes: vec![class("a"), class("b")], ignore: None }];
        Segmenter::new(Network::initial(graph, 2, "test", &Device::cpu()), planes).unwrap()
    }

    #[test]
    fn what_passes_by_the_layer_comes_from_the_seeds() {
        let (network, segmenter) = (passed_by(), segmenter());
        let subject = Subject::new(&network, &["a".into()], &Device::cpu()).unwrap();
        let tail = Tail::new(&subject, 0, &segmenter, 0, 1).unwrap();
        assert!(tail.passed_by);
        let mut maps = tail.maps(&[3, 4]).unwrap();
        let whole = subject.images(&[3, 4]).unwrap();
        assert_eq!(tail.images(&maps).unwrap().to_vec(), whole.to_vec());

        // The gradient by one number of the maps is the difference that it makes.
        let cells = [5, 9];
        let (before, gradient) = tail.cell_probability(&maps, &cells, 1.0).unwrap();
        let (place, step) = (tail.cells() + 5, 1e-2);
        maps.values[place] += step;
        let (after, _) = tail.cell_probability(&maps, &cells, 1.0).unwrap();
        let slope = (after[0] - before[0]) / f64::from(step);
        assert!((slope - f64::from(gradient.values[place])).abs() < 0.05 * slope.abs() + 1e-4, "{slope}");
        assert_eq!(after[1], before[1]);
    }
}
