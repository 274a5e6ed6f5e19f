//! Writes a network node by node: what is known stays an array, what depends on an input or a weight becomes a node.

use crate::array::{Array, Kind};
use crate::data::Files;
use crate::fold::fold;
use crate::model::Stored;
use crate::names::Names;
use crate::{Error, Result};
use net::{Device, Dim, Graph, Init, Network, Op, Params, Primitive, Tensor};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use tensor::{Binary, Mismatch};

/// Numbers up to which constants are computed with at import.
const MOST_KNOWN: usize = 1 << 16;
/// Numbers up to which the value of a constant is known at once.
const SMALL_CONSTANT: usize = 1 << 12;
/// Numbers that are known at once, of all tensors together.
const MOST_KNOWN_OF_ALL: usize = 1 << 23;
/// Elements of one value at most, for one of a batch, as in a network's file.
const MOST_ELEMENTS: usize = 1 << 36;
/// Axes of one value at most.
const MOST_AXES: usize = 32;
/// Numbers up to which a stored tensor that meets only constants is one of them; above it stays a parameter.
const SMALL: usize = 16;
/// Nodes of a network at most, as in its file.
const MOST_NODES: usize = 100_000;

/// What a name of the model stands for.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// An optional input that is not given.
    Absent,
    /// Its numbers are known.
    Known(Rc<Array>),
    /// A tensor of the file, which is read when something needs it.
    Stored(usize),
    /// A node of the network.
    Node(usize, Kind),
}

impl From<Array> for Value {
    fn from(array: Array) -> Self {
        Self::Known(Rc::new(array))
    }
}

impl Value {
    /// One number.
    pub(crate) fn scalar(value: f64) -> Self {
        Array::scalar(Kind::Real, value).into()
    }

    /// The same numbers with another meaning, which they must have already.
    pub(crate) fn of_kind(self, kind: Kind) -> Self {
        match self {
            Self::Known(array) => Array { kind, ..(*array).clone() }.into(),
            Self::Node(id, _) => Self::Node(id, kind),
            other => other,
        }
    }
}

struct Pending {
    op: Op,
    inputs: Vec<usize>,
    name: Option<String>,
    owner: Rc<str>,
    units: Option<usize>,
}

/// A network that is being written.
pub(crate) struct Writer<'a> {
    files: Files<'a>,
    device: Device,
    stored: Vec<Stored>,
    params: HashMap<usize, usize>,
    tensors: Vec<Tensor>,
    nodes: Vec<Pending>,
    dims: Vec<Vec<Dim>>,
    /// The node of the model that is being written: its name, its operator, the name of its result.
    at: (Rc<str>, Rc<str>, Rc<str>),
    pub(crate) notices: Vec<String>,
    known: usize,
    /// Whether a first length of 1 stands for the batch.
    pub(crate) batch_of_one: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(files: Files<'a>, device: &Device) -> Self {
        let nothing: Rc<str> = "".into();
        Self {
            files,
            device: device.clone(),
            stored: Vec::new(),
            params: HashMap::new(),
            tensors: Vec::new(),
            nodes: Vec::new(),
            dims: Vec::new(),
            at: (nothing.clone(), nothing.clone(), nothing),
            notices: Vec::new(),
            known: 0,
            batch_of_one: false,
        }
    }

    /// Says which node of the model is written now.
    pub(crate) fn enter(&mut self, node: &str, operator: &str, result: &str) {
        self.at = (node.into(), operator.into(), result.into());
    }

    /// An error of the node that is being written.
    pub(crate) fn fault(&self, reason: impl Into<String>) -> Error {
        let (node, operator) = (self.at.0.to_string(), self.at.1.to_string());
        Error::Node { node, operator, reason: reason.into(), hint: None }
    }

    /// Counts numbers that memory is kept for, though the file need not hold them.
    pub(crate) fn count_known(&mut self, numbers: usize) -> Result<()> {
        self.known = self.known.saturating_add(numbers);
        if self.known > MOST_KNOWN_OF_ALL {
            return Err(self.fault("what follows from constants has too many numbers"));
        }
        Ok(())
    }

    /// The dimensions of an operation's result, which must be possible.
    fn dims_after(&self, op: &Op, inputs: &[&[Dim]]) -> Result<Vec<Dim>> {
        let dims = op.dims(inputs, None).map_err(|wrong| self.unfit(&wrong))?;
        let of_one = dims.iter().map(|dim| dim.at(1)).collect::<Option<Vec<_>>>();
        let elements = of_one.and_then(|dims| dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1))));
        if dims.len() > MOST_AXES || elements.is_none_or(|elements| elements > MOST_ELEMENTS) {
            return Err(self.fault(format!("the shape {} of {} axes is impossible", tensor::shown(&dims), dims.len())));
        }
        Ok(dims)
    }

    fn unfit(&self, wrong: &Mismatch) -> Error {
        self.fault(format!("expected {}, found {}", wrong.expected, wrong.found))
    }

    /// A tensor of the file.
    pub(crate) fn store(&mut self, tensor: Stored) -> Result<Value> {
        let (shape, _) = Files::shape(&tensor)?;
        if shape.contains(&0) {
            return Ok(self.files.array(&tensor)?.into());
        }
        self.stored.push(tensor);
        Ok(Value::Stored(self.stored.len() - 1))
    }

    /// A constant of the model: known where it is small.
    pub(crate) fn constant(&mut self, tensor: Stored) -> Result<Value> {
        let (shape, _) = Files::shape(&tensor)?;
        if shape.iter().product::<usize>() <= SMALL_CONSTANT {
            return Ok(self.files.array(&tensor)?.into());
        }
        self.store(tensor)
    }

    fn stored_shape(&self, place: usize) -> (Vec<usize>, Kind) {
        // Checked when it was stored.
        self.stored
            .get(place)
            .and_then(|tensor| Files::shape(tensor).ok())
            .map_or((Vec::new(), Kind::Real), |found| (found.0, found.1.kind()))
    }

    /// The dimensions of a value.
    pub(crate) fn dims(&self, value: &Value) -> Vec<Dim> {
        let fixed = |shape: &[usize]| shape.iter().map(|&length| Dim::Fixed(length)).collect();
        match value {
            Value::Absent => Vec::new(),
            Value::Known(array) => fixed(&array.shape),
            Value::Stored(place) => fixed(&self.stored_shape(*place).0),
            Value::Node(id, _) => self.dims[*id].clone(),
        }
    }

    /// How many axes a value has.
    pub(crate) fn rank(&self, value: &Value) -> usize {
        self.dims(value).len()
    }

    /// What its numbers mean.
    pub(crate) fn kind(&self, value: &Value) -> Kind {
        match value {
            Value::Absent => Kind::Real,
            Value::Known(array) => array.kind,
            Value::Stored(place) => self.stored_shape(*place).1,
            Value::Node(_, kind) => *kind,
        }
    }

    /// The numbers of a value.
    ///
    /// # Errors
    /// They are not known before the network runs.
    pub(crate) fn array(&mut self, value: &Value) -> Result<Rc<Array>> {
        match value {
            Value::Known(array) => Ok(array.clone()),
            Value::Stored(place) => {
                let tensor = &self.stored[*place];
                let (shape, _) = Files::shape(tensor)?;
                if shape.iter().product::<usize>() > 1 << 22 {
                    return Err(self.fault(format!("the tensor {:?} is too large for what it says", tensor.name)));
                }
                Ok(Rc::new(self.files.array(tensor)?))
            }
            Value::Absent => Err(self.fault("an input is missing")),
            Value::Node(id, _) => match self.source_of(*id) {
                Some(input) => Err(Error::NeedsValue {
                    node: self.at.0.to_string(),
                    operator: self.at.1.to_string(),
                    input: input.to_owned(),
                }),
                None => Err(self.fault("what it must know at import is computed from weights")),
            },
        }
    }

    /// The input that a node depends on.
    fn source_of(&self, id: usize) -> Option<&str> {
        let mut wanted = vec![false; id + 1];
        wanted[id] = true;
        for at in (0..=id).rev().filter(|&at| at <= id) {
            if !wanted[at] {
                continue;
            }
            if let Op::Input { .. } = self.nodes[at].op {
                return self.nodes[at].name.as_deref();
            }
            self.nodes[at].inputs.iter().for_each(|&input| wanted[input] = true);
        }
        None
    }

    /// A value as a node.
    pub(crate) fn node(&mut self, value: &Value) -> Result<usize> {
        match value {
            Value::Node(id, _) => Ok(*id),
            Value::Absent => Err(self.fault("an input is missing")),
            Value::Stored(place) => {
                if let Some(&id) = self.params.get(place) {
                    return Ok(id);
                }
                let tensor = &self.stored[*place];
                let (name, trainable) = (tensor.name.clone(), self.stored_shape(*place).1 == Kind::Real);
                let (shape, values) = self.files.reals(tensor)?;
                let name = if name.is_empty() { format!("{}/constant", self.at.2) } else { name };
                let id = self.param(name, &shape, values, trainable)?;
                self.params.insert(*place, id);
                Ok(id)
            }
            Value::Known(array) => {
                let values = array.values();
                let values = values.ok_or_else(|| self.fault("a length that depends on the batch is a number here"))?;
                // Files of networks hold infinity among numbers, not among settings.
                if let Some(&first) = values.first()
                    && first.is_finite()
                    && values.iter().all(|&value| value == first)
                {
                    let shape = array.shape.iter().map(|&length| Dim::Fixed(length)).collect();
                    return self.push(Primitive::Fill { shape, value: first }.into(), Vec::new());
                }
                let values = values.into_iter().map(|value| value as f32).collect();
                self.param(format!("{}/constant", self.at.2), &array.shape.clone(), values, false)
            }
        }
    }

    fn param(&mut self, name: String, shape: &[usize], values: Vec<f32>, trainable: bool) -> Result<usize> {
        let op = Op::Param { shape: shape.to_vec(), init: Init::Constant(0.0), trainable };
        let id = self.push(op, Vec::new())?;
        self.nodes[id].name = Some(name);
        self.tensors.push(Tensor::new(shape, values, &self.device));
        Ok(id)
    }

    /// A parameter that the model does not have as a tensor.
    pub(crate) fn new_param(&mut self, name: &str, shape: &[usize], values: Vec<f32>) -> Result<Value> {
        Ok(Value::Node(self.param(name.to_owned(), shape, values, false)?, Kind::Real))
    }

    /// Something that is fed.
    pub(crate) fn input(&mut self, name: &str, op: Op, kind: Kind) -> Result<Value> {
        let id = self.push(op, Vec::new())?;
        self.nodes[id].name = Some(name.to_owned());
        Ok(Value::Node(id, kind))
    }

    fn push(&mut self, op: Op, inputs: Vec<usize>) -> Result<usize> {
        let dims: Vec<&[Dim]> = inputs.iter().map(|&input| self.dims[input].as_slice()).collect();
        let dims = self.dims_after(&op, &dims)?;
        if self.nodes.len() >= MOST_NODES {
            return Err(Error::model(format!("the network would have more than {MOST_NODES} nodes")));
        }
        self.nodes.push(Pending { op, inputs, name: None, owner: self.at.2.clone(), units: None });
        self.dims.push(dims);
        Ok(self.nodes.len() - 1)
    }

    /// An operation on values: computed now where all of them are known and few, otherwise a node.
    pub(crate) fn apply(&mut self, op: impl Into<Op>, inputs: &[&Value]) -> Result<Value> {
        let op = op.into();
        let dims: Vec<Vec<Dim>> = inputs.iter().map(|value| self.dims(value)).collect();
        let views: Vec<&[Dim]> = dims.iter().map(Vec::as_slice).collect();
        let shape = self.dims_after(&op, &views)?;
        if let Op::Primitive(primitive) = &op {
            let count = |dims: &[Dim]| Dim::product(dims).and_then(Dim::fixed).unwrap_or(usize::MAX);
            let small = |value: &Value, dims: &[Dim]| match value {
                Value::Known(array) => array.kind != Kind::Real || count(dims) <= MOST_KNOWN,
                Value::Stored(place) => self.stored_shape(*place).1 != Kind::Real || count(dims) <= SMALL,
                _ => false,
            };
            let all_known = !inputs.is_empty() && inputs.iter().zip(&views).all(|(value, dims)| small(value, dims));
            if all_known && count(&shape) <= MOST_KNOWN {
                let arrays = inputs.iter().map(|value| self.array(value)).collect::<Result<Vec<_>>>()?;
                let arrays: Vec<&Array> = arrays.iter().map(Rc::as_ref).collect();
                let result = fold(primitive, &arrays).map_err(|wrong| self.unfit(&wrong))?;
                self.count_known(result.numbers.len())?;
                return Ok(result.into());
            }
        }
        let kind = match &op {
            Op::Primitive(Primitive::Binary(Binary::Equal | Binary::Less | Binary::LessEqual)) => Kind::Truth,
            Op::Primitive(Primitive::Select) => inputs.get(1).map_or(Kind::Real, |value| self.kind(value)),
            _ => inputs.first().map_or(Kind::Real, |value| self.kind(value)),
        };
        if shape.contains(&Dim::Fixed(0)) {
            let lengths = shape.iter().map(|dim| dim.fixed()).collect::<Option<Vec<_>>>();
            let lengths = lengths.ok_or_else(|| self.fault("an axis has no entries"))?;
            return Ok(Array::of(lengths, kind, Vec::new()).into());
        }
        let ids = inputs.iter().map(|value| self.node(value)).collect::<Result<Vec<_>>>()?;
        Ok(Value::Node(self.push(op, ids)?, kind))
    }

    /// Says which axis of a node holds its units.
    pub(crate) fn units(&mut self, value: &Value, axis: usize) {
        if let Value::Node(id, _) = value
            && axis > 0
            && axis < self.dims[*id].len()
        {
            self.nodes[*id].units = Some(axis).filter(|&axis| axis != 1);
        }
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Gives a value the name that the model gives it; a node that has a name already, or is older than `since`, is passed on under
    /// the new one.
    pub(crate) fn name(&mut self, value: Value, name: &str, since: usize) -> Result<Value> {
        let Value::Node(id, kind) = value else { return Ok(value) };
        let id = if id < since || self.nodes[id].name.is_some() {
            let (shape, units) = (self.dims[id].clone(), self.nodes[id].units);
            let copy = self.push(Primitive::Reshape { shape }.into(), vec![id])?;
            self.nodes[copy].units = units;
            copy
        } else {
            id
        };
        self.nodes[id].name = Some(name.to_owned());
        Ok(Value::Node(id, kind))
    }

    /// The network with these results.
    pub(crate) fn finish(mut self, results: &[(String, Value)]) -> Result<(Network, Vec<String>)> {
        let mut outputs = Vec::new();
        for (name, value) in results {
            self.enter("", "output", name);
            let id = self.node(value)?;
            // A result is a node of its own name.
            let id = match self.nodes[id].name.as_deref() {
                Some(held) if held == name => id,
                _ => {
                    let value = self.name(Value::Node(id, Kind::Real), name, 0)?;
                    self.node(&value)?
                }
            };
            outputs.push((name.clone(), id));
        }
        let mut names = Names::default();
        let mut graph = Graph::default();
        let given: Vec<Option<String>> =
            self.nodes.iter().map(|node| node.name.as_deref().map(|name| names.unique(name))).collect();
        let mut parts: HashMap<Rc<str>, usize> = HashMap::new();
        for (node, name) in self.nodes.into_iter().zip(given) {
            let name = name.unwrap_or_else(|| {
                let number = parts.entry(node.owner.clone()).or_default();
                *number += 1;
                names.unique(&format!("{}/{number}", node.owner))
            });
            let id = graph.push(name, node.op, &node.inputs);
            if let Some(axis) = node.units {
                graph.set_unit_axis(id, axis);
            }
        }
        for (place, (name, id)) in outputs.into_iter().enumerate() {
            if place == 0 {
                graph.set_output(id);
            } else {
                graph.name_output(name, id);
            }
        }
        // What a value may take is checked there, for all nodes at once.
        graph.shapes(1).map_err(|error| Error::model(error.to_string()))?;
        let network = Network { graph: Arc::new(graph), params: Params::new(self.tensors), notes: Vec::new() };
        Ok((network, self.notices))
    }
}
