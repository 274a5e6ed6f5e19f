//! Attention, as one operator (opset 23).

use super::{Operator, operator};
use crate::Result;
use crate::array::{Array, Kind};
use crate::call::Call;
use crate::writer::{Value, Writer};
use net::{Dim, Primitive, Unary};
use tensor::{Binary, Reduction};

pub(super) const TABLE: &[Operator] = &[operator("Attention", "lengths of keys are known at import", attention)];

/// A bias that nothing outweighs.
const NEVER: f64 = f64::NEG_INFINITY;

/// Tokens `[n, t, heads f]` as heads `[n, heads, t, f]`.
fn heads(w: &mut Writer, x: &Value, attribute: i64) -> Result<Value> {
    let dims = w.dims(x);
    if dims.len() == 4 {
        return Ok(x.clone());
    }
    let [n, tokens, Dim::Fixed(width)] = dims[..] else {
        return Err(w.fault(format!("tokens [n, t, f] or heads are expected, found {}", tensor::shown(&dims))));
    };
    let heads = usize::try_from(attribute).ok().filter(|&heads| heads > 0 && width % heads == 0);
    let heads = heads.ok_or_else(|| w.fault(format!("{width} features in {attribute} heads")))?;
    let x = w.reshape(x, vec![n, tokens, Dim::Fixed(heads), Dim::Fixed(width / heads)])?;
    w.permute(&x, vec![0, 2, 1, 3])
}

/// Each head of keys for several heads of queries.
fn repeated(w: &mut Writer, x: &Value, times: usize) -> Result<Value> {
    if times == 1 {
        return Ok(x.clone());
    }
    let mut dims = w.dims(x);
    let heads = w.fixed(&dims, 1)?;
    dims.insert(2, Dim::Fixed(1));
    let x = w.reshape(x, dims.clone())?;
    dims[2] = Dim::Fixed(times);
    let x = w.expand(&x, &dims)?;
    dims.remove(2);
    dims[1] = Dim::Fixed(heads * times);
    w.reshape(&x, dims)
}

fn attention(w: &mut Writer, call: &Call) -> Result<Vec<Value>> {
    let inputs = [call.needed(w, 0)?, call.needed(w, 1)?, call.needed(w, 2)?];
    let tokens = w.rank(&inputs[0]) == 3;
    let (of_q, of_kv) = (call.int("q_num_heads", 0), call.int("kv_num_heads", 0));
    let q = heads(w, &inputs[0], of_q)?;
    let (mut k, mut v) = (heads(w, &inputs[1], of_kv)?, heads(w, &inputs[2], of_kv)?);
    let dims = w.dims(&q);
    if [&q, &k, &v].iter().any(|x| w.rank(x) != 4) {
        return Err(w.fault("queries, keys and values have other numbers of axes"));
    }
    let past = if call.has(4) && call.has(5) {
        let (past_k, past_v) = (call.needed(w, 4)?, call.needed(w, 5)?);
        let length = w.fixed(&w.dims(&past_k), 2)?;
        (k, v) = (w.concat(&[past_k, k], 2)?, w.concat(&[past_v, v], 2)?);
        length
    } else {
        0
    };
    let present = (k.clone(), v.clone());
    let (queries, keys, q_heads) = (w.fixed(&dims, 2)?, w.fixed(&w.dims(&k), 2)?, w.fixed(&dims, 1)?);
    let kv_heads = w.fixed(&w.dims(&k), 1)?;
    if kv_heads == 0 || q_heads % kv_heads != 0 {
        return Err(w.fault(format!("{q_heads} heads of queries for {kv_heads} of keys")));
    }
    (k, v) = (repeated(w, &k, q_heads / kv_heads)?, repeated(w, &v, q_heads / kv_heads)?);
    let scale = call.float("scale", 1.0 / (w.fixed(&dims, 3)?.max(1) as f64).sqrt());
    // The root of the scale on both sides, as the standard has it.
    let (q, scaled_k) = (w.scaled(&q, scale.sqrt())?, w.scaled(&k, scale.sqrt())?);
    let plain = w.apply(Primitive::mat_mul(false, true), &[&q, &scaled_k])?;
    let cap = call.float("softcap", 0.0);
    let capped = if cap > 0.0 {
        let small = w.scaled(&plain, 1.0 / cap)?;
        let small = w.unary(Unary::Tanh, &small)?;
        w.scaled(&small, cap)?
    } else {
        plain.clone()
    };
    let bias = bias(w, call, [queries, keys], past)?;
    let (with_bias, never) = match &bias {
        None => (capped.clone(), None),
        Some(bias) => (w.add(&capped, bias)?, never(w, bias)?),
    };
    let share = match never {
        None => w.softmax(&with_bias, &[3])?,
        Some(never) => {
            // A query that sees no key gets nothing, whatever its products are.
            let zero = Value::scalar(0.0);
            let seen = w.select(&never, &zero, &with_bias)?;
            let share = w.softmax(&seen, &[3])?;
            w.select(&never, &zero, &share)?
        }
    };
    let product = w.apply(Primitive::mat_mul(false, false), &[&share, &v])?;
    let y = if tokens {
        let y = w.permute(&product, vec![0, 2, 1, 3])?;
        let dims = w.dims(&y);
        let width = dims[2].times(dims[3]).ok_or_else(|| w.fault("it has too many elements"))?;
        let y = w.reshape(&y, vec![dims[0], dims[1], width])?;
        w.units(&y, 2);
        y
    } else {
        product
    };
    let seen = match call.int("qk_matmul_output_mode", 0) {
        0 => plain,
        1 => capped,
        2 => with_bias,
        _ => share,
    };
    Ok(vec![y, present.0, present.1, seen])
}

/// What is added before the softmax: the mask, and what lies behind a query, outside its window, or behind the keys that there are.
fn bias(w: &mut Writer, call: &Call, [queries, keys]: [usize; 2], past: usize) -> Result<Option<Value>> {
    let mut bias = match call.input(3) {
        Value::Absent => None,
        mask => Some(given(w, &mask, keys)?),
    };
    let lengths = if call.has(6) { Some(w.wholes(&call.input(6))?) } else { None };
    let batch = lengths.as_ref().map_or(1, Vec::len);
    let causal = call.flag("is_causal");
    let window = ["left_window_size", "right_window_size"].map(|name| call.int(name, -1));
    if !causal && lengths.is_none() && window == [-1, -1] {
        return Ok(bias);
    }
    if batch.saturating_mul(queries).saturating_mul(keys) > 1 << 22 {
        return Err(w.fault("its mask is too large"));
    }
    let mut values = Vec::with_capacity(batch * queries * keys);
    for b in 0..batch {
        let length = lengths.as_ref().map(|lengths| lengths[b]);
        let offset = length.map_or(past as i64, |length| length.saturating_sub(queries as i64));
        for query in 0..queries as i64 {
            for key in 0..keys as i64 {
                let ahead = key - query.saturating_add(offset);
                let hidden = causal && ahead > 0
                    || window[0] >= 0 && -ahead > window[0]
                    || window[1] >= 0 && ahead > window[1]
                    || length.is_some_and(|length| key >= length);
                values.push(if hidden { NEVER } else { 0.0 });
            }
        }
    }
    let own: Value = Array::of(vec![batch, 1, queries, keys], Kind::Real, values).into();
    bias = Some(match bias {
        None => own,
        Some(given) => w.add(&given, &own)?,
    });
    Ok(bias)
}

/// A mask as a bias over all keys; keys that it does not know are never seen.
fn given(w: &mut Writer, mask: &Value, keys: usize) -> Result<Value> {
    let bias = if w.kind(mask) == Kind::Truth {
        let (zero, never) = (Value::scalar(0.0), Value::scalar(NEVER));
        w.select(mask, &zero, &never)?
    } else {
        mask.clone()
    };
    let mut dims = w.dims(&bias);
    let Some(axis) = dims.len().checked_sub(1) else { return Ok(bias) };
    let known = w.fixed(&dims, axis)?;
    match keys.checked_sub(known) {
        Some(more) if more > 0 && known > 1 => {
            dims[axis] = Dim::Fixed(more);
            let never = Value::scalar(NEVER);
            let behind = w.expand(&never, &dims)?;
            w.concat(&[bias, behind], axis)
        }
        _ => Ok(bias),
    }
}

/// Where a query sees no key at all; `None` where that cannot be.
fn never(w: &mut Writer, bias: &Value) -> Result<Option<Value>> {
    let last = w.rank(bias).saturating_sub(1);
    let most = w.reduced(Reduction::Max, bias, &[last])?;
    let level = Value::scalar(NEVER);
    let never = w.binary(Binary::LessEqual, &most, &level)?;
    let none = match &never {
        Value::Known(array) => array.values().is_some_and(|values| values.iter().all(|&value| value == 0.0)),
        _ => false,
    };
    Ok(if none { None } else { Some(never) })
}
