//! A run that is served, and how far its story has been read.

use super::index::Named;
use models::RunFolder;
use std::sync::{Mutex, PoisonError};
use train::stats::Story;

/// A run.
pub(crate) struct Run {
    id: String,
    name: String,
    folder: RunFolder,
    story: Mutex<Story>,
}

impl Named for Run {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Run {
    pub(super) fn new(id: String, name: String, folder: RunFolder) -> Self {
        Self { id, name, story: Mutex::new(folder.story()), folder }
    }

    /// What requests call it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Does something with its story, which is read on before.
    ///
    /// # Errors
    /// The story cannot be read.
    pub(crate) fn with_story<T>(&self, work: impl FnOnce(&Story) -> base::Result<T>) -> base::Result<T> {
        let mut story = self.story.lock().unwrap_or_else(PoisonError::into_inner);
        story.follow()?;
        work(&story)
    }
}
