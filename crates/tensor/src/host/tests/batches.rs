//! An image has the same bits alone and in a batch.

use crate::cases::{axis_maps, convolutions, count, numbers, shape, windows};
use crate::host::compute;
use crate::reference::Value;
use crate::{AxisMap, Binary, Dim, Precision, Primitive, Reduction, Unary};
use proptest::prelude::*;

/// An input: its shape, and whether its first axis are images.
type Input = (Vec<usize>, bool);

fn same_alone(primitive: &Primitive, alone: &Primitive, inputs: &[Input]) -> Result<(), TestCaseError> {
    let values: Vec<Vec<f32>> = inputs
        .iter()
        .enumerate()
        .map(|(salt, (shape, _))| numbers(count(shape), salt + 1).iter().map(|&x| x as f32).collect())
        .collect();
    let run = |primitive: &Primitive, image: Option<usize>| {
        let part = |(values, (shape, images)): (&Vec<f32>, &Input)| match image.filter(|_| *images) {
            None => (values.clone(), shape.clone()),
            Some(image) => {
                let length = values.len() / shape[0];
                let shape = [&[1], &shape[1..]].concat();
                (values[image * length..(image + 1) * length].to_vec(), shape)
            }
        };
        let parts: Vec<(Vec<f32>, Vec<usize>)> = values.iter().zip(inputs).map(part).collect();
        let shapes: Vec<&[usize]> = parts.iter().map(|(_, shape)| shape.as_slice()).collect();
        let values: Vec<Value<f32>> = parts.iter().map(|(values, shape)| Value::numbers(values, shape)).collect();
        compute(primitive, &values, &shape(primitive, &shapes), Precision::F32).unwrap()
    };
    let together = run(primitive, None);
    let n = inputs.iter().find(|(_, images)| *images).unwrap().0[0];
    for image in 0..n {
        let one = run(alone, Some(image));
        let same = &together[image * one.len()..(image + 1) * one.len()];
        prop_assert!(one.iter().map(|x| x.to_bits()).eq(same.iter().map(|x| x.to_bits())), "{primitive:?}");
    }
    Ok(())
}

fn each(primitive: &Primitive, inputs: &[Input]) -> Result<(), TestCaseError> {
    same_alone(primitive, primitive, inputs)
}

proptest! {
    #[test]
    fn convolutions_of_images(case in convolutions(), n in 2usize..7) {
        let (mut x, w, mut y) = (case.x, case.w, case.y());
        (x[0], y[0]) = (n, n);
        each(&Primitive::Conv2d { conv: case.conv }, &[(x.to_vec(), true), (w.to_vec(), false)])?;
        let transpose = Primitive::ConvTranspose2d { conv: case.conv, size: [x[2], x[3]] };
        each(&transpose, &[(y.to_vec(), true), (w.to_vec(), false)])?;
    }

    #[test]
    fn layers(n in 2usize..40, k in 1usize..600, m in 1usize..40, turned: bool) {
        let w = if turned { vec![m, k] } else { vec![k, m] };
        each(&Primitive::mat_mul(false, turned), &[(vec![n, k], true), (w.clone(), false)])?;
        each(&Primitive::mat_mul(false, turned), &[(vec![n, 3, k], true), (w, false)])?;
    }

    #[test]
    fn attention(n in 2usize..5, t in 1usize..20, k in 1usize..40, turned: bool) {
        let b = if turned { vec![n, 2, t, k] } else { vec![n, 2, k, t] };
        each(&Primitive::mat_mul(false, turned), &[(vec![n, 2, t, k], true), (b, true)])?;
    }

    #[test]
    fn what_reads_one_image(n in 2usize..5, c in 1usize..6, h in 1usize..60, w in 1usize..60) {
        let x = || (vec![n, c, h, w], true);
        each(&Unary::Tanh.into(), &[x()])?;
        each(&Binary::Add.into(), &[x(), (vec![c, 1, 1], false)])?;
        for axes in [vec![1], vec![2, 3], vec![1, 2, 3], vec![2], vec![1, 3]] {
            each(&Primitive::sum(axes.clone()), &[x()])?;
            each(&Primitive::Reduce { reduction: Reduction::Max, axes: axes.clone() }, &[x()])?;
            let centre = shape(&Primitive::sum(axes.clone()), &[&[n, c, h, w]]);
            each(&Primitive::CentredSquares { axes }, &[x(), (centre, true)])?;
        }
        each(&Primitive::Permute { axes: vec![0, 2, 3, 1] }, &[x()])?;
        let wide = |n: usize| Primitive::Broadcast { shape: [n, c, h, w].map(Dim::Fixed).to_vec() };
        same_alone(&wide(n), &wide(1), &[(vec![n, 1, h, 1], true)])?;
    }

    #[test]
    fn maps_and_windows((map, length) in axis_maps(), (window, maps) in windows(), n in 2usize..5, c in 1usize..5) {
        each(&Primitive::Along { axis: 2, map: map.clone() }, &[(vec![n, c, length], true)])?;
        each(&Primitive::Along { axis: 1, map }, &[(vec![n, length, c], true)])?;
        let x = || (vec![n, maps[1], maps[2], maps[3]], true);
        each(&Primitive::WindowMax { window }, &[x(), x()])?;
        let repeat = AxisMap::Repeat { factor: 3 };
        each(&Primitive::AlongAdjoint { axis: 1, map: repeat, length }, &[(vec![n, 3 * length, c], true)])?;
    }
}
