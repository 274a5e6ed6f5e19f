//! The program as people run it: every snapshot holds exit code, stdout and stderr.

mod data_preview;
mod help;
mod inspect;
mod interpolate;
mod model;
mod output;
mod sample;
mod support;
