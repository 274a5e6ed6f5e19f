//! One generation of E-GAN, from top to bottom.
//!
//! What a network is does not matter here: the players are behind a trait, so that order and bookkeeping are tested with
//! a mock.

use crate::Loss;
use crate::selection::{Score, Selection, survivors};
use base::seed::Stream;
use serde::{Deserialize, Serialize};

/// The rules of a generation.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The mutation operators.
    pub mutations: Vec<Loss>,
    /// Survivors.
    pub mu: usize,
    /// Weight of diversity in the fitness; 0: diversity is not computed.
    pub gamma: f64,
    /// Who survives.
    pub selection: Selection,
    /// Steps of the discriminator.
    pub d_steps: usize,
    /// The seed of random choices.
    pub seed: u64,
}

/// Those who play: generators that can be mutated and judged, and the discriminator.
pub trait Players {
    /// A generator with all that it inherits.
    type Individual: Clone;
    /// What can go wrong.
    type Error;

    /// Readies what all of a generation share (reals, noise).
    fn begin(&mut self, generation: u64) -> Result<(), Self::Error>;

    /// One child for each mutation, from this parent. Parents are given in the order of the population.
    fn mutate(
        &mut self,
        place: usize,
        parent: &Self::Individual,
        mutations: &[Loss],
    ) -> Result<Vec<Self::Individual>, Self::Error>;

    /// Quality and, where asked, diversity of an individual under the discriminator of this generation, which stays as it
    /// is. Contestants are numbered from 0.
    fn evaluate(
        &mut self,
        contestant: usize,
        individual: &mut Self::Individual,
        diversity: bool,
    ) -> Result<(f64, Option<f64>), Self::Error>;

    /// One step of the discriminator against the survivors; returns its loss.
    fn train_discriminator(&mut self, step: usize, survivors: &mut [Self::Individual]) -> Result<f64, Self::Error>;
}

/// A child in the records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// Its parent's place in the population.
    pub parent: usize,
    /// How it was made; `null` for a parent that competes (elitist selection).
    pub mutation: Option<Loss>,
    /// Quality; `null` where nothing was compared.
    pub fq: Option<f64>,
    /// Diversity; `null` where it was not computed.
    pub fd: Option<f64>,
    /// Fitness; `null` where nothing was compared.
    pub f: Option<f64>,
}

/// What happened in a generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// All contestants.
    pub children: Vec<Child>,
    /// Places of the survivors among the contestants, best first.
    pub survivors: Vec<usize>,
    /// Mean loss of the discriminator over its steps.
    pub d_loss: f64,
}

/// Plays one generation: the population becomes its survivors.
///
/// # Errors
/// Whatever the players report; the population is as before then.
pub fn generation<P: Players>(
    players: &mut P,
    population: &mut Vec<P::Individual>,
    rules: &Rules,
    number: u64,
) -> Result<Record, P::Error> {
    players.begin(number)?;

    // Variation: every parent makes a child with every mutation, or with the one that was drawn.
    let mut contestants = Vec::new();
    let mut children = Vec::new();
    for (place, parent) in population.iter().enumerate() {
        let mutations = mutations_of(rules, number, place);
        let made = players.mutate(place, parent, &mutations)?;
        for (child, mutation) in made.into_iter().zip(mutations) {
            contestants.push(child);
            children.push(Child { parent: place, mutation: Some(mutation), fq: None, fd: None, f: None });
        }
    }
    if rules.selection == Selection::Elitist {
        contestants.extend(population.iter().cloned());
        let parent = |place| Child { parent: place, mutation: None, fq: None, fd: None, f: None };
        children.extend((0..population.len()).map(parent));
    }

    // Evaluation: only where there is something to choose.
    let compared = rules.selection.compares() && contestants.len() > rules.mu;
    let mut scores = Vec::new();
    if compared {
        let with_diversity = rules.gamma != 0.0 || rules.selection == Selection::Pareto;
        for (number, (contestant, child)) in contestants.iter_mut().zip(&mut children).enumerate() {
            let (quality, diversity) = players.evaluate(number, contestant, with_diversity)?;
            let fitness = quality + if rules.gamma == 0.0 { 0.0 } else { rules.gamma * diversity.unwrap_or(0.0) };
            (child.fq, child.fd, child.f) = (Some(quality), diversity, Some(fitness));
            scores.push(Score { quality, diversity, fitness });
        }
    }

    // Selection: survival of the fittest.
    let survivors =
        if compared { survivors(rules.selection, &scores, rules.mu) } else { (0..contestants.len()).collect() };
    let mut chosen: Vec<P::Individual> = survivors.iter().map(|&i| contestants[i].clone()).collect();
    drop(contestants);

    // The environment: the discriminator learns to tell the survivors from the reals.
    let mut d_loss = 0.0;
    for step in 0..rules.d_steps {
        d_loss += players.train_discriminator(step, &mut chosen)?;
    }
    *population = chosen;
    Ok(Record { children, survivors, d_loss: d_loss / rules.d_steps.max(1) as f64 })
}

fn mutations_of(rules: &Rules, generation: u64, place: usize) -> Vec<Loss> {
    let turn = generation * rules.mu as u64 + place as u64;
    match rules.selection {
        Selection::Random => vec![*Stream::new(rules.seed, "mutation", turn).choose(&rules.mutations)],
        Selection::RoundRobin => vec![rules.mutations[(turn % rules.mutations.len() as u64) as usize]],
        Selection::Fitness | Selection::Elitist | Selection::Pareto => rules.mutations.clone(),
    }
}

#[cfg(test)]
mod tests;
