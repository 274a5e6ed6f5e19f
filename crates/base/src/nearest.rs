//! What was probably meant by a name that does not exist.

/// The known name that `typed` probably stands for: the same letters in another case, the last part of one dotted or slashed name
/// (`size` for `image.size`), the beginning of one alone, or a few slips of the keyboard away.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let low = typed.to_lowercase();
    let only = |is: &dyn Fn(&str) -> bool| {
        let mut found = known.iter().filter(|name| is(&name.to_lowercase()));
        found.next().filter(|_| found.next().is_none()).copied()
    };
    let slips = |name: &str| distance(&name.to_lowercase(), &low);
    let most = (low.chars().count() / 3).min(3);
    only(&|name| name == low)
        .or_else(|| only(&|name| name.rsplit(['.', '/']).next() == Some(&low) && name != low))
        .or_else(|| known.iter().copied().min_by_key(|name| slips(name)).filter(|name| slips(name) <= most && most > 0))
        .or_else(|| only(&|name| low.chars().count() > 2 && name.starts_with(&low)))
}

/// The cure for a name that does not exist: the one that was probably meant, or all that there are, of which `what` is the plural.
pub fn known_names<'a>(typed: &str, what: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(typed, known.clone()) {
        Some(near) => format!("Did you mean {near}?"),
        None if known.clone().into_iter().next().is_none() => format!("There are no {what}."),
        None => format!("The {what} are: {}.", known.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

/// How many letters have to be put in, left out, replaced, or swapped with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(row[j - 1] + 1).min(last[j] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        (before, last) = (last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: [&str; 7] = ["batch", "image.size", "image.channels", "lr_g", "lr_d", "log.keep", "mutations"];

    #[test]
    fn what_was_meant_is_found() {
        for (typed, meant) in [
            ("bacth", Some("batch")),
            ("size", Some("image.size")),
            ("image.sise", Some("image.size")),
            ("BATCH", Some("batch")),
            ("mut", Some("mutations")),
            ("keep", Some("log.keep")),
            // As near to one as to the other: the first.
            ("lr_x", Some("lr_g")),
            ("learning_rate", None),
            ("x", None),
            // Of short names each is near to each other.
            ("lr", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, SETTINGS), meant, "{typed}");
        }
    }

    #[test]
    fn where_nothing_is_near_all_names_are_told() {
        assert_eq!(known_names("treee", "classes", ["sky", "tree"]), "Did you mean tree?");
        assert_eq!(known_names("window", "classes", ["sky", "tree"]), "The classes are: sky, tree.");
        assert_eq!(known_names("window", "classes", []), "There are no classes.");
    }

    #[test]
    fn slips_are_counted() {
        for (a, b, slips) in
            [("", "abc", 3), ("abc", "abc", 0), ("acb", "abc", 1), ("kitten", "sitting", 3), ("ab", "ba", 1)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (slips, slips), "{a} {b}");
        }
    }
}
