use super::*;
use proptest::prelude::*;
use std::slice::from_ref;

fn features(values: &[f64], width: usize) -> Features<'_, f64> {
    Features::new("features", values, width).unwrap()
}

fn whole(x: &[f64], y: &[f64], width: usize, estimator: Estimator) -> f64 {
    let options = Options { estimator, subsets: Subsets::Whole, ..Options::default() };
    let found = kid(Generated(features(x, width)), Real(features(y, width)), options).unwrap();
    assert_eq!((found.deviation, found.width, found.generated), (0.0, width, x.len() / width));
    found.value
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs().max(1.0)
}

fn normals(n: usize, seed: u64) -> Vec<f64> {
    let mut draw = Stream::new(seed, "test", 0);
    (0..n).map(|_| draw.normal()).collect()
}

/// What is given and what must come out.
type Row<'a> = (&'a [f64], &'a [f64], usize, [f64; 3]);

/// The table of reference values.
#[test]
fn sets_of_the_table() {
    let three = [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 2.0, 0.0, 1.0];
    let others = [1.0, 1.0, 1.0, 0.0, 2.0, 0.0, 3.0, 1.0, 2.0];
    let table: [Row; 4] = [
        (&[0.0, 1.0], &[0.0, 1.0], 1, [0.0, -3.5, 0.0]),
        (&[0.0, 1.0], &[2.0, 3.0], 1, [409.0, 297.5, 316.0]),
        (&[1.0, 0.0, 0.0, 1.0], &[1.0, 1.0, -1.0, -1.0], 2, [2.6875, -2.5, -2.5]),
        (&three, &others, 3, [12.641_975_308_642_003, -25.954_732_510_288_046, -27.469_135_802_469_11]),
    ];
    for (x, y, width, expected) in table {
        let found = [Estimator::Biased, Estimator::Unbiased, Estimator::UStatistic].map(|e| whole(x, y, width, e));
        assert!(found.iter().zip(expected).all(|(&a, b)| near(a, b)), "{found:?} for {expected:?}");
    }
}

#[test]
fn other_kernels_by_hand() {
    let value = |kernel| {
        let options = Options { kernel, estimator: Estimator::Biased, subsets: Subsets::Whole };
        kid(Generated(features(&[0.0], 1)), Real(features(&[2.0], 1)), options).unwrap().value
    };
    assert!(near(value(Kernel::Gaussian { sigma: 2.0 }), 2.0 - 2.0 * (-0.5f64).exp()));
    assert!(near(value(Kernel::Polynomial { degree: 1, scale: None, offset: 0.0 }), 4.0));
    // (2 * 4)^2 = 64.
    assert!(near(value(Kernel::Polynomial { degree: 2, scale: Some(2.0), offset: 0.0 }), 64.0));
}

#[test]
fn what_cannot_be_used_is_said() {
    let (x, y) = ([0.0; 20], [1.0; 30]);
    let message = |options| {
        let error = kid(Generated(features(&x, 1)), Real(features(&y, 1)), options).unwrap_err();
        (error.to_string(), error.hint().unwrap_or_default())
    };
    let (said, hint) = message(Options::default());
    assert_eq!(said, "features: 20 images are too few: a subset takes at least 1000");
    assert!(hint.contains("`kid_size`"), "{hint}");
    let random = |subsets, size| Options { subsets: Subsets::Random { subsets, size, seed: 1 }, ..Options::default() };
    assert_eq!(message(random(0, 5)).0, "kid_subsets: is 0");
    assert_eq!(message(random(5, 1)).0, "kid_size: is 1; this estimator takes at least 2");
    let options = Options { estimator: Estimator::UStatistic, subsets: Subsets::Whole, ..Options::default() };
    assert_eq!(
        message(options).0,
        "features: are 20, and real ones 30: the U-statistic takes as many of one as of the other"
    );
    for kernel in [
        Kernel::Gaussian { sigma: 0.0 },
        Kernel::Polynomial { degree: 0, scale: None, offset: 1.0 },
        Kernel::Polynomial { degree: 3, scale: Some(f64::NAN), offset: 1.0 },
    ] {
        message(Options { kernel, subsets: Subsets::Whole, ..Options::default() });
    }
}

#[test]
fn subsets_are_drawn_without_an_image_twice_and_average_to_the_whole() {
    assert_eq!(draw(50, 50, &mut Stream::new(1, "test", 0)), (0..50).collect::<Vec<_>>());
    let drawn = draw(50, 20, &mut Stream::new(1, "test", 0));
    assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]) && drawn.len() == 20);
    assert_ne!(drawn, draw(50, 20, &mut Stream::new(1, "test", 1)));
    let (x, y) = (normals(600, 1), normals(600, 2).iter().map(|v| v + 0.5).collect::<Vec<_>>());
    let options = Options { subsets: Subsets::Random { subsets: 200, size: 60, seed: 3 }, ..Options::default() };
    let found = kid(Generated(features(&x, 2)), Real(features(&y, 2)), options).unwrap();
    let exact = whole(&x, &y, 2, Estimator::Unbiased);
    assert!((found.value - exact).abs() < 4.0 * found.deviation / 200f64.sqrt(), "{found:?} for {exact}");
    let more = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(more.install(|| kid(Generated(features(&x, 2)), Real(features(&y, 2)), options)).unwrap(), found);
    let other = Options { subsets: Subsets::Random { subsets: 200, size: 60, seed: 4 }, ..options };
    assert_ne!(kid(Generated(features(&x, 2)), Real(features(&y, 2)), other).unwrap().value, found.value);
    // In `f32`, as networks give them, it is nearly the same.
    let narrow: Vec<f32> = x.iter().map(|&v| v as f32).collect();
    let narrow =
        kid(Generated(Features::new("features", &narrow, 2).unwrap()), Real(features(&y, 2)), options).unwrap();
    assert!((narrow.value - found.value).abs() < 1e-6 * found.value);
}

/// Whether pairs are computed once for all subsets or anew for each is a matter of time alone.
#[test]
fn pairs_that_are_shared_give_the_bytes_of_subsets_alone() {
    let (x, y) = (normals(3 * 300, 1), normals(3 * 350, 2));
    let (x, y) = (features(&x, 3), features(&y, 3));
    for kernel in [Options::default().kernel, Kernel::Gaussian { sigma: 1.5 }] {
        let drawn = |n, set: u64| -> Vec<Vec<usize>> {
            (0..9).map(|i| draw(n, 200, &mut Stream::new(set, "test", i))).collect()
        };
        let (of_x, of_y) = (drawn(300, 1), drawn(350, 2));
        for half in [false, true] {
            let (b, of_b) = if half { (x, &of_x) } else { (y, &of_y) };
            let shared = over_pairs((x, &of_x), (b, of_b), kernel, half);
            for ((of_x, of_b), shared) in of_x.iter().zip(of_b).zip(shared) {
                assert_eq!(over_pairs((x, from_ref(of_x)), (b, from_ref(of_b)), kernel, half), [shared]);
            }
            // Few of many images hold fewer pairs than all of them: each subset alone.
            let few = [of_x[0][..20].to_vec(), of_x[1][..20].to_vec()];
            let found = over_pairs((x, &few), (x, &few), kernel, true);
            assert_eq!(found[1], over_pairs((x, &few[1..]), (x, &few[1..]), kernel, true)[0]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn laws(n in 2usize..300, d in 1usize..6, seed in 0u64..1000) {
        let (x, y) = (normals(n * d, seed), normals(n * d, seed + 5000));
        for estimator in [Estimator::Biased, Estimator::Unbiased, Estimator::UStatistic] {
            let there = whole(&x, &y, d, estimator);
            prop_assert!((there - whole(&y, &x, d, estimator)).abs() < 1e-10 * there.abs().max(1.0));
            let mut order: Vec<usize> = (0..n).collect();
            Stream::new(seed, "order", 0).shuffle(&mut order);
            let shuffled = |x: &[f64]| order.iter().flat_map(|&i| x[i * d..(i + 1) * d].to_vec()).collect::<Vec<_>>();
            prop_assert!((there - whole(&shuffled(&x), &shuffled(&y), d, estimator)).abs() < 1e-10 * there.abs().max(1.0));
        }
        prop_assert!(whole(&x, &y, d, Estimator::Biased) >= 0.0);
        prop_assert!(whole(&x, &x, d, Estimator::Biased) < 1e-9);
        prop_assert!(whole(&x, &x, d, Estimator::UStatistic).abs() < 1e-9);
    }
}
