//! Who survives.

use serde::{Deserialize, Serialize};

/// The rule that chooses the survivors of a generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// (mu, lambda): the fittest children; parents are always discarded. The papers' rule.
    #[default]
    Fitness,
    /// (mu + lambda): parents compete with their children, so the best fitness under one discriminator never drops.
    Elitist,
    /// Non-dominated sorting on (Fq, Fd) with crowding distance (NSGA-II, Deb et al. 2002): no gamma.
    Pareto,
    /// Each parent makes one child with a mutation drawn at random; nothing is evaluated.
    Random,
    /// Each parent makes one child; mutations take turns; nothing is evaluated.
    RoundRobin,
}

impl Selection {
    /// Whether children are made and compared; otherwise the mutation is chosen beforehand.
    pub fn compares(self) -> bool {
        matches!(self, Self::Fitness | Self::Elitist | Self::Pareto)
    }
}

/// What is known of a contestant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Quality: mean judgement of the discriminator.
    pub quality: f64,
    /// Diversity: `-log` of the norm of the discriminator's gradient; `None` where it was not computed.
    pub diversity: Option<f64>,
    /// `quality + gamma * diversity`.
    pub fitness: f64,
}

/// The indices of the `mu` survivors, best first. Ties go to the earlier contestant.
pub fn survivors(selection: Selection, scores: &[Score], mu: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    match selection {
        Selection::Pareto => {
            let (front, crowding) = fronts(scores);
            order.sort_by(|&a, &b| front[a].cmp(&front[b]).then(crowding[b].total_cmp(&crowding[a])).then(a.cmp(&b)));
        }
        Selection::Random | Selection::RoundRobin => {}
        Selection::Fitness | Selection::Elitist => {
            order.sort_by(|&a, &b| scores[b].fitness.total_cmp(&scores[a].fitness).then(a.cmp(&b)));
        }
    }
    order.truncate(mu);
    order
}

/// The front (0 is not dominated) and crowding distance of each.
fn fronts(scores: &[Score]) -> (Vec<usize>, Vec<f64>) {
    let goals: Vec<[f64; 2]> = scores.iter().map(|s| [s.quality, s.diversity.unwrap_or(0.0)]).collect();
    let dominates =
        |a: usize, b: usize| (0..2).all(|k| goals[a][k] >= goals[b][k]) && (0..2).any(|k| goals[a][k] > goals[b][k]);
    let n = scores.len();
    let mut front = vec![usize::MAX; n];
    for level in 0..n {
        let left: Vec<usize> = (0..n).filter(|&i| front[i] == usize::MAX).collect();
        let best: Vec<usize> = left.iter().copied().filter(|&i| !left.iter().any(|&j| dominates(j, i))).collect();
        best.iter().for_each(|&i| front[i] = level);
    }
    let mut crowding = vec![0.0; n];
    for level in 0..n {
        for goal in [|g: [f64; 2]| g[0], |g: [f64; 2]| g[1]] {
            let of = |i: usize| goal(goals[i]);
            let mut members: Vec<usize> = (0..n).filter(|&i| front[i] == level).collect();
            members.sort_by(|&a, &b| of(a).total_cmp(&of(b)).then(a.cmp(&b)));
            let (Some(&first), Some(&last)) = (members.first(), members.last()) else { continue };
            let span = of(last) - of(first);
            crowding[first] = f64::INFINITY;
            crowding[last] = f64::INFINITY;
            for three in members.windows(3) {
                if span > 0.0 {
                    crowding[three[1]] += (of(three[2]) - of(three[0])) / span;
                }
            }
        }
    }
    (front, crowding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn score(quality: f64, diversity: f64) -> Score {
        Score { quality, diversity: Some(diversity), fitness: quality + diversity }
    }

    #[test]
    fn ties_go_to_the_earlier_child() {
        let scores = [score(0.5, 0.0), score(0.7, 0.0), score(0.7, 0.0), score(0.2, 0.0)];
        assert_eq!(survivors(Selection::Fitness, &scores, 2), [1, 2]);
        assert_eq!(survivors(Selection::Fitness, &[score(0.1, 0.0); 3], 1), [0]);
    }

    #[test]
    fn a_front_comes_before_what_it_dominates() {
        // 0 and 1 and 4 are not dominated; 2 is dominated by 1, 3 by all. Of the front, its ends come first.
        let scores = [score(1.0, 0.0), score(0.5, 0.5), score(0.4, 0.5), score(0.0, -1.0), score(0.0, 1.0)];
        assert_eq!(survivors(Selection::Pareto, &scores, 5), [0, 4, 1, 2, 3]);
    }

    proptest! {
        #[test]
        fn survivors_are_mu_different_contestants(scores in prop::collection::vec((-1f64..1.0, -1f64..1.0), 1..12), mu in 1usize..5) {
            let scores: Vec<Score> = scores.into_iter().map(|(q, d)| score(q, d)).collect();
            for rule in [Selection::Fitness, Selection::Elitist, Selection::Pareto, Selection::Random] {
                let mut chosen = survivors(rule, &scores, mu);
                prop_assert_eq!(chosen.len(), mu.min(scores.len()));
                chosen.sort_unstable();
                chosen.dedup();
                prop_assert_eq!(chosen.len(), mu.min(scores.len()));
            }
        }

        #[test]
        fn the_fittest_always_survives(scores in prop::collection::vec((-1f64..1.0, -1f64..1.0), 1..12)) {
            let scores: Vec<Score> = scores.into_iter().map(|(q, d)| score(q, d)).collect();
            let best = scores.iter().map(|s| s.fitness).fold(f64::NEG_INFINITY, f64::max);
            prop_assert_eq!(scores[survivors(Selection::Fitness, &scores, 1)[0]].fitness, best);
        }
    }
}
