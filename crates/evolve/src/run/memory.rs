//! How much memory and disk a run takes, before it begins.

use crate::Selection;
use crate::graphs::Graphs;
use crate::settings::{AdamPolicy, Fitness, Settings};
use crate::state::State;
use net::{NodeId, Params, Result};

/// Bytes that a run takes at most: the networks with their moments, and the largest of its passes.
pub(super) fn needed(s: &Settings, graphs: &Graphs) -> Result<u64> {
    let (g, d) = (&graphs.g, &graphs.d);
    let [of_g, of_d] = [&g.graph, &d.graph].map(|graph| graph.parameter_bytes());
    // A network with its two moments, for parents and all of their children at once.
    let children = if s.selection.compares() { s.mutations.len() + 1 } else { 1 };
    let individuals = (s.mu * (1 + children)) as u64;
    let own_moments = if s.adam == AdamPolicy::PerMutation { 2 * s.mutations.len() as u64 } else { 0 };
    let kept = of_g.saturating_mul(3 * individuals + own_moments + u64::from(s.ema > 0.0));
    // The discriminator's next weights stand beside the last ones, and gradients of both halves beside their sum.
    let bytes_of_d = of_d;
    let mut kept = kept.saturating_add(of_d.saturating_mul(9));

    let of_d = |batch: usize, fed: &[NodeId], stages: &[&[NodeId]]| {
        d.program.memory(batch, &[&*d.fed(), fed].concat(), stages)
    };
    let by_image = of_d(s.batch, &[graphs.d_by_input.cotangent], &[&[d.output], &graphs.d_by_input.nodes()])?;
    let mut passes = vec![g.memory(s.batch)?.saturating_add(by_image), d.memory(s.batch)?.saturating_mul(2)];
    if s.selection.compares() && s.fitness != Fitness::Exact {
        // The mean child, or a moved parent, and a gradient of fitness; a pass forward and back over the images of evaluation.
        kept = kept.saturating_add(of_g.saturating_mul(3));
        let by_image = of_d(s.eval, &[graphs.d_by_input.cotangent], &[&[d.output], &graphs.d_by_input.nodes()])?;
        let judged = if s.gamma == 0.0 { by_image } else { by_image.saturating_add(d.memory(s.eval)?) };
        passes.push(g.memory(s.eval)?.saturating_add(judged));
        // A check keeps the discriminator's gradient by groups of images.
        kept = kept.saturating_add(if s.gamma == 0.0 { 0 } else { bytes_of_d.saturating_mul(8) });
    }
    if s.selection.compares() {
        let images = g.program.memory(s.eval, &g.fed(), &[&[g.output]])?;
        let judged = s.gamma != 0.0 || s.selection == Selection::Pareto;
        let judged = if judged { d.memory(s.eval)? } else { of_d(s.eval, &[], &[&[d.output]])? };
        passes.push(images.max(judged));
    }
    if let Some(penalty) = &graphs.penalty {
        let fed = [graphs.d_by_input.cotangent, penalty.by_params.cotangent];
        passes.push(of_d(s.batch, &fed, &[&[penalty.squares], &penalty.by_params.nodes()])?);
    }
    Ok(kept.saturating_add(passes.into_iter().max().unwrap_or_default()))
}

/// Bytes of a checkpoint, but for some thousands that its descriptions take: weights with their moments, and networks that are ready to use.
pub(super) fn on_disk(s: &Settings, state: &State) -> u64 {
    let bytes = |params: &Params| params.tensors().iter().map(|tensor| 4 * tensor.len() as u64).sum::<u64>();
    let of_g = state.population.first().map_or(0, |best| bytes(&best.params));
    let own_moments = if s.adam == AdamPolicy::PerMutation { 2 * s.mutations.len() as u64 } else { 0 };
    let average = if s.ema > 0.0 { 2 } else { 0 };
    of_g * (3 * s.mu as u64 + 1 + own_moments + average) + bytes(&state.discriminator) * 4
}
