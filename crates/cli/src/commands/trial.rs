//! `trial`: the toy experiment with statistics.

use crate::console::{self, Console};
use crate::exit::{self, Code};
use crate::settings::Setting;
use crate::{threads, training};
use anyhow::Result;
use data::toys::Toy;
use evolve::trial::{self, Arm, Figure, Plan, Row};
use evolve::{Family, Settings};
use serde::Serialize;
use std::path::PathBuf;
use train::RunSettings;
use train::signals::Interrupt;

/// Compare ways to choose mutations on a toy mixture, over many seeds
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ganatomy trial ring8 --seeds 3 --generations 4000 --set width=128 --set width_d=128
  ganatomy trial grid25 --arms minimax,heuristic,least-squares,random,egan,egan-gamma0 --seeds 20

Every finished run is kept in the folder: the same command again goes on where it stopped. The folder gets results.csv,
summary.json and clouds.svg.")]
pub(crate) struct Trial {
    /// The mixture: ring8 or grid25
    #[arg(value_name = "TOY")]
    toy: String,
    /// The arms: losses (plain GANs), random, egan, egan-gamma0
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "minimax,heuristic,least-squares,random,egan,egan-gamma0"
    )]
    arms: Vec<String>,
    /// Runs per arm: seeds 0 to this
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Generations of a run
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    generations: u64,
    /// The folder of the trial [default: trial-TOY]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs at a time [default: the processor's cores]
    #[arg(long, value_name = "N", value_parser = threads::count)]
    jobs: Option<usize>,
    /// A setting of all arms; may be given often
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Setting::of::<evolve::Settings>(), hide_possible_values = true)]
    settings: Vec<String>,
    /// Print the resolved settings and stop
    #[arg(long)]
    dry_run: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    arms: &'a [Row],
}

impl Trial {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let toy =
            Toy::ALL.into_iter().find(|toy| toy.name() == self.toy && toy.mixture().is_some()).ok_or_else(|| {
                base::Error::setting("TOY", format!("there is no mixture {:?}", self.toy))
                    .with_hint("Choose ring8 or grid25.".to_string())
            })?;
        let arms = self.arms.iter().map(|a| Arm::parse(a.trim())).collect::<base::Result<Vec<Arm>>>()?;
        let mut overrides = vec![format!("data={}", toy.name()), format!("generations={}", self.generations)];
        overrides.extend(self.settings.iter().cloned());
        let settings = Settings::resolve(&Settings::preset("paper", true)?, None, &overrides)?;
        for (key, fits) in [("data", settings.data == toy.name()), ("network", settings.network == Family::Mlp)] {
            if !fits {
                return Err(base::Error::setting(key, format!("cannot be changed in a trial of {}", toy.name()))
                    .with_hint("Leave it out: TOY names the data, whose networks are of the family mlp.".to_string())
                    .into());
            }
        }
        if self.dry_run {
            console::result(&training::Dry { settings: &settings }, || settings.to_toml())?;
            return Ok(exit::DONE);
        }
        let folder = self.out.unwrap_or_else(|| PathBuf::from(format!("trial-{}", toy.name())));
        let plan = Plan { toy, arms, seeds: self.seeds, settings };
        let jobs = self.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let interrupt = Interrupt::install()?;
        let bar = console.bar(plan.arms.len() as u64 * self.seeds * plan.settings.generations, "generations");
        let results = trial::run(&plan, &folder, jobs, &interrupt, &|n| bar.inc(n));
        bar.finish_and_clear();
        let Some(results) = results? else {
            console.say("stopped; finished runs are kept: the same command goes on");
            let code = interrupt.requested().map_or(1, train::signals::Signal::exit_code);
            return Ok(code as u8);
        };
        let rows = trial::table(&results);
        base::files::write_atomic(folder.join("results.csv"), trial::csv(&results).as_bytes())?;
        base::files::write_atomic(folder.join("summary.json"), &serde_json::to_vec_pretty(&rows)?)?;
        base::files::write_atomic(folder.join("clouds.svg"), trial::clouds(toy, &results)?.as_bytes())?;
        console::result(&Json { arms: &rows }, || text(&rows))?;
        console::made(&folder)?;
        console.say(&format!("see {0}/clouds.svg, {0}/results.csv", folder.display()));
        Ok(exit::DONE)
    }
}

/// The table: medians with the 95 % bootstrap interval, where there is more than one run.
fn text(rows: &[Row]) -> String {
    let figure = |f: Figure, digits: usize| match (f.low, f.high) {
        (Some(low), Some(high)) => format!("{:.digits$} [{low:.digits$}, {high:.digits$}]", f.median),
        _ => format!("{:.digits$} (no interval)", f.median),
    };
    let mut lines = vec![
        ["arm", "seeds", "modes", "high quality", "KL (nats)", "MMD^2", "GMAC", "p (KL, random)"].map(str::to_owned),
    ];
    for row in rows {
        lines.push([
            row.arm.clone(),
            row.seeds.to_string(),
            figure(row.modes, 0),
            figure(row.high_quality, 3),
            figure(row.kl, 3),
            figure(row.mmd2, 4),
            format!("{:.0}", row.macs / 1e9),
            row.p_against_random.map_or("-".to_owned(), |p| format!("{p:.3}")),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..8).map(width).collect();
    let row = |line: &[String; 8]| {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, &w)| format!("{cell:<w$}")).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(row).collect()
}
