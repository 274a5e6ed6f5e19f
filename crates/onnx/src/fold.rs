//! Primitives on arrays whose numbers are known: what follows from constants and shapes is computed when a model is imported.
//!
//! What a primitive means is said once, in `tensor::reference`. Where a number depends on the batch, primitives that move elements
//! move their places instead, and sums, differences, products and quotients are those of `a + b n`.

use crate::array::{Array, Kind, Number};
use tensor::reference::{self, Value};
use tensor::{Binary, Dim, Mismatch, Primitive, Reduction, mismatch};

/// The result of a primitive.
pub(crate) fn fold(primitive: &Primitive, inputs: &[&Array]) -> Result<Array, Mismatch> {
    let dims: Vec<Vec<Dim>> =
        inputs.iter().map(|x| x.shape.iter().map(|&length| Dim::Fixed(length)).collect()).collect();
    let dims: Vec<&[Dim]> = dims.iter().map(Vec::as_slice).collect();
    let shape = primitive.shape(&dims)?;
    let shape = shape.iter().map(|dim| dim.fixed()).collect::<Option<Vec<usize>>>();
    let shape = shape.ok_or_else(|| mismatch("a shape that does not depend on the batch", "one that does"))?;
    let kind = match primitive {
        Primitive::Binary(Binary::Equal | Binary::Less | Binary::LessEqual) => Kind::Truth,
        Primitive::Select => inputs.get(1).map_or(Kind::Real, |x| x.kind),
        _ => inputs.first().map_or(Kind::Real, |x| x.kind),
    };
    let values: Option<Vec<Vec<f64>>> = inputs.iter().map(|x| x.values()).collect();
    let mut result = match values {
        Some(values) => {
            let inputs: Vec<Value<f64>> = values.iter().zip(inputs).map(|(v, x)| Value::numbers(v, &x.shape)).collect();
            Array::of(shape.clone(), kind, reference::compute(primitive, &inputs, &shape)?)
        }
        None => Array { numbers: with_batch(primitive, inputs, &shape)?, shape, kind },
    };
    if kind == Kind::Real {
        // As it is where networks are computed.
        result.numbers.iter_mut().for_each(|x| x.fixed = f64::from(x.fixed as f32));
    }
    Ok(result)
}

fn with_batch(primitive: &Primitive, inputs: &[&Array], shape: &[usize]) -> Result<Vec<Number>, Mismatch> {
    let unknown =
        || mismatch("numbers that do not depend on the batch", format!("{} of some that do", primitive.name()));
    let of = |place: usize| inputs.get(place).copied().ok_or_else(unknown);
    match primitive {
        Primitive::Binary(function) => {
            let (a, b) = (spread(of(0)?, shape)?, spread(of(1)?, shape)?);
            a.into_iter().zip(b).map(|(a, b)| binary(*function, a, b).ok_or_else(unknown)).collect()
        }
        Primitive::Select => {
            let [condition, a, b] = [spread(of(0)?, shape)?, spread(of(1)?, shape)?, spread(of(2)?, shape)?];
            let chosen = condition.iter().zip(a.into_iter().zip(b));
            chosen.map(|(c, (a, b))| Ok(if c.known().ok_or_else(unknown)? == 0.0 { b } else { a })).collect()
        }
        // A sum or product of few lengths.
        Primitive::Reduce { reduction: Reduction::Sum, .. } => {
            let x = of(0)?;
            let of_part = |part: fn(&Number) -> f64| {
                let part: Vec<f64> = x.numbers.iter().map(part).collect();
                reference::compute(primitive, &[Value::numbers(&part, &x.shape)], shape)
            };
            let sums = of_part(|x| x.fixed)?.into_iter().zip(of_part(|x| x.batch)?);
            Ok(sums.map(|(fixed, batch)| Number { fixed, batch }).collect())
        }
        Primitive::Permute { .. }
        | Primitive::Reshape { .. }
        | Primitive::Broadcast { .. }
        | Primitive::Slice { .. }
        | Primitive::Concat { .. }
        | Primitive::StopGradient => moved(primitive, inputs, shape),
        _ => Err(unknown()),
    }
}

/// Elements moved as their places are.
fn moved(primitive: &Primitive, inputs: &[&Array], shape: &[usize]) -> Result<Vec<Number>, Mismatch> {
    let all: Vec<Number> = inputs.iter().flat_map(|x| x.numbers.iter().copied()).collect();
    let mut start = 0;
    let places: Vec<Vec<f64>> = inputs
        .iter()
        .map(|x| {
            let places = (start..start + x.numbers.len()).map(|place| place as f64).collect();
            start += x.numbers.len();
            places
        })
        .collect();
    let values: Vec<Value<f64>> = places.iter().zip(inputs).map(|(v, x)| Value::numbers(v, &x.shape)).collect();
    let places = reference::compute(primitive, &values, shape)?;
    Ok(places.into_iter().filter_map(|place| all.get(place as usize).copied()).collect())
}

fn spread(x: &Array, shape: &[usize]) -> Result<Vec<Number>, Mismatch> {
    let to = shape.iter().map(|&length| Dim::Fixed(length)).collect();
    moved(&Primitive::Broadcast { shape: to }, &[x], shape)
}

/// A function of numbers that depend on the batch, which is at least 1; `None` where the result is no such number, or not the same
/// for every batch.
fn binary(function: Binary, a: Number, b: Number) -> Option<Number> {
    let both = |f: fn(f64, f64) -> f64| Number { fixed: f(a.fixed, b.fixed), batch: f(a.batch, b.batch) };
    // Whether a - b is 0 for no batch or for every one, above or below 0 for every one.
    let difference = both(|a, b| a - b);
    let never_zero = {
        let n = -difference.fixed / difference.batch;
        difference.batch == 0.0 && difference.fixed != 0.0 || difference.batch != 0.0 && (n < 1.0 || n.fract() != 0.0)
    };
    let always = difference.batch == 0.0 && difference.fixed == 0.0;
    let of_one = difference.fixed + difference.batch;
    let (positive, at_least) = (difference.batch >= 0.0 && of_one > 0.0, difference.batch >= 0.0 && of_one >= 0.0);
    let (negative, at_most) = (difference.batch <= 0.0 && of_one < 0.0, difference.batch <= 0.0 && of_one <= 0.0);
    let truth = |yes: bool, no: bool| (yes || no).then(|| Number::of(f64::from(u8::from(yes))));
    match function {
        Binary::Add => Some(both(|a, b| a + b)),
        Binary::Sub => Some(difference),
        Binary::Mul => match (a.known(), b.known()) {
            (Some(factor), _) => Some(Number { fixed: factor * b.fixed, batch: factor * b.batch }),
            (_, Some(factor)) => Some(Number { fixed: factor * a.fixed, batch: factor * a.batch }),
            _ => None,
        },
        Binary::Div => match b.known() {
            Some(divisor) => Some(Number { fixed: a.fixed / divisor, batch: a.batch / divisor }),
            None if a.fixed == 0.0 && b.fixed == 0.0 => Some(Number::of(a.batch / b.batch)),
            None => None,
        },
        Binary::Equal => truth(always, never_zero),
        Binary::Less => truth(negative, at_least),
        Binary::LessEqual => truth(at_most, positive),
        Binary::Max if at_least => Some(a),
        Binary::Max if at_most => Some(b),
        Binary::Min if at_most => Some(a),
        Binary::Min if at_least => Some(b),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(batch: f64) -> Number {
        Number { fixed: 0.0, batch }
    }

    #[test]
    fn lengths_that_depend_on_the_batch_are_computed_with() {
        let shape =
            Array { shape: vec![3], kind: Kind::Whole, numbers: vec![n(1.0), Number::of(4.0), Number::of(8.0)] };
        let slice = Primitive::Slice { axis: 0, start: 0, step: 1, length: 1 };
        let first = fold(&slice, &[&shape]).unwrap();
        assert_eq!(first.numbers, [n(1.0)]);
        let times = fold(&Binary::Mul.into(), &[&first, &Array::list([6])]).unwrap();
        assert_eq!(times.numbers, [n(6.0)]);
        assert_eq!(fold(&Binary::Div.into(), &[&times, &first]).unwrap().numbers, [Number::of(6.0)]);
        let joined = fold(&Primitive::Concat { axis: 0 }, &[&times, &Array::list([-1])]).unwrap();
        assert_eq!(joined.numbers, [n(6.0), Number::of(-1.0)]);
        let same = fold(&Binary::Equal.into(), &[&joined, &Array::list([-1])]).unwrap();
        assert_eq!((same.values().unwrap(), same.kind), (vec![0.0, 1.0], Kind::Truth));
        // A batch may be 1, and need not be.
        assert!(fold(&Binary::Equal.into(), &[&first, &Array::list([1])]).is_err());
        assert!(fold(&Binary::Less.into(), &[&first, &Array::list([2])]).is_err());
        assert_eq!(fold(&Binary::Less.into(), &[&first, &Array::list([1])]).unwrap().values().unwrap(), [0.0]);
        assert!(fold(&Binary::Mul.into(), &[&first, &first]).is_err());
    }

    #[test]
    fn real_numbers_are_rounded_as_they_are_computed() {
        let tenth = Array::scalar(Kind::Real, f64::from(0.1f32));
        let product = fold(&Binary::Mul.into(), &[&tenth, &Array::scalar(Kind::Real, 30.0)]).unwrap();
        assert_eq!(product.values().unwrap(), [3.0]);
    }
}
