//! A feature network: images in, the numbers of one of its nodes out.

use base::Error;
use net::{Device, Network, NodeId, Op, Ready, Result, Tensor};
use std::path::Path;

/// What is taken of networks that are known: the node of features, and that of logits where it is not the output.
const KNOWN: [(&str, &str, &str); 3] =
    [("inception-2015-12-05", "pool", "logits"), ("resnet-cifar", "pool", "linear"), ("espnet", "encoder.b3", "")];
/// The node of features of our own segmenters: the deepest maps of the U-Net.
const OF_SEGMENTER: &str = "middle";
/// Digits of a hash that people see.
const SHOWN: usize = 12;

/// A feature network, ready to run.
#[derive(Clone, Debug)]
pub struct Extractor {
    name: String,
    node: String,
    weights: String,
    shape: [usize; 3],
    width: usize,
    /// Cells of the node's maps; 1 for a vector.
    cells: usize,
    ready: Ready,
    input: NodeId,
    features: NodeId,
    logits: Option<(NodeId, usize)>,
    device: Device,
}

/// What a batch of images gives, one image after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted {
    /// Features `[n, width]`.
    pub features: Vec<f32>,
    /// Logits `[n, classes]`, where they were asked for.
    pub logits: Vec<f32>,
}

impl Extractor {
    /// A network from images to anything, with the node whose numbers are features. A node with maps gives their means. Without a node, that
    /// of networks that are known is taken, and of others the output, if it is a vector.
    ///
    /// `name` is what results call it, `path` is for messages.
    ///
    /// # Errors
    /// It does not read one image of 1 or 3 channels, the node does not exist or gives neither a vector nor maps, or none is known.
    pub fn new(network: &Network, name: &str, node: Option<&str>, path: &Path, device: &Device) -> Result<Self> {
        let wrong = |reason: String| Error::file(path, reason);
        let graph = &network.graph;
        let shapes = graph.sample_shapes().map_err(|error| error.in_file(path))?;
        let input = network.input_shape();
        let (&[channels @ (1 | 3), height @ (1..), width @ (1..)], 1) = (input.as_slice(), graph.inputs().len()) else {
            return Err(wrong(format!("reads {input:?}, which is no image of 1 or 3 channels"))
                .with_hint("Give a network that reads images `[C, H, W]` and nothing else as `features`.")
                .into());
        };
        let known =
            KNOWN.iter().find(|row| network.notes.iter().any(|(key, value)| key == "imported as" && value == row.0));
        let output = &graph.node(graph.output()).name;
        let is_vector =
            |name: &str| graph.find(name).ok().and_then(|id| shapes[id].as_ref()).is_some_and(|s| s.len() == 1);
        let chosen = match (node, known) {
            (Some(node), _) => node.to_owned(),
            (None, Some(row)) => row.1.to_owned(),
            (None, None) if is_segmenter(network) && graph.find(OF_SEGMENTER).is_ok() => OF_SEGMENTER.to_owned(),
            (None, None) if is_vector(output) => output.clone(),
            (None, None) => {
                return Err(wrong("leaves open which node's numbers are features".into())
                    .with_hint("Name one: `features FILE:NODE`. `inspect` lists the nodes.")
                    .into());
            }
        };
        let id = graph.find(&chosen).map_err(|error| error.in_file(path))?;
        if matches!(graph.node(id).op, Op::Param { .. }) {
            return Err(wrong(format!("{chosen}: is a parameter, not a layer")).into());
        }
        let (features, cells) = match shapes[id].as_deref() {
            Some(&[features @ (1..)]) => (features, 1),
            Some(&[features @ (1..), h @ (1..), w @ (1..)]) => (features, h * w),
            other => {
                let gives = other.map_or_else(|| "no result for each image".to_owned(), |shape| format!("{shape:?}"));
                return Err(
                    wrong(format!("{chosen} gives {gives}; features are a vector [D], or maps [D, H, W]")).into()
                );
            }
        };
        let ready = network.inference().map_err(|error| error.in_file(path))?;
        let logits = known.map_or(output.as_str(), |row| row.2);
        let classes = graph.find(logits).ok().and_then(|id| match shapes[id].as_deref() {
            Some(&[classes @ (2..)]) => Some(classes),
            _ => None,
        });
        let logits =
            classes.map(|classes| Ok::<_, net::Error>((ready.program().find(logits)?, classes))).transpose()?;
        Ok(Self {
            name: name.to_owned(),
            weights: hash_of(network),
            shape: [channels, height, width],
            width: features,
            cells,
            input: ready.input()?,
            features: ready.program().find(&chosen)?,
            node: chosen,
            ready,
            logits,
            device: device.clone(),
        })
    }

    /// What results call the network with its node: `scenes:middle`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.name, self.node)
    }

    /// The node whose numbers are features.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The hash of its weights (BLAKE3, 64 digits): of names, shapes and numbers of all its parameters.
    pub fn weights(&self) -> &str {
        &self.weights
    }

    /// The shape of the images that it reads, `[channels, height, width]`.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Numbers of a feature vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Classes that its logits tell; none where it gives no logits.
    pub fn classes(&self) -> Option<usize> {
        self.logits.map(|(_, classes)| classes)
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Features, and logits if they are wanted and there are any, of images `[n, channels, height, width]` with numbers in [-1, 1].
    ///
    /// # Errors
    /// They are no whole images.
    pub fn extract(&self, images: Vec<f32>, with_logits: bool) -> Result<Extracted> {
        let size: usize = self.shape.iter().product();
        let n = images.len() / size;
        if n * size != images.len() {
            return Err(
                Error::setting("images", format!("{} numbers are no images {:?}", images.len(), self.shape)).into()
            );
        }
        let x = Tensor::new(&[&[n], self.shape.as_slice()].concat(), images, &self.device);
        let mut run = self.ready.start(&[(self.input, &x)])?;
        let values = run.fetch(&self.wanted(with_logits))?;
        let mut values = values.iter().map(Tensor::to_vec);
        let maps = values.next().unwrap_or_default();
        let mean = |map: &[f32]| (map.iter().map(|&v| f64::from(v)).sum::<f64>() / self.cells as f64) as f32;
        let features = if self.cells == 1 { maps } else { maps.chunks_exact(self.cells).map(mean).collect() };
        Ok(Extracted { features, logits: values.next().unwrap_or_default() })
    }

    /// Bytes that a batch takes at most; 0 on a device, whose memory is not known.
    ///
    /// # Errors
    /// A value would be too large to be one.
    pub fn memory(&self, batch: usize, with_logits: bool) -> Result<u64> {
        if !self.device.is_cpu() {
            return Ok(0);
        }
        self.ready.memory(batch, &[self.input], &[&self.wanted(with_logits)])
    }

    fn wanted(&self, with_logits: bool) -> Vec<NodeId> {
        let logits = self.logits.filter(|_| with_logits).map(|(id, _)| id);
        std::iter::once(self.features).chain(logits).collect()
    }
}

/// The beginning of a hash, for people.
pub(crate) fn shown(hash: &str) -> &str {
    hash.get(..SHOWN).unwrap_or(hash)
}

/// Our segmenters keep the classes of their logits as a note.
fn is_segmenter(network: &Network) -> bool {
    network.notes.iter().any(|(key, _)| key == "planes")
}

/// The hash of a network's weights (BLAKE3, 64 digits): of names, shapes and numbers of all its parameters.
pub fn hash_of(network: &Network) -> String {
    let mut hasher = blake3::Hasher::new();
    for (&id, tensor) in network.graph.params().iter().zip(network.params.tensors()) {
        hasher.update(format!("{} {:?}\n", network.graph.node(id).name, tensor.shape()).as_bytes());
        let bytes: Vec<u8> = tensor.to_vec().into_iter().flat_map(f32::to_le_bytes).collect();
        hasher.update(&bytes);
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
pub(crate) mod tests;
