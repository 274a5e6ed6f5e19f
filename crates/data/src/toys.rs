//! Points in the plane: the toy mixtures of the papers, endless, with their exact modes.

use base::seed::Stream;
use std::f64::consts::{PI, TAU};

/// One of the toy data sets. Point `i` is a pure function of the seed and `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toy {
    /// Eight normal distributions on a circle of radius 2, sigma 0.02, all divided by 1.414.
    Ring8,
    /// 25 normal distributions on the grid 2 x {-2, ..., 2} squared, sigma 0.05, all divided by 2.828.
    Grid25,
    /// Axes x and z of scikit-learn's `make_swiss_roll` with noise 0.25, divided by 7.5. It has no modes.
    SwissRoll,
}

/// A mixture of equally likely round normal distributions.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    /// Where the modes are.
    pub centres: Vec<[f64; 2]>,
    /// The standard deviation of each mode along each axis.
    pub sigma: f64,
}

impl Toy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ring8, Self::Grid25, Self::SwissRoll];

    /// The name by which `data::open` knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ring8 => "ring8",
            Self::Grid25 => "grid25",
            Self::SwissRoll => "swissroll",
        }
    }

    /// The exact modes; `None` for the swiss roll.
    pub fn mixture(self) -> Option<Mixture> {
        match self {
            Self::Ring8 => {
                let centre = |k: u32| {
                    let angle = TAU * f64::from(k) / 8.0;
                    [2.0 * libm::cos(angle) / 1.414, 2.0 * libm::sin(angle) / 1.414]
                };
                Some(Mixture { centres: (0..8).map(centre).collect(), sigma: 0.02 / 1.414 })
            }
            Self::Grid25 => {
                let at = |k: u32| 2.0 * (f64::from(k) - 2.0) / 2.828;
                let centres = (0..25).map(|k| [at(k / 5), at(k % 5)]).collect();
                Some(Mixture { centres, sigma: 0.05 / 2.828 })
            }
            Self::SwissRoll => None,
        }
    }

    /// Points `range.start`, `range.start + 1`, ... of the endless set.
    pub fn points(self, seed: u64, range: std::ops::Range<u64>) -> impl Iterator<Item = [f64; 2]> {
        let mixture = self.mixture();
        range.map(move |index| {
            let mut stream = Stream::new(seed, self.name(), index);
            if let Some(mixture) = &mixture {
                let [x, y] = *stream.choose(&mixture.centres);
                return [x + mixture.sigma * stream.normal(), y + mixture.sigma * stream.normal()];
            }
            let t = 1.5 * PI * (1.0 + 2.0 * stream.unit());
            let mut axis = |v: f64| (v + 0.25 * stream.normal()) / 7.5;
            [axis(t * libm::cos(t)), axis(t * libm::sin(t))]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_depend_on_their_index_alone() {
        for toy in Toy::ALL {
            let all: Vec<_> = toy.points(3, 0..20).collect();
            assert_eq!(all[7..12], toy.points(3, 7..12).collect::<Vec<_>>());
            assert_ne!(all, toy.points(4, 0..20).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_mixture_has_the_share_of_points_near_its_modes_that_a_normal_has() {
        for (toy, modes, radius) in [(Toy::Ring8, 8, 1.414), (Toy::Grid25, 25, 2.0)] {
            let mixture = toy.mixture().unwrap();
            let mut hits = vec![0u32; modes];
            let n = 20_000;
            let mut near = 0.0;
            for [x, y] in toy.points(0, 0..n) {
                let distance = |c: &[f64; 2]| libm::hypot(x - c[0], y - c[1]);
                let best =
                    (0..modes).min_by(|&a, &b| distance(&mixture.centres[a]).total_cmp(&distance(&mixture.centres[b])));
                hits[best.unwrap()] += 1;
                near += f64::from(distance(&mixture.centres[best.unwrap()]) < 3.0 * mixture.sigma);
            }
            // 1 - exp(-9/2) of a round normal lies within three sigma.
            assert!((near / n as f64 - 0.98889).abs() < 0.003, "{near}");
            let even = n as f64 / modes as f64;
            assert!(hits.iter().all(|&h| (f64::from(h) - even).abs() < 5.0 * even.sqrt()), "{hits:?}");
            let farthest = mixture.centres.iter().map(|c| libm::hypot(c[0], c[1])).fold(0.0, f64::max);
            assert!((farthest - radius).abs() < 0.001, "{farthest}");
        }
    }
}
