//! What a segmenter's logits stand for, and how it reads images; and what a generator's labels stand for.

use crate::console::Console;
use anyhow::Result;
use base::Error;
use data::Plane;
use models::Generator;
use net::{Device, Network};
use segment::{PLANES, Reads, Segmenter};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Segmenters")]
pub(super) struct Meant {
    /// The names of its classes, also of a generator's: a classes.json, or a text with a name in each line [default: its metadata]
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,

    /// What it takes off each channel of an image [default: its metadata, else as networks for ImageNet]
    #[arg(long, value_name = "A,B,C", value_parser = numbers, allow_hyphen_values = true)]
    mean: Option<Numbers>,

    /// What it divides each channel by then
    #[arg(long, value_name = "A,B,C", value_parser = numbers)]
    std: Option<Numbers>,

    /// Its values of black and of white before that [default: 0..1, or 0..255 where the means are as large]
    #[arg(long, value_name = "A..B", value_parser = range, allow_hyphen_values = true)]
    range: Option<Ends>,

    /// It reads blue first
    #[arg(long)]
    bgr: bool,

    /// Make it read the images of this generator, in their size
    #[arg(long = "for", value_name = "MODEL")]
    generator: Option<PathBuf>,
}

/// A list that is one value.
#[derive(Clone, Debug)]
struct Numbers(Vec<f64>);

#[derive(Clone, Copy, Debug)]
struct Ends([f64; 2]);

fn numbers(text: &str) -> Result<Numbers, String> {
    segment::numbers(text).map(Numbers)
}

fn range(text: &str) -> Result<Ends, String> {
    let ends = segment::numbers(text)?.try_into();
    ends.map(Ends).map_err(|_| format!("{text:?} is not two numbers: write 0..1, 0..255 or -1..1"))
}

/// A name with a length.
pub(super) fn length(text: &str) -> Result<(String, usize), String> {
    let found = text.split_once('=').and_then(|(name, length)| Some((name.trim(), length.trim().parse().ok()?)));
    match found {
        Some((name, length)) if length > 0 => Ok((name.to_owned(), length)),
        _ => Err(format!("{text:?} is not NAME=LENGTH, such as height=256")),
    }
}

impl Meant {
    /// The network with the classes of its logits, as segmenters keep them; any other network as it is. `known` are the classes of one that
    /// is known here, and reads images as they are here.
    pub(super) fn network(
        &self,
        network: Network,
        known: Option<Plane>,
        path: &Path,
        console: Console,
    ) -> Result<Network> {
        if let (Some(file), Some((_, count))) = (&self.classes, network.label()) {
            return Ok(named(network, count, file)?);
        }
        let is_known = known.is_some();
        let is_ours = network.notes.iter().any(|(key, _)| key == PLANES);
        let plane = match &self.classes {
            Some(file) => Some(data::read_classes(file)?),
            None if is_ours => return self.ours(network, path),
            None => known.map_or_else(|| segment::classes_of_notes(&network.notes), |plane| Ok(Some(plane)))?,
        };
        let Some(plane) = plane else {
            return match self.typed() {
                None => Ok(network),
                Some(setting) => {
                    Err(Error::setting(setting, "is said of segmenters, and this network names no classes")
                        .with_hint("Name them with `classes`.")
                        .into())
                }
            };
        };
        let reads = self.reads(&network, is_known, path, console)?;
        let images = self.images(console)?;
        match Segmenter::of_others(&network, plane, &reads, images) {
            Ok(segmenter) => Ok(segmenter.network().clone()),
            // Classifiers name classes, too.
            Err(error) if self.classes.is_none() && !is_known && self.typed().is_none() => {
                console.say(&format!("{}: names classes, but is no segmenter: {error}", path.display()));
                Ok(network)
            }
            Err(error) => Err(in_file(error, path).into()),
        }
    }

    /// A segmenter of this program, which says itself how it reads images.
    fn ours(&self, network: Network, path: &Path) -> Result<Network> {
        if let Some(setting) = self.typed() {
            let reason = "is for segmenters of others; this one was exported by this program, and says what it reads";
            return Err(Error::setting(setting, reason).into());
        }
        Ok(Segmenter::of_file(network, path)?.network().clone())
    }

    /// The first setting that was typed, but the classes.
    fn typed(&self) -> Option<&'static str> {
        let typed = [
            ("mean", self.mean.is_some()),
            ("std", self.std.is_some()),
            ("range", self.range.is_some()),
            ("bgr", self.bgr),
            ("for", self.generator.is_some()),
        ];
        typed.into_iter().find(|(_, typed)| *typed).map(|(setting, _)| setting)
    }

    /// How it reads images: what was typed, else what its notes say, else what is usual.
    fn reads(&self, network: &Network, is_known: bool, path: &Path, console: Console) -> Result<Reads> {
        let noted = Reads::of_notes(&network.notes)?;
        let typed = self.mean.is_some() || self.std.is_some() || self.range.is_some();
        let mut reads = match noted {
            _ if typed => {
                let values = |numbers: Option<&Numbers>| numbers.map(|numbers| numbers.0.clone()).unwrap_or_default();
                let reads = Reads::normalised(values(self.mean.as_ref()), values(self.std.as_ref()));
                Reads { range: self.range.map_or(reads.range, |ends| ends.0), ..reads }
            }
            Some(noted) => noted,
            None if is_known => Reads::HERE,
            None => {
                console.say(&format!("{}: {}", path.display(), models::UNSAID));
                Reads::image_net()
            }
        };
        reads.blue_first |= self.bgr;
        Ok(reads)
    }

    /// The shape of the images of the generator that it is for.
    fn images(&self, console: Console) -> Result<Option<[usize; 3]>> {
        let Some(path) = &self.generator else { return Ok(None) };
        let generator = Generator::find(path, &Device::cpu(), &mut |note| console.note(note))?;
        Ok(Some(generator.image_shape()?))
    }
}

/// A generator with the names of the `count` classes that it makes.
fn named(mut network: Network, count: usize, file: &Path) -> Result<Network, Error> {
    let names: Vec<String> = data::read_classes(file)?.classes.into_iter().map(|class| class.name).collect();
    if names.len() != count {
        let reason = format!("holds {} names; the generator has {count} classes", names.len());
        return Err(Error::file(file, reason).with_hint("Write one name a line, in the order of the labels."));
    }
    network.name_classes(&names);
    Ok(network)
}

/// What is wrong with a network is wrong with its file.
fn in_file(error: Error, path: &Path) -> Error {
    match error {
        Error::Setting { key, reason, hint: None } if key == "segmenter" => Error::file(path, reason),
        other => other,
    }
}
