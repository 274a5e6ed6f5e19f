//! The running check.

use super::*;
use crate::estimate::Check;

/// A run of some generations: the last weights of both sides, and the checks.
fn run(overrides: &[&str], generations: u64) -> (Vec<Vec<f32>>, Vec<Vec<f32>>, Vec<Check>) {
    let table = Table::new(&[&["norm_d=spectral", "d_steps=1"], overrides].concat());
    let mut gan = table.gan();
    let mut population = table.population();
    let play = |number| generation(&mut gan, &mut population, &table.rules(), number).unwrap().check;
    let checks = (0..generations).filter_map(play).collect();
    (bytes(&population[0].params), bytes(&gan.discriminator), checks)
}

#[test]
fn a_check_changes_nothing() {
    for overrides in [
        &["fitness=one-pass", "gamma=0"][..],
        &["fitness=linear", "gamma=0.01"],
        &["fitness=linear", "gamma=0", "adam=per-mutation", "mu=2"],
        &["fitness=linear", "gamma=0.01", "d_loss=relativistic", "lengths=equal"],
    ] {
        let without = run(&[overrides, &["log.fitness=0"]].concat(), 4);
        let with = run(&[overrides, &["log.fitness=1"]].concat(), 4);
        assert!(without.0 == with.0 && without.1 == with.1, "{overrides:?}");
        assert_eq!((without.2.len(), with.2.len()), (0, 4));
        for check in with.2 {
            assert!((0.0..=1.0).contains(&check.regret) && check.error.is_finite(), "{check:?}");
            assert!(check.agrees == (check.regret == 0.0), "{check:?}");
        }
    }
    assert!(run(&["log.fitness=1"], 2).2.is_empty(), "what is exact is not checked");
}

#[test]
fn steps_that_are_short_are_judged_right() {
    let checks = run(&["fitness=linear", "gamma=0", "log.fitness=1", "lr_g=1e-5", "eval=32"], 10).2;
    let right = checks.iter().filter(|check| check.agrees).count();
    assert!(right >= 9, "{checks:?}");
    assert!(checks.iter().all(|check| check.error < 0.1), "{checks:?}");
}

/// The exact fitness of the check is that of evaluation, and groups of images say how noisy it is.
#[test]
fn the_check_s_fitness_is_that_of_evaluation() {
    for (gamma, d_loss) in [(0.0, "minimax"), (0.5, "minimax"), (0.5, "relativistic")] {
        let table = Table::new(&[&format!("gamma={gamma}"), &format!("d_loss={d_loss}"), "eval=16"]);
        let mut gan = table.gan();
        gan.begin(0).unwrap();
        let mut child = table.population().swap_remove(0);
        let exact = gan.exact(&child, gamma).unwrap();
        let (quality, diversity) = gan.evaluate(0, &mut child, gamma != 0.0).unwrap();
        let fitness = quality + gamma * diversity.unwrap_or(0.0);
        assert!((exact.all - fitness).abs() < 1e-5, "{} {fitness}", exact.all);
        assert_eq!(exact.without.len(), 8);
        // The mean over all without one group is near the whole.
        let mean = exact.without.iter().sum::<f64>() / 8.0;
        assert!((mean - fitness).abs() < 0.05, "{mean} {fitness}");
        assert!(exact.without.iter().any(|&v| v != exact.all));
    }
}
