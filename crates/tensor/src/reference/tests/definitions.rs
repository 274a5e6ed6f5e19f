//! Convolutions, windows and maps along an axis on another way: over a copy with its padding, and with whole matrices.

use crate::cases::{ConvCase, axis_maps, convolutions, count, numbers, plain, windows};
use crate::reference::Value;
use crate::{AxisMap, Primitive};
use proptest::prelude::*;

/// `[n, c, h, w]` inside of a border.
fn padded(x: &[f64], [n, c, h, w]: [usize; 4], padding: [[usize; 2]; 2], border: f64) -> (Vec<f64>, [usize; 2]) {
    let [[above, below], [left, right]] = padding;
    let (tall, wide) = (above + h + below, left + w + right);
    let mut result = vec![border; n * c * tall * wide];
    for map in 0..n * c {
        for row in 0..h {
            let to = (map * tall + above + row) * wide + left;
            result[to..to + w].copy_from_slice(&x[(map * h + row) * w..][..w]);
        }
    }
    (result, [tall, wide])
}

fn convolved(case: &ConvCase, x: &[f64], weights: &[f64]) -> Vec<f64> {
    let ([n, c, ..], [o, per_group, kh, kw], [_, _, oh, ow]) = (case.x, case.w, case.y());
    let (x, [tall, wide]) = padded(x, case.x, case.conv.padding, 0.0);
    let mut y = Vec::new();
    for image in 0..n {
        for group in 0..case.conv.groups {
            for to in group * o / case.conv.groups..(group + 1) * o / case.conv.groups {
                for cell in 0..oh * ow {
                    let (i, j) = (cell / ow, cell % ow);
                    let term = |tap: usize| {
                        let (from, a, b) = (tap / kw / kh, tap / kw % kh, tap % kw);
                        let row = i * case.conv.stride[0] + a * case.conv.dilation[0];
                        let column = j * case.conv.stride[1] + b * case.conv.dilation[1];
                        let channel = group * per_group + from;
                        weights[to * per_group * kh * kw + tap]
                            * x[((image * c + channel) * tall + row) * wide + column]
                    };
                    y.push((0..per_group * kh * kw).map(term).sum());
                }
            }
        }
    }
    y
}

proptest! {
    #[test]
    fn convolutions_over_a_padded_copy(case in convolutions()) {
        let (x, w) = (numbers(count(&case.x), 1), numbers(count(&case.w), 2));
        let found = plain(&Primitive::Conv2d { conv: case.conv }, &[Value::numbers(&x, &case.x), Value::numbers(&w, &case.w)]);
        for (a, b) in found.iter().zip(convolved(&case, &x, &w)) {
            prop_assert!((a - b).abs() < 1e-12);
        }
    }

    #[test]
    fn windows_over_a_padded_copy((window, maps) in windows()) {
        // Few different numbers: the same greatest often stands twice.
        let x: Vec<f64> = numbers(count(&maps), 1).iter().map(|x| (x * 3.0).round()).collect();
        let v = numbers(count(&maps), 2);
        let (wide_x, [tall, wide]) = padded(&x, maps, window.padding, f64::NEG_INFINITY);
        let (wide_v, _) = padded(&v, maps, window.padding, f64::NAN);
        let [oh, ow] = window.output([maps[2], maps[3]]).unwrap();
        let mut expected = Vec::new();
        for cell in 0..maps[0] * maps[1] * oh * ow {
            let (map, i, j) = (cell / ow / oh, cell / ow % oh, cell % ow);
            let places = (0..window.size[0] * window.size[1]).map(|tap| {
                let (a, b) = (tap / window.size[1], tap % window.size[1]);
                let row = i * window.stride[0] + a * window.dilation[0];
                (map * tall + row) * wide + j * window.stride[1] + b * window.dilation[1]
            });
            let places: Vec<usize> = places.collect();
            let greatest = places.iter().map(|&place| wide_x[place]).fold(f64::NEG_INFINITY, f64::max);
            expected.push(wide_v[*places.iter().find(|&&place| wide_x[place] == greatest).unwrap()]);
        }
        let found = plain(&Primitive::WindowMax { window }, &[Value::numbers(&v, &maps), Value::numbers(&x, &maps)]);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn maps_are_their_matrices((map, length) in axis_maps(), axis in 0usize..3, others in [0usize..4, 1usize..4]) {
        let mut shape = others.to_vec();
        shape.insert(axis, length);
        let x = numbers(count(&shape), 1);
        let found = plain(&Primitive::Along { axis, map: map.clone() }, &[Value::numbers(&x, &shape)]);
        let rows = map.rows(length);
        // The axis last, each line times the whole matrix.
        let mut order: Vec<usize> = (0..3).filter(|&other| other != axis).collect();
        order.push(axis);
        let lines = plain(&Primitive::Permute { axes: order.clone() }, &[Value::numbers(&x, &shape)]);
        let mut wide = shape.clone();
        wide[axis] = rows.rows.len();
        let results = plain(&Primitive::Permute { axes: order }, &[Value::numbers(&found, &wide)]);
        for (line, result) in lines.chunks(length).zip(results.chunks(rows.rows.len())) {
            let mut matrix = vec![0.0; length * result.len()];
            for (row, entries) in rows.rows.iter().enumerate() {
                entries.iter().for_each(|&(entry, weight)| matrix[row * length + entry] += weight);
            }
            for (row, result) in matrix.chunks(length).zip(result) {
                let sum: f64 = row.iter().zip(line).map(|(weight, x)| weight * x).sum();
                prop_assert!((sum - result).abs() < 1e-12, "{sum} {result}");
            }
        }
    }

    #[test]
    fn means_of_windows_are_those_of_a_padded_copy(
        size in 1usize..5, stride in 1usize..4, before in 0usize..4, after in 0usize..4, length in 1usize..9,
    ) {
        let map = AxisMap::Average { size, stride, padding: [before, after], count_padding: true };
        prop_assume!(map.output(length).is_some());
        let x = numbers(length, 1);
        let line: Vec<f64> = [vec![0.0; before], x.clone(), vec![0.0; after]].concat();
        let expected = line.windows(size).step_by(stride).map(|window| window.iter().sum::<f64>() / size as f64);
        let found = plain(&Primitive::Along { axis: 0, map }, &[Value::numbers(&x, &[length])]);
        for (a, b) in found.iter().zip(expected) {
            prop_assert!((a - b).abs() < 1e-12);
        }
    }
}
