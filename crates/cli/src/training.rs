//! A run at the terminal: progress, statistics, how it ended.

use crate::console::{Console, print};
use anyhow::Result;
use evolve::{Evolution, Stats};
use indicatif::ProgressBar;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use train::signals::Interrupt;
use train::{Outcome, Start, run_folder};

/// Lines without a terminal come this far apart.
const QUIET_FOR: Duration = Duration::from_secs(30);

/// Makes the folder of a new run: the one that was asked for, else the next of `runs`.
pub(crate) fn place(out: Option<PathBuf>, label: &str) -> base::Result<PathBuf> {
    match out {
        Some(folder) => run_folder::create(&folder).map(|()| folder),
        None => run_folder::create_next("runs", label),
    }
}

/// Evolves to the end, or to a signal.
pub(crate) fn go(mut run: Evolution, interrupt: &Interrupt, console: Console, json: bool) -> Result<ExitCode> {
    announce(&run, console);
    let total = run.settings().generations;
    let bar = console.bar(total, "evolving");
    bar.set_position(run.done());
    bar.reset_eta();
    let mut told = Instant::now();
    let mut printing = Ok(());
    let outcome = run.run(interrupt, |stats| {
        show(&bar, stats);
        if json && printing.is_ok() {
            printing = serde_json::to_string(stats).map_err(Into::into).and_then(|line| print(&(line + "\n")));
        }
        if bar.is_hidden() && told.elapsed() > QUIET_FOR {
            console.say(&format!("generation {}/{total}: {}", stats.generation, brief(stats)));
            told = Instant::now();
        }
    });
    bar.finish_and_clear();
    let outcome = outcome?;
    printing?;
    let folder = run.folder().display();
    Ok(match outcome {
        Outcome::Finished => {
            console.say(&format!("done: {} generations in {folder}", run.done()));
            console.say(&format!(
                "see {folder}/samples-{:06}.png; next: ganatomy sample {folder} --seeds 0..64",
                run.done()
            ));
            ExitCode::SUCCESS
        }
        Outcome::Interrupted(signal) => {
            console.say(&format!("stopped after generation {}; everything is saved", run.done()));
            console.say(&format!("go on with: ganatomy resume {folder}"));
            ExitCode::from(signal.exit_code() as u8)
        }
    })
}

fn announce(run: &Evolution, console: Console) {
    if let Start::Resumed { generation, rejected } = run.begun() {
        for (path, reason) in rejected {
            console.warn(&format!("passed over {}: {reason}", path.display()));
        }
        console.say(&format!("resuming {} after generation {generation}", run.folder().display()));
    }
    let set = run.dataset();
    if !set.skipped().is_empty() {
        let (n, first) = (set.skipped().len(), set.skipped().iter().take(5).cloned().collect::<Vec<_>>().join(", "));
        console.warn(&format!("images left out because they cannot be read: {n} ({first})"));
    }
    let count = set.len().map_or("endless".to_owned(), |n| format!("{n} items"));
    let (g, d) = run.parameters();
    console.say(&format!(
        "{} ({count}, {:?}): G {g} parameters, D {d}; {} generations into {}",
        set.name(),
        set.shape(),
        run.settings().generations,
        run.folder().display()
    ));
}

fn show(bar: &ProgressBar, stats: &Stats) {
    bar.set_position(stats.generation);
    bar.set_message(brief(stats));
}

/// The winner and how it did.
fn brief(stats: &Stats) -> String {
    let winner = stats.survivors.first().and_then(|&i| stats.children.get(i));
    let mutation = winner.and_then(|c| c.mutation).map_or("parent", evolve::Loss::name);
    let fitness = winner.and_then(|c| c.f).map_or(String::new(), |f| format!(" fitness {f:.3}"));
    format!("{mutation}{fitness} D {:.3}", stats.d_loss)
}
