//! Smooth noise from a fixed table, the same in every scene; scenes differ by where they look into it.

use base::seed::Stream;
use std::sync::LazyLock;

/// A power of two, so that wrapping round is a mask.
const SIDE: usize = 256;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut stream = Stream::new(0, "scenes noise", 0);
    std::array::from_fn(|_| stream.unit() as f32)
});

type Table = [f32; SIDE * SIDE];

/// The table, opened once per scene so that the lookups need not ask whether it is ready.
#[derive(Clone, Copy)]
pub(super) struct Noise(&'static Table);

impl Noise {
    /// Opens the table.
    pub(super) fn new() -> Self {
        Self(&TABLE)
    }

    /// Smooth noise in `[0, 1]`, one value per unit square, repeating every 256 units.
    #[inline]
    pub(super) fn at(self, x: f32, y: f32) -> f32 {
        // `f32::floor` is a call on processors without SSE 4.1, for which we are compiled as well.
        let floor = |v: f32| v as i32 - i32::from(v < 0.0);
        let fade = |t: f32| t * t * (3.0 - 2.0 * t);
        let (fx, fy) = (floor(x), floor(y));
        let (tx, ty) = (fade(x - fx as f32), fade(y - fy as f32));
        let mask = SIDE - 1;
        let (x0, y0) = (fx as usize & mask, fy as usize & mask);
        let (x1, y1) = ((x0 + 1) & mask, (y0 + 1) & mask);
        let table = self.0;
        let top = table[y0 * SIDE + x0] * (1.0 - tx) + table[y0 * SIDE + x1] * tx;
        let low = table[y1 * SIDE + x0] * (1.0 - tx) + table[y1 * SIDE + x1] * tx;
        top + (low - top) * ty
    }

    /// Two octaves of it, in `[0, 1]`.
    pub(super) fn rough(self, x: f32, y: f32) -> f32 {
        (self.at(x, y) * 2.0 + self.at(x * 2.13 + 17.0, y * 2.13 + 5.0)) * (1.0 / 3.0)
    }
}
