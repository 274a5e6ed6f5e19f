//! Tables as other programs read them.

/// A field of a CSV file (RFC 4180): in quotes where it holds what would end it.
pub fn csv_field(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.into() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_from_outside_cannot_break_a_table() {
        assert_eq!(super::csv_field("tree"), "tree");
        assert_eq!(super::csv_field("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
    }
}
