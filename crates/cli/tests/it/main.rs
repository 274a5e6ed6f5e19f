//! The program as people run it: every snapshot holds exit code, stdout and stderr.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod classes;
mod data_preview;
mod data_rules;
mod device;
mod dissect;
mod dissections;
mod evolve;
mod export;
mod help;
mod hostile;
mod house;
mod import;
mod inspect;
mod interpolate;
mod invert;
mod json;
mod memory;
mod mistakes;
mod model;
mod non_finite;
mod onnx;
mod output;
mod plain;
mod refusals;
mod repair;
mod report;
mod resume;
mod run;
mod runs;
mod runs_list;
mod sample;
mod score;
mod segmenter;
#[cfg(unix)]
mod settings;
mod signals;
mod sizes;
mod studio;
mod study;
mod stylegan;
mod support;
mod threads;
mod trial;
mod what_it_is;
