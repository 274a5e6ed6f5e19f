//! A study: arms by seeds, from a plan in a file. A claim that is tested so can be tested again by one command.
//!
//! An *arm* is a set of settings. Every arm tries as many values on seeds of their own and at one budget; what is reported
//! comes from fresh seeds. Runs go one a core, each in its folder, and a study that was interrupted goes on where it stopped.
//!
//! - [`Plan`] is the file, checked;
//! - [`run`] does what is missing;
//! - [`Report`] is what came out: the table as data, text, CSV, Markdown and a chart.

mod one;
mod plan;
mod report;
mod run;

pub use one::Outcome;
pub use plan::{Arm, Budget, Kind, Plan};
pub use report::{Report, Row};
pub use run::{Resolved, Step, resolve, run};

#[cfg(test)]
mod tests;
