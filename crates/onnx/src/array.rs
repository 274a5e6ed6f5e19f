//! Arrays whose numbers are known when a model is imported: shapes, axes, limits, small constants. A length among them may be a
//! multiple of the batch, as in [`Dim`].

use tensor::Dim;

/// What the numbers of a tensor mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Real numbers of any precision; computed with in 32 bits.
    Real,
    /// Whole numbers.
    Whole,
    /// 0 for no, 1 for yes.
    Truth,
}

/// A number `fixed + batch n`, n the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) fixed: f64,
    pub(crate) batch: f64,
}

impl Number {
    pub(crate) fn of(fixed: f64) -> Self {
        Self { fixed, batch: 0.0 }
    }

    /// The number, where it does not depend on the batch.
    pub(crate) fn known(self) -> Option<f64> {
        (self.batch == 0.0).then_some(self.fixed)
    }

    /// The length of an axis.
    pub(crate) fn dim(self) -> Option<Dim> {
        let whole = |x: f64| (x >= 0.0 && x <= (1u64 << 48) as f64 && x.fract() == 0.0).then_some(x as usize);
        match (self.fixed, self.batch) {
            (fixed, 0.0) => whole(fixed).map(Dim::Fixed),
            (0.0, batch) => whole(batch).map(Dim::Batch),
            _ => None,
        }
    }

    pub(crate) fn of_dim(dim: Dim) -> Self {
        match dim {
            Dim::Fixed(length) => Self::of(length as f64),
            Dim::Batch(times) => Self { fixed: 0.0, batch: times as f64 },
        }
    }
}

/// An array whose numbers are known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) kind: Kind,
    /// In row-major order.
    pub(crate) numbers: Vec<Number>,
}

impl Array {
    pub(crate) fn of(shape: Vec<usize>, kind: Kind, values: Vec<f64>) -> Self {
        Self { shape, kind, numbers: values.into_iter().map(Number::of).collect() }
    }

    /// Whole numbers in one axis.
    pub(crate) fn list(values: impl IntoIterator<Item = i64>) -> Self {
        let values: Vec<f64> = values.into_iter().map(|value| value as f64).collect();
        Self::of(vec![values.len()], Kind::Whole, values)
    }

    /// One number without axes.
    pub(crate) fn scalar(kind: Kind, value: f64) -> Self {
        Self::of(Vec::new(), kind, vec![value])
    }

    /// The numbers, where none depends on the batch.
    pub(crate) fn values(&self) -> Option<Vec<f64>> {
        self.numbers.iter().map(|number| number.known()).collect()
    }

    /// The same numbers as another kind: real ones lose what stands behind the point, or become yes or no.
    pub(crate) fn cast(mut self, kind: Kind) -> Self {
        for number in &mut self.numbers {
            *number = match (self.kind, kind) {
                (Kind::Real, Kind::Whole) => Number { fixed: number.fixed.trunc(), ..*number },
                (Kind::Real | Kind::Whole, Kind::Truth) => {
                    Number::of(f64::from(u8::from(number.fixed != 0.0 || number.batch != 0.0)))
                }
                (_, Kind::Real) => Number { fixed: f64::from(number.fixed as f32), ..*number },
                _ => *number,
            };
        }
        self.kind = kind;
        self
    }
}
