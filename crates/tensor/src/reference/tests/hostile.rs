//! What shape rules let through, however strange, ends in a result or an error.

use crate::cases::{plain, shape};
use crate::reference::{Value, compute};
use crate::{AxisMap, Conv, Dim, Primitive, Window};

#[test]
fn entries_outside_are_refused() {
    let x = Value::numbers(&[1.0, 2.0], &[2]);
    for index in [2, -3, i64::MAX, i64::MIN] {
        let found = compute(&Primitive::Gather { axis: 0 }, &[x, Value::indices(&[index], &[1])], &[1]);
        assert_eq!(found.unwrap_err().found, index.to_string());
        let back = Primitive::GatherAdjoint { axis: 0, length: Dim::Fixed(2), rank: 1 };
        assert!(compute(&back, &[Value::numbers(&[1.0], &[1]), Value::indices(&[index], &[1])], &[2]).is_err());
    }
    let nothing = Value::<f64>::numbers(&[], &[0]);
    assert!(compute(&Primitive::Gather { axis: 0 }, &[nothing, Value::indices(&[0], &[1])], &[1]).is_err());
}

#[test]
fn inputs_of_the_wrong_kind_are_refused() {
    let (numbers, indices) = (Value::numbers(&[1.0], &[1]), Value::<f64>::indices(&[0], &[1]));
    assert!(compute(&Primitive::StopGradient, &[indices], &[1]).is_err());
    assert!(compute(&Primitive::Gather { axis: 0 }, &[numbers, numbers], &[1]).is_err());
    assert!(compute::<f64>(&Primitive::StopGradient, &[], &[1]).is_err());
    let divided = Primitive::DivideByCount { count: Dim::N, minus: 0 };
    assert!(compute(&divided, &[numbers], &[1]).is_err());
}

#[test]
fn results_that_no_memory_holds_are_refused() {
    let fill = Primitive::Fill { shape: vec![], value: 0.0 };
    assert!(compute::<f64>(&fill, &[], &[usize::MAX, 2]).is_err());
    assert!(compute::<f64>(&fill, &[], &[1 << 62]).is_err());
    assert_eq!(compute::<f64>(&fill, &[], &[usize::MAX, 2, 0]), Ok(vec![]));
}

#[test]
fn steps_of_any_length() {
    let x = Value::numbers(&[1.0, 2.0], &[2]);
    for step in [isize::MIN, isize::MAX] {
        assert_eq!(plain(&Primitive::Slice { axis: 0, start: 1, step, length: 1 }, &[x]), [2.0]);
        let one = Value::numbers(&[1.0], &[1]);
        let embed = Primitive::Embed { axis: 0, start: 1, step, length: 2, value: 0.0 };
        assert_eq!(plain(&embed, &[one]), [0.0, 1.0]);
    }
}

#[test]
fn kernels_far_away() {
    let x = Value::numbers(&[1.0, 2.0, 3.0, 4.0], &[1, 1, 2, 2]);
    let w = Value::numbers(&[1.0, 1.0], &[1, 1, 1, 2]);
    let far = usize::MAX / 2;
    // One step to the right, the second tap reaches what lies after as much padding.
    let conv = Conv { stride: [1, far], padding: [[0, 0], [far - 1, 0]], dilation: [1, far - 1], groups: 1 };
    assert_eq!(plain(&Primitive::Conv2d { conv }, &[x, w]), [1.0, 3.0]);
    let conv = Conv { stride: [far, far], padding: [[far, far - 1], [0, 0]], dilation: [1, 1], groups: 1 };
    assert_eq!(plain(&Primitive::Conv2d { conv }, &[x, w]), [0.0, 3.0, 0.0]);
    let size = 1 << 50;
    let window = Window { size: [size, 1], stride: [1, 1], padding: [[size - 1, 0], [0, 0]], dilation: [1, 1] };
    assert_eq!(plain(&Primitive::WindowMax { window }, &[x, x]), [1.0, 2.0, 3.0, 4.0]);
    let map = AxisMap::Average { size, stride: 1, padding: [size - 1, 0], count_padding: false };
    assert_eq!(plain(&Primitive::Along { axis: 2, map }, &[x]), [1.0, 2.0, 2.0, 3.0]);
}

#[test]
fn axes_that_are_long_because_others_are_empty() {
    let long = usize::MAX / 4;
    let (maps, weights) = ([1, long, 0, 1], [0, 1, 1, 1]);
    let conv = Conv { padding: [[1, 0], [0, 0]], ..Conv::new(1, 0).grouped(long) };
    let x = Value::numbers(&[], &maps);
    assert!(plain(&Primitive::Conv2d { conv }, &[x, Value::numbers(&[], &weights)]).is_empty());
    let empty = [long, 8, 0];
    let x = Value::numbers(&[], &empty);
    let repeat = Primitive::Along { axis: 1, map: AxisMap::Repeat { factor: 1 << 60 } };
    let pad = Primitive::Along { axis: 1, map: AxisMap::Pad { padding: [1 << 60; 2], mode: crate::PadMode::Edge } };
    for primitive in [
        Primitive::Permute { axes: vec![2, 0, 1] },
        Primitive::Slice { axis: 1, start: 0, step: 2, length: 4 },
        Primitive::Embed { axis: 1, start: 0, step: 2, length: 1 << 60, value: 1.0 },
        repeat,
        pad,
        Primitive::sum([0, 1]),
        Primitive::mat_mul(false, true),
        Primitive::Concat { axis: 2 },
    ] {
        let inputs =
            if matches!(primitive, Primitive::MatMul { .. }) { vec![x, Value::numbers(&[], &[0, 0])] } else { vec![x] };
        let shapes: Vec<&[usize]> = inputs.iter().map(Value::shape).collect();
        let shape = shape(&primitive, &shapes);
        assert_eq!(compute::<f64>(&primitive, &inputs, &shape), Ok(vec![]), "{primitive:?}");
    }
}
