//! Pickles as data: a machine that runs the opcodes of Python's pickles, protocols 0 to 5, and calls nothing.
//!
//! Where a pickle asks Python to call something, the machine writes down what, with which arguments.

mod cursor;
mod escape;
mod machine;
mod opcode;
pub(crate) mod tree;

pub(crate) use machine::read;
pub(crate) use tree::{Budget, Id, Node, Object, Tree};

use base::Error;

/// Why a pickle is not read.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is none, or is damaged.
    Broken(String),
    /// It is larger than what is read here.
    TooMuch(String),
    /// The file cannot be read, or what lies in it cannot.
    Other(Error),
}

impl Fault {
    pub(crate) fn end() -> Self {
        Self::Broken("it ends here, where more was to come".into())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}
