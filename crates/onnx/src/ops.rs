//! The operators: one table, a function for each.

mod arithmetic;
mod attention;
mod constant;
mod conv;
mod elementwise;
mod gather;
mod layout;
mod norm;
mod pool;
mod product;
mod reduce;
mod resize;
mod sample;

use crate::Result;
use crate::call::Call;
use crate::writer::{Value, Writer};

/// An operator of ONNX that is read.
#[derive(Clone, Copy)]
pub struct Operator {
    /// Its name.
    pub name: &'static str,
    /// What is not read of it; empty where all of it is.
    pub limits: &'static str,
    pub(crate) write: fn(&mut Writer, &Call) -> Result<Vec<Value>>,
}

impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operator").field("name", &self.name).field("limits", &self.limits).finish_non_exhaustive()
    }
}

const fn operator(
    name: &'static str,
    limits: &'static str,
    write: fn(&mut Writer, &Call) -> Result<Vec<Value>>,
) -> Operator {
    Operator { name, limits, write }
}

const FAMILIES: &[&[Operator]] = &[
    arithmetic::TABLE,
    attention::TABLE,
    constant::TABLE,
    conv::TABLE,
    elementwise::TABLE,
    gather::TABLE,
    layout::TABLE,
    norm::TABLE,
    pool::TABLE,
    product::TABLE,
    reduce::TABLE,
    resize::TABLE,
    sample::TABLE,
];

/// All operators that are read, by name.
pub fn operators() -> Vec<Operator> {
    let mut all: Vec<Operator> = FAMILIES.iter().flat_map(|family| family.iter().copied()).collect();
    all.sort_by_key(|operator| operator.name);
    all
}

pub(crate) fn find(name: &str) -> Option<&'static Operator> {
    FAMILIES.iter().flat_map(|family| family.iter()).find(|operator| operator.name == name)
}
