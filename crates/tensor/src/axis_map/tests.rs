use super::*;

fn applied(map: &AxisMap, x: &[f64]) -> Vec<f64> {
    map.rows(x.len()).rows.iter().map(|row| row.iter().map(|&(i, w)| w * x[i]).sum()).collect()
}

#[test]
fn maps_by_hand() {
    let x = [1.0, 2.0, 4.0];
    assert_eq!(applied(&AxisMap::Repeat { factor: 2 }, &x), [1.0, 1.0, 2.0, 2.0, 4.0, 4.0]);
    let mean = |count_padding| AxisMap::Average { size: 2, stride: 1, padding: [1, 0], count_padding };
    assert_eq!(applied(&mean(false), &x), [1.0, 1.5, 3.0]);
    assert_eq!(applied(&mean(true), &x), [0.5, 1.5, 3.0]);
    let filter = AxisMap::Filter { taps: vec![1.0, 3.0], up: 2, down: 1, padding: [1, -1] };
    assert_eq!(applied(&filter, &x), [3.0, 1.0, 6.0, 2.0, 12.0]);
    let pad = |mode| AxisMap::Pad { padding: [2, 1], mode };
    assert_eq!(applied(&pad(PadMode::Edge), &x), [1.0, 1.0, 1.0, 2.0, 4.0, 4.0]);
    assert_eq!(applied(&pad(PadMode::Reflect), &x), [4.0, 2.0, 1.0, 2.0, 4.0, 2.0]);
    assert_eq!(applied(&pad(PadMode::Wrap), &x), [2.0, 4.0, 1.0, 2.0, 4.0, 1.0]);
    assert_eq!(applied(&AxisMap::Take { entries: vec![2, 0, 2] }, &x), [4.0, 1.0, 4.0]);
    let part = |length, [start, end]: [f64; 2]| {
        let coordinates = Coordinates::Crop { start, end };
        applied(
            &AxisMap::Resize {
                length,
                coordinates,
                interpolation: Interpolation::Linear { antialias: false, edge: false },
            },
            &x,
        )
    };
    assert_eq!(part(3, [0.25, 0.75]), [1.5, 2.0, 3.0]);
    assert_eq!(part(1, [0.0, 1.0]), [2.0]);
    let sums = |exclusive, reverse| AxisMap::Cumulative { exclusive, reverse };
    assert_eq!(applied(&sums(false, false), &x), [1.0, 3.0, 7.0]);
    assert_eq!(applied(&sums(true, false), &x), [0.0, 1.0, 3.0]);
    assert_eq!(applied(&sums(true, true), &x), [6.0, 4.0, 0.0]);
}

/// Values of `torch.nn.functional.interpolate(torch.tensor([[[1., 2., 4., 8.]]]), ...)` of PyTorch 2.
#[test]
fn resizing_is_that_of_other_libraries() {
    let x = [1.0, 2.0, 4.0, 8.0];
    let resize =
        |length, coordinates, interpolation| applied(&AxisMap::Resize { length, coordinates, interpolation }, &x);
    let half = Coordinates::HalfPixel { scale: None };
    let linear = Interpolation::Linear { antialias: false, edge: false };
    assert_eq!(resize(8, half, linear), [1.0, 1.25, 1.75, 2.5, 3.5, 5.0, 7.0, 8.0]);
    assert_eq!(resize(7, Coordinates::AlignCorners, linear), [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0]);
    let near = Interpolation::Nearest { rounding: Rounding::Floor };
    assert_eq!(resize(6, Coordinates::Asymmetric { scale: None }, near), [1.0, 1.0, 2.0, 4.0, 4.0, 8.0]);
    let cubic = Interpolation::Cubic { a: -0.75, antialias: false, exclude_outside: false, edge: false };
    let found = resize(6, half, cubic);
    let sum: f64 = found.iter().sum();
    assert!((found[1] - 1.5).abs() < 0.2 && (sum - 22.5).abs() < 1.0, "{found:?}");
}

#[test]
fn numbers_without_sense_end() {
    for scale in [1e-300, 1e300] {
        for coordinates in [
            Coordinates::HalfPixel { scale: Some(scale) },
            Coordinates::HalfPixelSymmetric { scale },
            Coordinates::Asymmetric { scale: Some(scale) },
        ] {
            for antialias in [false, true] {
                let linear = Interpolation::Linear { antialias, edge: false };
                let cubic = Interpolation::Cubic { a: -0.5, antialias, exclude_outside: false, edge: false };
                let nearest = Interpolation::Nearest { rounding: Rounding::HalfUp };
                for interpolation in [linear, cubic, nearest] {
                    let rows = AxisMap::Resize { length: 3, coordinates, interpolation }.rows(4);
                    assert!(rows.rows.iter().flatten().all(|&(entry, _)| entry < 4));
                }
            }
        }
    }
    let far = AxisMap::Filter { taps: vec![1.0], up: usize::MAX / 2, down: usize::MAX, padding: [isize::MIN + 1, 0] };
    assert_eq!(far.rows(2).rows, [vec![(1, 1.0)]]);
    let far = AxisMap::Filter { taps: vec![1.0], up: 1, down: usize::MAX, padding: [isize::MAX, isize::MAX] };
    assert_eq!(far.rows(1).rows, [vec![]]);
}

#[test]
fn what_does_not_fit_has_no_length() {
    let resize = |scale| AxisMap::Resize {
        length: 3,
        coordinates: Coordinates::Asymmetric { scale: Some(scale) },
        interpolation: Interpolation::Linear { antialias: false, edge: false },
    };
    for map in [
        AxisMap::Repeat { factor: 0 },
        AxisMap::Take { entries: vec![0, 4] },
        AxisMap::Take { entries: Vec::new() },
        AxisMap::Repeat { factor: usize::MAX },
        AxisMap::Average { size: 9, stride: 1, padding: [0, 0], count_padding: false },
        AxisMap::Average { size: 2, stride: 0, padding: [0, 0], count_padding: false },
        AxisMap::Average { size: 2, stride: 1, padding: [2, 0], count_padding: false },
        AxisMap::Filter { taps: vec![], up: 1, down: 1, padding: [0, 0] },
        AxisMap::Filter { taps: vec![1.0], up: 1, down: 1, padding: [-9, 0] },
        AxisMap::Filter { taps: vec![1.0], up: 1, down: 1, padding: [isize::MAX, isize::MAX] },
        AxisMap::Pad { padding: [4, 0], mode: PadMode::Reflect },
        resize(0.0),
        resize(-1.0),
        resize(f64::INFINITY),
        AxisMap::Pad { padding: [usize::MAX, 1], mode: PadMode::Edge },
    ] {
        assert_eq!(map.output(4), None, "{map:?}");
    }
}

#[test]
fn an_adjoint_has_the_transposed_matrix() {
    let map = AxisMap::Filter { taps: vec![1.0, 2.0, 1.0], up: 2, down: 1, padding: [1, 1] };
    let (rows, back) = (map.rows(5), map.rows(5).transposed());
    assert_eq!(back.transposed(), rows);
    assert_eq!((back.inputs, back.rows.len()), (rows.rows.len(), 5));
}
