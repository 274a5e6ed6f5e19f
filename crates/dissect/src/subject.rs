//! The generator under dissection: which layers are looked at, and their maps.

use base::Error;
use data::MAX_SIDE;
use net::{Device, Feed, Graph, Network, NodeId, Op, Program, Ready, Result, Run, Tensor};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One layer whose units are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The node's name.
    pub name: String,
    /// Number of units: channels.
    pub units: usize,
    /// Height and width of a unit's map.
    pub size: [usize; 2],
}

/// A generator with the layers that are looked at.
#[derive(Clone)]
pub struct Subject {
    /// Where the network came from, for messages.
    path: Option<PathBuf>,
    network: Network,
    ready: Ready,
    input: NodeId,
    layers: Vec<Layer>,
    nodes: Vec<NodeId>,
    image: [usize; 3],
    device: Device,
}

impl Subject {
    /// `layers` are names of nodes; empty means all layers that give maps after their activation, the image left out.
    ///
    /// # Errors
    /// The network makes no images from one latent, a layer does not exist (the message lists those that do) or has no
    /// maps, or there is no layer at all.
    pub fn new(network: &Network, layers: &[String], device: &Device) -> Result<Self> {
        let graph = &network.graph;
        let shapes = graph.sample_shapes()?;
        let output = shapes[graph.output()].as_deref().unwrap_or_default();
        let image = match *output {
            [c @ (1 | 3), h, w] if graph.reads_seeds() && sides(&[h, w]) => [c, h, w],
            _ => {
                let reason = format!("gives {output:?}; dissected are networks that make images");
                return Err(net::Error::Graph(reason));
            }
        };
        let candidates = layers_with_maps(graph, &shapes);
        let names = if layers.is_empty() { candidates.clone() } else { layers.to_vec() };
        let known = || format!("The layers with maps are: {}.", candidates.join(", "));
        if names.is_empty() {
            return Err(net::Error::Graph("has no layer with maps after an activation".into()));
        }
        let mut found = Vec::new();
        for name in names {
            let wrong = |reason: &str| Error::setting("layers", format!("{name}: {reason}")).with_hint(known());
            let id = graph.find(&name).map_err(|_| {
                let hint = base::known_names(&name, "layers with maps", candidates.iter().map(String::as_str));
                wrong("there is no such layer").with_hint(hint)
            })?;
            if matches!(graph.node(id).op, Op::Param { .. }) {
                return Err(wrong("is a parameter, not a layer").into());
            }
            let is_input = matches!(graph.node(id).op, Op::Input { .. });
            let sample = shapes[id].as_deref().filter(|sample| sample.len() > 1 || !is_input);
            let found_maps = sample.and_then(|sample| maps_of(sample, graph.node(id).unit_axis(), image));
            let Some((units, size @ [height, width])) = found_maps else {
                return Err(wrong("has no maps").into());
            };
            if !sides(&[height, width]) {
                let reason = format!("has maps of {height}x{width} cells; sides of 1 to {MAX_SIDE} can be looked at");
                return Err(wrong(&reason).into());
            }
            if found.iter().any(|layer: &Layer| layer.name == name) {
                return Err(wrong("is named twice").into());
            }
            found.push(Layer { name, units, size });
        }
        let ready = network.inference()?;
        let nodes = found.iter().map(|layer| ready.find(&layer.name)).collect::<Result<_>>()?;
        let input = ready.input()?;
        let (network, device) = (network.clone(), device.clone());
        Ok(Self { path: None, network, ready, input, layers: found, nodes, image, device })
    }

    /// It with the file of its network, which messages then name.
    #[must_use]
    pub fn of_file(self, path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// The layers that are looked at.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The shape of one image, `[channels, height, width]`.
    pub fn image_shape(&self) -> [usize; 3] {
        self.image
    }

    /// Where it runs.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The maps of all layers for some seeds, each `[n, units, h, w]`, wherever the layer has its units. Nothing after the last layer is
    /// computed.
    ///
    /// # Errors
    /// The network cannot be run, or gives numbers that are not finite.
    pub fn maps(&self, seeds: &[u64]) -> Result<Vec<Tensor>> {
        let values = self.fetch(seeds, &self.nodes)?;
        Ok(self.as_maps(values))
    }

    /// The same with these of its layers alone.
    ///
    /// # Errors
    /// It has no such layer.
    pub fn with_layers(&self, layers: &[Layer]) -> Result<Self> {
        let known = |layer: &Layer| self.layers.contains(layer);
        if let Some(stranger) = layers.iter().find(|layer| !known(layer)) {
            return Err(net::Error::Graph(format!("has no layer {} of {} units", stranger.name, stranger.units)));
        }
        let nodes = layers.iter().map(|layer| self.ready.find(&layer.name)).collect::<Result<_>>()?;
        Ok(Self { layers: layers.to_vec(), nodes, ..self.clone() })
    }

    /// The values of all layers with units on axis 1 and a map for each.
    fn as_maps(&self, values: Vec<Tensor>) -> Vec<Tensor> {
        self.layers.iter().zip(values).map(|(layer, value)| self.as_map(layer, value)).collect()
    }

    fn as_map(&self, layer: &Layer, value: Tensor) -> Tensor {
        let shape = [value.shape()[0], layer.units, layer.size[0], layer.size[1]];
        let axis = self.ready.unit_axis(&layer.name).unwrap_or(1);
        if value.shape() == shape && axis == 1 {
            return value;
        }
        Tensor::new(&shape, units_first(&value.numbers(), value.shape(), axis), &value.device())
    }

    /// The layer of this name.
    ///
    /// # Errors
    /// There is none; the hint lists those there are.
    pub fn layer(&self, name: &str) -> Result<&Layer> {
        self.layers.iter().find(|layer| layer.name == name).ok_or_else(|| {
            let known = self.layers.iter().map(|layer| layer.name.as_str());
            let error = Error::setting("layer", format!("{name}: there is no such layer with maps"));
            error.with_hint(base::known_names(name, "layers with maps", known)).into()
        })
    }

    /// The value of a layer with units on axis 1 and a map for each.
    pub(crate) fn maps_of_layer(&self, layer: &str, value: Tensor) -> Result<Tensor> {
        Ok(self.as_map(self.layer(layer)?, value))
    }

    /// The maps of all layers and the images `[n, c, h, w]`, in one pass.
    ///
    /// # Errors
    /// As [`Subject::maps`].
    pub fn maps_and_images(&self, seeds: &[u64]) -> Result<(Vec<Tensor>, Tensor)> {
        let wanted = [self.nodes.as_slice(), &[self.ready.output()]].concat();
        let mut values = self.fetch(seeds, &wanted)?;
        let images = values.remove(self.nodes.len());
        Ok((self.as_maps(values), images))
    }

    /// The images alone.
    ///
    /// # Errors
    /// As [`Subject::maps`].
    pub fn images(&self, seeds: &[u64]) -> Result<Tensor> {
        Ok(self.fetch(seeds, &[self.ready.output()])?.remove(0))
    }

    fn fetch(&self, seeds: &[u64], wanted: &[NodeId]) -> Result<Vec<Tensor>> {
        let values = self.run(&self.network.feed(seeds, &self.device))?.fetch(wanted)?;
        self.check(&values)?;
        Ok(values)
    }

    /// Bytes of the maps and images of a batch themselves.
    pub fn made_bytes(&self, batch: usize) -> u64 {
        let maps = self.layers.iter().map(|layer| layer.units * layer.size[0] * layer.size[1]);
        let numbers = maps.chain([self.image.iter().product()]).fold(0u64, |sum, n| sum.saturating_add(n as u64));
        numbers.saturating_mul(4 * batch as u64)
    }

    /// Bytes that a batch takes at most, layers and images together; 0 on a device, whose memory is not known.
    ///
    /// # Errors
    /// A value would be too large to be one.
    pub fn memory(&self, batch: usize) -> Result<u64> {
        if !self.device.is_cpu() {
            return Ok(0);
        }
        let wanted = [self.nodes.as_slice(), &[self.ready.output()]].concat();
        self.ready.memory(batch, &[self.input], &[&wanted])
    }

    /// Where its network came from, for messages: `the generator` where that is not known.
    pub(crate) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "the generator".into(), |path| path.display().to_string())
    }

    /// Refuses what the network gives where it is not finite.
    ///
    /// # Errors
    /// A number is not: the message names the network's file, where that is known.
    pub fn check(&self, values: &[Tensor]) -> Result<()> {
        net::check_finite(self.path.as_deref(), "images or maps", values)
    }

    /// A run over latents, in which nothing is computed yet.
    pub(crate) fn run(&self, feed: &Feed) -> Result<Run<'_>> {
        self.ready.begin(feed)
    }

    /// The node of the image in [`Subject::run`].
    pub(crate) fn output(&self) -> NodeId {
        self.ready.output()
    }

    /// The network ready to run.
    pub fn program(&self) -> &Program {
        self.ready.program()
    }

    /// The node of a layer in [`Subject::run`].
    pub(crate) fn node_of(&self, layer: &str) -> Result<NodeId> {
        self.ready.find(layer)
    }
}

/// Units and the size of their maps, of a node that is of shape `sample` for one image and has its units on `axis` (axis 0 is the batch):
/// maps, a row of tokens, which are laid out as the image is, or one number for each unit (a style), which is the same all over the image.
fn maps_of(sample: &[usize], axis: usize, [_, height, width]: [usize; 3]) -> Option<(usize, [usize; 2])> {
    let units = *sample.get(axis.checked_sub(1)?)?;
    let others: Vec<usize> = (1..=sample.len()).filter(|&other| other != axis).map(|other| sample[other - 1]).collect();
    let size = match others[..] {
        [h, w] => [h, w],
        [] => [1, 1],
        [tokens] => {
            let rows = (1..=tokens).find(|&rows| tokens % rows == 0 && rows * width == tokens / rows * height);
            rows.map_or([1, tokens], |rows| [rows, tokens / rows])
        }
        _ => return None,
    };
    (units > 0).then_some((units, size))
}

/// The numbers in an order in which the axis with the units comes after the first.
fn units_first(values: &[f32], shape: &[usize], axis: usize) -> Vec<f32> {
    let length = |axes: &[usize]| axes.iter().product::<usize>();
    let (before, units, behind) = (length(&shape[1..axis]), shape[axis], length(&shape[axis + 1..]));
    let mut out = Vec::with_capacity(values.len());
    for item in values.chunks_exact((before * units * behind).max(1)) {
        for unit in 0..units {
            (0..before).for_each(|row| out.extend_from_slice(&item[(row * units + unit) * behind..][..behind]));
        }
    }
    out
}

/// Whether maps of these sides can be looked at.
fn sides(sides: &[usize]) -> bool {
    sides.iter().all(|side| (1..=MAX_SIDE).contains(side))
}

/// The layers that are meant where none is named.
fn layers_with_maps(graph: &Graph, shapes: &[Option<Vec<usize>>]) -> Vec<String> {
    let is_laid_out = |id: NodeId| match shapes[id].as_deref() {
        Some([_, height, width]) => sides(&[*height, *width]),
        Some([tokens, _]) => graph.node(id).unit_axis() == 2 && sides(&[*tokens]),
        _ => false,
    };
    let says = |id: NodeId| graph.node(id).units == Some(1);
    let does_say = (0..graph.nodes().len()).any(says);
    let is_layer = |id: NodeId| if does_say { says(id) } else { graph.node(id).op.is_activation() };
    let has_maps = |&id: &NodeId| is_layer(id) && is_laid_out(id) && id != graph.output();
    (0..graph.nodes().len()).filter(has_maps).map(|id| graph.node(id).name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use net::zoo::{DcganGenerator, GeneratorStart, Norm, dcgan_generator};
    use net::{Binary, Dim, Primitive, Unary};

    fn small() -> Network {
        let graph = dcgan_generator(DcganGenerator {
            size: [16; 2],
            channels: 3,
            latent: 4,
            width: 2,
            norm: Norm::Batch,
            start: GeneratorStart::Linear,
            extra: false,
        });
        Network::initial(graph, 1, "test", &Device::cpu())
    }

    #[test]
    fn all_layers_are_those_with_maps_after_an_activation() {
        let subject = Subject::new(&small(), &[], &Device::cpu()).unwrap();
        let shown: Vec<_> = subject.layers().iter().map(|l| (l.name.as_str(), l.units, l.size)).collect();
        assert_eq!(shown, [("0", 4, [4, 4]), ("1", 2, [8, 8])]);
        let (maps, images) = subject.maps_and_images(&[3, 4]).unwrap();
        assert_eq!((maps[1].shape(), images.shape()), (&[2, 2, 8, 8][..], &[2, 3, 16, 16][..]));
        assert_eq!(subject.maps(&[3, 4]).unwrap()[0].to_vec(), maps[0].to_vec());
    }

    #[test]
    fn units_of_tokens_are_laid_out_as_the_image_is() {
        // Eight tokens of three numbers, four across and two down.
        let mut graph = Graph::default();
        let z = graph.push("z", Op::input(&[24]), &[]);
        let tokens = graph.push("tokens", Op::Reshape { shape: vec![8, 3] }, &[z]);
        let active = graph.push("active", net::Unary::Relu, &[tokens]);
        graph.set_unit_axis(active, 2);
        let turned = graph.push("turned", net::Primitive::Permute { axes: vec![0, 2, 1] }, &[active]);
        graph.push("x", Op::Reshape { shape: vec![3, 2, 4] }, &[turned]);
        let network = Network::initial(graph, 1, "test", &Device::cpu());
        let subject = Subject::new(&network, &[], &Device::cpu()).unwrap();
        assert_eq!(subject.layers(), [Layer { name: "active".into(), units: 3, size: [2, 4] }]);
        let (maps, images) = subject.maps_and_images(&[1, 2]).unwrap();
        assert_eq!((maps[0].shape(), maps[0].to_vec()), (&[2, 3, 2, 4][..], images.to_vec()));
        assert_eq!(maps_of(&[7, 3], 2, [3, 8, 8]), Some((3, [1, 7])));
        assert_eq!((maps_of(&[7], 1, [3, 8, 8]), maps_of(&[], 1, [3, 8, 8])), (Some((7, [1, 1])), None));
    }

    #[test]
    fn a_style_is_a_layer_where_it_is_named_and_where_nodes_say_their_units_all_layers_are_these() {
        let mut graph = Graph::default();
        let z = graph.push("z", Op::input(&[12]), &[]);
        let style = graph.push("style", Unary::Abs, &[z]);
        let maps = graph.push("maps", Op::Reshape { shape: vec![3, 2, 2] }, &[style]);
        graph.set_unit_axis(maps, 1);
        let active = graph.push("active", Unary::Relu, &[maps]);
        graph.push("x", Unary::Tanh, &[active]);
        let network = Network::initial(graph, 1, "test", &Device::cpu());
        let layers = |names: &[String]| Subject::new(&network, names, &Device::cpu()).unwrap();
        assert_eq!(layers(&[]).layers(), [Layer { name: "maps".into(), units: 3, size: [2, 2] }]);
        let style = layers(&["style".into()]);
        assert_eq!(style.layers(), [Layer { name: "style".into(), units: 12, size: [1, 1] }]);
        let (maps, images) = style.maps_and_images(&[1, 2]).unwrap();
        assert_eq!((maps[0].shape(), images.shape()), (&[2, 12, 1, 1][..], &[2, 3, 2, 2][..]));
        let feed = network.feed(&[1], &Device::cpu());
        let [before, after] = style.before_and_after(&feed, &[net::Edit::ablate("style", vec![5])]).unwrap();
        let changed: Vec<usize> = (0..12).filter(|&i| before.to_vec()[i] != after.to_vec()[i]).collect();
        assert!(changed == [5] && after.to_vec()[5] == 0.0, "{changed:?}");
    }

    #[test]
    fn maps_that_are_none_and_results_that_are_no_images_are_refused() {
        let refused = |output: &[Dim], layer: &[usize]| {
            let mut graph = Graph::default();
            let z = graph.push("z", Op::input(&[4]), &[]);
            let size = [&[Dim::N, Dim::Fixed(2)], [layer[0], layer[1]].map(Dim::Fixed).as_slice()].concat();
            let fill = graph.push("fill", Primitive::Fill { shape: size, value: 0.5 }, &[]);
            let maps = graph.push("maps", Unary::Relu, &[fill]);
            let one = graph.push("one", Primitive::sum(vec![0, 1]), &[z]);
            let flat = graph.push("flat", Primitive::Reshape { shape: vec![] }, &[one]);
            graph.push("sum", Primitive::sum(vec![0, 1, 2, 3]), &[maps]);
            let fill = graph.push("pixels", Primitive::Fill { shape: output.to_vec(), value: 0.5 }, &[]);
            graph.push("y", Binary::Mul, &[fill, flat]);
            let network = Network::initial(graph, 1, "test", &Device::cpu());
            Subject::new(&network, &["maps".into()], &Device::cpu()).err().map(|error| error.to_string())
        };
        let image = [Dim::N, Dim::Fixed(3), Dim::Fixed(8), Dim::Fixed(8)];
        assert_eq!(refused(&image, &[4, 4]), None);
        let ends = |error: Option<String>, end: &str| assert!(error.as_ref().unwrap().ends_with(end), "{error:?}");
        ends(refused(&image, &[8193, 4]), "maps: has maps of 8193x4 cells; sides of 1 to 8192 can be looked at");
        for output in [&[], &image[1..], &[&[Dim::Batch(2)], &image[1..]].concat()] {
            ends(refused(output, &[4, 4]), "gives []; dissected are networks that make images");
        }
        for (output, layer) in [(&image, [4, 0]), (&[Dim::N, Dim::Fixed(3), Dim::Fixed(0), Dim::Fixed(8)], [4, 4])] {
            ends(refused(output, &layer), "of which an axis has length 0");
        }
    }

    #[test]
    fn a_wrong_layer_is_refused_with_the_list_of_the_right_ones() {
        for (name, reason) in [
            ("7", "layers: 7: there is no such layer"),
            ("z", "layers: z: has no maps"),
            ("0.linear.weight", "layers: 0.linear.weight: is a parameter, not a layer"),
        ] {
            let error = Subject::new(&small(), &[name.into()], &Device::cpu()).err().unwrap();
            assert_eq!(error.to_string(), reason);
            assert_eq!(error.hint().unwrap(), "The layers with maps are: 0, 1.");
        }
    }
}
