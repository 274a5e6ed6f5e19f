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
        ConvShape { n, c, h, w, o, kernel: [kh, kw], stride: [stride; 2], padding: [[padding; 2]; 2], dilation: [dilation; 2], groups: 1, output: [out(h, kh), out(w, kw)] }
    }
}

prop_compose! {
    /// Each side and axis has its own, and channels come in groups.
    fn general_shapes()(
        n in 1usize..4, groups in 1usize..5, c in 1usize..4, o in 1usize..4, [h, w] in prop::array::uniform2(1usize..12),
        kernel in prop::array::uniform2(1usize..5), stride in prop::array::uniform2(1usize..4),
        padding in prop::array::uniform2(prop::array::uniform2(0usize..4)), dilation in prop::array::uniform2(1usize..3),
    ) -> ConvShape {
        let out = |axis: usize, size: usize| {
            let [before, after] = padding[axis];
            let span = dilation[axis] * (kernel[axis] - 1) + 1;
            (size + before + after).checked_sub(span).map_or(0, |r| r / stride[axis] + 1)
        };
        let output = [out(0, h), out(1, w)];
        ConvShape { n, c: c * groups, h, w, o: o * groups, kernel, stride, padding, dilation, groups, output }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn all_three_equal_the_definition(s in prop_oneof![shapes(), general_shapes()].prop_filter("no output", |s| s.output[0] * s.output[1] > 0)) {
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

/// A thread that waits for the product of one convolution may be given another convolution.
#[test]
fn convolutions_may_run_inside_of_each_other() {
    // Neither by tiles nor directly, and products so large that threads share them.
    let (stride, padding, dilation) = ([1; 2], [[2; 2]; 2], [1; 2]);
    let s = ConvShape {
        n: 1,
        c: 8,
        h: 32,
        w: 32,
        o: 8,
        kernel: [5; 2],
        stride,
        padding,
        dilation,
        groups: 1,
        output: [32; 2],
    };
    let (x, w, dy) = (numbers(s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.y_len(), 3));
    let all = || {
        let y = conv2d(&s, &x, &w, None, Precision::F32);
        let dx = conv2d_input_gradient(&s, &dy, &w, None, Precision::F32);
        (y, dx, conv2d_weight_gradient(&s, &x, &dy, Precision::F32))
    };
    let alone = all();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| pool.install(|| (0..40).into_par_iter().for_each(|_| assert!(all() == alone))));
        }
    });
}

#[test]
#[should_panic(expected = "length of x")]
fn a_shape_whose_lengths_wrap_round_is_refused() {
    let (stride, padding, dilation) = ([1; 2], [[1; 2]; 2], [1; 2]);
    let (h, w, output) = (1 << 32, 1 << 32, [1, 1]);
    let s = ConvShape { n: 1, c: 12, h, w, o: 12, kernel: [3; 2], stride, padding, dilation, groups: 1, output };
    conv2d(&s, &[], &[0.0; 12 * 12 * 9], None, Precision::F32);
}

/// What is done with a prepared result.
fn activations() -> impl Strategy<Value = Option<Unary>> {
    let some = [Unary::Relu, Unary::LeakyRelu { slope: 0.2 }, Unary::Tanh];
    prop_oneof![Just(None), prop::sample::select(some.to_vec()).prop_map(Some)]
}

/// Shapes that go by tiles.
fn wide_shapes() -> impl Strategy<Value = ConvShape> {
    (1usize..9, 12usize..70, 12usize..70, 2usize..40, 2usize..30, any::<bool>()).prop_map(|(n, c, o, h, w, halves)| {
        let (kernel, stride) = if halves { (4, 2) } else { (3, 1) };
        let output = [h, w].map(|side| (side + 2 - kernel) / stride + 1);
        let (kernel, stride, padding, dilation) = ([kernel; 2], [stride; 2], [[1; 2]; 2], [1; 2]);
        ConvShape { n, c, h, w, o, kernel, stride, padding, dilation, groups: 1, output }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn prepared_convolutions_have_the_bits_of_the_others_and_then_the_activation(
        s in prop_oneof![wide_shapes(), shapes(), general_shapes()].prop_filter("no output", |s| s.output[0] * s.output[1] > 0),
        activation in activations(), half: bool, biased: bool,
    ) {
        let precision = if half { Precision::Bf16 } else { Precision::F32 };
        let (x, w, dy) = (numbers(s.n * s.x_len(), 1), numbers(s.o * s.taps(), 2), numbers(s.n * s.y_len(), 3));
        let (b, a) = (biased.then(|| numbers(s.o, 4)), biased.then(|| numbers(s.c, 5)));
        let after = |y: Vec<f32>| -> Vec<f32> { y.into_iter().map(|y| activation.map_or(y, |f| f.f32(y))).collect() };
        let y = after(conv2d(&s, &x, &w, b.as_deref(), precision));
        let dx = after(conv2d_input_gradient(&s, &dy, &w, a.as_deref(), precision));
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let forward = PreparedConv::new(&s, false, w.clone(), b, activation, precision);
        prop_assert_eq!(bits(&forward.run(s.n, &x)), bits(&y));
        // One thread is content with fewer strips.
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        prop_assert_eq!(bits(&alone.install(|| forward.run(s.n, &x))), bits(&y));
        let back = PreparedConv::new(&s, true, w, a, activation, precision);
        prop_assert_eq!(bits(&back.run(s.n, &dy)), bits(&dx));
    }
}
