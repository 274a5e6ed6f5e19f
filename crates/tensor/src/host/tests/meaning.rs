//! The fast ways mean what the reference means.

use crate::cases::{axis_maps, convolutions, count, numbers, plain, shape, slices, windows};
use crate::host::compute;
use crate::reference::{Value, compute as reference};
use crate::{AxisMap, Binary, Dim, Precision, Primitive, Reduction, Unary};
use proptest::prelude::*;

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
}

/// The result for inputs of some shapes is that of the reference within `bound`, a part of `1 + |result|`.
fn close(primitive: &Primitive, shapes: &[&[usize]], bound: f64) -> Result<(), TestCaseError> {
    let wide: Vec<Vec<f64>> = shapes.iter().enumerate().map(|(salt, shape)| numbers(count(shape), salt + 1)).collect();
    close_for(primitive, &wide, shapes, bound)
}

fn close_for(primitive: &Primitive, wide: &[Vec<f64>], shapes: &[&[usize]], bound: f64) -> Result<(), TestCaseError> {
    let short: Vec<Vec<f32>> = wide.iter().map(|x| narrow(x)).collect();
    let inputs: Vec<_> = wide.iter().zip(shapes).map(|(x, shape)| Value::numbers(x, shape)).collect();
    let expected = plain(primitive, &inputs);
    let inputs: Vec<_> = short.iter().zip(shapes).map(|(x, shape)| Value::numbers(x, shape)).collect();
    let found = compute(primitive, &inputs, &shape(primitive, shapes), Precision::F32).unwrap();
    prop_assert_eq!(found.len(), expected.len());
    for (place, (&a, &b)) in found.iter().zip(&expected).enumerate() {
        let near = (f64::from(a) - b).abs() <= bound * (1.0 + b.abs());
        prop_assert!(near || f64::from(a) == b || a.is_nan() && b.is_nan(), "{a} for {b} at {place} of {primitive:?}");
    }
    Ok(())
}

/// A shape of `rank` axes whose lengths are often 0 or 1.
fn lengths(rank: std::ops::Range<usize>) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1 => Just(0usize), 4 => Just(1usize), 12 => 2usize..7], rank)
}

fn insert(others: [usize; 2], axis: usize, length: usize) -> Vec<usize> {
    let mut shape = others.to_vec();
    shape.insert(axis, length);
    shape
}

/// The same bits: the fast form of a function is one, alone and over a block.
#[test]
fn every_function_of_the_tables() {
    let (x, shape) = (narrow(&numbers(1200, 1).iter().map(|x| x * 4.0).collect::<Vec<_>>()), [3usize, 4, 100]);
    let y = narrow(&numbers(4, 2));
    let (x, y) = (Value::numbers(&x, &shape), Value::numbers(&y, &[4, 1]));
    let functions = Unary::EXAMPLES.iter().map(|&function| (Primitive::from(function), vec![x]));
    for (primitive, inputs) in functions.chain(Binary::EXAMPLES.iter().map(|&function| (function.into(), vec![x, y]))) {
        let bits =
            |x: Vec<f32>| x.into_iter().map(|x| if x.is_nan() { f32::NAN } else { x }.to_bits()).collect::<Vec<_>>();
        let found = compute(&primitive, &inputs, &shape, Precision::F32).unwrap();
        assert_eq!(bits(found), bits(reference(&primitive, &inputs, &shape).unwrap()), "{primitive:?}");
    }
}

proptest! {
    #[test]
    fn functions_of_elements(x in lengths(0..5), thin in prop::collection::vec(any::<bool>(), 10), cut in 0usize..5) {
        let thinner = |from: usize| -> Vec<usize> {
            x.iter().enumerate().map(|(axis, &length)| if thin[from + axis] { 1 } else { length }).collect()
        };
        let (a, b) = (thinner(0), thinner(5));
        let b = &b[cut.min(b.len())..];
        close(&Unary::Tanh.into(), &[&x], 1e-6)?;
        close(&Unary::LeakyRelu { slope: 0.2 }.into(), &[&x], 1e-7)?;
        close(&Binary::Sub.into(), &[&a, b], 1e-7)?;
        let condition: Vec<f64> = numbers(count(&x), 1).iter().map(|x| f64::from(*x > 0.0)).collect();
        let values = [condition, numbers(count(&a), 2), numbers(count(b), 3)];
        close_for(&Primitive::Select, &values, &[&x, &a, b], 0.0)?;
    }

    #[test]
    fn reductions(x in lengths(1..6), thin in prop::collection::vec(any::<bool>(), 5)) {
        let axes: Vec<usize> = (0..x.len()).filter(|&axis| thin[axis]).collect();
        close(&Primitive::sum(axes.clone()), &[&x], 1e-5)?;
        for reduction in [Reduction::Max, Reduction::Min] {
            close(&Primitive::Reduce { reduction, axes: axes.clone() }, &[&x], 1e-7)?;
        }
        let centre = shape(&Primitive::sum(axes.clone()), &[&x]);
        close(&Primitive::CentredSquares { axes }, &[&x, &centre], 1e-5)?;
    }

    #[test]
    fn reductions_of_maps(n in 0usize..4, c in 1usize..6, h in 1usize..40, w in 1usize..40) {
        for axes in [vec![0, 2, 3], vec![1], vec![0], vec![1, 2, 3], vec![2, 3], vec![0, 1, 2, 3], vec![1, 3]] {
            close(&Primitive::sum(axes.clone()), &[&[n, c, h, w]], 1e-4)?;
            let centre = shape(&Primitive::sum(axes.clone()), &[&[n, c, h, w]]);
            close(&Primitive::CentredSquares { axes }, &[&[n, c, h, w], &centre], 1e-4)?;
        }
    }

    #[test]
    fn shapes(x in lengths(1..6), order in Just([0usize, 1, 2, 3, 4]).prop_shuffle(), front in lengths(0..2), thin in prop::collection::vec(any::<bool>(), 5)) {
        let axes: Vec<usize> = order.into_iter().filter(|&axis| axis < x.len()).collect();
        close(&Primitive::Permute { axes }, &[&x], 1e-7)?;
        let narrow: Vec<usize> = x.iter().zip(&thin).map(|(&length, &thin)| if thin { 1 } else { length }).collect();
        let wide = front.iter().chain(&x).map(|&length| Dim::Fixed(length)).collect();
        close(&Primitive::Broadcast { shape: wide }, &[&narrow], 1e-7)?;
        close(&Primitive::DivideByCount { count: Dim::Fixed(7), minus: 1 }, &[&x], 1e-6)?;
    }

    #[test]
    fn parts((start, step, length, entries) in slices(), axis in 0usize..3, others in [0usize..4, 1usize..4], more in 1usize..4) {
        close(&Primitive::Slice { axis, start, step, length }, &[&insert(others, axis, entries)], 1e-7)?;
        let embed = Primitive::Embed { axis, start, step, length: entries, value: 0.25 };
        close(&embed, &[&insert(others, axis, length)], 1e-7)?;
        let parts = [length, entries, more].map(|length| insert(others, axis, length));
        close(&Primitive::Concat { axis }, &parts.each_ref().map(Vec::as_slice), 1e-7)?;
    }

    #[test]
    fn entries(axis in 0usize..3, entries in 1usize..6, others in [0usize..4, 1usize..4], of in prop::collection::vec(0usize..4, 0..3)) {
        let x = insert(others, axis, entries);
        let indices: Vec<i64> = (0..count(&of)).map(|i| ((i * 7 + 3) % (2 * entries)) as i64 - entries as i64).collect();
        let values = narrow(&numbers(count(&x), 1));
        let inputs = [Value::numbers(&values, &x), Value::indices(&indices, &of)];
        let gather = Primitive::Gather { axis };
        let to = shape(&gather, &[&x, &of]);
        prop_assert_eq!(compute(&gather, &inputs, &to, Precision::F32), reference(&gather, &inputs, &to));
    }

    #[test]
    fn products(m in 1usize..9, k in 0usize..9, n in 1usize..9, turned: [bool; 2], front in lengths(0..4), thin in prop::collection::vec(any::<bool>(), 6)) {
        let side = |turned: bool, rows: usize, columns: usize, from: usize| -> Vec<usize> {
            let front = front.iter().enumerate().map(|(axis, &length)| if thin[from + axis] { 1 } else { length });
            front.chain(if turned { [columns, rows] } else { [rows, columns] }).collect()
        };
        let (a, b) = (side(turned[0], m, k, 0), side(turned[1], k, n, 3));
        close(&Primitive::mat_mul(turned[0], turned[1]), &[&a, &b], 1e-6)?;
        close(&Primitive::mat_mul(turned[0], turned[1]), &[&a, &b[front.len()..]], 1e-6)?;
    }

    #[test]
    fn convolutions_and_both_gradients(case in convolutions()) {
        let (x, w, y) = (&case.x, &case.w, &case.y());
        let forward = Primitive::Conv2d { conv: case.conv };
        close(&forward, &[x, w], 1e-5)?;
        close(&forward, &[x, w, &[w[0]]], 1e-5)?;
        let transpose = Primitive::ConvTranspose2d { conv: case.conv, size: [x[2], x[3]] };
        close(&transpose, &[y, w], 1e-5)?;
        close(&transpose, &[y, w, &[x[1]]], 1e-5)?;
        close(&Primitive::ConvWeight { conv: case.conv, kernel: [w[2], w[3]] }, &[x, y], 1e-5)?;
    }

    #[test]
    fn the_greatest_of_windows((window, maps) in windows(), nan: bool) {
        // Few different numbers: the same greatest often stands twice.
        let few = |x: f64| if nan && x > 0.9 { f64::NAN } else { (x * 3.0).round() };
        let x: Vec<f64> = numbers(count(&maps), 1).into_iter().map(few).collect();
        close_for(&Primitive::WindowMax { window }, &[numbers(count(&maps), 2), x.clone()], &[&maps, &maps], 0.0)?;
        let g = shape(&Primitive::WindowMax { window }, &[&maps, &maps]);
        close_for(&Primitive::WindowMaxAdjoint { window }, &[numbers(count(&g), 3), x], &[&g, &maps], 1e-6)?;
    }

    #[test]
    fn maps_along_an_axis((map, length) in axis_maps(), axis in 0usize..3, others in [0usize..4, 1usize..4]) {
        let there = Primitive::Along { axis, map: map.clone() };
        let x = insert(others, axis, length);
        close(&there, &[&x], 1e-5)?;
        let y = shape(&there, &[&x]);
        close(&Primitive::AlongAdjoint { axis, map, length }, &[&y], 1e-5)?;
    }

    #[test]
    fn means_of_windows_side_by_side(size in 1usize..5, count in 1usize..5, rest in 0usize..2, axis in 0usize..3, others in [0usize..4, 1usize..4]) {
        let length = count * size + rest.min(size - 1);
        let map = AxisMap::Average { size, stride: size, padding: [0; 2], count_padding: false };
        close(&Primitive::Along { axis, map: map.clone() }, &[&insert(others, axis, length)], 1e-6)?;
        close(&Primitive::AlongAdjoint { axis, map, length }, &[&insert(others, axis, count)], 1e-6)?;
    }
}

/// So large that threads share the work, and sums are cut.
#[test]
fn large_inputs() {
    let maps: &[usize] = &[3, 5, 70, 90];
    let repeat = |axis| Primitive::Along { axis, map: AxisMap::Repeat { factor: 2 } };
    let back = |axis| Primitive::AlongAdjoint { axis, map: AxisMap::Repeat { factor: 2 }, length: maps[axis] / 2 };
    let filter = AxisMap::Filter { taps: vec![0.25, 0.5, 0.25], up: 2, down: 1, padding: [1, 1] };
    let sums = AxisMap::Cumulative { exclusive: false, reverse: true };
    let slice = |axis, step| Primitive::Slice { axis, start: 1, step, length: maps[axis] / 2 - 1 };
    let embed = |axis| Primitive::Embed { axis, start: 3, step: 1, length: maps[axis] + 5, value: 0.0 };
    let window = crate::Window { size: [3, 3], stride: [2, 2], padding: [[1, 1], [1, 1]], dilation: [1, 1] };
    for primitive in [
        repeat(2),
        repeat(3),
        back(2),
        back(3),
        Primitive::Along { axis: 2, map: filter.clone() },
        Primitive::Along { axis: 3, map: filter },
        Primitive::Along { axis: 3, map: sums.clone() },
        Primitive::Along { axis: 0, map: sums },
        slice(1, 1),
        slice(2, 1),
        slice(3, 2),
        embed(0),
        embed(3),
        Primitive::Permute { axes: vec![0, 2, 3, 1] },
        Primitive::Permute { axes: vec![3, 2, 1, 0] },
        Primitive::Permute { axes: vec![1, 0, 2, 3] },
        Primitive::sum([0, 1, 2, 3]),
        Primitive::sum([1, 2, 3]),
        Primitive::sum([0]),
        Primitive::sum([1]),
        Primitive::sum([0, 2, 3]),
        Primitive::Reduce { reduction: Reduction::Max, axes: vec![0, 1] },
        Primitive::Reduce { reduction: Reduction::Min, axes: vec![3] },
    ] {
        close(&primitive, &[maps], 1e-4).unwrap_or_else(|error| panic!("{primitive:?}: {error}"));
    }
    close(&Primitive::Concat { axis: 1 }, &[maps, maps], 1e-7).unwrap();
    close(&Primitive::WindowMax { window }, &[maps, maps], 1e-7).unwrap();
    close(&Primitive::CentredSquares { axes: vec![0, 2, 3] }, &[maps, &[1, 5, 1, 1]], 1e-4).unwrap();
    close(&Primitive::CentredSquares { axes: vec![1, 2, 3] }, &[maps, &[3, 1, 1, 1]], 1e-4).unwrap();
    close(&Primitive::mat_mul(false, true), &[&[4, 3, 60, 50], &[3, 70, 50]], 1e-5).unwrap();
    close(&Primitive::mat_mul(false, false), &[&[300, 500], &[500, 1]], 1e-5).unwrap();
    close(
        &Primitive::Broadcast { shape: maps.iter().map(|&length| Dim::Fixed(length)).collect() },
        &[&[5, 1, 1]],
        1e-7,
    )
    .unwrap();
}
