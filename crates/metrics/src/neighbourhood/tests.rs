use super::*;
use base::seed::Stream;
use proptest::prelude::*;

fn of(generated: &[f64], real: &[f64], width: usize, options: Options) -> Neighbourhoods {
    let [generated, real] = [generated, real].map(|values| Features::new("features", values, width).unwrap());
    neighbourhoods(Generated(generated), Real(real), options).unwrap()
}

fn normals(n: usize, sigma: f64, seed: u64) -> Vec<f64> {
    let mut draw = Stream::new(seed, "test", 0);
    (0..n).map(|_| sigma * draw.normal()).collect()
}

/// What is given and what must come out.
type Row<'a> = (&'a [f64], &'a [f64], Border, [f64; 4]);

/// The table of reference values.
#[test]
fn points_of_the_table() {
    let (in_it, out) = (Border::In, Border::Out);
    let table: [Row; 6] = [
        (&[0.0, 1.0, 2.0, 3.0], &[0.5, 10.0, 11.0, 12.0], in_it, [0.25, 1.0, 0.5, 0.5]),
        (&[0.0, 1.0, 2.0, 3.0], &[0.5, 10.0, 11.0, 12.0], out, [0.25, 1.0, 0.5, 0.5]),
        (&[0.0, 1.0], &[2.0, 3.0], in_it, [0.5; 4]),
        (&[0.0, 1.0], &[2.0, 3.0], out, [0.0; 4]),
        (&[0.0, 0.0, 0.0, 1.0], &[0.0, 1.0, 5.0, 6.0], in_it, [0.5, 1.0, 1.25, 1.0]),
        (&[0.0, 0.0, 0.0, 1.0], &[0.0, 1.0, 5.0, 6.0], out, [0.25, 1.0, 0.25, 0.25]),
    ];
    for (real, generated, border, expected) in table {
        let found = of(generated, real, 1, Options { k: 1, border });
        assert_eq!(
            [found.precision, found.recall, found.density, found.coverage],
            expected,
            "{real:?} {generated:?} {border:?}"
        );
    }
}

/// A narrow cluster among wide real images is precise and recalls little; the other way round the numbers change places.
#[test]
fn precision_is_of_generated_images_and_recall_of_real_ones() {
    let (narrow, wide) = (normals(200 * 16, 0.1, 1), normals(200 * 16, 3.0, 2));
    let found = of(&narrow, &wide, 16, Options::default());
    assert!(found.precision > 0.8 && found.recall < 0.3, "{found:?}");
    let turned = of(&wide, &narrow, 16, Options::default());
    assert_eq!((turned.precision, turned.recall), (found.recall, found.precision));
}

#[test]
fn presets_and_records() {
    assert_eq!(Options::prdc(), Options { k: 5, border: Border::Out });
    assert_eq!(serde_json::to_string(&Options::default()).unwrap(), r#"{"k":3,"border":"<="}"#);
    let found = of(&[0.0, 1.0, 5.0], &[0.0, 1.0], 1, Options { k: 1, border: Border::In });
    assert_eq!((found.generated, found.real, found.width, found.options.k), (3, 2, 1, 1));
}

#[test]
fn too_few_images_are_said() {
    let message = |options| {
        let [generated, real] =
            [&[0.0, 1.0, 2.0][..], &[0.0; 9]].map(|values| Features::new("generated features", values, 1).unwrap());
        neighbourhoods(Generated(generated), Real(real), options).unwrap_err().to_string()
    };
    let expected =
        "generated features: 3 images are too few: a ball that reaches to the neighbour of rank 3 takes at least 4";
    assert_eq!(message(Options::default()), expected);
    assert_eq!(message(Options { k: 0, border: Border::In }), "k: is 0");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn laws(n in 6usize..300, m in 6usize..300, d in 1usize..9, k in 1usize..6, out: bool, seed in 0u64..1000) {
        let options = Options { k, border: if out { Border::Out } else { Border::In } };
        let (x, y) = (normals(n * d, 1.0, seed), normals(m * d, 1.5, seed + 5000));
        let found = of(&x, &y, d, options);
        for share in [found.precision, found.recall, found.coverage] {
            prop_assert!((0.0..=1.0).contains(&share));
        }
        prop_assert!(found.density >= 0.0);
        let turned = of(&y, &x, d, options);
        prop_assert_eq!((turned.precision, turned.recall), (found.recall, found.precision));
        let reversed: Vec<f64> = x.chunks(d).rev().flatten().copied().collect();
        prop_assert_eq!(of(&reversed, &y, d, options), found);
        // Each image is in its own ball, and its double everywhere.
        let same = of(&x, &x, d, Options { k, border: Border::In });
        prop_assert_eq!([same.precision, same.recall, same.coverage], [1.0; 3]);
        // Against the definition, pair by pair.
        let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        let radius = |set: &[f64], i: usize| {
            let mut all: Vec<f64> = (0..set.len() / d).filter(|&j| j != i)
                .map(|j| distance(&set[i * d..(i + 1) * d], &set[j * d..(j + 1) * d])).collect();
            all.sort_by(f64::total_cmp);
            all[k - 1]
        };
        let radii: Vec<f64> = (0..m).map(|i| radius(&y, i)).collect();
        let inside = |j: usize, i: usize| distance(&x[j * d..(j + 1) * d], &y[i * d..(i + 1) * d]) < radii[i];
        let precision = (0..n).filter(|&j| (0..m).any(|i| inside(j, i))).count() as f64 / n as f64;
        let coverage = (0..m).filter(|&i| (0..n).any(|j| inside(j, i))).count() as f64 / m as f64;
        prop_assert_eq!((found.precision, found.coverage), (precision, coverage));
    }
}
