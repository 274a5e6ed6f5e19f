//! Tensors by their names, and where in a file they are.

use crate::Tensor;
use base::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The tensors of one network by their names, in the order of the file.
#[derive(Clone, Debug)]
pub struct StateDict {
    path: PathBuf,
    key: String,
    entries: Vec<(String, Tensor)>,
    places: HashMap<String, usize>,
    settings: HashMap<String, Setting>,
    beside: HashMap<String, Tensor>,
}

/// What a module that was saved whole says of itself beside its tensors: how it was made.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// `None`: not in use.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A few numbers: a list, a tuple or an array.
    Numbers(Vec<f64>),
}

impl StateDict {
    /// # Errors
    /// Two tensors have one name.
    pub(crate) fn new(path: &Path, key: String, entries: Vec<(String, Tensor)>) -> Result<Self> {
        let mut places = HashMap::with_capacity(entries.len());
        for (place, (name, _)) in entries.iter().enumerate() {
            if places.insert(name.clone(), place).is_some() {
                return Err(Error::file(path, format!("holds two tensors of the name {name:?}"))
                    .with_hint("The file is damaged or was made to do harm: copy or download it again."));
            }
        }
        Ok(Self { path: path.to_owned(), key, entries, places, settings: HashMap::new(), beside: HashMap::new() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys that lead to it in the file, with dots between them: empty where it is all of the file.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Names and tensors, in the order of the file.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&str, &Tensor)> {
        self.entries.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many numbers there are, of tensors of floating-point numbers.
    pub fn parameters(&self) -> usize {
        let floats = self.entries.iter().filter(|(_, tensor)| tensor.dtype().is_float());
        floats.fold(0, |sum, (_, tensor)| sum.saturating_add(tensor.count()))
    }

    /// A tensor by its name, if it is there.
    pub fn find(&self, name: &str) -> Option<&Tensor> {
        self.places.get(name).and_then(|&place| self.entries.get(place)).map(|(_, tensor)| tensor)
    }

    /// A tensor by its name.
    ///
    /// # Errors
    /// There is none.
    pub fn tensor(&self, name: &str) -> Result<&Tensor> {
        self.find(name).ok_or_else(|| {
            let names = self.entries.iter().map(|(name, _)| name.as_str());
            let hint = base::nearest(name, names).map(|near| format!("There is a tensor {near:?}."));
            let error = self.wrong(format!("has no tensor {name:?}"));
            match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        })
    }

    /// The values of a tensor as `f32`, last dimension fastest.
    ///
    /// # Errors
    /// There is no such tensor, its values are not read here, or the file is damaged.
    pub fn values(&self, name: &str) -> Result<Vec<f32>> {
        let tensor = self.tensor(name)?;
        if let Some(reason) = tensor.refusal() {
            return Err(self
                .wrong(format!("tensor {name:?} {reason}"))
                .with_hint("Save it again as ordinary 32-bit numbers: tensor.float()."));
        }
        tensor.to_f32()
    }

    /// The tensors whose names begin with these words and a dot, without that beginning.
    ///
    /// # Errors
    /// None in practice: names stay apart.
    pub fn under(&self, prefix: &str) -> Result<Self> {
        let inside = |(name, tensor): &(String, Tensor)| {
            let rest = name.strip_prefix(prefix)?.strip_prefix('.')?;
            Some((rest.to_owned(), tensor.clone()))
        };
        let mut part =
            Self::new(&self.path, joined(&self.key, prefix), self.entries.iter().filter_map(inside).collect())?;
        let of_part = |(name, setting): (&String, &Setting)| {
            Some((name.strip_prefix(prefix)?.strip_prefix('.')?.to_owned(), setting.clone()))
        };
        part.beside.clone_from(&self.beside);
        part.settings = self.settings.iter().filter_map(of_part).collect();
        Ok(part)
    }

    /// What a module says of itself, by its name and that of its attribute: `synthesis.b8.conv0.conv_clamp`. Plain state dicts say nothing.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.get(name)
    }

    /// A tensor that lies beside the network in the file, in the dictionary that holds the network: a mean of styles, a latent.
    pub fn beside(&self, name: &str) -> Option<&Tensor> {
        self.beside.get(name)
    }

    /// Says what lies beside it.
    pub(crate) fn set_beside(&mut self, beside: &[(String, Tensor)]) {
        self.beside = beside.iter().cloned().collect();
    }

    /// The same tensors with what their modules say of themselves.
    pub(crate) fn with_settings(self, settings: HashMap<String, Setting>) -> Self {
        Self { settings, ..self }
    }

    /// The same tensors as those to which another key leads.
    pub(crate) fn with_key(self, key: String) -> Self {
        Self { key, ..self }
    }

    /// An error about this file.
    pub(crate) fn wrong(&self, reason: String) -> Error {
        Error::file(&self.path, reason)
    }
}

/// Keys with a dot between them.
pub(crate) fn joined(key: &str, more: &str) -> String {
    match (key, more) {
        ("", more) => more.to_owned(),
        (key, "") => key.to_owned(),
        (key, more) => format!("{key}.{more}"),
    }
}
