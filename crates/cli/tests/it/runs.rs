//! Small runs, and what they leave behind.

use crate::support::Place;
use data::{Image, pictures};
use serde_json::Value;
use std::collections::BTreeMap;

/// Settings of tiny networks for images, fit for `modern`.
pub(crate) const TINY: &str = "--set width=4 --set width_d=4 --set batch=4 --set eval=12 --set latent=6";
/// Settings of tiny networks for points.
pub(crate) const POINTS: &str = "--data ring8 --set width=8 --set width_d=8 --set batch=8 --set eval=16";

/// A folder `photos` of ten different images of 8x8 pixels, so that three batches of 4 are more than an epoch.
pub(crate) fn with_photos() -> Place {
    let place = Place::new();
    for n in 0..10u8 {
        let mut image = Image::filled(8, 8, [n * 25, 255 - n * 25, 128]);
        for (i, value) in image.pixels.iter_mut().enumerate() {
            *value = value.wrapping_add((i % 24) as u8 * (n + 1));
        }
        place.write(&format!("photos/{n}.png"), &pictures::png(&image).unwrap());
    }
    place
}

impl Place {
    /// Runs the program, which must succeed without a warning; gives its stderr.
    pub(crate) fn tell(&self, words: &str) -> String {
        let output = self.output(words);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "ganatomy {words}: {:?}\n{stderr}", output.status);
        assert!(!stderr.contains("warning: "), "ganatomy {words}\n{stderr}");
        stderr
    }

    /// All files in a folder and its folders, by path.
    pub(crate) fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for entry in self.names(name) {
            let path = format!("{name}/{entry}");
            if self.path(&path).is_dir() {
                files.extend(self.files(&path).into_iter().map(|(inner, bytes)| (format!("{entry}/{inner}"), bytes)));
            } else {
                files.insert(entry, self.read(&path));
            }
        }
        files
    }

    /// The lines of a `stats.jsonl`; each must be the record of its generation.
    pub(crate) fn stats(&self, run: &str) -> Vec<Value> {
        let text = String::from_utf8(self.read(&format!("{run}/stats.jsonl"))).unwrap();
        assert!(text.ends_with('\n'), "{run}: the last line is torn");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let generations: Vec<u64> = lines.iter().map(|line| line["generation"].as_u64().unwrap()).collect();
        assert_eq!(generations, (1..=lines.len() as u64).collect::<Vec<_>>(), "{run}: one line per generation");
        lines
    }

    /// The lines without what depends on the machine's mood.
    pub(crate) fn timeless(&self, run: &str) -> Vec<Value> {
        let mut lines = self.stats(run);
        for line in &mut lines {
            for key in ["seconds", "loading", "images_per_second", "memory"] {
                line.as_object_mut().unwrap().remove(key);
            }
        }
        lines
    }

    /// Two runs must have the same checkpoints, statistics and pictures, byte for byte.
    pub(crate) fn assert_same_run(&self, a: &str, b: &str) {
        assert_same(&self.files(&format!("{a}/checkpoints")), &self.files(&format!("{b}/checkpoints")));
        assert_eq!(self.timeless(a), self.timeless(b));
        let pictures = |run: &str| -> BTreeMap<String, Vec<u8>> {
            self.files(run).into_iter().filter(|(name, _)| name.contains(".png")).collect()
        };
        // Legs of a run have a picture of their end more than the whole has.
        let (a, b) = (pictures(a), pictures(b));
        let both = |(name, bytes): (&String, &Vec<u8>)| b.contains_key(name).then(|| (name.clone(), bytes.clone()));
        let common: BTreeMap<_, _> = a.iter().filter_map(both).collect();
        assert!(common.contains_key("reals.png") && common.len() > 1, "{:?}", common.keys());
        assert!(common.iter().all(|(name, bytes)| b[name] == *bytes), "{:?}", common.keys());
    }

    /// The files of one checkpoint.
    pub(crate) fn checkpoint(&self, run: &str, generation: usize) -> BTreeMap<String, Vec<u8>> {
        self.files(&format!("{run}/checkpoints/{generation:06}"))
    }
}

/// Files must be the same; says which are not, and not what is in them.
pub(crate) fn assert_same(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    let different: Vec<&String> = a.keys().filter(|name| a[*name] != b[*name]).collect();
    assert!(different.is_empty(), "{different:?} differ");
}
