//! What Burn computes is what the plain implementation computes. What should be computed there is not left to the processor.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use base::seed::Stream;
use proptest::prelude::*;
use std::sync::{Arc, OnceLock};
use tensor::reference::{self, Value};
use tensor::{
    AxisMap, Backend, Binary, Conv, Device, Dim, Handle, Operand, Precision, Primitive, Reduction, Tensor, Unary,
    Window,
};

fn backend() -> &'static Arc<dyn Backend> {
    static BACKEND: OnceLock<Arc<dyn Backend>> = OnceLock::new();
    BACKEND.get_or_init(ganatomy_gpu::reference)
}

/// Numbers around zero, with zeros among them, where rectifiers have their corner.
fn random(shape: &[usize], seed: u64) -> Vec<f32> {
    let mut stream = Stream::new(seed, "gpu", 0);
    let mut number = || if stream.uniform(0.0, 1.0) < 0.1 { 0.0 } else { stream.normal() as f32 };
    (0..shape.iter().product()).map(|_| number()).collect()
}

fn fixed(shape: &[usize]) -> Vec<Dim> {
    shape.iter().map(|&length| Dim::Fixed(length)).collect()
}

fn shape_of(primitive: &Primitive, shapes: &[&[usize]]) -> Option<Vec<usize>> {
    let dims: Vec<Vec<Dim>> = shapes.iter().map(|shape| fixed(shape)).collect();
    let result = primitive.shape(&dims.iter().map(Vec::as_slice).collect::<Vec<_>>()).ok()?;
    Some(result.iter().map(|dim| dim.fixed().unwrap()).collect())
}

/// What the backend makes of numbers, which may be nothing.
fn there(primitive: &Primitive, shapes: &[&[usize]], values: &[Vec<f32>], shape: &[usize]) -> Option<Vec<f32>> {
    let handles: Vec<Handle> =
        shapes.iter().zip(values).map(|(shape, values)| backend().upload(shape, values.clone())).collect();
    let operands: Vec<Operand<'_>> =
        handles.iter().zip(shapes).map(|(handle, shape)| Operand::Numbers { handle, shape }).collect();
    backend().compute(primitive, &operands, shape).map(|handle| backend().download(&handle))
}

fn here(primitive: &Primitive, shapes: &[&[usize]], values: &[Vec<f32>], shape: &[usize]) -> Vec<f32> {
    let values: Vec<Value<'_, f32>> =
        values.iter().zip(shapes).map(|(values, shape)| Value::numbers(values, shape)).collect();
    reference::compute(primitive, &values, shape).unwrap()
}

fn assert_near(primitive: &Primitive, shapes: &[&[usize]], here: &[f32], there: &[f32]) {
    assert_eq!(here.len(), there.len(), "{primitive:?} of {shapes:?}");
    for (a, b) in here.iter().zip(there) {
        let near = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-4 * (1.0 + a.abs());
        assert!(near, "{primitive:?} of {shapes:?}: {a} here, {b} there");
    }
}

fn agree_on(primitive: &Primitive, shapes: &[&[usize]], values: &[Vec<f32>]) {
    let shape = shape_of(primitive, shapes).unwrap_or_else(|| panic!("{primitive:?} of {shapes:?}"));
    let Some(there) = there(primitive, shapes, values, &shape) else {
        panic!("{primitive:?} is left to the processor")
    };
    assert_near(primitive, shapes, &here(primitive, shapes, values, &shape), &there);
}

/// The primitive of random numbers.
fn agree(primitive: impl Into<Primitive>, shapes: &[&[usize]], seed: u64) {
    let values: Vec<Vec<f32>> = shapes.iter().zip(seed..).map(|(shape, seed)| random(shape, seed)).collect();
    agree_on(&primitive.into(), shapes, &values);
}

/// Axes by the bits of a number.
fn some_axes(bits: usize, rank: usize) -> Vec<usize> {
    (0..rank).filter(|axis| bits >> axis & 1 == 1).collect()
}

/// The shape with length 1 on some axes.
fn thin(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().map(|(axis, &n)| if axes.contains(&axis) { 1 } else { n }).collect()
}

fn maps() -> impl Strategy<Value = [usize; 4]> {
    [1usize..5, 1usize..6, 1usize..6, 1usize..6]
}

const REDUCTIONS: [Reduction; 3] = [Reduction::Sum, Reduction::Max, Reduction::Min];

fn unary_functions() -> impl Iterator<Item = Unary> {
    Unary::EXAMPLES.iter().copied()
}

fn binary_functions() -> impl Iterator<Item = Binary> {
    Binary::EXAMPLES.iter().copied().filter(|function| *function != Binary::Pow)
}

#[test]
fn numbers_come_back_as_they_were() {
    for shape in [&[3, 5][..], &[15], &[], &[2, 0]] {
        let values = random(shape, 1);
        assert_eq!(backend().download(&backend().upload(shape, values.clone())), values);
    }
}

#[test]
fn tensors_of_the_device_stay_there() {
    let device = Device::foreign(backend().clone());
    let x = Tensor::new(&[2, 3], random(&[2, 3], 1), &device);
    assert!(x.slice().is_none() && !x.add(&x).device().is_cpu());
    assert_eq!(device.to_string(), "reference");
    // What the backend leaves to the processor comes back to it.
    let pow = Primitive::from(Binary::Pow);
    let squares = Tensor::compute(&pow, &[&x, &x.full_like(&[], 2.0)], &[2, 3], Precision::F32).unwrap();
    assert!(!squares.device().is_cpu());
    let nothing = Tensor::new(&[0, 3], Vec::new(), &device);
    assert!(nothing.add(&nothing).is_empty());
}

#[test]
fn numbers_without_axes_are_numbers() {
    agree(Unary::Exp, &[&[]], 1);
    agree(Binary::Add, &[&[], &[]], 2);
    agree(Binary::Mul, &[&[], &[2, 3]], 3);
    agree(Primitive::sum([]), &[&[]], 4);
    agree(Primitive::Permute { axes: Vec::new() }, &[&[]], 5);
    agree(Primitive::Reshape { shape: Vec::new() }, &[&[1, 1]], 6);
    agree(Primitive::Broadcast { shape: fixed(&[2, 2]) }, &[&[]], 7);
    agree(Primitive::Fill { shape: Vec::new(), value: 0.5 }, &[], 8);
}

/// NaN and infinities end a training; a device must not swallow them.
#[test]
fn what_is_not_finite_stays_so() {
    let odd = vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1.5, -2.5, 0.5];
    let shape: &[usize] = &[8];
    for function in unary_functions() {
        agree_on(&function.into(), &[shape], std::slice::from_ref(&odd));
    }
    for function in binary_functions() {
        agree_on(&function.into(), &[&[8, 1], shape], &[odd.clone(), odd.clone()]);
    }
    for reduction in REDUCTIONS {
        for &one in &odd {
            let values = vec![1.0, -2.0, 3.0, one];
            agree_on(&Primitive::Reduce { reduction, axes: vec![0, 1] }, &[&[2, 2]], &[values]);
        }
    }
    agree_on(&Primitive::Select, &[shape, &[1], &[]], &[odd, vec![1.0], vec![2.0]]);
}

#[test]
fn what_burn_does_not_say_as_we_do_is_left_to_the_processor() {
    let left = |primitive: Primitive, shapes: &[&[usize]]| {
        let shape = shape_of(&primitive, shapes).unwrap();
        let values: Vec<Vec<f32>> = shapes.iter().map(|shape| random(shape, 1)).collect();
        assert!(there(&primitive, shapes, &values, &shape).is_none(), "{primitive:?}");
    };
    let x: &[usize] = &[2, 3, 4, 4];
    left(Binary::Pow.into(), &[x, x]);
    left(Primitive::Slice { axis: 2, start: 3, step: -1, length: 4 }, &[x]);
    left(Primitive::Along { axis: 2, map: AxisMap::Cumulative { exclusive: false, reverse: false } }, &[x]);
    let window = Window { size: [2; 2], stride: [2; 2], padding: [[0; 2]; 2], dilation: [1; 2] };
    left(Primitive::WindowMax { window }, &[x, x]);
    let conv = Conv { padding: [[0, 1], [0, 1]], ..Conv::new(1, 0) };
    left(Primitive::Conv2d { conv }, &[x, &[2, 3, 2, 2]]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn element_by_element(seed: u64, shape in maps(), a in 0usize..16, b in 0usize..16, c in 0usize..16) {
        let seed = seed >> 1;
        let [a, b, c] = [a, b, c].map(|bits| thin(&shape, &some_axes(bits, 4)));
        for function in unary_functions() {
            agree(function, &[&shape], seed);
        }
        for function in binary_functions() {
            agree(function, &[&shape, &shape], seed);
            agree(function, &[&a, &b], seed);
            agree(function, &[&shape, &shape[2..]], seed);
        }
        agree(Primitive::Select, &[&a, &b, &c], seed);
        agree(Primitive::Fill { shape: fixed(&shape), value: 0.7 }, &[], seed);
    }

    #[test]
    fn sums_and_extremes(seed: u64, shape in maps(), bits in 0usize..16, minus in 0usize..2) {
        let seed = seed >> 1;
        let axes = some_axes(bits, 4);
        for reduction in REDUCTIONS {
            agree(Primitive::Reduce { reduction, axes: axes.clone() }, &[&shape], seed);
        }
        agree(Primitive::CentredSquares { axes: axes.clone() }, &[&shape, &thin(&shape, &axes)], seed);
        agree(Primitive::DivideByCount { count: Dim::Fixed(shape[0]), minus }, &[&shape], seed);
    }

    #[test]
    fn layouts(
        seed: u64, shape in maps(), bits in 0usize..16, axis in 0usize..4, factor in 1usize..4,
        axes in Just(vec![0usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let seed = seed >> 1;
        let [n, c, h, w] = shape;
        agree(Primitive::Broadcast { shape: fixed(&shape) }, &[&thin(&shape, &some_axes(bits, 4))], seed);
        agree(Primitive::Broadcast { shape: fixed(&shape) }, &[&shape[2..]], seed);
        agree(Primitive::Permute { axes }, &[&shape], seed);
        agree(Primitive::Reshape { shape: fixed(&[n * c, h * w]) }, &[&shape], seed);
        agree(Primitive::StopGradient, &[&shape], seed);
        let (start, mut wide) = (seed as usize % shape[axis], shape);
        agree(Primitive::Slice { axis, start, step: 1, length: shape[axis] - start }, &[&shape], seed);
        wide[axis] += start + 1;
        for value in [0.0, -0.5] {
            agree(Primitive::Embed { axis, start, step: 1, length: wide[axis], value }, &[&shape], seed);
        }
        agree(Primitive::Concat { axis }, &[&shape, &wide, &shape], seed);
        let map = AxisMap::Repeat { factor };
        agree(Primitive::Along { axis, map: map.clone() }, &[&shape], seed);
        let mut repeated = shape;
        repeated[axis] *= factor;
        agree(Primitive::AlongAdjoint { axis, map, length: shape[axis] }, &[&repeated], seed);
    }

    #[test]
    fn products(seed: u64, [a, b, c, stack] in [1usize..9, 1usize..9, 1usize..9, 1usize..4], bits in 0usize..4) {
        let seed = seed >> 1;
        for (transpose_a, transpose_b) in [(false, false), (true, false), (false, true), (true, true)] {
            let left = if transpose_a { [b, a] } else { [a, b] };
            let right = if transpose_b { [c, b] } else { [b, c] };
            let product = Primitive::mat_mul(transpose_a, transpose_b);
            agree(product.clone(), &[&left, &right], seed);
            agree(product.clone(), &[&[&[stack, 2][..], &left].concat(), &[&[stack, 2][..], &right].concat()], seed);
            let front = thin(&[stack, 2], &some_axes(bits, 2));
            agree(product.clone(), &[&[&front[..], &left].concat(), &[&[2][..], &right].concat()], seed);
            agree(product, &[&[&front[..], &left].concat(), &right], seed);
        }
    }

    #[test]
    fn convolutions(
        seed: u64, [n, c, o, groups] in [1usize..4, 1usize..4, 1usize..4, 1usize..4], size in [1usize..9, 1usize..9],
        [kh, kw] in [1usize..5, 1usize..5], stride in [1usize..4, 1usize..4], padding in [0usize..3, 0usize..3],
        dilation in [1usize..3, 1usize..3],
    ) {
        let seed = seed >> 1;
        let conv = Conv { stride, padding: padding.map(|p| [p; 2]), dilation, groups };
        let maps = [n, c * groups, size[0], size[1]];
        let Some([oh, ow]) = conv.output(size, [kh, kw]) else { return Ok(()) };
        let (weights, results) = ([o * groups, c, kh, kw], [n, o * groups, oh, ow]);
        agree(Primitive::Conv2d { conv }, &[&maps, &weights], seed);
        agree(Primitive::Conv2d { conv }, &[&maps, &weights, &[o * groups]], seed);
        agree(Primitive::ConvTranspose2d { conv, size }, &[&results, &weights], seed);
        agree(Primitive::ConvTranspose2d { conv, size }, &[&results, &weights, &[c * groups]], seed);
        agree(Primitive::ConvWeight { conv, kernel: [kh, kw] }, &[&maps, &results], seed);
    }
}
