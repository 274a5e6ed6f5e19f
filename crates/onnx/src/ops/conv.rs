//! Convolutions of one to three axes. One axis is a map of one row; three are a sum over the depth of the kernel.

use super::pool::{Moving, moving};
use super::{Operator, operator};
use crate::Result;
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{Conv, Dim, Op, Primitive};
use tensor::Binary;

pub(super) const TABLE: &[Operator] = &[
    operator("Conv", "one to three axes; a kernel for each image of a batch over two axes, without groups", conv),
    operator("ConvTranspose", "one and two axes", transposed),
];

/// The groups of channels.
fn groups(w: &Writer, call: &Call) -> Result<usize> {
    let groups = usize::try_from(call.int("group", 1)).ok().filter(|&groups| groups > 0);
    groups.ok_or_else(|| w.fault("its groups cannot be"))
}

/// The lengths of a kernel.
fn kernel(w: &Writer, weights: &Value) -> Result<Vec<usize>> {
    let dims = w.dims(weights);
    (2..dims.len()).map(|axis| w.fixed(&dims, axis)).collect()
}

fn of_maps(moving: &Moving, groups: usize) -> Conv {
    let two = |values: &[usize]| [values[0], values[1]];
    Conv {
        stride: two(&moving.stride),
        padding: [moving.padding[0], moving.padding[1]],
        dilation: two(&moving.dilation),
        groups,
    }
}

/// A map of one row for each line.
fn row(w: &mut Writer, x: &Value) -> Result<Value> {
    let mut dims = w.dims(x);
    dims.insert(2, Dim::Fixed(1));
    w.reshape(x, dims)
}

fn line(w: &mut Writer, x: &Value) -> Result<Value> {
    let mut dims = w.dims(x);
    dims.remove(2);
    w.reshape(x, dims)
}

fn conv(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (x, weights, bias) = (call.needed(w, 0)?, call.needed(w, 1)?, call.input(2));
    let groups = groups(w, call)?;
    let kernel = kernel(w, &weights)?;
    if w.rank(&x) != kernel.len() + 2 {
        return Err(w.fault(format!("its input has {} axes, its kernel {}", w.rank(&x), kernel.len() + 2)));
    }
    let mut moving = moving(w, call, &x, &kernel)?;
    if let (2, [Dim::Batch(_), ..]) = (kernel.len(), &w.dims(&weights)[..]) {
        let y = own_kernels(w, &x, &weights, &kernel, &moving, groups)?;
        return Ok(vec![if call.has(2) { w.apply(Op::AddChannel, &[&y, &bias])? } else { y }]);
    }
    let with_bias = |w: &mut Writer, op: Op, x: &Value, weights: &Value, bias: &Value| match bias {
        Value::Absent => w.apply(op, &[x, weights]),
        bias => w.apply(op, &[x, weights, bias]),
    };
    Ok(vec![match kernel.len() {
        1 => {
            moving.of_row();
            let (x, weights) = (row(w, &x)?, row(w, &weights)?);
            let y = with_bias(w, Op::conv2d(of_maps(&moving, groups)), &x, &weights, &bias)?;
            line(w, &y)?
        }
        2 => with_bias(w, Op::conv2d(of_maps(&moving, groups)), &x, &weights, &bias)?,
        3 => {
            let y = volumes(w, &x, &weights, &kernel, moving, groups)?;
            match bias {
                Value::Absent => y,
                bias => {
                    let channels = w.dims(&bias).first().copied().unwrap_or(Dim::Fixed(1));
                    let bias = w.reshape(&bias, vec![channels, Dim::Fixed(1), Dim::Fixed(1), Dim::Fixed(1)])?;
                    w.add(&y, &bias)?
                }
            }
        }
        axes => return Err(w.fault(format!("{axes} axes; 1 to 3 are supported"))),
    }])
}

/// A kernel for each image, as styles make them where a network for one image gets a batch: products with what each tap meets.
fn own_kernels(
    w: &mut Writer,
    x: &Value,
    weights: &Value,
    kernel: &[usize],
    moving: &Moving,
    groups: usize,
) -> Result<Value> {
    let (of_x, of_weights) = (w.dims(x), w.dims(weights));
    let ([n, Dim::Fixed(c), ..], [Dim::Batch(o), Dim::Fixed(met), ..]) = (&of_x[..], &of_weights[..]) else {
        return Err(w.fault("its kernels differ by image, and its maps do not"));
    };
    if *n != Dim::N || groups != 1 || c != met {
        return Err(w.fault("kernels that differ by image have no groups here"));
    }
    let mut x = x.clone();
    for axis in 0..2 {
        x = w.padded(&x, axis + 2, moving.padding[axis], 0.0)?;
    }
    let dims = w.dims(&x);
    let mut size = [0; 2];
    for (axis, size) in size.iter_mut().enumerate() {
        let room = w.fixed(&dims, axis + 2)?.checked_sub(moving.span(axis));
        *size = room.ok_or_else(|| w.fault("its kernel is larger than its maps"))? / moving.stride[axis] + 1;
    }
    let mut taps = Vec::new();
    for tap in 0..kernel[0] * kernel[1] {
        let at = [tap / kernel[1] * moving.dilation[0], tap % kernel[1] * moving.dilation[1]];
        let mut part = x.clone();
        for axis in 0..2 {
            part = w.sliced(&part, axis + 2, at[axis], moving.stride[axis] as isize, size[axis])?;
        }
        taps.push(w.reshape(&part, vec![Dim::N, Dim::Fixed(*c), Dim::Fixed(1), Dim::Fixed(size[0] * size[1])])?);
    }
    let all = Dim::Fixed(c * taps.len());
    let taps = w.concat(&taps, 2)?;
    let columns = w.reshape(&taps, vec![Dim::N, all, Dim::Fixed(size[0] * size[1])])?;
    let rows = w.reshape(weights, vec![Dim::N, Dim::Fixed(*o), all])?;
    let y = w.apply(Primitive::mat_mul(false, false), &[&rows, &columns])?;
    w.reshape(&y, vec![Dim::N, Dim::Fixed(*o), Dim::Fixed(size[0]), Dim::Fixed(size[1])])
}

/// Each tap of the depth is a convolution of the maps that it meets; all depths are one batch.
fn volumes(
    w: &mut Writer,
    x: &Value,
    weights: &Value,
    kernel: &[usize],
    mut moving: Moving,
    groups: usize,
) -> Result<Value> {
    let x = w.padded(x, 2, moving.padding[0], 0.0)?;
    let x = w.permute(&x, vec![0, 2, 1, 3, 4])?;
    let dims = w.dims(&x);
    let depth = w.fixed(&dims, 1)?;
    let (stride, dilation, span) = (moving.stride[0], moving.dilation[0], moving.span(0));
    let fits = depth.checked_sub(span).ok_or_else(|| w.fault("its kernel is deeper than its input"))?;
    let depths = fits / stride + 1;
    moving.without_first();
    let conv = of_maps(&moving, groups);
    let step = isize::try_from(stride).map_err(|_| w.fault("a stride is too long"))?;
    let many = dims[0].times(Dim::Fixed(depths)).ok_or_else(|| w.fault("it has too many elements"))?;
    let of_weights = w.dims(weights);
    let mut sum: Option<Value> = None;
    for tap in 0..kernel[0] {
        let met = w.sliced(&x, 1, tap * dilation, step, depths)?;
        let met = w.reshape(&met, [&[many], &dims[2..]].concat())?;
        let part = w.sliced(weights, 2, tap, 1, 1)?;
        let part = w.reshape(&part, [&of_weights[..2], &of_weights[3..]].concat())?;
        let y = w.apply(Op::conv2d(conv), &[&met, &part])?;
        sum = Some(match sum {
            Some(sum) => w.binary(Binary::Add, &sum, &y)?,
            None => y,
        });
    }
    let sum = sum.ok_or_else(|| w.fault("its kernel has no depth"))?;
    let maps = w.dims(&sum);
    let y = w.reshape(&sum, [&[dims[0], Dim::Fixed(depths)], &maps[1..]].concat())?;
    w.permute(&y, vec![0, 2, 1, 3, 4])
}

fn transposed(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (mut x, mut weights, bias) = (call.needed(w, 0)?, call.needed(w, 1)?, call.input(2));
    let groups = groups(w, call)?;
    let kernel = kernel(w, &weights)?;
    let axes = kernel.len();
    if w.rank(&x) != axes + 2 || !(1..=2).contains(&axes) {
        return Err(w.fault(format!("{} and {} axes; maps and lines are supported", w.rank(&x), axes + 2)));
    }
    let dims = w.dims(&x);
    let input = (2..dims.len()).map(|axis| w.fixed(&dims, axis)).collect::<Result<Vec<_>>>()?;
    let mut moving = Moving::plain(w, call, &kernel)?;
    let mut more = lengths(w, call, "output_padding", axes)?.unwrap_or_else(|| vec![0; axes]);
    let wanted = lengths(w, call, "output_shape", axes)?;
    let auto = call.text("auto_pad", "NOTSET").to_owned();
    let mut size = Vec::new();
    for axis in 0..axes {
        let impossible = || w.fault("nothing is left of its maps");
        let whole = input[axis].checked_sub(1).and_then(|n| n.checked_mul(moving.stride[axis]));
        let whole =
            whole.and_then(|n| n.checked_add(more[axis])?.checked_add(moving.span(axis))).ok_or_else(impossible)?;
        let same = auto == "SAME_UPPER" || auto == "SAME_LOWER";
        let target = match &wanted {
            // With the axes of the batch and the channels, in some files.
            Some(shape) => Some(shape[shape.len() - axes + axis]),
            None if same => input[axis].checked_mul(moving.stride[axis]),
            None => None,
        };
        match target {
            Some(target) if target > whole => {
                more[axis] += target - whole;
                moving.padding[axis] = [0, 0];
                size.push(target);
            }
            Some(target) => {
                let total = whole - target;
                let (less, rest) = (total / 2, total - total / 2);
                moving.padding[axis] = if auto == "SAME_UPPER" { [less, rest] } else { [rest, less] };
                size.push(target);
            }
            None => {
                let [before, after] = moving.padding[axis];
                let left = whole.checked_sub(before).and_then(|n| n.checked_sub(after)).filter(|&n| n > 0);
                size.push(left.ok_or_else(impossible)?);
            }
        }
        if size[axis] > 1 << 24 {
            return Err(w.fault(format!("its maps would be {} long", size[axis])));
        }
    }
    if axes == 1 {
        moving.of_row();
        (x, weights) = (row(w, &x)?, row(w, &weights)?);
        size.insert(0, 1);
    }
    let conv = of_maps(&moving, groups);
    // What lies further behind than a stride is the bias alone.
    more.resize(2, 0);
    if axes == 1 {
        more.rotate_right(1);
    }
    let behind = [0, 1].map(|axis| more[axis].saturating_sub(conv.stride[axis] - 1));
    let mut reached = [size[0], size[1]];
    for axis in 0..2 {
        let left = reached[axis].checked_sub(behind[axis]).filter(|&left| left > 0);
        reached[axis] = left.ok_or_else(|| w.fault("nothing is left of its maps"))?;
    }
    let op = Op::Primitive(Primitive::ConvTranspose2d { conv, size: reached });
    let mut y = if call.has(2) && behind == [0, 0] {
        w.apply(op, &[&x, &weights, &bias])?
    } else {
        w.apply(op, &[&x, &weights])?
    };
    if behind != [0, 0] {
        for (axis, &more) in behind.iter().enumerate() {
            y = w.padded(&y, axis + 2, [0, more], 0.0)?;
        }
        if call.has(2) {
            y = w.apply(Op::AddChannel, &[&y, &bias])?;
        }
    }
    Ok(vec![if axes == 1 { line(w, &y)? } else { y }])
}

/// A list of lengths of at least as many axes.
fn lengths(w: &Writer, call: &Call, name: &str, axes: usize) -> Result<Option<Vec<usize>>> {
    let Some(values) = call.ints(name).filter(|values| !values.is_empty()) else { return Ok(None) };
    let lengths = values.iter().map(|&value| usize::try_from(value).ok()).collect::<Option<Vec<_>>>();
    let lengths = lengths.filter(|lengths| lengths.len() >= axes);
    lengths.map(Some).ok_or_else(|| w.fault(format!("{name} is {values:?}")))
}
