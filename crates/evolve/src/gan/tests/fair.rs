//! Laws of fair steps, and of a pass back through D that all mutations share.

use super::*;

const THREE: &str = "mutations=[minimax, heuristic, least-squares]";

/// The children of one parent after some generations, with the parent.
fn children(overrides: &[&str]) -> (Generator, Vec<Generator>) {
    let table = Table::new(&[&[THREE, "gamma=0"], overrides].concat());
    let mut gan = table.gan();
    let mut population = table.population();
    for number in 0..3 {
        generation(&mut gan, &mut population, &table.rules(), number).unwrap();
    }
    gan.begin(3).unwrap();
    let parent = population.swap_remove(0);
    let children = gan.mutate(0, &parent, &table.settings.mutations).unwrap();
    (parent, children)
}

fn lengths(parent: &Generator, children: &[Generator]) -> Vec<f64> {
    let graph = Table::new(&[]).graphs.g.graph;
    let steps = |child: &Generator| -> Vec<Option<Tensor>> {
        let step = |at| Some(super::super::fair::step(&parent.params, &child.params, at));
        train::trainable(&graph).into_iter().map(step).collect()
    };
    children.iter().map(|child| gradient_norm(&steps(child))).collect()
}

#[test]
fn equal_lengths_are_the_mean_of_the_own_ones() {
    for more in [&[][..], &["adam=per-mutation"], &["gradients=unit", "norm_d=none"]] {
        let (parent, own) = children(more);
        let of_own = lengths(&parent, &own);
        // Three generations with equal steps make another parent; so the same parent is asked for its children again.
        let table = Table::new(&[&[THREE, "gamma=0", "lengths=equal"], more].concat());
        let mut children = own.clone();
        super::super::fair::equalise(&table.graphs.g.graph, &parent.params, &mut children);
        let equal = lengths(&parent, &children);
        let mean = of_own.iter().sum::<f64>() / 3.0;
        assert!(equal.iter().all(|length| (length / mean - 1.0).abs() < 1e-3), "{equal:?} for {of_own:?}");
    }
}

#[test]
fn the_setting_makes_children_equally_far_and_leaves_their_moments() {
    let (parent, equal) = children(&["lengths=equal"]);
    let lengths = lengths(&parent, &equal);
    assert!(lengths.iter().all(|length| (length / lengths[0] - 1.0).abs() < 1e-3), "{lengths:?}");
    let (_, own) = children(&[]);
    let longest = super::fair::lengths(&children(&[]).0, &own);
    let most = longest.iter().copied().fold(0.0, f64::max) / longest.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(most > 1.01, "the losses differ, or this test says nothing: {longest:?}");
}

/// Adam's first moment after a first step is `(1 - beta1)` times the gradient that entered it.
#[test]
fn a_unit_gradient_has_length_one() {
    for mutation in Loss::ALL {
        let table = Table::new(&["gradients=unit", &format!("mutations=[{mutation}]"), "norm_d=none"]);
        let mut gan = table.gan();
        let parent = &table.population()[0];
        gan.begin(0).unwrap();
        let child = &gan.mutate(0, parent, &[mutation]).unwrap()[0];
        let entered: Vec<Option<Tensor>> =
            child.moments.first.iter().map(|m| Some(m.scale(1.0 / (1.0 - table.settings.beta1_g)))).collect();
        assert!((gradient_norm(&entered) - 1.0).abs() < 1e-5, "{mutation}: {}", gradient_norm(&entered));
        assert!((child.gradient_norm - 1.0).abs() > 1e-6, "the record has the length of the loss's own gradient");
    }
}

#[test]
fn a_gradient_of_zero_stays() {
    let mut nothing = vec![Some(Tensor::new(&[2], vec![0.0; 2], &Device::cpu())), None];
    super::super::fair::to_unit(&mut nothing, 0.0);
    assert_eq!(nothing[0].as_ref().unwrap().to_vec(), [0.0, 0.0]);
}

/// Where D judges each image by itself, one pass back through it serves all mutations; where it does not, each takes its own.
#[test]
fn a_shared_pass_through_the_discriminator_gives_what_separate_ones_give() {
    for (overrides, singly) in [
        (&["norm_d=none", "norm_g=batch"][..], true),
        (&["norm_d=spectral", "augment=[color, translation, cutout]"], true),
        (&["network=residual", "norm_d=none"], true),
        (&["norm_d=batch"], false),
        (&["norm_d=none", "minibatch_std=true"], false),
        (&["network=progan"], false),
    ] {
        let table = Table::new(&[&[THREE, "gamma=0"], overrides].concat());
        assert_eq!(table.graphs.judges_singly, singly, "{overrides:?}");
        let mut gan = table.gan();
        gan.begin(0).unwrap();
        let mut pass = gan.forward(&table.population()[0], 0).unwrap();
        for mutation in table.settings.mutations.clone() {
            let by_logit = mutation.generator(&[], &pass.logits).fake;
            let alone = gan.backward(&mut pass, by_logit.clone(), false).unwrap();
            let shared = gan.backward(&mut pass, by_logit, true).unwrap();
            let minus: Vec<Option<Tensor>> = shared.iter().map(|g| g.as_ref().map(|g| g.scale(-1.0))).collect();
            let error = gradient_norm(&summed(&alone, &minus)) / gradient_norm(&alone);
            assert!(error < 1e-4, "{overrides:?} {mutation}: {error}");
        }
        let passes = if singly { 3 + 1 } else { 6 };
        assert_eq!(gan.work.d_input_images, passes * table.settings.batch as u64, "{overrides:?}");
    }
}
