//! Shape rules by hand, and with numbers that nobody means.

use super::*;
use crate::{AxisMap, Coordinates, Interpolation, PadMode, Reduction, Rounding};
use Dim::Fixed;
use proptest::prelude::*;
use proptest::sample::select;

#[test]
fn broadcasting_is_that_of_numpy() {
    let n = Dim::N;
    assert_eq!(broadcast(&[n, Fixed(3), Fixed(1)], &[Fixed(3), Fixed(5)]), Ok(vec![n, Fixed(3), Fixed(5)]));
    assert_eq!(broadcast(&[], &[n]), Ok(vec![n]));
    assert!(broadcast(&[n], &[Fixed(2)]).is_err());
    assert!(broadcast(&[Fixed(2)], &[Fixed(3)]).is_err());
}

#[test]
fn the_batch_stays_what_it_is() {
    let reshape = |shape: &[Dim], from: &[Dim]| Primitive::Reshape { shape: shape.to_vec() }.shape(&[from]);
    assert!(reshape(&[Dim::Batch(4), Fixed(3)], &[Dim::N, Fixed(12)]).is_ok());
    assert!(reshape(&[Fixed(4), Fixed(3)], &[Fixed(2), Fixed(6)]).is_ok());
    assert!(reshape(&[Fixed(4), Fixed(3)], &[Dim::N, Fixed(12)]).is_err());
    assert!(reshape(&[Dim::N, Dim::N], &[Dim::N, Dim::N]).is_ok());
}

#[test]
fn slices_reach_inside_both_ways() {
    let slice = |start, step, length| Primitive::Slice { axis: 0, start, step, length }.shape(&[&[Fixed(5)]]);
    assert_eq!(slice(4, -2, 3), Ok(vec![Fixed(3)]));
    assert_eq!(slice(0, 2, 3), Ok(vec![Fixed(3)]));
    for (start, step, length) in [(4, -2, 4), (0, 2, 4), (5, 1, 1), (0, 0, 2), (0, isize::MAX, 3), (0, 1, 0)] {
        assert!(slice(start, step, length).is_err(), "{start} {step} {length}");
    }
    let embed =
        |start, step, length| Primitive::Embed { axis: 0, start, step, length, value: 0.0 }.shape(&[&[Fixed(5)]]);
    assert!(embed(usize::MAX, 1, 9).is_err() && embed(4, 1, 8).is_err());
    assert_eq!(embed(4, 1, 9), Ok(vec![Fixed(9)]));
}

/// Lengths that descriptions have, and those that no machine has.
fn length() -> impl Strategy<Value = usize> {
    let usual = vec![0, 1, 2, 3, 4, 5, 8, 16, 100];
    let huge = vec![1 << 24, 1 << 31, 1 << 32, 1 << 61, 1 << 62, usize::MAX / 2, 1 << 63, usize::MAX - 1, usize::MAX];
    prop_oneof![2 => select(usual), 1 => select(huge)]
}

fn step() -> impl Strategy<Value = isize> {
    select(vec![0, 1, -1, 2, -3, 1 << 32, 1 << 61, isize::MAX, isize::MIN, isize::MIN + 1])
}

fn dim() -> impl Strategy<Value = Dim> {
    prop_oneof![3 => length().prop_map(Dim::Fixed), 1 => length().prop_map(Dim::Batch), 1 => Just(Dim::N)]
}

fn dims() -> impl Strategy<Value = Vec<Dim>> {
    let maps = [length(), length(), length()].prop_map(|[c, h, w]| vec![Dim::N, Fixed(c), Fixed(h), Fixed(w)]);
    let weights = [length(), length(), length(), length()].prop_map(|all| all.map(Fixed).to_vec());
    prop_oneof![2 => prop::collection::vec(dim(), 0..5), 2 => maps, 2 => weights]
}

fn two() -> impl Strategy<Value = [usize; 2]> {
    [length(), length()]
}

fn conv() -> impl Strategy<Value = Conv> {
    (two(), [two(), two()], two(), prop_oneof![Just(1), length()])
        .prop_map(|(stride, padding, dilation, groups)| Conv { stride, padding, dilation, groups })
}

fn axis_map() -> impl Strategy<Value = AxisMap> {
    let scale = || select(vec![None, Some(0.5), Some(0.0), Some(-1.0), Some(1e-300), Some(1e300), Some(f64::NAN)]);
    let coordinates = prop_oneof![
        scale().prop_map(|scale| Coordinates::HalfPixel { scale }),
        scale().prop_map(|scale| Coordinates::Asymmetric { scale }),
        Just(Coordinates::AlignCorners),
    ];
    let interpolation = select(vec![
        Interpolation::Nearest { rounding: Rounding::Floor },
        Interpolation::Linear { antialias: true, edge: false },
        Interpolation::Cubic { a: -0.75, antialias: true, exclude_outside: false, edge: false },
    ]);
    prop_oneof![
        length().prop_map(|factor| AxisMap::Repeat { factor }),
        (length(), length(), two(), any::<bool>()).prop_map(|(size, stride, padding, count_padding)| {
            AxisMap::Average { size, stride, padding, count_padding }
        }),
        (0usize..4, length(), length(), [step(), step()]).prop_map(|(taps, up, down, padding)| AxisMap::Filter {
            taps: vec![0.5; taps],
            up,
            down,
            padding
        }),
        (length(), coordinates, interpolation).prop_map(|(length, coordinates, interpolation)| AxisMap::Resize {
            length,
            coordinates,
            interpolation
        }),
        (two(), select(vec![PadMode::Edge, PadMode::Reflect, PadMode::Wrap]))
            .prop_map(|(padding, mode)| AxisMap::Pad { padding, mode }),
        any::<[bool; 2]>().prop_map(|[exclusive, reverse]| AxisMap::Cumulative { exclusive, reverse }),
    ]
}

fn primitive() -> impl Strategy<Value = Primitive> {
    let axes = || prop::collection::vec(length(), 0..4);
    let shape = || prop::collection::vec(dim(), 0..5);
    let window = || {
        (two(), two(), [two(), two()], two()).prop_map(|(size, stride, padding, dilation)| Window {
            size,
            stride,
            padding,
            dilation,
        })
    };
    prop_oneof![
        Just(Primitive::Select),
        shape().prop_map(|shape| Primitive::Fill { shape, value: 1.0 }),
        axes().prop_map(|axes| Primitive::Reduce { reduction: Reduction::Max, axes }),
        axes().prop_map(|axes| Primitive::CentredSquares { axes }),
        (dim(), length()).prop_map(|(count, minus)| Primitive::DivideByCount { count, minus }),
        shape().prop_map(|shape| Primitive::Broadcast { shape }),
        axes().prop_map(|axes| Primitive::Permute { axes }),
        shape().prop_map(|shape| Primitive::Reshape { shape }),
        (length(), length(), step(), length()).prop_map(|(axis, start, step, length)| Primitive::Slice {
            axis,
            start,
            step,
            length
        }),
        (length(), length(), step(), length()).prop_map(|(axis, start, step, length)| Primitive::Embed {
            axis,
            start,
            step,
            length,
            value: 0.0
        }),
        length().prop_map(|axis| Primitive::Concat { axis }),
        length().prop_map(|axis| Primitive::Gather { axis }),
        (length(), dim(), length()).prop_map(|(axis, length, rank)| Primitive::GatherAdjoint { axis, length, rank }),
        any::<[bool; 2]>().prop_map(|[a, b]| Primitive::mat_mul(a, b)),
        conv().prop_map(|conv| Primitive::Conv2d { conv }),
        (conv(), two()).prop_map(|(conv, size)| Primitive::ConvTranspose2d { conv, size }),
        (conv(), two()).prop_map(|(conv, kernel)| Primitive::ConvWeight { conv, kernel }),
        window().prop_map(|window| Primitive::WindowMax { window }),
        window().prop_map(|window| Primitive::WindowMaxAdjoint { window }),
        (length(), axis_map()).prop_map(|(axis, map)| Primitive::Along { axis, map }),
        (length(), axis_map(), length()).prop_map(|(axis, map, length)| Primitive::AlongAdjoint { axis, map, length }),
        Just(Primitive::StopGradient),
    ]
}

/// The length of a convolution's result by its definition, in numbers that are wide enough for anything: how often a kernel of `span`
/// places fits into a padded line.
fn by_definition(conv: &Conv, axis: usize, input: usize, kernel: usize) -> Option<u128> {
    let wide = |n: usize| n as u128;
    let span = wide(conv.dilation[axis]) * wide(kernel).checked_sub(1)? + 1;
    let padded = wide(input) + wide(conv.padding[axis][0]) + wide(conv.padding[axis][1]);
    Some(padded.checked_sub(span)?.checked_div(wide(conv.stride[axis]))? + 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// The arithmetic of tests panics where it wraps.
    #[test]
    fn rules_bear_any_number(primitive in primitive(), inputs in prop::collection::vec(dims(), 0..4)) {
        let inputs: Vec<&[Dim]> = inputs.iter().map(Vec::as_slice).collect();
        for some in 0..=inputs.len() {
            drop(primitive.shape(&inputs[..some]));
        }
    }

    #[test]
    fn kernels_give_the_size_of_their_definition_or_none(conv in conv(), input in two(), kernel in two()) {
        let right = [0, 1].map(|axis| by_definition(&conv, axis, input[axis], kernel[axis]));
        if let Some(found) = conv.output(input, kernel) {
            prop_assert_eq!(found.map(|n| Some(n as u128)), right);
        }
        // A transposed convolution gives what the convolution would take back to the input.
        if let Some(size) = conv.transposed_output(input, kernel, [0; 2]) {
            prop_assert!(size.iter().all(|&n| n > 0));
            let back = [0, 1].map(|axis| by_definition(&conv, axis, size[axis], kernel[axis]));
            prop_assert!(conv.stride.contains(&0) || input.contains(&0) || back == input.map(|n| Some(n as u128)));
        }
    }

    /// What is let through reaches inside: the entries of a slice by their definition.
    #[test]
    fn slices_reach_inside(start in length(), step in step(), length in length(), entries in length()) {
        let slice = Primitive::Slice { axis: 0, start, step, length }.shape(&[&[Fixed(entries)]]);
        let last = start as i128 + (length as i128 - 1) * step as i128;
        let right = step != 0 && length > 0 && start < entries && (0..entries as i128).contains(&last);
        prop_assert!(slice.is_err() || right);
        // What is longer than any memory may be refused.
        prop_assert!(slice.is_ok() || !right || entries > isize::MAX as usize);
    }
}
