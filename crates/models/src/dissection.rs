//! Dissections by name: a folder, or a shipped one; and the generators that they are about.

use crate::{Model, Note, find_segmenter};
use base::{Error, Result as BaseResult};
use dissect::{Dissection, Plan, Subject};
use net::{Device, Network, Result};
use segment::Segmenter;
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
    Dissection::from_bytes(path, shipped.files.map(|(_, bytes)| bytes))
}

/// As [`open_dissection`], with what becomes of a dissection that nobody names: the shipped one of a shipped generator, if any.
///
/// # Errors
/// As [`open_dissection`].
pub fn dissection_of_model(asked: Option<&Path>, model: &Path) -> Result<Option<Dissection>> {
    match asked {
        Some(path) => open_dissection(path).map(Some),
        None if model.exists() => Ok(None),
        None => match model.to_str().and_then(shipped::dissection) {
            Some(_) => open_dissection(model).map(Some),
            None => Ok(None),
        },
    }
}

/// The generator that a plan is about, with the plan's layers: where the plan found it, or at `model`.
///
/// # Errors
/// It cannot be opened, or is another one.
pub fn subject_of_plan(
    plan: &Plan,
    model: Option<&Path>,
    device: &Device,
    tell: &mut dyn FnMut(&Note),
) -> Result<Subject> {
    let path = model.unwrap_or_else(|| Path::new(&plan.model.name));
    let network = Model::find(path, device, tell).map_err(|error| moved(error, model, path, "model"))?.network;
    if !plan.model.is(&network)? {
        return Err(Error::file(path, "is another generator than the one that was dissected")
            .with_hint("Give the right one with `model`.")
            .into());
    }
    let layers: Vec<String> = plan.layers.iter().map(|layer| layer.name.clone()).collect();
    Subject::new(&network, &layers, device)
}

/// The segmenter that a plan is about: where the plan found it, or at `asked`; with the path that was meant.
///
/// # Errors
/// It cannot be opened.
pub fn segmenter_of_plan<'a>(
    plan: &'a Plan,
    asked: Option<&'a Path>,
    device: &Device,
    tell: &mut dyn FnMut(&Note),
) -> Result<(Segmenter, &'a Path)> {
    let path = asked.unwrap_or_else(|| Path::new(&plan.segmenter.name));
    let (segmenter, _) = find_segmenter(path, device, tell).map_err(|error| moved(error, asked, path, "segmenter"))?;
    Ok((segmenter, path))
}

/// A network that nobody named is where the dissection found it, as seen from another folder perhaps: that can be mended.
fn moved(error: net::Error, asked: Option<&Path>, path: &Path, setting: &str) -> net::Error {
    if asked.is_some() || path.exists() {
        return error;
    }
    let reason = "is not there any more: the dissection was made with it, and names it so";
    Error::file(path, reason)
        .with_hint(format!("Say where it is now with `{setting}`, or work in the folder from which it was made."))
        .into()
}

/// Refuses a dissection of another generator.
pub(crate) fn check_same(dissection: &Dissection, network: &Network, path: &Path) -> BaseResult<()> {
    if dissection.plan.model.is(network)? {
        return Ok(());
    }
    let reason = format!("is of another generator ({}) than {}", dissection.plan.model.name, path.display());
    Err(Error::file(&dissection.folder, reason).with_hint("Dissect this one: `dissect`."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::tests::small;

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
        assert!(error.to_string().starts_with("gone/g.safetensors: is not there any more"), "{error}");
        assert!(error.hint().unwrap().starts_with("Say where it is now with `model`"));
        let error = segmenter_of_plan(&plan, None, &device, &mut |_| {}).err().unwrap();
        assert!(error.hint().unwrap().starts_with("Say where it is now with `segmenter`"));
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
