//! A node of the model with what it reads, while it is written in operations here.

use crate::Result;
use crate::array::Number;
use crate::model::{Attribute, Node, Stored};
use crate::writer::{Value, Writer};
use net::Dim;

/// A node with the values of its inputs.
pub(crate) struct Call<'n> {
    pub(crate) node: &'n Node,
    pub(crate) inputs: Vec<Value>,
    /// The version of the operator set.
    pub(crate) opset: i64,
}

impl Call<'_> {
    /// An input; [`Value::Absent`] where it is not given.
    pub(crate) fn input(&self, place: usize) -> Value {
        self.inputs.get(place).cloned().unwrap_or(Value::Absent)
    }

    /// An input that must be given.
    pub(crate) fn needed(&self, w: &Writer, place: usize) -> Result<Value> {
        match self.input(place) {
            Value::Absent => Err(w.fault(format!("its input number {} is missing", place + 1))),
            value => Ok(value),
        }
    }

    /// Whether an input is given.
    pub(crate) fn has(&self, place: usize) -> bool {
        !matches!(self.input(place), Value::Absent)
    }

    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.node.attributes.iter().find(|(held, _)| held == name).map(|(_, value)| value)
    }

    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        match self.attribute(name) {
            Some(Attribute::Int(value)) => *value,
            _ => default,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.int(name, 0) != 0
    }

    pub(crate) fn float(&self, name: &str, default: f64) -> f64 {
        match self.attribute(name) {
            Some(Attribute::Float(value)) => f64::from(*value),
            _ => default,
        }
    }

    pub(crate) fn floats(&self, name: &str) -> Option<&[f32]> {
        match self.attribute(name) {
            Some(Attribute::Floats(values)) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attribute(name) {
            Some(Attribute::Ints(values)) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn text<'t>(&'t self, name: &str, default: &'t str) -> &'t str {
        match self.attribute(name) {
            Some(Attribute::Text(value)) => value,
            _ => default,
        }
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<&Stored> {
        match self.attribute(name) {
            Some(Attribute::Tensor(value)) => Some(value),
            _ => None,
        }
    }

    /// Whole numbers that older operator sets have as an attribute, newer ones as an input; `None` where neither is given.
    pub(crate) fn list(&self, w: &mut Writer, name: &str, place: usize) -> Result<Option<Vec<i64>>> {
        if let Some(values) = self.ints(name) {
            return Ok(Some(values.to_vec()));
        }
        match self.input(place) {
            Value::Absent => Ok(None),
            value => w.wholes(&value).map(Some),
        }
    }

    /// The axis that an attribute names, of a value of so many.
    pub(crate) fn axis(&self, w: &Writer, default: i64, rank: usize) -> Result<usize> {
        w.axis(self.int("axis", default), rank)
    }
}

impl Writer<'_> {
    /// The whole numbers of a value.
    pub(crate) fn wholes(&mut self, value: &Value) -> Result<Vec<i64>> {
        let values = self.array(value)?.values();
        let values = values.ok_or_else(|| self.fault("a number depends on the batch where it must not"))?;
        Ok(values.into_iter().map(|value| value as i64).collect())
    }

    /// The numbers of a value, which may depend on the batch.
    pub(crate) fn lengths(&mut self, value: &Value) -> Result<Vec<Number>> {
        Ok(self.array(value)?.numbers.clone())
    }

    /// The one number of a value.
    pub(crate) fn number(&mut self, value: &Value) -> Result<f64> {
        let array = self.array(value)?;
        match array.values().as_deref() {
            Some([value]) => Ok(*value),
            None => Err(self.fault("a number depends on the batch where it must not")),
            _ => Err(self.fault(format!("one number is expected, found an array of shape {:?}", array.shape))),
        }
    }

    /// An axis that may be counted from the end.
    pub(crate) fn axis(&self, axis: i64, rank: usize) -> Result<usize> {
        let counted = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
        let found = counted.and_then(|axis| usize::try_from(axis).ok()).filter(|&axis| axis < rank);
        found.ok_or_else(|| self.fault(format!("there is no axis {axis} among {rank}")))
    }

    /// Several axes, each once, ascending.
    pub(crate) fn axes(&self, axes: &[i64], rank: usize) -> Result<Vec<usize>> {
        let mut found = axes.iter().map(|&axis| self.axis(axis, rank)).collect::<Result<Vec<_>>>()?;
        found.sort_unstable();
        if found.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(self.fault(format!("an axis stands twice in {axes:?}")));
        }
        Ok(found)
    }

    /// A length that does not depend on the batch.
    pub(crate) fn fixed(&self, dims: &[Dim], axis: usize) -> Result<usize> {
        let length = dims.get(axis).and_then(|dim| dim.fixed());
        length.ok_or_else(|| self.fault(format!("axis {axis} of {} must have a fixed length", tensor::shown(dims))))
    }
}
