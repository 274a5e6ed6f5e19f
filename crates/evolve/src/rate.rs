//! How learning rates go over a run: a warm-up, and a decay.
//!
//! The rate of a generation is a function of its number and of the settings alone, so a run that was interrupted goes on with the same rates.
//! Where the decay takes the whole run (`rate.over` is 0), a run that is resumed with more generations has a longer decay from there on: its
//! rate rises to where the longer decay is.

use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The form of a decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// None.
    #[default]
    Constant,
    /// Along a line.
    Linear,
    /// Along half a cosine: slow, fast, slow (Loshchilov & Hutter, arXiv 1608.03983, without restarts).
    Cosine,
}

/// Who learns at the rates of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Player {
    /// The generators.
    G,
    /// The discriminator.
    D,
}

/// How learning rates go over a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSettings {
    /// The form of the decay.
    pub decay: Decay,
    /// The part of the rate that is left at the end of the decay.
    pub end: f64,
    /// The generation in which the decay is at its end; 0: the last one of the run.
    pub over: u64,
    /// Generations at the start over which rates grow to their full size; the decay begins after them.
    pub warm_up: u64,
    /// Whose rates they are.
    pub of: Vec<Player>,
}

impl Default for RateSettings {
    fn default() -> Self {
        Self { decay: Decay::Constant, end: 0.1, over: 0, warm_up: 0, of: vec![Player::G, Player::D] }
    }
}

impl RateSettings {
    /// Whether all generations have the same rates.
    pub fn is_constant(&self) -> bool {
        self.of.is_empty() || self.decay == Decay::Constant && self.warm_up == 0
    }

    /// What the rate of a player is multiplied by in a generation, counted from 0, of a run of `generations`.
    pub fn factor(&self, player: Player, generation: u64, generations: u64) -> f64 {
        if !self.of.contains(&player) {
            return 1.0;
        }
        if generation < self.warm_up {
            return (generation + 1) as f64 / self.warm_up as f64;
        }
        let length = if self.over == 0 { generations } else { self.over };
        let steps = length.saturating_sub(1).saturating_sub(self.warm_up).max(1);
        let done = ((generation - self.warm_up) as f64 / steps as f64).min(1.0);
        match self.decay {
            Decay::Constant => 1.0,
            Decay::Linear => 1.0 + done * (self.end - 1.0),
            Decay::Cosine => self.end + (1.0 - self.end) * 0.5 * (1.0 + libm::cos(PI * done)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(rate: &RateSettings, generations: u64) -> Vec<f64> {
        (0..generations).map(|g| rate.factor(Player::G, g, generations)).collect()
    }

    fn is(found: &[f64], wanted: &[f64]) {
        assert_eq!(found.len(), wanted.len());
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} for {wanted:?}");
    }

    #[test]
    fn rates_rise_and_fall_as_they_are_told() {
        let linear = RateSettings { decay: Decay::Linear, end: 0.5, ..RateSettings::default() };
        is(&all(&linear, 5), &[1.0, 0.875, 0.75, 0.625, 0.5]);
        is(&all(&RateSettings { warm_up: 2, ..linear.clone() }, 5), &[0.5, 1.0, 1.0, 0.75, 0.5]);
        is(&all(&RateSettings { over: 3, ..linear.clone() }, 5), &[1.0, 0.75, 0.5, 0.5, 0.5]);
        let cosine = RateSettings { decay: Decay::Cosine, end: 0.2, ..RateSettings::default() };
        is(&all(&cosine, 3), &[1.0, 0.6, 0.2]);
        let warm = RateSettings { warm_up: 4, ..RateSettings::default() };
        is(&all(&warm, 6), &[0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
        let of_d = RateSettings { of: vec![Player::D], ..cosine };
        assert_eq!((of_d.factor(Player::G, 2, 3), of_d.is_constant()), (1.0, false));
        assert!((of_d.factor(Player::D, 2, 3) - 0.2).abs() < 1e-12);
        assert!(RateSettings { of: Vec::new(), warm_up: 3, ..RateSettings::default() }.is_constant());
        assert!(RateSettings::default().is_constant());
    }

    proptest! {
        #[test]
        fn a_factor_is_above_nothing_and_never_above_one(
            decay in prop::sample::select(vec![Decay::Constant, Decay::Linear, Decay::Cosine]),
            end in 0.0..1.0, over: u64, warm_up: u64, generation: u64, generations: u64,
        ) {
            let rate = RateSettings { decay, end, over, warm_up, ..RateSettings::default() };
            let factor = rate.factor(Player::D, generation.min(u64::MAX - 1), generations);
            prop_assert!((0.0..=1.0).contains(&factor), "{factor}");
        }

        /// Rates of an interrupted run are those of one that was not; and where the decay has a length of its own, more generations change none.
        #[test]
        fn rates_do_not_depend_on_when_a_run_was_interrupted(g in 0u64..50, over in 1u64..60, more in 0u64..100) {
            let rate = RateSettings { decay: Decay::Cosine, over, ..RateSettings::default() };
            prop_assert_eq!(rate.factor(Player::G, g, 50), rate.factor(Player::G, g, 50 + more));
        }
    }
}
