//! The size of a picture as people write it.

use base::Malformed;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// Width and height in pixels. Written `80x48`, or as one number where both are equal: `64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Size {
    /// What a text must be.
    const FORM: &'static str = "a number of pixels or WIDTHxHEIGHT, such as 64 or 80x48";

    /// As high as wide.
    pub const fn square(side: usize) -> Self {
        Self { width: side, height: side }
    }

    /// The size of an image of shape `[channels, height, width]`.
    pub const fn of([_, height, width]: [usize; 3]) -> Self {
        Self { width, height }
    }

    /// Height and width, in the order of shapes.
    pub const fn rows_and_columns(self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// The longer side.
    pub fn longer(self) -> usize {
        self.width.max(self.height)
    }

    /// The shorter side.
    pub fn shorter(self) -> usize {
        self.width.min(self.height)
    }
}

impl Display for Size {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        if self.width == self.height { self.width.fmt(f) } else { f.pad(&format!("{}x{}", self.width, self.height)) }
    }
}

impl FromStr for Size {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (width, height) = text.split_once(['x', 'X', '×']).unwrap_or((text, text));
        match (width.parse(), height.parse()) {
            (Ok(width), Ok(height)) => Ok(Self { width, height }),
            _ => Err(Malformed::new("size", format!("{text:?} is not {}", Self::FORM))),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.width == self.height {
            serializer.serialize_u64(self.width as u64)
        } else {
            serializer.collect_str(self)
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsWritten;

        impl Visitor<'_> for AsWritten {
            type Value = Size;

            fn expecting(&self, f: &mut Formatter) -> fmt::Result {
                f.write_str(Size::FORM)
            }

            fn visit_u64<E: de::Error>(self, side: u64) -> Result<Size, E> {
                let wrong = |_| E::invalid_value(de::Unexpected::Unsigned(side), &self);
                usize::try_from(side).map(Size::square).map_err(wrong)
            }

            fn visit_i64<E: de::Error>(self, side: i64) -> Result<Size, E> {
                let wrong = |_| E::invalid_value(de::Unexpected::Signed(side), &self);
                usize::try_from(side).map(Size::square).map_err(wrong)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(AsWritten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_size_is_written_as_people_write_it() {
        let wide = Size { width: 80, height: 48 };
        for (text, size) in [("80x48", wide), ("80X48", wide), ("80×48", wide), ("64", Size::square(64))] {
            assert_eq!(text.parse(), Ok(size), "{text}");
        }
        for text in ["", "x", "80x", "x48", "-3", "80x48x3", "8 0", "1.5"] {
            let refused = format!("{text:?} is not a number of pixels or WIDTHxHEIGHT, such as 64 or 80x48");
            assert_eq!(text.parse::<Size>().unwrap_err().to_string(), refused);
        }
        assert_eq!(format!("{wide:>7} {:>3}", Size::square(5)), "  80x48   5");
        assert_eq!(wide.rows_and_columns(), [48, 80]);
        assert_eq!(Size::of([3, 48, 80]), wide);
    }

    #[test]
    fn a_square_is_a_number_in_a_file() {
        let json = |size: Size| serde_json::to_string(&size).unwrap();
        assert_eq!([json(Size::square(64)), json(Size { width: 80, height: 48 })], ["64", "\"80x48\""]);
        for wrong in ["-3", "\"wide\"", "[80, 48]", "1.5"] {
            let error = serde_json::from_str::<Size>(wrong).unwrap_err().to_string();
            assert!(error.contains("expected a number of pixels or WIDTHxHEIGHT"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_size_comes_back(width in 0usize..9000, height in 0usize..9000) {
            for size in [Size { width, height }, Size::square(width)] {
                prop_assert_eq!(size.to_string().parse::<Size>(), Ok(size));
                let json = serde_json::to_string(&size).unwrap();
                prop_assert_eq!(serde_json::from_str::<Size>(&json).unwrap(), size);
            }
        }
    }
}
