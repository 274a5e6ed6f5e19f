//! What classes the images of a set have, for those who learn by class.

#![warn(clippy::indexing_slicing)]

use crate::dataset::Dataset;
use crate::notice::Matter;
use base::seed::Stream;
use base::{Error, Result};

/// Classes that a set may have: more are a mistake, or a number for each image.
const MOST: usize = 10_000;
/// Classes or images that a message names.
const NAMED: usize = 5;
const FORMS: &str = "Put the images of each class into a folder of its own, or give the classes in dataset.json, in labels beside an IDX \
                     file, or in an array called y.";

/// The classes of a set: every image has one, and every class has images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// What they are called, by their numbers: the numbers themselves where nobody named them.
    pub names: Vec<String>,
    /// Images of each.
    pub counts: Vec<u64>,
    /// In words that differ where names or the classes of images differ: `10 classes, contents 1a2b3c4d5e6f7081`.
    pub fingerprint: String,
}

impl Classes {
    /// How many there are, at least two.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there are none; never true of those of a set.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The class that a stream draws, each as likely as its images are in the set.
    pub fn draw(&self, stream: &mut Stream) -> usize {
        stream.weighted(&self.counts)
    }
}

impl Dataset {
    /// The classes of the set's images.
    ///
    /// # Errors
    /// It has points, or no end; images have no classes, or some have none; all are of one class; or a class below the highest number has
    /// no image.
    pub fn classes(&self) -> Result<Classes> {
        let wrong = |reason: String, cure: &str| Err(Error::file(self.name(), reason).with_hint(cure));
        let Some(n) = self.len().filter(|_| self.toy().is_none()) else {
            return wrong("has no classes".into(), "Classes are of images in files. Train without classes.");
        };
        let notices = self.notices();
        if let Some(strays) = notices.iter().find(|notice| notice.matter == Matter::WithoutFolder) {
            let named = listed(strays.names.iter().cloned());
            let reason = format!("has images in the folder of no class: {named}");
            return wrong(reason, "Move them into the folders of their classes, or out of the set.");
        }
        let mut counts: Vec<u64> = Vec::new();
        let mut without = Vec::new();
        let mut hasher = blake3::Hasher::new();
        for index in 0..n as u64 {
            let Some(class) = self.label(index) else {
                without.push(index);
                continue;
            };
            hasher.update(&class.to_le_bytes());
            let class = class as usize;
            if class >= MOST {
                let reason = format!("has the class {class} ({}); at most {MOST} are learnt", self.item_name(index));
                return wrong(reason, "Number the classes 0, 1, 2 and so on.");
            }
            if class >= counts.len() {
                counts.resize(class + 1, 0);
            }
            counts.get_mut(class).into_iter().for_each(|count| *count += 1);
        }
        if without.len() == n {
            return wrong("has images without classes".into(), FORMS);
        }
        if !without.is_empty() {
            let named = listed(without.iter().map(|&index| self.item_name(index)));
            let reason = format!("has images without a class: {named}");
            return wrong(reason, "Give each of them a class, or take them out of the set.");
        }
        // Names of classes behind the last one that has images are of no image, too.
        counts.resize(counts.len().max(self.label_names().len().min(MOST)), 0);
        let name = |class: usize| self.label_names().get(class).cloned().unwrap_or_else(|| class.to_string());
        let names: Vec<String> = (0..counts.len()).map(name).collect();
        let of = |has: bool| counts.iter().zip(&names).filter(move |(count, _)| (**count > 0) == has);
        if of(true).count() < 2 {
            let only = of(true).map(|(_, name)| name.as_str()).collect::<String>();
            let reason = format!("has images of one class alone: {only}");
            return wrong(reason, "There is nothing to tell apart. Train without classes.");
        }
        if of(false).count() > 0 {
            let reason = format!("has no image of some classes: {}", listed(of(false).map(|(_, name)| name.clone())));
            return wrong(reason, "Number the classes that have images 0, 1, 2 and so on, without gaps.");
        }
        for name in &names {
            hasher.update(name.as_bytes()).update(&[0]);
        }
        let fingerprint = format!("{} classes, contents {}", counts.len(), &hasher.finalize().to_hex()[..16]);
        Ok(Classes { names, counts, fingerprint })
    }
}

/// The first of some names, and how many there are in all where that is more.
fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let first = names.get(..NAMED.min(names.len())).unwrap_or_default().join(", ");
    if names.len() > NAMED { format!("{first} and {} more", names.len() - NAMED) } else { first }
}
