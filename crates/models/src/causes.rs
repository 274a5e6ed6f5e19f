//! The units that cause classes, searched class by class; each result is kept, so that a search that was interrupted goes on.

use crate::{Watch, files as output};
use base::{Error, csv_field, file_name, files};
use dissect::{Causal, CausalSettings, CausalTask, Concept, Dissection, Outcome, SET, Subject};
use net::Result;
use plot::{BarValue, Bars, Row};
use segment::Segmenter;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use train::{FileLock, RunLock};

/// A class with what was found, or why nothing was.
pub type Searched = (Concept, Result<Causal, String>);

/// A search for the causes of classes in one layer.
pub struct Causes<'a> {
    dissection: &'a Dissection,
    layer: usize,
    subject: Subject,
    segmenter: &'a Segmenter,
    settings: CausalSettings,
}

/// The concepts that are meant by names (`tree`, `objects/tree`), by `all` and by `CATEGORY/all`: each once, in the
/// dissection's order.
///
/// # Errors
/// There is no such class; the hint lists those there are.
pub fn concepts_named(dissection: &Dissection, names: &[String]) -> Result<Vec<usize>, Error> {
    let list = dissection.concepts.list();
    let mut meant = vec![false; list.len()];
    for name in names {
        let of_category = name.strip_suffix("/all");
        let mut any = false;
        for (i, concept) in list.iter().enumerate() {
            if name == "all" || of_category == Some(concept.category.as_str()) {
                meant[i] = true;
                any = true;
            }
        }
        if !any {
            meant[dissection.concept(name)?] = true;
        }
    }
    Ok((0..list.len()).filter(|&i| meant[i]).collect())
}

impl<'a> Causes<'a> {
    /// A search in a layer of a dissection; `subject` is the dissected generator with the dissection's layers
    /// ([`crate::subject_of_plan`]).
    ///
    /// # Errors
    /// The layer was not dissected, or the segmenter is another one than the dissection's, or says the same of every picture.
    pub fn new(
        dissection: &'a Dissection,
        layer: &str,
        subject: Subject,
        (segmenter, segmenter_path): (&'a Segmenter, &Path),
        settings: CausalSettings,
    ) -> Result<Self> {
        let layer = Self::layer(dissection, layer)?;
        if !dissection.plan.segmenter.is(segmenter.network())? {
            return Err(Error::file(segmenter_path, "is another segmenter than the one of the dissection")
                .with_hint("Give the right one with `segmenter`.")
                .into());
        }
        if segmenter.is_blind(subject.device())? {
            let reason =
                "says the same of every picture, as painted masks do: nothing in the generator causes its classes";
            return Err(Error::file(segmenter_path, reason)
                .with_hint(
                    "Dissect with a segmenter that looks at pictures: `segmenter train`, or `segmenter cluster`.",
                )
                .into());
        }
        Ok(Self { dissection, layer, subject, segmenter, settings })
    }

    /// The number of a layer of a dissection.
    ///
    /// # Errors
    /// It was not dissected.
    pub fn layer(dissection: &Dissection, name: &str) -> Result<usize, Error> {
        let names: Vec<&str> = dissection.plan.layers.iter().map(|l| l.name.as_str()).collect();
        names.iter().position(|&other| other == name).ok_or_else(|| {
            let what = format!("layers of {}", dissection.folder.display());
            Error::setting("layer", format!("{name}: was not dissected"))
                .with_hint(base::known_names(name, &what, names))
        })
    }

    /// Searches the causes of one class and writes what was found to `out`, with its curve beside it as `.svg`. A search that is
    /// ended by the watcher goes on from `.partial` beside it.
    ///
    /// # Errors
    /// The generator or segmenter does not fit, another process writes to `out`, or a file cannot be written.
    pub fn search(&self, concept: usize, out: &Path, watch: &mut dyn Watch) -> Result<Outcome> {
        files::create_folder(files::parent_of(out))?;
        let _lock = FileLock::acquire(out)?;
        let partial = out.with_extension("partial");
        let outcome = dissect::causal(&self.subject, self.segmenter, &self.task(concept, Some(&partial)), watch)?;
        if let Outcome::Found(found) = &outcome {
            output::write(&out.with_extension("svg"), found.chart().to_svg().as_bytes())?;
            found.write(out)?;
            output::remove(&partial)?;
        }
        Ok(outcome)
    }

    fn task<'b>(&'b self, concept: usize, partial: Option<&'b Path>) -> CausalTask<'b> {
        CausalTask { dissection: self.dissection, layer: self.layer, concept, settings: &self.settings, partial }
    }

    /// Searches the causes of several classes, each into a file of its own in `folder`; those that are there already, of the same
    /// networks with the same settings, are not searched again. At the end it writes `classes.csv` and `classes.svg`. `begin` hears of
    /// each class that is searched, by its place. `None` where the watcher wanted it to end.
    ///
    /// # Errors
    /// As [`Causes::search`]; or a file in the folder is no result.
    pub fn search_all(
        &self,
        concepts: &[usize],
        folder: &Path,
        watch: &mut dyn Watch,
        mut begin: impl FnMut(usize, &Concept),
    ) -> Result<Option<Vec<Searched>>> {
        files::create_folder(folder)?;
        let _lock = RunLock::acquire(folder)?;
        let mut rows = Vec::new();
        for (at, &concept) in concepts.iter().enumerate() {
            let named = &self.dissection.concepts.list()[concept];
            let [path, older] = paths_of(named, folder);
            let earlier = match self.earlier(concept, &path)? {
                None if older != path => self.earlier(concept, &older).unwrap_or_default(),
                found => found,
            };
            if let Some(found) = earlier {
                rows.push((named.clone(), Ok(found)));
                continue;
            }
            begin(at, named);
            match self.search(concept, &path, watch)? {
                Outcome::Found(found) => rows.push((named.clone(), Ok(*found))),
                // That is a result as well.
                Outcome::Absent(what) => rows.push((named.clone(), Err(what))),
                Outcome::Stopped => return Ok(None),
            }
        }
        output::write(&folder.join("classes.csv"), csv(&rows).as_bytes())?;
        output::write(&folder.join("classes.svg"), bars(self.layer_name(), &rows).as_bytes())?;
        Ok(Some(rows))
    }

    /// What an earlier search found of this class with the same networks and settings.
    fn earlier(&self, concept: usize, path: &Path) -> Result<Option<Causal>, Error> {
        if !path.exists() {
            return Ok(None);
        }
        let Some(found) = Causal::read(path)? else {
            return Err(Error::file(path, "is not the result of a search for causes").with_hint("Remove it."));
        };
        Ok(found.is_of(&self.task(concept, None)).then_some(found))
    }

    fn layer_name(&self) -> &str {
        &self.dissection.plan.layers[self.layer].name
    }

    /// Settings for pools of another size: as much less of them is kept and held out as there is.
    pub fn with_pool(settings: CausalSettings, pool: u64) -> CausalSettings {
        let kept = settings.kept.min(pool as usize);
        CausalSettings { pool, kept, held_out: (kept / 6).min(settings.held_out), ..settings }
    }
}

/// Where the result of a class lies in a folder, and where older programs wrote it. Those wrote several classes to one file: who reads it
/// looks which one it is.
fn paths_of(concept: &Concept, folder: &Path) -> [PathBuf; 2] {
    let older =
        |name: &str| name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect::<String>();
    let Concept { name, category } = concept;
    [file_name(&[category, name]), format!("{}-{}", older(category), older(name))]
        .map(|name| folder.join(name + ".json"))
}

/// The rows, those classes first that can be removed.
pub fn removable_first(rows: &[Searched]) -> Vec<&Searched> {
    let removed = |row: &Searched| row.1.as_ref().ok().and_then(Causal::at_set).map_or(f64::NEG_INFINITY, |p| p.causal);
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by(|a, b| removed(b).total_cmp(&removed(a)));
    rows
}

fn csv(rows: &[Searched]) -> String {
    let mut text =
        "class,category,units,removed_causal,removed_iou,removed_random,effect,present_images,note\n".to_owned();
    for (concept, found) in rows {
        let names = format!("{},{}", csv_field(&concept.name), csv_field(&concept.category));
        _ = match found.as_ref().map(|found| (found, found.at_set())) {
            Ok((found, Some(p))) => {
                let present = found.present;
                writeln!(text, "{names},{},{},{},{},{},{present},", p.units, p.causal, p.iou, p.random, found.effect)
            }
            Ok((found, None)) => writeln!(text, "{names},,,,,{},{},", found.effect, found.present),
            Err(why) => writeln!(text, "{names},,,,,,,{}", csv_field(why)),
        };
    }
    text
}

/// What goes with causal units, with those by `IoU` and with random ones, by class.
fn bars(layer: &str, rows: &[Searched]) -> String {
    let row = |(concept, found): &&Searched| {
        let point = found.as_ref().ok().and_then(Causal::at_set)?;
        // A bar has no length below zero: a class that grows is not removed.
        let value = |value: f64| BarValue { value: value.max(0.0), interval: None };
        Some(Row {
            group: concept.category.clone(),
            label: concept.name.clone(),
            values: vec![value(point.causal), value(point.iou), value(point.random)],
        })
    };
    let mut rows: Vec<Row> = removable_first(rows).iter().filter_map(row).collect();
    rows.sort_by(|a, b| a.group.cmp(&b.group));
    Bars {
        title: format!("Switching off {SET} units of layer {layer}"),
        x_label: "share of the class's pixels removed".into(),
        series: ["causal", "by IoU", "random"].map(String::from).into(),
        rows,
    }
    .to_svg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Unwatched, find_segmenter, open_dissection, subject_of_plan};
    use net::Device;

    fn small() -> CausalSettings {
        let settings = Causes::with_pool(CausalSettings::default(), 12);
        CausalSettings {
            epochs: 1,
            curve_images: 4,
            curve_units: vec![1, 20],
            insertion_images: 0,
            batch: 4,
            ..settings
        }
    }

    #[test]
    fn smaller_pools_keep_and_hold_out_less() {
        let sizes = |pool| {
            let settings = Causes::with_pool(CausalSettings::default(), pool);
            (settings.pool, settings.kept, settings.held_out)
        };
        assert_eq!([sizes(2000), sizes(60), sizes(3)], [(2000, 240, 40), (60, 60, 10), (3, 3, 0)]);
    }

    #[test]
    fn names_mean_classes_categories_or_all() {
        let found = open_dissection("scenes").unwrap();
        let list = found.concepts.list();
        let named = |names: &[&str]| {
            concepts_named(&found, &names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>())
                .map(|meant| meant.into_iter().map(|i| list[i].name.clone()).collect::<Vec<_>>())
        };
        assert_eq!(named(&["all"]).unwrap().len(), list.len());
        let category = format!("{}/all", list[0].category);
        let of_first = list.iter().filter(|c| c.category == list[0].category).count();
        assert_eq!(named(&[&category, &list[0].name]).unwrap().len(), of_first);
        let twice = [list[2].name.as_str(), list[1].name.as_str(), list[2].name.as_str()];
        assert_eq!(named(&twice).unwrap(), [list[1].name.clone(), list[2].name.clone()]);
        assert_eq!(named(&["treee"]).unwrap_err().to_string(), "class: treee: there is no such class");
    }

    #[test]
    fn what_was_found_is_kept_and_not_searched_again() {
        let device = Device::cpu();
        let found = open_dissection("scenes").unwrap();
        let (segmenter, path) = find_segmenter("scenes".as_ref(), &device, &mut |_| {}).unwrap();
        let causes = |layer: &str| {
            let subject = subject_of_plan(&found.plan, None, &device, &mut |_| {}).unwrap();
            Causes::new(&found, layer, subject, (&segmenter, &path), small())
        };
        assert!(causes("z").err().unwrap().to_string().starts_with("layer: z: was not dissected"));
        let causes = causes("1b").unwrap();
        let tree = concepts_named(&found, &["tree".into()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let searched = || {
            let mut begun = Vec::new();
            let rows =
                causes.search_all(&tree, folder.path(), &mut Unwatched, |at, _| begun.push(at)).unwrap().unwrap();
            (begun, rows)
        };
        let (begun, rows) = searched();
        assert_eq!((begun, searched()), (vec![0], (vec![], rows.clone())));
        let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        names.sort();
        assert_eq!(names, ["classes.csv", "classes.svg", "objects-tree.json", "objects-tree.svg", "run.lock"]);
        let table = std::fs::read_to_string(folder.path().join("classes.csv")).unwrap();
        assert!(table.lines().nth(1).unwrap().starts_with("tree,objects,20,"), "{table}");
        // Another class, generator or ranking is another result, whatever its file is called.
        let result = folder.path().join("objects-tree.json");
        let found = Causal::read(&result).unwrap().unwrap();
        let task = causes.task(tree[0], None);
        for other in [
            Causal { class: "sky".into(), ..found.clone() },
            Causal { networks: Some([String::new(), String::new()]), ..found.clone() },
            Causal { iou_units: found.iou_units.iter().rev().copied().collect(), ..found.clone() },
        ] {
            assert!(found.is_of(&task) && !other.is_of(&task), "{other:?}");
            other.write(&result).unwrap();
            assert_eq!(searched(), (vec![0], rows.clone()));
        }
        let lock = FileLock::acquire(&result).unwrap();
        std::fs::remove_file(&result).unwrap();
        let busy = causes.search(tree[0], &result, &mut Unwatched).unwrap_err();
        assert!(busy.to_string().ends_with("is at work on this file"), "{busy}");
        drop(lock);
        std::fs::write(folder.path().join("objects-tree.json"), "[]").unwrap();
        let error = causes.search_all(&tree, folder.path(), &mut Unwatched, |_, _| {}).unwrap_err();
        assert!(error.to_string().contains("is not the result of a search for causes"), "{error}");
    }

    #[test]
    fn every_class_gets_a_file_of_its_own() {
        let concept = |category: &str, name: &str| Concept { name: name.into(), category: category.into() };
        let long = "C".repeat(260);
        let concepts =
            [("clusters", "a/b"), ("clusters", "a b"), ("clusters", "a-b"), ("clusters-a", "b"), ("clusters", &long)];
        let paths = concepts.map(|(category, name)| paths_of(&concept(category, name), "c".as_ref())[0].clone());
        let mut once: Vec<_> = paths.iter().collect();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), paths.len(), "{paths:?}");
        assert_eq!(paths[2], Path::new("c/clusters-a-b.json"));
        assert!(
            paths.iter().all(|path| path.parent() == Some("c".as_ref()) && path.as_os_str().len() < 140),
            "{paths:?}"
        );
        assert_eq!(paths_of(&concept("../x", "a b/c.d"), "c".as_ref())[1], Path::new("c/---x-a-b-c-d.json"));
    }
}
