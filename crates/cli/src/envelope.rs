//! What `--json` prints: one object on stdout for every command, whatever became of it. `envelope` says what that was; beside it
//! stand the command's own fields. Commands that train print a line for each step before it. `docs/json.md` is the reference.

use crate::console;
use crate::failure::Ending;
use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The form of the envelope. It grows where a field goes or means something else.
pub(crate) const FORMAT: u32 = 1;

/// What is known so far of the answer to a command.
#[derive(Default)]
struct Answer {
    command: String,
    warnings: Vec<String>,
    written: Vec<String>,
    fields: Map<String, Value>,
    /// Whether lines went before it, so that it has to be one too.
    is_last_line: bool,
}

/// The answer that is wanted, if one is. Warnings come from everywhere, and a panic has to end in an answer as well.
static ANSWER: Mutex<Option<Answer>> = Mutex::new(None);

fn answer() -> MutexGuard<'static, Option<Answer>> {
    ANSWER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on results are for programs.
pub(crate) fn begin(command: &str) {
    *answer() = Some(Answer { command: command.to_owned(), ..Answer::default() });
}

/// Whether results are for programs.
pub(crate) fn is_wanted() -> bool {
    answer().is_some()
}

/// Something that went otherwise than the user may think.
pub(crate) fn warn(message: &str) {
    if let Some(answer) = answer().as_mut() {
        answer.warnings.push(message.to_owned());
    }
}

/// A file or folder that was made.
pub(crate) fn wrote(path: &Path) {
    if let Some(answer) = answer().as_mut() {
        answer.written.push(path.display().to_string());
    }
}

/// Fields of the command's own.
///
/// # Errors
/// They cannot be written as JSON.
pub(crate) fn add(fields: &impl Serialize) -> Result<()> {
    let Value::Object(fields) = serde_json::to_value(fields)? else { anyhow::bail!("results are objects") };
    if let Some(answer) = answer().as_mut() {
        answer.fields.extend(fields);
    }
    Ok(())
}

/// Takes the fields out again: a command that does others puts theirs below its own.
pub(crate) fn take() -> Map<String, Value> {
    answer().as_mut().map(|answer| std::mem::take(&mut answer.fields)).unwrap_or_default()
}

/// One record of many, on a line of its own, at once.
///
/// # Errors
/// The reader has gone.
pub(crate) fn line(record: &impl Serialize) -> Result<()> {
    if let Some(answer) = answer().as_mut() {
        answer.is_last_line = true;
    }
    console::write_json(&serde_json::to_string(record)?)
}

/// Prints the answer, if one is wanted: with the exit code, and what went wrong with its cure.
///
/// # Errors
/// The reader has gone.
pub(crate) fn finish(ending: &Ending) -> Result<()> {
    let Some(Answer { command, warnings, written, fields, is_last_line }) = answer().take() else { return Ok(()) };
    let error = ending.error.as_ref().map(|message| json!({ "message": message, "hint": ending.hint }));
    let envelope = json!({
        "format": FORMAT,
        "version": env!("CARGO_PKG_VERSION"),
        "command": command,
        "exit_code": ending.code,
        "error": error,
        "warnings": warnings,
        "written": written,
    });
    let mut all = Map::from_iter([("envelope".to_owned(), envelope)]);
    all.extend(fields);
    let text = if is_last_line { serde_json::to_string(&all) } else { serde_json::to_string_pretty(&all) };
    console::write_json(&text?)
}
