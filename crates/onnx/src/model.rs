//! What an ONNX file says: nodes, attributes, tensors by where their numbers lie.
//!
//! Numbers of fields are those of <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>. Graphs inside attributes (control flow) and
//! what has no meaning for a result (documentation, quantisation, training) are stepped over.

#![deny(clippy::indexing_slicing)]

use crate::wire::{Fields, Payload, Source, Span, damaged};
use crate::{Error, Result};

/// Bytes of a name at most.
const NAME: u64 = 1 << 16;
/// Numbers in a list of an attribute at most.
const LIST: usize = 1 << 20;
/// Bytes of a property of the model at most; what is longer is left out.
const PROPERTY: u64 = 1 << 20;
/// Properties of a model that are kept.
const MOST_PROPERTIES: usize = 256;
/// Axes of a tensor at most.
const MOST_AXES: usize = 32;

/// A model.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) producer: String,
    /// The versions of the operator sets, by domain.
    pub(crate) opsets: Vec<(String, i64)>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) initializers: Vec<Stored>,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    /// What whoever exported it wrote beside the graph, by key.
    pub(crate) properties: Vec<(String, String)>,
    /// Whether it has functions of its own.
    pub(crate) functions: usize,
    /// Whether it has initializers in sparse form.
    pub(crate) sparse: bool,
    graphs: usize,
}

/// A node.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) operator: String,
    pub(crate) domain: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) attributes: Vec<(String, Attribute)>,
}

/// The value of an attribute.
#[derive(Clone, Debug)]
pub(crate) enum Attribute {
    Int(i64),
    Float(f32),
    Text(String),
    Tensor(Stored),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    /// Graphs, types, sparse tensors, lists of texts.
    Other,
}

/// A tensor whose numbers are still in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) kind: i64,
    pub(crate) shape: Vec<i64>,
    /// The message, whose fields hold the numbers.
    pub(crate) body: Span,
    /// Where else they are.
    pub(crate) elsewhere: Option<Elsewhere>,
}

/// A range of another file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Elsewhere {
    pub(crate) location: String,
    pub(crate) offset: Option<String>,
    pub(crate) length: Option<String>,
}

/// An input or a result.
#[derive(Debug, Default)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) kind: i64,
    /// `None` where nothing is said.
    pub(crate) shape: Option<Vec<Length>>,
}

/// What is said of the length of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Length {
    Known(i64),
    Named(String),
    Open,
}

/// Reads all that a model says.
pub(crate) fn read(source: &mut Source) -> Result<Model> {
    let mut model = Model::default();
    let mut fields = Fields::of(source.all());
    while let Some((field, payload)) = fields.next(source)? {
        match field {
            2 => model.producer = source.text(payload.span()?, NAME)?,
            7 => {
                model.graphs += 1;
                graph(source, payload.span()?, &mut model)?;
            }
            8 => {
                let (domain, version) = opset(source, payload.span()?)?;
                model.opsets.push((domain, version));
            }
            14 if payload.span()?.len() <= PROPERTY && model.properties.len() < MOST_PROPERTIES => {
                model.properties.push(entry(source, payload.span()?, PROPERTY)?);
            }
            25 => model.functions += 1,
            _ => {}
        }
    }
    match model.graphs {
        1 => Ok(model),
        0 => Err(damaged("it holds no graph")),
        _ => Err(damaged("it holds several graphs")),
    }
}

fn opset(source: &mut Source, span: Span) -> Result<(String, i64)> {
    let (mut domain, mut version) = (String::new(), 0);
    let mut fields = Fields::of(span);
    while let Some((field, payload)) = fields.next(source)? {
        match field {
            1 => domain = source.text(payload.span()?, NAME)?,
            2 => version = payload.whole()?,
            _ => {}
        }
    }
    source.count()?;
    Ok((domain, version))
}

fn graph(source: &mut Source, span: Span, model: &mut Model) -> Result<()> {
    let mut fields = Fields::of(span);
    while let Some((field, payload)) = fields.next(source)? {
        match field {
            1 => model.nodes.push(node(source, payload.span()?)?),
            5 => model.initializers.push(stored(source, payload.span()?)?),
            11 => model.inputs.push(port(source, payload.span()?)?),
            12 => model.outputs.push(port(source, payload.span()?)?),
            15 => model.sparse = true,
            _ => {}
        }
    }
    Ok(())
}

fn node(source: &mut Source, span: Span) -> Result<Node> {
    source.count()?;
    let mut node = Node::default();
    let mut fields = Fields::of(span);
    while let Some((field, payload)) = fields.next(source)? {
        match field {
            1 => node.inputs.push(source.text(payload.span()?, NAME)?),
            2 => node.outputs.push(source.text(payload.span()?, NAME)?),
            3 => node.name = source.text(payload.span()?, NAME)?,
            4 => node.operator = source.text(payload.span()?, NAME)?,
            5 => node.attributes.push(attribute(source, payload.span()?)?),
            7 => node.domain = source.text(payload.span()?, NAME)?,
            _ => {}
        }
    }
    if node.name.is_empty() {
        node.name = node.outputs.first().cloned().unwrap_or_default();
    }
    Ok(node)
}

fn attribute(source: &mut Source, span: Span) -> Result<(String, Attribute)> {
    source.count()?;
    let (mut name, mut kind) = (String::new(), 0);
    let (mut int, mut float, mut text, mut tensor) = (0, 0.0, String::new(), None);
    let (mut ints, mut floats) = (Vec::new(), Vec::new());
    let mut seen = None;
    let mut fields = Fields::of(span);
    while let Some((field, payload)) = fields.next(source)? {
        match field {
            1 => name = source.text(payload.span()?, NAME)?,
            2 => float = payload.real()?,
            3 => int = payload.whole()?,
            4 => text = source.text(payload.span()?, 1 << 20)?,
            5 => tensor = Some(stored(source, payload.span()?)?),
            7 => source.each_real(payload, |value| push(&mut floats, value))?,
            8 => source.each_whole(payload, |value| push(&mut ints, value))?,
            20 => kind = payload.whole()?,
            _ => {}
        }
        if (2..=8).contains(&field) {
            seen = Some(field);
        }
    }
    // Old files do not say the kind.
    let kind = if kind == 0 { seen.map_or(0, |field| field as i64 - 1) } else { kind };
    let value = match (kind, tensor) {
        (1, _) => Attribute::Float(float),
        (2, _) => Attribute::Int(int),
        (3, _) => Attribute::Text(text),
        (4, Some(tensor)) => Attribute::Tensor(tensor),
        (6, _) => Attribute::Floats(floats),
        (7, _) => Attribute::Ints(ints),
        _ => Attribute::Other,
    };
    Ok((name, value))
}

fn push<T>(list: &mut Vec<T>, value: T) -> Result<()> {
    if list.len() >= LIST {
        return Err(Error::model(format!("an attribute is a list of more than {LIST} numbers")));
    }
    list.push(value);
    Ok(())
}

fn stored(source: &mut Source, span: Span) -> Result<Stored> {
    source.count()?;
    let mut tensor = Stored { body: span, ..Stored::default() };
    let mut elsewhere = Elsewhere::default();
    let mut is_elsewhere = false;
    let mut fields = Fields::of(span);
    while let Some((field, payload)) = fields.next(source)? {
        match field {
            1 => source.each_whole(payload, |length| {
                if tensor.shape.len() >= MOST_AXES {
                    return Err(Error::model(format!("a tensor has more than {MOST_AXES} axes")));
                }
                tensor.shape.push(length);
                Ok(())
            })?,
            2 => tensor.kind = payload.whole()?,
            8 => tensor.name = source.text(payload.span()?, NAME)?,
            13 => {
                let (key, value) = entry(source, payload.span()?, NAME)?;
                match key.as_str() {
                    "location" => elsewhere.location = value,
                    "offset" => elsewhere.offset = Some(value),
                    "length" => elsewhere.length = Some(value),
                    _ => {}
                }
            }
            14 => is_elsewhere = payload.whole()? == 1,
            _ => {}
        }
    }
    tensor.elsewhere = is_elsewhere.then_some(elsewhere);
    Ok(tensor)
}

fn entry(source: &mut Source, span: Span, most: u64) -> Result<(String, String)> {
    let (mut key, mut value) = (String::new(), String::new());
    let mut fields = Fields::of(span);
    while let Some((field, payload)) = fields.next(source)? {
        match field {
            1 => key = source.text(payload.span()?, NAME)?,
            2 => value = source.text(payload.span()?, most)?,
            _ => {}
        }
    }
    Ok((key, value))
}

fn port(source: &mut Source, span: Span) -> Result<Port> {
    source.count()?;
    let mut port = Port::default();
    let mut fields = Fields::of(span);
    while let Some((field, payload)) = fields.next(source)? {
        match (field, payload) {
            (1, name) => port.name = source.text(name.span()?, NAME)?,
            // The type, of which tensors are the first kind.
            (2, Payload::Bytes(kinds)) => {
                let mut kinds = Fields::of(kinds);
                while let Some((field, payload)) = kinds.next(source)? {
                    if field == 1 {
                        tensor_type(source, payload.span()?, &mut port)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(port)
}

fn tensor_type(source: &mut Source, span: Span, port: &mut Port) -> Result<()> {
    let mut fields = Fields::of(span);
    while let Some((field, payload)) = fields.next(source)? {
        match field {
            1 => port.kind = payload.whole()?,
            2 => {
                let mut shape = Vec::new();
                let mut axes = Fields::of(payload.span()?);
                while let Some((field, payload)) = axes.next(source)? {
                    if field == 1 {
                        if shape.len() >= MOST_AXES {
                            return Err(Error::model(format!("{:?} has more than {MOST_AXES} axes", port.name)));
                        }
                        shape.push(length(source, payload.span()?)?);
                    }
                }
                port.shape = Some(shape);
            }
            _ => {}
        }
    }
    Ok(())
}

fn length(source: &mut Source, span: Span) -> Result<Length> {
    let mut length = Length::Open;
    let mut fields = Fields::of(span);
    while let Some((field, payload)) = fields.next(source)? {
        match field {
            1 => length = Length::Known(payload.whole()?),
            2 => {
                let name = source.text(payload.span()?, NAME)?;
                length = if name.is_empty() { Length::Open } else { Length::Named(name) };
            }
            _ => {}
        }
    }
    Ok(length)
}
