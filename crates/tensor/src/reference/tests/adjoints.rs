//! `<A x, y> = <x, A^T y>`: each linear primitive and its adjoint.

use crate::cases::{axis_maps, convolutions, count, dot, numbers, plain, shape, slices, windows};
use crate::reference::Value;
use crate::{Dim, Primitive};
use proptest::prelude::*;

/// Whether `back` is the adjoint of `there` for x of a shape; each with what else it reads.
fn adjoint(there: &Primitive, back: &Primitive, x: &[usize], more: &[Value<f64>]) -> Result<(), TestCaseError> {
    let shapes: Vec<&[usize]> = std::iter::once(x).chain(more.iter().map(Value::shape)).collect();
    let y = shape(there, &shapes);
    let (x_values, y_values) = (numbers(count(x), 1), numbers(count(&y), 2));
    let with = |first| [&[first], more].concat();
    let there = plain(there, &with(Value::numbers(&x_values, x)));
    let back = plain(back, &with(Value::numbers(&y_values, &y)));
    let (left, right) = (dot(&there, &y_values), dot(&x_values, &back));
    prop_assert!((left - right).abs() < 1e-9, "{left} {right}");
    Ok(())
}

proptest! {
    #[test]
    fn slice_and_embed((start, step, length, entries) in slices(), axis in 0usize..3, others in [0usize..4, 1usize..4]) {
        let mut x = others.to_vec();
        x.insert(axis, entries);
        let embed = Primitive::Embed { axis, start, step, length: entries, value: 0.0 };
        adjoint(&Primitive::Slice { axis, start, step, length }, &embed, &x, &[])?;
    }

    #[test]
    fn gather(axis in 0usize..3, entries in 1usize..6, others in [0usize..4, 1usize..4], shape in prop::collection::vec(0usize..4, 0..3)) {
        let mut x = others.to_vec();
        x.insert(axis, entries);
        let indices: Vec<i64> = (0..count(&shape)).map(|i| ((i * 7 + 3) % (2 * entries)) as i64 - entries as i64).collect();
        let back = Primitive::GatherAdjoint { axis, length: Dim::Fixed(entries), rank: shape.len() };
        adjoint(&Primitive::Gather { axis }, &back, &x, &[Value::indices(&indices, &shape)])?;
    }

    #[test]
    fn maps_along_an_axis((map, length) in axis_maps(), axis in 0usize..3, others in [0usize..4, 1usize..4]) {
        let mut x = others.to_vec();
        x.insert(axis, length);
        let back = Primitive::AlongAdjoint { axis, map: map.clone(), length };
        adjoint(&Primitive::Along { axis, map }, &back, &x, &[])?;
    }

    #[test]
    fn convolution_by_its_input(case in convolutions()) {
        let w = numbers(count(&case.w), 3);
        let size = [case.x[2], case.x[3]];
        let back = Primitive::ConvTranspose2d { conv: case.conv, size };
        adjoint(&Primitive::Conv2d { conv: case.conv }, &back, &case.x, &[Value::numbers(&w, &case.w)])?;
    }

    #[test]
    fn convolution_by_its_weights(case in convolutions()) {
        let (x, w, g) = (numbers(count(&case.x), 1), numbers(count(&case.w), 2), numbers(count(&case.y()), 3));
        let y = plain(&Primitive::Conv2d { conv: case.conv }, &[Value::numbers(&x, &case.x), Value::numbers(&w, &case.w)]);
        let weight = Primitive::ConvWeight { conv: case.conv, kernel: [case.w[2], case.w[3]] };
        let dw = plain(&weight, &[Value::numbers(&x, &case.x), Value::numbers(&g, &case.y())]);
        prop_assert!((dot(&y, &g) - dot(&w, &dw)).abs() < 1e-9);
    }

    #[test]
    fn the_greatest_of_windows((window, maps) in windows()) {
        let x = numbers(count(&maps), 5);
        let there = Primitive::WindowMax { window };
        adjoint(&there, &Primitive::WindowMaxAdjoint { window }, &maps, &[Value::numbers(&x, &maps)])?;
    }

    #[test]
    fn broadcast_and_sum(wide in prop::collection::vec(0usize..5, 1..5), thin in prop::collection::vec(any::<bool>(), 5)) {
        let axes: Vec<usize> = (0..wide.len()).filter(|&axis| thin[axis]).collect();
        let x: Vec<usize> = (0..wide.len()).map(|axis| if thin[axis] { 1 } else { wide[axis] }).collect();
        let there = Primitive::Broadcast { shape: wide.iter().map(|&length| Dim::Fixed(length)).collect() };
        adjoint(&there, &Primitive::sum(axes), &x, &[])?;
    }

    #[test]
    fn permutations(x in prop::array::uniform3(0usize..5), axes in Just([0usize, 1, 2]).prop_shuffle()) {
        let back = [0, 1, 2].map(|axis| axes.iter().position(|&a| a == axis).unwrap()).to_vec();
        adjoint(&Primitive::Permute { axes: axes.to_vec() }, &Primitive::Permute { axes: back }, &x, &[])?;
    }
}
