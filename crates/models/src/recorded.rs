//! The networks that a dissection was made with, found again where they were: in a run that has gone on meanwhile, too.

use crate::open::{Model, Note, find_segmenter};
use base::Error;
use dissect::{Origin, Plan};
use net::{Device, Result};
use segment::Segmenter;
use shipped::Kind;
use std::path::{Path, PathBuf};
use train::checkpoint::{Checkpoint, MANIFEST, Store};

/// What a network is to a dissection, in words.
struct Role {
    kind: Kind,
    setting: &'static str,
    name: &'static str,
    past: &'static str,
}

const GENERATOR: Role =
    Role { kind: Kind::Generator, setting: "model", name: "generator", past: "the one that was dissected" };
const SEGMENTER: Role =
    Role { kind: Kind::Segmenter, setting: "segmenter", name: "segmenter", past: "the one of the dissection" };

/// The dissected generator of a plan: where the plan found it, or at `asked`. In a run folder it may be any checkpoint.
///
/// # Errors
/// It is not there, or there is another one.
pub(crate) fn generator_of(
    plan: &Plan,
    asked: Option<&Path>,
    device: &Device,
    tell: &mut dyn FnMut(&Note),
) -> Result<Model> {
    find(&GENERATOR, &plan.model, asked, device, tell)
}

/// The segmenter of a plan, and the file in which it lies: where the plan found it, or at `asked`. In a run folder it may be any
/// checkpoint.
///
/// # Errors
/// It is not there, or there is another one.
pub fn segmenter_of_plan(
    plan: &Plan,
    asked: Option<&Path>,
    device: &Device,
    tell: &mut dyn FnMut(&Note),
) -> Result<(Segmenter, PathBuf)> {
    let Model { network, path } = find(&SEGMENTER, &plan.segmenter, asked, device, tell)?;
    Ok((Segmenter::of_file(network, &path)?, path))
}

/// The model at `path`; of a run, the generator that a plan is about, where the run still has it.
///
/// # Errors
/// As [`Model::find`].
pub fn model_for(path: &Path, plan: Option<&Plan>, device: &Device, tell: &mut dyn FnMut(&Note)) -> Result<Model> {
    match kept(path, Kind::Generator, plan.map(|plan| &plan.model), device, tell)? {
        Some(model) => Ok(model),
        None => Model::find(path, device, tell),
    }
}

/// As [`find_segmenter`]; of a run, the segmenter of a plan, where the run still has it.
///
/// # Errors
/// As [`find_segmenter`].
pub fn segmenter_for(
    path: &Path,
    plan: Option<&Plan>,
    device: &Device,
    tell: &mut dyn FnMut(&Note),
) -> Result<(Segmenter, PathBuf)> {
    match kept(path, Kind::Segmenter, plan.map(|plan| &plan.segmenter), device, tell)? {
        Some(Model { network, path }) => Ok((Segmenter::of_file(network, &path)?, path)),
        None => find_segmenter(path, device, tell),
    }
}

fn kept(
    path: &Path,
    kind: Kind,
    origin: Option<&Origin>,
    device: &Device,
    tell: &mut dyn FnMut(&Note),
) -> Result<Option<Model>> {
    match origin {
        Some(origin) if is_run(path, kind) => in_run(path, kind, origin, device, tell),
        _ => Ok(None),
    }
}

fn find(
    role: &Role,
    origin: &Origin,
    asked: Option<&Path>,
    device: &Device,
    tell: &mut dyn FnMut(&Note),
) -> Result<Model> {
    let path = asked.unwrap_or_else(|| Path::new(&origin.name));
    if asked.is_none() && !is_shipped(path, role.kind) && !path.exists() {
        let reason = format!("is not there: the {} of the dissection was found at this place", role.name);
        let cure = "A run keeps its newest checkpoints and its best one; `export` makes a copy that stays.";
        let elsewhere = if path.is_relative() { ", work in the folder from which it was made," } else { "" };
        let setting = role.setting;
        let hint = format!("Say with `{setting}` where it is now{elsewhere} or dissect another one: `dissect`. {cure}");
        return Err(Error::file(path, reason).with_hint(hint).into());
    }
    let found = if is_run(path, role.kind) {
        in_run(path, role.kind, origin, device, tell)?
    } else {
        let model = Model::named(path, role.kind, device, tell)?;
        if origin.is(&model.network)? { Some(model) } else { None }
    };
    found.ok_or_else(|| {
        let reason = if is_run(path, role.kind) {
            format!("has no checkpoint any more whose {} is {}", role.name, role.past)
        } else {
            format!("is another {} than {}", role.name, role.past)
        };
        let hint = format!("Give the right one with `{}`, or dissect this one anew: `dissect`.", role.setting);
        Error::file(path, reason).with_hint(hint).into()
    })
}

fn is_shipped(path: &Path, kind: Kind) -> bool {
    path.to_str().is_some_and(|name| shipped::by_name(name, kind).is_some())
}

/// Whether a path is a folder of a run, which has several checkpoints.
fn is_run(path: &Path, kind: Kind) -> bool {
    path.is_dir() && !path.join(MANIFEST).is_file() && !is_shipped(path, kind)
}

/// The network of this origin in a run, if a checkpoint has it: the newest one.
fn in_run(
    run: &Path,
    kind: Kind,
    origin: &Origin,
    device: &Device,
    tell: &mut dyn FnMut(&Note),
) -> Result<Option<Model>> {
    let store = Store::open(run);
    for generation in store.list()?.into_iter().rev() {
        // A damaged checkpoint is another command's trouble, unless it is the one that is looked for: then none is found.
        let Ok(checkpoint) = Checkpoint::read(store.path_of(generation)) else { continue };
        for model in Model::all_in(&checkpoint, kind, device) {
            let model = model?;
            if origin.is(&model.network)? {
                tell(&Note::Taken(model.path.clone()));
                return Ok(Some(model));
            }
        }
    }
    Ok(None)
}
