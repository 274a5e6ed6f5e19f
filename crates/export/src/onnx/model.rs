//! The messages of an ONNX model, and a graph that is being written.

use super::wire::Message;
use net::Tensor;
use std::collections::HashSet;
use tensor::Dim;

/// Numbers of 32 bits in `TensorProto.DataType`.
pub(super) const FLOAT: i64 = 1;
/// Whole numbers of 64 bits.
pub(super) const INT64: i64 = 7;
/// Truth values.
pub(super) const BOOL: i64 = 9;

/// A property of a node.
pub(super) enum Attribute<'a> {
    Int(&'a str, i64),
    Ints(&'a str, Vec<i64>),
    Float(&'a str, f64),
    Text(&'a str, &'a str),
}

impl Attribute<'_> {
    fn message(&self) -> Message {
        let named = |name: &str, kind: i64| Message::default().bytes(1, name).int(20, kind);
        match self {
            Self::Float(name, value) => named(name, 1).float(2, *value as f32),
            Self::Int(name, value) => named(name, 2).int(3, *value),
            Self::Text(name, value) => named(name, 3).bytes(4, value),
            // Not packed: that is how the field is declared.
            Self::Ints(name, values) => values.iter().fold(named(name, 7), |message, &value| message.int(8, value)),
        }
    }
}

/// A graph that is being written. A value is known by its name.
#[derive(Default)]
pub(super) struct Writer {
    nodes: Vec<Message>,
    initializers: Vec<Message>,
    names: HashSet<String>,
}

impl Writer {
    /// A name for an inner value of a node that no other value has.
    pub(super) fn part(&mut self, node: &str, part: &str) -> String {
        let wish = format!("{node}/{part}");
        let numbered = (2..).map(|number: u32| format!("{wish}.{number}"));
        let free = std::iter::once(wish.clone()).chain(numbered).find(|name| !self.names.contains(name));
        let name = free.unwrap_or(wish);
        self.names.insert(name.clone());
        name
    }

    /// This name is taken.
    pub(super) fn take(&mut self, name: &str) {
        self.names.insert(name.to_owned());
    }

    /// Adds a node. Inputs that are left out have an empty name.
    pub(super) fn node(&mut self, kind: &str, inputs: &[&str], output: &str, attributes: &[Attribute]) {
        let mut node = inputs.iter().fold(Message::default(), |node, input| node.bytes(1, input));
        node = node.bytes(2, output).bytes(3, output).bytes(4, kind);
        let attributes: Vec<Message> = attributes.iter().map(Attribute::message).collect();
        self.nodes.push(node.messages(5, &attributes));
    }

    /// A tensor that is stored.
    pub(super) fn tensor(&mut self, name: &str, value: &Tensor) {
        let shape: Vec<i64> = value.shape().iter().map(|&length| length as i64).collect();
        match value.as_indices() {
            Some(values) => self.stored(name, &shape, INT64, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            None => self.floats(name, &shape, &value.numbers()),
        }
    }

    /// Numbers that are stored.
    pub(super) fn floats(&mut self, name: &str, shape: &[i64], values: &[f32]) {
        self.stored(name, shape, FLOAT, values.iter().flat_map(|v| v.to_le_bytes()).collect());
    }

    /// Whole numbers of a node, one after the other; answers their name.
    pub(super) fn whole(&mut self, node: &str, part: &str, values: &[i64]) -> String {
        let name = self.part(node, part);
        self.stored(&name, &[values.len() as i64], INT64, values.iter().flat_map(|v| v.to_le_bytes()).collect());
        name
    }

    /// One number of a node; answers its name.
    pub(super) fn number(&mut self, node: &str, part: &str, value: f64) -> String {
        let name = self.part(node, part);
        self.floats(&name, &[], &[value as f32]);
        name
    }

    fn stored(&mut self, name: &str, shape: &[i64], kind: i64, bytes: Vec<u8>) {
        let dims = shape.iter().fold(Message::default(), |tensor, &length| tensor.int(1, length));
        self.initializers.push(dims.int(2, kind).bytes(8, name).bytes(9, bytes));
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.nodes.iter().chain(&self.initializers).map(|message| message.len() + 8).sum()
    }

    /// The graph with what goes in and comes out.
    pub(super) fn finish(self, name: &str, inputs: &[Message], outputs: &[Message]) -> Message {
        Message::default()
            .messages(1, &self.nodes)
            .bytes(2, name)
            .messages(5, &self.initializers)
            .messages(11, inputs)
            .messages(12, outputs)
    }
}

/// A value that goes in or out: its name and shape; the batch is called N.
pub(super) fn value(name: &str, dims: &[Dim]) -> Message {
    let dim = |dim: &Dim| match dim {
        Dim::Fixed(length) => Message::default().int(1, *length as i64),
        Dim::Batch(1) => Message::default().bytes(2, "N"),
        Dim::Batch(times) => Message::default().bytes(2, format!("{times}N")),
    };
    let dims: Vec<Message> = dims.iter().map(dim).collect();
    let shape = Message::default().messages(1, &dims);
    let tensor = Message::default().int(1, FLOAT).message(2, &shape);
    let kind = Message::default().message(1, &tensor);
    Message::default().bytes(1, name).message(2, &kind)
}
