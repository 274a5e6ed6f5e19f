//! Results that can be written down.

use crate::cases::plain;
use crate::reference::{Value, compute};
use crate::{Binary, Conv, Dim, Primitive, Reduction, Unary, Window};

const NAN: f64 = f64::NAN;

fn one(primitive: &Primitive, values: &[f64], shape: &[usize]) -> Vec<f64> {
    plain(primitive, &[Value::numbers(values, shape)])
}

fn counted(count: usize) -> Vec<f64> {
    (1..=count).map(|i| i as f64).collect()
}

#[test]
fn elements_are_repeated_as_numpy_does_it() {
    let (rows, column) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [10.0, 20.0]);
    let (a, b) = (Value::numbers(&rows, &[2, 3]), Value::numbers(&column, &[2, 1]));
    assert_eq!(plain(&Binary::Add.into(), &[a, b]), [11.0, 12.0, 13.0, 24.0, 25.0, 26.0]);
    let row = Value::numbers(&rows[..3], &[3]);
    assert_eq!(plain(&Binary::Sub.into(), &[b, row]), [9.0, 8.0, 7.0, 19.0, 18.0, 17.0]);
    let condition = Value::numbers(&[0.0, 2.0, NAN], &[3]);
    assert_eq!(plain(&Primitive::Select, &[condition, a, b]), [10.0, 2.0, 3.0, 20.0, 5.0, 6.0]);
    let wide = Primitive::Broadcast { shape: [2, 2, 1].map(Dim::Fixed).to_vec() };
    assert_eq!(plain(&wide, &[b]), [10.0, 20.0, 10.0, 20.0]);
    assert_eq!(one(&Unary::Tanh.into(), &[0.5], &[1]), [0.5f64.tanh()]);
    let half = compute(&Unary::Tanh.into(), &[Value::numbers(&[0.5f32], &[])], &[]);
    assert_eq!(half, Ok(vec![Unary::Tanh.f32(0.5)]));
}

#[test]
fn axes_are_reduced() {
    let x = counted(12);
    assert_eq!(one(&Primitive::sum([1]), &x, &[2, 3, 2]), [9.0, 12.0, 27.0, 30.0]);
    assert_eq!(one(&Primitive::sum([0, 2]), &x, &[2, 3, 2]), [18.0, 26.0, 34.0]);
    assert_eq!(one(&Primitive::sum([]), &x, &[12]), x);
    let of = |reduction| Primitive::Reduce { reduction, axes: vec![1] };
    let y = [3.0, NAN, 1.0, -2.0, -5.0, -2.0];
    let found = one(&of(Reduction::Max), &y, &[2, 3]);
    assert!(found[0].is_nan() && found[1] == -2.0, "{found:?}");
    let found = one(&of(Reduction::Min), &y, &[2, 3]);
    assert!(found[0].is_nan() && found[1] == -5.0, "{found:?}");
    assert_eq!(one(&of(Reduction::Max), &[], &[2, 0]), [f64::NEG_INFINITY; 2]);
    assert_eq!(one(&of(Reduction::Sum), &[], &[2, 0]), [0.0; 2]);
    let squares = Primitive::CentredSquares { axes: vec![1] };
    let (x, mean) = (Value::numbers(&[1.0, 3.0, 4.0, 8.0], &[2, 2]), Value::numbers(&[2.0, 6.0], &[2, 1]));
    assert_eq!(plain(&squares, &[x, mean]), [2.0, 8.0]);
    let by = |count, minus| one(&Primitive::DivideByCount { count: Dim::Fixed(count), minus }, &[6.0], &[1]);
    assert_eq!([by(4, 1), by(3, 0), by(1, 1), by(0, 9)], [[2.0], [2.0], [6.0], [6.0]]);
}

#[test]
fn sums_of_single_precision_are_rounded_once() {
    let x = [1.0f32, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8];
    let sum = compute(&Primitive::sum([0]), &[Value::numbers(&x, &[7])], &[1]);
    assert_eq!(sum, Ok(vec![(1.0 + 6e-8) as f32]));
    assert_ne!(x.iter().sum::<f32>(), (1.0 + 6e-8) as f32);
}

#[test]
fn elements_move() {
    let x = counted(6);
    assert_eq!(one(&Primitive::Permute { axes: vec![1, 0] }, &x, &[2, 3]), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(one(&Primitive::Permute { axes: vec![2, 0, 1] }, &x, &[1, 2, 3]), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(one(&Primitive::Reshape { shape: vec![Dim::Fixed(6)] }, &x, &[2, 3]), x);
    assert_eq!(one(&Primitive::StopGradient, &x, &[2, 3]), x);
    let slice = |start, step, length| one(&Primitive::Slice { axis: 1, start, step, length }, &x, &[2, 3]);
    assert_eq!(slice(1, 1, 2), [2.0, 3.0, 5.0, 6.0]);
    assert_eq!(slice(2, -2, 2), [3.0, 1.0, 6.0, 4.0]);
    let embed = |start, step| Primitive::Embed { axis: 0, start, step, length: 4, value: 9.0 };
    assert_eq!(one(&embed(1, 1), &[1.0, 2.0], &[2]), [9.0, 1.0, 2.0, 9.0]);
    assert_eq!(one(&embed(3, -3), &[1.0, 2.0], &[2]), [2.0, 9.0, 9.0, 1.0]);
    let parts = [Value::numbers(&x[..2], &[2, 1]), Value::numbers(&x[2..], &[2, 2])];
    assert_eq!(plain(&Primitive::Concat { axis: 1 }, &parts), [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
    assert_eq!(plain(&Primitive::Fill { shape: vec![Dim::Fixed(2)], value: 0.5 }, &[]), [0.5, 0.5]);
}

#[test]
fn entries_are_gathered_and_added_back() {
    let x = counted(6);
    let indices = Value::indices(&[2, -3, 2, 0], &[2, 2]);
    let gather = |axis| plain(&Primitive::Gather { axis }, &[Value::numbers(&x, &[2, 3]), indices]);
    assert_eq!(gather(1), [3.0, 1.0, 3.0, 1.0, 6.0, 4.0, 6.0, 4.0]);
    let rows = plain(&Primitive::Gather { axis: 0 }, &[Value::numbers(&x, &[2, 3]), Value::indices(&[-1], &[])]);
    assert_eq!(rows, [4.0, 5.0, 6.0]);
    let back = Primitive::GatherAdjoint { axis: 0, length: Dim::Fixed(3), rank: 2 };
    assert_eq!(plain(&back, &[Value::numbers(&[1.0, 2.0, 4.0, 8.0], &[2, 2]), indices]), [10.0, 0.0, 5.0]);
}

#[test]
fn matrices_are_multiplied() {
    let (a, b) = (counted(6), [1.0, 0.0, 2.0, -1.0, 0.0, 1.0]);
    let product = |ta, tb, a_shape: &[usize], b_shape: &[usize]| {
        plain(&Primitive::mat_mul(ta, tb), &[Value::numbers(&a, a_shape), Value::numbers(&b, b_shape)])
    };
    assert_eq!(product(false, false, &[2, 3], &[3, 2]), [5.0, 1.0, 14.0, 1.0]);
    assert_eq!(product(false, true, &[2, 3], &[2, 3]), [7.0, 2.0, 16.0, 2.0]);
    assert_eq!(product(true, false, &[3, 2], &[3, 2]), [7.0, 2.0, 10.0, 2.0]);
    // Three rows for each of two matrices: one is repeated.
    assert_eq!(product(false, true, &[3, 1, 2], &[1, 3, 2]), [1.0, 0.0, 2.0, 3.0, 2.0, 4.0, 5.0, 4.0, 6.0]);
    let nothing =
        plain(&Primitive::mat_mul(false, false), &[Value::numbers(&[], &[2, 0]), Value::numbers(&[], &[0, 1])]);
    assert!(nothing.iter().all(|sum| sum.to_bits() == 0), "{nothing:?}");
}

#[test]
fn a_small_convolution() {
    let x = counted(9);
    let (maps, ones) = (Value::numbers(&x, &[1, 1, 3, 3]), Value::numbers(&[1.0, 1.0, 1.0, -1.0], &[1, 1, 2, 2]));
    let bias = Value::numbers(&[0.5], &[1]);
    let conv = Primitive::Conv2d { conv: Conv::new(1, 0) };
    assert_eq!(plain(&conv, &[maps, ones, bias]), [2.5, 4.5, 8.5, 10.5]);
    let up = Primitive::ConvTranspose2d { conv: Conv::new(2, 0), size: [2, 4] };
    let two = Value::numbers(&[1.0, 2.0], &[1, 1, 1, 2]);
    assert_eq!(plain(&up, &[two, ones, bias]), [1.5, 1.5, 2.5, 2.5, 1.5, -0.5, 2.5, -1.5]);
    let weight = Primitive::ConvWeight { conv: Conv::new(1, 0), kernel: [2, 2] };
    assert_eq!(plain(&weight, &[maps, Value::numbers(&[1.0, 0.0, 0.0, 2.0], &[1, 1, 2, 2])]), [11.0, 14.0, 20.0, 23.0]);
}

#[test]
fn windows_take_the_first_of_the_greatest() {
    let window = Window { size: [2, 2], stride: [1, 2], padding: [[0, 0], [1, 0]], dilation: [1, 1] };
    let x = [1.0, 5.0, 5.0, NAN, 5.0, 2.0];
    let (x, v) = (Value::numbers(&x, &[1, 1, 2, 3]), Value::numbers(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1, 1, 2, 3]));
    assert_eq!(plain(&Primitive::WindowMax { window }, &[v, x]), [4.0, 2.0]);
    let g = Value::numbers(&[10.0, 20.0], &[1, 1, 1, 2]);
    let back = Primitive::WindowMaxAdjoint { window };
    assert_eq!(plain(&back, &[g, x]), [0.0, 20.0, 0.0, 10.0, 0.0, 0.0]);
}
