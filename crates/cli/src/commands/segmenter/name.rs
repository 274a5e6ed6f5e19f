//! `ganatomy segmenter name`

use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit::{self, Code};
use crate::output;
use anyhow::Result;
use base::Error;
use net::Storage;
use segment::{Segment, Segmenter};
use serde::Serialize;
use std::path::PathBuf;

/// Give classes names of your own, such as those of clusters
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Look at what the classes are first (segmenter apply). All other classes keep their names.

Examples:
  ganatomy segmenter apply clusters.safetensors photos/ --out seen.png
  ganatomy segmenter name clusters.safetensors 'cluster 6=fur' 'cluster 3=eyes' --out named.safetensors
  ganatomy dissect runs/photos --segmenter named.safetensors")]
pub(crate) struct Name {
    /// The segmenter: a model file, a run, or a shipped one
    #[arg(value_name = "MODEL")]
    model: PathBuf,

    /// A class and its new name
    #[arg(value_name = "CLASS=NAME", required = true)]
    names: Vec<String>,

    /// Write this .safetensors
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    computing: Computing,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    classes: Vec<&'a str>,
}

impl Name {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        output::check_ending(&self.out, "safetensors")?;
        let device = self.computing.open(console)?;
        let (segmenter, _) = models::find_segmenter(&self.model, &device, &mut |note| console.note(note))?;
        let mut planes = segmenter.planes().to_vec();
        for words in &self.names {
            rename(&mut planes, words)?;
        }
        for plane in &planes {
            let twice = plane
                .classes
                .iter()
                .enumerate()
                .find(|(i, class)| plane.classes[..*i].iter().any(|c| c.name == class.name));
            if let Some((_, class)) = twice {
                return Err(Error::setting(
                    "CLASS=NAME",
                    format!("two classes of {} would be called {}", plane.name, class.name),
                )
                .with_hint("Give each a name of its own.")
                .into());
            }
        }
        let named = Segmenter::new(segmenter.network().clone(), planes)?;
        models::files::write(&self.out, &named.to_bytes(Storage::F32)?)?;
        let classes: Vec<&str> =
            named.planes().iter().flat_map(|plane| &plane.classes).map(|class| class.name.as_str()).collect();
        let text = format!("{}\n", classes.join(", "));
        console::result(&Json { classes }, || text)?;
        console::made(&self.out)?;
        Ok(exit::DONE)
    }
}

/// Gives the class that is named first the name behind the last `=`.
fn rename(planes: &mut [data::Plane], words: &str) -> base::Result<()> {
    let (old, new) = words.rsplit_once('=').map(|(old, new)| (old.trim(), new.trim())).unwrap_or_default();
    if old.is_empty() || new.is_empty() {
        return Err(Error::setting("CLASS=NAME", format!("{words:?} is not a class, =, and its new name"))
            .with_hint("Write it as 'cluster 6=fur'."));
    }
    let known: Vec<String> = planes.iter().flat_map(|plane| &plane.classes).map(|class| class.name.clone()).collect();
    let class = planes.iter_mut().flat_map(|plane| &mut plane.classes).find(|class| class.name == old);
    let class = class.ok_or_else(|| {
        Error::setting("CLASS=NAME", format!("{old}: there is no such class")).with_hint(base::known_names(
            old,
            "classes",
            known.iter().map(String::as_str),
        ))
    })?;
    new.clone_into(&mut class.name);
    Ok(())
}
