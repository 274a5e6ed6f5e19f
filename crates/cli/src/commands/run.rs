//! `ganatomy run MODEL`

use crate::console::{self, Console};
use crate::device::Computing;
use crate::exit::{self, Code};
use anyhow::Result;
use base::Error;
use base::npy::{Array, write_npz};
use models::files::{self, has_ending};
use models::{Calculation, Model};
use net::{Graph, Tensor};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Run any network on arrays, and look at any node: its values, its gradients
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Inputs and nodes go by the names that `ganatomy inspect MODEL` lists. A node that is fed cuts the
network there. A gradient is that of the sum of NODE's numbers by WRT: an input, a node, or a
weight. In the .npz, values are called as their nodes and gradients grad-NODE-WRT; what a file name
cannot hold is written otherwise, and the table says how. Statistics are the stored ones, as
everywhere outside of training.

Examples:
  ganatomy run scenes --feed z.npy --out y.npz
  ganatomy run scenes --feed z=z.npy --fetch 1b --fetch x --out nodes.npz
  ganatomy run scenes --feed 1b=maps.npy --fetch x
  ganatomy run scenes --feed z.npy --grad x:z --out gradients.npz")]
pub(crate) struct Run {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,

    /// The value of an input or node; without a name that of the only input that must be fed. May be repeated
    #[arg(long, value_name = "[NAME=]NPY")]
    feed: Vec<String>,

    /// A node whose value is wanted; the results of the network if none is named. May be repeated
    #[arg(long, value_name = "NODE")]
    fetch: Vec<String>,

    /// A gradient that is wanted; may be repeated
    #[arg(long, value_name = "NODE:WRT")]
    grad: Vec<String>,

    /// Write the arrays, an .npy where there is one alone
    #[arg(long, value_name = "NPZ|NPY")]
    out: Option<PathBuf>,

    #[command(flatten)]
    computing: Computing,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    model: String,
    arrays: Vec<Described>,
}

/// An array in few numbers.
#[derive(Serialize)]
struct Described {
    /// The node, or `NODE:WRT`.
    name: String,
    /// What it is called in the .npz.
    array: String,
    shape: Vec<usize>,
    /// Least, mean and largest of the finite numbers; none where there is none.
    min: Option<f64>,
    mean: Option<f64>,
    max: Option<f64>,
    not_finite: usize,
}

impl Run {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let single = self.out.as_deref().is_some_and(|out| has_ending(out, &["npy"]));
        if let Some(out) = self.out.as_deref().filter(|out| !single && !has_ending(out, &["npz"])) {
            let reason = format!("{} ends in neither .npz nor .npy", out.display());
            return Err(Error::setting("out", reason).into());
        }
        let device = self.computing.open(console)?;
        let Model { network, path } = Model::find(&self.model, &device, &mut |note| console.note(note))?;
        let calculation = self.calculation(&network.graph)?;
        if single && calculation.fetch.len() + calculation.gradients.len() != 1 {
            let reason = "an .npy holds one array, and several are wanted";
            return Err(Error::setting("out", reason).with_hint("End it in .npz.").into());
        }
        let found = calculation.run(&network, &device)?;
        let values = calculation.fetch.iter().map(|name| (name.clone(), base::file_name(&[name])));
        let gradients =
            calculation.gradients.iter().map(|[of, by]| (format!("{of}:{by}"), base::file_name(&["grad", of, by])));
        let arrays: Vec<Array> = found.iter().map(array).collect();
        let described: Vec<Described> = values.chain(gradients).zip(&arrays).map(described).collect();
        for array in described.iter().filter(|array| array.not_finite > 0) {
            console.warn(&format!("{}: {} of its numbers are not finite", array.name, array.not_finite));
        }
        match (&self.out, &arrays[..]) {
            (Some(out), [array]) if single => files::write(out, &array.to_bytes())?,
            (Some(out), _) => {
                write_npz(out, &described.iter().map(|of| of.array.as_str()).zip(&arrays).collect::<Vec<_>>())?;
            }
            (None, _) => {}
        }
        let told = Json { model: path.display().to_string(), arrays: described };
        console::result(&told, || table(&told.arrays))?;
        self.out.as_deref().map_or(Ok(()), console::made)?;
        Ok(exit::DONE)
    }

    fn calculation(&self, graph: &Graph) -> Result<Calculation> {
        let inputs = graph.inputs_to_feed();
        let feed = |text: &String| -> Result<(String, Array)> {
            let (name, path) = match text.split_once('=') {
                Some((name, path)) => (name.to_owned(), path),
                None if inputs.len() == 1 => (graph.node(inputs[0]).name.clone(), text.as_str()),
                None => {
                    let names: Vec<&str> = inputs.iter().map(|&id| graph.node(id).name.as_str()).collect();
                    let reason = format!("{text} names no input; there are {}", names.join(", "));
                    return Err(Error::setting("feed", reason).with_hint("Write NAME=FILE.npy.").into());
                }
            };
            Ok((name, Array::read(Path::new(path))?))
        };
        // Names may hold colons: the place where both sides are nodes is meant.
        let grad = |text: &String| -> Result<[String; 2]> {
            let colons = text.char_indices().filter(|(_, c)| *c == ':').map(|(at, _)| [&text[..at], &text[at + 1..]]);
            let known = |pair: &[&str; 2]| pair.iter().all(|name| graph.find(name).is_ok());
            let pairs: Vec<[&str; 2]> = colons.collect();
            let Some(first) = pairs.first() else {
                return Err(Error::setting("grad", format!("{text} is not NODE:WRT")).into());
            };
            // Where none is, the first is answered by what is wrong with it.
            Ok(pairs.iter().find(|pair| known(pair)).unwrap_or(first).map(str::to_owned))
        };
        let mut fetch = self.fetch.clone();
        if fetch.is_empty() && self.grad.is_empty() {
            fetch = graph.outputs().map(|(_, id)| graph.node(id).name.clone()).collect();
            fetch.dedup();
        }
        let twice = fetch.iter().enumerate().find(|(place, name)| fetch[..*place].contains(name));
        if let Some((_, name)) = twice {
            return Err(Error::setting("fetch", format!("{name} is named twice")).into());
        }
        let feeds = self.feed.iter().map(feed).collect::<Result<_>>()?;
        Ok(Calculation { feeds, fetch, gradients: self.grad.iter().map(grad).collect::<Result<_>>()? })
    }
}

fn array(tensor: &Tensor) -> Array {
    Array::f32(tensor.shape().to_vec(), tensor.to_vec())
}

fn described(((name, key), array): ((String, String), &Array)) -> Described {
    let values = array.clone().into_f32();
    let finite = || values.iter().filter(|v| v.is_finite()).map(|&v| f64::from(v));
    let count = finite().count();
    Described {
        name,
        array: key,
        shape: array.shape.clone(),
        min: finite().reduce(f64::min),
        mean: (count > 0).then(|| finite().sum::<f64>() / count as f64),
        max: finite().reduce(f64::max),
        not_finite: values.len() - count,
    }
}

fn table(arrays: &[Described]) -> String {
    let number = |value: Option<f64>| value.map_or("-".into(), |v| format!("{v:.6}"));
    let row = |of: &Described| {
        let shape: Vec<String> = of.shape.iter().map(ToString::to_string).collect();
        [of.name.clone(), of.array.clone(), shape.join("x"), number(of.min), number(of.mean), number(of.max)]
    };
    let head = ["node", "array", "shape", "least", "mean", "largest"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(arrays.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3, 4, 5].map(width);
    let line = |[name, array, rest @ ..]: &[String; 6]| {
        let rest: Vec<String> =
            rest.iter().zip(&widths[2..]).map(|(cell, width)| format!("  {cell:>width$}")).collect();
        format!("{name:0$}  {array:1$}{2}\n", widths[0], widths[1], rest.concat())
    };
    rows.iter().map(line).collect()
}
