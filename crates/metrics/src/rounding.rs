//! How programs turn the numbers of generated images, from -1 to 1, into bytes. It moves distances.

use serde::{Deserialize, Serialize};

/// The rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// `127.5 x + 128`, cut off: the nearest byte. The `StyleGAN` line; mimicry's `255 y + 0.5` for `y` from 0 to 1 is the same.
    Nearest,
    /// `255 (x + 1) / 2`, cut off: gandissect.
    Truncate,
}

impl Rounding {
    /// The byte; what is beyond the range is at its end, and NaN is 0.
    pub fn byte(self, x: f32) -> u8 {
        // In f32, as those programs and our pictures have it. A cast goes to the ends, and cuts off.
        (match self {
            Self::Nearest => 127.5 * x + 128.0,
            Self::Truncate => 127.5 * (x + 1.0),
        }) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_middle_and_half_steps() {
        let all = [Rounding::Nearest, Rounding::Truncate];
        let at = |x: f32| all.map(|rule| rule.byte(x));
        // One step of a byte is 2 / 255.
        let half = 1.0 / 255.0;
        let table = [
            (-1.0, [0, 0]),
            (-1.0 + 0.99 * half, [0, 0]),
            (-1.0 + 1.01 * half, [1, 0]),
            (-1.01 * half, [127, 126]),
            (-0.99 * half, [127, 127]),
            (0.0, [128, 127]),
            (0.99 * half, [128, 127]),
            (1.01 * half, [128, 128]),
            (1.0 - 1.01 * half, [254, 254]),
            (1.0, [255, 255]),
            (-7.0, [0, 0]),
            (7.0, [255, 255]),
            (f32::NAN, [0, 0]),
        ];
        for (x, expected) in table {
            assert_eq!(at(x), expected, "{x}");
        }
    }
}
