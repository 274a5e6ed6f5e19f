//! Lengths of axes before the batch is known.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The length of one axis: a number, or a multiple of the batch. In files a number, `"n"` or `"2n"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// Whatever the batch.
    Fixed(usize),
    /// So many times the batch.
    Batch(usize),
}

impl Dim {
    /// The batch itself.
    pub const N: Self = Self::Batch(1);

    /// The length for a batch; `None` where it does not fit into the machine's numbers.
    pub fn at(self, batch: usize) -> Option<usize> {
        match self {
            Self::Fixed(length) => Some(length),
            Self::Batch(times) => times.checked_mul(batch),
        }
    }

    /// Whether it is 1 whatever the batch.
    pub fn is_one(self) -> bool {
        self == Self::Fixed(1)
    }

    /// The length that does not depend on the batch, if it is one.
    pub fn fixed(self) -> Option<usize> {
        match self {
            Self::Fixed(length) => Some(length),
            Self::Batch(_) => None,
        }
    }

    /// Elements of two axes together. `None`: two multiples of the batch, or too many.
    pub fn times(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Fixed(a), Self::Fixed(b)) => a.checked_mul(b).map(Self::Fixed),
            (Self::Batch(a), Self::Fixed(b)) | (Self::Fixed(b), Self::Batch(a)) => a.checked_mul(b).map(Self::Batch),
            (Self::Batch(_), Self::Batch(_)) => None,
        }
    }

    /// Elements of all axes together. `None` as in [`Dim::times`].
    pub fn product(dims: &[Self]) -> Option<Self> {
        dims.iter().try_fold(Self::Fixed(1), |product, &dim| product.times(dim))
    }
}

impl From<usize> for Dim {
    fn from(length: usize) -> Self {
        Self::Fixed(length)
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(length) => write!(f, "{length}"),
            Self::Batch(1) => f.write_str("n"),
            Self::Batch(times) => write!(f, "{times}n"),
        }
    }
}

impl Serialize for Dim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(length) => serializer.serialize_u64(*length as u64),
            Self::Batch(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Dim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(usize),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(length) => Ok(Self::Fixed(length)),
            Written::Text(text) => {
                let times = text.strip_suffix('n').map(|times| if times.is_empty() { "1" } else { times });
                let times = times.and_then(|times| times.parse().ok()).filter(|&times| times > 0);
                let wrong = || D::Error::custom(format!("{text:?} is no length: write a number, \"n\" or \"2n\""));
                times.map(Self::Batch).ok_or_else(wrong)
            }
        }
    }
}

/// Dimensions as people read them: `[n, 3, 64, 64]`.
pub fn shown(dims: &[Dim]) -> String {
    let dims: Vec<String> = dims.iter().map(Dim::to_string).collect();
    format!("[{}]", dims.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_people_write_them() {
        let dims = [Dim::N, Dim::Batch(4), Dim::Fixed(3)];
        let json = serde_json::to_string(&dims).unwrap();
        assert_eq!(json, r#"["n","4n",3]"#);
        assert_eq!(serde_json::from_str::<[Dim; 3]>(&json).unwrap(), dims);
        assert_eq!(shown(&dims), "[n, 4n, 3]");
        for wrong in [r#""x""#, r#""0n""#, r#""-1n""#, "-1", "1.5"] {
            assert!(serde_json::from_str::<Dim>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn elements_multiply_but_the_batch_only_once() {
        assert_eq!(Dim::product(&[Dim::N, Dim::Fixed(3), Dim::Fixed(4)]), Some(Dim::Batch(12)));
        assert_eq!(Dim::product(&[Dim::N, Dim::N]), None);
        assert_eq!(Dim::Fixed(usize::MAX).times(Dim::Fixed(2)), None);
        assert_eq!(Dim::Batch(2).at(usize::MAX), None);
    }
}
