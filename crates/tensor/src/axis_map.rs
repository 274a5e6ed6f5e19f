//! Linear maps along one axis: resizing, filters, mean pooling, pads that repeat, running sums.
//!
//! Each is a small description that can be written to a file; [`AxisMap::rows`] gives its matrix, row by row, for an input
//! length. A map of two axes is two maps, one after the other.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

/// A linear map along one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "map", rename_all = "snake_case")]
pub enum AxisMap {
    /// Every entry `factor` times: enlarging by the nearest neighbour. Its adjoint sums `factor` entries.
    Repeat {
        /// How often.
        factor: usize,
    },
    /// The means of windows.
    Average {
        /// Entries of a window.
        size: usize,
        /// Step.
        stride: usize,
        /// Entries outside, before the first and after the last, that windows reach.
        padding: [usize; 2],
        /// Whether entries outside count as zeros; otherwise the mean is over those inside.
        #[serde(default, skip_serializing_if = "is_false")]
        count_padding: bool,
    },
    /// `up - 1` zeros behind each entry, zeros around, a correlation with `taps`, then every `down`-th entry: what
    /// `StyleGAN` calls `upfirdn`. Padding may be negative, which cuts.
    Filter {
        /// The filter, in the order in which it meets the entries.
        taps: Vec<f64>,
        /// Enlarging.
        up: usize,
        /// Reduction.
        down: usize,
        /// Zeros before the first entry and after the last.
        padding: [isize; 2],
    },
    /// Interpolation to another length.
    Resize {
        /// Entries of the result.
        length: usize,
        /// Where an entry of the result lies in the input.
        coordinates: Coordinates,
        /// What is read there.
        interpolation: Interpolation,
    },
    /// Entries from inside around the axis.
    Pad {
        /// How many before the first and after the last.
        padding: [usize; 2],
        /// Which ones.
        mode: PadMode,
    },
    /// Some entries, by their numbers, in any order and any number of times.
    Take {
        /// Which ones.
        entries: Vec<usize>,
    },
    /// Running sums.
    Cumulative {
        /// Without the entry itself.
        #[serde(default, skip_serializing_if = "is_false")]
        exclusive: bool,
        /// From the last entry on.
        #[serde(default, skip_serializing_if = "is_false")]
        reverse: bool,
    },
}

/// Where entry `i` of the result lies in the input, for `scale = result / input`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coordinates {
    /// `(i + 0.5) / scale - 0.5`.
    HalfPixel {
        /// The scale, where it is not `result / input`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scale: Option<f64>,
    },
    /// As `HalfPixel`, and 0 where the result has one entry.
    PytorchHalfPixel {
        /// The scale, where it is not `result / input`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scale: Option<f64>,
    },
    /// ONNX's `half_pixel_symmetric`: the half pixels of both ends are cut alike.
    HalfPixelSymmetric {
        /// The scale.
        scale: f64,
    },
    /// `i / scale`.
    Asymmetric {
        /// The scale, where it is not `result / input`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scale: Option<f64>,
    },
    /// First on first, last on last.
    AlignCorners,
    /// First on `start` and last on `end`, as shares of the way from the first entry of the input to its last: a part of the axis is
    /// resized (ONNX's `tf_crop_and_resize`).
    Crop {
        /// Where the first entry of the result lies.
        start: f64,
        /// Where the last one lies.
        end: f64,
    },
}

/// What is read at a place between entries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// One entry.
    Nearest {
        /// Which one.
        rounding: Rounding,
    },
    /// Both neighbours.
    Linear {
        /// Wider where the result is shorter, so that no entry is left out.
        #[serde(default, skip_serializing_if = "is_false")]
        antialias: bool,
        /// Where it is wider, the first or last entry stands for those outside (ONNX); otherwise they weigh nothing (`PyTorch`, Pillow).
        #[serde(default, skip_serializing_if = "is_false")]
        edge: bool,
    },
    /// Four neighbours, Keys' kernel.
    Cubic {
        /// The kernel's parameter: -0.75 in PyTorch and ONNX, -0.5 in Pillow.
        a: f64,
        /// Wider where the result is shorter, so that no entry is left out.
        #[serde(default, skip_serializing_if = "is_false")]
        antialias: bool,
        /// Weights of entries outside are 0 and the others sum to 1; otherwise the first or last entry stands for them.
        #[serde(default, skip_serializing_if = "is_false")]
        exclude_outside: bool,
        /// As in `Linear`.
        #[serde(default, skip_serializing_if = "is_false")]
        edge: bool,
    },
}

/// How a place becomes the number of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Down.
    Floor,
    /// Up.
    Ceil,
    /// To the nearest, halves down.
    HalfDown,
    /// To the nearest, halves up.
    HalfUp,
}

/// Which entries stand outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PadMode {
    /// The first or last.
    Edge,
    /// Those inside, mirrored at the first and last, which are not repeated.
    Reflect,
    /// Those of the other end.
    Wrap,
}

/// The matrix of a map: for each entry of the result the entries that it reads, with their weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Entries of the input.
    pub inputs: usize,
    /// For each entry of the result its (input entry, weight), ascending.
    pub rows: Vec<Vec<(usize, f64)>>,
}

impl Rows {
    /// The adjoint: rows become columns.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut rows = vec![Vec::new(); self.inputs];
        for (output, row) in self.rows.iter().enumerate() {
            row.iter().for_each(|&(input, weight)| rows[input].push((output, weight)));
        }
        Self { inputs: self.rows.len(), rows }
    }
}

/// Weights that a map may have beside four for each entry that it reads or gives: more would need memory out of all proportion.
const MOST_WEIGHTS: usize = 1 << 26;

/// Whether rows of so many weights can be written out.
fn few_weights(input: usize, output: usize, in_row: usize) -> bool {
    let most = input.saturating_add(output).saturating_mul(4).max(MOST_WEIGHTS);
    output.checked_mul(in_row.min(input)).is_some_and(|weights| weights <= most)
}

impl AxisMap {
    /// Entries of the result; `None` where the map does not fit the input, has a step of 0, or more weights than can be written out.
    pub fn output(&self, input: usize) -> Option<usize> {
        match *self {
            Self::Repeat { factor } => input.checked_mul(factor).filter(|_| factor > 0),
            Self::Average { size, stride, padding: [before, after], .. } => {
                let padded = input.checked_add(before)?.checked_add(after)?;
                let fits = size > 0 && before < size && after < size;
                let output = padded.checked_sub(size).filter(|_| fits)?.checked_div(stride)? + 1;
                Some(output).filter(|&output| few_weights(input, output, size))
            }
            Self::Filter { ref taps, up, down, padding: [before, after] } => {
                let wide = input.checked_mul(up).filter(|_| up > 0 && !taps.is_empty())?;
                let padded = wide.checked_add_signed(before)?.checked_add_signed(after)?;
                Some(padded.checked_sub(taps.len())?.checked_div(down)? + 1)
            }
            Self::Resize { length, coordinates, interpolation } => {
                let scale = coordinates.scale(input, length);
                let fits = input > 0 && length > 0 && scale > 0.0 && scale.is_normal();
                Some(length).filter(|_| fits && few_weights(input, length, interpolation.most_in_row(scale)))
            }
            Self::Pad { padding: [before, after], mode } => {
                let most = match mode {
                    PadMode::Edge => usize::MAX,
                    PadMode::Reflect => input.checked_sub(1)?,
                    PadMode::Wrap => input,
                };
                let fits = input > 0 && before.max(after) <= most;
                input.checked_add(before)?.checked_add(after).filter(|_| fits)
            }
            Self::Take { ref entries } => {
                Some(entries.len()).filter(|&length| length > 0 && entries.iter().all(|&entry| entry < input))
            }
            Self::Cumulative { .. } => Some(input),
        }
    }

    /// The matrix for an input of this length.
    ///
    /// # Panics
    /// [`AxisMap::output`] gives no length.
    pub fn rows(&self, input: usize) -> Rows {
        let Some(output) = self.output(input) else { panic!("{self:?} on {input} entries") };
        let row = |i: usize| -> Vec<(usize, f64)> {
            match self {
                Self::Repeat { factor } => vec![(i / factor, 1.0)],
                Self::Average { size, stride, padding: [before, _], count_padding } => {
                    let start = i * stride;
                    let inside = start.max(*before) - before..(start + size).min(before + input) - before;
                    let count = if *count_padding { *size } else { inside.len() };
                    inside.map(|j| (j, 1.0 / count as f64)).collect()
                }
                Self::Filter { taps, up, down, padding: [before, _] } => {
                    let place = |tap: usize| {
                        let at = usize::try_from((i * down + tap) as i128 - *before as i128).ok()?;
                        at.is_multiple_of(*up).then(|| at / up).filter(|&j| j < input)
                    };
                    let meets = taps.iter().enumerate().filter_map(|(tap, &weight)| Some((place(tap)?, weight)));
                    meets.filter(|(_, weight)| *weight != 0.0).collect()
                }
                Self::Resize { coordinates, interpolation, .. } => {
                    interpolation.row(coordinates.place(i, input, output), input, coordinates.scale(input, output))
                }
                Self::Pad { padding: [before, _], mode } => {
                    let (at, last) = (i as isize - *before as isize, input as isize - 1);
                    let inside = match mode {
                        PadMode::Edge => at.clamp(0, last),
                        PadMode::Reflect if at < 0 => -at,
                        PadMode::Reflect if at > last => 2 * last - at,
                        PadMode::Reflect => at,
                        PadMode::Wrap => at.rem_euclid(input as isize),
                    };
                    vec![(inside as usize, 1.0)]
                }
                Self::Take { entries } => vec![(entries[i], 1.0)],
                Self::Cumulative { exclusive, reverse } => {
                    let skip = usize::from(*exclusive);
                    let range = if *reverse { (i + skip).min(input)..input } else { 0..(i + 1 - skip).min(input) };
                    range.map(|j| (j, 1.0)).collect()
                }
            }
        };
        Rows { inputs: input, rows: (0..output).map(row).collect() }
    }
}

impl Coordinates {
    fn scale(self, input: usize, output: usize) -> f64 {
        let ratio = output as f64 / input as f64;
        match self {
            Self::HalfPixel { scale } | Self::PytorchHalfPixel { scale } | Self::Asymmetric { scale } => {
                scale.unwrap_or(ratio)
            }
            Self::HalfPixelSymmetric { scale } => scale,
            Self::AlignCorners | Self::Crop { .. } => ratio,
        }
    }

    /// Where entry `i` of `output` entries lies among `input` entries.
    pub fn place(self, i: usize, input: usize, output: usize) -> f64 {
        let (at, scale) = (i as f64, self.scale(input, output));
        match self {
            Self::PytorchHalfPixel { .. } if output == 1 => 0.0,
            Self::HalfPixel { .. } | Self::PytorchHalfPixel { .. } => (at + 0.5) / scale - 0.5,
            Self::HalfPixelSymmetric { .. } => {
                let adjustment = output as f64 / (scale * input as f64);
                let offset = input as f64 / 2.0 * (1.0 - adjustment);
                offset + (at + 0.5) / scale - 0.5
            }
            Self::Asymmetric { .. } => at / scale,
            Self::AlignCorners if output == 1 => 0.0,
            Self::AlignCorners => at * (input - 1) as f64 / (output - 1) as f64,
            Self::Crop { start, end } if output == 1 => 0.5 * (start + end) * (input - 1) as f64,
            Self::Crop { start, end } => {
                let last = (input - 1) as f64;
                start * last + at * (end - start) * last / (output - 1) as f64
            }
        }
    }
}

impl Interpolation {
    /// Entries that are read at one place, at most.
    fn most_in_row(self, scale: f64) -> usize {
        match self {
            Self::Linear { antialias: true, .. } | Self::Cubic { antialias: true, .. } if scale < 1.0 => {
                ((4.0 / scale) as usize).saturating_add(2)
            }
            _ => 4,
        }
    }

    /// What is read at `place`.
    fn row(self, place: f64, input: usize, scale: f64) -> Vec<(usize, f64)> {
        let last = input as isize - 1;
        let clamped = |at: isize| at.clamp(0, last) as usize;
        // How far the kernel reaches, and how much it is stretched where the result is shorter.
        let stretch = |antialias: bool| if antialias && scale < 1.0 { 1.0 / scale } else { 1.0 };
        let kernel: (f64, f64, bool, &dyn Fn(f64) -> f64) = match self {
            Self::Nearest { rounding } => {
                let at = match rounding {
                    Rounding::Floor => place.floor(),
                    Rounding::Ceil => place.ceil(),
                    Rounding::HalfDown => (place - 0.5).ceil(),
                    Rounding::HalfUp => (place + 0.5).floor(),
                };
                return vec![(clamped(at as isize), 1.0)];
            }
            Self::Linear { antialias, edge } => {
                (1.0, stretch(antialias), antialias && !edge, &|t: f64| (1.0 - t.abs()).max(0.0))
            }
            Self::Cubic { a, antialias, exclude_outside, edge } => {
                (2.0, stretch(antialias), exclude_outside || antialias && !edge, &move |t: f64| {
                    let t = t.abs();
                    if t <= 1.0 {
                        ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0
                    } else if t < 2.0 {
                        a * (((t - 5.0) * t + 8.0) * t - 4.0)
                    } else {
                        0.0
                    }
                })
            }
        };
        let (reach, stretch, inside_alone, weight) = kernel;
        let reach = reach * stretch;
        // Far outside everything is the first or the last entry.
        let place = if inside_alone { place } else { place.clamp(-4.0, input as f64 + 4.0) };
        let (mut first, mut end) = ((place - reach).floor() as isize, (place + reach).ceil() as isize);
        if inside_alone {
            (first, end) = (first.max(0), end.min(last));
        }
        let mut row: Vec<(usize, f64)> = Vec::new();
        for at in first..=end {
            let weight = weight((at as f64 - place) / stretch);
            if weight == 0.0 || (inside_alone && !(0..=last).contains(&at)) {
                continue;
            }
            match row.last_mut() {
                Some((before, sum)) if *before == clamped(at) => *sum += weight,
                _ => row.push((clamped(at), weight)),
            }
        }
        let total: f64 = row.iter().map(|(_, weight)| weight).sum();
        if (inside_alone || stretch != 1.0) && total != 0.0 {
            row.iter_mut().for_each(|(_, weight)| *weight /= total);
        }
        row
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
