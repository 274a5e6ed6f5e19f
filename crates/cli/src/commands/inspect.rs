//! `ganatomy inspect MODEL`

use crate::console::{self, Console};
use crate::exit::{self, Code};
use anyhow::Result;
use data::Plane;
use models::Model;
use net::{Device, Law, NodeReport, Op, Report};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Show the nodes of a network: shapes, parameters, work
#[derive(Debug, clap::Args)]
#[command(after_help = "\
MACs are multiplications with addition, for one sample. Shapes leave the batch out.

Examples:
  ganatomy inspect scenes
  ganatomy inspect generator.safetensors
  ganatomy inspect runs/00003-scenes-paper --json | jq .parameters")]
pub(crate) struct Inspect {
    /// A shipped name (scenes), model file, run folder or checkpoint
    model: PathBuf,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    model: String,
    inputs: Vec<Input<'a>>,
    output: Option<&'a NodeReport>,
    parameters: usize,
    state: usize,
    macs: u64,
    notes: BTreeMap<&'a str, &'a str>,
    nodes: &'a [NodeReport],
}

#[derive(Serialize)]
struct Input<'a> {
    name: &'a str,
    shape: &'a [usize],
    /// The law of a latent; `null` for other inputs.
    law: Option<Law>,
}

impl Inspect {
    pub(crate) fn run(self, console: Console) -> Result<Code> {
        let Model { network, path } = Model::find(&self.model, &Device::cpu(), &mut |note| console.note(note))?;
        let report = network.report()?;
        let graph = &network.graph;
        let input = |node: &'_ net::NodeId| match &graph.node(*node).op {
            Op::Input { shape, law, .. } => Some(Input { name: &graph.node(*node).name, shape, law: *law }),
            _ => None,
        };
        let output = &graph.node(graph.output()).name;
        let told = Json {
            model: path.display().to_string(),
            inputs: graph.inputs().iter().filter_map(input).collect(),
            output: report.nodes.iter().find(|node| &node.name == output),
            parameters: report.parameters,
            state: report.state,
            macs: report.macs,
            notes: report.notes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            nodes: &report.nodes,
        };
        console::result(&told, || table(&report))?;
        Ok(exit::DONE)
    }
}

/// Characters up to which a column is as wide as its widest entry.
const WIDEST: usize = 60;

/// The nodes in columns, then the totals and the notes.
fn table(report: &Report) -> String {
    let mut rows = vec![["node", "op", "output", "parameters", "MACs"].map(str::to_owned)];
    rows.extend(report.nodes.iter().map(|node| {
        let shape: Vec<String> = node.shape.iter().map(ToString::to_string).collect();
        [node.name.clone(), node.op.to_owned(), shape.join("x"), count(node.parameters as u64), count(node.macs)]
    }));
    rows.push(["total".into(), String::new(), String::new(), count(report.parameters as u64), count(report.macs)]);
    // A name may be as long as a file allows; columns are for those that people give.
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).min(WIDEST);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let [node, op, output, parameters, macs] = row;
        let [a, b, c, d, e] = widths;
        let line = format!("{node:<a$}  {op:<b$}  {output:>c$}  {parameters:>d$}  {macs:>e$}");
        text += line.trim_end();
        text.push('\n');
    }
    if report.state > 0 {
        text +=
            &["\nstate (running statistics, singular vectors): ", &count(report.state as u64), " numbers\n"].concat();
    }
    if !report.notes.is_empty() {
        text.push('\n');
    }
    for (key, value) in &report.notes {
        match (key.as_str(), serde_json::from_str::<Vec<Plane>>(value)) {
            (segment::PLANES, Ok(planes)) => text += &planes.iter().map(classes).collect::<String>(),
            _ => text += &[key, ": ", value, "\n"].concat(),
        }
    }
    text
}

/// The classes of a segmenter's plane in one line.
fn classes(plane: &Plane) -> String {
    let names: Vec<&str> = plane.classes.iter().map(|class| class.name.as_str()).collect();
    format!("classes of {}: {}\n", plane.name, names.join(", "))
}

/// A number in groups of three digits; nothing for 0.
fn count(number: u64) -> String {
    if number == 0 {
        return String::new();
    }
    let digits = number.to_string();
    let grouped = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    grouped.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped() {
        let numbers = [0, 7, 999, 1000, 527_874, 1_000_000];
        assert_eq!(numbers.map(super::count), ["", "7", "999", "1,000", "527,874", "1,000,000"]);
    }
}
