//! A search that was interrupted, so that it can go on.

use super::search::State;
use super::{CausalSettings, CausalTask};
use crate::concepts::Concept;
use base::{Error, Result, files};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The longest file that is read.
const LARGEST: u64 = 16 << 20;

/// Where a search is kept, and which one.
pub(super) struct Kept<'a> {
    path: Option<&'a Path>,
    task: Task,
}

/// All that the course of a search depends on, besides the program.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Task {
    program: String,
    generator: String,
    segmenter: String,
    layer: String,
    concept: Concept,
    start: Vec<f32>,
    settings: CausalSettings,
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Document {
    task: Task,
    state: State,
}

impl<'a> Kept<'a> {
    pub(super) fn new(path: Option<&'a Path>, task: &CausalTask, start: &[f32]) -> Self {
        let plan = &task.dissection.plan;
        let task = Task {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            generator: plan.model.blake3.clone(),
            segmenter: plan.segmenter.blake3.clone(),
            layer: plan.layers[task.layer].name.clone(),
            concept: task.dissection.concepts.list()[task.concept].clone(),
            start: start.to_vec(),
            settings: task.settings.clone(),
        };
        Self { path, task }
    }

    /// How far an earlier call came with the same task; nothing if there was none.
    ///
    /// # Errors
    /// The file cannot be read, or is broken.
    pub(super) fn read(&self) -> Result<Option<State>> {
        let Some(path) = self.path.filter(|path| path.is_file()) else { return Ok(None) };
        let corrupt = |reason: String| {
            Error::file(path, format!("corrupt: {reason}")).with_hint("Remove it; the search begins anew.")
        };
        let document: Document =
            serde_json::from_slice(&files::read(path, LARGEST)?).map_err(|e| corrupt(e.to_string()))?;
        if document.task != self.task {
            return Ok(None);
        }
        if document.state.is_possible(self.task.start.len(), &self.task.settings) {
            Ok(Some(document.state))
        } else {
            Err(corrupt("it holds what no search comes to".into()))
        }
    }

    /// Keeps a state, in place of the one before.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, state: &State) -> Result<()> {
        let Some(path) = self.path else { return Ok(()) };
        let document = Document { task: self.task.clone(), state: state.clone() };
        let bytes = serde_json::to_vec(&document).map_err(|e| Error::file(path, e.to_string()))?;
        files::create_folder(files::parent_of(path))?;
        files::write_atomic(path, &bytes)
    }
}
