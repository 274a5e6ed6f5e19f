//! `evolve`: train a generator by evolution.

use crate::console::Console;
use crate::device::Computing;
use crate::exit::Code;
use crate::settings::Setting;
use crate::time;
use crate::training::{self, Manner, Told, quoted};
use anyhow::Result;
use data::Dataset;
use evolve::{Evolution, Settings, Stats, budget};
use std::path::{Path, PathBuf};
use std::time::Duration;
use train::table::{flatten, read_table};
use train::{OpenRun, RunSettings};

/// Train a generator by evolution
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ganatomy evolve --data photos/ --time 30m --out runs/photos
  ganatomy evolve --data scenes --generations 2000
  ganatomy evolve --data paintings/ --from runs/photos --generations 2000
  ganatomy evolve --fork runs/photos --set lr_g=1e-4 --set lr_d=1e-4 --out runs/photos-slower
  ganatomy evolve --data photos/ --preset modern --set image.size=64 --out runs/photos
  ganatomy evolve --data photos/ --preset modern --score-every 500
  ganatomy evolve --data cifar-10/ --classes --generations 20000
  ganatomy evolve --data ring8 --generations 5000 --set gamma=1
  ganatomy evolve --data scenes --precision bf16 --generations 2000
  ganatomy evolve --data photos.zip --config mine.toml --dry-run")]
pub(crate) struct Evolve {
    /// What to learn: scenes, ring8, grid25, swissroll, or the path of a folder, zip, IDX, CIFAR-10 .bin or .npz
    #[arg(long, value_name = "SRC", required_unless_present_any = ["config", "settings", "fork"])]
    data: Option<String>,
    /// The settings to start from: laptop (the default for images), modern, paper (the default for points), theano or pytorch
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Generations in all
    #[arg(long, value_name = "N")]
    generations: Option<u64>,
    /// Choose the size of the images, the widths and the generations so that training takes this long here: 30m, 2h, 1h30m, 1d
    #[arg(long, value_name = "TIME", value_parser = time::parse, conflicts_with = "generations")]
    time: Option<Duration>,
    /// The run folder; without it the next of runs/00001-DATA-PRESET
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Begin with the weights of this model, as far as they fit: a run, a checkpoint or a model file
    #[arg(long, value_name = "MODEL")]
    from: Option<PathBuf>,
    /// Begin where this run is, in a folder of its own and with other settings
    #[arg(long, value_name = "RUN", conflicts_with_all = ["preset", "config", "from", "time"])]
    fork: Option<PathBuf>,
    /// A TOML file of settings over the preset's
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting over all others; may be given often
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = Setting::of::<evolve::Settings>(), hide_possible_values = true)]
    settings: Vec<String>,
    /// Learn by class: each image's class is an input of both networks, and the generator makes images of a class that
    /// is asked for. Classes are those of sub-folders, dataset.json, or labels of IDX, CIFAR-10 and .npz (classes=true)
    #[arg(long)]
    classes: bool,
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
        let (mut settings, given) = self.resolve(console)?;
        if let Some(time) = self.time {
            settings = fitted(&settings, &given, time, self.computing, console)?;
        }
        let label = format!("{}-{}", training::name_of(&settings.data), settings.preset);
        let manner = Manner { console, computing: self.computing, dry_run: self.dry_run };
        match &self.fork {
            Some(run) => training::fork::<Evolution>(run, settings, self.out, &label, manner),
            None => training::start::<Evolution>(settings, self.out, &label, manner),
        }
    }

    /// All settings, and the keys of those that were given.
    fn resolve(&self, console: Console) -> Result<(Settings, Vec<String>)> {
        if let Some(run) = &self.fork {
            return Ok((Settings::of_run(run)?.with(&self.typed())?, Vec::new()));
        }
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
        let points = ["ring8", "grid25", "swissroll"].contains(&data.as_str());
        let preset = self.preset.clone().or(file_preset).unwrap_or_else(|| evolve::usual_preset(points).to_owned());
        let start = Settings::preset(&preset, points).map_err(|error| match &self.config {
            Some(path) if self.preset.is_none() => train::settings::in_file(error, path),
            _ => error,
        })?;
        let mut overrides = vec![quoted("data", &data)];
        if let Some(from) = &self.from {
            overrides.push(quoted("from", &file_of(from, console)?));
        }
        overrides.extend(self.typed());
        let settings = Settings::resolve(&start, self.config.as_deref(), &overrides)?;
        let mut given: Vec<String> =
            overrides.iter().filter_map(|words| words.split_once('=')).map(|(key, _)| key.trim().to_owned()).collect();
        if let Some(path) = &self.config {
            given.extend(flatten(&read_table(path)?).into_iter().map(|(key, _)| key));
        }
        Ok((settings, given))
    }
}

impl Evolve {
    /// Settings that were typed.
    fn typed(&self) -> Vec<String> {
        let is_data = |s: &&String| s.starts_with("data=") && self.data.is_some();
        let mut typed: Vec<String> = self.settings.iter().filter(|s| !is_data(s)).cloned().collect();
        typed.extend(self.data.as_ref().map(|data| quoted("data", data)));
        typed.extend(self.generations.map(|n| format!("generations={n}")));
        typed.extend(self.classes.then(|| "classes=true".to_owned()));
        typed.extend(self.precision.as_ref().map(|p| quoted("precision", p)));
        typed.extend(self.score_every.map(|k| format!("score.every={k}")));
        typed.extend(self.seed.map(|s| format!("seed={s}")));
        typed
    }
}

/// The file in which a model lies.
fn file_of(model: &Path, console: Console) -> Result<String> {
    let found = models::Model::find(model, &net::Device::cpu(), &mut |note| console.note(note))?;
    if !found.path.is_file() {
        return Err(base::Error::setting(
            "--from",
            format!("{} comes with the program, not as a file", model.display()),
        )
        .with_hint("Write it into a file first, by ganatomy export.".to_string())
        .into());
    }
    Ok(std::path::absolute(&found.path)?.to_string_lossy().into_owned())
}

/// Settings that fit into a time; says what was tried and chosen.
fn fitted(
    settings: &Settings,
    given: &[String],
    time: Duration,
    computing: Computing,
    console: Console,
) -> Result<Settings> {
    let device = computing.open(console)?;
    let words = time::said(time.as_secs_f64());
    console.say(&format!("finding what fits into {words}:"));
    let fit = budget::fit(settings, given, time, &device, |s, seconds| {
        let size = if s.network == evolve::Family::Mlp { String::new() } else { format!("{} pixels, ", s.image.size) };
        console.say(&format!("  {size}width {}, batch {}: {seconds:.2} s a generation", s.width, s.batch));
    })?;
    let chosen: Vec<String> = fit.chosen.iter().map(|(key, value)| format!("{key}={value}")).collect();
    console.say(&format!("chosen: {}", chosen.join(" ")));
    console.say("(what you give with --set stays as it is)");
    let generations = fit.settings.generations;
    if generations < fit.until_good && fit.settings.network != evolve::Family::Mlp {
        console.warn(&format!(
            "only {generations} generations fit into {words}; pictures of {} pixels begin to be good after about {}",
            fit.settings.image.size, fit.until_good
        ));
    }
    Ok(fit.settings)
}

impl Told for Evolution {
    fn about(run: &OpenRun<Self>) -> String {
        let set = run.training().dataset();
        let count = set.len().map_or("endless".to_owned(), |n| format!("{n} items"));
        let (g, d) = run.training().parameters(run.state());
        let share = |taken: evolve::Taken| 100.0 * taken.numbers as f64 / taken.of.max(1) as f64;
        let begun = run.training().taken().map_or(String::new(), |(of_g, of_d)| {
            let of_d = of_d.map_or("D begins anew".into(), |of_d| format!("{:.0} % of D", share(of_d)));
            format!("; begins with {:.0} % of G, {of_d}", share(of_g))
        });
        let by_class = match run.training().classes() {
            Some(classes) => format!("; by class ({})", classes.names.join(", ")),
            None if set.label(0).is_some() => "; its images have classes, to be learnt with --classes".to_owned(),
            None => String::new(),
        };
        format!("{} ({count}, {:?}): G {g} parameters, D {d}{begun}{by_class}", set.name(), set.shape())
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

    fn alarm(stats: &Stats) -> Option<(&'static str, String)> {
        if let Some(check) = stats.check.as_ref().filter(|check| check.doubtful) {
            let (right, error) = (100.0 * check.agreement, 100.0 * check.error);
            let said = format!(
                "the estimate of fitness named the fittest child in {right:.0} % of the last ten checks (error {error:.0} % of the spread): --set fitness=exact judges every child"
            );
            return Some(("estimate", said));
        }
        if !stats.collapsed {
            return None;
        }
        let variance = stats.sample_variance.map_or(String::new(), |variance| format!(" (variance {variance:.1e})"));
        let told = stats.d_accuracy.map_or(String::new(), |share| format!("; D tells {:.0} % of them", 100.0 * share));
        let modes = stats.modes.map_or(String::new(), |modes| format!("; they reach {modes} modes"));
        let generation = stats.generation;
        let said = format!(
            "the samples have been nearly all alike until generation {generation}{variance}{told}{modes}: the generator may have collapsed"
        );
        Some(("samples", said))
    }

    fn next(run: &OpenRun<Self>) -> String {
        let (folder, done) = (run.folder().display(), run.done());
        let how = if run.training().classes().is_some() { "--by-class" } else { "--seeds 0..64" };
        format!("see {folder}/samples-{done:06}.png; next: ganatomy sample {folder} {how}")
    }
}
