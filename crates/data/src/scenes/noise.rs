//! Smooth noise from a fixed table, the same in every scene; scenes differ by where they look into it.

use base::seed::Stream;
use std::sync::LazyLock;

/// A power of two, so that wrapping round is a mask.
const SIDE: usize = 256;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut stream = Stream::new(0, "scenes noise", 0);
    std::array::from_fn(|_| std::array::from_fn(|_| stream.unit() as f32))
});

/// Rows from top to bottom.
type Table = [[f32; SIDE]; SIDE];

/// The table, opened once per scene so that the lookups need not ask whether it is ready.
#[derive(Clone, Copy)]
pub(super) struct Noise(&'static Table);

impl Noise {
    /// Opens the table.
    pub(super) fn new() -> Self {
        Self(&TABLE)
    }

    /// Smooth noise in `[0, 1]`, one value per unit square, repeating every 256 units.
    pub(super) fn at(self, x: f32, y: f32) -> f32 {
        self.row(y).at(x)
    }

    /// The noise at one height.
    pub(super) fn row(self, y: f32) -> Row {
        let (y0, t) = floor(y);
        let line = |y: usize| &self.0[y & (SIDE - 1)];
        Row { above: line(y0), below: line(y0.wrapping_add(1)), t }
    }

    /// Two octaves of it, in `[0, 1]`, at one height.
    pub(super) fn rough(self, y: f32) -> Rough {
        Rough(self.row(y), self.row(y * 2.13 + 5.0))
    }
}

/// The noise at one height.
#[derive(Clone, Copy)]
pub(super) struct Row {
    above: &'static [f32; SIDE],
    below: &'static [f32; SIDE],
    t: f32,
}

impl Row {
    /// As [`Noise::at`].
    #[inline]
    pub(super) fn at(self, x: f32) -> f32 {
        let (x0, t) = floor(x);
        let (x0, x1) = (x0 & (SIDE - 1), x0.wrapping_add(1) & (SIDE - 1));
        let above = self.above[x0] * (1.0 - t) + self.above[x1] * t;
        let below = self.below[x0] * (1.0 - t) + self.below[x1] * t;
        above + (below - above) * self.t
    }
}

/// Two octaves of noise at one height.
#[derive(Clone, Copy)]
pub(super) struct Rough(Row, Row);

impl Rough {
    /// In `[0, 1]`.
    #[inline]
    pub(super) fn at(self, x: f32) -> f32 {
        (self.0.at(x) * 2.0 + self.1.at(x * 2.13 + 17.0)) * (1.0 / 3.0)
    }
}

/// The whole number below (as far as a table is concerned that repeats), and how far on from there, made smooth.
#[inline]
fn floor(v: f32) -> (usize, f32) {
    // `f32::floor` is a call on processors without SSE 4.1, for which we are compiled as well.
    let whole = v as i32 - i32::from(v < 0.0);
    let t = v - whole as f32;
    (whole as usize, t * t * (3.0 - 2.0 * t))
}
