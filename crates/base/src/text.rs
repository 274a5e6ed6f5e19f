//! Texts from outside, before people read them.

/// Whether a character is not seen for what it is, so that a name with it can look like another: control characters, and those that
/// turn the direction of text. Whoever shows names writes something else in its place.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_text_or_steers_terminals_is_known() {
        let turning = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        assert!(turning.chars().chain("\0\n\x1b\x7f\u{9b}".chars()).all(is_deceptive));
        // Letters that are read from the right, and joiners that some scripts need, are what they look like.
        assert!(!"aü木עב\u{200d}\u{a0}".chars().any(is_deceptive));
    }
}
