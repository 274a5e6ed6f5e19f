//! What a data set is, in a few words.

use crate::Dataset;
use base::Result;

/// Items that are looked at, spread over the set.
const LOOKED_AT: u64 = 16;

impl Dataset {
    /// The set in words that differ where sets differ, wherever they lie and whatever they are called: `12 items of shape [3, 64, 64], contents
    /// 1a2b3c4d5e6f7081`. The hash is of up to 16 items spread over the set, with their label maps, as a network gets to see
    /// them: this is cheap, and a change of other items alone goes unseen.
    ///
    /// # Errors
    /// An item cannot be read.
    pub fn fingerprint(&self) -> Result<String> {
        let n = self.len().map(|n| n as u64);
        let looked_at = n.unwrap_or(LOOKED_AT).min(LOOKED_AT);
        let mut hasher = blake3::Hasher::new();
        for k in 0..looked_at {
            // Divided first: the number of items is anything.
            let index = n.map_or(k, |n| n / looked_at * k + n % looked_at * k / looked_at);
            for value in self.values(index)? {
                hasher.update(&value.to_le_bytes());
            }
            if !self.planes().is_empty() {
                for class in self.maps(index)?.into_iter().flat_map(|map| map.classes) {
                    hasher.update(&class.to_le_bytes());
                }
            }
        }
        let count = n.map_or("endless".to_owned(), |n| n.to_string());
        Ok(format!("{count} items of shape {:?}, contents {}", self.shape(), &hasher.finalize().to_hex()[..16]))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Image, Options, Size, open, pictures};
    use std::fs;
    use std::path::Path;

    fn folder(path: &Path, n: u8, shade: impl Fn(u8) -> u8) -> String {
        fs::create_dir_all(path).unwrap();
        for i in 0..n {
            let png = pictures::png(&Image::filled(8, 8, [shade(i); 3])).unwrap();
            fs::write(path.join(format!("{i:03}.png")), png).unwrap();
        }
        open(path.to_str().unwrap(), &Options::default()).unwrap().fingerprint().unwrap()
    }

    #[test]
    fn sets_are_told_apart_by_what_they_hold_and_not_by_where_they_lie() {
        let place = tempfile::tempdir().unwrap();
        let first = folder(&place.path().join("a"), 40, |i| i);
        assert!(first.starts_with("40 items of shape [3, 8, 8], contents "), "{first}");
        assert_eq!(folder(&place.path().join("elsewhere/b"), 40, |i| i), first);
        assert_ne!(folder(&place.path().join("c"), 40, |i| 255 - i), first);
        assert_ne!(folder(&place.path().join("d"), 39, |i| i), first);
        // One of a few is seen.
        assert_ne!(
            folder(&place.path().join("e"), 16, |i| i),
            folder(&place.path().join("f"), 16, |i| i + u8::from(i == 7))
        );
    }

    #[test]
    fn worlds_are_told_apart_by_their_seeds() {
        let size = Some(Size::square(32));
        let of = |name: &str, seed| {
            open(name, &Options { size, seed, ..Options::default() }).unwrap().fingerprint().unwrap()
        };
        assert!(of("scenes", 1).starts_with("endless items of shape [3, 32, 32], contents "));
        assert_eq!(of("scenes", 1), of("scenes", 1));
        assert_ne!(of("scenes", 1), of("scenes", 2));
        assert_ne!(of("ring8", 1), of("grid25", 1));
    }
}
