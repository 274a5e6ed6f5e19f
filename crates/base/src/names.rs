//! Names of files made of what people and models call things.

/// Bytes of a name at most: endings, and the temporary name that a file has while it is written, find room in the 255 that file systems
/// allow.
const LONGEST: usize = 120;
/// Hexadecimal digits that tell names apart that would look alike.
const DIGITS: usize = 8;

/// The name of a file or folder for what is called by these parts (`["objects", "tree"]` is `objects-tree`): no path, not hidden, short
/// enough for an ending, and another one for other parts. Where cleaning or cutting changed something, or the parts could be told apart
/// otherwise, a short hash of them follows.
///
/// Systems that take upper and lower case for one need that the content is compared as well.
pub fn file_name(parts: &[&str]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let joined = parts.join("-");
    let mut name: String = joined.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    if name.is_empty() || name.starts_with('.') {
        name.insert(0, '_');
    }
    let (_, before) = parts.split_last().map_or((&"", &[][..]), |(last, before)| (last, before));
    let divided_otherwise = before.iter().any(|part| part.contains('-'));
    if name == joined && name.len() <= LONGEST && !divided_otherwise && !ends_in_hash(&name) {
        return name;
    }
    name.truncate(name.floor_char_boundary(LONGEST - 1 - DIGITS));
    let mut hash = blake3::Hasher::new();
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    format!("{name}-{}", &hash.finalize().to_hex()[..DIGITS])
}

/// Whether a name looks like one with a hash.
fn ends_in_hash(name: &str) -> bool {
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    name.rsplit_once('-').is_some_and(|(_, end)| end.len() == DIGITS && end.bytes().all(digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay_and_others_are_told_apart() {
        for plain in ["1b", "layer.0_x-y", "Bäume", "木"] {
            assert_eq!(file_name(&[plain]), plain);
        }
        assert_eq!(file_name(&["objects", "tree"]), "objects-tree");
        assert_eq!(file_name(&["objects", "traffic-light"]), "objects-traffic-light");
        let names = [
            &["a/b"][..],
            &["a b"],
            &["a_b"],
            &["a", "b"],
            &["a-b"],
            &["a-b", "c"],
            &["a", "b-c"],
            &[""],
            &["."],
            &[".."],
            &["_"],
            &["a_b-01234567"],
            &[&*file_name(&["a/b"])],
            &["../../etc/passwd"],
            &["C:\\x"],
            &["a\0b"],
            &["a\nb"],
        ]
        .map(file_name);
        let mut once = names.to_vec();
        once.sort();
        once.dedup();
        // `a`, `b` and `a-b` have other numbers of parts: nobody mixes those.
        assert_eq!(once.len(), names.len() - 1, "{names:?}");
        assert!(
            names.iter().all(|name| !name.starts_with('.') && !name.contains(['/', '\\', '\0', '\n', ':'])),
            "{names:?}"
        );
        assert!(names[0].starts_with("a_b-") && names[0].len() == "a_b-01234567".len(), "{names:?}");
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let [a, b] = ["A", "B"].map(|end| file_name(&["objects", &("木".repeat(100) + end)]));
        assert!(a.len() <= LONGEST && b.len() <= LONGEST && a != b && a.starts_with("objects-木木"), "{a} {b}");
        assert_eq!(file_name(&[&"x".repeat(LONGEST)]).len(), LONGEST);
        assert_eq!(file_name(&[&"x".repeat(LONGEST + 1)]).len(), LONGEST);
    }

    proptest! {
        #[test]
        fn other_names_get_other_files(a in ("[-a./ _]{0,6}", "[-a./ _]{0,6}"), b in ("[-a./ _]{0,6}", "[-a./ _]{0,6}")) {
            prop_assume!(a != b);
            prop_assert_ne!(file_name(&[&a.0, &a.1]), file_name(&[&b.0, &b.1]));
            if a.0 != b.0 {
                prop_assert_ne!(file_name(&[&a.0]), file_name(&[&b.0]));
            }
        }
    }
}
