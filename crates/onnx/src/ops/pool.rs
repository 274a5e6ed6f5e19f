//! Windows that move over maps. Means are taken axis by axis, greatest numbers two axes at a time.

use super::{Operator, operator};
use crate::Result;
use crate::array::{Array, Kind};
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{AxisMap, Dim, Primitive, Unary, Window};
use tensor::Reduction;

pub(super) const TABLE: &[Operator] = &[
    operator("AveragePool", "", |w, c| {
        let x = c.needed(w, 0)?;
        Ok(vec![average(w, c, &x, c.flag("count_include_pad"))?])
    }),
    operator("GlobalAveragePool", "", |w, c| {
        let x = c.needed(w, 0)?;
        let axes: Vec<usize> = (2..w.rank(&x)).collect();
        Ok(vec![w.mean(&x, &axes)?])
    }),
    operator("GlobalMaxPool", "", |w, c| {
        let x = c.needed(w, 0)?;
        let axes: Vec<usize> = (2..w.rank(&x)).collect();
        Ok(vec![w.reduced(Reduction::Max, &x, &axes)?])
    }),
    operator("LpPool", "", |w, c| {
        let x = c.needed(w, 0)?;
        let p = c.int("p", 2) as f64;
        let size = w.unary(Unary::Abs, &x)?;
        let exponent = Value::scalar(p);
        let powers = w.power(&size, &exponent)?;
        let mean = average(w, c, &powers, true)?;
        let count: i64 = c.ints("kernel_shape").unwrap_or_default().iter().product();
        let sum = w.scaled(&mean, count as f64)?;
        let root = Value::scalar(1.0 / p);
        Ok(vec![w.power(&sum, &root)?])
    }),
    operator("MaxPool", "the numbers of the greatest are not given", max),
];

/// How a kernel or window moves, axis by axis.
#[derive(Debug)]
pub(super) struct Moving {
    pub(super) size: Vec<usize>,
    pub(super) stride: Vec<usize>,
    pub(super) dilation: Vec<usize>,
    pub(super) padding: Vec<[usize; 2]>,
}

impl Moving {
    /// As the attributes say, without padding that depends on the input.
    pub(super) fn plain(w: &Writer, call: &Call, size: &[usize]) -> Result<Self> {
        let axes = size.len();
        let list = |name: &str, many: usize, default: i64| {
            let values = call.ints(name).map_or_else(|| vec![default; many], <[i64]>::to_vec);
            let lengths = values.iter().map(|&value| usize::try_from(value).ok().filter(|&value| value <= 1 << 24));
            let lengths = lengths.collect::<Option<Vec<_>>>().filter(|lengths| lengths.len() == many);
            lengths.ok_or_else(|| w.fault(format!("{name} is {values:?}")))
        };
        let (stride, dilation) = (list("strides", axes, 1)?, list("dilations", axes, 1)?);
        let pads = list("pads", 2 * axes, 0)?;
        if size.iter().chain(&stride).chain(&dilation).any(|&n| n == 0 || n > 1 << 24) {
            return Err(w.fault("a kernel, a stride or a dilation is 0 or too long"));
        }
        let padding = (0..axes).map(|axis| [pads[axis], pads[axis + axes]]).collect();
        Ok(Self { size: size.to_vec(), stride, dilation, padding })
    }

    /// Entries from the first to the last that a window meets.
    pub(super) fn span(&self, axis: usize) -> usize {
        (self.size[axis] - 1) * self.dilation[axis] + 1
    }

    /// The same for maps of one row.
    pub(super) fn of_row(&mut self) {
        self.size.insert(0, 1);
        self.stride.insert(0, 1);
        self.dilation.insert(0, 1);
        self.padding.insert(0, [0, 0]);
    }

    /// The same without the first axis.
    pub(super) fn without_first(&mut self) {
        self.size.remove(0);
        self.stride.remove(0);
        self.dilation.remove(0);
        self.padding.remove(0);
    }
}

/// As the attributes say, for the input at hand.
pub(super) fn moving(w: &Writer, call: &Call, x: &Value, size: &[usize]) -> Result<Moving> {
    let mut moving = Moving::plain(w, call, size)?;
    let dims = w.dims(x);
    let auto = call.text("auto_pad", "NOTSET");
    if auto == "VALID" {
        moving.padding.iter_mut().for_each(|padding| *padding = [0, 0]);
    }
    if auto == "SAME_UPPER" || auto == "SAME_LOWER" {
        for axis in 0..size.len() {
            let entries = w.fixed(&dims, axis + 2)?;
            let stride = moving.stride[axis];
            let total = ((entries.div_ceil(stride).max(1) - 1) * stride + moving.span(axis)).saturating_sub(entries);
            let (less, rest) = (total / 2, total - total / 2);
            moving.padding[axis] = if auto == "SAME_UPPER" { [less, rest] } else { [rest, less] };
        }
    }
    Ok(moving)
}

/// The window of a pool, and by how much the last one reaches over the padded end where `ceil_mode` asks for it.
fn pool(w: &Writer, call: &Call, x: &Value) -> Result<(Moving, Vec<usize>)> {
    let dims = w.dims(x);
    let axes = dims.len().saturating_sub(2);
    let size = call.ints("kernel_shape").unwrap_or_default();
    let lengths = size.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<Vec<_>>>();
    let lengths = lengths.filter(|lengths| lengths.len() == axes && axes > 0);
    let size = lengths.ok_or_else(|| w.fault(format!("a kernel {size:?} for {}", tensor::shown(&dims))))?;
    let moving = moving(w, call, x, &size)?;
    let mut over = vec![0; axes];
    for (axis, over) in over.iter_mut().enumerate() {
        let entries = w.fixed(&dims, axis + 2)?;
        let [before, after] = moving.padding[axis];
        let (padded, span, stride) = (entries + before + after, moving.span(axis), moving.stride[axis]);
        let room = padded.checked_sub(span).ok_or_else(|| w.fault("its window is larger than its maps"))?;
        // A window that would begin behind the input is none.
        if call.flag("ceil_mode") && room % stride != 0 && (room / stride + 1) * stride < entries + before {
            *over = stride - room % stride;
        }
    }
    Ok((moving, over))
}

fn average(w: &mut Writer, call: &Call, x: &Value, count_padding: bool) -> Result<Value> {
    let (moving, over) = pool(w, call, x)?;
    let mut x = x.clone();
    for (axis, &over) in over.iter().enumerate() {
        let (size, stride, dilation) = (moving.size[axis], moving.stride[axis], moving.dilation[axis]);
        let [before, after] = moving.padding[axis];
        let place = axis + 2;
        if dilation == 1 && before < size && after + over < size && (over == 0 || !count_padding) {
            let map = AxisMap::Average { size, stride, padding: [before, after + over], count_padding };
            x = w.apply(Primitive::Along { axis: place, map }, &[&x])?;
            continue;
        }
        // Sums, and for each window how many entries count.
        if moving.span(axis) > 1 << 16 || w.fixed(&w.dims(&x), place)? > 1 << 20 {
            return Err(w.fault("its windows are too long"));
        }
        let entries = w.fixed(&w.dims(&x), place)?;
        let span = moving.span(axis);
        let taps: Vec<f64> = (0..span).map(|tap| f64::from(u8::from(tap % dilation == 0))).collect();
        let padding = [before as isize, (after + over) as isize];
        x = w.apply(
            Primitive::Along { axis: place, map: AxisMap::Filter { taps, up: 1, down: stride, padding } },
            &[&x],
        )?;
        let counted = if count_padding { 0..entries + before + after } else { before..entries + before };
        let windows = (entries + before + after + over - span) / stride + 1;
        let shares = (0..windows).map(|window| {
            let met = (0..size).filter(|tap| counted.contains(&(window * stride + tap * dilation))).count();
            1.0 / met.max(1) as f64
        });
        let shares: Value = Array::of(vec![windows], Kind::Real, shares.collect()).into();
        let mut shape = vec![Dim::Fixed(1); w.rank(&x) - place];
        shape[0] = Dim::Fixed(windows);
        let shares = w.reshape(&shares, shape)?;
        x = w.mul(&x, &shares)?;
    }
    Ok(x)
}

/// The greatest of a box is the greatest along its depth of the greatest of its maps.
fn max(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let x = call.needed(w, 0)?;
    let (mut moving, over) = pool(w, call, &x)?;
    moving.padding.iter_mut().zip(over).for_each(|(padding, over)| padding[1] += over);
    let dims = w.dims(&x);
    if !(3..=5).contains(&dims.len()) {
        return Err(w.fault(format!("{} axes; 1 to 3 behind the channels are supported", dims.len())));
    }
    if dims.len() == 3 {
        moving.of_row();
    }
    let y = match dims[..] {
        [n, c, line] => {
            let x = w.reshape(&x, vec![n, c, Dim::Fixed(1), line])?;
            let y = windows(w, &x, &moving)?;
            let of_y = w.dims(&y);
            w.reshape(&y, vec![n, c, of_y[3]])?
        }
        [n, Dim::Fixed(c), Dim::Fixed(depth), h, width] => {
            let mut flat = Moving {
                size: vec![moving.size[0], 1],
                stride: vec![moving.stride[0], 1],
                dilation: vec![moving.dilation[0], 1],
                padding: vec![moving.padding[0], [0, 0]],
            };
            moving.without_first();
            let x = w.reshape(&x, vec![n, Dim::Fixed(c.saturating_mul(depth)), h, width])?;
            let y = windows(w, &x, &moving)?;
            let (h, width) = (w.dims(&y)[2], w.dims(&y)[3]);
            let cells = h.times(width).ok_or_else(|| w.fault("it has too many elements"))?;
            let y = w.reshape(&y, vec![n, Dim::Fixed(c), Dim::Fixed(depth), cells])?;
            flat.size.truncate(2);
            let y = windows(w, &y, &flat)?;
            let depth = w.dims(&y)[2];
            w.reshape(&y, vec![n, Dim::Fixed(c), depth, h, width])?
        }
        _ => windows(w, &x, &moving)?,
    };
    Ok(vec![y])
}

fn windows(w: &mut Writer, x: &Value, moving: &Moving) -> Result<Value> {
    let two = |values: &[usize]| [values[0], values[1]];
    let window = Window {
        size: two(&moving.size),
        stride: two(&moving.stride),
        padding: [moving.padding[0], moving.padding[1]],
        dilation: two(&moving.dilation),
    };
    w.apply(Primitive::WindowMax { window }, &[x, x])
}
