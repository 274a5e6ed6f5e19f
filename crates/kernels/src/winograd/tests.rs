use super::*;
use crate::conv::naive::{all_three, numbers};
use proptest::prelude::*;

prop_compose! {
    fn shapes()(
        n in 1usize..6, c in 12usize..40, o in 12usize..40, h in 1usize..13, w in 1usize..13, wide: bool, padding in 0usize..4,
    ) -> ConvShape {
        let (k, stride) = if wide { (4, 2) } else { (3, 1) };
        let out = |size: usize| (size + 2 * padding).checked_sub(k).map_or(0, |r| r / stride + 1);
        ConvShape { n, c, h, w, o, kernel: [k, k], stride, padding, dilation: 1, output: [out(h), out(w)] }
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
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn all_three_equal_the_definition_with_every_instruction_set(s in shapes()) {
        let Some(plan) = Plan::new(&s) else { return Ok(()) };
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let (b, a) = (numbers(s.o, 4), numbers(s.c, 5));
        let expected = all_three(&s, &x, &w, &dy, &b, &a);
        for level in Level::available() {
            let (mut y, mut dx, mut dw) = (vec![9.0; dy.len()], vec![9.0; x.len()], vec![9.0; w.len()]);
            forward(level, &plan, &s, &x, &w, Some(&b), &mut y);
            close(&y, &expected.0)?;
            input_gradient(level, &plan, &s, &dy, &w, Some(&a), &mut dx);
            close(&dx, &expected.1)?;
            weight_gradient(level, &plan, &s, &x, &dy, &mut dw);
            close(&dw, &expected.2)?;
        }
    }

    #[test]
    fn an_image_does_not_depend_on_its_batch_nor_on_the_threads(s in shapes(), copies in 1usize..30) {
        let s = ConvShape { n: s.n * copies, ..s };
        let Some(plan) = Plan::new(&s) else { return Ok(()) };
        let level = Level::best();
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let (mut y, mut dx, mut dw) = (vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
        forward(level, &plan, &s, &x, &w, None, &mut y);
        input_gradient(level, &plan, &s, &dy, &w, None, &mut dx);
        weight_gradient(level, &plan, &s, &x, &dy, &mut dw);
        let one = ConvShape { n: 1, ..s };
        let (mut y1, mut dx1) = (vec![0.0; s.y_len()], vec![0.0; s.x_len()]);
        for i in [0, s.n / 2, s.n - 1] {
            forward(level, &plan, &one, &x[i * s.x_len()..][..s.x_len()], &w, None, &mut y1);
            prop_assert_eq!(&y1[..], &y[i * s.y_len()..][..s.y_len()]);
            input_gradient(level, &plan, &one, &dy[i * s.y_len()..][..s.y_len()], &w, None, &mut dx1);
            prop_assert_eq!(&dx1[..], &dx[i * s.x_len()..][..s.x_len()]);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let (mut y3, mut dx3, mut dw3) = (vec![0.0; y.len()], vec![0.0; dx.len()], vec![0.0; dw.len()]);
        pool.install(|| {
            forward(level, &plan, &s, &x, &w, None, &mut y3);
            input_gradient(level, &plan, &s, &dy, &w, None, &mut dx3);
            weight_gradient(level, &plan, &s, &x, &dy, &mut dw3);
        });
        prop_assert_eq!((y3, dx3, dw3), (y, dx, dw));
    }
}

/// The layers of the papers' networks, where sums are long: rounding stays far below what training notices.
#[test]
fn deep_layers_stay_exact() {
    for (c, o, size, kernel, stride) in [(512, 64, 8, 4, 2), (256, 32, 8, 3, 1)] {
        let s = ConvShape {
            n: 2,
            c,
            h: size,
            w: size,
            o,
            kernel: [kernel; 2],
            stride,
            padding: 1,
            dilation: 1,
            output: [size / stride; 2],
        };
        let plan = Plan::new(&s).unwrap();
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let (y, dx, dw) = all_three(&s, &x, &w, &dy, &vec![0.0; o], &vec![0.0; c]);
        let (mut y1, mut dx1, mut dw1) = (vec![0.0; y.len()], vec![0.0; dx.len()], vec![0.0; dw.len()]);
        forward(Level::best(), &plan, &s, &x, &w, None, &mut y1);
        input_gradient(Level::best(), &plan, &s, &dy, &w, None, &mut dx1);
        weight_gradient(Level::best(), &plan, &s, &x, &dy, &mut dw1);
        for (got, expected) in [(&y1, &y), (&dx1, &dx), (&dw1, &dw)] {
            let error: f64 = got.iter().zip(expected).map(|(g, e)| (f64::from(*g) - e).powi(2)).sum();
            let size: f64 = expected.iter().map(|e| e * e).sum();
            assert!((error / size).sqrt() < 2e-5, "{s:?}: {}", (error / size).sqrt());
        }
    }
}
