//! The shape rules of the primitives: dimensions of a result, before the batch is known.

use crate::dim::shown;
use crate::{Conv, Dim, Primitive, Window};

/// What an operation expects, and what it found instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What would fit.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// A [`Mismatch`] of two texts.
pub fn mismatch(expected: impl Into<String>, found: impl Into<String>) -> Mismatch {
    Mismatch { expected: expected.into(), found: found.into() }
}

/// The number of inputs must be one of some.
///
/// # Errors
/// It is not.
pub fn count(inputs: &[&[Dim]], wanted: std::ops::RangeInclusive<usize>) -> Result<(), Mismatch> {
    if wanted.contains(&inputs.len()) {
        return Ok(());
    }
    let (least, most) = (wanted.start(), wanted.end());
    let expected = if least == most { format!("{least} inputs") } else { format!("{least} to {most} inputs") };
    Err(mismatch(expected, inputs.len().to_string()))
}

/// Maps `[n, c, h, w]`: the batch or a number, then numbers.
///
/// # Errors
/// It is something else.
pub fn maps(dims: &[Dim]) -> Result<(Dim, [usize; 3]), Mismatch> {
    match *dims {
        [n, Dim::Fixed(c), Dim::Fixed(h), Dim::Fixed(w)] => Ok((n, [c, h, w])),
        _ => Err(mismatch("maps [n, c, h, w]", shown(dims))),
    }
}

/// `NumPy`'s broadcasting of two shapes.
///
/// # Errors
/// Two lengths differ and neither is 1.
pub fn broadcast(a: &[Dim], b: &[Dim]) -> Result<Vec<Dim>, Mismatch> {
    let rank = a.len().max(b.len());
    let at = |dims: &[Dim], axis: usize| (axis + dims.len()).checked_sub(rank).map_or(Dim::Fixed(1), |i| dims[i]);
    let both = |axis| match (at(a, axis), at(b, axis)) {
        (x, y) if x == y || y.is_one() => Ok(x),
        (x, y) if x.is_one() => Ok(y),
        _ => Err(mismatch(format!("shapes that fit {}", shown(a)), shown(b))),
    };
    (0..rank).map(both).collect()
}

fn fixed(dims: &[Dim], axis: usize) -> Result<usize, Mismatch> {
    let length = dims.get(axis).ok_or_else(|| mismatch(format!("an axis {axis}"), shown(dims)))?;
    length.fixed().ok_or_else(|| mismatch(format!("a fixed length along axis {axis}"), shown(dims)))
}

fn with(dims: &[Dim], axis: usize, length: usize) -> Vec<Dim> {
    let mut dims = dims.to_vec();
    dims[axis] = Dim::Fixed(length);
    dims
}

fn reduced(dims: &[Dim], axes: &[usize]) -> Result<Vec<Dim>, Mismatch> {
    let ascending = axes.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascending || axes.last().is_some_and(|&axis| axis >= dims.len()) {
        return Err(mismatch(format!("axes of {}, ascending", shown(dims)), format!("{axes:?}")));
    }
    Ok(dims.iter().enumerate().map(|(axis, &dim)| if axes.contains(&axis) { Dim::Fixed(1) } else { dim }).collect())
}

/// The last entry that a slice reaches lies inside.
fn inside(start: usize, step: isize, length: usize, entries: usize) -> bool {
    let last = length.checked_sub(1).and_then(|moves| isize::try_from(moves).ok()?.checked_mul(step));
    let last = last.and_then(|moved| start.checked_add_signed(moved));
    step != 0 && start < entries && last.is_some_and(|last| last < entries)
}

impl Primitive {
    /// The dimensions of the result.
    ///
    /// # Errors
    /// The inputs do not fit.
    pub fn shape(&self, inputs: &[&[Dim]]) -> Result<Vec<Dim>, Mismatch> {
        let exactly = |wanted: usize| count(inputs, wanted..=wanted);
        match self {
            Self::Unary(_) | Self::StopGradient => {
                exactly(1)?;
                Ok(inputs[0].to_vec())
            }
            Self::Binary(_) => {
                exactly(2)?;
                broadcast(inputs[0], inputs[1])
            }
            Self::Select => {
                exactly(3)?;
                broadcast(&broadcast(inputs[0], inputs[1])?, inputs[2])
            }
            Self::Fill { shape, .. } => {
                exactly(0)?;
                Ok(shape.clone())
            }
            Self::Reduce { axes, .. } => {
                exactly(1)?;
                reduced(inputs[0], axes)
            }
            Self::CentredSquares { axes } => {
                exactly(2)?;
                let centre = reduced(inputs[0], axes)?;
                if inputs[1] != centre {
                    return Err(mismatch(format!("a centre {}", shown(&centre)), shown(inputs[1])));
                }
                Ok(centre)
            }
            Self::DivideByCount { .. } => {
                exactly(1)?;
                Ok(inputs[0].to_vec())
            }
            Self::Broadcast { shape } => {
                exactly(1)?;
                match broadcast(inputs[0], shape) {
                    Ok(wide) if wide == *shape => Ok(wide),
                    _ => Err(mismatch(format!("something that repeats to {}", shown(shape)), shown(inputs[0]))),
                }
            }
            Self::Permute { axes } => {
                exactly(1)?;
                let mut sorted = axes.clone();
                sorted.sort_unstable();
                if sorted.len() != inputs[0].len() || sorted.iter().enumerate().any(|(i, &axis)| i != axis) {
                    return Err(mismatch(format!("an order of the axes of {}", shown(inputs[0])), format!("{axes:?}")));
                }
                Ok(axes.iter().map(|&axis| inputs[0][axis]).collect())
            }
            Self::Reshape { shape } => {
                exactly(1)?;
                let (old, new) = (Dim::product(inputs[0]), Dim::product(shape));
                if old != new || old.is_none() && inputs[0] != shape {
                    return Err(mismatch(format!("as many elements as {} has", shown(shape)), shown(inputs[0])));
                }
                Ok(shape.clone())
            }
            Self::Slice { axis, start, step, length } => {
                exactly(1)?;
                let entries = fixed(inputs[0], *axis)?;
                if !inside(*start, *step, *length, entries) {
                    let expected = format!("{length} entries along axis {axis} from {start} on by {step}");
                    return Err(mismatch(expected, shown(inputs[0])));
                }
                Ok(with(inputs[0], *axis, *length))
            }
            Self::Embed { axis, start, step, length, .. } => {
                exactly(1)?;
                let entries = fixed(inputs[0], *axis)?;
                if !inside(*start, *step, entries, *length) {
                    let expected =
                        format!("what fits into {length} entries along axis {axis} from {start} on by {step}");
                    return Err(mismatch(expected, shown(inputs[0])));
                }
                Ok(with(inputs[0], *axis, *length))
            }
            Self::Concat { axis } => {
                count(inputs, 1..=1024)?;
                let mut total: Option<Dim> = None;
                for dims in inputs {
                    let Some(&length) = dims.get(*axis) else {
                        return Err(mismatch(format!("an axis {axis}"), shown(dims)));
                    };
                    let sum = match (total, length) {
                        (None, length) => Some(length),
                        (Some(Dim::Fixed(a)), Dim::Fixed(b)) => a.checked_add(b).map(Dim::Fixed),
                        (Some(Dim::Batch(a)), Dim::Batch(b)) => a.checked_add(b).map(Dim::Batch),
                        _ => None,
                    };
                    if dims.len() != inputs[0].len()
                        || sum.is_none()
                        || with(dims, *axis, 0) != with(inputs[0], *axis, 0)
                    {
                        return Err(mismatch(format!("{} but for axis {axis}", shown(inputs[0])), shown(dims)));
                    }
                    total = sum;
                }
                let mut dims = inputs[0].to_vec();
                dims[*axis] = total.unwrap_or(Dim::Fixed(0));
                Ok(dims)
            }
            Self::Gather { axis } => {
                exactly(2)?;
                fixed(inputs[0], *axis)?;
                Ok([&inputs[0][..*axis], inputs[1], &inputs[0][axis + 1..]].concat())
            }
            Self::GatherAdjoint { axis, length, rank } => {
                exactly(2)?;
                let end = axis.checked_add(*rank).filter(|&end| end <= inputs[0].len() && *rank == inputs[1].len());
                match end {
                    Some(end) if inputs[0][*axis..end] == *inputs[1] => {
                        Ok([&inputs[0][..*axis], &[*length], &inputs[0][end..]].concat())
                    }
                    _ => Err(mismatch(format!("axes {} from {axis} on", shown(inputs[1])), shown(inputs[0]))),
                }
            }
            Self::MatMul { transpose_a, transpose_b } => {
                exactly(2)?;
                let matrix = |dims: &[Dim], transpose: bool| match *dims {
                    [.., rows, columns] => Ok(if transpose { [columns, rows] } else { [rows, columns] }),
                    _ => Err(mismatch("a matrix [rows, columns]", shown(dims))),
                };
                let ([m, k], [l, n]) = (matrix(inputs[0], *transpose_a)?, matrix(inputs[1], *transpose_b)?);
                if k != l {
                    return Err(mismatch(format!("inner lengths that agree, {k}"), l.to_string()));
                }
                let before = |dims: &[Dim]| dims[..dims.len() - 2].to_vec();
                let mut dims = broadcast(&before(inputs[0]), &before(inputs[1]))?;
                dims.extend([m, n]);
                Ok(dims)
            }
            Self::Conv2d { conv } => {
                count(inputs, 2..=3)?;
                let (n, [c, h, w]) = maps(inputs[0])?;
                let [o, per_group, kh, kw] = weights(inputs[1])?;
                if per_group.checked_mul(conv.groups) != Some(c) || conv.groups == 0 || o % conv.groups != 0 {
                    let expected = format!("weights for {c} channels in {} groups", conv.groups);
                    return Err(mismatch(expected, shown(inputs[1])));
                }
                bias(inputs, o)?;
                match conv.output([h, w], [kh, kw]).filter(|_| steps(conv)) {
                    Some([oh, ow]) => Ok(vec![n, Dim::Fixed(o), Dim::Fixed(oh), Dim::Fixed(ow)]),
                    None => Err(mismatch(
                        format!("maps of at least {kh} x {kw} pixels with their padding, and steps above 0"),
                        format!("{} with {conv:?}", shown(inputs[0])),
                    )),
                }
            }
            Self::ConvTranspose2d { conv, size } => {
                count(inputs, 2..=3)?;
                let (n, [c, h, w]) = maps(inputs[0])?;
                let [wc, per_group, kh, kw] = weights(inputs[1])?;
                if wc != c || conv.groups == 0 || c % conv.groups != 0 {
                    return Err(mismatch(
                        format!("weights [{c}, .., kh, kw] (first the channels that come in)"),
                        shown(inputs[1]),
                    ));
                }
                let o = per_group.checked_mul(conv.groups);
                let o = o.ok_or_else(|| mismatch("channels that can be", shown(inputs[1])))?;
                bias(inputs, o)?;
                if !steps(conv) || conv.output(*size, [kh, kw]) != Some([h, w]) {
                    let expected = format!("maps that a convolution by {conv:?} makes of {size:?}");
                    return Err(mismatch(expected, shown(inputs[0])));
                }
                Ok(vec![n, Dim::Fixed(o), Dim::Fixed(size[0]), Dim::Fixed(size[1])])
            }
            Self::ConvWeight { conv, kernel } => {
                exactly(2)?;
                let ((n, [c, h, w]), (gn, [o, oh, ow])) = (maps(inputs[0])?, maps(inputs[1])?);
                let fits = steps(conv) && n == gn && conv.output([h, w], *kernel) == Some([oh, ow]);
                if !fits || conv.groups == 0 || c % conv.groups != 0 || o % conv.groups != 0 {
                    let expected = format!("the result of a convolution of {} by {conv:?}", shown(inputs[0]));
                    return Err(mismatch(expected, shown(inputs[1])));
                }
                Ok([o, c / conv.groups, kernel[0], kernel[1]].map(Dim::Fixed).to_vec())
            }
            Self::WindowMax { window } => {
                exactly(2)?;
                let (n, [c, h, w]) = maps(inputs[0])?;
                same(inputs[0], inputs[1])?;
                let [oh, ow] = windows(window, [h, w], inputs[0])?;
                Ok(vec![n, Dim::Fixed(c), Dim::Fixed(oh), Dim::Fixed(ow)])
            }
            Self::WindowMaxAdjoint { window } => {
                exactly(2)?;
                let (n, [c, h, w]) = maps(inputs[1])?;
                let [oh, ow] = windows(window, [h, w], inputs[1])?;
                same(&[n, Dim::Fixed(c), Dim::Fixed(oh), Dim::Fixed(ow)], inputs[0])?;
                Ok(inputs[1].to_vec())
            }
            Self::Along { axis, map } => {
                exactly(1)?;
                let entries = fixed(inputs[0], *axis)?;
                let length = map.output(entries);
                let length = length.ok_or_else(|| mismatch(format!("what {map:?} can read"), shown(inputs[0])))?;
                Ok(with(inputs[0], *axis, length))
            }
            Self::AlongAdjoint { axis, map, length } => {
                exactly(1)?;
                let entries = fixed(inputs[0], *axis)?;
                if map.output(*length) != Some(entries) {
                    return Err(mismatch(format!("what {map:?} makes of {length} entries"), shown(inputs[0])));
                }
                Ok(with(inputs[0], *axis, *length))
            }
        }
    }
}

fn same(a: &[Dim], b: &[Dim]) -> Result<(), Mismatch> {
    if a == b { Ok(()) } else { Err(mismatch(format!("inputs that fit, {}", shown(a)), shown(b))) }
}

/// Whether a kernel moves and its taps are apart.
fn steps(conv: &Conv) -> bool {
    conv.stride.iter().chain(&conv.dilation).all(|&step| step > 0)
}

fn weights(dims: &[Dim]) -> Result<[usize; 4], Mismatch> {
    match *dims {
        [Dim::Fixed(a), Dim::Fixed(b), Dim::Fixed(c), Dim::Fixed(d)] => Ok([a, b, c, d]),
        _ => Err(mismatch("weights of four axes", shown(dims))),
    }
}

fn bias(inputs: &[&[Dim]], channels: usize) -> Result<(), Mismatch> {
    match inputs.get(2) {
        Some(bias) if **bias != [Dim::Fixed(channels)] => {
            Err(mismatch(format!("[{channels}], one number for each channel"), shown(bias)))
        }
        _ => Ok(()),
    }
}

/// Height and width of the windows' result. Each window holds a place of the map.
fn windows(window: &Window, size: [usize; 2], dims: &[Dim]) -> Result<[usize; 2], Mismatch> {
    let holds = (0..2).all(|axis| {
        let span = window.size[axis].checked_sub(1).and_then(|n| n.checked_mul(window.dilation[axis]));
        let reaches = span.is_some_and(|span| window.padding[axis].iter().all(|&padding| padding <= span));
        // Windows that begin outside step over no map that is as long as their steps.
        let steps_in = window.padding[axis][0] == 0 || window.dilation[axis] <= size[axis];
        reaches && steps_in && size[axis] > 0
    });
    let output = window.output(size).filter(|_| holds && steps(&window.moving()));
    output.ok_or_else(|| mismatch(format!("maps that {window:?} can read"), shown(dims)))
}

#[cfg(test)]
mod tests;
