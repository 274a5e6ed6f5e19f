//! How a kernel or a window moves over maps.

use serde::{Deserialize, Serialize};

/// How a convolution's kernel moves over its input. In files one number may stand for both axes (and both sides).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv {
    /// Step down and to the right.
    #[serde(with = "both")]
    pub stride: [usize; 2],
    /// Zeros around the input: `[[above, below], [left, right]]`.
    #[serde(with = "sides")]
    pub padding: [[usize; 2]; 2],
    /// Distance between the kernel's taps; 1 is a dense kernel.
    #[serde(with = "both", default = "ones", skip_serializing_if = "are_ones")]
    pub dilation: [usize; 2],
    /// Groups of channels that do not see each other.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub groups: usize,
}

impl Conv {
    /// A dense kernel that moves the same way on both axes.
    pub fn new(stride: usize, padding: usize) -> Self {
        Self { stride: [stride; 2], padding: [[padding; 2]; 2], dilation: [1; 2], groups: 1 }
    }

    /// The same in groups of channels.
    #[must_use]
    pub fn grouped(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// Height and width of a convolution's result; `None` where the kernel does not fit.
    pub fn output(&self, input: [usize; 2], kernel: [usize; 2]) -> Option<[usize; 2]> {
        Some([self.along(0, input[0], kernel[0])?, self.along(1, input[1], kernel[1])?])
    }

    /// Height and width of a transposed convolution's result, `extra` more at its end; `None` where nothing is left.
    pub fn transposed_output(&self, input: [usize; 2], kernel: [usize; 2], extra: [usize; 2]) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let moved = input[axis].checked_sub(1)?.checked_mul(self.stride[axis])?;
            let whole = moved.checked_add(self.span(axis, kernel[axis])?)?.checked_add(extra[axis])?;
            let [before, after] = self.padding[axis];
            whole.checked_sub(before.checked_add(after)?).filter(|&length| length > 0)
        };
        Some([along(0)?, along(1)?])
    }

    fn along(&self, axis: usize, input: usize, kernel: usize) -> Option<usize> {
        let [before, after] = self.padding[axis];
        let padded = input.checked_add(before)?.checked_add(after)?;
        Some(padded.checked_sub(self.span(axis, kernel)?)?.checked_div(self.stride[axis])? + 1)
    }

    fn span(&self, axis: usize, kernel: usize) -> Option<usize> {
        self.dilation[axis].checked_mul(kernel.checked_sub(1)?)?.checked_add(1)
    }
}

/// How a window moves over maps; what lies outside counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Height and width.
    #[serde(with = "both")]
    pub size: [usize; 2],
    /// Step down and to the right.
    #[serde(with = "both")]
    pub stride: [usize; 2],
    /// Places outside of the map that windows reach: `[[above, below], [left, right]]`.
    #[serde(with = "sides")]
    pub padding: [[usize; 2]; 2],
    /// Distance between the places of a window.
    #[serde(with = "both", default = "ones", skip_serializing_if = "are_ones")]
    pub dilation: [usize; 2],
}

impl Window {
    /// Height and width of the result; `None` where the window does not fit.
    pub fn output(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        self.moving().output(input, self.size)
    }

    /// The same movement as that of a kernel.
    pub fn moving(&self) -> Conv {
        Conv { stride: self.stride, padding: self.padding, dilation: self.dilation, groups: 1 }
    }
}

fn one() -> usize {
    1
}

fn ones() -> [usize; 2] {
    [1; 2]
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(n: &usize) -> bool {
    *n == 1
}

fn are_ones(n: &[usize; 2]) -> bool {
    *n == [1; 2]
}

/// Two numbers, or one for both.
mod both {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(usize),
        Two([usize; 2]),
    }

    pub(super) fn serialize<S: Serializer>(value: &[usize; 2], serializer: S) -> Result<S::Ok, S::Error> {
        if value[0] == value[1] { value[0].serialize(serializer) } else { value.serialize(serializer) }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[usize; 2], D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::One(n) => [n; 2],
            Written::Two(two) => two,
        })
    }
}

/// Four numbers, or one for each axis, or one for all.
mod sides {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(usize),
        Two([usize; 2]),
        Four([[usize; 2]; 2]),
    }

    pub(super) fn serialize<S: Serializer>(value: &[[usize; 2]; 2], serializer: S) -> Result<S::Ok, S::Error> {
        match *value {
            [[a, b], [c, d]] if a == b && b == c && c == d => a.serialize(serializer),
            [[a, b], [c, d]] if a == b && c == d => [a, c].serialize(serializer),
            four => four.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[[usize; 2]; 2], D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::One(n) => [[n; 2]; 2],
            Written::Two([vertical, horizontal]) => [[vertical; 2], [horizontal; 2]],
            Written::Four(four) => four,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_stands_for_both_axes() {
        let old = r#"{"stride":2,"padding":1}"#;
        let conv: Conv = serde_json::from_str(old).unwrap();
        assert_eq!(conv, Conv::new(2, 1));
        assert_eq!(serde_json::to_string(&conv).unwrap(), old);
        let wide = Conv { stride: [1, 2], padding: [[0, 1], [2, 3]], dilation: [1, 3], groups: 4 };
        let json = serde_json::to_string(&wide).unwrap();
        assert_eq!(serde_json::from_str::<Conv>(&json).unwrap(), wide);
    }

    #[test]
    fn sizes_do_not_wrap() {
        assert_eq!(Conv::new(2, 1).output([8, 6], [4, 4]), Some([4, 3]));
        assert_eq!(Conv::new(2, 1).transposed_output([4, 3], [4, 4], [0, 1]), Some([8, 7]));
        assert_eq!(Conv::new(0, 1).output([8, 8], [4, 4]), None);
        assert_eq!(Conv::new(1, usize::MAX).output([8, 8], [4, 4]), None);
        assert_eq!(Conv::new(usize::MAX, 0).transposed_output([3, 3], [2, 2], [0, 0]), None);
    }
}
