//! Where in a file the tensors of networks are.

use crate::item::Item;
use crate::module::Module;
use crate::pickle::Id;
use crate::state_dict::{Setting, StateDict, joined};
use crate::tensor::Tensor;
use base::{Error, Result, known_names};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// How deep networks are looked for, and how deep modules may lie in each other.
const DEEPEST: usize = 32;
/// Steps of looking for modules and through them at most: one may be part of many others, and is looked through for each.
const MOST_STEPS: usize = 1 << 24;
/// Keys and names that are longer lead to no network.
const LONGEST_KEY: usize = 1024;
/// What wrappers put before every name.
const WRAPPERS: [&str; 2] = ["module", "_orig_mod"];
/// Names of networks with which the names of tensors begin, where several lie in one dictionary.
const NETWORKS: [&str; 20] = [
    "generator",
    "discriminator",
    "critic",
    "encoder",
    "decoder",
    "netG",
    "netD",
    "G",
    "D",
    "G_ema",
    "g_ema",
    "gen",
    "dis",
    "disc",
    "G_net",
    "D_net",
    "gan",
    "g",
    "d",
    "ema",
];
/// Candidates that an error lists at most.
const LISTED: usize = 20;

/// All that could be the tensors of a network.
///
/// # Errors
/// Two tensors of one have one name.
pub(crate) fn state_dicts(root: Item<'_>, path: &Path) -> Result<Vec<StateDict>> {
    let mut search = Search { path, seen: HashSet::new(), found: Vec::new(), steps: 0 };
    search.walk(root, "", 0)?;
    let mut all = Vec::with_capacity(search.found.len());
    for found in search.found {
        all.extend(parts(unwrapped(found)?)?);
    }
    Ok(all)
}

struct Search<'a> {
    path: &'a Path,
    seen: HashSet<Id>,
    found: Vec<StateDict>,
    steps: usize,
}

impl Search<'_> {
    fn walk(&mut self, item: Item<'_>, key: &str, depth: usize) -> Result<()> {
        if depth > DEEPEST || key.len() > LONGEST_KEY || !self.seen.insert(item.id) {
            return Ok(());
        }
        self.step(Module::steps(item))?;
        if let Some(module) = Module::of(item) {
            let mut all = Gathered::default();
            self.gather(&module, "", 0, &mut all)?;
            if !all.entries.is_empty() {
                let dict = StateDict::new(self.path, key.to_owned(), all.entries)?;
                self.found.push(dict.with_settings(all.settings));
            }
            return Ok(());
        }
        // The moments of an optimiser are no network.
        if item.get("param_groups").is_some() {
            return Ok(());
        }
        let own: Vec<(String, Tensor)> = item
            .entries()
            .filter_map(|(key, value)| Some((key.as_text()?.to_owned(), value.as_tensor()?.clone())))
            .collect();
        let before = self.found.len();
        let mut direct = Vec::new();
        for (name, value) in item.entries() {
            let name =
                name.as_text().map_or_else(|| name.as_int().map_or("?".into(), |n| n.to_string()), str::to_owned);
            let first = self.found.len();
            self.walk(value, &joined(key, &name), depth + 1)?;
            // What was found under the key itself, not deeper.
            let is_direct = |found: &StateDict| found.key() == joined(key, &name);
            direct.extend((first..self.found.len()).filter(|&place| self.found.get(place).is_some_and(is_direct)));
        }
        for (place, value) in item.items().enumerate() {
            self.walk(value, &joined(key, &place.to_string()), depth + 1)?;
        }
        let inner: usize = self.found.iter().skip(before).map(StateDict::len).sum();
        // A few tensors beside networks (a mean, a latent) are none; a few networks' worth inside of one are part of it.
        if !own.is_empty() && own.len() >= inner {
            self.found.truncate(before);
            self.found.push(StateDict::new(self.path, key.to_owned(), own)?);
        } else if !own.is_empty() {
            for place in direct {
                self.step(own.len())?;
                self.found.get_mut(place).into_iter().for_each(|network| network.set_beside(&own));
            }
        }
        Ok(())
    }

    /// Counts steps.
    ///
    /// # Errors
    /// There are more than any network needs.
    fn step(&mut self, steps: usize) -> Result<()> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MOST_STEPS {
            return Err(Error::file(self.path, "holds more modules in each other than any network")
                .with_hint("Save the weights alone: torch.save(model.state_dict(), path)."));
        }
        Ok(())
    }

    fn gather(&mut self, module: &Module<'_>, prefix: &str, depth: usize, all: &mut Gathered) -> Result<()> {
        self.step(module.size())?;
        for (name, value) in module.tensors() {
            let name = joined(prefix, name);
            self.step(name.len())?;
            if let Some(tensor) = value.as_tensor()
                && all.names.insert(name.clone())
            {
                all.entries.push((name, tensor.clone()));
            }
        }
        for (name, setting) in module.settings() {
            let name = joined(prefix, name);
            self.step(name.len())?;
            all.settings.insert(name, setting);
        }
        if depth < DEEPEST {
            for (name, value) in module.candidates() {
                self.step(Module::steps(value) + prefix.len() + name.len())?;
                if let Some(child) = Module::of(value) {
                    self.gather(&child, &joined(prefix, name), depth + 1, all)?;
                }
            }
        }
        Ok(())
    }
}

/// The tensors of a module and of those in it, with the names of a state dict, and what the modules say of themselves.
#[derive(Default)]
struct Gathered {
    entries: Vec<(String, Tensor)>,
    names: HashSet<String>,
    settings: HashMap<String, Setting>,
}

/// Without what wrappers put before every name.
fn unwrapped(mut dict: StateDict) -> Result<StateDict> {
    while let Some(wrapper) = WRAPPERS.iter().find(|&&wrapper| all_under(&dict, &[wrapper])) {
        let key = dict.key().to_owned();
        dict = dict.under(wrapper)?.with_key(key);
    }
    Ok(dict)
}

/// The networks whose tensors lie in one dictionary.
fn parts(dict: StateDict) -> Result<Vec<StateDict>> {
    if !all_under(&dict, &NETWORKS) {
        return Ok(vec![dict]);
    }
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in dict.entries() {
        let first = name.split('.').next().unwrap_or_default();
        if !names.contains(&first) {
            names.push(first);
        }
    }
    names.into_iter().map(|name| unwrapped(dict.under(name)?)).collect()
}

fn all_under(dict: &StateDict, prefixes: &[&str]) -> bool {
    let is_under =
        |name: &str| name.split_once('.').is_some_and(|(first, rest)| prefixes.contains(&first) && !rest.is_empty());
    !dict.is_empty() && dict.entries().all(|(name, _)| is_under(name))
}

/// The one that is meant by a key, or the only one.
///
/// # Errors
/// There is none, or there are several and no key, or none of the key.
pub(crate) fn choose(mut all: Vec<StateDict>, key: Option<&str>, path: &Path) -> Result<StateDict> {
    let list = |all: &[StateDict]| {
        let said = |dict: &StateDict| {
            let key = if dict.key().is_empty() { "(the whole file)" } else { dict.key() };
            format!("{key} ({} tensors, {} parameters)", dict.len(), dict.parameters())
        };
        let mut said: Vec<String> = all.iter().take(LISTED).map(said).collect();
        if all.len() > LISTED {
            said.push(format!("and {} more", all.len() - LISTED));
        }
        said.join(", ")
    };
    if all.is_empty() {
        return Err(Error::file(path, "holds no tensors by names")
            .with_hint("Give a file of a state dict: torch.save(model.state_dict(), path)."));
    }
    let Some(key) = key else {
        return match all.len() {
            1 => Ok(all.remove(0)),
            several => Err(Error::file(path, format!("holds {several} networks: {}", list(&all)))
                .with_hint("Say by `key` which one is meant.")),
        };
    };
    let place = all.iter().position(|dict| dict.key() == key).or_else(|| {
        let ends = |dict: &StateDict| dict.key().strip_suffix(key).is_some_and(|rest| rest.ends_with('.'));
        let mut found = (0..all.len()).filter(|&place| all.get(place).is_some_and(ends));
        found.next().filter(|_| found.next().is_none())
    });
    if let Some(place) = place {
        return Ok(all.swap_remove(place));
    }
    // A part of one of them.
    for dict in &all {
        let inside =
            key.strip_prefix(dict.key()).map(|rest| rest.trim_start_matches('.')).filter(|rest| !rest.is_empty());
        if let Some(part) = inside.map(|prefix| dict.under(prefix)).transpose()?.filter(|part| !part.is_empty()) {
            return Ok(part);
        }
    }
    let error = Error::setting("key", format!("{key:?} leads to no network in {}", path.display()));
    Err(error.with_hint(match all.as_slice() {
        [only] if only.key().is_empty() => "The whole file is one: leave `key` out.".to_owned(),
        _ => known_names(key, "keys", all.iter().map(StateDict::key)),
    }))
}
