//! Dissections by name: a folder, or a shipped one; and the generators that they are about.

use crate::Note;
use crate::recorded::generator_of;
use base::{Error, Result as BaseResult};
use dissect::{Causal, Dissection, Plan, Subject};
use net::{Device, Network, Result};
use std::path::Path;

/// Reads a dissection. A folder wins over a shipped name, which is then to be had by no other way.
///
/// # Errors
/// There is none, it is broken or not finished.
pub fn open_dissection(path: impl AsRef<Path>) -> Result<Dissection> {
    let path = path.as_ref();
    let shipped = path.to_str().and_then(shipped::dissection).filter(|_| !path.exists());
    let Some(shipped) = shipped else {
        return Dissection::read(path);
    };
    of_shipped(shipped)
}

fn of_shipped(shipped: shipped::Dissection) -> Result<Dissection> {
    Dissection::from_bytes(Path::new(shipped.name), shipped.files.map(|(_, bytes)| bytes))
}

/// As [`open_dissection`], with what becomes of a dissection that nobody names: the shipped one of a shipped generator, if any.
/// The generator's name means the shipped one, whatever lies beside ([`crate::Model::open`]).
///
/// # Errors
/// As [`open_dissection`].
pub fn dissection_of_model(asked: Option<&Path>, model: &Path) -> Result<Option<Dissection>> {
    match asked {
        Some(path) => open_dissection(path).map(Some),
        None => model.to_str().and_then(shipped::dissection).map(of_shipped).transpose(),
    }
}

/// The generator that a plan is about, with the plan's layers: where the plan found it, or at `model`; of a run folder, whichever
/// checkpoint it is.
///
/// # Errors
/// It cannot be opened, or is another one.
pub fn subject_of_plan(
    plan: &Plan,
    model: Option<&Path>,
    device: &Device,
    tell: &mut dyn FnMut(&Note),
) -> Result<Subject> {
    let model = generator_of(plan, model, device, tell)?;
    let layers: Vec<String> = plan.layers.iter().map(|layer| layer.name.clone()).collect();
    model.subject(&layers, device)
}

/// The results of [`dissect::causal()`] that come with a shipped generator; none for others.
pub fn shipped_causes(model: &Path) -> Vec<Causal> {
    let shipped = model.to_str().and_then(shipped::dissection);
    let parse = |&(name, bytes): &(&str, &[u8])| Causal::parse(bytes, Path::new(name)).ok().flatten();
    shipped.map(|shipped| shipped.causes.iter().filter_map(parse).collect()).unwrap_or_default()
}

/// Refuses a dissection of another generator.
///
/// # Errors
/// It is of another one; the message says of which.
pub fn check_same(dissection: &Dissection, network: &Network, path: &Path) -> BaseResult<()> {
    if dissection.plan.model.is(network)? {
        return Ok(());
    }
    let dissected = &dissection.plan.model.name;
    let reason = format!("is of another generator ({dissected}) than {}", path.display());
    let hint = if Path::new(dissected).exists() {
        format!("Take {dissected}, or dissect this one: `dissect`.")
    } else {
        "Dissect this one: `dissect`.".to_owned()
    };
    Err(Error::file(&dissection.folder, reason).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::tests::small;
    use crate::segmenter_of_plan;

    #[test]
    fn the_shipped_dissection_is_that_of_the_shipped_generator() {
        let device = Device::cpu();
        let found = open_dissection("scenes").unwrap();
        assert_eq!(found.folder, Path::new("scenes"));
        let subject = subject_of_plan(&found.plan, None, &device, &mut |_| {}).unwrap();
        assert_eq!(subject.layers(), found.plan.layers);
        check_same(&found, subject.network(), "scenes".as_ref()).unwrap();
        let other = check_same(&found, small(3).network(), "g".as_ref()).unwrap_err();
        assert_eq!(other.to_string(), "scenes: is of another generator (scenes) than g");
    }

    #[test]
    fn networks_that_have_moved_can_be_named() {
        let device = Device::cpu();
        let mut plan = open_dissection("scenes").unwrap().plan;
        plan.model.name = "gone/g.safetensors".into();
        plan.segmenter.name = "gone/s.safetensors".into();
        let error = subject_of_plan(&plan, None, &device, &mut |_| {}).err().unwrap();
        assert!(error.to_string().starts_with("gone/g.safetensors: is not there: the generator"), "{error}");
        let hint = error.hint().unwrap();
        assert!(hint.starts_with("Say with `model` where it is now") && hint.contains("work in the folder"), "{hint}");
        let error = segmenter_of_plan(&plan, None, &device, &mut |_| {}).err().unwrap();
        assert!(error.hint().unwrap().starts_with("Say with `segmenter` where it is now"));
        let named = subject_of_plan(&plan, Some("gone".as_ref()), &device, &mut |_| {}).err().unwrap();
        assert!(named.to_string().starts_with("gone: there is no such model"), "{named}");
        assert!(subject_of_plan(&plan, Some("scenes".as_ref()), &device, &mut |_| {}).is_ok());
        assert!(segmenter_of_plan(&plan, Some("scenes".as_ref()), &device, &mut |_| {}).is_ok());
    }

    #[test]
    fn a_dissection_that_nobody_names_is_the_shipped_one_or_none() {
        assert!(dissection_of_model(None, "scenes".as_ref()).unwrap().is_some());
        assert!(dissection_of_model(None, "g.safetensors".as_ref()).unwrap().is_none());
        assert!(dissection_of_model(None, std::env::temp_dir().as_ref()).unwrap().is_none());
        assert!(dissection_of_model(Some("no/such".as_ref()), "scenes".as_ref()).is_err());
    }
}
