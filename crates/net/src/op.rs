//! What a node of a description computes.

use crate::{Error, Init, Law, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tensor::{Binary, Conv, Primitive, Unary};

/// What a node computes. `n` is the batch, `c` channels, `h` and `w` the map.
///
/// *Sources* are given from outside. *Layers* are what people build networks of; [`crate::Program`] writes them out in
/// *primitives*, which are closed under differentiation. Adding an elementwise function or another primitive needs no
/// variant here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields say what their names say")]
pub enum Op {
    // Sources.
    /// Fed from outside. `shape` leaves the batch out, which comes first; a network that knows no batch has `batch: false`. The
    /// latent of a generator says from which law it is drawn.
    Input {
        shape: Vec<usize>,
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        batch: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        law: Option<Law>,
    },
    /// A tensor of the network. One that is not trainable is state (running statistics, singular vectors).
    Param { shape: Vec<usize>, init: Init, trainable: bool },

    // Layers.
    /// `[x, w (o, i), b?]`: `x w^T + b`.
    Linear,
    /// `[x, gamma, beta, running mean, running variance]` over channels; momentum as `PyTorch` defines it.
    BatchNorm { epsilon: f64, momentum: f64 },
    /// `[w, u, v]`: the weights divided by their largest singular value `u^T W v`, where W has `w`'s first dimension as
    /// rows; one power iteration per training pass (Miyato et al., arXiv 1802.05957).
    SpectralNorm,
    /// `x / sqrt(mean over channels of x^2 + epsilon)` (Karras et al., arXiv 1710.10196).
    PixelNorm { epsilon: f64 },
    /// Appends one map: the standard deviation over the batch, averaged over channels and pixels (same paper; the group
    /// is the whole batch).
    MinibatchStd,
    /// Means of `factor x factor` pixels.
    AvgPool { factor: usize },
    /// Each pixel becomes `factor x factor`.
    UpsampleNearest { factor: usize },
    /// `[x, w (c, o, kh, kw), b?]`; the size of the result is `like`'s where there is one.
    ConvTranspose2d {
        conv: Conv,
        #[serde(default, skip_serializing_if = "is_zero")]
        output_padding: usize,
    },
    /// `[x, b (c)]`: adds b to every cell of its channel.
    AddChannel,
    /// `[x, s (c)]`: multiplies every cell of its channel by s.
    MulChannel,
    /// Another shape for each sample: the first dimension stays.
    Reshape { shape: Vec<usize> },
    /// `len` entries from `start` on; never of the batch.
    Narrow { axis: usize, start: usize, len: usize },
    /// The axes, of length 1, repeated to the lengths of `like`.
    Broadcast { axes: Vec<usize> },

    /// One of the primitives.
    #[serde(skip)]
    Primitive(Primitive),
}

/// What an input is, for people and for commands that feed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What a generator makes its images from.
    Latent,
    /// The class that is wanted.
    Label,
    /// Further randomness, such as `StyleGAN`'s: 0 where nothing is fed.
    Noise,
    /// How far the styles of each layer go from their mean, a number for each layer: 1, all the way, where nothing is fed.
    Truncation,
    /// Images.
    Image,
    /// Anything else.
    Other,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_yes(flag: &bool) -> bool {
    *flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Role {
    /// What an input of this role is where nothing is fed; `None` where something has to be.
    pub(crate) fn otherwise(self) -> Option<f64> {
        match self {
            Self::Noise => Some(0.0),
            Self::Truncation => Some(1.0),
            Self::Latent | Self::Label | Self::Image | Self::Other => None,
        }
    }
}

impl From<Primitive> for Op {
    fn from(primitive: Primitive) -> Self {
        Self::Primitive(primitive)
    }
}

impl From<Unary> for Op {
    fn from(function: Unary) -> Self {
        Self::Primitive(function.into())
    }
}

impl From<Binary> for Op {
    fn from(function: Binary) -> Self {
        Self::Primitive(function.into())
    }
}

impl Op {
    /// An input of the given shape, the batch left out.
    pub fn input(shape: &[usize]) -> Self {
        Self::Input { shape: shape.to_vec(), batch: true, role: None, law: None }
    }

    /// A convolution.
    pub fn conv2d(conv: Conv) -> Self {
        Primitive::Conv2d { conv }.into()
    }

    /// Several inputs one after the other.
    pub fn concat(axis: usize) -> Self {
        Primitive::Concat { axis }.into()
    }

    /// The name in files and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input { .. } => "input",
            Self::Param { .. } => "param",
            Self::Linear => "linear",
            Self::BatchNorm { .. } => "batch_norm",
            Self::SpectralNorm => "spectral_norm",
            Self::PixelNorm { .. } => "pixel_norm",
            Self::MinibatchStd => "minibatch_std",
            Self::AvgPool { .. } => "avg_pool",
            Self::UpsampleNearest { .. } => "upsample_nearest",
            Self::ConvTranspose2d { .. } => "conv_transpose2d",
            Self::AddChannel => "add_channel",
            Self::MulChannel => "mul_channel",
            Self::Reshape { .. } => "reshape",
            Self::Narrow { .. } => "narrow",
            Self::Broadcast { .. } => "broadcast",
            Self::Primitive(primitive) => primitive.name(),
        }
    }

    /// Activations: the nodes after which a layer is best looked at.
    pub fn is_activation(&self) -> bool {
        use Unary::{Elu, LeakyRelu, Relu, Sigmoid, Softplus, Tanh};
        matches!(
            self,
            Self::Primitive(Primitive::Unary(Relu | LeakyRelu { .. } | Tanh | Sigmoid | Elu { .. } | Softplus))
        )
    }

    /// The fields as they stand in a file.
    pub(crate) fn to_json(&self) -> Result<Map<String, Value>> {
        let value = match self {
            Self::Primitive(Primitive::Unary(function)) => serde_json::to_value(function),
            Self::Primitive(Primitive::Binary(function)) => serde_json::to_value(function),
            Self::Primitive(primitive) => serde_json::to_value(primitive),
            other => serde_json::to_value(other),
        };
        match value {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(other) => Err(Error::Graph(format!("{} is written as {other}", self.name()))),
            Err(error) => Err(Error::Graph(format!("{} cannot be written: {error}", self.name()))),
        }
    }

    /// Reads the fields of a node; the error says which one is wrong.
    pub(crate) fn from_json(mut fields: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let name = fields.get("op").and_then(Value::as_str).unwrap_or_default().to_owned();
        // Files of earlier programs know one reduction.
        if name == "sum" {
            fields.insert("op".into(), "reduce".into());
            fields.insert("reduction".into(), "sum".into());
            return Primitive::deserialize(Value::Object(fields)).map(Self::from);
        }
        let value = Value::Object(fields);
        if Unary::EXAMPLES.iter().any(|function| function.name() == name) {
            return Unary::deserialize(value).map(Self::from);
        }
        if Binary::EXAMPLES.iter().any(|function| function.name() == name) {
            return Binary::deserialize(value).map(Self::from);
        }
        if Primitive::NAMES.contains(&name.as_str()) {
            return Primitive::deserialize(value).map(Self::from);
        }
        Self::deserialize(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Op, serde_json::Error> {
        Op::from_json(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn operations_are_written_as_they_were_before_there_were_primitives() {
        for (op, json) in [
            (Op::input(&[64]), r#"{"op":"input","shape":[64]}"#),
            (Op::Reshape { shape: vec![4, 2, 2] }, r#"{"op":"reshape","shape":[4,2,2]}"#),
            (Op::conv2d(Conv::new(2, 1)), r#"{"op":"conv2d","conv":{"stride":2,"padding":1}}"#),
            (Op::from(Unary::Relu), r#"{"op":"relu"}"#),
            (Op::from(Unary::AddScalar { term: 0.5 }), r#"{"op":"add_scalar","term":0.5}"#),
            (Op::from(Binary::Mul), r#"{"op":"mul"}"#),
            (Op::concat(1), r#"{"op":"concat","axis":1}"#),
        ] {
            assert_eq!(serde_json::to_string(&op.to_json().unwrap()).unwrap(), json);
            assert_eq!(read(json).unwrap(), op);
        }
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        let says = |json| read(json).unwrap_err().to_string();
        assert!(says(r#"{"op":"explode"}"#).contains("unknown variant `explode`"));
        assert!(says(r#"{"op":"scale"}"#).contains("missing field `factor`"));
        assert!(says(r#"{"op":"gather"}"#).contains("missing field `axis`"));
        assert!(says("{}").contains("op"));
    }
}
