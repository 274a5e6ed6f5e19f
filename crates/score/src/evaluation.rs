//! The whole way: two sides to figures that say all that they depend on.

use crate::cache;
use crate::extractor::shown;
use crate::figures::Given;
use crate::gather::made;
use crate::side::{of_file, of_vectors};
use crate::steps::{gather_steps, missing};
use crate::{Cache, Extractor, Gathered, Metric, Options, Record, Resize, Side, Wanted, gather};
use base::watch::Watch;
use base::{Error, files};
use metrics::record::{Extraction, Images};
use metrics::statistics::Made;
use net::Result;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What is to be found, and by what.
#[derive(Clone, Debug)]
pub struct Evaluation<'a> {
    /// The feature network; none where both sides are features or statistics.
    pub extractor: Option<&'a Extractor>,
    /// How images come to its size.
    pub resize: Resize,
    /// The figures.
    pub metrics: &'a [Metric],
    /// Their options.
    pub options: Options,
    /// Where statistics of real images are kept.
    pub cache: Option<&'a Cache>,
    /// The hash of the model that made the generated images.
    pub model: Option<String>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// A record for each figure, in the order in which they were asked for.
    pub records: Vec<Record>,
    /// What was gathered of the generated images.
    pub generated: Gathered,
    /// Whether statistics of the real images were there already.
    pub cached: bool,
    /// What people should know, as full sentences without a stop.
    pub warnings: Vec<String>,
}

impl Evaluation<'_> {
    /// Finds all figures; `None` where the watcher wanted it to end.
    ///
    /// # Errors
    /// As [`Evaluation::run_and_keep`].
    pub fn run(&self, generated: Side, real: Option<Side>, watch: &mut dyn Watch) -> Result<Option<Found>> {
        self.run_and_keep(generated, real, Wanted::default(), watch)
    }

    /// As [`Evaluation::run`], and gathers more of the generated images.
    ///
    /// # Errors
    /// A side cannot be read, sides were made by different networks or rules, or do not hold what a figure needs; there are too few images for it.
    pub fn run_and_keep(
        &self,
        generated: Side,
        real: Option<Side>,
        keep: Wanted,
        watch: &mut dyn Watch,
    ) -> Result<Option<Found>> {
        let mut needs = [keep, Wanted { statistics: true, ..Wanted::default() }];
        for metric in self.metrics {
            needs.iter_mut().zip(metric.needs(&self.options)).for_each(|(all, one)| *all = both(*all, one));
            if metric.compares() && real.is_none() {
                let reason = format!("is missing: {metric} compares with real images");
                return Err(Error::setting("reference", reason)
                    .with_hint("Name the real images by `reference`; the figures `is` and `ppl` do without.")
                    .into());
            }
        }
        let mut cached = false;
        let real = match real {
            None => None,
            Some(side) => match self.real(side, needs[1], &mut cached, watch)? {
                Some(found) => Some(found),
                None => return Ok(None),
            },
        };
        let with_steps = self.metrics.contains(&Metric::Ppl);
        let Some((generated, about)) = self.gathered(generated, needs[0], with_steps, "generated images", watch)?
        else {
            return Ok(None);
        };
        let mut warnings = Vec::new();
        let sides = [Some((&generated, &about)), real.as_ref().map(|(given, about)| (given, about))];
        let extraction = agreed(sides.map(|side| side.map(|(given, _)| given)), &mut warnings)?;
        for (given, about) in sides.into_iter().flatten() {
            self.warn_of(given, about, &mut warnings);
        }
        watch.stage("figures", self.metrics.len() as u64);
        let mut records = Vec::new();
        for metric in self.metrics {
            if watch.stop() {
                return Ok(None);
            }
            let figure = metric.of(&generated, real.as_ref().map(|(given, _)| given), &self.options)?;
            let of_real = real.as_ref().filter(|_| metric.compares()).map(|(_, about)| about.clone());
            // Images at the ends of steps stay numbers.
            let rounding = about.rounding.filter(|_| *metric != Metric::Ppl);
            records.push(Record {
                name: Record::protocol(&figure, about.count, of_real.as_ref().map(|about| about.choice)),
                figure,
                extraction: extraction.clone(),
                generated: Images { rounding, ..about.clone() },
                real: of_real,
                model: self.model.clone(),
                code: env!("CARGO_PKG_VERSION").to_owned(),
            });
            watch.step(1);
        }
        Ok(Some(Found { records, generated: generated.gathered, cached, warnings }))
    }

    /// What is wanted of real images: what is kept of them, or found anew and kept.
    fn real(
        &self,
        side: Side,
        wanted: Wanted,
        cached: &mut bool,
        watch: &mut dyn Watch,
    ) -> Result<Option<(Given, Images)>> {
        let place = match (&side, self.extractor, self.cache) {
            (Side::Images(images), Some(extractor), Some(cache)) => {
                cache::key(extractor, self.resize, images, self.options.divisor).map(|key| (cache, key))
            }
            _ => None,
        };
        if let (Some((cache, key)), Side::Images(images)) = (&place, &side)
            && let Some(gathered) = cache.read(key, wanted)
        {
            *cached = true;
            return Ok(Some((Given { name: images.about.set.clone(), gathered, steps: None }, images.about.clone())));
        }
        let Some((given, about)) = self.gathered(side, wanted, false, "real images", watch)? else { return Ok(None) };
        if let Some((cache, key)) = place {
            cache.write(&key, &given.gathered)?;
        }
        Ok(Some((given, about)))
    }

    fn gathered(
        &self,
        side: Side,
        wanted: Wanted,
        with_steps: bool,
        stage: &'static str,
        watch: &mut dyn Watch,
    ) -> Result<Option<(Given, Images)>> {
        match side {
            Side::Statistics(path, stored) => {
                let (about, made) = (of_file(&path, stored.statistics.samples()), stored.made);
                let gathered = Gathered { statistics: Some(stored.statistics), made, ..Gathered::default() };
                Ok(Some((Given { name: path.display().to_string(), gathered, steps: None }, about)))
            }
            Side::Features(path, vectors) => {
                let about = of_file(&path, Some(vectors.len() as u64));
                let gathered =
                    of_vectors(vectors, wanted.groups, self.options.divisor).map_err(|error| match error {
                        Error::Setting { reason, hint, .. } => Error::File { path: path.clone(), reason, hint },
                        other => other,
                    })?;
                Ok(Some((Given { name: path.display().to_string(), gathered, steps: None }, about)))
            }
            Side::Images(images) => {
                let Some(extractor) = self.extractor else {
                    return Err(Error::setting("features", format!("is none, but {} are images", images.about.set))
                        .with_hint("Name the network that features are to be of, such as scenes.")
                        .into());
                };
                let (about, divisor, rule) = (images.about, self.options.divisor, self.resize);
                let pictures = images.pictures.as_ref();
                let gathered = if wanted == Wanted::default() {
                    Some(Gathered { made: made(extractor, rule), ..Gathered::default() })
                } else {
                    gather(extractor, rule, pictures, about.count, wanted, divisor, stage, watch)?
                };
                let Some(gathered) = gathered else { return Ok(None) };
                let mut given = Given { name: about.set.clone(), gathered, steps: None };
                if with_steps {
                    let steps = pictures.steps().ok_or_else(|| missing(&given.name))?;
                    let Some(found) = gather_steps(extractor, rule, steps, about.count, &self.options.path, watch)?
                    else {
                        return Ok(None);
                    };
                    given.steps = Some(found);
                }
                Ok(Some((given, about)))
            }
        }
    }

    /// What people should know of one side.
    fn warn_of(&self, given: &Given, about: &Images, warnings: &mut Vec<String>) {
        if about.lossy {
            warnings.push(format!(
                "{}: images come from files that lose something (JPEG), and that alone moves distances",
                given.name
            ));
        }
        let width = given.gathered.statistics.as_ref().map(|statistics| statistics.mean().len() as u64);
        let of_covariances = self.metrics.iter().any(|metric| matches!(metric, Metric::Fid | Metric::FidInfinity));
        if let Some(width) = width.filter(|&width| of_covariances && about.count > 0 && about.count <= width) {
            warnings.push(format!(
                "{}: {} images are too few for {width} features: their covariance lacks directions, and the distance is far too large; take \
                 some times {width}",
                given.name, about.count
            ));
        }
    }
}

/// What both want.
fn both(a: Wanted, b: Wanted) -> Wanted {
    Wanted {
        statistics: a.statistics || b.statistics,
        groups: a.groups.or(b.groups),
        features: a.features || b.features,
        logits: a.logits || b.logits,
    }
}

/// One thing that is known of how features were made.
type Fact = fn(&Made) -> &Option<String>;

/// How features of both sides were made, which must be the same way.
fn agreed(sides: [Option<&Given>; 2], warnings: &mut Vec<String>) -> Result<Extraction> {
    let facts: [(&str, Fact); 3] = [
        ("feature network", |made| &made.extractor),
        ("weights", |made| &made.weights),
        ("rule of resizing", |made| &made.resize),
    ];
    let values = facts.map(|(what, of)| {
        let known: Vec<(&Given, &String)> =
            sides.into_iter().flatten().filter_map(|given| Some((given, of(&given.gathered.made).as_ref()?))).collect();
        match known.as_slice() {
            [(a, one), (b, other)] if one != other => {
                let reason = format!("has another {what} than {}: {}, not {}", b.name, said(one), said(other));
                Err(Error::file(&a.name, reason).with_hint(
                    "A distance is between features of one network: make both with the same `features` and `resize`.",
                ))
            }
            [(_, one), ..] => Ok((*one).clone()),
            [] => Ok(String::from("unknown")),
        }
    });
    for given in sides.into_iter().flatten() {
        let unknown: Vec<&str> =
            facts.iter().filter(|(_, of)| of(&given.gathered.made).is_none()).map(|(what, _)| *what).collect();
        if !unknown.is_empty() {
            warnings.push(format!("{}: nothing says by which {} it was made", given.name, unknown.join(", ")));
        }
    }
    let [extractor, weights, resize] = values;
    Ok(Extraction { extractor: extractor?, weights: weights?, resize: resize? })
}

/// A hash as people see it, anything else as it is.
fn said(text: &str) -> &str {
    text.strip_prefix("blake3:").map_or(text, shown)
}

/// What a figure is called: the protocol, and the features with the hash of their weights: `fid10k_full scenes:middle@0123456789ab`.
pub fn title(record: &Record) -> String {
    let Extraction { extractor, weights, .. } = &record.extraction;
    format!("{} {extractor}@{}", record.name, said(weights))
}

/// Appends a record to `metric-<metric>.jsonl` in a folder, which is made where it is missing; gives the file.
///
/// # Errors
/// The folder or the file cannot be written.
pub fn append(record: &Record, folder: &Path) -> base::Result<PathBuf> {
    files::create_folder(folder)?;
    let path = folder.join(format!("metric-{}.jsonl", record.figure.word()));
    let line = serde_json::to_string(record).map_err(|error| Error::file(&path, error.to_string()))? + "\n";
    let file = OpenOptions::new().append(true).create(true).open(&path);
    file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(|error| Error::io("write", &path, error))?;
    Ok(path)
}
