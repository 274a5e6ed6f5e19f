//! The losses of the game, as functions of logits: value and derivative.
//!
//! With `l` a logit and `p = sigmoid(l)`. All are means over the batch. A generator's loss is a *mutation*; any of them may
//! also train the discriminator. To add one, add a row to [`Loss::ALL`] and its formulas below.

use serde::{Deserialize, Serialize};

/// A loss by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// G: `log(1 - p)`; D: cross entropy, `-log p` on reals and `-log(1 - p)` on fakes.
    Minimax,
    /// G: `-log p`; D: as minimax.
    Heuristic,
    /// G: `(p - 1)^2`; D: `(p - 1)^2` and `p^2`: least squares on the probability, as the paper has it.
    LeastSquares,
    /// G: `(l - 1)^2`; D: `(l - 1)^2` and `l^2`: least squares on the logit, as LSGAN has it.
    LeastSquaresLogit,
    /// G: `-l`; D: `max(0, 1 - l)` and `max(0, 1 + l)`.
    Hinge,
    /// G: `-l`; D: `-l` and `l`.
    Wasserstein,
    /// G: `-p`; D: `-p` and `p`. As a mutation it climbs the quality of the fitness itself, without a choice.
    Direct,
    /// G: `softplus(-(fake - real))`; D: `softplus(-(real - fake))`, pairing fake i with real i (Jolicoeur-Martineau;
    /// R3GAN).
    Relativistic,
}

/// A loss with its derivatives by each logit.
#[derive(Clone, Debug, PartialEq)]
pub struct LossValue {
    /// The mean over the batch.
    pub value: f64,
    /// Derivative by the real logits; empty where the loss has no real part.
    pub real: Vec<f32>,
    /// Derivative by the fake logits.
    pub fake: Vec<f32>,
}

impl Loss {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Minimax,
        Self::Heuristic,
        Self::LeastSquares,
        Self::LeastSquaresLogit,
        Self::Hinge,
        Self::Wasserstein,
        Self::Direct,
        Self::Relativistic,
    ];

    /// The name in settings and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minimax => "minimax",
            Self::Heuristic => "heuristic",
            Self::LeastSquares => "least-squares",
            Self::LeastSquaresLogit => "least-squares-logit",
            Self::Hinge => "hinge",
            Self::Wasserstein => "wasserstein",
            Self::Direct => "direct",
            Self::Relativistic => "relativistic",
        }
    }

    /// The loss with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|loss| loss.name() == name)
    }

    /// Whether real and fake logits meet in one term: then neither half can be computed without the other.
    pub fn is_paired(self) -> bool {
        self == Self::Relativistic
    }

    /// The generator's loss. `real` is read by paired losses alone and must be as long as `fake` there.
    pub fn generator(self, real: &[f32], fake: &[f32]) -> LossValue {
        let term: Term = match self {
            Self::Minimax => |l| (-softplus(l), -sigmoid(l)),
            Self::Heuristic => |l| (softplus(-l), -sigmoid(-l)),
            Self::LeastSquares => |l| {
                let p = sigmoid(l);
                ((p - 1.0).powi(2), 2.0 * (p - 1.0) * p * (1.0 - p))
            },
            Self::LeastSquaresLogit => |l| ((l - 1.0).powi(2), 2.0 * (l - 1.0)),
            Self::Hinge | Self::Wasserstein => |l| (-l, -1.0),
            Self::Direct => |l| {
                let p = sigmoid(l);
                (-p, -p * (1.0 - p))
            },
            Self::Relativistic => return paired(fake, real, false),
        };
        let (value, fake) = mean(fake, term);
        LossValue { value, real: Vec::new(), fake }
    }

    /// The discriminator's loss: the sum of its real and its fake mean.
    pub fn discriminator(self, real: &[f32], fake: &[f32]) -> LossValue {
        if self.is_paired() {
            return paired(real, fake, true);
        }
        let (real_value, real) = self.real_half(real);
        let (fake_value, fake) = self.fake_half(fake);
        LossValue { value: real_value + fake_value, real, fake }
    }

    /// The real half of a loss that is not paired: value and derivative.
    pub fn real_half(self, real: &[f32]) -> (f64, Vec<f32>) {
        mean(real, self.real_term())
    }

    /// The fake half of a loss that is not paired: value and derivative.
    pub fn fake_half(self, fake: &[f32]) -> (f64, Vec<f32>) {
        mean(fake, self.fake_term())
    }

    /// The discriminator's term of one real, of a loss that is not paired.
    pub(crate) fn real_term(self) -> Term {
        match self {
            Self::Minimax | Self::Heuristic | Self::Relativistic => |l| (softplus(-l), -sigmoid(-l)),
            Self::LeastSquares => |l| {
                let p = sigmoid(l);
                ((p - 1.0).powi(2), 2.0 * (p - 1.0) * p * (1.0 - p))
            },
            Self::LeastSquaresLogit => |l| ((l - 1.0).powi(2), 2.0 * (l - 1.0)),
            Self::Hinge => |l| if l < 1.0 { (1.0 - l, -1.0) } else { (0.0, 0.0) },
            Self::Wasserstein => |l| (-l, -1.0),
            Self::Direct => |l| {
                let p = sigmoid(l);
                (-p, -p * (1.0 - p))
            },
        }
    }

    /// The discriminator's term of one fake, of a loss that is not paired.
    pub(crate) fn fake_term(self) -> Term {
        match self {
            Self::Minimax | Self::Heuristic | Self::Relativistic => |l| (softplus(l), sigmoid(l)),
            Self::LeastSquares => |l| {
                let p = sigmoid(l);
                (p.powi(2), 2.0 * p * p * (1.0 - p))
            },
            Self::LeastSquaresLogit => |l| (l.powi(2), 2.0 * l),
            Self::Hinge => |l| if l > -1.0 { (1.0 + l, 1.0) } else { (0.0, 0.0) },
            Self::Wasserstein => |l| (l, 1.0),
            Self::Direct => |l| {
                let p = sigmoid(l);
                (p, p * (1.0 - p))
            },
        }
    }
}

/// Value and derivative of a loss at one logit.
pub(crate) type Term = fn(f64) -> (f64, f64);

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// `1 / (1 + exp(-l))`, without overflow.
pub fn sigmoid(l: f64) -> f64 {
    if l >= 0.0 {
        1.0 / (1.0 + (-l).exp())
    } else {
        let e = l.exp();
        e / (1.0 + e)
    }
}

/// `log(1 + exp(l))`, without overflow.
fn softplus(l: f64) -> f64 {
    l.max(0.0) + (-l.abs()).exp().ln_1p()
}

fn mean(logits: &[f32], term: Term) -> (f64, Vec<f32>) {
    let n = logits.len().max(1) as f64;
    let mut total = 0.0;
    let derivative = logits
        .iter()
        .map(|&l| {
            let (value, slope) = term(f64::from(l));
            total += value;
            (slope / n) as f32
        })
        .collect();
    (total / n, derivative)
}

/// Mean of `softplus(-(up - down))`; `up` is real where `real_up`.
fn paired(up: &[f32], down: &[f32], real_up: bool) -> LossValue {
    let n = up.len().max(1) as f64;
    let gaps: Vec<f64> = up.iter().zip(down).map(|(&u, &d)| f64::from(u) - f64::from(d)).collect();
    let value = gaps.iter().map(|&gap| softplus(-gap)).sum::<f64>() / n;
    let by_up: Vec<f32> = gaps.iter().map(|&gap| (-sigmoid(-gap) / n) as f32).collect();
    let by_down: Vec<f32> = by_up.iter().map(|v| -v).collect();
    if real_up {
        LossValue { value, real: by_up, fake: by_down }
    } else {
        LossValue { value, real: by_down, fake: by_up }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(value: impl Fn(&[f32]) -> f64, logits: &[f32], derivative: &[f32]) {
        for i in 0..logits.len() {
            let step = 1e-2f32;
            let moved = |by: f32| {
                let mut changed = logits.to_vec();
                changed[i] += by;
                value(&changed)
            };
            let expected = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
            assert!(
                (f64::from(derivative[i]) - expected).abs() < 2e-3 * (1.0 + expected.abs()),
                "{expected} {}",
                derivative[i]
            );
        }
    }

    proptest! {
        #[test]
        fn derivatives_agree_with_differences(
            real in prop::collection::vec(-4f32..4.0, 3), fake in prop::collection::vec(-4f32..4.0, 3),
        ) {
            // Hinges have kinks at 1 and -1.
            prop_assume!(real.iter().chain(&fake).all(|l| (l.abs() - 1.0).abs() > 0.05));
            for loss in Loss::ALL {
                let g = loss.generator(&real, &fake);
                check(|l| loss.generator(&real, l).value, &fake, &g.fake);
                let d = loss.discriminator(&real, &fake);
                check(|l| loss.discriminator(&real, l).value, &fake, &d.fake);
                check(|l| loss.discriminator(l, &fake).value, &real, &d.real);
            }
        }

        #[test]
        fn the_generator_is_never_pushed_down_by_the_paper_s_losses(l in -30f32..30.0) {
            for loss in [Loss::Minimax, Loss::Heuristic, Loss::LeastSquares, Loss::Direct] {
                prop_assert!(loss.generator(&[], &[l]).fake[0] <= 0.0);
            }
        }
    }

    #[test]
    fn the_published_derivatives_hold() {
        let p = sigmoid(0.3);
        let slope = |loss: Loss| f64::from(loss.generator(&[], &[0.3]).fake[0]);
        assert!((slope(Loss::Minimax) + p).abs() < 1e-6);
        assert!((slope(Loss::Heuristic) + (1.0 - p)).abs() < 1e-6);
        assert!((slope(Loss::LeastSquares) + 2.0 * p * (1.0 - p).powi(2)).abs() < 1e-6);
    }

    #[test]
    fn huge_logits_stay_finite() {
        for loss in Loss::ALL {
            for l in [-1e6, 1e6] {
                assert!(
                    loss.generator(&[0.0], &[l]).value.is_finite() && loss.discriminator(&[l], &[l]).value.is_finite()
                );
            }
        }
    }
}
