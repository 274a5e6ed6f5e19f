//! `StyleGAN2` (Karras et al., arXiv 1912.04958) and `StyleGAN3` (arXiv 2106.12423): a mapping from latents to styles, and a synthesis of maps
//! by modulated convolutions. Files go by rosinality's names or by NVIDIA's.
//!
//! Nodes that people look for have the same names in all: `w` is the style of a latent (W), `ws` that of each layer, truncated (W+), `ws.3`
//! the one that a layer reads, and a module goes by its name in the file.

mod ada;
mod mapping;
mod modulated;
mod rosinality;
mod three;

pub(crate) use ada::{is_like as is_ada, network as ada};
pub(crate) use rosinality::{is_like as is_rosinality, network as rosinality};
pub(crate) use three::{is_like as is_three, network as three};

use crate::assembly::Assembly;
use base::Result;
use net::{AxisMap, Binary, NodeId, Op, Primitive, Unary};
use weights::Setting;

const EPSILON: f64 = 1e-8;
const SLOPE: f64 = 0.2;
/// With each activation, so that variance stays.
const GAIN: f64 = std::f64::consts::SQRT_2;

/// The noise that `StyleGAN2` adds to its maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Noise {
    /// That of the file, the same in every picture.
    #[default]
    Constant,
    /// Each seed's own.
    Random,
    /// None.
    Off,
}

impl Noise {
    /// Adds it to maps: `constant` and `strength` are tensors of the file, and nodes are called after `name`. The constant one is without an
    /// axis for the batch, or has it with length 1.
    fn add(self, a: &mut Assembly, name: &str, [constant, strength]: [&str; 2], x: NodeId) -> Result<NodeId> {
        let noise = match self {
            Self::Constant => a.param(constant)?,
            Self::Random => {
                let &[.., height, width] = a.shape(constant)? else {
                    return Err(a.wrong(format!("has noise {constant:?} that is no map")));
                };
                a.leave(constant);
                a.noise(&format!("{name}.noise.map"), [1, height, width])?
            }
            Self::Off => {
                a.leave(constant);
                a.leave(strength);
                return Ok(x);
            }
        };
        let strength = a.param(strength)?;
        let noise = a.push(&format!("{name}.noise"), Binary::Mul, &[noise, strength])?;
        a.push(&format!("{name}.noisy"), Binary::Add, &[x, noise])
    }

    /// What people should know of it.
    fn notice(self) -> &'static str {
        match self {
            Self::Constant => "noise is the constant one of the file, the same in every picture",
            Self::Random => "each seed has noise of its own; pictures between seeds have that of seed 0",
            Self::Off => "there is no noise",
        }
    }
}

/// A linear layer whose weights and bias are scaled at run time (equalised learning rate).
fn linear(
    a: &mut Assembly,
    name: &str,
    tensors: &str,
    x: NodeId,
    [weight_gain, bias_gain]: [f64; 2],
) -> Result<NodeId> {
    let scaled = |a: &mut Assembly, part: &str, factor: f64| {
        let key = format!("{tensors}.{part}");
        let tensor = a.param(&key)?;
        if factor == 1.0 { Ok(tensor) } else { a.unary(&format!("{key}.scaled"), Unary::Scale { factor }, tensor) }
    };
    let weight = scaled(a, "weight", weight_gain)?;
    let bias = scaled(a, "bias", bias_gain)?;
    a.push(name, Op::Linear, &[x, weight, bias])
}

/// How many numbers a linear layer reads.
fn features(a: &Assembly, layer: &str) -> Result<usize> {
    match *a.shape(&format!("{layer}.weight"))? {
        [_, features] if features > 0 => Ok(features),
        _ => Err(a.wrong(format!("has a linear layer {layer} whose weights are no matrix"))),
    }
}

/// A linear layer of NVIDIA's files with the gains that it says; it learns at `rate` where it says nothing.
fn affine(a: &mut Assembly, name: &str, tensors: &str, x: NodeId, rate: f64) -> Result<NodeId> {
    let features = features(a, tensors)?;
    let gains = [
        number(a, &format!("{tensors}.weight_gain")).unwrap_or(rate / (features as f64).sqrt()),
        number(a, &format!("{tensors}.bias_gain")).unwrap_or(rate),
    ];
    linear(a, name, tensors, x, gains)
}

/// A gain and `LeakyReLU`, limited to `most` where there is a limit, as layers in 16 bits are.
fn active(a: &mut Assembly, name: &str, x: NodeId, most: Option<f64>) -> Result<NodeId> {
    let mut x = a.unary(&format!("{name}.gained"), Unary::Scale { factor: GAIN }, x)?;
    if let Some(most) = most {
        // What is limited before has the same value as what is limited after.
        x = a.unary(&format!("{name}.limited"), Unary::Clamp { min: -most / SLOPE, max: most }, x)?;
    }
    a.unary(name, Unary::LeakyRelu { slope: SLOPE }, x)
}

/// A finite number that a module of the file says of itself.
fn number(a: &Assembly, name: &str) -> Option<f64> {
    match a.setting(name) {
        Some(Setting::Number(number)) if number.is_finite() => Some(*number),
        _ => None,
    }
}

/// Activations of NVIDIA's files must be those that are built here.
fn check_activation(a: &Assembly, layer: &str) -> Result<()> {
    match a.setting(&format!("{layer}.activation")) {
        None => Ok(()),
        Some(Setting::Text(text)) if text == "lrelu" => Ok(()),
        Some(other) => Err(a.wrong(format!("has a layer {layer} with another activation than lrelu: {other:?}"))),
    }
}

/// One number for each map of each image, `[n, c]`, as what maps are multiplied by.
fn per_map(a: &mut Assembly, name: &str, x: NodeId, maps: usize) -> Result<NodeId> {
    a.push(name, Op::Reshape { shape: vec![maps, 1, 1] }, &[x])
}

/// Zeros between and around the cells of maps, a filter, and every `down`-th cell: along rows and columns, or over both at once.
struct Resampling {
    up: usize,
    down: usize,
    /// Before and after, along rows; along columns.
    padding: [[isize; 2]; 2],
}

impl Resampling {
    /// By a filter of rows times one of columns, both already in the order in which they meet the cells.
    fn separable(&self, a: &mut Assembly, name: &str, [rows, columns]: [Vec<f64>; 2], x: NodeId) -> Result<NodeId> {
        let &Self { up, down, padding: [along_rows, along_columns] } = self;
        let wide = AxisMap::Filter { taps: rows, up, down, padding: along_rows };
        let wide = a.push(&format!("{name}.smooth"), Primitive::Along { axis: 3, map: wide }, &[x])?;
        let high = AxisMap::Filter { taps: columns, up, down, padding: along_columns };
        a.push(name, Primitive::Along { axis: 2, map: high }, &[wide])
    }
}

/// Maps enlarged and smoothed by a filter of the file, which must be one of rows times one of columns.
fn filtered(
    a: &mut Assembly,
    name: &str,
    key: &str,
    gain: f64,
    x: NodeId,
    up: usize,
    padding: [isize; 2],
) -> Result<NodeId> {
    let &[rows, columns] = a.shape(key)? else {
        return Err(a.wrong(format!("has a filter {key:?} that is no matrix")));
    };
    let kernel: Vec<f64> = a.values(key)?.into_iter().map(|value| gain * f64::from(value)).collect();
    let total: f64 = kernel.iter().sum();
    let root = total.abs().sqrt();
    let row = |r: usize| (0..columns).map(|c| kernel[r * columns + c]).sum::<f64>() / root;
    let column = |c: usize| (0..rows).map(|r| kernel[r * columns + c]).sum::<f64>() / root;
    let [of_rows, of_columns]: [Vec<f64>; 2] = [(0..rows).map(row).collect(), (0..columns).map(column).collect()];
    let far = |i: usize| (kernel[i] - of_rows[i / columns] * of_columns[i % columns]).abs();
    if total <= 0.0 || !total.is_finite() || (0..kernel.len()).any(|i| far(i) > 1e-6 * total) {
        return Err(a.wrong(format!("has a filter {key:?} that is not one of rows times one of columns")));
    }
    // What is convolved meets the entries in the other order.
    let turned = [of_columns, of_rows].map(|taps| taps.into_iter().rev().collect());
    Resampling { up, down: 1, padding: [padding; 2] }.separable(a, name, turned, x)
}
