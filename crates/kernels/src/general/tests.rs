use super::*;
use crate::{Matrix, channel_sum, product};
use proptest::prelude::*;

fn numbers(seed: usize, len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 37 + seed * 11) % 101) as f32 - 50.0).collect()
}

/// The index along each axis of element `at`.
fn index(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&n| {
            let i = at % n;
            at /= n;
            i
        })
        .collect();
    index.reverse();
    index
}

fn at(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(shape).fold(0, |at, (i, n)| at * n + i)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

proptest! {
    #[test]
    fn axes_change_places(shape in prop::collection::vec(0usize..6, 4), axes in Just(vec![0usize, 1, 2, 3]).prop_shuffle()) {
        let x = numbers(1, shape.iter().product());
        let y = permute(&x, &shape, &axes);
        let to: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
        for (i, &value) in x.iter().enumerate() {
            let index = index(i, &shape);
            let moved: Vec<usize> = axes.iter().map(|&axis| index[axis]).collect();
            prop_assert_eq!(y[at(&moved, &to)], value);
        }
    }

    #[test]
    fn a_reduction_takes_each_number_once(shape in prop::collection::vec(1usize..6, 4), over in 0usize..16) {
        let x = numbers(2, shape.iter().product());
        let axes: Vec<usize> = (0..4).filter(|axis| over >> axis & 1 == 1).collect();
        let kept: Vec<usize> = (0..4).filter(|axis| !axes.contains(axis)).collect();
        let kept_shape: Vec<usize> = kept.iter().map(|&axis| shape[axis]).collect();
        let len = kept_shape.iter().product();
        let mut expected = [vec![0.0f32; len], vec![f32::NEG_INFINITY; len], vec![f32::INFINITY; len]];
        for (i, &value) in x.iter().enumerate() {
            let index = index(i, &shape);
            let to = at(&kept.iter().map(|&axis| index[axis]).collect::<Vec<_>>(), &kept_shape);
            expected[0][to] += value;
            expected[1][to] = expected[1][to].max(value);
            expected[2][to] = expected[2][to].min(value);
        }
        for (kind, expected) in [Reduce::Sum, Reduce::Max, Reduce::Min].into_iter().zip(expected) {
            prop_assert_eq!(reduce(kind, &x, &shape, &axes), expected, "{:?}", kind);
        }
    }

    #[test]
    fn a_slice_takes_what_it_says_and_its_adjoint_puts_it_back(
        rows in prop::collection::vec((1usize..7, 0usize..7, 1usize..4, 0usize..7, any::<bool>()), 1..4),
    ) {
        let shape: Vec<usize> = rows.iter().map(|row| row.0).collect();
        let slices: Vec<Slice> = rows.iter().map(|&(length, start, step, len, back)| {
            let start = start % length;
            let room = if back { start / step + 1 } else { (length - start).div_ceil(step) };
            Slice { start, step: if back { -(step as isize) } else { step as isize }, len: len.min(room) }
        }).collect();
        let lens: Vec<usize> = slices.iter().map(|slice| slice.len).collect();
        let (x, g) = (numbers(3, shape.iter().product()), numbers(4, lens.iter().product()));
        let y = slice(&x, &shape, &slices);
        prop_assert_eq!(y.len(), g.len());
        for (i, &value) in y.iter().enumerate() {
            let from: Vec<usize> = index(i, &lens).iter().zip(&slices).map(|(&i, s)| (s.start as isize + s.step * i as isize) as usize).collect();
            prop_assert_eq!(value, x[at(&from, &shape)]);
        }
        prop_assert_eq!(dot(&y, &g), dot(&x, &slice_adjoint(&g, &shape, &slices)));
    }

    #[test]
    fn what_is_gathered_scatters_back(
        shape in prop::collection::vec(1usize..6, 3), axis in 0usize..3, indices in prop::collection::vec(0usize..60, 0..9),
    ) {
        let indices: Vec<usize> = indices.into_iter().map(|index| index % shape[axis]).collect();
        let x = numbers(5, shape.iter().product());
        let mut to = shape.clone();
        to[axis] = indices.len();
        let y = gather(&x, &shape, axis, &indices);
        prop_assert_eq!(y.len(), to.iter().product::<usize>());
        for (i, &value) in y.iter().enumerate() {
            let mut from = index(i, &to);
            from[axis] = indices[from[axis]];
            prop_assert_eq!(value, x[at(&from, &shape)]);
        }
        let g = numbers(6, y.len());
        prop_assert_eq!(dot(&y, &g), dot(&x, &scatter_add(&g, &shape, axis, &indices)));
    }

    #[test]
    fn a_map_along_an_axis_is_a_matrix(
        shape in prop::collection::vec(1usize..6, 3), axis in 0usize..3,
        rows in prop::collection::vec(prop::collection::vec((0usize..60, -3i8..4), 0..4), 0..6),
    ) {
        let rows: Vec<Vec<(usize, f32)>> =
            rows.into_iter().map(|row| row.into_iter().map(|(i, w)| (i % shape[axis], f32::from(w))).collect()).collect();
        let along = Along::new(shape[axis], rows.clone());
        let x = numbers(7, shape.iter().product());
        let mut to = shape.clone();
        to[axis] = rows.len();
        let y = along.apply(&x, &shape, axis);
        prop_assert_eq!(y.len(), to.iter().product::<usize>());
        for (i, &value) in y.iter().enumerate() {
            let place = index(i, &to);
            let term = |&(input, weight): &(usize, f32)| { let mut from = place.clone(); from[axis] = input; weight * x[at(&from, &shape)] };
            prop_assert_eq!(value, rows[place[axis]].iter().map(term).sum::<f32>());
        }
        let g = numbers(8, y.len());
        prop_assert_eq!(dot(&y, &g), dot(&x, &along.transposed().apply(&g, &to, axis)));
    }

    #[test]
    fn batches_are_products_of_their_own(
        [p, q] in prop::array::uniform2(1usize..4), [m, k, n] in prop::array::uniform3(1usize..6),
        a_repeats in 0usize..4, b_repeats in 0usize..4, transpose: [bool; 2],
    ) {
        let outer = |bits: usize| [if bits & 1 == 1 { 1 } else { p }, if bits & 2 == 2 { 1 } else { q }];
        let (a_outer, b_outer) = (outer(a_repeats), outer(b_repeats));
        let last = |[r, c]: [usize; 2], turn: bool| if turn { [c, r] } else { [r, c] };
        let a_shape = [a_outer, last([m, k], transpose[0])].concat();
        let b_shape = [b_outer, last([k, n], transpose[1])].concat();
        let (a, b) = (numbers(9, a_shape.iter().product()), numbers(10, b_shape.iter().product()));
        let y = batched_product((&a, &a_shape), (&b, &b_shape), transpose);
        let full = broadcast_shape(&a_outer, &b_outer).unwrap();
        prop_assert_eq!(y.len(), full.iter().product::<usize>() * m * n);
        for (number, y) in y.chunks(m * n).enumerate() {
            let place = index(number, &full);
            let of = |own: [usize; 2]| (place[0] % own[0]) * own[1] + place[1] % own[1];
            let a = Matrix::new(&a[of(a_outer) * m * k..][..m * k], a_shape[2], a_shape[3]);
            let b = Matrix::new(&b[of(b_outer) * k * n..][..k * n], b_shape[2], b_shape[3]);
            let mut expected = vec![0.0; m * n];
            let (a, b) = (if transpose[0] { a.transposed() } else { a }, if transpose[1] { b.transposed() } else { b });
            product(a, b, &mut expected, false, false);
            prop_assert_eq!(y, &expected[..]);
        }
    }

    #[test]
    fn a_window_names_its_first_largest_number(
        [h, w] in prop::array::uniform2(1usize..8), kernel in prop::array::uniform2(1usize..4), stride in prop::array::uniform2(1usize..4),
        padding in prop::array::uniform2(prop::array::uniform2(0usize..3)), dilation in prop::array::uniform2(1usize..3), nan in 0usize..60,
    ) {
        let window = Window { kernel, stride, padding, dilation };
        let mut x: Vec<f32> = (0..2 * h * w).map(|i| (i * 7 % 5) as f32 - 9.0).collect();
        if let Some(x) = x.get_mut(nan) {
            *x = f32::NAN;
        }
        let [down, across] = window.output([h, w]);
        let got = window_max_index(&x, [2, h, w], &window);
        prop_assert_eq!(got.len(), 2 * down * across);
        for (number, got) in got.into_iter().enumerate() {
            let [map, i, j] = index(number, &[2, down, across])[..] else { unreachable!() };
            // All cells of the window in their order, as (is NaN, number), the first of the largest.
            let mut best: Option<(f32, u32)> = None;
            for (a, b) in (0..kernel[0]).flat_map(|a| (0..kernel[1]).map(move |b| (a, b))) {
                let y = (i * stride[0] + a * dilation[0]) as isize - padding[0][0] as isize;
                let z = (j * stride[1] + b * dilation[1]) as isize - padding[1][0] as isize;
                if (0..h as isize).contains(&y) && (0..w as isize).contains(&z) {
                    let cell = (y * w as isize + z) as usize;
                    let value = x[map * h * w + cell];
                    let value = if value.is_nan() { f32::INFINITY } else { value };
                    if best.is_none_or(|(most, _)| value > most) {
                        best = Some((value, cell as u32));
                    }
                }
            }
            prop_assert_eq!(got, best.map_or(u32::MAX, |(_, cell)| cell));
        }
    }
}

#[test]
fn sums_per_channel_have_the_order_of_batch_norm() {
    let x: Vec<f32> = numbers(11, 3 * 5 * 70).iter().map(|x| x / 7.0).collect();
    assert_eq!(reduce(Reduce::Sum, &x, &[3, 5, 7, 10], &[0, 2, 3]), channel_sum(&x, 5, 70));
}

#[test]
fn nan_wins() {
    for kind in [Reduce::Sum, Reduce::Max, Reduce::Min] {
        assert!(reduce(kind, &[1.0, f32::NAN, 2.0], &[3], &[0])[0].is_nan(), "{kind:?}");
    }
}
