//! The result of a search as a file.

#![warn(clippy::indexing_slicing)]

use super::Causal;
use crate::concepts::Concept;
use crate::dissection::Dissection;
use base::{Error, Result, files};
use std::path::Path;

/// The version that is written, and the newest that is read.
pub(super) const FORMAT: u32 = 1;
/// The longest file that is read.
const LIMIT: u64 = 64 << 20;
/// What every result has. A file without it is of another kind.
const KEYS: [&str; 3] = ["class", "layer", "curve"];

impl Causal {
    /// Reads what [`Causal::write`] has written; `None` where the file holds another kind of JSON.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or holds what no search gives: units twice, a number that is not finite, a strength that is
    /// not in 0 to 1.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        Self::parse(&files::read(path, LIMIT)?, path)
    }

    /// The places of its layer and of its class in a dissection.
    ///
    /// # Errors
    /// It does not belong to that dissection; why, in words.
    pub fn place_in(&self, dissection: &Dissection) -> std::result::Result<(usize, usize), &'static str> {
        let plan = &dissection.plan;
        let layer = plan.layers.iter().position(|layer| layer.name == self.layer);
        let same = |c: &Concept| c.name == self.class && c.category == self.category;
        let concept = dissection.concepts.list().iter().position(same);
        let (Some(layer), Some(concept)) = (layer, concept) else {
            return Err("its layer or class is none of this dissection");
        };
        if plan.layers.get(layer).is_none_or(|layer| layer.units != self.units.len()) {
            return Err("its layer has other units");
        }
        if self.networks.as_ref().is_some_and(|[model, _]| *model != plan.model.blake3) {
            return Err("it is of another generator");
        }
        Ok((layer, concept))
    }

    /// Reads the result that bytes hold; `path` is only for the messages.
    ///
    /// # Errors
    /// As [`Causal::read`].
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Option<Self>> {
        let wrong = |reason: String| {
            Error::file(path, reason).with_hint("Remove it and run the `causal` command that made it again.")
        };
        let corrupt = |e: serde_json::Error| wrong(format!("corrupt: {e}"));
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(corrupt)?;
        if KEYS.iter().any(|key| value.get(key).is_none()) {
            return Ok(None);
        }
        if let Some(format) =
            value.get("format").and_then(serde_json::Value::as_u64).filter(|&f| f != u64::from(FORMAT))
        {
            return Err(wrong(format!("is of format {format}; this program reads {FORMAT}")));
        }
        let found: Self = serde_json::from_value(value).map_err(corrupt)?;
        found.check().map_err(|what| wrong(format!("corrupt: {what}")))?;
        Ok(Some(found))
    }

    /// Writes the result, atomically.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self).map_err(|e| Error::file(path, e.to_string()))?;
        files::write_atomic(path, (json + "\n").as_bytes())
    }

    /// Whether a search can have given this; if not, what is wrong.
    fn check(&self) -> std::result::Result<(), &'static str> {
        let n = self.units.len();
        let ranks = |units: &[usize]| {
            let mut there = vec![false; n];
            units.len() == n
                && units.iter().all(|&unit| there.get_mut(unit).is_some_and(|there| !std::mem::replace(there, true)))
        };
        let share = |&a: &f64| (0.0..=1.0).contains(&a);
        let finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
        let rules = [
            (n > 0 && ranks(&self.units), "units is no ranking of all units"),
            (ranks(&self.iou_units), "iou_units is no ranking of all units"),
            (self.alpha.len() == n && self.alpha.iter().all(share), "alpha is not a share for each unit"),
            (self.inserted.len() == n && finite(&self.inserted), "inserted is not a number for each unit"),
            (
                self.effect.is_finite() && finite(&self.unit_effects) && self.unit_effects.len() <= n,
                "unit_effects are none",
            ),
            (
                self.curve.iter().all(|p| p.units <= n && finite(&[p.causal, p.iou, p.random])),
                "curve holds a point that cannot be",
            ),
            (
                self.epochs.iter().all(|e| finite(&[e.held_out, e.train, e.alphas])),
                "epochs hold a number that is not finite",
            ),
            (
                self.insertions.as_ref().is_none_or(|found| {
                    found.units.iter().all(|&unit| unit < n)
                        && finite(&found.values)
                        && found.contexts.iter().all(|c| finite(&[c.effect, c.error, c.made]))
                        && found.trace.iter().all(|t| finite(&[t.made, t.refused]))
                }),
                "insertions hold what cannot be",
            ),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| Err(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causal::{CausalSettings, Epoch, Point};

    fn found() -> Causal {
        Causal {
            format: FORMAT,
            networks: Some(["00", "01"].map(String::from)),
            class: "tree".into(),
            category: "objects".into(),
            layer: "1".into(),
            units: vec![2, 0, 1],
            alpha: vec![0.5; 3],
            iou_units: vec![0, 1, 2],
            inserted: vec![1.0; 3],
            curve: vec![Point { units: 1, causal: 0.25, iou: 0.125, random: 0.0625 }],
            effect: 0.5,
            unit_effects: vec![0.25],
            insertions: None,
            epochs: vec![Epoch { held_out: -0.5, train: -0.5, alphas: 1.5 }],
            present: 9,
            settings: CausalSettings::default(),
        }
    }

    #[test]
    fn a_result_comes_back_and_one_that_cannot_be_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tree.json");
        let read = |found: Causal| {
            found.write(&path).unwrap();
            Causal::read(&path)
        };
        assert_eq!(read(found()).unwrap(), Some(found()));
        let refused = |found| read(found).unwrap_err().to_string().split_once("tree.json: ").unwrap().1.to_owned();
        assert_eq!(refused(Causal { units: vec![0, 0, 1], ..found() }), "corrupt: units is no ranking of all units");
        assert_eq!(refused(Causal { units: vec![0, 1, 3], ..found() }), "corrupt: units is no ranking of all units");
        assert_eq!(refused(Causal { iou_units: vec![0], ..found() }), "corrupt: iou_units is no ranking of all units");
        assert_eq!(
            refused(Causal { alpha: vec![0.5, 1.5, 0.0], ..found() }),
            "corrupt: alpha is not a share for each unit"
        );
        assert_eq!(refused(Causal { inserted: vec![], ..found() }), "corrupt: inserted is not a number for each unit");
        let far = Point { units: 4, causal: 0.0, iou: 0.0, random: 0.0 };
        assert_eq!(refused(Causal { curve: vec![far], ..found() }), "corrupt: curve holds a point that cannot be");
        assert!(refused(Causal { effect: f64::NAN, ..found() }).starts_with("corrupt: invalid type: null"));
        assert_eq!(refused(Causal { format: 2, ..found() }), "is of format 2; this program reads 1");
        std::fs::write(&path, "{\"a\": 1}").unwrap();
        assert_eq!(Causal::read(&path).unwrap(), None);
        std::fs::write(&path, "{").unwrap();
        assert!(Causal::read(&path).unwrap_err().to_string().contains("tree.json: corrupt: EOF"));
    }
}
