//! The least that a computation takes.

use std::iter::Sum;
use std::ops::{Add, Mul};

/// What a computation takes at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Multiply-adds of the plain algorithm: a convolution from its definition, without tricks that save products.
    pub macs: u64,
    /// Bytes to and from memory if every input is read once, every output written once and nothing else moves.
    pub bytes: u64,
}

impl Cost {
    /// `macs` multiply-adds over `numbers` numbers of `f32` read or written.
    pub(crate) fn new(macs: usize, numbers: usize) -> Self {
        Self { macs: macs as u64, bytes: 4 * numbers as u64 }
    }
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { macs: self.macs + other.macs, bytes: self.bytes + other.bytes }
    }
}

impl Mul<Cost> for u64 {
    type Output = Cost;
    fn mul(self, cost: Cost) -> Cost {
        Cost { macs: self * cost.macs, bytes: self * cost.bytes }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), Self::add)
    }
}
