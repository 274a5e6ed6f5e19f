use super::*;
use base::seed::Stream;
use proptest::prelude::*;

fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let mut draw = Stream::new(seed, "test", 0);
    (0..n).map(|_| draw.normal()).collect()
}

/// `columns` random directions of `n` numbers times their transpose: rank `columns`.
fn semi_definite(n: usize, columns: usize, seed: u64) -> Vec<f64> {
    let x = numbers(n * columns, seed);
    let mut out = vec![0.0; n * n];
    kernels::product(Matrix::new(&x, n, columns), Matrix::new(&x, n, columns).transposed(), &mut out, false, false);
    out
}

fn trace(a: &[f64], n: usize) -> f64 {
    (0..n).map(|i| a[i * n + i]).sum()
}

#[test]
fn eigenvalues_of_a_chain_are_those_of_the_formula() {
    // 2 on the diagonal, -1 beside it: 2 - 2 cos(pi k / (n + 1)). Reflected, so that the matrix is full.
    for n in [1usize, 2, 3, 31, 32, 33, 64, 65, 300, 521] {
        let (u, mut a) = (numbers(n, 3), vec![0.0; n * n]);
        let square = dot(&u, &u);
        let chain = |i: usize, j: usize| [2.0, -1.0, 0.0][i.abs_diff(j).min(2)];
        let along: Vec<f64> = (0..n).map(|i| (0..n).map(|j| chain(i, j) * u[j]).sum()).collect();
        let both = dot(&u, &along);
        for i in 0..n {
            for j in 0..=i {
                a[i * n + j] = chain(i, j) - 2.0 / square * (along[i] * u[j] + u[i] * along[j])
                    + 4.0 * both / (square * square) * u[i] * u[j];
            }
        }
        let mut found = eigenvalues(a, n).unwrap();
        found.sort_by(f64::total_cmp);
        for (k, value) in found.iter().enumerate() {
            let exact = 2.0 - 2.0 * (std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64).cos();
            assert!((value - exact).abs() < 1e-13, "{n}: {value} for {exact}");
        }
    }
}

#[test]
fn what_is_zero_or_huge_or_tiny_has_eigenvalues() {
    assert_eq!(eigenvalues(vec![], 0).unwrap(), [0.0; 0]);
    assert_eq!(eigenvalues(vec![0.0; 9], 3).unwrap(), [0.0; 3]);
    for scale in [1e-200, 1e200] {
        let mut found = eigenvalues([2.0, 0.0, 1.0, 2.0].map(|v| v * scale).to_vec(), 2).unwrap();
        found.sort_by(f64::total_cmp);
        assert!((found[0] / scale - 1.0).abs() < 1e-14 && (found[1] / scale - 3.0).abs() < 1e-14, "{found:?}");
    }
}

#[test]
fn what_has_a_negative_direction_has_no_factor() {
    assert!(factor(vec![1.0, 0.0, 0.0, -1.0], 2).is_none());
    assert!(factor(vec![1.0, 2.0, 2.0, 1.0], 2).is_none());
    assert_eq!(factor(vec![0.0; 4], 2).unwrap().rank, 0);
    // A rounding error of `f32` below 0 is none.
    assert_eq!(factor(vec![1.0, 0.0, 0.0, -1e-8], 2).unwrap().rank, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_factor_times_its_transpose_is_the_matrix(n in 1usize..150, part in 0.1f64..1.5, seed: u64) {
        let columns = (n as f64 * part).ceil() as usize;
        let a = semi_definite(n, columns, seed);
        let found = factor(a.clone(), n).unwrap();
        prop_assert_eq!(found.rank, columns.min(n));
        for i in 0..n {
            for j in 0..=i {
                let row = |i: usize| &found.values[i * found.rank..][..found.rank];
                prop_assert!((dot(row(i), row(j)) - a[i * n + j]).abs() < 1e-12 * trace(&a, n));
            }
        }
    }

    #[test]
    fn eigenvalues_keep_trace_and_sum_of_squares_and_see_the_rank(n in 1usize..150, part in 0.1f64..1.5, seed: u64) {
        let columns = (n as f64 * part).ceil() as usize;
        let a = semi_definite(n, columns, seed);
        let found = eigenvalues(a.clone(), n).unwrap();
        let (sum, squares) = (trace(&a, n), a.iter().map(|v| v * v).sum::<f64>());
        prop_assert!((found.iter().sum::<f64>() - sum).abs() < 1e-12 * sum);
        prop_assert!((found.iter().map(|v| v * v).sum::<f64>() - squares).abs() < 1e-12 * squares);
        prop_assert_eq!(found.iter().filter(|v| v.abs() < 1e-12 * sum).count(), n - columns.min(n));
        let more = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        prop_assert_eq!(more.install(|| eigenvalues(a.clone(), n)).unwrap(), found);
    }
}
