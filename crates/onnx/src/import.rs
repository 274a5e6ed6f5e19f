//! From a file to a network.

use crate::array::Array;
use crate::call::Call;
use crate::data::{Files, Type};
use crate::model::{self, Length, Model, Port};
use crate::ops;
use crate::wire::Source;
use crate::writer::{Value, Writer};
use crate::{Error, Result};
use base::npy;
use net::{Device, Network, Op};
use std::collections::{HashMap, HashSet};
use std::io::Cursor;
use std::path::Path;

/// The versions of ONNX's operator set that are read.
const OPSETS: std::ops::RangeInclusive<i64> = 6..=28;

/// The note that says where a network came from.
const IMPORTED: &str = "imported";

/// How a model is imported.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A first axis of length 1 of an input is the batch, as a first axis without a length always is. Networks exported for one
    /// image take any number of them so, where they do not join the batch with other axes.
    pub batch_of_one: bool,
    /// Lengths by the names that the model gives them, for axes without a fixed one.
    pub lengths: HashMap<String, usize>,
    /// Values of inputs that do not change: those that shapes follow from must be known.
    pub constants: HashMap<String, npy::Array>,
}

/// A model as a network.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network, its nodes called as the model's tensors. Its notes are the model's properties, so that of a model of ours those of the
    /// network.
    pub network: Network,
    /// What was decided where the model says nothing, for people.
    pub notices: Vec<String>,
}

/// Imports an ONNX file, with the files of its weights where they lie beside it.
///
/// # Errors
/// The file cannot be read, is damaged, or has what cannot be written in the operations here; the message names the node.
pub fn import(path: impl AsRef<Path>, options: &Options, device: &Device) -> base::Result<Imported> {
    let path = path.as_ref();
    let (file, length) = base::files::open(path)?;
    let folder = base::files::parent_of(path).to_owned();
    let files = Files::new(Source::new(file, length), Some(folder));
    of_files(files, options, device).map_err(|error| error.in_file(path))
}

/// As [`import`], of bytes; weights in other files are not read.
///
/// # Errors
/// As [`import`].
pub fn import_bytes(bytes: &[u8], options: &Options, device: &Device) -> Result<Imported> {
    of_files(Files::new(Source::new(Cursor::new(bytes), bytes.len() as u64), None), options, device)
}

fn of_files(mut files: Files, options: &Options, device: &Device) -> Result<Imported> {
    let model = model::read(&mut files.model)?;
    let opset = opset(&model)?;
    if model.sparse {
        return Err(Error::model("it has sparse initializers, which are not read"));
    }
    let mut writer = Writer::new(files, device);
    writer.batch_of_one = options.batch_of_one;
    let mut values: HashMap<String, Value> = HashMap::new();
    let mut initial: HashMap<&str, usize> = HashMap::new();
    for (place, tensor) in model.initializers.iter().enumerate() {
        if initial.insert(&tensor.name, place).is_some() {
            return Err(Error::model(format!("two initializers are called {:?}", tensor.name)));
        }
    }
    for port in &model.inputs {
        // Before opset 9 initializers are inputs, too.
        if !initial.contains_key(port.name.as_str()) {
            let value = input(&mut writer, port, options)?;
            if values.insert(port.name.clone(), value).is_some() {
                return Err(Error::model(format!("two inputs are called {:?}", port.name)));
            }
        }
    }
    if let Some(name) = options.constants.keys().find(|name| !model.inputs.iter().any(|port| port.name == **name)) {
        return Err(Error::model(format!("there is no input {name:?} that could be constant")));
    }
    for tensor in &model.initializers {
        let value = writer.store(tensor.clone())?;
        values.insert(tensor.name.clone(), value);
    }
    for node in &model.nodes {
        let read = |name: &String| {
            if name.is_empty() {
                return Ok(Value::Absent);
            }
            let unknown = || {
                Error::model(format!("node {:?} reads {name:?}, which nothing before it gives", node.name))
                    .with_hint("The nodes of an ONNX graph must be in order; export it again.")
            };
            values.get(name).cloned().ok_or_else(unknown)
        };
        let inputs = node.inputs.iter().map(read).collect::<Result<Vec<_>>>()?;
        let results = write(&mut writer, &Call { node, inputs, opset })?;
        for (name, value) in results {
            if values.insert(name.clone(), value).is_some() {
                return Err(Error::model(format!("two nodes give {name:?}")));
            }
        }
    }
    let mut results = Vec::new();
    for port in &model.outputs {
        let value = values.get(&port.name).cloned();
        let value = value.ok_or_else(|| Error::model(format!("nothing gives the result {:?}", port.name)))?;
        results.push((port.name.clone(), value));
    }
    if results.is_empty() {
        return Err(Error::model("it has no results"));
    }
    let (mut network, notices) = writer.finish(&results)?;
    let producer = if model.producer.is_empty() { "ONNX" } else { model.producer.as_str() };
    let mut notes = model.properties;
    // Of two properties of one key, as of two notes, the first counts.
    let mut seen = HashSet::from([IMPORTED.to_owned()]);
    notes.retain(|(key, _)| seen.insert(key.clone()));
    notes.push((IMPORTED.into(), format!("ONNX, opset {opset}, by {producer}")));
    network.notes.extend(notes);
    Ok(Imported { network, notices })
}

fn opset(model: &Model) -> Result<i64> {
    let own = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    // Files before opsets were named are of the first one.
    let version = model.opsets.iter().find(|(domain, _)| own(domain)).map_or(1, |(_, version)| *version);
    if OPSETS.contains(&version) {
        return Ok(version);
    }
    let (least, most) = (OPSETS.start(), OPSETS.end());
    Err(Error::model(format!("it is of opset {version}; {least} to {most} are read"))
        .with_hint("Export it with another `opset_version`, or convert it with onnx.version_converter."))
}

fn input(w: &mut Writer, port: &Port, options: &Options) -> Result<Value> {
    w.enter("", "input", &port.name);
    let name = &port.name;
    let kind = Type::of(port.kind).map(Type::kind);
    let kind = kind.ok_or_else(|| Error::model(format!("input {name:?} is no tensor of numbers")))?;
    if let Some(constant) = options.constants.get(name) {
        let values = match &constant.data {
            npy::Elements::F64(values) => values.clone(),
            npy::Elements::I64(values) => values.iter().map(|&value| value as f64).collect(),
            _ => constant.clone().into_f32().into_iter().map(f64::from).collect(),
        };
        return Ok(Array::of(constant.shape.clone(), kind, values).into());
    }
    let Some(lengths) = &port.shape else {
        return Err(Error::model(format!("nothing is said of the shape of the input {name:?}"))
            .with_hint("Export the model with shapes."));
    };
    let mut shape = Vec::new();
    let mut batch = false;
    for (axis, length) in lengths.iter().enumerate() {
        let known = match length {
            Length::Known(length) => usize::try_from(*length).ok().filter(|&length| length > 0),
            Length::Named(name) => options.lengths.get(name).copied(),
            Length::Open => None,
        };
        match known {
            Some(1) if axis == 0 && options.batch_of_one => batch = true,
            Some(length) => shape.push(length),
            None if axis == 0 => batch = true,
            None => {
                let called = match length {
                    Length::Named(name) => format!("the name {name:?}"),
                    _ => "no length".into(),
                };
                let error = Error::model(format!("axis {axis} of the input {name:?} has {called} instead of a number"));
                let cure = match length {
                    Length::Named(name) => format!("Give the length of {name:?} with `lengths`."),
                    _ => "Export the model with a length there; only the first axis may be open.".into(),
                };
                return Err(error.with_hint(cure));
            }
        }
    }
    w.input(name, Op::Input { shape, batch, role: None, law: None }, kind)
}

/// Writes a node, and gives its results the model's names.
fn write(w: &mut Writer, call: &Call) -> Result<Vec<(String, Value)>> {
    let node = call.node;
    let result = node.outputs.iter().find(|name| !name.is_empty()).map_or(node.name.as_str(), String::as_str);
    w.enter(&node.name, &node.operator, result);
    let own = node.domain.is_empty() || node.domain == "ai.onnx";
    let operator = own.then(|| ops::find(&node.operator)).flatten();
    let Some(operator) = operator else {
        let operator = if own { node.operator.clone() } else { format!("{}.{}", node.domain, node.operator) };
        return Err(Error::Unsupported { node: node.name.clone(), operator, opset: call.opset });
    };
    let since = w.len();
    let values = (operator.write)(w, call)?;
    let mut results = Vec::new();
    for (place, name) in node.outputs.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let Some(value) = values.get(place).filter(|value| !matches!(value, Value::Absent)) else {
            return Err(w.fault(format!("its result number {} is not computed here", place + 1)));
        };
        if let Value::Known(array) = value {
            w.count_known(array.numbers.len())?;
        }
        let value = if matches!(value, Value::Stored(_)) { value.clone() } else { w.name(value.clone(), name, since)? };
        results.push((name.clone(), value));
    }
    Ok(results)
}
