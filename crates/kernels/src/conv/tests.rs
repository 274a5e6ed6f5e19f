use super::naive::{all_three, numbers};
use super::*;
use proptest::prelude::*;

fn close(got: &[f32], expected: &[f64]) -> bool {
    got.len() == expected.len()
        && got.iter().zip(expected).all(|(g, e)| (f64::from(*g) - e).abs() <= 1e-4 * (1.0 + e.abs()))
}

prop_compose! {
    fn shapes()(
        n in 1usize..6, c in 1usize..5, o in 1usize..5, h in 1usize..12, w in 1usize..12,
        kh in 1usize..6, kw in 1usize..6, stride in 1usize..4, padding in 0usize..4, dilation in 1usize..3,
    ) -> ConvShape {
        let out = |size: usize, k: usize| (size + 2 * padding).checked_sub(dilation * (k - 1) + 1).map_or(0, |r| r / stride + 1);
        ConvShape { n, c, h, w, o, kernel: [kh, kw], stride, padding, dilation, output: [out(h, kh), out(w, kw)] }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn all_three_equal_the_definition(s in shapes().prop_filter("no output", |s| s.output[0] * s.output[1] > 0)) {
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let bias = numbers(s.o, 4);
        let (y, dx, dw) = all_three(&s, &x, &w, &dy, &bias, &vec![0.0; s.c]);
        prop_assert!(close(&conv2d(&s, &x, &w, Some(&bias), Precision::F32), &y), "forward");
        prop_assert!(close(&conv2d_input_gradient(&s, &dy, &w, None, Precision::F32), &dx), "input gradient");
        prop_assert!(close(&conv2d_weight_gradient(&s, &x, &dy, Precision::F32), &dw), "weight gradient");
    }

    #[test]
    fn an_image_does_not_depend_on_its_batch_nor_on_the_threads(
        s in shapes().prop_filter("no output", |s| s.output[0] * s.output[1] > 0), copies in 1usize..9,
    ) {
        let s = ConvShape { n: s.n * copies, ..s };
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let (y, dx) = (conv2d(&s, &x, &w, None, Precision::F32), conv2d_input_gradient(&s, &dy, &w, None, Precision::F32));
        let one = ConvShape { n: 1, ..s };
        for i in 0..s.n {
            prop_assert_eq!(&conv2d(&one, &x[i * s.x_len()..][..s.x_len()], &w, None, Precision::F32)[..], &y[i * s.y_len()..][..s.y_len()]);
            let alone = conv2d_input_gradient(&one, &dy[i * s.y_len()..][..s.y_len()], &w, None, Precision::F32);
            prop_assert_eq!(&alone[..], &dx[i * s.x_len()..][..s.x_len()]);
        }
        let dw = conv2d_weight_gradient(&s, &x, &dy, Precision::F32);
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        prop_assert_eq!(alone.install(|| conv2d_weight_gradient(&s, &x, &dy, Precision::F32)), dw);
    }
}
