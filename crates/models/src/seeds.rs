//! Lists of seeds as people write them: `0..16`, `7`, `0..4,7`.

use base::Malformed;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Seeds in the order in which they were written. Long ranges take no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(Vec<Range<u64>>);

impl Seeds {
    /// How many there are.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    /// Never: a list that can be written has at least one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The greatest of them.
    pub fn greatest(&self) -> Option<u64> {
        self.0.iter().map(|range| range.end - 1).max()
    }

    /// The seeds from place `first` on, at most `n` of them.
    pub fn part(&self, first: u64, n: usize) -> Vec<u64> {
        let mut skip = first;
        let mut found = Vec::new();
        for range in &self.0 {
            let length = range.end - range.start;
            if skip >= length {
                skip -= length;
                continue;
            }
            found.extend((range.start + skip..range.end).take(n - found.len()));
            skip = 0;
        }
        found
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part =
            |r: &Range<u64>| if r.end - r.start == 1 { r.start.to_string() } else { format!("{}..{}", r.start, r.end) };
        f.write_str(&self.0.iter().map(part).collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Seeds {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse(text).map_err(|reason| Malformed::new("seeds", reason))
    }
}

impl Seeds {
    fn parse(text: &str) -> Result<Self, String> {
        let mut ranges = Vec::new();
        let mut total = 0u64;
        for part in text.split(',').map(str::trim) {
            let number = |word: &str| {
                let wrong = || format!("{word:?} is not a seed: write 0..16, 7 or 0..4,7");
                word.trim().parse::<u64>().map_err(|_| wrong())
            };
            let range = if let Some((start, end)) = part.split_once("..") {
                number(start)?..number(end)?
            } else {
                let seed = number(part)?;
                seed..seed.checked_add(1).ok_or("the largest seed is 18446744073709551614")?
            };
            if range.is_empty() {
                return Err(format!("{part} is empty: the end of a range is not part of it"));
            }
            total = total.checked_add(range.end - range.start).ok_or("more seeds than can be counted")?;
            ranges.push(range);
        }
        Ok(Self(ranges))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_half_open_and_keep_their_order() {
        let seeds: Seeds = "5..8, 1,9..10".parse().unwrap();
        assert_eq!((seeds.len(), seeds.part(0, 100)), (5, vec![5, 6, 7, 1, 9]));
        assert_eq!(seeds.to_string(), "5..8,1,9");
        assert_eq!(seeds.part(2, 2), [7, 1]);
        assert_eq!(seeds.greatest(), Some(9));
        assert!(seeds.part(5, 2).is_empty());
    }

    #[test]
    fn batches_of_any_size_make_up_the_whole() {
        let seeds: Seeds = "0..4,7,100..103".parse().unwrap();
        for n in 1..9 {
            let parts: Vec<u64> = (0..seeds.len()).step_by(n).flat_map(|first| seeds.part(first, n)).collect();
            assert_eq!(parts, [0, 1, 2, 3, 7, 100, 101, 102]);
        }
    }

    #[test]
    fn what_is_no_list_of_seeds_is_refused() {
        for text in
            ["", "4..4", "5..4", "a", "1,,2", "-1", "0...4", "18446744073709551615", "0..18446744073709551615,0..9"]
        {
            assert!(text.parse::<Seeds>().is_err(), "{text}");
        }
        let said = net::Error::from("4..4".parse::<Seeds>().unwrap_err()).to_string();
        assert_eq!(said, "seeds: 4..4 is empty: the end of a range is not part of it");
        assert_eq!("0..18446744073709551615".parse::<Seeds>().unwrap().len(), u64::MAX);
    }
}
