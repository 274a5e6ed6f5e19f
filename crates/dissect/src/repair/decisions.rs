//! What a person decides about candidates, in a file that is made to be edited.

#![warn(clippy::indexing_slicing)]

use super::search::Candidate;
use crate::plan::Origin;
use crate::subject::Layer;
use base::{Error, Result, files};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file with decisions in a repair's folder.
pub const DECISIONS: &str = "decisions.toml";
/// The longest one that is read.
const LIMIT: u64 = 1 << 20;

/// What becomes of a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Nobody has looked at it yet: it stays.
    #[default]
    Undecided,
    /// It is taken out.
    Accept,
    /// It stays.
    Reject,
}

impl Decision {
    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }
}

/// What a person said in a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Units to take out.
    pub accept: Vec<usize>,
    /// Take all candidates of the search out that nobody rejected.
    pub accept_all: bool,
    /// Units that stay.
    pub reject: Vec<usize>,
    /// Decisions to begin with, instead of those in the folder.
    pub file: Option<PathBuf>,
}

impl Answers {
    /// # Errors
    /// A unit does not exist, or is both accepted and rejected.
    pub(super) fn check(&self, layer: &Layer) -> Result<()> {
        for (flag, units) in [("accept", &self.accept), ("reject", &self.reject)] {
            if let Some(unit) = units.iter().find(|&&unit| unit >= layer.units) {
                let reason = format!("layer {} has no unit {unit}; it has units 0 to {}", layer.name, layer.units - 1);
                return Err(Error::setting(flag, reason));
            }
        }
        match self.accept.iter().find(|unit| self.reject.contains(unit)) {
            Some(unit) => Err(Error::setting("reject", format!("unit {unit} is accepted, too"))),
            None => Ok(()),
        }
    }
}

/// What is decided about units of one layer of one generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decisions {
    /// BLAKE3 of the generator.
    pub model: String,
    /// The layer.
    pub layer: String,
    /// What becomes of each unit that was ever a candidate or named.
    pub units: BTreeMap<usize, Decision>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    layer: String,
    model: String,
    #[serde(default)]
    units: BTreeMap<String, Decision>,
}

impl Decisions {
    pub(super) fn new(model: &Origin, layer: &str) -> Self {
        Self { model: model.blake3.clone(), layer: layer.to_owned(), units: BTreeMap::new() }
    }

    /// Reads a file of decisions about this generator and layer, which has so many units.
    ///
    /// # Errors
    /// It cannot be read, is about another generator or layer, or names a unit that the layer does not have.
    pub(super) fn read(path: &Path, model: &Origin, (layer, count): (&str, usize)) -> Result<Self> {
        let wrong = |reason: String| Error::file(path, reason);
        let text = String::from_utf8_lossy(&files::read(path, LIMIT)?).into_owned();
        let file: File = toml::from_str(&text).map_err(|e| {
            let place = e.span().map_or(String::new(), |span| {
                format!(" in line {}", text[..span.start.min(text.len())].lines().count().max(1))
            });
            wrong(format!("cannot be understood{place}: {}", e.message().replace('\n', " ")))
                .with_hint("A line of [units] reads 17 = \"accept\"; the words are accept, reject and undecided.")
        })?;
        let another = "Choose another folder with `out`, or other decisions with `decisions`.";
        if file.layer != layer {
            let reason = format!("holds decisions about layer {}, not {layer}", file.layer);
            return Err(wrong(reason).with_hint(another));
        }
        if file.model != model.blake3 {
            return Err(wrong("holds decisions about another generator".into()).with_hint(another));
        }
        let mut units = BTreeMap::new();
        for (key, decision) in file.units {
            let unit = key.parse::<usize>().ok().filter(|&unit| unit < count);
            let unit = unit.ok_or_else(|| {
                wrong(format!("names a unit {key:?}; layer {layer} has units 0 to {}", count.saturating_sub(1)))
            })?;
            units.insert(unit, decision);
        }
        Ok(Self { model: file.model, layer: file.layer, units })
    }

    /// Candidates that nobody has decided about yet are undecided.
    pub(super) fn add_candidates(&mut self, candidates: &[Candidate]) {
        candidates.iter().for_each(|candidate| {
            self.units.entry(candidate.unit).or_default();
        });
    }

    /// Answers change decisions: rejections first, then what is accepted by number, then all other candidates where all are accepted.
    pub(super) fn answer(&mut self, answers: &Answers, candidates: &[Candidate]) {
        self.units.extend(answers.reject.iter().map(|&unit| (unit, Decision::Reject)));
        self.units.extend(answers.accept.iter().map(|&unit| (unit, Decision::Accept)));
        for candidate in candidates.iter().filter(|_| answers.accept_all) {
            let decision = self.units.entry(candidate.unit).or_default();
            if *decision == Decision::Undecided {
                *decision = Decision::Accept;
            }
        }
    }

    /// What is decided about a unit.
    pub fn of(&self, unit: usize) -> Decision {
        self.units.get(&unit).copied().unwrap_or_default()
    }

    /// The units to take out, in order.
    pub fn accepted(&self) -> Vec<usize> {
        self.units.iter().filter(|(_, d)| **d == Decision::Accept).map(|(&unit, _)| unit).collect()
    }

    /// The file, with what was found about each candidate beside it, best candidates first.
    pub(super) fn text(&self, candidates: &[Candidate]) -> String {
        let string = |text: &str| toml::Value::from(text).to_string();
        let mut lines = vec![
            "# \"accept\" takes a unit out for good; \"reject\" and \"undecided\" leave it where it is.\n".to_owned(),
            "# candidates/UNIT.png shows the images that activate it most: as they are, where it is on, without it,\n# and the real images that are most like them.\n"
                .into(),
            "# Then run the same command again.\n\n".into(),
            format!("layer = {}\nmodel = {}\n\n[units]\n", string(&self.layer), string(&self.model)),
        ];
        for candidate in candidates {
            let word = self.of(candidate.unit).word();
            lines.push(format!("{} = \"{word}\"  # {}\n", candidate.unit, candidate.summary()));
        }
        let shown = |unit: &usize| candidates.iter().any(|candidate| candidate.unit == *unit);
        for (unit, decision) in self.units.iter().filter(|(unit, _)| !shown(unit)) {
            lines.push(format!("{unit} = \"{}\"\n", decision.word()));
        }
        lines.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer() -> Layer {
        Layer { name: "a \"b\"".into(), units: 9, size: [4, 4] }
    }

    fn origin(blake3: &str) -> Origin {
        Origin { name: "m".into(), blake3: blake3.into() }
    }

    fn candidate(unit: usize) -> Candidate {
        let (distance, z, without, iou) = (0.5, Some(3.0), 0.25, None);
        Candidate { unit, distance, z, without, iou, seeds: vec![1], alike: vec![2] }
    }

    #[test]
    fn decisions_survive_their_file_and_an_edit_by_hand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DECISIONS);
        let mut decisions = Decisions::new(&origin("abc"), &layer().name);
        let candidates = [candidate(7), candidate(2)];
        decisions.add_candidates(&candidates);
        decisions.answer(&Answers { reject: vec![4], ..Answers::default() }, &candidates);
        let text = decisions.text(&candidates);
        assert!(text.contains("\n7 = \"undecided\"  # distance 0.5000, z 3.0, without it 0.2500\n2 = "), "{text}");
        std::fs::write(&path, text.replace("7 = \"undecided\"", "7 = \"accept\"")).unwrap();
        let mut read = Decisions::read(&path, &origin("abc"), ("a \"b\"", 9)).unwrap();
        assert_eq!((read.accepted(), read.of(4), read.of(2)), (vec![7], Decision::Reject, Decision::Undecided));
        // A later search with other candidates keeps what was decided, and all that is accepted is what it shows.
        let others = [candidate(7), candidate(8), candidate(6)];
        read.add_candidates(&others);
        read.answer(&Answers { accept_all: true, reject: vec![8], ..Answers::default() }, &others);
        assert_eq!((read.accepted(), read.of(2)), (vec![6, 7], Decision::Undecided));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DECISIONS);
        let refused = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let error = Decisions::read(&path, &origin("abc"), ("a \"b\"", 9)).unwrap_err();
            error.to_string().rsplit_once(": ").unwrap().1.to_owned()
        };
        let head = |layer: &str, model: &str| format!("layer = '{layer}'\nmodel = '{model}'\n[units]\n");
        let right = head("a \"b\"", "abc");
        assert_eq!(refused(&head("1", "abc")), "holds decisions about layer 1, not a \"b\"");
        assert_eq!(refused(&head("a \"b\"", "abd")), "holds decisions about another generator");
        assert!(refused(&format!("{right}9 = 'accept'")).ends_with("units 0 to 8"));
        assert!(refused(&format!("{right}x = 'accept'")).ends_with("units 0 to 8"));
        std::fs::write(&path, format!("{right}3 = 'yes'")).unwrap();
        let error = Decisions::read(&path, &origin("abc"), ("a \"b\"", 9)).unwrap_err();
        assert!(error.to_string().contains("cannot be understood in line 4"), "{error}");
        assert!(error.hint().unwrap().contains("accept, reject and undecided"));
    }

    #[test]
    fn answers_must_fit_the_layer_and_each_other() {
        let answers = |accept: &[usize], reject: &[usize]| {
            Answers { accept: accept.to_vec(), reject: reject.to_vec(), ..Answers::default() }.check(&layer())
        };
        answers(&[0, 8], &[1]).unwrap();
        assert!(answers(&[9], &[]).unwrap_err().to_string().starts_with("accept: layer a"));
        assert!(answers(&[], &[10]).unwrap_err().to_string().starts_with("reject: layer a"));
        assert_eq!(answers(&[3], &[3]).unwrap_err().to_string(), "reject: unit 3 is accepted, too");
    }
}
