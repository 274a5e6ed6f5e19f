use super::*;
use crate::conv::Precision;
use crate::conv::naive::{all_three, numbers};
use proptest::prelude::*;

const MOST_CHANNELS: usize = crate::usual(40, 18);
const LONGEST: usize = crate::usual(13, 6);

/// Weights that are transformed where they are used.
fn with<'a>(weights: &'a [f32], bias: Option<&'a Vec<f32>>) -> With<'a> {
    With { weights: Weights::Given(weights), bias: bias.map(Vec::as_slice), after: After::Nothing }
}

prop_compose! {
    fn shapes()(
        n in 1usize..6, c in 12..MOST_CHANNELS, o in 12..MOST_CHANNELS, h in 1..LONGEST, w in 1..LONGEST, wide: bool, padding in 0usize..4,
    ) -> ConvShape {
        let (k, stride) = if wide { (4, 2) } else { (3, 1) };
        let out = |size: usize| (size + 2 * padding).checked_sub(k).map_or(0, |r| r / stride + 1);
        ConvShape { n, c, h, w, o, kernel: [k, k], stride: [stride; 2], padding: [[padding; 2]; 2], dilation: [1; 2], groups: 1, output: [out(h), out(w)] }
    }
}

/// Within what a few hundred additions of numbers below 1 may lose by way of numbers of up to a hundred.
fn close(got: &[f32], expected: &[f64]) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), expected.len());
    for (i, (&g, e)) in got.iter().zip(expected).enumerate() {
        prop_assert!((f64::from(g) - e).abs() <= 2e-4 * (1.0 + e.abs()), "at {}: {} for {}", i, g, e);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::usual(60, 2)))]

    #[test]
    fn all_three_equal_the_definition_with_every_instruction_set(s in shapes()) {
        let Some(plan) = Plan::new(&s, Precision::F32) else { return Ok(()) };
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let (b, a) = (numbers(s.o, 4), numbers(s.c, 5));
        let expected = all_three(&s, &x, &w, &dy, &b, &a);
        for level in Level::available() {
            let y = forward(level, &plan, &s, &x, with(&w, Some(&b)));
            close(&y, &expected.0)?;
            let dx = input_gradient(level, &plan, &s, &dy, with(&w, Some(&a)));
            close(&dx, &expected.1)?;
            let dw = weight_gradient(level, &plan, &s, &x, &dy);
            close(&dw, &expected.2)?;
        }
    }

    #[test]
    fn an_image_does_not_depend_on_its_batch_nor_on_the_threads(s in shapes(), copies in 1..crate::usual(30usize, 3), half: bool) {
        let s = ConvShape { n: s.n * copies, ..s };
        let precision = if half { Precision::Bf16 } else { Precision::F32 };
        let Some(plan) = Plan::new(&s, precision) else { return Ok(()) };
        let level = Level::best();
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let y = forward(level, &plan, &s, &x, with(&w, None));
        let dx = input_gradient(level, &plan, &s, &dy, with(&w, None));
        let dw = weight_gradient(level, &plan, &s, &x, &dy);
        let one = ConvShape { n: 1, ..s };
        for i in [0, s.n / 2, s.n - 1] {
            let y1 = forward(level, &plan, &one, &x[i * s.x_len()..][..s.x_len()], with(&w, None));
            prop_assert_eq!(&y1[..], &y[i * s.y_len()..][..s.y_len()]);
            let dx1 = input_gradient(level, &plan, &one, &dy[i * s.y_len()..][..s.y_len()], with(&w, None));
            prop_assert_eq!(&dx1[..], &dx[i * s.x_len()..][..s.x_len()]);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let (y3, dx3, dw3) = pool.install(|| {
            let y3 = forward(level, &plan, &s, &x, with(&w, None));
            let dx3 = input_gradient(level, &plan, &s, &dy, with(&w, None));
            (y3, dx3, weight_gradient(level, &plan, &s, &x, &dy))
        });
        prop_assert_eq!((y3, dx3, dw3), (y, dx, dw));
    }
}

/// The length of `got - expected` over that of `expected`.
fn distance(got: &[f32], expected: &[f64]) -> f64 {
    let error: f64 = got.iter().zip(expected).map(|(g, e)| (f64::from(*g) - e).powi(2)).sum();
    let size: f64 = expected.iter().map(|e| e * e).sum();
    (error / size.max(1e-30)).sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::usual(60, 2)))]

    #[test]
    fn bf16_rounds_alike_with_every_instruction_set(s in shapes()) {
        let Some(plan) = Plan::new(&s, Precision::Bf16) else { return Ok(()) };
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let (b, a) = (vec![0.0; s.o], vec![0.0; s.c]);
        let exact = all_three(&s, &x, &w, &dy, &b, &a);
        let mut first: Option<[Vec<f64>; 3]> = None;
        for level in Level::available() {
            let y = forward(level, &plan, &s, &x, with(&w, Some(&b)));
            let dx = input_gradient(level, &plan, &s, &dy, with(&w, Some(&a)));
            let dw = weight_gradient(level, &plan, &s, &x, &dy);
            for (name, got, exact) in [("y", &y, &exact.0), ("dx", &dx, &exact.1), ("dw", &dw, &exact.2)] {
                prop_assert!(distance(got, exact) < BF16_ERROR, "{} {:?}: {}", name, level, distance(got, exact));
            }
            let got = [y, dx, dw].map(|v| v.into_iter().map(f64::from).collect::<Vec<_>>());
            for (i, expected) in first.iter().flatten().enumerate() {
                let got: Vec<f32> = got[i].iter().map(|&v| v as f32).collect();
                // Transforms differ in their last digit, and where that decides a rounding, in a number of eight digits.
                prop_assert!(distance(&got, expected) < 5e-3, "{} {:?}: {}", i, level, distance(&got, expected));
            }
            first.get_or_insert(got);
        }
    }
}

/// What rounding both factors to eight binary digits may lose on a few numbers, after transforms that take differences.
const BF16_ERROR: f64 = 0.04;

#[test]
fn a_number_that_is_none_is_not_rounded_away() {
    let s = ConvShape {
        n: 1,
        c: 16,
        h: 8,
        w: 8,
        o: 16,
        kernel: [3, 3],
        stride: [1; 2],
        padding: [[1; 2]; 2],
        dilation: [1; 2],
        groups: 1,
        output: [8, 8],
    };
    let plan = Plan::new(&s, Precision::Bf16).unwrap();
    let (mut x, w) = (numbers(s.x_len(), 1), numbers(s.o * s.taps(), 2));
    x[9] = f32::from_bits(0x7fff_ffff);
    for level in Level::available() {
        let y = forward(level, &plan, &s, &x, with(&w, None));
        assert!(y[9].is_nan(), "{level:?}");
        assert!(y[8 * 7 + 7].is_finite(), "{level:?}: another tile");
    }
}

/// The layers of the papers' networks, where sums are long: rounding stays far below what training notices.
#[test]
#[cfg_attr(miri, ignore = "takes hours there")]
fn deep_layers_stay_exact() {
    for (c, o, size, kernel, stride) in [(512, 64, 8, 4, 2), (256, 32, 8, 3, 1)] {
        let s = ConvShape {
            n: 2,
            c,
            h: size,
            w: size,
            o,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [[1; 2]; 2],
            dilation: [1; 2],
            groups: 1,
            output: [size / stride; 2],
        };
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let (y, dx, dw) = all_three(&s, &x, &w, &dy, &vec![0.0; o], &vec![0.0; c]);
        for (precision, bound) in [(Precision::F32, 5e-6), (Precision::Bf16, 0.015)] {
            let plan = Plan::new(&s, precision).unwrap();
            let y1 = forward(Level::best(), &plan, &s, &x, with(&w, None));
            let dx1 = input_gradient(Level::best(), &plan, &s, &dy, with(&w, None));
            let dw1 = weight_gradient(Level::best(), &plan, &s, &x, &dy);
            for (got, expected) in [(&y1, &y), (&dx1, &dx), (&dw1, &dw)] {
                let found = distance(got, expected);
                assert!(found < bound, "{precision:?} {s:?}: {found}");
            }
        }
    }
}
