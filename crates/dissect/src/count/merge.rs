//! Shards of one dissection become the whole, exactly as one process would have made it.

use crate::dissection::{Dissection, open_folder};
use crate::fit;
use crate::plan::Plan;
use crate::settings::Shard;
use crate::show::seen::Seen;
use crate::show::tables::DOCUMENT;
use crate::subject::Subject;
use base::Error;
use base::watch::Watch;
use net::Result;
use std::path::{Path, PathBuf};

/// Merges finished shards into `out`. `subject` makes the plan's generator again, for the pictures; `None` leaves them out. A call
/// that was interrupted can be repeated.
///
/// # Errors
/// A folder is no finished dissection, the shards are of different dissections, one is missing or given twice, or `out`
/// holds something else or cannot be written.
pub fn merge(
    folders: &[PathBuf],
    out: &Path,
    subject: impl FnOnce(&Plan) -> Result<Option<Subject>>,
    watch: &mut dyn Watch,
) -> Result<Dissection> {
    let mut parts: Vec<Dissection> = folders.iter().map(|folder| Dissection::read(folder)).collect::<Result<_>>()?;
    check(&parts)?;
    parts.sort_by_key(|part| part.plan.shard.index);
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else {
        return Err(Error::setting("merge", "was given no folder").into());
    };
    parts.for_each(|part| whole.tally.add(&part.tally));
    whole.plan.shard = Shard::WHOLE;
    out.clone_into(&mut whole.folder);

    // The plan is the first thing in the folder: it says to the next call what this one was doing.
    let _lock = open_folder(out, &whole.plan)?;
    let document = out.join(DOCUMENT);
    if document.is_file() {
        // Until everything is written anew, the folder is not finished.
        std::fs::remove_file(&document).map_err(|e| Error::io("remove", &document, e))?;
    }
    let subject = subject(&whole.plan)?;
    let [fit_path, tally_path] = Plan::paths(out);
    fit::write(&fit_path, &whole.plan, &whole.fits)?;
    whole.tally.write(&tally_path)?;
    let of_units = subject.as_ref().map(|subject| (subject, Seen::new(subject, &whole.fits)));
    whole.finish(of_units, watch)?;
    Ok(whole)
}

fn check(parts: &[Dissection]) -> Result<()> {
    let Some(first) = parts.first() else { return Ok(()) };
    let of = first.plan.shard.of;
    for part in parts {
        let wrong = |reason: String| Error::file(&part.folder, reason);
        if let Some(difference) = part.plan.difference(&first.plan) {
            let reason = format!("is of another dissection than {}: {difference}", first.folder.display());
            return Err(wrong(reason).with_hint("Merge shards that were made with the same command.").into());
        }
        if part.plan.shard.of != of {
            return Err(wrong(format!(
                "is one of {} shards, {} one of {of}",
                part.plan.shard.of,
                first.folder.display()
            ))
            .into());
        }
        if !same_bits(part, first) {
            let reason = format!("was fitted to other levels than {}", first.folder.display());
            return Err(wrong(reason).with_hint("Make the shards on machines of one kind, or copy fit.npz of one into the new folders of the others.").into());
        }
    }
    for index in 1..=of {
        let own: Vec<&Dissection> = parts.iter().filter(|part| part.plan.shard.index == index).collect();
        match *own {
            [_] => {}
            [] => {
                let reason = format!("shard {index}/{of} is missing");
                return Err(Error::setting("merge", reason).with_hint("Give the folders of all shards.").into());
            }
            [a, b, ..] => {
                let reason = format!("is shard {index}/{of}, and so is {}", a.folder.display());
                return Err(Error::file(&b.folder, reason).into());
            }
        }
    }
    Ok(())
}

/// Whether two shards were fitted to the same numbers, NaN (a class that never occurred) included.
fn same_bits(a: &Dissection, b: &Dissection) -> bool {
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    a.fits.iter().zip(&b.fits).all(|(a, b)| {
        let all = |fit: &crate::LayerFit| {
            [&fit.levels, &fit.errors, &fit.quantiles, &fit.means, &fit.class_means].map(|v| bits(v))
        };
        all(a) == all(b) && a.informative == b.informative
    })
}
