//! Order and bookkeeping, with players that only write down what they are asked.

use super::*;
use std::fmt::Write;

/// An individual is its story; its quality is looked up in a table.
#[derive(Default)]
struct Mock {
    log: String,
    qualities: Vec<f64>,
}

impl Players for Mock {
    type Individual = String;
    type Error = String;

    fn begin(&mut self, generation: u64) -> Result<(), String> {
        writeln!(self.log, "begin {generation}").map_err(|e| e.to_string())
    }

    fn mutate(&mut self, place: usize, parent: &String, mutations: &[Loss]) -> Result<Vec<String>, String> {
        let names: Vec<&str> = mutations.iter().map(|m| m.name()).collect();
        writeln!(self.log, "mutate {place}: {parent} by {}", names.join(", ")).map_err(|e| e.to_string())?;
        Ok(names.iter().map(|name| format!("{parent}>{name}")).collect())
    }

    fn evaluate(
        &mut self,
        contestant: usize,
        individual: &mut String,
        diversity: bool,
    ) -> Result<(f64, Option<f64>), String> {
        writeln!(self.log, "evaluate {contestant}: {individual}").map_err(|e| e.to_string())?;
        Ok((self.qualities[contestant], diversity.then_some(-self.qualities[contestant])))
    }

    fn estimate(&mut self, children: &[String], gamma: f64) -> Result<Vec<f64>, String> {
        writeln!(self.log, "estimate {} with gamma {gamma}", children.join(", ")).map_err(|e| e.to_string())?;
        Ok(self.qualities[..children.len()].to_vec())
    }

    fn foresee(&mut self, place: usize, parent: &String, mutations: &[Loss]) -> Result<Vec<f64>, String> {
        writeln!(self.log, "foresee {place}: {parent}").map_err(|e| e.to_string())?;
        Ok(self.qualities[..mutations.len()].to_vec())
    }

    fn verify(
        &mut self,
        place: usize,
        parent: &String,
        _mutations: &[Loss],
        _gamma: f64,
        estimates: &[f64],
    ) -> Result<Check, String> {
        writeln!(self.log, "verify {place}: {parent}").map_err(|e| e.to_string())?;
        let exact: Vec<_> = estimates.iter().map(|&all| crate::estimate::Exact { all, without: Vec::new() }).collect();
        Ok(Check::of(estimates, &exact))
    }

    fn train_discriminator(&mut self, step: usize, survivors: &mut [String]) -> Result<f64, String> {
        writeln!(self.log, "discriminator {step}: {}", survivors.join(" ")).map_err(|e| e.to_string())?;
        if self.qualities.iter().any(|q| q.is_nan()) { Err("NaN".into()) } else { Ok(step as f64) }
    }
}

fn rules(selection: Selection, mu: usize) -> Rules {
    let mutations = vec![Loss::Minimax, Loss::Heuristic, Loss::LeastSquares];
    Rules { mutations, mu, gamma: 0.0, selection, fitness: Fitness::Exact, check: 0, d_steps: 2, seed: 1 }
}

fn play(rules: &Rules, qualities: &[f64], generations: u64) -> (String, Vec<String>, Vec<Record>) {
    let mut mock = Mock { qualities: qualities.to_vec(), ..Mock::default() };
    let mut population: Vec<String> = (0..rules.mu).map(|i| format!("g{i}")).collect();
    let records = (0..generations).map(|g| generation(&mut mock, &mut population, rules, g).unwrap()).collect();
    (mock.log, population, records)
}

#[test]
fn a_generation_of_two_parents() {
    let (log, population, records) = play(&rules(Selection::Fitness, 2), &[0.1, 0.9, 0.3, 0.2, 0.8, 0.4], 1);
    insta::assert_snapshot!(log, @"
    begin 0
    mutate 0: g0 by minimax, heuristic, least-squares
    mutate 1: g1 by minimax, heuristic, least-squares
    evaluate 0: g0>minimax
    evaluate 1: g0>heuristic
    evaluate 2: g0>least-squares
    evaluate 3: g1>minimax
    evaluate 4: g1>heuristic
    evaluate 5: g1>least-squares
    discriminator 0: g0>heuristic g1>heuristic
    discriminator 1: g0>heuristic g1>heuristic
    ");
    assert_eq!(population, ["g0>heuristic", "g1>heuristic"]);
    assert_eq!(records[0].survivors, [1, 4]);
    assert_eq!(records[0].d_loss, 0.5);
    assert_eq!(records[0].children.len(), 6);
    assert!(records[0].children.iter().all(|c| c.fd.is_none() && c.f == c.fq));
}

#[test]
fn random_selection_makes_one_child_and_evaluates_nothing() {
    let (log, population, _) = play(&rules(Selection::Random, 1), &[], 3);
    assert!(!log.contains("evaluate"), "{log}");
    assert_eq!(population.len(), 1);
    let again = play(&rules(Selection::Random, 1), &[], 3).1;
    assert_eq!(population, again);
}

#[test]
fn round_robin_takes_turns() {
    let (_, population, _) = play(&rules(Selection::RoundRobin, 1), &[], 4);
    assert_eq!(population, ["g0>minimax>heuristic>least-squares>minimax"]);
}

#[test]
fn one_mutation_is_a_plain_gan_and_evaluates_nothing() {
    let rules = Rules { mutations: vec![Loss::Heuristic], ..rules(Selection::Fitness, 1) };
    let (log, population, _) = play(&rules, &[], 2);
    insta::assert_snapshot!(log, @"
    begin 0
    mutate 0: g0 by heuristic
    discriminator 0: g0>heuristic
    discriminator 1: g0>heuristic
    begin 1
    mutate 0: g0>heuristic by heuristic
    discriminator 0: g0>heuristic>heuristic
    discriminator 1: g0>heuristic>heuristic
    ");
    assert_eq!(population, ["g0>heuristic>heuristic"]);
}

#[test]
fn parents_survive_only_under_elitism() {
    let qualities = [0.1, 0.2, 0.3, 0.9];
    let (log, population, records) = play(&rules(Selection::Elitist, 1), &qualities, 1);
    assert!(log.contains("evaluate 3: g0\n"));
    assert_eq!(population, ["g0"]);
    assert_eq!(records[0].children[3].mutation, None);
    assert_eq!(play(&rules(Selection::Fitness, 1), &qualities, 1).1, ["g0>least-squares"]);
}

#[test]
fn gamma_adds_diversity_to_the_fitness() {
    let rules = Rules { gamma: 2.0, ..rules(Selection::Fitness, 1) };
    // Diversity is minus quality here, so gamma 2 turns the order round.
    let (_, population, records) = play(&rules, &[0.1, 0.2, 0.3], 1);
    assert_eq!(population, ["g0>minimax"]);
    assert_eq!(records[0].children[0].f, Some(-0.1));
}

#[test]
fn a_failure_leaves_the_population_as_it_was() {
    let mut mock = Mock { qualities: vec![f64::NAN; 3], ..Mock::default() };
    let mut population = vec!["g0".to_string()];
    assert!(generation(&mut mock, &mut population, &rules(Selection::Fitness, 1), 0).is_err());
    assert_eq!(population, ["g0"]);
}

#[test]
fn an_estimate_stands_for_evaluation() {
    let rules = Rules { fitness: Fitness::Linear, check: 2, gamma: 0.5, ..rules(Selection::Fitness, 1) };
    let (log, population, records) = play(&rules, &[0.1, 0.9, 0.3], 2);
    insta::assert_snapshot!(log, @"
    begin 0
    mutate 0: g0 by minimax, heuristic, least-squares
    estimate g0>minimax, g0>heuristic, g0>least-squares with gamma 0.5
    discriminator 0: g0>heuristic
    discriminator 1: g0>heuristic
    begin 1
    mutate 0: g0>heuristic by minimax, heuristic, least-squares
    estimate g0>heuristic>minimax, g0>heuristic>heuristic, g0>heuristic>least-squares with gamma 0.5
    verify 0: g0>heuristic
    discriminator 0: g0>heuristic>heuristic
    discriminator 1: g0>heuristic>heuristic
    ");
    assert_eq!(population, ["g0>heuristic>heuristic"]);
    assert!(records[0].check.is_none() && records[1].check.as_ref().unwrap().agrees);
    assert_eq!(
        records[0].children[2],
        Child { parent: 0, mutation: Some(Loss::LeastSquares), fq: None, fd: None, f: Some(0.3) }
    );
}

#[test]
fn what_is_foreseen_is_made_alone() {
    let rules = Rules { fitness: Fitness::OnePass, ..rules(Selection::Fitness, 1) };
    let (log, population, records) = play(&rules, &[0.1, 0.3, 0.9], 1);
    insta::assert_snapshot!(log, @"
    begin 0
    foresee 0: g0
    mutate 0: g0 by least-squares
    discriminator 0: g0>least-squares
    discriminator 1: g0>least-squares
    ");
    assert_eq!(population, ["g0>least-squares"]);
    assert_eq!((records[0].survivors.as_slice(), records[0].children.len()), (&[2][..], 3));
    // Where there is nothing to choose, nothing is foreseen.
    let alone = Rules { mutations: vec![Loss::Hinge], ..rules.clone() };
    assert!(!play(&alone, &[0.1], 1).0.contains("foresee"));
    let random = Rules { selection: Selection::Random, ..rules };
    assert!(!play(&random, &[0.1, 0.3, 0.9], 2).0.contains("foresee"));
}
