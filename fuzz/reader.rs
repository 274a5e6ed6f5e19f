//! The fuzz target of each reader: which one, the name of the binary says.

#![no_main]

#[path = "../crates/kit/tests/hostile/readers.rs"]
mod readers;

use libfuzzer_sys::fuzz_target;
use readers::{Place, READERS};
use std::sync::OnceLock;

static PLACE: OnceLock<Place> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let reader = READERS.iter().find(|reader| reader.name == env!("CARGO_BIN_NAME"));
    let reader = reader.expect("a binary is called as its reader");
    reader.read(PLACE.get_or_init(Place::new), bytes);
});
