//! One generation of E-GAN, from top to bottom.
//!
//! What a network is does not matter here: the players are behind a trait, so that order and bookkeeping are tested with
//! a mock.

use crate::Loss;
use crate::estimate::Check;
use crate::selection::{Score, Selection, survivors};
use crate::settings::{Fitness, Settings};
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
    /// How fitness is found.
    pub fitness: Fitness,
    /// Generations between exact checks of an estimated fitness; 0: none.
    pub check: u64,
    /// Steps of the discriminator.
    pub d_steps: usize,
    /// The seed of random choices.
    pub seed: u64,
}

impl Rules {
    /// The rules of a run.
    pub fn of(s: &Settings) -> Self {
        Self {
            mutations: s.mutations.clone(),
            mu: s.mu,
            gamma: s.gamma,
            selection: s.selection,
            fitness: s.fitness,
            check: s.log.fitness,
            d_steps: s.d_steps,
            seed: s.seed,
        }
    }
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

    /// The fitness of the children of one parent, estimated for all together.
    fn estimate(&mut self, children: &[Self::Individual], gamma: f64) -> Result<Vec<f64>, Self::Error>;

    /// What the child of each mutation would be worth, but for what all of them have in common, before any is made.
    fn foresee(&mut self, place: usize, parent: &Self::Individual, mutations: &[Loss])
    -> Result<Vec<f64>, Self::Error>;

    /// Compares estimates with the exact fitness of a parent's children. Nothing changes.
    fn verify(
        &mut self,
        place: usize,
        parent: &Self::Individual,
        mutations: &[Loss],
        gamma: f64,
        estimates: &[f64],
    ) -> Result<Check, Self::Error>;

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
    /// Quality; `null` where nothing was compared, or only the sum of both terms was estimated.
    pub fq: Option<f64>,
    /// Diversity; `null` where it was not computed.
    pub fd: Option<f64>,
    /// Fitness; `null` where nothing was compared. With `fitness=one-pass` it lacks what all children have in common.
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
    /// How good estimates of fitness were, where they were checked.
    pub check: Option<Check>,
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

    let rivals = population.len() * (rules.mutations.len() + usize::from(rules.selection == Selection::Elitist));
    let compared = rules.selection.compares() && rivals > rules.mu;
    let fitness = if compared { rules.fitness } else { Fitness::Exact };
    let due = fitness != Fitness::Exact && rules.check > 0 && (number + 1).is_multiple_of(rules.check);

    // Variation: every parent makes a child with every mutation, or with the one that was drawn or is foreseen to be the best.
    let (mut contestants, mut children) = (Vec::new(), Vec::new());
    let mut check = None;
    for (place, parent) in population.iter().enumerate() {
        let mutations = mutations_of(rules, number, place);
        let (made, estimates) = match fitness {
            Fitness::Exact => (players.mutate(place, parent, &mutations)?.into_iter().map(Some).collect(), Vec::new()),
            Fitness::Linear => {
                let made = players.mutate(place, parent, &mutations)?;
                let estimates = players.estimate(&made, rules.gamma)?;
                (made.into_iter().map(Some).collect(), estimates)
            }
            Fitness::OnePass => {
                let foreseen = players.foresee(place, parent, &mutations)?;
                let best = fittest(&foreseen);
                let mut made: Vec<Option<P::Individual>> = vec![None; mutations.len()];
                if let (Some(place_of), Some(&mutation)) = (made.get_mut(best), mutations.get(best)) {
                    *place_of = players.mutate(place, parent, &[mutation])?.pop();
                }
                (made, foreseen)
            }
        };
        if due && place == 0 {
            check = Some(players.verify(place, parent, &mutations, rules.gamma, &estimates)?);
        }
        for (k, (child, mutation)) in made.into_iter().zip(mutations).enumerate() {
            let f = estimates.get(k).copied();
            let fq = f.filter(|_| fitness == Fitness::Linear && rules.gamma == 0.0);
            contestants.push(child);
            children.push(Child { parent: place, mutation: Some(mutation), fq, fd: None, f });
        }
    }
    if rules.selection == Selection::Elitist {
        contestants.extend(population.iter().cloned().map(Some));
        let parent = |place| Child { parent: place, mutation: None, fq: None, fd: None, f: None };
        children.extend((0..population.len()).map(parent));
    }

    // Evaluation: only where there is something to choose that was not estimated.
    if compared && fitness == Fitness::Exact {
        let with_diversity = rules.gamma != 0.0 || rules.selection == Selection::Pareto;
        for (number, (contestant, child)) in contestants.iter_mut().flatten().zip(&mut children).enumerate() {
            let (quality, diversity) = players.evaluate(number, contestant, with_diversity)?;
            let fitness = quality + if rules.gamma == 0.0 { 0.0 } else { rules.gamma * diversity.unwrap_or(0.0) };
            (child.fq, child.fd, child.f) = (Some(quality), diversity, Some(fitness));
        }
    }

    // Selection: survival of the fittest.
    let survivors = if compared {
        let score = |child: &Child| {
            let fitness = child.f.unwrap_or_default();
            Score { quality: child.fq.unwrap_or(fitness), diversity: child.fd, fitness }
        };
        survivors(rules.selection, &children.iter().map(score).collect::<Vec<_>>(), rules.mu)
    } else {
        (0..contestants.len()).collect()
    };
    let mut chosen: Vec<P::Individual> = survivors.iter().filter_map(|&i| contestants[i].clone()).collect();
    drop(contestants);

    // The environment: the discriminator learns to tell the survivors from the reals.
    let mut d_loss = 0.0;
    for step in 0..rules.d_steps {
        d_loss += players.train_discriminator(step, &mut chosen)?;
    }
    *population = chosen;
    Ok(Record { children, survivors, d_loss: d_loss / rules.d_steps.max(1) as f64, check })
}

/// The place of the largest fitness; the earlier one of equals, as selection has it.
fn fittest(scores: &[f64]) -> usize {
    let larger = |best: usize, i: usize| if scores[i].total_cmp(&scores[best]).is_gt() { i } else { best };
    (1..scores.len()).fold(0, larger)
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
