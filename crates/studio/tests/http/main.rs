//! Requests to a real studio: what it answers, and what it refuses.

mod answers;
mod guards;
mod hostile;
mod repair;
mod runs;
mod server;
