use super::*;
use proptest::prelude::*;

fn numbers(seed: usize, len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 37 + seed * 11) % 101) as f32 / 50.0 - 1.0).collect()
}

/// Where the number of a result's element `at` stands in a leaf.
fn place(leaf: &[usize], shape: &[usize], mut at: usize) -> usize {
    let (mut offset, mut stride) = (0, 1);
    for (axis, &length) in shape.iter().enumerate().rev() {
        let index = at % length;
        at /= length;
        if let Some(&own) = (axis + leaf.len()).checked_sub(shape.len()).and_then(|axis| leaf.get(axis)) {
            offset += if own == 1 { 0 } else { index } * stride;
            stride *= own;
        }
    }
    offset
}

/// Each function alone, element by element.
fn one_by_one(steps: &[Step], leaves: &[Leaf], shape: &[usize]) -> Vec<f32> {
    let of = |at: usize| {
        let mut results: Vec<f32> = Vec::new();
        for step in steps {
            let [a, b, c] = step.inputs.map(|input| match input {
                Source::Leaf(leaf) => leaves[leaf].values[place(leaves[leaf].shape, shape, at)],
                Source::Step(step) => results[step],
            });
            results.push(match step.function {
                Function::Unary(function) => function.f32(a),
                Function::Binary(function) => function.f32(a, b),
                Function::Select => {
                    if a == 0.0 {
                        c
                    } else {
                        b
                    }
                }
            });
        }
        results.pop().unwrap()
    };
    (0..shape.iter().product()).map(of).collect()
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }).collect()
}

/// A function, and what it may read: numbers below 6 are leaves, others earlier steps.
fn step(number: usize, reads: [usize; 3], place: usize) -> Step {
    let inputs =
        reads.map(|read| if read < 6 || read - 6 >= place { Source::Leaf(read % 6) } else { Source::Step(read - 6) });
    let (unary, binary) = (Unary::EXAMPLES, Binary::EXAMPLES);
    let function = match number.checked_sub(unary.len()) {
        None => Function::Unary(unary[number]),
        Some(number) if number < binary.len() => Function::Binary(binary[number]),
        Some(_) => Function::Select,
    };
    Step { function, inputs }
}

/// A shape, and that of a leaf of it: bit `i` says whether axis `i` is repeated.
fn leaf_shape(shape: &[usize], repeated: usize, dropped: usize) -> Vec<usize> {
    let own: Vec<usize> = shape.iter().enumerate().map(|(i, &n)| if repeated >> i & 1 == 1 { 1 } else { n }).collect();
    let leading = own.iter().take_while(|&&n| n == 1).count();
    own[dropped.min(leading)..].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::usual(300, 8)))]

    #[test]
    fn a_tree_is_its_functions_one_by_one(
        shape in prop_oneof![
            prop::collection::vec(0usize..7, 0..5),
            (1usize..4, 1usize..6, 1usize..40, 1usize..40).prop_map(|(n, c, h, w)| vec![n, c, h, w]),
            (1usize..4, 1usize..40, 1usize..6).prop_map(|(n, c, k)| vec![n, c * k]),
            (1usize..4, 1usize..5, 4usize..5).prop_map(|(n, c, side)| vec![n, c, side, side]),
        ],
        leaves in prop::collection::vec((0usize..16, 0usize..5), 6),
        rows in prop::collection::vec((0usize..34, prop::array::uniform3(0usize..13)), 1..7),
    ) {
        let shapes: Vec<Vec<usize>> = leaves.iter().map(|&(repeated, dropped)| leaf_shape(&shape, repeated, dropped)).collect();
        let values: Vec<Vec<f32>> = shapes.iter().enumerate().map(|(i, s)| numbers(i, s.iter().product())).collect();
        let leaves: Vec<Leaf> = shapes.iter().zip(&values).map(|(shape, values)| Leaf { values, shape }).collect();
        let steps: Vec<Step> = rows.iter().enumerate().map(|(place, &(number, reads))| step(number, reads, place)).collect();
        prop_assert_eq!(bits(&fused(&steps, &leaves, &shape)), bits(&one_by_one(&steps, &leaves, &shape)));
    }

    #[test]
    fn the_fast_form_is_close_to_the_definition(a in -3.0f32..3.0, b in -3.0f32..3.0) {
        let close = |fast: f32, exact: f64| fast.is_nan() && exact.is_nan() || (f64::from(fast) - exact).abs() <= 1e-5 * exact.abs().max(0.1);
        for function in Unary::EXAMPLES {
            prop_assert!(close(function.f32(a), function.f64(f64::from(a))), "{} of {a}", function.name());
        }
        for function in Binary::EXAMPLES {
            prop_assert!(close(function.f32(a, b), function.f64(f64::from(a), f64::from(b))), "{} of {a}, {b}", function.name());
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes hours there")]
fn patterns_of_networks_are_their_functions_one_by_one() {
    for shape in [[3, 5, 4, 4], [2, 3, 20, 20], [3, 2, 40, 40], [2, 700, 1, 1], [40, 3, 1, 1]] {
        let [n, c, h, w] = shape;
        let shapes: [&[usize]; 8] =
            [&shape, &[], &[1, c, 1, 1], &[c, 1, 1], &[n, c, 1, 1], &[n, 1, h, w], &[1, c, h, w], &[n, 1, 1, 1]];
        let values: Vec<Vec<f32>> = shapes.iter().enumerate().map(|(i, s)| numbers(i, s.iter().product())).collect();
        let leaves: Vec<Leaf> = shapes.iter().zip(&values).map(|(shape, values)| Leaf { values, shape }).collect();
        for leaf in 1..8 {
            for &function in Binary::EXAMPLES {
                let (full, other) = (Source::Leaf(0), Source::Leaf(leaf));
                let steps = [Step::binary(function, other, full), Step::binary(function, Source::Step(0), other)];
                assert_eq!(bits(&fused(&steps, &leaves, &shape)), bits(&one_by_one(&steps, &leaves, &shape)), "{leaf}");
            }
            let steps = [Step::select(Source::Leaf(leaf), Source::Leaf(0), Source::Leaf(8 - leaf))];
            assert_eq!(bits(&fused(&steps, &leaves, &shape)), bits(&one_by_one(&steps, &leaves, &shape)), "{leaf}");
        }
    }
}

#[test]
fn the_gradient_of_batch_norm_is_its_functions_one_by_one() {
    use Source::{Leaf as L, Step as S};
    let steps = [
        Step::binary(Binary::Mul, L(0), L(1)),
        Step::binary(Binary::Sub, L(2), L(3)),
        Step::binary(Binary::Mul, S(1), L(4)),
        Step::binary(Binary::Add, S(0), S(2)),
        Step::binary(Binary::Add, S(3), L(5)),
    ];
    let numbers = |len: usize, seed: usize| {
        (0..len).map(|i| ((i * 37 + seed * 11) % 101) as f32 / 7.0 - 5.0).collect::<Vec<f32>>()
    };
    // Short runs, runs of no whole registers, and runs longer than a block.
    for [n, c, cells] in [[3, 5, 16], [2, 3, 21], [4, 70, 16], [2, 2, 1200], [1, 1, 40]] {
        let (dy, x) = (numbers(n * c * cells, 0), numbers(n * c * cells, 1));
        let of_channels: Vec<Vec<f32>> = (2..6).map(|seed| numbers(c, seed)).collect();
        let (whole, channels) = ([n, c, cells], [1, c, 1]);
        let leaf = |values, shape| Leaf { values, shape };
        let [a, m, k, p] = [0, 1, 2, 3].map(|i| &of_channels[i]);
        let leaves = [
            leaf(&dy, &whole),
            leaf(a, &channels),
            leaf(&x, &whole),
            leaf(m, &channels),
            leaf(k, &channels),
            leaf(p, &channels),
        ];
        let expected: Vec<f32> = (0..dy.len())
            .map(|i| {
                let channel = i / cells % c;
                dy[i] * a[channel] + (x[i] - m[channel]) * k[channel] + p[channel]
            })
            .collect();
        assert_eq!(fused(&steps, &leaves, &whole), expected, "{n} {c} {cells}");
    }
}

#[test]
fn batch_norm_with_its_activation_is_one_tree() {
    let leaves = [
        Leaf { values: &[1.0, -2.0, 3.0, -4.0], shape: &[1, 2, 2] },
        Leaf { values: &[2.0, 0.5], shape: &[2, 1] },
        Leaf { values: &[0.25, 1.0], shape: &[1, 2, 1] },
    ];
    let tree = [
        Step::binary(Binary::Mul, Source::Leaf(0), Source::Leaf(1)),
        Step::binary(Binary::Add, Source::Step(0), Source::Leaf(2)),
        Step::unary(Unary::LeakyRelu { slope: 0.0 }, Source::Step(1)),
    ];
    assert_eq!(fused(&tree, &leaves, &[1, 2, 2]), [2.25, 0.0, 2.5, 0.0]);
}

#[test]
fn a_number_that_is_none_stays_none() {
    // Of these a comparison or a step is the answer.
    let answers = ["equal", "less", "less_equal", "leaky_relu_gradient"];
    for function in Unary::EXAMPLES {
        assert!(function.f32(f32::NAN).is_nan() && function.f64(f64::NAN).is_nan(), "{}", function.name());
    }
    for function in Binary::EXAMPLES.iter().filter(|function| !answers.contains(&function.name())) {
        let (fast, plain) = (|a, b| function.f32(a, b).is_nan(), |a, b| function.f64(a, b).is_nan());
        assert!(fast(f32::NAN, 0.5) && fast(0.5, f32::NAN), "{}", function.name());
        assert!(plain(f64::NAN, 0.5) && plain(0.5, f64::NAN), "{}", function.name());
    }
}

#[test]
fn names_are_those_of_files() {
    let op = |value: serde_json::Value| value["op"].as_str().unwrap().to_owned();
    for &function in Unary::EXAMPLES {
        let value = serde_json::to_value(function).unwrap();
        assert_eq!(op(value.clone()), function.name());
        assert_eq!(serde_json::from_value::<Unary>(value).unwrap(), function);
    }
    for &function in Binary::EXAMPLES {
        let value = serde_json::to_value(function).unwrap();
        assert_eq!(op(value.clone()), function.name());
        assert_eq!(serde_json::from_value::<Binary>(value).unwrap(), function);
    }
    assert_eq!(
        serde_json::to_string(&Unary::Clamp { min: 0.0, max: 1.0 }).unwrap(),
        r#"{"op":"clamp","min":0.0,"max":1.0}"#
    );
}

#[test]
#[should_panic(expected = "a leaf of shape [3] for [2, 2]")]
fn a_leaf_that_does_not_fit_is_refused() {
    fused(&[Step::unary(Unary::Abs, Source::Leaf(0))], &[Leaf { values: &[0.0; 3], shape: &[3] }], &[2, 2]);
}
