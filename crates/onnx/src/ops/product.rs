//! Products of matrices.

use super::{Operator, operator};
use crate::Result;
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{Dim, Op, Primitive};

pub(super) const TABLE: &[Operator] = &[
    operator("Einsum", "no `...`, and no index twice in one input", einsum),
    operator("Gemm", "", gemm),
    operator("MatMul", "", |w, c| {
        let (a, b) = (c.needed(w, 0)?, c.needed(w, 1)?);
        let product = w.product(&a, &b)?;
        let rank = w.rank(&product);
        if rank > 2 {
            w.units(&product, rank - 1);
        }
        Ok(vec![product])
    }),
];

impl Writer<'_> {
    /// The product of the last two axes; one axis is a row on the left and a column on the right, which the result has not.
    pub(crate) fn product(&mut self, a: &Value, b: &Value) -> Result<Value> {
        let (mut of_a, mut of_b) = (self.dims(a), self.dims(b));
        let (row, column) = (of_a.len() == 1, of_b.len() == 1);
        if row {
            of_a.insert(0, Dim::Fixed(1));
        }
        if column {
            of_b.push(Dim::Fixed(1));
        }
        let (wide_a, wide_b) = (self.reshape(a, of_a.clone())?, self.reshape(b, of_b.clone())?);
        // Weights meet all rows at once.
        let rows = (of_b.len() == 2 && of_a.len() > 2).then(|| Dim::product(&of_a[..of_a.len() - 1])).flatten();
        let product = match rows {
            Some(rows) => {
                let flat = self.reshape(&wide_a, vec![rows, of_a[of_a.len() - 1]])?;
                let product = self.apply(Primitive::mat_mul(false, false), &[&flat, &wide_b])?;
                let mut dims = of_a[..of_a.len() - 1].to_vec();
                dims.push(of_b[1]);
                self.reshape(&product, dims)?
            }
            None => self.apply(Primitive::mat_mul(false, false), &[&wide_a, &wide_b])?,
        };
        if !row && !column {
            return Ok(product);
        }
        let mut dims = self.dims(&product);
        if column {
            dims.pop();
        }
        if row {
            let at = dims.len() - usize::from(!column);
            dims.remove(at.saturating_sub(1));
        }
        self.reshape(&product, dims)
    }
}

/// `alpha a b + beta c`, a and b transposed where it is asked for.
fn gemm(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let (a, b, c) = (call.needed(w, 0)?, call.needed(w, 1)?, call.input(2));
    let (alpha, beta) = (call.float("alpha", 1.0), call.float("beta", 1.0));
    let (transpose_a, transpose_b) = (call.flag("transA"), call.flag("transB"));
    let of_b = w.dims(&b);
    let bias = call.has(2) && beta != 0.0;
    if !transpose_a && transpose_b && alpha == 1.0 && beta == 1.0 && bias && of_b.len() == 2 && w.dims(&c) == [of_b[0]]
    {
        return Ok(vec![w.apply(Op::Linear, &[&a, &b, &c])?]);
    }
    let product = w.apply(Primitive::MatMul { transpose_a, transpose_b }, &[&a, &b])?;
    let product = w.scaled(&product, alpha)?;
    if !bias {
        return Ok(vec![product]);
    }
    let c = w.scaled(&c, beta)?;
    Ok(vec![w.add(&product, &c)?])
}

/// A factor of a sum, with a letter for each axis.
struct Factor {
    value: Value,
    letters: Vec<char>,
}

fn einsum(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let equation: String = call.text("equation", "").chars().filter(|c| !c.is_whitespace()).collect();
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left.to_owned(), Some(right.to_owned())),
        None => (equation.clone(), None),
    };
    let terms: Vec<Vec<char>> = left.split(',').map(|term| term.chars().collect()).collect();
    let result: Vec<char> = match right {
        Some(right) => right.chars().collect(),
        // Those that stand once, by the alphabet.
        None => {
            let all: Vec<char> = terms.concat();
            let mut once: Vec<char> =
                all.iter().copied().filter(|c| all.iter().filter(|other| *other == c).count() == 1).collect();
            once.sort_unstable();
            once
        }
    };
    let plain = |letters: &Vec<char>| {
        letters.iter().enumerate().all(|(i, c)| c.is_ascii_alphabetic() && !letters[..i].contains(c))
    };
    if terms.len() != call.inputs.len() || !terms.iter().chain([&result]).all(plain) {
        return Err(w.fault(format!("the equation {equation:?} is not supported")));
    }
    let mut factors = Vec::new();
    for (place, letters) in terms.into_iter().enumerate() {
        let value = call.needed(w, place)?;
        if w.rank(&value) != letters.len() {
            return Err(w.fault(format!("an input has another number of axes than {equation:?} says")));
        }
        factors.push(Factor { value, letters });
    }
    factors.reverse();
    let Some(mut sum) = factors.pop() else { return Err(w.fault("it has no inputs")) };
    while let Some(next) = factors.pop() {
        let later = |c: &char| result.contains(c) || factors.iter().any(|factor| factor.letters.contains(c));
        sum = times(w, sum, next, later)?;
    }
    let sum = summed(w, sum, |c| result.contains(c))?;
    let order = result.iter().map(|c| sum.letters.iter().position(|held| held == c)).collect::<Option<Vec<_>>>();
    let order = order.ok_or_else(|| w.fault(format!("the equation {equation:?} has a result that no input has")))?;
    Ok(vec![w.permute(&sum.value, order)?])
}

/// The sum over all letters that are not asked for.
fn summed(w: &mut Writer, factor: Factor, kept: impl Fn(&char) -> bool) -> Result<Factor> {
    let axes: Vec<usize> = (0..factor.letters.len()).filter(|&axis| !kept(&factor.letters[axis])).collect();
    if axes.is_empty() {
        return Ok(factor);
    }
    let dims = w.dims(&factor.value);
    let value = w.sum(&factor.value, &axes)?;
    let left = (0..dims.len()).filter(|axis| !axes.contains(axis));
    let value = w.reshape(&value, left.clone().map(|axis| dims[axis]).collect())?;
    Ok(Factor { value, letters: left.map(|axis| factor.letters[axis]).collect() })
}

/// The product of two factors, summed over the letters that nothing later asks for.
fn times(w: &mut Writer, a: Factor, b: Factor, later: impl Fn(&char) -> bool) -> Result<Factor> {
    let a_letters = a.letters.clone();
    let a = summed(w, a, |c| later(c) || b.letters.contains(c))?;
    let b = summed(w, b, |c| later(c) || a_letters.contains(c))?;
    let shared = |c: &&char| b.letters.contains(c);
    let batch: Vec<char> = a.letters.iter().filter(shared).filter(|c| later(c)).copied().collect();
    let inner: Vec<char> = a.letters.iter().filter(shared).filter(|c| !later(c)).copied().collect();
    let alone = |of: &Factor, other: &Factor| -> Vec<char> {
        of.letters.iter().filter(|c| !other.letters.contains(c)).copied().collect()
    };
    let (rows, columns) = (alone(&a, &b), alone(&b, &a));
    let length = |w: &Writer, c: &char| {
        let of =
            |factor: &Factor| factor.letters.iter().position(|held| held == c).map(|axis| w.dims(&factor.value)[axis]);
        match (of(&a), of(&b)) {
            (Some(a), Some(b)) if a == b => Ok(a),
            (Some(_), Some(_)) => Err(w.fault(format!("the lengths of {c:?} differ"))),
            (Some(one), None) | (None, Some(one)) => Ok(one),
            (None, None) => Ok(Dim::Fixed(1)),
        }
    };
    let lengths = |w: &Writer, letters: &[char]| letters.iter().map(|c| length(w, c)).collect::<Result<Vec<Dim>>>();
    let [of_batch, of_inner, of_rows, of_columns] =
        [lengths(w, &batch)?, lengths(w, &inner)?, lengths(w, &rows)?, lengths(w, &columns)?];
    let together = |w: &Writer, dims: &[Dim]| Dim::product(dims).ok_or_else(|| w.fault("it has too many elements"));
    let (k, m, n) = (together(w, &of_inner)?, together(w, &of_rows)?, together(w, &of_columns)?);
    let matrix = |w: &mut Writer, factor: &Factor, order: [&[char]; 3], shape: [Dim; 2]| {
        let axes = order.concat().iter().filter_map(|c| factor.letters.iter().position(|held| held == c)).collect();
        let value = w.permute(&factor.value, axes)?;
        w.reshape(&value, [of_batch.as_slice(), &shape].concat())
    };
    let left = matrix(w, &a, [&batch, &rows, &inner], [m, k])?;
    let right = matrix(w, &b, [&batch, &inner, &columns], [k, n])?;
    let product = w.apply(Primitive::mat_mul(false, false), &[&left, &right])?;
    let value = w.reshape(&product, [of_batch, of_rows, of_columns].concat())?;
    Ok(Factor { value, letters: [batch, rows, columns].concat() })
}
