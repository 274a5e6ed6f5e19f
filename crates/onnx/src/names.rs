//! Names of nodes, from names that a file gives.

use base::is_deceptive;
use std::collections::HashMap;

/// Bytes of a name at most.
const LONGEST: usize = 200;
/// Hexadecimal digits that tell long names apart.
const DIGITS: usize = 8;

/// The names that are given so far, each with the number that would follow it next.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, u64>);

impl Names {
    /// The name for what a file calls `wish`: the same, unless that is empty, very long (it is cut, and a hash follows), has characters
    /// that are not seen for what they are (`_` in their place), or is taken (`.2`, `.3`, ... follow).
    pub(crate) fn unique(&mut self, wish: &str) -> String {
        let mut name: String = wish.chars().map(|c| if is_deceptive(c) { '_' } else { c }).collect();
        if name.is_empty() {
            name.push_str("unnamed");
        }
        if name.len() > LONGEST {
            name.truncate(name.floor_char_boundary(LONGEST - 1 - DIGITS));
            let hash = blake3::hash(wish.as_bytes()).to_hex();
            name = format!("{name}-{}", hash.get(..DIGITS).unwrap_or_default());
        }
        let mut free = name.clone();
        while self.0.contains_key(&free) {
            let number = self.0.entry(name.clone()).or_insert(2);
            free = format!("{name}.{number}");
            *number += 1;
        }
        self.0.insert(free.clone(), 2);
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_unless_they_would_mislead() {
        let mut names = Names::default();
        assert_eq!(names.unique("/layer1/conv/Conv_output_0"), "/layer1/conv/Conv_output_0");
        assert_eq!(names.unique("a\u{202e}\n"), "a__");
        assert_eq!(names.unique("a__"), "a__.2");
        assert_eq!(names.unique(""), "unnamed");
        let [a, b] = ["A", "B"].map(|end| names.unique(&("木".repeat(100) + end)));
        assert!(a.len() <= LONGEST && b.len() <= LONGEST && a != b && a.starts_with("木木"), "{a} {b}");
    }
}
