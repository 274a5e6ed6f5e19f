//! What a pickle says, as plain data: values in one list, which name each other by their places.
//!
//! So a value may be part of many others, or of itself, at no cost, and nothing here ever goes down by calling itself.

use super::Fault;
use crate::tensor::{Tensor, Typed};
use base::Region;

/// The most values of a file: 2 million.
const MOST_VALUES: usize = 2 << 20;
/// The most places in lists, tuples, dictionaries and the like: 4 million.
const MOST_PLACES: usize = 4 << 20;
/// The most bytes of texts that are kept in memory.
const MOST_TEXT: usize = 32 << 20;

/// The place of a value in its [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u32);

/// A value.
#[derive(Debug)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits: two's complement, least byte first.
    Big(Box<[u8]>),
    Float(f64),
    Text(Box<str>),
    /// A text that is left in the file: sources of modules, arrays as text.
    LongText(Region),
    Bytes(Region),
    List(Vec<Id>),
    Tuple(Box<[Id]>),
    Dict(Vec<(Id, Id)>),
    Set(Vec<Id>),
    /// Something in a module of Python: a class, a function. Only its name is ever used.
    Global {
        module: Id,
        name: Id,
    },
    /// What Python would make by calling something. Nothing is called: this is what it would be called with.
    Object(Box<Object>),
    /// What the writer of the pickle keeps elsewhere.
    Persistent(Id),
    Storage(Typed),
    Tensor(Box<Tensor>),
}

/// What Python would make of a class, its arguments, and what it would tell the object then.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) class: Id,
    pub(crate) arguments: Id,
    pub(crate) named: Option<Id>,
    pub(crate) state: Option<Id>,
    pub(crate) items: Vec<Id>,
    pub(crate) entries: Vec<(Id, Id)>,
}

/// The values of a file.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    pub(crate) root: Id,
}

/// What of the limits is left, for all pickles of one file.
#[derive(Debug)]
pub(crate) struct Budget {
    values: usize,
    places: usize,
    text: usize,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { values: MOST_VALUES, places: MOST_PLACES, text: MOST_TEXT }
    }

    fn spend(left: &mut usize, count: usize, most: usize, what: &str) -> Result<(), Fault> {
        *left = left.checked_sub(count).ok_or_else(|| Fault::TooMuch(format!("it has more than {most} {what}")))?;
        Ok(())
    }

    pub(super) fn value(&mut self) -> Result<(), Fault> {
        Self::spend(&mut self.values, 1, MOST_VALUES, "values")
    }

    pub(super) fn places(&mut self, count: usize) -> Result<(), Fault> {
        Self::spend(&mut self.places, count, MOST_PLACES, "places in lists and the like")
    }

    pub(super) fn text(&mut self, bytes: usize) -> Result<(), Fault> {
        Self::spend(&mut self.text, bytes, MOST_TEXT, "bytes of text")
    }
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { nodes: Vec::new(), root: Id(0) }
    }

    /// Adds a value.
    ///
    /// # Errors
    /// There are as many as may be.
    pub(crate) fn add(&mut self, node: Node, budget: &mut Budget) -> Result<Id, Fault> {
        budget.value()?;
        let id = Id(u32::try_from(self.nodes.len()).map_err(|_| Fault::end())?);
        self.nodes.push(node);
        Ok(id)
    }

    pub(crate) fn node(&self, id: Id) -> &Node {
        // Each number was given out by `add`.
        self.nodes.get(id.0 as usize).unwrap_or(&Node::None)
    }

    pub(super) fn node_mut(&mut self, id: Id) -> Option<&mut Node> {
        self.nodes.get_mut(id.0 as usize)
    }

    /// Puts another value in the place of one.
    pub(crate) fn replace(&mut self, id: Id, node: Node) {
        if let Some(place) = self.nodes.get_mut(id.0 as usize) {
            *place = node;
        }
    }

    /// All places, in the order in which the values came to be.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        (0..self.nodes.len() as u32).map(Id)
    }

    /// Both names of something in a module.
    pub(crate) fn global(&self, id: Id) -> Option<(&str, &str)> {
        match self.node(id) {
            Node::Global { module, name } => Some((self.text(*module)?, self.text(*name)?)),
            _ => None,
        }
    }

    pub(crate) fn text(&self, id: Id) -> Option<&str> {
        match self.node(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What is in a list or a tuple.
    pub(crate) fn items(&self, id: Id) -> Option<&[Id]> {
        match self.node(id) {
            Node::List(items) => Some(items),
            Node::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// What is in a tuple of as many values.
    pub(crate) fn tuple<const N: usize>(&self, id: Id) -> Option<[Id; N]> {
        self.items(id)?.try_into().ok()
    }

    pub(crate) fn int(&self, id: Id) -> Option<i64> {
        match self.node(id) {
            Node::Int(value) => Some(*value),
            Node::Bool(value) => Some(i64::from(*value)),
            _ => None,
        }
    }

    /// An integer that is not negative.
    pub(crate) fn count(&self, id: Id) -> Option<u64> {
        self.int(id)?.try_into().ok()
    }
}
