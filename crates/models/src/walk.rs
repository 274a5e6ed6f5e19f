//! The way from seed to seed: latents between latents, and the pictures of them.

use crate::pictures::{check_grid, grid};
use crate::point::Point;
use crate::{Generator, Latents, Seeds};
use base::Error;
use data::{Image, pictures};
use net::{Law, Result};
use std::str::FromStr;

/// The pixels of all frames of an animation may take this much memory: 512 MiB.
const MOST_BYTES: u128 = 512 << 20;

/// The way from one latent to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Straight.
    Linear,
    /// Along the great circle, which keeps the length that a normal latent has.
    Spherical,
}

impl Way {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Linear, Self::Spherical];

    /// The name that people write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Spherical => "spherical",
        }
    }

    /// The way on which latents of this law stay likely ones.
    pub fn of_law(law: Law) -> Self {
        match law {
            Law::Normal => Self::Spherical,
            Law::Uniform => Self::Linear,
        }
    }

    /// The latent at `t` of the way (0: `a` itself, 1: `b` itself).
    pub fn between(self, a: &[f32], b: &[f32], t: f64) -> Vec<f32> {
        if t <= 0.0 || t >= 1.0 {
            return if t <= 0.0 { a.to_vec() } else { b.to_vec() };
        }
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
        let cosine = dot(a, b) / libm::sqrt(dot(a, a) * dot(b, b));
        let angle = libm::acos(cosine.clamp(-1.0, 1.0));
        let sine = libm::sin(angle);
        // Parallel or opposite latents (or zero) span no circle. NaN must go the straight way, too.
        let (of_a, of_b) = if self == Self::Spherical && sine > 1e-6 {
            (libm::sin((1.0 - t) * angle) / sine, libm::sin(t * angle) / sine)
        } else {
            (1.0 - t, t)
        };
        a.iter().zip(b).map(|(&x, &y)| (of_a * f64::from(x) + of_b * f64::from(y)) as f32).collect()
    }
}

impl FromStr for Way {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|way| way.name() == name).ok_or_else(|| {
            Error::setting("mode", format!("there is no way {name:?}")).with_hint(format!("Choose one of {}.", names()))
        })
    }
}

/// A walk from seed to seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The seeds, at least two.
    pub seeds: Seeds,
    /// Pictures from one seed to the next, at least two.
    pub steps: usize,
    /// Whether it goes round: from the last seed back to the first. Each seed is shown once then; else every stretch shows both
    /// of its ends.
    pub round: bool,
    /// The way; by the law of the latents if not given.
    pub way: Option<Way>,
}

impl Walk {
    /// Refuses a walk that cannot be, or whose pictures of this shape would make too large a sheet or animation.
    ///
    /// # Errors
    /// As said.
    pub fn check(&self, shape: [usize; 3]) -> Result<(), Error> {
        if self.seeds.len() < 2 {
            return Err(Error::setting("seeds", "is one seed; a way needs two"));
        }
        if self.steps < 2 {
            return Err(Error::setting("steps", format!("is {}; a way has two ends", self.steps)));
        }
        let cure = "Take fewer seeds or `steps`.";
        let total = u128::from(self.stretches()) * self.steps as u128;
        if !self.round {
            return check_grid(u64::try_from(total).unwrap_or(u64::MAX), self.steps, shape, cure);
        }
        if total * shape.iter().product::<usize>() as u128 > MOST_BYTES {
            let reason = format!("an animation of {total} pictures takes too much memory");
            return Err(Error::setting("animation", reason).with_hint(cure));
        }
        Ok(())
    }

    fn stretches(&self) -> u64 {
        if self.round { self.seeds.len() } else { self.seeds.len() - 1 }
    }

    /// The latents of all its pictures.
    ///
    /// # Errors
    /// As [`Walk::check`], or the generator makes no images.
    pub fn latents(&self, generator: &Generator) -> Result<Latents> {
        self.check(generator.image_shape()?)?;
        let way = self.way.unwrap_or_else(|| Way::of_law(generator.network().latent_law()));
        // What was checked bounds the number of seeds.
        let n = self.seeds.len() as usize;
        let ends = Point::of_seeds(&self.seeds.part(0, n), generator);
        let whole = if self.round { self.steps } else { self.steps - 1 } as f64;
        let points = (0..self.stretches() as usize)
            .flat_map(|stretch| (0..self.steps).map(move |step| (stretch, step)))
            .map(|(from, step)| ends[from].between(&ends[(from + 1) % n], way, step as f64 / whole))
            .collect();
        Latents::of_points(points, generator)
    }

    /// One picture of its pictures: a row for each stretch.
    ///
    /// # Errors
    /// They would make too large a picture.
    pub fn sheet(&self, images: &[Image]) -> Result<Image, Error> {
        grid(images, self.steps)
    }

    /// An animation of its pictures, each shown for this many milliseconds: the bytes of a GIF, or of an animated PNG, which keeps all colours.
    ///
    /// # Errors
    /// There are none, or they are too large for a GIF.
    pub fn animation(images: &[Image], delay_ms: u32, all_colours: bool) -> Result<Vec<u8>, Error> {
        if all_colours { pictures::apng(images, delay_ms) } else { pictures::gif(images, delay_ms) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::tests::{points, small};

    #[test]
    fn the_ends_of_the_way_are_the_latents_themselves() {
        let (a, b) = ([0.1, -0.7], [0.3, 0.9]);
        for way in [Way::Linear, Way::Spherical] {
            assert_eq!((way.between(&a, &b, 0.0), way.between(&a, &b, 1.0)), (a.to_vec(), b.to_vec()));
        }
    }

    #[test]
    fn half_of_a_right_angle() {
        let (a, b) = ([2.0, 0.0], [0.0, 2.0]);
        assert_eq!(Way::Linear.between(&a, &b, 0.5), [1.0, 1.0]);
        let half = Way::Spherical.between(&a, &b, 0.5);
        assert!(half.iter().all(|v| (v - 2f32.sqrt()).abs() < 1e-6), "{half:?}");
    }

    #[test]
    fn latents_that_span_no_circle_are_joined_straight() {
        for (a, b) in [([1.0, 0.0], [2.0, 0.0]), ([1.0, 0.0], [-1.0, 0.0]), ([0.0, 0.0], [1.0, 1.0])] {
            assert_eq!(Way::Spherical.between(&a, &b, 0.25), Way::Linear.between(&a, &b, 0.25));
        }
    }

    fn walk(seeds: &str, steps: usize, round: bool) -> Walk {
        Walk { seeds: seeds.parse().unwrap(), steps, round, way: None }
    }

    #[test]
    fn a_walk_visits_its_seeds() {
        let generator = small(3);
        let ends = Latents::from("0,1,5".parse::<Seeds>().unwrap()).batch(&generator, 0, 3).latents.to_vec();
        for (round, visits) in [(false, vec![(0, 0), (4, 1), (5, 1), (9, 2)]), (true, vec![(0, 0), (5, 1), (10, 2)])] {
            let latents = walk("0,1,5", 5, round).latents(&generator).unwrap();
            assert_eq!(latents.len(), if round { 15 } else { 10 });
            for (place, end) in visits {
                assert_eq!(
                    latents.batch(&generator, place, 1).latents.to_vec(),
                    ends[end * 4..][..4],
                    "{round} {place}"
                );
            }
        }
    }

    #[test]
    fn walks_that_cannot_be_are_refused() {
        let refused = |walk: Walk| walk.check([3, 16, 16]).unwrap_err().to_string();
        assert!(refused(walk("3", 8, false)).starts_with("seeds: is one seed"));
        assert!(refused(walk("3,4", 1, false)).starts_with("steps: is 1"));
        assert!(refused(walk("0..18446744073709551615", 8, false)).starts_with("grid: a grid of"));
        assert!(refused(walk("0..18446744073709551615", 8, true)).starts_with("animation: "));
        assert!(walk("3,4", 2, true).check([3, 16, 16]).is_ok());
        assert!(walk("3,4", 2, true).latents(&points()).is_err());
    }

    #[test]
    fn ways_are_called_by_their_names() {
        assert!(Way::ALL.into_iter().all(|way| way.name().parse::<Way>().unwrap() == way));
        assert!("round".parse::<Way>().is_err());
        assert_eq!([Law::Normal, Law::Uniform].map(Way::of_law), [Way::Spherical, Way::Linear]);
    }
}
