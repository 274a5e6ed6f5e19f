//! Weights that stay, transformed once.

use super::{GROUP, Plan, With, c_group, forward_weights, gradient_weights};
use crate::simd::Level;

/// Rows of a product below which it is quicker to transform the weights, which lie closer together, than to read the transformed
/// ones from memory. Both ways give the same bits.
const LEAST_ROWS: usize = 8;

/// The transformed weights of one pass, in the order in which the products read them.
#[derive(Debug)]
pub(crate) struct Kept {
    /// One for each group of columns.
    groups: Vec<Vec<f32>>,
}

impl Kept {
    /// For [`super::forward`].
    pub(crate) fn forward(level: Level, plan: &Plan, w: &[f32]) -> Self {
        let group = |first: usize| {
            let (mut group, o_blocks) = (Vec::new(), first..(first + GROUP).min(plan.o_blocks));
            forward_weights(level, plan, w, [o_blocks, 0..plan.c_blocks], &mut group);
            group
        };
        Self { groups: (0..plan.o_blocks).step_by(GROUP).map(group).collect() }
    }

    /// For [`super::input_gradient`].
    pub(crate) fn input_gradient(level: Level, plan: &Plan, w: &[f32]) -> Self {
        let group = |first: usize| {
            let (mut group, c_blocks) = (Vec::new(), first..(first + c_group(plan)).min(plan.c_blocks));
            gradient_weights(level, plan, w, [c_blocks, 0..plan.o_blocks], &mut group);
            group
        };
        Self { groups: (0..plan.c_blocks).step_by(c_group(plan)).map(group).collect() }
    }

    /// The weights of a group of columns.
    pub(super) fn group(&self, group: usize) -> &[f32] {
        &self.groups[group]
    }
}

impl<'a> With<'a> {
    /// The kept weights, where they are the quicker ones for a product of so many rows.
    pub(super) fn kept_for(self, rows: usize) -> Option<&'a Kept> {
        self.kept.filter(|_| rows >= LEAST_ROWS)
    }
}
