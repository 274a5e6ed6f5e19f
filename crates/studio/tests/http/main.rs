//! Requests to a real studio: what it answers, and what it refuses.

#![expect(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "tests")]

mod answers;
mod guards;
mod repair;
mod runs;
mod server;
