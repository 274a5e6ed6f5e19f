//! Random numbers as PyTorch and NumPy draw them, for latents that others named by a seed.
//!
//! Draws of this program's own come from [`crate::seed`]; these are for pictures that exist already. Both libraries use the Mersenne
//! Twister MT19937 (Matsumoto and Nishimura, ACM TOMACS 8, 1998), seeded by one number of 32 bits.

use std::f32::consts::TAU;

const WORDS: usize = 624;
/// How far ahead the word lies that a new word is mixed with.
const AHEAD: usize = 397;
/// Numbers that PyTorch makes of one run of uniform ones.
const BLOCK: usize = 16;

/// The Mersenne Twister.
#[derive(Clone, Debug)]
struct Mersenne {
    words: [u32; WORDS],
    next: usize,
}

impl Mersenne {
    fn new(seed: u32) -> Self {
        let mut words = [seed; WORDS];
        for i in 1..WORDS {
            let last = words[i - 1];
            words[i] = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Self { words, next: WORDS }
    }

    /// 32 random bits.
    fn word(&mut self) -> u32 {
        if self.next == WORDS {
            for i in 0..WORDS {
                let joined = (self.words[i] & 1 << 31) | (self.words[(i + 1) % WORDS] & !(1 << 31));
                let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
                self.words[i] = self.words[(i + AHEAD) % WORDS] ^ (joined >> 1) ^ odd;
            }
            self.next = 0;
        }
        let mut word = self.words[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// Uniform in [0, 1), 24 bits of it, as PyTorch draws `float`.
    fn unit_f32(&mut self) -> f32 {
        (self.word() & 0xff_ffff) as f32 / (1u32 << 24) as f32
    }

    /// Uniform in [0, 1), 53 bits of it, as PyTorch draws `double`.
    fn unit_of_torch(&mut self) -> f64 {
        let high = u64::from(self.word());
        let bits = (high << 32 | u64::from(self.word())) & ((1 << 53) - 1);
        bits as f64 / (1u64 << 53) as f64
    }

    /// Uniform in [0, 1), 53 bits of it, as NumPy draws it.
    fn unit_of_numpy(&mut self) -> f64 {
        let high = f64::from(self.word() >> 5);
        (high * f64::from(1u32 << 26) + f64::from(self.word() >> 6)) / (1u64 << 53) as f64
    }
}

/// `torch.manual_seed(seed)`, then `torch.randn(n)` on the processor. Of `seed` PyTorch takes the lower 32 bits.
///
/// PyTorch's own logarithm, sine and cosine differ by its version and by the processor, so the last digit may be another one.
pub fn torch_normals(seed: u64, n: usize) -> Vec<f32> {
    let mut source = Mersenne::new(seed as u32);
    if n < BLOCK {
        return (0..n.div_ceil(2)).flat_map(|_| pair_of_torch(&mut source)).take(n).collect();
    }
    let mut values: Vec<f32> = (0..n).map(|_| source.unit_f32()).collect();
    for block in values.chunks_exact_mut(BLOCK) {
        to_normals(block);
    }
    if !n.is_multiple_of(BLOCK) {
        // The last block lies over the one before it, of new numbers.
        let last = &mut values[n - BLOCK..];
        last.fill_with(|| source.unit_f32());
        to_normals(last);
    }
    values
}

/// Sixteen uniform numbers become normal ones, by Box and Muller's transform of those that are eight apart.
fn to_normals(block: &mut [f32]) {
    let (left, right) = block.split_at_mut(BLOCK / 2);
    for (a, b) in left.iter_mut().zip(right) {
        let radius = (-2.0 * libm::log(f64::from(1.0 - *a))).sqrt();
        // The angle is rounded to 32 bits there, too.
        let (sine, cosine) = libm::sincos(f64::from(TAU * *b));
        (*a, *b) = ((radius * cosine) as f32, (radius * sine) as f32);
    }
}

/// The two numbers that PyTorch makes at a time where there are few.
fn pair_of_torch(source: &mut Mersenne) -> [f32; 2] {
    let (angle, radius) = (source.unit_of_torch(), source.unit_of_torch());
    let radius = (-2.0 * libm::log1p(-radius)).sqrt();
    let (sine, cosine) = libm::sincos(std::f64::consts::TAU * angle);
    [(radius * cosine) as f32, (radius * sine) as f32]
}

/// `torch.manual_seed(seed)`, then `torch.empty(n).uniform_(-1, 1)` on the processor.
pub fn torch_uniforms(seed: u64, n: usize) -> Vec<f32> {
    let mut source = Mersenne::new(seed as u32);
    (0..n).map(|_| source.unit_f32() * 2.0 - 1.0).collect()
}

/// `numpy.random.RandomState(seed).standard_normal(n)`, as `float32`.
pub fn numpy_normals(seed: u32, n: usize) -> Vec<f32> {
    let mut source = Mersenne::new(seed);
    // Marsaglia's polar method: a point of the unit disc gives two numbers.
    let mut pair = || loop {
        let [x, y] = [(); 2].map(|()| 2.0 * source.unit_of_numpy() - 1.0);
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            let factor = (-2.0 * libm::log(square) / square).sqrt();
            return [y * factor, x * factor];
        }
    };
    (0..n.div_ceil(2)).flat_map(|_| pair()).take(n).map(|value| value as f32).collect()
}

/// `numpy.random.RandomState(seed).uniform(-1, 1, n)`, as `float32`.
pub fn numpy_uniforms(seed: u32, n: usize) -> Vec<f32> {
    let mut source = Mersenne::new(seed);
    (0..n).map(|_| (-1.0 + 2.0 * source.unit_of_numpy()) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that PyTorch 2.15 and NumPy 2.4 gave, and how far from them is near: they are of 24 bits, and of size 1.
    fn near(found: &[f32], from: usize, expected: &[f64]) {
        for (&found, expected) in found[from..].iter().zip(expected) {
            assert!((f64::from(found) - expected).abs() <= 1e-6, "{found} for {expected}");
        }
    }

    #[test]
    fn words_are_those_of_the_twister() {
        // The first outputs for the seed of its authors, and the ten thousandth, which the C++ standard states.
        let mut source = Mersenne::new(5489);
        assert_eq!([source.word(), source.word()], [3_499_211_612, 581_869_302]);
        assert_eq!((2..10_000).map(|_| source.word()).last(), Some(4_123_659_995));
    }

    #[test]
    fn normals_are_those_of_torch() {
        let many = torch_normals(1, 6400);
        near(&many, 0, &[-1.525_595_9, -0.750_231_8, -0.653_980_9, -1.609_484_8, -0.100_167_18]);
        near(&many, 16, &[-0.696_972_4, -1.160_761_5, 0.699_542_4, 0.199_081_6]);
        near(&many, 6397, &[-0.472_353_61, 0.441_732_35, 0.748_614_01]);
        near(&torch_normals(0, 16), 0, &[-1.125_839_8, -1.152_360_2, -0.250_578_58, -0.433_878_81]);
        // A last block that is not whole, few numbers, and a seed of more than 32 bits.
        near(&torch_normals(1, 20), 4, &[0.865_692_38]);
        near(&torch_normals(1, 20), 17, &[0.335_730_52, 0.275_333_52, 1.716_302_6]);
        near(&torch_normals(1, 5), 0, &[0.661_352_2, 0.266_924_1, 0.061_677_3, 0.621_317_3, -0.451_906]);
        near(&torch_normals((1 << 40) + 7, 33), 0, &[-0.820_134_52, 0.395_631_16, 0.898_908_5]);
        assert!(torch_normals(3, 0).is_empty());
    }

    #[test]
    fn uniforms_and_numpys_numbers_are_theirs() {
        near(&torch_uniforms(3, 5), 0, &[-0.991_472_96, -0.788_861_27, -0.428_315_04, -0.946_090_34, -0.056_771_28]);
        near(&numpy_normals(1, 5), 0, &[1.624_345_4, -0.611_756_4, -0.528_171_75, -1.072_968_6, 0.865_407_6]);
        near(&numpy_normals(1, 2001), 1998, &[0.647_375_1, 1.386_825_6, 0.489_516_6]);
        near(&numpy_normals(u32::MAX, 3), 0, &[0.648_408_67, 0.669_323_5, -1.080_543_7]);
        near(&numpy_uniforms(1, 3), 0, &[-0.165_955_99, 0.440_649, -0.999_771_25]);
    }
}
