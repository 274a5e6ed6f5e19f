//! Writes inputs that each reader takes, and what once failed, into `corpus/`: from there the fuzzers start.
//!
//!     cargo run --release --example seeds

#[path = "../../crates/kit/tests/hostile/readers.rs"]
mod readers;

use readers::{Place, READERS};
use std::fs;
use std::path::Path;

fn main() {
    let place = Place::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for reader in &READERS {
        let folder = root.join("corpus").join(reader.name);
        fs::create_dir_all(&folder).expect("a folder for seeds");
        for (number, bytes) in reader.valid(&place).iter().enumerate() {
            fs::write(folder.join(format!("valid-{number}")), bytes).expect("a seed");
        }
        let known = root.join("../crates/kit/tests/hostile/corpus").join(reader.name);
        for file in fs::read_dir(known).into_iter().flatten().flatten() {
            fs::copy(file.path(), folder.join(file.file_name())).expect("a seed");
        }
    }
}
