//! Keys that stand twice in one object of a JSON document. Of two values one reader keeps the first and another the last, so that a
//! file with two would be two files.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// The first key that stands twice in one object, in a document or what can be understood of it.
pub(super) fn key_given_twice(json: &[u8]) -> Option<String> {
    let mut found = None;
    // What is wrong with the document otherwise, its own reader says.
    drop(Search(&mut found).deserialize(&mut serde_json::Deserializer::from_slice(json)));
    found
}

struct Search<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(Search(&mut *self.0))?;
            if let Some(again) = keys.replace(key) {
                self.0.get_or_insert(again);
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_element_seed(Search(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_as_they_are_meant_and_within_their_object() {
        let found = |json: &str| key_given_twice(json.as_bytes());
        assert_eq!(found(r#"{"a": {"b": 1}, "b": [{"a": 1}, {"a": null}, true, -1, 0.5, "a", "a"]}"#), None);
        assert_eq!(found(r#"{"a": 1, "a": 2}"#).as_deref(), Some("a"));
        assert_eq!(found(r#"[0, {"x": {"a": 1, "\u0061": 2}}]"#).as_deref(), Some("a"));
        assert_eq!(found(r#"{"a": 1, "a": 2, "#).as_deref(), Some("a"));
        assert_eq!(found("{\"a\""), None);
        assert_eq!(found(&"[".repeat(100_000)), None);
    }
}
