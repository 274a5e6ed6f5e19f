//! A batch in chunks of images, and their transformed tiles.

use super::plan::Plan;
use super::transform::{self, Form, Target};
use super::{APART, Shared, are_few, with_scratch};
use crate::conv::sized;
use crate::simd::Level;
use rayon::prelude::*;

/// Points of the tiles whose products are made together: as many as keep a task's blocks inside of the second cache, and so
/// many that the transform of the weights, once for all of them, is little beside their products. Processors with AVX-512 have
/// second caches of 1 MiB and more, those without often half of that. No image depends on it; the additions of a
/// weight gradient with more transformed tiles than fit into one round come in other groups.
fn chunk_points(level: Level) -> usize {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 | Level::Avx512Bf16 => 3200,
        _ => 1600,
    }
}

/// How a batch is cut into chunks of whole images.
pub(super) struct Chunks {
    images: usize,
    per_chunk: usize,
    /// Tiles of a whole chunk.
    pub(super) tiles: usize,
}

impl Chunks {
    pub(super) fn new(level: Level, plan: &Plan, images: usize) -> Self {
        let per_chunk = (chunk_points(level) / plan.points / plan.tiles).clamp(1, images.max(1));
        Self { images, per_chunk, tiles: per_chunk * plan.tiles }
    }
    pub(super) fn count(&self) -> usize {
        self.images.div_ceil(self.per_chunk)
    }
    /// The images of a chunk.
    pub(super) fn images(&self, chunk: usize) -> std::ops::Range<usize> {
        chunk * self.per_chunk..((chunk + 1) * self.per_chunk).min(self.images)
    }
    /// Words of the transformed tiles of one chunk with `blocks` blocks of channels.
    pub(super) fn len(&self, plan: &Plan, blocks: usize, form: Form) -> usize {
        plan.points * self.point(blocks, form)
    }
    /// Words from one point of the transformed tiles to the next.
    pub(super) fn point(&self, blocks: usize, form: Form) -> usize {
        blocks * form.words(self.tiles) + APART
    }
}

/// Blocks of maps that a thread transforms at once, where there are enough for all.
const AT_ONCE: usize = 4;

/// Which transform fills a buffer of tiles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Input,
    OutputGradient,
}

/// Transforms the maps of some chunks, one task for each image and block of channels. Where two tiles share a word, and
/// may be of two images, a task has both.
#[allow(clippy::too_many_arguments, reason = "what is transformed, how, and where to")]
pub(super) fn transform(
    level: Level,
    plan: &Plan,
    chunks: &Chunks,
    some: std::ops::Range<usize>,
    side: Side,
    form: Form,
    x: &[f32],
    to: &mut [f32],
) {
    let s = &plan.s;
    let (channels, cells, blocks, phases) = match side {
        Side::Input => (s.c, s.h * s.w, plan.c_blocks, plan.phases),
        Side::OutputGradient => (s.o, s.output[0] * s.output[1], plan.o_blocks, 1),
    };
    let len = chunks.len(plan, blocks * phases, form);
    assert!(some.end <= chunks.count() && some.len() * len <= to.len(), "room for the tiles");
    level.check();
    let to = Shared(to.as_mut_ptr());
    let together = if form == Form::Rows && plan.tiles % 2 == 1 { 2 } else { 1 };
    let parts = chunks.per_chunk.div_ceil(together);
    let tasks = some.len() * parts * blocks;
    let at_once = if are_few(tasks / AT_ONCE) { 1 } else { AT_ONCE };
    // A single image of few channels is shared out by rows of tiles; two tiles that share a word stay with one task.
    let by_rows = side == Side::Input && are_few(tasks) && plan.across.is_multiple_of(2);
    let bands = if by_rows { plan.down.min(rayon::current_num_threads()) } else { 1 };
    (0..tasks * bands).into_par_iter().with_min_len(at_once).for_each(|task| {
        let (task, band) = (task / bands, task % bands);
        let (chunk, part, block) = (task / blocks / parts, task / blocks % parts, task % blocks);
        let rows = band * plan.down / bands..(band + 1) * plan.down / bands;
        let images = chunks.images(some.start + chunk);
        let lanes = (channels - block * 16).min(16);
        with_scratch(|scratch| {
            let turned = sized(&mut scratch.turned, (cells + 1) * 16);
            for (i, image) in images.enumerate().skip(part * together).take(together) {
                let maps = &x[(image * channels + block * 16) * cells..][..lanes * cells];
                let target = Target {
                    at: to.at(chunk * len + block * phases * form.words(chunks.tiles)),
                    form,
                    row: i * plan.tiles + rows.start * plan.across,
                    point: chunks.point(blocks * phases, form),
                    phase: form.words(chunks.tiles),
                };
                // SAFETY: `turned` has room for the maps and one cell; the words of these images, block and rows, at every point
                // and phase, are this task's alone and lie inside of the buffer, which has `len` for each chunk; the level has
                // been checked.
                unsafe {
                    match side {
                        Side::Input => transform::input(
                            level,
                            plan,
                            rows.clone(),
                            maps.as_ptr(),
                            lanes,
                            turned.as_mut_ptr(),
                            target,
                        ),
                        Side::OutputGradient => {
                            transform::output_gradient(level, plan, maps.as_ptr(), lanes, turned.as_mut_ptr(), target);
                        }
                    }
                }
            }
        });
    });
}
