//! Images of a generator a small step of its latents apart, for path lengths.

use crate::scoring::GeneratedPictures;
use crate::{Generator, Way};
use base::Error;
use base::seed::Stream;
use metrics::path_length::{Options, Places, Space};
use net::{Feed, NodeId, Result, Tensor};
use score::Steps;
use std::ops::Range;

/// The node of styles (W) in generators that make some.
const STYLES: &str = "w";

impl Steps for GeneratedPictures<'_> {
    fn shape(&self) -> Result<[usize; 3]> {
        self.generator.image_shape()
    }

    /// Path i begins at latent i and ends at one that is drawn. What is read beside the latent (label, noise) is that of the beginning.
    fn ends(&self, numbers: Range<u64>, options: &Options) -> Result<[Vec<f32>; 2]> {
        let generator = self.generator;
        let n = usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX);
        let feed = self.latents.batch(generator, numbers.start, n);
        let (network, device) = (generator.network(), generator.device());
        let (law, shape) = (network.latent_law(), network.input_shape());
        let far = law.batch(feed.len(), &shape, options.seed, "path end", numbers.start, device);
        let place = |number| match options.places {
            // Both ends of the step lie on the path.
            Places::Full => Stream::new(options.seed, "path place", number).uniform(0.0, 1.0 - options.step),
            Places::End => 0.0,
        };
        let places: Vec<f64> = (numbers.start..).take(feed.len()).map(place).collect();
        let made = |step: f64| -> Result<Vec<f32>> {
            let at: Vec<f64> = places.iter().map(|place| place + step).collect();
            let feed = match options.space {
                Space::Z => Feed { latents: between(&feed.latents, &far, Way::of_law(law), &at), ..feed.clone() },
                Space::W => {
                    let styles = generator.styles()?;
                    let of = |feed: &Feed| Ok::<_, net::Error>(generator.fetch(feed, &[styles])?.remove(0));
                    let [near, far] = [of(&feed)?, of(&Feed { latents: far.clone(), ..feed.clone() })?];
                    let mut feed = feed.clone();
                    feed.set(STYLES, between(&near, &far, Way::Linear, &at));
                    feed
                }
            };
            Ok(generator.forward(&feed)?.to_vec())
        };
        Ok([made(0.0)?, made(options.step)?])
    }
}

impl Generator {
    /// The node of its styles.
    ///
    /// # Errors
    /// It makes no styles of its latents.
    fn styles(&self) -> Result<NodeId> {
        let has_styles = self.network().truncation().is_some();
        let node = has_styles.then(|| self.node(STYLES).ok()).flatten();
        node.ok_or_else(|| {
            Error::setting("ppl_space", "is w, but this generator makes no styles of its latents")
                .with_hint("Take `ppl_space z`, which every generator has.")
                .into()
        })
    }
}

/// Each row of `from`, so far on its way to the row of `to`.
fn between(from: &Tensor, to: &Tensor, way: Way, at: &[f64]) -> Tensor {
    let length = from.shape().iter().skip(1).product::<usize>().max(1);
    let (a, b) = (from.to_vec(), to.to_vec());
    let rows = a.chunks_exact(length).zip(b.chunks_exact(length)).zip(at);
    let values = rows.flat_map(|((a, b), &t)| way.between(a, b, t)).collect();
    Tensor::new(from.shape(), values, &from.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conditions::tests::conditional;
    use crate::generator::tests::small;
    use crate::{Latents, Seeds};
    use score::{Pictures, Rounding};

    fn pictures<'a>(generator: &'a Generator, seeds: &str) -> GeneratedPictures<'a> {
        let latents: Latents = seeds.parse::<Seeds>().unwrap().into();
        GeneratedPictures::new(generator, latents, Rounding::Nearest)
    }

    #[test]
    fn steps_are_the_same_in_any_batch_and_begin_at_their_seeds() {
        let generator = small(3);
        let made = pictures(&generator, "3..8");
        let of = |range, places| made.ends(range, &Options { places, ..Options::default() }).unwrap();
        let whole = of(0..5, Places::Full);
        let parts = [of(0..2, Places::Full), of(2..5, Places::Full)];
        for end in 0..2 {
            assert_eq!(whole[end], [parts[0][end].clone(), parts[1][end].clone()].concat());
        }
        let own = generator.forward(&made.latents.batch(&generator, 0, 5)).unwrap().to_vec();
        let [first, second] = of(0..5, Places::End);
        assert_eq!(first, own);
        assert!(whole[0] != own && second != own);
        // Images a step apart are nearly the same; as bytes they would be.
        let far = first.iter().zip(&second).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
        assert!(far > 0.0 && far < 1e-2, "{far}");
    }

    /// Twice the step brings images twice as far.
    #[test]
    fn steps_go_along_the_path() {
        let generator = small(3);
        let made = pictures(&generator, "3..8");
        let far = |step| {
            let options = Options { step, places: Places::End, ..Options::default() };
            let [a, b] = made.ends(0..5, &options).unwrap();
            a.iter().zip(&b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
        };
        let ratio = far(2e-3) / far(1e-3);
        assert!((ratio - 2.0).abs() < 0.05, "{ratio}");
    }

    /// The pixels of this generator are its styles, so a step is a straight one by hand. What is read beside the latent stays.
    #[test]
    fn styles_are_joined_straight() {
        let generator = conditional();
        let made = pictures(&generator, "4..6");
        let options = Options { space: Space::W, places: Places::End, step: 0.25, ..Options::default() };
        let [from, to] = made.ends(0..2, &options).unwrap();
        let feed = made.latents.batch(&generator, 0, 2);
        assert_eq!(from, generator.forward(&feed).unwrap().to_vec());
        let far = generator.network().latent_law().batch(2, &[3], options.seed, "path end", 0, generator.device());
        let ends = generator.forward(&Feed { latents: far, ..feed }).unwrap().to_vec();
        for ((a, b), c) in from.iter().zip(&ends).zip(&to) {
            assert!((0.75 * a + 0.25 * b - c).abs() < 1e-5, "{a} {b} {c}");
        }
        let refused = pictures(&small(3), "0").ends(0..1, &options).unwrap_err().to_string();
        assert_eq!(refused, "ppl_space: is w, but this generator makes no styles of its latents");
        assert!(made.steps().is_some());
    }
}
