//! A value of a file, and the way from one to those inside of it.

use crate::pickle::{Id, Node, Tree};
use crate::tensor::Tensor;
use base::Region;

/// A value of a file. It is data: what Python would call is written down, and never called.
#[derive(Clone, Copy)]
pub struct Item<'t> {
    pub(crate) tree: &'t Tree,
    pub(crate) id: Id,
}

/// What Python would make by calling something, as data.
#[derive(Clone, Copy, Debug)]
pub struct Made<'t> {
    /// The class or function.
    pub class: Item<'t>,
    /// Its arguments, a tuple.
    pub arguments: Item<'t>,
    /// Its arguments by names, a dictionary.
    pub named: Option<Item<'t>>,
    /// What the object would be told of its attributes.
    pub state: Option<Item<'t>>,
}

impl<'t> Item<'t> {
    fn node(self) -> &'t Node {
        self.tree.node(self.id)
    }

    fn other(self, id: Id) -> Self {
        Self { tree: self.tree, id }
    }

    /// Whether it is `None`.
    pub fn is_none(self) -> bool {
        matches!(self.node(), Node::None)
    }

    /// The value of `True` or `False`.
    pub fn as_bool(self) -> Option<bool> {
        match self.node() {
            Node::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// An integer of at most 64 bits.
    pub fn as_int(self) -> Option<i64> {
        match self.node() {
            Node::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// A number.
    pub fn as_float(self) -> Option<f64> {
        match self.node() {
            Node::Float(value) => Some(*value),
            Node::Int(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// A text of at most 4096 bytes.
    pub fn as_text(self) -> Option<&'t str> {
        self.tree.text(self.id)
    }

    /// Bytes or a long text, which lie in the file.
    pub fn as_bytes(self) -> Option<&'t Region> {
        match self.node() {
            Node::Bytes(region) | Node::LongText(region) => Some(region),
            _ => None,
        }
    }

    /// A tensor or an array.
    pub fn as_tensor(self) -> Option<&'t Tensor> {
        match self.node() {
            Node::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// Module and name of a class or a function.
    pub fn as_global(self) -> Option<(&'t str, &'t str)> {
        self.tree.global(self.id)
    }

    /// What is in a list, a tuple or a set, or was appended to an object.
    pub fn items(self) -> impl ExactSizeIterator<Item = Self> + use<'t> {
        let items: &[Id] = match self.node() {
            Node::List(items) | Node::Set(items) => items,
            Node::Tuple(items) => items,
            Node::Object(object) => &object.items,
            _ => &[],
        };
        items.iter().map(move |&id| self.other(id))
    }

    /// Keys and values of a dictionary, or of an object that is one, in their order.
    pub fn entries(self) -> impl ExactSizeIterator<Item = (Self, Self)> + use<'t> {
        let entries: &[(Id, Id)] = match self.node() {
            Node::Dict(entries) => entries,
            Node::Object(object) => &object.entries,
            _ => &[],
        };
        entries.iter().map(move |&(key, value)| (self.other(key), self.other(value)))
    }

    /// The value of a text in a dictionary. Of two entries the last counts, as in Python.
    pub fn get(self, key: &str) -> Option<Self> {
        self.entries().filter(|(found, _)| found.as_text() == Some(key)).last().map(|(_, value)| value)
    }

    /// What Python would make by calling something.
    pub fn as_made(self) -> Option<Made<'t>> {
        let Node::Object(object) = self.node() else { return None };
        let made = Made {
            class: self.other(object.class),
            arguments: self.other(object.arguments),
            named: object.named.map(|named| self.other(named)),
            state: object.state.map(|state| self.other(state)),
        };
        // Two functions stand for the class that is their first argument.
        match made.class.as_global() {
            Some(("copyreg" | "copy_reg", "_reconstructor" | "__newobj__")) => {
                Some(Made { class: made.arguments.items().next()?, ..made })
            }
            _ => Some(made),
        }
    }

    /// What the writer of the pickle called something that it kept elsewhere.
    pub fn as_persistent(self) -> Option<Self> {
        match self.node() {
            Node::Persistent(name) => Some(self.other(*name)),
            _ => None,
        }
    }

    /// What kind of value it is, for messages: `a dictionary`, `an object of collections.OrderedDict`.
    pub fn what(self) -> String {
        let global = |item: Self| {
            item.as_global().map_or_else(|| "a class that is kept elsewhere".into(), |(m, n)| format!("{m}.{n}"))
        };
        match self.node() {
            Node::None => "None".into(),
            Node::Bool(_) => "a truth value".into(),
            Node::Int(_) | Node::Big(_) | Node::Float(_) => "a number".into(),
            Node::Text(_) | Node::LongText(_) => "a text".into(),
            Node::Bytes(_) => "bytes".into(),
            Node::List(_) => "a list".into(),
            Node::Tuple(_) => "a tuple".into(),
            Node::Dict(_) => "a dictionary".into(),
            Node::Set(_) => "a set".into(),
            Node::Global { .. } => global(self),
            Node::Object(_) => format!("an object of {}", self.as_made().map_or_else(String::new, |m| global(m.class))),
            Node::Persistent(_) => "something that is kept elsewhere".into(),
            Node::Storage(_) => "a storage".into(),
            Node::Tensor(_) => "a tensor".into(),
        }
    }
}

/// Not what is inside: that may be large, or itself.
impl std::fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what())
    }
}
