//! What a generation costs, in passes of one image through one network: a pass forward, or back to the inputs, is one; back to
//! the weights is two. A plain generation of one step of each side takes 12 for each image of the batch.

use super::*;

fn price(overrides: &[&str]) -> f64 {
    let one_step = ["d_steps=1", "batch=4", "eval=4", "norm_d=spectral", "log.fitness=0", "gamma=0"];
    let work = Table::new(&[&one_step[..], overrides].concat()).work();
    let passes =
        work.g_images + work.d_images + work.d_input_images + 2 * (work.g_backward_images + work.d_weight_images);
    passes as f64 / 4.0
}

/// The table of docs/evolution.md.
#[test]
fn prices_are_the_derived_ones() {
    let nine = "mutations=[minimax, heuristic, least-squares, least-squares-logit, hinge, wasserstein, direct, minimax, heuristic]";
    let three = "mutations=[minimax, heuristic, least-squares]";
    let plain = price(&["mutations=[heuristic]"]);
    assert_eq!(plain, 12.0);
    assert_eq!(price(&[three, "selection=random", "gradients=unit"]), plain);
    for (overrides, of_three, of_nine) in [
        // Each child's pass back and images; the winner's images are D's fakes.
        (&[][..], 21.0, 45.0),
        (&["fitness=linear"], 21.0, 33.0),
        (&["fitness=one-pass"], 16.0, 16.0),
        // With diversity, D's weights take a gradient for each child; linearised, once, and two passes at moved weights.
        (&["gamma=1"], 30.0, 66.0),
        (&["gamma=1", "fitness=linear"], 30.0, 42.0),
        // Fair steps are free.
        (&["gradients=unit", "lengths=equal"], 21.0, 45.0),
    ] {
        assert_eq!(price(&[&[three], overrides].concat()), of_three, "{overrides:?}");
        assert_eq!(price(&[&[nine], overrides].concat()), of_nine, "{overrides:?}");
    }
    // Batch norm in D: each mutation takes a pass back of its own.
    assert_eq!(price(&[three, "norm_d=batch"]), 23.0);
    assert_eq!(price(&[three, "norm_d=batch", "fitness=one-pass"]), 17.0);
}

/// The same in multiplications, which the passes stand for: G and D of about one size.
#[test]
fn multiplications_follow_the_passes() {
    let macs = |overrides: &[&str]| {
        let one_step =
            ["d_steps=1", "batch=4", "eval=4", "norm_d=spectral", "log.fitness=0", "gamma=0", "width=8", "width_d=8"];
        Table::new(&[&one_step[..], overrides].concat()).work().macs as f64
    };
    let three = "mutations=[minimax, heuristic, least-squares]";
    let plain = macs(&["mutations=[heuristic]"]);
    for (overrides, expected) in [(&[][..], 1.75), (&["fitness=linear"], 1.75), (&["fitness=one-pass"], 1.33)] {
        let price = macs(&[&[three], overrides].concat()) / plain;
        println!("{overrides:?}: {price:.3} plain generations by multiplications, {expected} by passes");
        assert!((price / expected - 1.0).abs() < 0.05, "{overrides:?}: {price}");
    }
}
