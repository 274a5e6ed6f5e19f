//! The program as people run it: every snapshot holds exit code, stdout and stderr.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod data_preview;
mod help;
mod inspect;
mod interpolate;
mod model;
mod output;
mod sample;
mod support;
