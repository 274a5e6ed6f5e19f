//! A network as a maker of pictures: latents in, images or points out.

use crate::{Model, Note};
use base::Error;
use dissect::Subject;
use net::{Device, Feed, Network, NodeId, Ready, Result, Tensor};
use std::path::{Path, PathBuf};

/// What comes out of a generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Images `[channels, height, width]`.
    Images([usize; 3]),
    /// Points of the plane.
    Points,
}

/// A network that makes images or points, ready to run.
#[derive(Clone, Debug)]
pub struct Generator {
    model: Model,
    kind: Kind,
    device: Device,
    ready: Ready,
    input: NodeId,
}

impl Generator {
    /// Loads a model, and checks that it generates something that can be shown.
    ///
    /// # Errors
    /// As [`Model::open`] and [`Generator::new`].
    pub fn open(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        Self::find(path.as_ref(), device, &mut |_| {})
    }

    /// As [`Generator::open`]; `tell` hears of each choice.
    ///
    /// # Errors
    /// As [`Generator::open`].
    pub fn find(path: &Path, device: &Device, tell: &mut dyn FnMut(&Note)) -> Result<Self> {
        Self::new(Model::find(path, device, tell)?, device)
    }

    /// A model as a generator.
    ///
    /// # Errors
    /// It is a segmenter, or makes neither images nor points from one latent.
    pub fn new(model: Model, device: &Device) -> Result<Self> {
        let Model { network, path } = &model;
        if network.notes.iter().any(|(key, _)| key == segment::PLANES) {
            return Err(Error::file(path, "is a segmenter, not a generator")
                .with_hint("Look through it with `segmenter apply`.")
                .into());
        }
        let graph = &network.graph;
        let (inputs, is_drawn) = (graph.inputs().len(), graph.reads_seeds());
        let output = graph.sample_shapes().map_err(|error| error.in_file(path))?[graph.output()].take();
        let kind = match output.as_deref() {
            Some(&[channels, height, width]) if is_drawn && channels * height * width > 0 => {
                Kind::Images([channels, height, width])
            }
            Some([2]) if is_drawn => Kind::Points,
            _ => {
                let gives = output.map_or("no result for each sample".into(), |output| format!("{output:?}"));
                let reason = format!(
                    "is not a generator: it gives {gives} from {inputs} input{}",
                    if inputs == 1 { "" } else { "s" }
                );
                return Err(Error::file(path, reason)
                    .with_hint("Give a network that makes images [C, H, W] or points [2] from one latent.")
                    .into());
            }
        };
        let ready = network.inference().map_err(|error| error.in_file(path))?;
        let input = ready.input()?;
        Ok(Self { model, kind, device: device.clone(), ready, input })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.model.network
    }

    /// The file in which it lies, or its shipped name.
    pub fn path(&self) -> &PathBuf {
        &self.model.path
    }

    /// What comes out of it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The shape of one result.
    pub fn shape(&self) -> Vec<usize> {
        match self.kind {
            Kind::Images(shape) => shape.to_vec(),
            Kind::Points => vec![2],
        }
    }

    /// The shape of one result, which must be an image that can be shown.
    ///
    /// # Errors
    /// It makes points, or images with another number of channels than 1 and 3.
    pub fn image_shape(&self) -> Result<[usize; 3]> {
        let path = &self.model.path;
        let error = match self.kind {
            Kind::Images(shape) if shape[0] == 1 || shape[0] == 3 => return Ok(shape),
            Kind::Images(shape) => {
                Error::file(path, format!("makes images of {} channels; 1 and 3 can be shown", shape[0]))
                    .with_hint("Write the numbers with `sample raw x.npy`.")
            }
            Kind::Points => Error::file(path, "makes points of the plane, not images")
                .with_hint("Draw them with `sample out points.png`."),
        };
        Err(error.into())
    }

    /// It with the layers whose units are looked at; no names mean all layers with maps.
    ///
    /// # Errors
    /// As [`Model::subject`].
    pub fn subject(&self, layers: &[String]) -> Result<Subject> {
        self.model.subject(layers, &self.device)
    }

    /// The results of some latents, `[n, ...]`.
    ///
    /// # Errors
    /// The latents have another shape than the network reads.
    pub fn forward(&self, feed: &Feed) -> Result<Tensor> {
        Ok(self.fetch(feed, &[self.ready.output()])?.remove(0))
    }

    /// The node of the network, made ready to run, that carries this node's result.
    pub(crate) fn node(&self, name: &str) -> Result<NodeId> {
        self.ready.find(name)
    }

    /// The values of nodes of the network, made ready to run.
    pub(crate) fn fetch(&self, feed: &Feed, wanted: &[NodeId]) -> Result<Vec<Tensor>> {
        let run = self.ready.begin(feed);
        run.and_then(|mut run| run.fetch(wanted)).map_err(|error| error.in_file(self.path()))
    }

    /// Bytes that a batch takes at most on its way to the results.
    pub(crate) fn memory_of_run(&self, batch: usize) -> Result<u64> {
        self.ready.memory(batch, &[self.input], &[&[self.ready.output()]])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use net::zoo::{self, DcganGenerator, GeneratorStart, Norm};
    use net::{Binary, Dim, Graph, Law, Op, Primitive};

    /// A generator of images of 16x16 pixels from latents of 4 numbers.
    pub(crate) fn small(channels: usize) -> Generator {
        let graph = zoo::dcgan_generator(DcganGenerator {
            size: [16; 2],
            channels,
            latent: 4,
            width: 2,
            norm: Norm::Batch,
            start: GeneratorStart::Linear,
            extra: false,
        });
        of(Network::initial(graph, 1, "test", &Device::cpu())).unwrap()
    }

    /// A generator of points from latents of 2 numbers.
    pub(crate) fn points() -> Generator {
        of(Network::initial(zoo::mlp_generator(2, 8).with_latent(Law::Uniform), 1, "test", &Device::cpu())).unwrap()
    }

    fn of(network: Network) -> Result<Generator> {
        Generator::new(Model { network, path: "g".into() }, &Device::cpu())
    }

    #[test]
    fn a_generator_is_for_many_threads() {
        fn shared<T: Send + Sync + Clone>() {}
        shared::<Generator>();
        shared::<Model>();
        shared::<Subject>();
    }

    #[test]
    fn what_cannot_be_shown_says_how_to_have_it() {
        assert_eq!(small(3).image_shape().unwrap(), [3, 16, 16]);
        let refused = |generator: Generator| {
            let error = generator.image_shape().unwrap_err();
            format!("{error} | {}", error.hint().unwrap())
        };
        assert_eq!(
            refused(small(4)),
            "g: makes images of 4 channels; 1 and 3 can be shown | Write the numbers with `sample raw x.npy`."
        );
        assert!(refused(points()).starts_with("g: makes points of the plane, not images | "));
    }

    #[test]
    fn a_segmenter_is_no_generator() {
        let segmenter = crate::open_segmenter("scenes", &Device::cpu()).unwrap();
        let error = of(segmenter.network().clone()).unwrap_err();
        assert_eq!(error.to_string(), "g: is a segmenter, not a generator");
    }

    #[test]
    fn as_many_results_as_latents_or_it_is_no_generator() {
        let pictures = |shape: Vec<Dim>| {
            let mut graph = Graph::default();
            let z = graph.push("z", Op::input(&[4]), &[]);
            let fill = graph.push("fill", Primitive::Fill { shape, value: 0.5 }, &[]);
            let one = graph.push("one", Primitive::sum(vec![0, 1]), &[z]);
            let flat = graph.push("flat", Primitive::Reshape { shape: vec![] }, &[one]);
            graph.push("y", Binary::Mul, &[fill, flat]);
            of(Network::initial(graph, 1, "test", &Device::cpu()))
        };
        let maps = |first: &[Dim]| [first, &[3, 8, 8].map(Dim::Fixed)].concat();
        assert_eq!(pictures(maps(&[Dim::N])).unwrap().image_shape().unwrap(), [3, 8, 8]);
        for shape in [maps(&[Dim::Fixed(5)]), maps(&[Dim::Batch(2)]), maps(&[]), vec![]] {
            let error = pictures(shape).unwrap_err().to_string();
            assert_eq!(error, "g: is not a generator: it gives no result for each sample from 1 input");
        }
        let nothing = pictures(vec![Dim::N, Dim::Fixed(3), Dim::Fixed(0), Dim::Fixed(8)]).unwrap_err().to_string();
        assert_eq!(nothing, "g: node fill has the shape [n, 3, 0, 8], of which an axis has length 0");
    }

    #[test]
    fn made_ready_once_it_gives_what_the_network_gives() {
        let generator = small(3);
        let z = generator.network().latents(&[3, 5], &Device::cpu());
        let (here, there) =
            (generator.forward(&z.clone().into()).unwrap(), generator.network().forward(&z, &[]).unwrap());
        assert_eq!((here.shape(), here.to_vec()), (there.shape(), there.to_vec()));
    }
}
