//! NVIDIA's network pickles of `StyleGAN3`, T and R: the state of each module is data, and with it how it was made. After its
//! `training/networks_stylegan3.py`.

use super::modulated::{Form, Modulated, inverse_root};
use super::{Resampling, affine, mapping, number};
use crate::Imported;
use crate::assembly::Assembly;
use base::Result;
use net::{Binary, Conv, Dim, NodeId, Op, Primitive, Unary};
use weights::{Setting, StateDict};

/// The widest map that is believed.
const MOST_SIDE: usize = 1 << 14;
/// The widest map of waves that is believed: theirs are 36 wide.
const MOST_OF_WAVES: usize = 1 << 10;

/// Whether the names are those of such a generator.
pub(crate) fn is_like(dict: &StateDict) -> bool {
    ["synthesis.input.freqs", "synthesis.input.affine.weight", "mapping.fc0.weight"]
        .iter()
        .all(|key| dict.find(key).is_some())
}

/// The generator with these tensors.
///
/// # Errors
/// They do not fit, or the file does not say how its layers were made.
pub(crate) fn network(dict: &StateDict) -> Result<Imported> {
    let mut a = Assembly::new(dict);
    let w = mapping::nvidia(&mut a)?;
    let names = layers(dict);
    let mean = a.param("mapping.w_avg")?;
    let length = a.shape("mapping.w_avg")?.iter().product();
    let ws = mapping::styles(&mut a, w, mean, length, names.len() + 1)?;
    let mut x = input(&mut a, ws[0])?;
    for (name, &w) in names.iter().zip(&ws[1..]) {
        x = Layer::of(&a, name)?.build(&mut a, x, w)?;
    }
    let image = match number(&a, "synthesis.output_scale") {
        Some(factor) => a.unary("synthesis", Unary::Scale { factor }, x)?,
        None => return Err(says_nothing(&a, "synthesis.output_scale")),
    };
    a.finish(image, "stylegan3")
}

/// The names of the layers, in their order: `synthesis.L0_36_512`.
fn layers(dict: &StateDict) -> Vec<String> {
    let number = |name: &str| name.strip_prefix("synthesis.L")?.split('_').next()?.parse::<usize>().ok();
    let layer = |(name, _): (&str, _)| {
        let layer = name.strip_suffix(".weight").filter(|layer| !layer.ends_with(".affine"))?;
        Some((number(layer)?, layer.to_owned()))
    };
    let mut found: Vec<(usize, String)> = dict.entries().filter_map(layer).collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).collect()
}

fn says_nothing(a: &Assembly, name: &str) -> base::Error {
    a.wrong(format!("does not say {name}, which the tensors do not show"))
        .with_hint("Give the network pickle itself: a state dict of it has the tensors alone.")
}

/// A number that must be there.
fn needed(a: &Assembly, name: &str) -> Result<f64> {
    number(a, name).ok_or_else(|| says_nothing(a, name))
}

/// A whole number that must be there, 1 to some thousands.
fn count(a: &Assembly, name: &str) -> Result<usize> {
    let value = needed(a, name)?;
    if value.fract() == 0.0 && (1.0..=MOST_SIDE as f64).contains(&value) {
        return Ok(value as usize);
    }
    Err(a.wrong(format!("says that {name} is {value}")))
}

/// Whole numbers that must be there.
fn whole<const N: usize>(a: &Assembly, name: &str) -> Result<[isize; N]> {
    let Some(Setting::Numbers(values)) = a.setting(name) else { return Err(says_nothing(a, name)) };
    let is_whole = |value: &&f64| value.fract() == 0.0 && value.abs() <= MOST_SIDE as f64;
    let found: Vec<isize> = values.iter().filter(is_whole).map(|&value| value as isize).collect();
    found.try_into().map_err(|_| a.wrong(format!("says that {name} is {values:?}")))
}

/// Waves over the canvas, which the style turns and moves, mixed by weights: `sin(2 pi (f p + phase))` at the cells p.
fn input(a: &mut Assembly, w: NodeId) -> Result<NodeId> {
    let at = |part: &str| format!("synthesis.input.{part}");
    let &[channels, 2] = a.shape(&at("freqs"))? else {
        return Err(a.wrong("has frequencies of waves that are no pairs"));
    };
    let size = whole::<2>(a, &at("size"))?;
    let [width, height] = size.map(|side| usize::try_from(side).unwrap_or(0));
    if [width, height].iter().any(|side| !(1..=MOST_OF_WAVES).contains(side)) {
        return Err(a.wrong(format!("says that {} is {size:?}", at("size"))));
    }
    let (rate, bandwidth) = (needed(a, &at("sampling_rate"))?, needed(a, &at("bandwidth"))?);
    let matrix = |rows, columns| Op::Reshape { shape: vec![rows, columns] };

    // t = (cosine, sine, right, down), of which the first two become a unit vector and the others go by its length as well.
    let t = affine(a, &at("affine"), &at("affine"), w, 1.0)?;
    let pair = a.push(&at("pair"), Op::Narrow { axis: 1, start: 0, len: 2 }, &[t])?;
    let squares = a.push(&at("pair.squares"), Binary::Mul, &[pair, pair])?;
    let square = a.push(&at("pair.square"), Primitive::sum([1]), &[squares])?;
    let inverse = inverse_root(a, &at("pair"), square)?;
    let t = a.push(&at("turn"), Binary::Mul, &[t, inverse])?;
    let entry = |a: &mut Assembly, name: &str, start| a.push(&at(name), Op::Narrow { axis: 1, start, len: 1 }, &[t]);
    let (cosine, sine) = (entry(a, "cosine", 0)?, entry(a, "sine", 1)?);
    let opposite = a.unary(&at("sine.opposite"), Unary::Scale { factor: -1.0 }, sine)?;
    let turn = a.push(&at("rotation.row"), Op::concat(1), &[cosine, opposite, sine, cosine])?;
    let turn = a.push(&at("rotation"), matrix(2, 2), &[turn])?;
    let shift = a.push(&at("shift.row"), Op::Narrow { axis: 1, start: 2, len: 2 }, &[t])?;
    let shift = a.push(&at("shift"), matrix(2, 1), &[shift])?;

    // Frequencies times the rotation, the transform of the file behind it.
    let freqs = a.param(&at("freqs"))?;
    let transform = a.param(&at("transform"))?;
    let rows = Primitive::Slice { axis: 0, start: 0, step: 1, length: 2 };
    let rows = a.push(&at("transform.rows"), rows, &[transform])?;
    let part = |a: &mut Assembly, name: &str, start, length| {
        a.push(&at(name), Primitive::Slice { axis: 1, start, step: 1, length }, &[rows])
    };
    let (linear, moved) = (part(a, "transform.linear", 0, 2)?, part(a, "transform.moved", 2, 1)?);
    let product = || Primitive::mat_mul(false, false);
    let turned = a.push(&at("freqs.turned"), product(), &[freqs, turn])?;
    let freqs = a.push(&at("freqs.transformed"), product(), &[turned, linear])?;
    let moved = a.push(&at("moved"), Binary::Sub, &[moved, shift])?;
    let further = a.push(&at("phases.moved"), product(), &[turned, moved])?;
    let phases = a.param(&at("phases"))?;
    let column = Primitive::Reshape { shape: [channels, 1].map(Dim::Fixed).to_vec() };
    let phases = a.push(&at("phases.column"), column.clone(), &[phases])?;
    let phases = a.push(&at("phases.transformed"), Binary::Add, &[phases, further])?;

    // Waves that are finer than the cells can show fade out.
    let squares = a.push(&at("freqs.squares"), Binary::Mul, &[freqs, freqs])?;
    let square = a.push(&at("freqs.square"), Primitive::sum([2]), &[squares])?;
    let norm = a.unary(&at("freqs.norm"), Unary::Sqrt, square)?;
    let slope = -1.0 / (rate / 2.0 - bandwidth);
    if !slope.is_finite() {
        return Err(
            a.wrong(format!("says that {} is {bandwidth}, which is all that its cells can show", at("bandwidth")))
        );
    }
    let faded = a.unary(&at("amplitudes.slope"), Unary::Scale { factor: slope }, norm)?;
    let faded = a.unary(&at("amplitudes.line"), Unary::AddScalar { term: 1.0 - slope * bandwidth }, faded)?;
    let amplitudes = a.unary(&at("amplitudes"), Unary::Clamp { min: 0.0, max: 1.0 }, faded)?;

    // The cells' middles, of a canvas from -1/2 to 1/2 with margins.
    let place =
        |number: usize, cells: usize| ((2 * number + 1) as f64 / cells as f64 - 1.0) * (0.5 * cells as f64 / rate);
    let across = (0..height * width).map(|cell| place(cell % width, width) as f32);
    let down = (0..height * width).map(|cell| place(cell / width, height) as f32);
    let cells = a.tensor(&at("cells"), &[2, height * width], across.chain(down).collect(), false)?;
    let waves = a.push(&at("waves.product"), product(), &[freqs, cells])?;
    let waves = a.push(&at("waves.turns"), Binary::Add, &[waves, phases])?;
    let waves = a.unary(&at("waves.angle"), Unary::Scale { factor: std::f64::consts::TAU }, waves)?;
    let waves = a.unary(&at("waves.sine"), Unary::Sin, waves)?;
    let waves = a.push(&at("waves"), Binary::Mul, &[waves, amplitudes])?;
    let weight = a.param(&at("weight"))?;
    let factor = 1.0 / (channels as f64).sqrt();
    let weight = a.unary(&at("weight.scaled"), Unary::Scale { factor }, weight)?;
    let mixed = a.push(&at("mixed"), product(), &[weight, waves])?;
    a.push("synthesis.input", Op::Reshape { shape: vec![channels, height, width] }, &[mixed])
}

/// A layer as its module says it was made.
struct Layer<'n> {
    name: &'n str,
    is_rgb: bool,
    channels: usize,
    up: usize,
    down: usize,
    /// Zeros around what is enlarged: left, right, above, below.
    padding: [isize; 4],
    limit: Option<f64>,
    side: usize,
    /// Cells on each side that lie outside of the picture.
    margin: usize,
}

impl<'n> Layer<'n> {
    fn of(a: &Assembly, name: &'n str) -> Result<Self> {
        let at = |part: &str| format!("{name}.{part}");
        let [width, height] = whole::<2>(a, &at("out_size"))?;
        let (side, rate) = (usize::try_from(width).unwrap_or(0), count(a, &at("out_sampling_rate"))?);
        if side == 0 || width != height {
            return Err(a.wrong(format!("says that {} is {width} and {height}", at("out_size"))));
        }
        let &[channels, ..] = a.shape(&at("weight"))? else {
            return Err(a.wrong(format!("has a kernel {} without channels", at("weight"))));
        };
        Ok(Self {
            name,
            is_rgb: a.setting(&at("is_torgb")) == Some(&Setting::Bool(true)),
            channels,
            up: count(a, &at("up_factor"))?,
            down: count(a, &at("down_factor"))?,
            padding: whole(a, &at("padding"))?,
            limit: number(a, &at("conv_clamp")),
            side,
            margin: side.saturating_sub(rate) / 2,
        })
    }

    fn build(&self, a: &mut Assembly, x: NodeId, w: NodeId) -> Result<NodeId> {
        let at = |part: &str| format!("{}.{part}", self.name);
        let (affine_name, weight) = (at("affine"), at("weight"));
        let mut style = affine(a, &affine_name, &affine_name, w, 1.0)?;
        if self.is_rgb {
            let fan: usize = a.shape(&weight)?.iter().skip(1).product();
            let factor = 1.0 / (fan.max(1) as f64).sqrt();
            style = a.unary(&at("affine.scaled"), Unary::Scale { factor }, style)?;
        }
        let magnitude = a.param(&at("magnitude_ema"))?;
        let gain = inverse_root(a, &at("magnitude_ema"), magnitude)?;
        let conv = at("conv");
        let form = Form::Wide(gain);
        let divides = !self.is_rgb;
        let y = Modulated { name: &conv, weight: &weight, factor: 1.0, style, divides, form }.build(a, x)?;
        let bias = a.param(&at("bias"))?;
        let y = a.push(&at("biased"), Op::AddChannel, &[y, bias])?;
        let y = self.enlarged(a, y)?;
        let y = self.active(a, y)?;
        let y = self.reduced(a, y)?;
        self.layer(a, y)
    }

    fn enlarged(&self, a: &mut Assembly, x: NodeId) -> Result<NodeId> {
        let [left, right, above, below] = self.padding;
        if self.up == 1 && self.padding == [0; 4] && !a.has(&format!("{}.up_filter", self.name)) {
            return Ok(x);
        }
        let taps = self.taps(a, "up_filter", self.up as f64)?;
        let resampling = Resampling { up: self.up, down: 1, padding: [[left, right], [above, below]] };
        resampling.separable(a, &format!("{}.up", self.name), [taps.clone(), taps], x)
    }

    /// The taps of a filter along one axis, times `gain`, in the order in which they meet the cells; one where there is no filter.
    fn taps(&self, a: &mut Assembly, part: &str, gain: f64) -> Result<Vec<f64>> {
        let key = format!("{}.{part}", self.name);
        if !a.has(&key) {
            return Ok(vec![gain]);
        }
        if a.shape(&key)?.len() != 1 {
            return Err(a.wrong(format!("has a filter {key:?} that is no row")));
        }
        Ok(a.values(&key)?.into_iter().rev().map(|tap| gain * f64::from(tap)).collect())
    }

    fn active(&self, a: &mut Assembly, x: NodeId) -> Result<NodeId> {
        let name = format!("{}.active", self.name);
        match (self.is_rgb, self.limit) {
            (false, limit) => super::active(a, &name, x, limit),
            (true, Some(most)) => a.unary(&name, Unary::Clamp { min: -most, max: most }, x),
            (true, None) => Ok(x),
        }
    }

    fn reduced(&self, a: &mut Assembly, x: NodeId) -> Result<NodeId> {
        let key = format!("{}.down_filter", self.name);
        let name = format!("{}.reduced", self.name);
        let down = self.down;
        if down == 1 && !a.has(&key) {
            return Ok(x);
        }
        if !a.has(&key) || a.shape(&key)?.len() != 2 {
            let taps = self.taps(a, "down_filter", 1.0)?;
            return Resampling { up: 1, down, padding: [[0; 2]; 2] }.separable(a, &name, [taps.clone(), taps], x);
        }
        // One that is round: the same convolution for each map alone.
        let &[rows, columns] = a.shape(&key)? else { return Err(a.wrong(format!("has no filter {key:?}"))) };
        let taps = a.values(&key)?.into_iter().rev().collect();
        let taps = a.tensor(&key, &[1, 1, rows, columns], taps, false)?;
        let enlarged = (self.side - 1) * down;
        let maps = Primitive::Reshape {
            shape: vec![
                Dim::Batch(self.channels),
                Dim::Fixed(1),
                Dim::Fixed(enlarged + rows),
                Dim::Fixed(enlarged + columns),
            ],
        };
        let maps = a.push(&format!("{name}.maps"), maps, &[x])?;
        let reduced = a.push(&format!("{name}.each"), Op::conv2d(Conv::new(down, 0)), &[maps, taps])?;
        let [n, c, side] = [Dim::N, Dim::Fixed(self.channels), Dim::Fixed(self.side)];
        a.push(&name, Primitive::Reshape { shape: vec![n, c, side, side] }, &[reduced])
    }

    /// The layer's value. Its cells in the picture are a node of their own, `NAME.canvas`: maps that lie over the picture, which one can
    /// look at and edit.
    fn layer(&self, a: &mut Assembly, x: NodeId) -> Result<NodeId> {
        let at = |part: &str| format!("{}.{part}", self.name);
        let (side, margin) = (self.side, self.margin);
        let inner = side - 2 * margin;
        let part = |a: &mut Assembly, name: &str, axis, start, length, x| {
            a.push(&at(name), Primitive::Slice { axis, start, step: 1, length }, &[x])
        };
        if margin == 0 || self.is_rgb {
            let all = a.push(self.name, Op::Reshape { shape: vec![self.channels, side, side] }, &[x])?;
            if !self.is_rgb {
                a.units_on(all, 1);
            }
            return Ok(all);
        }
        let above = part(a, "above", 2, 0, margin, x)?;
        let below = part(a, "below", 2, side - margin, margin, x)?;
        let rows = part(a, "rows", 2, margin, inner, x)?;
        let left = part(a, "left", 3, 0, margin, rows)?;
        let right = part(a, "right", 3, side - margin, margin, rows)?;
        let canvas = part(a, "canvas", 3, margin, inner, rows)?;
        a.units_on(canvas, 1);
        let rows = a.push(&at("rows.whole"), Op::concat(3), &[left, canvas, right])?;
        a.push(self.name, Op::concat(2), &[above, rows, below])
    }
}
