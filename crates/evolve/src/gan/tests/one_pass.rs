//! Scores before derivatives, against the children that they stand for.

use super::*;
use train::trainable;

fn table(overrides: &[&str]) -> Table {
    let small = [
        "data=ring8",
        "network=mlp",
        "latent=2",
        "width=16",
        "width_d=16",
        "batch=64",
        "eval=64",
        "d_steps=1",
        "gamma=0",
        "fitness=one-pass",
        "lr_g=1e-4",
    ];
    let settings = settings(&[&small[..], overrides].concat());
    let (g, d) = networks(&settings, &[2]);
    let graphs = Graphs::new(&g, &d, false).unwrap();
    let new = |graph, purpose| Network::initial(graph, 1, purpose, &Device::cpu());
    Table { graphs, g: new(g, "g"), d: new(d, "d"), settings }
}

/// Plays some generations, then gives the scores and what the children are worth to first order: the product of their steps
/// with the gradient of quality on the same images.
fn scores_and_slopes(table: &Table) -> (Vec<f64>, Vec<f64>) {
    let mut gan = table.gan();
    let mut population = table.population();
    for number in 0..30 {
        generation(&mut gan, &mut population, &table.rules(), number).unwrap();
    }
    gan.begin(30).unwrap();
    let parent = &population[0];
    let scores = gan.foresee(0, parent, &table.settings.mutations).unwrap();
    gan.foreseen = None;
    let children = gan.mutate(0, parent, &table.settings.mutations).unwrap();
    let mut pass = gan.forward(parent, gan.turn(0)).unwrap();
    let (_, slopes) = super::super::fitness::quality(table.settings.quality, &pass.logits);
    let climb = gan.backward(&mut pass, slopes, false).unwrap();
    let worth = |child: &Generator| {
        let part = |(at, slope): (usize, &Option<Tensor>)| {
            let step = super::super::fair::step(&parent.params, &child.params, at);
            let pairs = slope.as_ref().unwrap().to_vec_f64().into_iter().zip(step.to_vec_f64());
            pairs.map(|(a, b)| a * b).sum::<f64>()
        };
        trainable(&table.graphs.g.graph).into_iter().zip(&climb).map(part).sum::<f64>()
    };
    (scores, children.iter().map(worth).collect())
}

#[test]
fn scores_are_what_children_are_worth_to_first_order() {
    for overrides in [
        &["norm_d=none", "mutations=[minimax, heuristic, least-squares, hinge, direct]"][..],
        &["norm_d=batch", "mutations=[heuristic, least-squares, direct]"],
        &["norm_d=spectral", "mutations=[relativistic, heuristic, least-squares]"],
        &["norm_d=none", "quality=logit", "mutations=[minimax, heuristic, hinge]"],
    ] {
        let table = table(overrides);
        let (scores, worth) = scores_and_slopes(&table);
        let centred = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.iter().map(|v| v - mean).collect::<Vec<f64>>()
        };
        let (scores, worth) = (centred(&scores), centred(&worth));
        let length = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
        let cosine = scores.iter().zip(&worth).map(|(a, b)| a * b).sum::<f64>() / (length(&scores) * length(&worth));
        // The preconditioner of the children has their own squares in it, each with a weight of a thousandth.
        assert!(cosine > 0.9, "{overrides:?}: {scores:?} {worth:?}");
        assert!((0.5..2.0).contains(&(length(&scores) / length(&worth))), "{overrides:?}: {scores:?} {worth:?}");
    }
}

/// Only the winner is made, and it is to the bit the child that would have been made beside the others.
#[test]
fn the_child_that_is_foreseen_is_the_one_that_would_be_made() {
    for norm in ["norm_d=none", "norm_d=batch"] {
        let table = table(&[norm, "gradients=unit", "mutations=[minimax, heuristic, least-squares]"]);
        let mut gan = table.gan();
        gan.begin(0).unwrap();
        let parent = &table.population()[0];
        let scores = gan.foresee(0, parent, &table.settings.mutations).unwrap();
        assert_eq!(scores.len(), 3);
        for (k, &mutation) in table.settings.mutations.iter().enumerate() {
            gan.foresee(0, parent, &table.settings.mutations).unwrap();
            let before = gan.work;
            let alone = gan.mutate(0, parent, &[mutation]).unwrap();
            assert_eq!(gan.work.g_images, before.g_images, "the pass is there already");
            gan.foreseen = None;
            let beside = gan.mutate(0, parent, &table.settings.mutations).unwrap();
            assert_eq!(bytes(&alone[0].params), bytes(&beside[k].params), "{norm} {mutation}");
        }
    }
}

#[test]
fn before_the_first_step_there_is_a_score_all_the_same() {
    let table = table(&["norm_d=none"]);
    let mut gan = table.gan();
    gan.begin(0).unwrap();
    let scores = gan.foresee(0, &table.population()[0], &table.settings.mutations).unwrap();
    assert!(scores.iter().all(|score| score.is_finite()) && scores.iter().any(|&score| score != 0.0), "{scores:?}");
}
