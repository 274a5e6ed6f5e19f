//! The fast form against the naive one, on every instruction set that the machine has.

use super::*;
use proptest::prelude::*;

/// Bit by bit, from the resampled map.
fn naive(up: &Upsampler, map: &[f32], level: f32) -> Vec<bool> {
    let [height, width] = up.target();
    let mut out = vec![0.0; height * width];
    up.upsample(map, &mut out);
    out.into_iter().map(|v| v > level).collect()
}

fn packed(bits: &[bool]) -> Vec<u64> {
    let mut packed = vec![0; words(bits.len())];
    for (p, _) in bits.iter().enumerate().filter(|(_, bit)| **bit) {
        packed[p / 64] |= 1 << (p % 64);
    }
    packed
}

/// Independent numbers, half of them in [-1, 1) and the others so wide apart that differences overflow or vanish.
fn cell() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -1.0f32..1.0,
        1 => prop::sample::select(vec![0.0, -0.0, 0.5, 1e-40, 1e30, -1e30]),
    ]
}

fn wild_cell() -> impl Strategy<Value = f32> {
    let wild = vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::MAX / 2.0];
    prop_oneof![6 => cell(), 1 => prop::sample::select(wild)]
}

prop_compose! {
    /// Sides of a map and of its target, larger or smaller.
    fn sides()(h in 1usize..12, w in prop_oneof![1usize..20, 60usize..70, 120usize..132], height in 1usize..50, width in 1usize..150)
        -> ([usize; 2], [usize; 2]) {
        ([h, w], [height, width])
    }
}

fn agrees(up: &Upsampler, map: &[f32], level: f32) -> Result<(), TestCaseError> {
    let expected = packed(&naive(up, map, level));
    let count: u64 = expected.iter().map(|word| u64::from(word.count_ones())).sum();
    for set in Level::available() {
        let mut got = vec![!0; expected.len()];
        prop_assert_eq!(up.pack_with(set, map, level, &mut got), count, "{:?}", set);
        prop_assert_eq!(&got, &expected, "{:?}", set);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::usual(300, 3)))]

    #[test]
    fn bits_are_those_of_the_resampled_map(
        (source, target) in sides(), cells in prop::collection::vec(cell(), 12 * 132), level in -1.0f32..1.0,
    ) {
        agrees(&Upsampler::new(source, target), &cells[..source[0] * source[1]], level)?;
    }

    #[test]
    fn few_cells_above_a_high_level_and_few_below_a_low_one(
        (source, target) in sides(), places in prop::collection::vec(0usize..12 * 132, 0..6), level in prop_oneof![Just(0.9f32), Just(-0.9)],
    ) {
        let mut map = vec![0.0; source[0] * source[1]];
        let len = map.len();
        places.iter().for_each(|place| map[place % len] = level * 1.1);
        agrees(&Upsampler::new(source, target), &map, level)?;
    }

    #[test]
    fn a_level_that_is_a_value(
        (source, target) in sides(), cells in prop::collection::vec(cell(), 12 * 132), which in 0usize..10_000,
    ) {
        let (up, map) = (Upsampler::new(source, target), &cells[..source[0] * source[1]]);
        let mut out = vec![0.0; target[0] * target[1]];
        up.upsample(map, &mut out);
        agrees(&up, map, out[which % out.len()])?;
        agrees(&up, map, map[which % map.len()])?;
    }

    #[test]
    fn numbers_that_overflow_or_are_none(
        (source, target) in sides(), cells in prop::collection::vec(wild_cell(), 12 * 132),
        level in prop_oneof![4 => -1.0f32..1.0, 1 => wild_cell()],
    ) {
        agrees(&Upsampler::new(source, target), &cells[..source[0] * source[1]], level)?;
    }

    /// What the shortcut rests on.
    #[test]
    fn no_number_leaves_the_range_of_its_cells(
        target in 1usize..300, exponents in prop::collection::vec((-148i32..127, any::<bool>(), 1.0f32..2.0), 2),
    ) {
        let cells: Vec<f32> = exponents.iter().map(|&(e, negative, m)| {
            // Denormal ones too: 2^e in two factors.
            let v = m * 2f32.powi(e / 2) * 2f32.powi(e - e / 2);
            (if negative { -v } else { v }).clamp(f32::MIN / 2.0, f32::MAX / 2.0)
        }).collect();
        let mut out = vec![0.0; target];
        Upsampler::new([1, 2], [1, target]).upsample(&cells, &mut out);
        let (least, most) = (cells[0].min(cells[1]), cells[0].max(cells[1]));
        prop_assert!(out.iter().all(|v| (least..=most).contains(v)), "{cells:?}: {out:?}");
    }

    /// The bound at [`Upsampler`], and one more rounding for what it leaves out.
    #[test]
    fn resampling_is_exact_up_to_rounding(
        (source, target) in sides(), cells in prop::collection::vec(-1.0f32..1.0, 12 * 132),
    ) {
        let map = &cells[..source[0] * source[1]];
        let mut out = vec![0.0; target[0] * target[1]];
        Upsampler::new(source, target).upsample(map, &mut out);
        let largest = map.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        // By its definition, in f64.
        let place = |t: usize, s: usize, n: usize| ((t as f64 + 0.5) * s as f64 / n as f64 - 0.5).clamp(0.0, (s - 1) as f64);
        for (p, v) in out.iter().enumerate() {
            let (y, x) = (place(p / target[1], source[0], target[0]), place(p % target[1], source[1], target[1]));
            let at = |r: f64, c: f64| f64::from(map[(r as usize).min(source[0] - 1) * source[1] + (c as usize).min(source[1] - 1)]);
            let row = |r: f64| at(r, x.floor()) * (1.0 - x.fract()) + at(r, x.floor() + 1.0) * x.fract();
            let expected = row(y.floor()) * (1.0 - y.fract()) + row(y.floor() + 1.0) * y.fract();
            prop_assert!((f64::from(*v) - expected).abs() <= f64::from(largest) * 15.0 / f64::from(1u32 << 24), "{v} {expected}");
        }
    }

    #[test]
    fn the_tally_is_a_naive_count(
        (source, target) in sides(), units in 1usize..20, rows in 0usize..40, seed in any::<u32>(),
    ) {
        let mut state = u64::from(seed);
        let mut next = move || { state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1); state >> 33 };
        let up = Upsampler::new(source, target);
        let pixels = target[0] * target[1];
        let maps: Vec<f32> = (0..units * source[0] * source[1]).map(|_| next() as f32 / (1u64 << 31) as f32).collect();
        let levels: Vec<f32> = (0..units).map(|u| [0.99, 0.5, 1.5, 0.95][u % 4]).collect();
        let labels: Vec<Vec<bool>> = (0..rows).map(|_| (0..pixels).map(|_| next() % 3 == 0).collect()).collect();
        // A unit that is on nowhere leaves its part as it was.
        let mut expected = (vec![3; units * rows], vec![0; units]);
        for u in 0..units {
            let above = naive(&up, &maps[u * source[0] * source[1]..][..source[0] * source[1]], levels[u]);
            expected.1[u] = above.iter().filter(|on| **on).count() as u32;
            for (l, label) in labels.iter().enumerate().filter(|_| expected.1[u] > 0) {
                expected.0[u * rows + l] = above.iter().zip(label).filter(|(a, b)| **a && **b).count() as u32;
            }
        }
        let labels: Vec<Vec<u64>> = labels.iter().map(|label| packed(label)).collect();
        let labels = Labels::new(words(pixels), &labels.iter().map(Vec::as_slice).collect::<Vec<_>>());
        for set in Level::available() {
            let mut got = (vec![3; units * rows], vec![5; units]);
            tally_with(set, &up, &maps, &levels, &labels, &mut got.0, &mut got.1);
            prop_assert_eq!(&got, &expected, "{:?}", set);
        }
    }

    #[test]
    fn classes_are_sets_of_pixels(classes in prop_oneof![
        prop::collection::vec(0u16..4, 0..400),
        prop::collection::vec(any::<u16>(), 0..400),
    ]) {
        let (found, bits) = pack_classes(&classes);
        let mut expected = classes.clone();
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(&found, &expected);
        let rows: Vec<u64> = found.iter().flat_map(|class| packed(&classes.iter().map(|c| c == class).collect::<Vec<_>>())).collect();
        prop_assert_eq!(bits, rows);
    }

    #[test]
    fn both_sets(a in prop::collection::vec(any::<u64>(), 0..70), b in prop::collection::vec(any::<u64>(), 70)) {
        let expected = (0..64 * a.len()).filter(|p| a[p / 64] & b[p / 64] & 1 << (p % 64) != 0).count() as u64;
        prop_assert_eq!(count_and(&a, &b[..a.len()]), expected);
    }
}

#[test]
fn two_by_two_to_four_by_four_by_hand() {
    let up = Upsampler::new([2, 2], [4, 4]);
    let mut out = [0.0; 16];
    up.upsample(&[0.0, 16.0, 32.0, 64.0], &mut out);
    // Coordinates -0.25, 0.25, 0.75 and 1.25: weights 0, 1/4, 3/4 and 1.
    let expected = [0., 4., 12., 16., 8., 13., 23., 28., 24., 31., 45., 52., 32., 40., 56., 64.];
    assert_eq!(out, expected);
    let mut bits = [0];
    assert_eq!(up.pack_above(&[0.0, 16.0, 32.0, 64.0], 31.0, &mut bits), 6);
    assert_eq!(bits, [0b1111_1100_0000_0000]);
}

#[test]
fn one_cell_fills_the_target_and_smaller_targets_fall_between_cells() {
    let mut out = [0.0; 15];
    Upsampler::new([1, 1], [3, 5]).upsample(&[7.0], &mut out);
    assert_eq!(out, [7.0; 15]);
    // 4 to 2: coordinates 0.5 and 2.5. 3 to 1: the middle.
    let mut out = [0.0; 2];
    Upsampler::new([3, 4], [1, 2]).upsample(&[9., 9., 9., 9., 1., 2., 4., 8., 9., 9., 9., 9.], &mut out);
    assert_eq!(out, [1.5, 6.0]);
    // The same size: the map itself.
    let map = [1.0, -2.0, 3.5, 4.0, 0.0, 9.0];
    let mut out = [0.0; 6];
    Upsampler::new([2, 3], [2, 3]).upsample(&map, &mut out);
    assert_eq!(out, map);
}
