//! Primitives and inputs that tests share: random ones that the shape rules let through.

use crate::reference::{Value, compute};
use crate::{AxisMap, Conv, Coordinates, Dim, Interpolation, PadMode, Primitive, Rounding, Window};
use proptest::prelude::*;

/// Numbers between -1 and 1 that `f32` holds without rounding.
pub(crate) fn numbers(count: usize, salt: usize) -> Vec<f64> {
    (0..count).map(|i| ((i * 7919 + salt * 104_729) % 2003) as f64 / 1024.0 - 0.96875).collect()
}

pub(crate) fn count(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// The shape of a result.
pub(crate) fn shape(primitive: &Primitive, inputs: &[&[usize]]) -> Vec<usize> {
    let dims: Vec<Vec<Dim>> =
        inputs.iter().map(|shape| shape.iter().map(|&length| Dim::Fixed(length)).collect()).collect();
    let dims: Vec<&[Dim]> = dims.iter().map(Vec::as_slice).collect();
    let result = primitive.shape(&dims).unwrap_or_else(|mismatch| panic!("{primitive:?}: {mismatch:?}"));
    result.iter().map(|dim| dim.fixed().unwrap()).collect()
}

/// The result of the reference.
pub(crate) fn plain(primitive: &Primitive, inputs: &[Value<f64>]) -> Vec<f64> {
    let shapes: Vec<&[usize]> = inputs.iter().map(Value::shape).collect();
    let shape = shape(primitive, &shapes);
    let result = compute(primitive, inputs, &shape).unwrap();
    assert_eq!(result.len(), count(&shape), "{primitive:?}");
    result
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A convolution, with the shapes of its input and weights.
#[derive(Clone, Debug)]
pub(crate) struct ConvCase {
    pub(crate) conv: Conv,
    pub(crate) x: [usize; 4],
    pub(crate) w: [usize; 4],
}

impl ConvCase {
    pub(crate) fn y(&self) -> [usize; 4] {
        let [_, _, kh, kw] = self.w;
        let [oh, ow] = self.conv.output([self.x[2], self.x[3]], [kh, kw]).unwrap();
        [self.x[0], self.w[0], oh, ow]
    }
}

fn two(range: std::ops::Range<usize>) -> impl Strategy<Value = [usize; 2]> {
    [range.clone(), range]
}

fn sides(range: std::ops::Range<usize>) -> impl Strategy<Value = [[usize; 2]; 2]> {
    [[range.clone(), range.clone()], [range.clone(), range]]
}

/// Convolutions of any kind, of small maps.
pub(crate) fn convolutions() -> impl Strategy<Value = ConvCase> {
    let moving = (two(1..4), sides(0..4), two(1..3), 1usize..4);
    let shapes = (0usize..4, 1usize..4, 1usize..4, two(1..9), two(1..5));
    (moving, shapes).prop_filter_map(
        "the kernel fits",
        |((stride, padding, dilation, groups), (n, c, o, size, kernel))| {
            let conv = Conv { stride, padding, dilation, groups };
            conv.output(size, kernel)?;
            let [kh, kw] = kernel;
            Some(ConvCase { conv, x: [n, c * groups, size[0], size[1]], w: [o * groups, c, kh, kw] })
        },
    )
}

/// Windows that move over maps of a shape.
pub(crate) fn windows() -> impl Strategy<Value = (Window, [usize; 4])> {
    let moving = (two(1..5), two(1..4), sides(0..4), two(1..3));
    (moving, 0usize..3, 1usize..4, two(1..9)).prop_filter_map(
        "the window fits",
        |((size, stride, padding, dilation), n, c, [h, w])| {
            let window = Window { size, stride, padding, dilation };
            let maps = [n, c, h, w].map(Dim::Fixed);
            Primitive::WindowMax { window }.shape(&[&maps, &maps]).ok()?;
            Some((window, [n, c, h, w]))
        },
    )
}

/// Maps along an axis of a length.
pub(crate) fn axis_maps() -> impl Strategy<Value = (AxisMap, usize)> {
    let rounding =
        prop_oneof![Just(Rounding::Floor), Just(Rounding::Ceil), Just(Rounding::HalfDown), Just(Rounding::HalfUp)];
    let interpolation = prop_oneof![
        rounding.prop_map(|rounding| Interpolation::Nearest { rounding }),
        any::<[bool; 2]>().prop_map(|[antialias, edge]| Interpolation::Linear { antialias, edge }),
        any::<[bool; 3]>().prop_map(|[antialias, exclude_outside, edge]| Interpolation::Cubic {
            a: -0.75,
            antialias,
            exclude_outside,
            edge
        }),
    ];
    let coordinates = prop_oneof![
        Just(Coordinates::HalfPixel { scale: None }),
        Just(Coordinates::PytorchHalfPixel { scale: Some(1.5) }),
        Just(Coordinates::HalfPixelSymmetric { scale: 0.75 }),
        Just(Coordinates::Asymmetric { scale: None }),
        Just(Coordinates::AlignCorners),
        Just(Coordinates::Crop { start: 0.25, end: 1.25 }),
    ];
    let mode = prop_oneof![Just(PadMode::Edge), Just(PadMode::Reflect), Just(PadMode::Wrap)];
    let taps = prop::collection::vec(-8i8..9, 1..6)
        .prop_map(|taps| taps.into_iter().map(|tap| f64::from(tap) / 8.0).collect());
    let map =
        prop_oneof![
            (1usize..4).prop_map(|factor| AxisMap::Repeat { factor }),
            (1usize..5, 1usize..5, two(0..4), any::<bool>()).prop_map(|(size, stride, padding, count_padding)| {
                AxisMap::Average { size, stride, padding, count_padding }
            }),
            (taps, 1usize..4, 1usize..4, [-2isize..4, -2isize..4])
                .prop_map(|(taps, up, down, padding)| AxisMap::Filter { taps, up, down, padding }),
            (1usize..12, coordinates, interpolation).prop_map(|(length, coordinates, interpolation)| AxisMap::Resize {
                length,
                coordinates,
                interpolation
            }),
            (two(0..5), mode).prop_map(|(padding, mode)| AxisMap::Pad { padding, mode }),
            prop::collection::vec(0usize..9, 1..9).prop_map(|entries| AxisMap::Take { entries }),
            any::<[bool; 2]>().prop_map(|[exclusive, reverse]| AxisMap::Cumulative { exclusive, reverse }),
        ];
    (map, 1usize..10).prop_filter("the map fits", |(map, length)| map.output(*length).is_some())
}

/// A slice `(start, step, length)` of so many entries.
pub(crate) fn slices() -> impl Strategy<Value = (usize, isize, usize, usize)> {
    (0usize..9, -3isize..4, 1usize..9, 1usize..9).prop_filter("the slice fits", |&(start, step, length, entries)| {
        Primitive::Slice { axis: 0, start, step, length }.shape(&[&[Dim::Fixed(entries)]]).is_ok()
    })
}
