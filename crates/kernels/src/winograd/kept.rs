//! Weights that stay, transformed once.

use super::transform::Kernels;
use super::{GROUP, Plan, Weights, With, c_group, forward_weights, gradient_weights, of_forward, of_gradient, single};
use crate::simd::Level;

/// Rows of a product below which it is quicker to transform the weights, which lie closer together, than to read the transformed
/// ones from memory. Both ways give the same bits.
const LEAST_ROWS: usize = 8;

/// The weights of one pass.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Transformed, in the order in which the products read them, for each group of columns.
    groups: Vec<Vec<f32>>,
    /// As they are, `[block][channel of the other side][taps][16]`, that is in the order in which they are transformed.
    lanes: Vec<f32>,
}

impl Kept {
    /// For [`super::forward`].
    pub(crate) fn forward(level: Level, plan: &Plan, w: &[f32]) -> Self {
        let group = |first: usize| {
            let (mut group, o_blocks) = (Vec::new(), first..(first + GROUP).min(plan.o_blocks));
            forward_weights(level, plan, Weights::Given(w), [o_blocks, 0..plan.c_blocks], &mut group);
            group
        };
        let groups = (0..plan.o_blocks).step_by(GROUP).map(group).collect();
        Self { groups, lanes: in_lanes(plan, [plan.o_blocks, plan.c_blocks], |o, c| of_forward(plan, w, o, c)) }
    }

    /// For [`super::input_gradient`].
    pub(crate) fn input_gradient(level: Level, plan: &Plan, w: &[f32]) -> Self {
        let group = |first: usize| {
            let (mut group, c_blocks) = (Vec::new(), first..(first + c_group(plan)).min(plan.c_blocks));
            gradient_weights(level, plan, Weights::Given(w), [c_blocks, 0..plan.o_blocks], &mut group);
            group
        };
        let groups = (0..plan.c_blocks).step_by(c_group(plan)).map(group).collect();
        Self { groups, lanes: in_lanes(plan, [plan.c_blocks, plan.o_blocks], |c, o| of_gradient(plan, w, c, o)) }
    }

    /// The transformed weights of a group of columns.
    pub(super) fn group(&self, group: usize) -> &[f32] {
        &self.groups[group]
    }

    /// The kernels between a block of columns and a channel of the other side, which has `others` blocks, as `[taps][16]`.
    pub(super) fn lanes(&self, plan: &Plan, others: usize, block: usize, channel: usize) -> *const f32 {
        let of_channel = plan.taps * 16;
        self.lanes[(block * others * 16 + channel) * of_channel..][..of_channel].as_ptr()
    }
}

/// All kernels between blocks of columns and channels of the other side.
fn in_lanes(plan: &Plan, [blocks, others]: [usize; 2], kernels: impl Fn(usize, usize) -> Kernels) -> Vec<f32> {
    let of_channel = plan.taps * 16;
    let mut lanes = vec![0.0; blocks * others * 16 * of_channel];
    for (place, to) in lanes.chunks_exact_mut(of_channel).enumerate() {
        // SAFETY: kernels are there, say those who know where.
        unsafe { kernels(place / (others * 16), place % (others * 16)).into_lanes(plan.taps, to) };
    }
    lanes
}

impl<'a> With<'a> {
    /// The weights, where a product of so many rows is that of a single tile.
    pub(super) fn single(self, plan: &Plan, rows: usize) -> Option<&'a Kept> {
        match self.weights {
            Weights::Kept(kept) if single::fits(plan, rows) => Some(kept),
            _ => None,
        }
    }

    /// The transformed weights, where they are the quicker ones for a product of so many rows.
    pub(super) fn kept_for(self, rows: usize) -> Option<&'a Kept> {
        match self.weights {
            Weights::Kept(kept) if rows >= LEAST_ROWS => Some(kept),
            _ => None,
        }
    }
}
