//! What training and dissection spend their time in, case by case.
//!
//! A [`Case`] is one computation at one shape, with the multiply-adds and the memory traffic that it takes at least.
//! [`all`] lists them. Two programs run them: `cargo bench` (criterion, for following one's own changes) and the runner
//! of this crate, which other engines' runners take turns with (see `peers/compare.py`).
//!
//! Everything is built of the public functions of the other rooms, so what is measured is what runs.

mod adam;
mod cost;
mod figures;
mod game;
mod infer;
mod layers;
mod machine;
mod nets;
pub mod networks;
mod norm;
mod tally;
mod timing;

pub use cost::Cost;
pub use machine::instructions;
pub use timing::{Measured, measure};

use net::{Precision, Result};

/// One repetition of a case.
pub type Step = Box<dyn FnMut() -> Result<()>>;

/// Bytes of a block that training frees in its first moments: the maps of one layer on an evaluation batch.
const FREED: usize = 16 << 20;

/// One computation at one shape.
pub struct Case {
    /// What and where, such as `conv/d2/forward/b64w128`: batch 64, width 128.
    pub name: String,
    /// What it takes at least.
    pub cost: Cost,
    make: Box<dyn Fn() -> Result<Step>>,
}

impl Case {
    fn new(name: impl Into<String>, cost: Cost, make: impl Fn() -> Result<Step> + 'static) -> Self {
        Self { name: name.into(), cost, make: Box::new(make) }
    }

    /// Makes the inputs; what comes back does the work, as often as it is called, always the same.
    ///
    /// # Errors
    /// A network or data set cannot be built: a bug of the case.
    pub fn prepare(&self) -> Result<Step> {
        // Some allocators give memory back at every free until they have seen a large block come and go, and then keep it.
        // In training that is over after a few layers; a case alone would pay for its pages at every repetition.
        drop(std::hint::black_box(vec![1u8; FREED]));
        (self.make)()
    }
}

/// Batch and width of the networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) batch: usize,
    pub(crate) width: usize,
}

impl Setting {
    fn tag(self) -> String {
        format!("b{}w{}", self.batch, self.width)
    }
}

/// Batch 64 at two widths, and the published batch.
const SETTINGS: [Setting; 3] =
    [Setting { batch: 64, width: 64 }, Setting { batch: 64, width: 128 }, Setting { batch: 32, width: 128 }];

/// All cases: the machine's rates, layers, batch norm, Adam, steps, a generation, the tally of a dissection and figures of features;
/// convolutions in the given precision.
pub fn all(precision: Precision) -> Vec<Case> {
    let mut cases = machine::cases();
    cases.extend(SETTINGS.into_iter().flat_map(|setting| layers::cases(setting, precision)));
    cases.extend(SETTINGS.into_iter().flat_map(norm::cases));
    cases.extend([64, 128].into_iter().flat_map(adam::cases));
    cases.extend(SETTINGS.into_iter().flat_map(|setting| game::steps(setting, precision)));
    cases.push(game::paper_generation(precision));
    cases.extend(infer::cases());
    cases.extend(tally::cases());
    cases.extend(figures::cases());
    cases
}

/// Numbers in [-1, 1) that depend on the purpose alone.
fn numbers(len: usize, purpose: &str) -> Vec<f32> {
    net::Law::Uniform.draw(len, &mut base::seed::Stream::new(0, purpose, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_have_no_spaces() {
        let cases = all(Precision::F32);
        let names: BTreeSet<&str> = cases.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names.len(), cases.len());
        assert!(names.iter().all(|name| !name.contains(char::is_whitespace)));
    }
}
