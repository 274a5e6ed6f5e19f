//! Networks that are one layer after the other, by a description of their layers.
//!
//! ```json
//! {"latent": {"distribution": "standard normal, length 100"},
//!  "layers": [
//!   {"name": "input", "op": "reshape", "out_shape": [100, 1, 1]},
//!   {"name": "net.0", "op": "conv_transpose2d", "weight": "net.0.weight", "bias": null, "stride": 1, "padding": 0},
//!   {"name": "net.1", "op": "batch_norm2d", "weight": "net.1.weight", "eps": 1e-5},
//!   {"name": "net.2", "op": "leaky_relu", "negative_slope": 0.2},
//!   {"name": "net.3", "op": "tanh", "out_shape": [3, 64, 64]}]}
//! ```
//!
//! Operations: `linear`, `conv2d`, `conv_transpose2d`, `batch_norm1d`, `batch_norm2d`, `pixel_norm`, `relu`, `leaky_relu`, `elu`, `tanh`,
//! `sigmoid`, `reshape`, `upsample`. Tensors are named by the parts of their layer (`weight`, `bias`, `running_mean`, `running_var`); left out,
//! they are the layer's name with the part behind it, and a bias that is `null` is none. `out_shape` is compared with what comes out.

use crate::Imported;
use crate::assembly::Assembly;
use base::sniff::{Kind, Wanted};
use base::{Error, Result, files};
use net::{Conv, Law, NodeId, Op, Unary};
use serde::Deserialize;
use std::path::Path;
use weights::StateDict;

/// The longest description that is read.
const LIMIT: u64 = 4 << 20;
/// What is read here, for messages about files that are something else.
const WANTED: Wanted =
    Wanted { name: "a description of layers (JSON)", kind: Kind::JSON, cure: "Give the file that lists the layers." };

/// A description of layers.
#[derive(Clone, Debug, Deserialize)]
pub struct Spec {
    #[serde(default)]
    latent: Latent,
    layers: Vec<Layer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Latent {
    distribution: Option<String>,
    shape: Option<Vec<usize>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Layer {
    name: String,
    #[serde(flatten)]
    op: LayerOp,
    #[serde(default)]
    out_shape: Option<Vec<usize>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum LayerOp {
    Linear(Tensors),
    Conv2d(Convolution),
    ConvTranspose2d(Convolution),
    #[serde(alias = "batch_norm", alias = "batch_norm1d")]
    BatchNorm2d {
        #[serde(flatten)]
        tensors: Tensors,
        #[serde(default = "batch_norm_epsilon")]
        eps: f64,
    },
    PixelNorm {
        #[serde(default = "pixel_norm_epsilon")]
        eps: f64,
    },
    Relu,
    LeakyRelu {
        negative_slope: f64,
    },
    Elu {
        #[serde(default = "one")]
        alpha: f64,
    },
    Tanh,
    Sigmoid,
    /// To `out_shape`.
    Reshape,
    /// Each pixel becomes `factor x factor`.
    Upsample {
        #[serde(default = "two")]
        factor: usize,
    },
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Tensors {
    weight: Option<String>,
    /// Named, `null`, or left out.
    #[serde(default, deserialize_with = "given")]
    bias: Given,
    running_mean: Option<String>,
    running_var: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Convolution {
    #[serde(flatten)]
    tensors: Tensors,
    #[serde(default = "one_step")]
    stride: usize,
    #[serde(default)]
    padding: usize,
    #[serde(default)]
    output_padding: usize,
    #[serde(default = "one_step")]
    dilation: usize,
    #[serde(default = "one_step")]
    groups: usize,
}

#[derive(Clone, Debug, Default)]
enum Given {
    #[default]
    LeftOut,
    Null,
    Named(String),
}

fn given<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Given, D::Error> {
    Ok(Option::<String>::deserialize(json)?.map_or(Given::Null, Given::Named))
}

fn batch_norm_epsilon() -> f64 {
    1e-5
}

fn pixel_norm_epsilon() -> f64 {
    1e-8
}

fn one() -> f64 {
    1.0
}

fn two() -> usize {
    2
}

fn one_step() -> usize {
    1
}

impl Spec {
    /// Reads a description.
    ///
    /// # Errors
    /// The file cannot be read or is not understood.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = files::read(path, LIMIT)?;
        serde_json::from_slice(&bytes).map_err(|e| {
            let otherwise = Error::file(path, format!("is no description of layers: {e}"));
            WANTED.unfit(path, Kind::of_bytes(&bytes), otherwise)
        })
    }

    /// The law and the shape of the latent.
    fn latent(&self) -> Result<(Law, Vec<usize>)> {
        let text = self.latent.distribution.as_deref().unwrap_or("standard normal");
        let law = match text {
            text if text.contains("uniform on [-1, 1]") => Law::Uniform,
            text if text.contains("normal") => Law::Normal,
            other => {
                let reason = format!("has a latent that is {other:?}");
                return Err(Error::setting("spec", reason)
                    .with_hint("Latents are \"standard normal\" or \"uniform on [-1, 1]\"."));
            }
        };
        let length = || text.split_once("length ")?.1.split_whitespace().next()?.parse().ok().map(|n| vec![n]);
        let first = || match self.layers.first() {
            Some(Layer { op: LayerOp::Reshape, out_shape: Some(shape), .. }) => {
                Some(vec![shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?])
            }
            _ => None,
        };
        let shape = self.latent.shape.clone().or_else(length).or_else(first);
        let shape = shape.ok_or_else(|| Error::setting("spec", "does not say how long a latent is"))?;
        Ok((law, shape))
    }

    /// The network that it describes, with the tensors of a file.
    ///
    /// # Errors
    /// A layer names a tensor that is not there or does not fit, or a tensor is used by none.
    pub fn network(&self, dict: &StateDict) -> Result<Imported> {
        let (law, shape) = self.latent()?;
        let mut assembly = Assembly::new(dict);
        let mut x = assembly.latent("z", &shape, law)?;
        let mut made = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            x = layer.build(&mut assembly, x)?;
            made.push(x);
        }
        let imported = assembly.finish(x, "spec")?;
        let shapes = imported.network.graph.sample_shapes().map_err(Error::from)?;
        for (layer, id) in self.layers.iter().zip(made) {
            let found = shapes.get(id).cloned().flatten().unwrap_or_default();
            if layer.out_shape.as_ref().is_some_and(|wanted| *wanted != found) {
                let wanted = layer.out_shape.clone().unwrap_or_default();
                let reason = format!("layer {} gives {found:?}; the description says {wanted:?}", layer.name);
                return Err(Error::setting("spec", reason));
            }
        }
        Ok(imported)
    }
}

impl Layer {
    fn build(&self, assembly: &mut Assembly, x: NodeId) -> Result<NodeId> {
        let name = &self.name;
        match &self.op {
            LayerOp::Linear(tensors) => {
                let inputs = tensors.inputs(name, assembly, x)?;
                assembly.push(name, Op::Linear, &inputs)
            }
            LayerOp::Conv2d(conv) => {
                let inputs = conv.tensors.inputs(name, assembly, x)?;
                assembly.push(name, Op::conv2d(conv.conv()), &inputs)
            }
            LayerOp::ConvTranspose2d(conv) => {
                let inputs = conv.tensors.inputs(name, assembly, x)?;
                let op = Op::ConvTranspose2d { conv: conv.conv(), output_padding: conv.output_padding };
                assembly.push(name, op, &inputs)
            }
            LayerOp::BatchNorm2d { tensors, eps } => {
                let mut inputs = tensors.inputs(name, assembly, x)?;
                for (key, part) in [(&tensors.running_mean, "running_mean"), (&tensors.running_var, "running_var")] {
                    let key = key.clone().unwrap_or_else(|| format!("{name}.{part}"));
                    inputs.push(assembly.param(&key)?);
                }
                assembly.push(name, Op::BatchNorm { epsilon: *eps, momentum: 0.1 }, &inputs)
            }
            LayerOp::PixelNorm { eps } => assembly.push(name, Op::PixelNorm { epsilon: *eps }, &[x]),
            LayerOp::Relu => assembly.unary(name, Unary::Relu, x),
            LayerOp::LeakyRelu { negative_slope } => {
                assembly.unary(name, Unary::LeakyRelu { slope: *negative_slope }, x)
            }
            LayerOp::Elu { alpha } => assembly.unary(name, Unary::Elu { alpha: *alpha }, x),
            LayerOp::Tanh => assembly.unary(name, Unary::Tanh, x),
            LayerOp::Sigmoid => assembly.unary(name, Unary::Sigmoid, x),
            LayerOp::Reshape => {
                let shape = self.out_shape.clone();
                let wanted = || Error::setting("spec", format!("layer {name} does not say its out_shape"));
                assembly.push(name, Op::Reshape { shape: shape.ok_or_else(wanted)? }, &[x])
            }
            LayerOp::Upsample { factor } => assembly.push(name, Op::UpsampleNearest { factor: *factor }, &[x]),
        }
    }
}

impl Tensors {
    /// The input, the weights, and the bias where there is one.
    fn inputs(&self, layer: &str, assembly: &mut Assembly, x: NodeId) -> Result<Vec<NodeId>> {
        let weight = self.weight.clone().unwrap_or_else(|| format!("{layer}.weight"));
        let mut inputs = vec![x, assembly.param(&weight)?];
        let bias = match &self.bias {
            Given::Named(key) => Some(key.clone()),
            Given::Null => None,
            Given::LeftOut => Some(format!("{layer}.bias")).filter(|key| assembly.has(key)),
        };
        if let Some(bias) = bias {
            inputs.push(assembly.param(&bias)?);
        }
        Ok(inputs)
    }
}

impl Convolution {
    fn conv(&self) -> Conv {
        let Self { stride, padding, dilation, groups, .. } = *self;
        Conv { stride: [stride; 2], padding: [[padding; 2]; 2], dilation: [dilation; 2], groups }
    }
}
