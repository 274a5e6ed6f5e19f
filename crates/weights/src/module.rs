//! Modules of `PyTorch` that were saved whole: their classes are names, their attributes data.

use crate::item::Item;
use crate::state_dict::Setting;
use std::collections::HashSet;

/// A few numbers are so many at most.
const MOST_NUMBERS: usize = 16;

/// A module (`torch.nn.Module`) as it stands in a file: its class by name, what it holds by its attributes.
#[derive(Clone, Debug)]
pub struct Module<'t> {
    class: String,
    attributes: Item<'t>,
    is_script: bool,
}

impl<'t> Module<'t> {
    /// The module that a value is; `None` where it is none.
    pub fn of(item: Item<'t>) -> Option<Self> {
        let made = item.as_made()?;
        // A class whose source was saved with it, as PyTorch did until 2020, is kept elsewhere.
        let class = made.class.as_persistent().and_then(|kept| kept.items().nth(1)).unwrap_or(made.class);
        let (module, name) = class.as_global()?;
        if (module, name) == ("torch_utils.persistence", "_reconstruct_persistent_obj") {
            let about = made.arguments.items().next()?;
            let class = about.get("class_name")?.as_text()?.to_owned();
            return Self::with(class, about.get("state")?, false);
        }
        let is_script = module.split('.').any(|part| part == "__torch__");
        Self::with(name.to_owned(), made.state?, is_script)
    }

    fn with(class: String, attributes: Item<'t>, is_script: bool) -> Option<Self> {
        let is_module = ["_parameters", "_buffers", "_modules"].iter().all(|key| attributes.get(key).is_some());
        (is_module || is_script).then_some(Self { class, attributes, is_script })
    }

    /// The name of its class, without the module of Python that it is in.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// An attribute by its name: a number, a setting, an argument with which it was made.
    pub fn attribute(&self, name: &str) -> Option<Item<'t>> {
        self.attributes.get(name)
    }

    /// Its attributes that are numbers, a few numbers, texts or nothing, by their names.
    pub fn settings(&self) -> Vec<(&'t str, Setting)> {
        let setting = |value: Item<'t>| {
            let text = || value.as_text().map(|text| Setting::Text(text.to_owned()));
            let number = || value.as_float().map(Setting::Number).or_else(text).or_else(|| numbers(value));
            value.as_bool().map(Setting::Bool).or_else(number).or_else(|| value.is_none().then_some(Setting::None))
        };
        named(self.attributes).filter_map(|(name, value)| Some((name, setting(value)?))).collect()
    }

    /// Its own parameters and buffers by their names, in the order of a state dict: tensors, or what should be some.
    pub fn tensors(&self) -> Vec<(&'t str, Item<'t>)> {
        if self.is_script {
            return named(self.attributes).filter(|(_, value)| value.as_tensor().is_some()).collect();
        }
        let dict = |name: &str| self.attributes.get(name).into_iter().flat_map(|dict| named(dict));
        let left_out = self.attributes.get("_non_persistent_buffers_set");
        let left_out: HashSet<&str> = left_out.into_iter().flat_map(names_of).collect();
        let buffers = dict("_buffers").filter(|(name, _)| !left_out.contains(name));
        dict("_parameters").chain(buffers).filter(|(_, value)| !value.is_none()).collect()
    }

    /// The modules in it by their names, in their order.
    pub fn children(&self) -> Vec<(&'t str, Self)> {
        self.candidates().filter_map(|(name, value)| Some((name, Self::of(value)?))).collect()
    }

    /// What may be a module in it.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = (&'t str, Item<'t>)> + use<'t> {
        let among = if self.is_script { Some(self.attributes) } else { self.attributes.get("_modules") };
        among.into_iter().flat_map(named)
    }

    /// How many steps it takes to look through it.
    pub(crate) fn size(&self) -> usize {
        let parts = ["_parameters", "_buffers", "_modules"].iter().filter_map(|part| self.attributes.get(part));
        parts.fold(self.attributes.entries().len(), |size, part| size + part.entries().len())
    }

    /// How many steps it takes to find out whether a value is a module.
    pub(crate) fn steps(item: Item<'_>) -> usize {
        let Some(made) = item.as_made() else { return 1 };
        let first = made.arguments.items().next();
        1 + made.state.into_iter().chain(first).map(|part| part.entries().len()).sum::<usize>()
    }
}

/// A few numbers in a list, a tuple or an array.
fn numbers(value: Item<'_>) -> Option<Setting> {
    if let Some(array) = value.as_tensor() {
        let values = (array.count() <= MOST_NUMBERS && array.is_open()).then(|| array.to_f32().ok())??;
        return Some(Setting::Numbers(values.into_iter().map(f64::from).collect()));
    }
    let items = value.items();
    if items.len() == 0 || items.len() > MOST_NUMBERS {
        return None;
    }
    items.map(Item::as_float).collect::<Option<Vec<f64>>>().map(Setting::Numbers)
}

/// What a dictionary holds by texts.
fn named(dict: Item<'_>) -> impl Iterator<Item = (&str, Item<'_>)> {
    dict.entries().filter_map(|(key, value)| Some((key.as_text()?, value)))
}

/// The names in a set, which older protocols write as `set([...])`.
fn names_of(set: Item<'_>) -> impl Iterator<Item = &str> {
    let list = set.as_made().and_then(|made| made.arguments.items().next()).unwrap_or(set);
    list.items().filter_map(Item::as_text)
}
