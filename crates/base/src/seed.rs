//! Random numbers that do not depend on who asks first.
//!
//! Every draw of the program comes from a [`Stream`] that is a pure function of *(seed, purpose, index)*: latent 17 is
//! the same whatever the batch size, the number of threads, the shard or the device. The generator is `ChaCha8`; the
//! key is the BLAKE3 hash of seed and purpose, the index selects the `ChaCha` stream, so two indices never overlap.
//! The transcendental functions come from `libm`, not from the platform, so a normal draw has the same bits everywhere.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// One stream of random numbers, named by *(seed, purpose, index)*.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
    /// The second half of the last Box-Muller pair.
    spare_normal: Option<f64>,
}

impl Stream {
    /// Opens the stream at its beginning. `purpose` is a short constant such as `"latent"` or `"shuffle"`.
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(purpose.as_bytes());
        let mut rng = ChaCha8Rng::from_seed(*hasher.finalize().as_bytes());
        rng.set_stream(index);
        Self { rng, spare_normal: None }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Uniform in `[0, 1)`, 53 bits of it.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in `[low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Standard normal, by Box and Muller's transform.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        // 1 - u is in (0, 1], so the logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        let angle = std::f64::consts::TAU * self.unit();
        self.spare_normal = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }

    /// Uniform in `0..bound` without bias (Lemire's multiplication with rejection). `bound` 0 gives 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            let low = product as u64;
            if low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Shuffles in place (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }

    /// A place among weights, each as likely as its weight says; 0 where all are 0. Weights that add up to more than 64 bits count as equal.
    /// Of equal weights of 1 it is [`Stream::below`] their number.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let Some(sum) = weights.iter().try_fold(0u64, |sum, &weight| sum.checked_add(weight)) else {
            return self.below(weights.len() as u64) as usize;
        };
        let mut drawn = self.below(sum);
        for (place, &weight) in weights.iter().enumerate() {
            if drawn < weight {
                return place;
            }
            drawn -= weight;
        }
        0
    }

    /// One element of a non-empty slice.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stream_is_a_function_of_its_name() {
        let draw = |seed, purpose, index| Stream::new(seed, purpose, index).bits();
        assert_eq!(draw(1, "latent", 2), draw(1, "latent", 2));
        assert_ne!(draw(1, "latent", 2), draw(2, "latent", 2));
        assert_ne!(draw(1, "latent", 2), draw(1, "weights", 2));
        assert_ne!(draw(1, "latent", 2), draw(1, "latent", 3));
    }

    #[test]
    fn places_come_as_often_as_their_weights_say() {
        let mut stream = Stream::new(3, "test", 0);
        let mut found = [0; 4];
        (0..6000).for_each(|_| found[stream.weighted(&[1, 0, 3, 2])] += 1);
        assert!(found.iter().zip([1000, 0, 3000, 2000]).all(|(&n, wanted)| i32::abs(n - wanted) < 200), "{found:?}");
        let pair = |index| (Stream::new(1, "test", index), Stream::new(1, "test", index));
        assert!((0..50).map(pair).all(|(mut a, mut b)| a.weighted(&[1; 7]) as u64 == b.below(7)));
        assert_eq!([&[][..], &[0, 0], &[5]].map(|weights| stream.weighted(weights)), [0; 3]);
        assert!(stream.weighted(&[u64::MAX, 1]) < 2);
    }

    #[test]
    fn first_draws_are_pinned_for_ever() {
        // These values are a promise: a change here changes every sample of every published seed.
        let mut stream = Stream::new(0, "latent", 0);
        assert_eq!((stream.bits(), stream.normal()), (12_744_959_847_029_581_267, -0.056_940_198_304_334_04));
    }

    #[test]
    fn normal_draws_have_the_moments_of_a_normal() {
        let mut stream = Stream::new(7, "test", 0);
        let draws: Vec<f64> = (0..200_000).map(|_| stream.normal()).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let fourth = draws.iter().map(|x| (x - mean).powi(4)).sum::<f64>() / n;
        assert!(mean.abs() < 4.0 / n.sqrt(), "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
        assert!((fourth - 3.0).abs() < 0.1, "{fourth}");
    }

    proptest! {
        #[test]
        fn below_stays_below(seed: u64, bound in 1u64..) {
            prop_assert!(Stream::new(seed, "test", 0).below(bound) < bound);
        }

        #[test]
        fn a_shuffle_is_a_permutation(seed: u64, n in 0usize..200) {
            let mut items: Vec<usize> = (0..n).collect();
            Stream::new(seed, "test", 0).shuffle(&mut items);
            items.sort_unstable();
            prop_assert_eq!(items, (0..n).collect::<Vec<_>>());
        }
    }
}
