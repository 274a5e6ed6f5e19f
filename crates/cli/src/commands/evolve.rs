//! `evolve`: train a generator by evolution.

use crate::console::Console;
use crate::device::Computing;
use crate::exit::Code;
use crate::settings::Setting;
use crate::training::{self, Manner, Told, quoted};
use anyhow::Result;
use data::Dataset;
use evolve::{Evolution, Settings, Stats};
use std::path::PathBuf;
use train::{OpenRun, RunSettings};

/// Train a generator by evolution
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ganatomy evolve --data scenes --preset modern --generations 2000
  ganatomy evolve --data photos/ --preset modern --set image.size=64 --out runs/photos
  ganatomy evolve --data photos/ --preset modern --score-every 500
  ganatomy evolve --data ring8 --generations 5000 --set gamma=1
  ganatomy evolve --data scenes --precision bf16 --generations 2000
  ganatomy evolve --data photos.zip --config mine.toml --dry-run")]
pub(crate) struct Evolve {
    /// What to learn: scenes, ring8, grid25, swissroll, or the path of a folder, zip, IDX, CIFAR-10 .bin or .npz
    #[arg(long, value_name = "SRC", required_unless_present_any = ["config", "settings"])]
    data: Option<String>,
    /// The settings to start from: paper (the default), theano, pytorch or modern
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Generations in all
    #[arg(long, value_name = "N")]
    generations: Option<u64>,
    /// The run folder; without it the next of runs/00001-DATA-PRESET
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// A TOML file of settings over the preset's
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting over all others; may be given often
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Setting::of::<evolve::Settings>(), hide_possible_values = true)]
    settings: Vec<String>,
    /// What convolutions multiply: f32, or bf16, faster where the processor has AVX512-BF16
    #[arg(long, value_name = "f32|bf16")]
    precision: Option<String>,
    /// Score the generator every K generations, and keep the best checkpoint by it (score.every)
    #[arg(long, value_name = "K")]
    score_every: Option<u64>,
    /// The seed of everything random
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    #[command(flatten)]
    computing: Computing,
    /// Print the resolved settings and stop
    #[arg(long)]
    dry_run: bool,
}

impl Evolve {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let settings = self.resolve()?;
        let label = format!("{}-{}", training::name_of(&settings.data), settings.preset);
        let manner = Manner { console, computing: self.computing, dry_run: self.dry_run };
        training::start::<Evolution>(settings, self.out, &label, manner)
    }

    fn resolve(&self) -> Result<Settings> {
        // Whether the data are points decides the preset's networks; so the data are needed first.
        let asked = |key: &str| {
            let given = self.settings.iter().rev().find_map(|s| s.split_once('=').filter(|(k, _)| k.trim() == key));
            given.map(|(_, value)| value.trim().trim_matches('"').to_owned())
        };
        let (file_data, file_preset) = match &self.config {
            Some(path) => Settings::names_in(path)?,
            None => (None, None),
        };
        let data = self.data.clone().or_else(|| asked("data")).or(file_data);
        let Some(data) = data else {
            return Err(base::Error::setting("--data", "is missing")
                .with_hint("Say what to learn, for example --data scenes or --data path/to/images.".to_string())
                .into());
        };
        let preset = self.preset.clone().or(file_preset).unwrap_or_else(|| "paper".to_owned());
        let points = ["ring8", "grid25", "swissroll"].contains(&data.as_str());
        let start = Settings::preset(&preset, points).map_err(|error| match &self.config {
            Some(path) if self.preset.is_none() => train::settings::in_file(error, path),
            _ => error,
        })?;
        let mut overrides = vec![quoted("data", &data)];
        overrides.extend(self.settings.iter().filter(|s| !s.starts_with("data=")).cloned());
        overrides.extend(self.generations.map(|n| format!("generations={n}")));
        overrides.extend(self.precision.as_ref().map(|p| quoted("precision", p)));
        overrides.extend(self.score_every.map(|k| format!("score.every={k}")));
        overrides.extend(self.seed.map(|s| format!("seed={s}")));
        Ok(Settings::resolve(&start, self.config.as_deref(), &overrides)?)
    }
}

impl Told for Evolution {
    fn about(run: &OpenRun<Self>) -> String {
        let set = run.training().dataset();
        let count = set.len().map_or("endless".to_owned(), |n| format!("{n} items"));
        let (g, d) = run.training().parameters(run.state());
        format!("{} ({count}, {:?}): G {g} parameters, D {d}", set.name(), set.shape())
    }

    fn set(run: &OpenRun<Self>) -> &Dataset {
        run.training().dataset()
    }

    /// The winner and how it did.
    fn brief(stats: &Stats) -> String {
        let winner = stats.survivors.first().and_then(|&i| stats.children.get(i));
        let mutation = winner.and_then(|c| c.mutation).map_or("parent", evolve::Loss::name);
        let fitness = winner.and_then(|c| c.f).map_or(String::new(), |f| format!(" fitness {f:.3}"));
        let score = stats.score.as_ref().map_or(String::new(), |score| format!(" {} {:.3}", score.name, score.value));
        format!(
            "{mutation}{fitness} D {:.3}{score}{}",
            stats.d_loss,
            if stats.collapsed { ", samples alike" } else { "" }
        )
    }

    fn alarm(stats: &Stats) -> Option<String> {
        if !stats.collapsed {
            return None;
        }
        let variance = stats.sample_variance.map_or(String::new(), |variance| format!(" (variance {variance:.1e})"));
        let told = stats.d_accuracy.map_or(String::new(), |share| format!("; D tells {:.0} % of them", 100.0 * share));
        let modes = stats.modes.map_or(String::new(), |modes| format!("; they reach {modes} modes"));
        let generation = stats.generation;
        Some(format!(
            "the samples have been nearly all alike until generation {generation}{variance}{told}{modes}: the generator may have collapsed"
        ))
    }

    fn next(run: &OpenRun<Self>) -> String {
        let (folder, done) = (run.folder().display(), run.done());
        format!("see {folder}/samples-{done:06}.png; next: ganatomy sample {folder} --seeds 0..64")
    }
}
