//! Texts of protocol 0, which are written as Python writes them.

/// A text of protocol 0 with its escapes resolved: those of Python's strings, or of numbers alone. Others stay as they are.
pub(super) fn unescaped(text: &str, of_strings: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut letters = after.chars();
        let simple = match letters.next().filter(|_| of_strings) {
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            Some(quoted @ ('\\' | '\'' | '"')) => Some(quoted),
            _ => None,
        };
        let digits = |skip: usize, count: usize| {
            let number = u32::from_str_radix(after.get(skip..skip + count)?, 16).ok()?;
            Some((char::from_u32(number)?, after.get(skip + count..)?))
        };
        let coded = match after.as_bytes().first() {
            Some(b'x') if of_strings => digits(1, 2),
            Some(b'u') => digits(1, 4),
            Some(b'U') => digits(1, 8),
            _ => None,
        };
        match (simple, coded) {
            (Some(letter), _) => {
                out.push(letter);
                rest = letters.as_str();
            }
            (None, Some((letter, left))) => {
                out.push(letter);
                rest = left;
            }
            (None, None) => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_python() {
        for (text, of_strings, letters) in [
            (r"a\\b\n\'\x41\u00e9", true, "a\\b\n'Aé"),
            // In texts of letters only numbers are escaped.
            (r"a\nb\u00e9\U0001f408\u005c", false, "a\\nbé🐈\\"),
            (r"\u000a\xff", false, "\n\\xff"),
            (r"end\", true, r"end\"),
            (r"\ud800\u12", true, r"\ud800\u12"),
        ] {
            assert_eq!(unescaped(text, of_strings), letters, "{text}");
        }
    }
}
