//! How far estimates of fitness can be trusted: checks against the exact one, and what the last of them say together.

use serde::{Deserialize, Serialize};

/// Checks that are remembered.
const RECENT: usize = 10;
/// The least share of right winners among them.
const LEAST: f64 = 0.7;
/// The largest mean error, as a share of the spread of fitness.
const MOST_ERROR: f64 = 0.5;
/// Standard errors by which a margin is above noise.
const CLEAR: f64 = 2.0;

/// The exact fitness of a child.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exact {
    /// By all images.
    pub(crate) all: f64,
    /// Without each of several groups of images, the same for all children.
    pub(crate) without: Vec<f64>,
}

/// A check of an estimated fitness: the children of the first parent were judged exactly as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Whether the estimate chose the fittest child.
    pub agrees: bool,
    /// What its choice lost, as a share of the spread of the exact fitness (0 to 1).
    pub regret: f64,
    /// The mean error of the differences between children, as a share of that spread.
    pub error: f64,
    /// By how many standard errors the fittest child leads the second; `null` where the images say nothing of noise.
    pub t: Option<f64>,
    /// The share of checks that agreed, of the last ten.
    pub agreement: f64,
    /// The share of margins above two standard errors, of the last ten: below 0.2 `selection=random` does as well.
    pub clear: f64,
    /// Whether ten checks say that the estimate cannot be trusted: agreement below 0.7, or a mean error above half of the spread.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
}

impl Check {
    /// Compares estimates with what is exact, child by child. Estimates may lack what all children have in common.
    pub(crate) fn of(estimates: &[f64], exact: &[Exact]) -> Self {
        let found: Vec<f64> = exact.iter().map(|child| child.all).collect();
        let order = |values: &[f64]| {
            let mut order: Vec<usize> = (0..values.len()).collect();
            order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
            order
        };
        let (chosen, ranks) = (order(estimates)[0], order(&found));
        let best = ranks[0];
        let worst = ranks[ranks.len() - 1];
        let spread = found[best] - found[worst];
        let share = |value: f64| if spread > 0.0 { value / spread } else { 0.0 };
        let (middle, middle_found) = (mean(estimates), mean(&found));
        let errors: Vec<f64> =
            estimates.iter().zip(&found).map(|(e, f)| ((e - middle) - (f - middle_found)).abs()).collect();
        let t = ranks.get(1).and_then(|&second| margin(&exact[best], &exact[second]));
        Self {
            agrees: chosen == best || found[chosen] == found[best],
            regret: share(found[best] - found[chosen]),
            error: share(mean(&errors)),
            t,
            agreement: 0.0,
            clear: 0.0,
            doubtful: false,
        }
    }
}

/// The lead of one child over another in standard errors, by the jackknife over groups of images.
fn margin(a: &Exact, b: &Exact) -> Option<f64> {
    let leads: Vec<f64> = a.without.iter().zip(&b.without).map(|(a, b)| a - b).collect();
    let n = leads.len() as f64;
    let middle = mean(&leads);
    let error = ((n - 1.0) / n * leads.iter().map(|lead| (lead - middle).powi(2)).sum::<f64>()).sqrt();
    (n > 1.0 && error > 0.0).then(|| (a.all - b.all) / error)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// What all checks of a run say together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checks {
    /// How many there were.
    pub count: usize,
    /// The share in which the estimate chose the fittest child.
    pub agreement: f64,
    /// The mean of what its choices lost, as a share of the spread of fitness.
    pub regret: f64,
    /// The mean error, as a share of that spread.
    pub error: f64,
    /// The share of margins above two standard errors.
    pub clear: f64,
}

impl Checks {
    /// Of a list of checks; none of no checks.
    pub fn of(checks: &[Check]) -> Option<Self> {
        let each = |of: fn(&Check) -> f64| mean(&checks.iter().map(of).collect::<Vec<_>>());
        (!checks.is_empty()).then(|| Self {
            count: checks.len(),
            agreement: each(|c| f64::from(u8::from(c.agrees))),
            regret: each(|c| c.regret),
            error: each(|c| c.error),
            clear: each(|c| f64::from(u8::from(c.t.is_some_and(|t| t > CLEAR)))),
        })
    }
}

/// What the last checks of a run were, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trust(Vec<Recent>);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Recent {
    agrees: bool,
    clear: bool,
    error: f64,
}

impl Trust {
    /// Adds a check, which learns what it and those before it say together.
    pub(crate) fn note(&mut self, check: &mut Check) {
        let clear = check.t.is_some_and(|t| t > CLEAR);
        self.0.push(Recent { agrees: check.agrees, clear, error: check.error });
        if self.0.len() > RECENT {
            self.0.remove(0);
        }
        let n = self.0.len() as f64;
        let share = |of: fn(&Recent) -> bool| self.0.iter().filter(|recent| of(recent)).count() as f64 / n;
        (check.agreement, check.clear) = (share(|r| r.agrees), share(|r| r.clear));
        let error = self.0.iter().map(|recent| recent.error).sum::<f64>() / n;
        check.doubtful = self.0.len() == RECENT && (check.agreement < LEAST || error > MOST_ERROR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(all: f64, wiggle: f64) -> Exact {
        Exact { all, without: (0..8).map(|i| all + if i % 2 == 0 { wiggle } else { -wiggle }).collect() }
    }

    #[test]
    fn a_constant_in_the_estimates_is_no_error() {
        let found = [exact(0.1, 0.0), exact(0.3, 0.0), exact(0.2, 0.0)];
        let check = Check::of(&[5.1, 5.3, 5.2], &found);
        assert!(check.agrees && check.regret == 0.0 && check.error < 1e-12);
        // The winner is named wrong: what is lost is half of the spread.
        let check = Check::of(&[0.1, 0.2, 0.3], &found);
        assert!(!check.agrees && (check.regret - 0.5).abs() < 1e-12 && (check.error - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_margin_is_told_in_standard_errors() {
        // The wiggles of the two children are opposite, so those of their difference are twice as large.
        let check = Check::of(&[1.0, 0.0], &[exact(1.0, 0.01), exact(0.0, -0.01)]);
        let error = (7.0f64 / 8.0 * 8.0 * 0.02 * 0.02).sqrt();
        assert!((check.t.unwrap() - 1.0 / error).abs() < 1e-9);
        // What all children have in common is no noise.
        assert_eq!(Check::of(&[1.0, 0.0], &[exact(1.0, 0.25), exact(0.0, 0.25)]).t, None);
        assert_eq!(Check::of(&[1.0, 1.0], &[exact(1.0, 0.0), exact(1.0, 0.0)]).regret, 0.0);
    }

    #[test]
    fn ten_checks_decide_on_trust() {
        let found = [exact(0.0, 0.0), exact(1.0, 0.0)];
        let mut trust = Trust::default();
        let mut note = |right: bool| {
            let mut check = Check::of(if right { &[0.0, 1.0] } else { &[0.2, 0.1] }, &found);
            trust.note(&mut check);
            check
        };
        for _ in 0..6 {
            assert!(!note(true).doubtful);
        }
        for _ in 0..3 {
            assert!(!note(false).doubtful, "fewer than ten say nothing");
        }
        let tenth = note(false);
        assert!(tenth.doubtful && (tenth.agreement - 0.6).abs() < 1e-12);
        let later: Vec<bool> = (0..8).map(|_| note(true).doubtful).collect();
        // The right ones at the beginning are forgotten first.
        assert_eq!(later, [true, true, true, true, true, true, false, false]);
    }
}
