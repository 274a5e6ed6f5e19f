//! Latents that PyTorch or NumPy draw for a seed: pictures that others named so.

use crate::Seeds;
use base::{Malformed, mersenne};
use net::Law;
use std::str::FromStr;

/// Numbers of all latents together, at most: 256 MiB of them.
const MOST_NUMBERS: u64 = 1 << 26;

/// Who draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    /// `torch.manual_seed(seed)`, then `torch.randn(n, length)` on the processor.
    Torch,
    /// `numpy.random.RandomState(seed).standard_normal((n, length))`.
    Numpy,
}

const LIBRARIES: [(&str, Library); 2] = [("torch:", Library::Torch), ("numpy:", Library::Numpy)];

/// Seeds of another library, with a number of latents that are drawn of each: `torch:1x64`, `numpy:0..4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    library: Library,
    seeds: Seeds,
    each: u64,
}

impl Elsewhere {
    /// What a text means, if it names another library.
    pub(crate) fn named(text: &str) -> Option<Result<Self, Malformed>> {
        LIBRARIES.iter().any(|(name, _)| text.starts_with(name)).then(|| text.parse())
    }

    /// How many latents there are.
    pub(crate) fn len(&self) -> u64 {
        self.seeds.len().saturating_mul(self.each)
    }

    /// All of them, side by side, each of `length` numbers of this law.
    ///
    /// # Errors
    /// They are too many, or NumPy knows no such seed.
    pub(crate) fn draw(&self, length: usize, law: Law) -> Result<Vec<f32>, Malformed> {
        let numbers = self.len().saturating_mul(length.max(1) as u64);
        if numbers > MOST_NUMBERS {
            let most = MOST_NUMBERS / (length as u64).max(1);
            return Err(malformed(format!("{} latents are too many: {most} at most", self.len())));
        }
        let of_each = self.each as usize * length;
        let mut values = Vec::with_capacity(numbers as usize);
        for seed in self.seeds.part(0, self.seeds.len() as usize) {
            values.extend(match (self.library, law) {
                (Library::Torch, Law::Normal) => mersenne::torch_normals(seed, of_each),
                (Library::Torch, Law::Uniform) => mersenne::torch_uniforms(seed, of_each),
                (Library::Numpy, law) => {
                    let wrong = || malformed(format!("{seed} is no seed of NumPy: these are below 4294967296"));
                    let seed = u32::try_from(seed).map_err(|_| wrong())?;
                    match law {
                        Law::Normal => mersenne::numpy_normals(seed, of_each),
                        Law::Uniform => mersenne::numpy_uniforms(seed, of_each),
                    }
                }
            });
        }
        Ok(values)
    }
}

impl FromStr for Elsewhere {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let found = LIBRARIES.iter().find_map(|&(name, library)| Some((library, text.strip_prefix(name)?)));
        let wrong = || malformed(format!("{text:?} is not torch:SEED, torch:SEEDxN or numpy:SEED"));
        let (library, rest) = found.ok_or_else(wrong)?;
        let (seeds, each) = match rest.rsplit_once('x') {
            Some((seeds, each)) => (seeds, each.parse().map_err(|_| wrong())?),
            None => (rest, 1),
        };
        if each == 0 {
            return Err(malformed(format!("{text} is of no latents")));
        }
        let seeds = seeds.parse().map_err(|why: Malformed| malformed(why.to_string()))?;
        Ok(Self { library, seeds, each })
    }
}

fn malformed(reason: String) -> Malformed {
    Malformed::new("latents", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, length: usize, law: Law) -> Result<Vec<f32>, String> {
        let parsed = Elsewhere::named(text).unwrap().map_err(|why| why.to_string())?;
        parsed.draw(length, law).map_err(|why| why.to_string())
    }

    #[test]
    fn a_seed_gives_one_latent_or_a_row_of_them() {
        let many = drawn("torch:1x64", 100, Law::Normal).unwrap();
        assert_eq!(many, mersenne::torch_normals(1, 6400));
        // Seed by seed each is drawn alone, which PyTorch does in another way where they are short.
        let two = drawn("torch:1,7", 3, Law::Normal).unwrap();
        assert_eq!(two, [mersenne::torch_normals(1, 3), mersenne::torch_normals(7, 3)].concat());
        let four = drawn("numpy:0..4", 5, Law::Uniform).unwrap();
        assert_eq!(four[5..10], mersenne::numpy_uniforms(1, 5));
        assert_ne!(drawn("torch:3", 20, Law::Uniform), drawn("torch:3", 20, Law::Normal));
    }

    #[test]
    fn what_is_no_seed_is_refused() {
        assert!(Elsewhere::named("latents.npy").is_none());
        for (text, reason) in [
            ("torch:", "\"\" is not a seed: write 0..16, 7 or 0..4,7"),
            ("torch:1x", "\"torch:1x\" is not torch:SEED, torch:SEEDxN or numpy:SEED"),
            ("torch:1x0", "torch:1x0 is of no latents"),
            ("numpy:4294967296", "4294967296 is no seed of NumPy: these are below 4294967296"),
            ("torch:0..18446744073709551614", "18446744073709551614 latents are too many: 16777216 at most"),
            ("torch:1x99999999999", "99999999999 latents are too many: 16777216 at most"),
        ] {
            assert_eq!(drawn(text, 4, Law::Normal).unwrap_err(), reason, "{text}");
        }
    }
}
