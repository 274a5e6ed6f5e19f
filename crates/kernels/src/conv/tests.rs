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
    #![proptest_config(ProptestConfig::with_cases(crate::usual(400, 6)))]

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
#[cfg_attr(miri, ignore = "takes hours there")]
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

/// Shapes that go by tiles, and often have a single one.
fn wide_shapes() -> impl Strategy<Value = ConvShape> {
    let many = (1usize..9, 2usize..40, 2usize..30);
    let one = (1usize..2, 2usize..9, 2usize..9);
    let size = prop_oneof![many, one];
    (size, 12usize..70, 12usize..70, any::<bool>()).prop_map(|((n, h, w), c, o, halves)| {
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

/// Mostly what convolutions have, now and then what none has: nothing, or far more than there is memory.
fn any_length(usual: std::ops::Range<usize>) -> impl Strategy<Value = usize> {
    prop_oneof![
        30 => usual,
        1 => Just(0),
        1 => prop::sample::select(vec![1 << 20, 1 << 31, 1 << 61, 1 << 63, usize::MAX / 2, usize::MAX - 1]),
    ]
}

prop_compose! {
    /// Shapes whose numbers can be there, and whatever else they may say: outputs that no such convolution has, steps that wrap round.
    fn any_shapes()(
        n in 0usize..3, [c, o] in prop::array::uniform2(prop_oneof![0usize..6, 12usize..20]), groups in any_length(1..3),
        [h, w] in prop::array::uniform2(0usize..9), output in prop::array::uniform2(0usize..9),
        kernel in prop_oneof![prop::array::uniform2(0usize..5), Just([3; 2]), Just([4; 2])],
        stride in prop_oneof![prop::array::uniform2(any_length(1..3)), Just([1; 2]), Just([2; 2])],
        padding in prop_oneof![any_length(0..3).prop_map(|p| [[p; 2]; 2]), prop::array::uniform2(prop::array::uniform2(any_length(0..3)))],
        dilation in prop_oneof![prop::array::uniform2(any_length(1..3)), any_length(1..2).prop_map(|d| [d; 2])],
    ) -> ConvShape {
        ConvShape { n, c, h, w, o, kernel, stride, padding, dilation, groups, output }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::usual(1000, 20)))]

    /// A wrong shape may panic, which its caller must know; what it must not do is read or write elsewhere (a run under
    /// AddressSanitizer sees that) or give other numbers than the definition.
    #[test]
    fn any_shape_gives_what_the_definition_gives_or_panics(s in any_shapes(), half: bool) {
        let precision = if half { Precision::Bf16 } else { Precision::F32 };
        let in_groups = s.c / s.groups.max(1);
        let lengths = [s.n * s.c * s.h * s.w, s.o * in_groups * s.kernel[0] * s.kernel[1], s.n * s.o * s.output[0] * s.output[1]];
        let [x, w, dy] = [0, 1, 2].map(|i| numbers(lengths[i], i));
        let got = [
            std::panic::catch_unwind(|| conv2d(&s, &x, &w, None, precision)),
            std::panic::catch_unwind(|| conv2d_input_gradient(&s, &dy, &w, None, precision)),
            std::panic::catch_unwind(|| conv2d_weight_gradient(&s, &x, &dy, precision)),
        ];
        let far = s.stride.iter().chain(&s.dilation).chain(s.padding.as_flattened()).any(|&length| length > 1 << 30);
        if far || got.iter().all(Result::is_err) {
            return Ok(());
        }
        let (y, dx, dw) = all_three(&s, &x, &w, &dy, &vec![0.0; s.o], &vec![0.0; s.c]);
        for (name, got, expected) in got.iter().zip([("y", &y), ("dx", &dx), ("dw", &dw)]).filter_map(|(got, (name, expected))| Some((name, got.as_ref().ok()?, expected))) {
            prop_assert_eq!(got.len(), expected.len(), "{}", name);
            prop_assert!(half || got.iter().zip(expected).all(|(g, e)| (f64::from(*g) - e).abs() <= 1e-3 * (1.0 + e.abs())), "{}", name);
        }
    }
}

/// Padding as wide as taps are apart: the result is small, and so must be what is needed on the way to it.
#[test]
fn taps_far_apart_take_no_memory_between_them() {
    let (far, small) = (1 << 23, 3);
    let s = ConvShape {
        n: 1,
        c: 1,
        h: small,
        w: small,
        o: 1,
        kernel: [2; 2],
        stride: [1; 2],
        padding: [[far; 2]; 2],
        dilation: [2 * far; 2],
        groups: 1,
        output: [small; 2],
    };
    let (x, w) = ([1.0; 9], [1.0; 4]);
    assert_eq!(conv2d(&s, &x, &w, None, Precision::F32), [0.0; 9]);
    assert_eq!(conv2d_input_gradient(&s, &x, &w, None, Precision::F32), [0.0; 9]);
    assert_eq!(conv2d_weight_gradient(&s, &x, &x, Precision::F32), [0.0; 4]);
}

/// A tap that many cells away comes back to the first one, and does not.
#[test]
#[should_panic(expected = "reaches too far")]
fn a_shape_whose_steps_wrap_round_is_refused() {
    let (stride, padding, dilation) = ([1; 2], [[0; 2]; 2], [1 << 63; 2]);
    let s = ConvShape {
        n: 1,
        c: 1,
        h: 3,
        w: 3,
        o: 1,
        kernel: [3; 2],
        stride,
        padding,
        dilation,
        groups: 1,
        output: [3; 2],
    };
    conv2d(&s, &[1.0; 9], &[1.0; 9], None, Precision::F32);
}
