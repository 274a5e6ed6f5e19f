//! The tally of a dissection: one image, one layer of 512 units at the level of two standard deviations, 128x128 pixels,
//! a map of classes with at most 12 of them in patches of 16x16 pixels.

use crate::{Case, Cost};
use base::seed::Stream;
use kernels::{Labels, Upsampler, pack_classes, tally, words};
use net::Law;
use rayon::prelude::*;
use std::hint::black_box;

const UNITS: usize = 512;
const PIXELS: usize = 128;
/// Sides of the maps.
const SIDES: [usize; 3] = [8, 16, 32];
const LEVEL: f32 = 2.0;
/// Patches along a side, classes that occur, and how far their numbers are apart.
const PATCHES: usize = 8;
const CLASSES: usize = 12;
/// Units of one task.
const TASK: usize = 64;
const APART: u16 = 5;

/// What the other side does: the published way, one masked sum for each label, and the best that we know in PyTorch, a
/// product of matrices. Both cases are the same here.
const FORMS: [&str; 2] = ["per-label", "matmul"];

/// The plain algorithm resamples every pixel, first along the rows of the maps, then between them, and compares: counted as
/// one multiply-add each. Bits are not counted. Maps and classes are read once, counts written once.
fn cost(side: usize) -> Cost {
    let (maps, classes, counts) = (4 * UNITS * side * side, 2 * PIXELS * PIXELS, 8 * UNITS * (CLASSES + 1));
    Cost { macs: (UNITS * PIXELS * (side + 2 * PIXELS)) as u64, bytes: (maps + classes + counts) as u64 }
}

pub(crate) fn cases() -> Vec<Case> {
    let all = SIDES.into_iter().flat_map(|side| FORMS.map(|form| (side, form)));
    all.map(|(side, form)| {
        Case::new(format!("tally/{form}/u{UNITS}s{side}"), cost(side), move || {
            let mut stream = Stream::new(0, "tally", 0);
            let maps = Law::Normal.draw(UNITS * side * side, &mut stream);
            let patches: Vec<u16> =
                (0..PATCHES * PATCHES).map(|_| stream.below(CLASSES as u64) as u16 * APART).collect();
            let patch = PIXELS / PATCHES;
            let classes: Vec<u16> =
                (0..PIXELS * PIXELS).map(|p| patches[p / PIXELS / patch * PATCHES + p % PIXELS / patch]).collect();
            let (up, levels) = (Upsampler::new([side; 2], [PIXELS; 2]), vec![LEVEL; UNITS]);
            Ok(Box::new(move || {
                let (found, labels) = pack_classes(&classes);
                let words = words(PIXELS * PIXELS);
                let labels = Labels::new(words, &labels.chunks_exact(words).collect::<Vec<_>>());
                let (mut both, mut on) = (vec![0; UNITS * found.len()], vec![0; UNITS]);
                both.par_chunks_mut(TASK * found.len()).zip(on.par_chunks_mut(TASK)).enumerate().for_each(
                    |(task, (both, on))| {
                        let units = task * TASK..(task + 1) * TASK;
                        let maps = &maps[units.start * side * side..units.end * side * side];
                        tally(&up, maps, &levels[units], &labels, both, on);
                    },
                );
                black_box((both, on));
                Ok(())
            }))
        })
    })
    .collect()
}
