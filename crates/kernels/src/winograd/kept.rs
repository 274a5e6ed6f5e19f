//! Weights that stay, transformed once.

use super::{GROUP, O_STEP, Plan, With, c_group, c_step, forward_weights, gradient_weights};
use crate::simd::Level;

/// Rows of a product below which it is quicker to transform the weights, which lie closer together, than to read the transformed
/// ones from memory. Both ways give the same bits.
const LEAST_ROWS: usize = 8;

/// The transformed weights of one pass, in the blocks in which the products read them.
#[derive(Debug)]
pub(crate) struct Kept {
    /// For each group of columns, its steps of the inner length.
    parts: Vec<Vec<Vec<f32>>>,
}

impl Kept {
    /// For [`super::forward`].
    pub(crate) fn forward(level: Level, plan: &Plan, w: &[f32]) -> Self {
        let group = |first: usize| {
            let o_blocks = first..(first + GROUP).min(plan.o_blocks);
            let step = |start: usize| {
                let (mut part, c_blocks) = (Vec::new(), start..(start + c_step(plan)).min(plan.c_blocks));
                forward_weights(level, plan, w, [o_blocks.clone(), c_blocks], &mut part);
                part
            };
            (0..plan.c_blocks).step_by(c_step(plan)).map(step).collect()
        };
        Self { parts: (0..plan.o_blocks).step_by(GROUP).map(group).collect() }
    }

    /// For [`super::input_gradient`].
    pub(crate) fn input_gradient(level: Level, plan: &Plan, w: &[f32]) -> Self {
        let group = |first: usize| {
            let c_blocks = first..(first + c_group(plan)).min(plan.c_blocks);
            let step = |start: usize| {
                let (mut part, o_blocks) = (Vec::new(), start..(start + O_STEP).min(plan.o_blocks));
                gradient_weights(level, plan, w, [c_blocks.clone(), o_blocks], &mut part);
                part
            };
            (0..plan.o_blocks).step_by(O_STEP).map(step).collect()
        };
        Self { parts: (0..plan.c_blocks).step_by(c_group(plan)).map(group).collect() }
    }

    /// The weights of a group of columns and a step of the inner length.
    pub(super) fn part(&self, group: usize, step: usize) -> &[f32] {
        &self.parts[group][step]
    }
}

impl<'a> With<'a> {
    /// The kept weights, where they are the quicker ones for a product of so many rows.
    pub(super) fn kept_for(self, rows: usize) -> Option<&'a Kept> {
        self.kept.filter(|_| rows >= LEAST_ROWS)
    }
}
