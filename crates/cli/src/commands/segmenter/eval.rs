//! `ganatomy segmenter eval SEG`

use crate::arguments;
use crate::console::{self, Console};
use crate::device::Computing;
use anyhow::Result;
use data::Size;
use segment::{ClassScore, Confusion, Segment, evaluate};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// The table of confusions is printed for people where it has no more columns than this.
const MOST_COLUMNS: usize = 16;

/// Judge a segmenter on labelled images
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The mean IoU (intersection over union) is over the classes that occur. Pixels of a plane's ignore
class are left out, unless the segmenter has learnt it as an answer (\"none\" in the parts of scenes);
then the mean is given with it and without.

Examples:
  ganatomy segmenter eval scenes --data scenes
  ganatomy segmenter eval runs/seg --data street-test.zip --json")]
pub(crate) struct Eval {
    /// A shipped name (scenes), model file, run folder or checkpoint
    #[arg(value_name = "SEG")]
    segmenter: PathBuf,

    /// The labelled set: scenes, or the path of a folder or zip
    #[arg(long, value_name = "SRC")]
    data: String,

    /// Crop and resize the images to squares of this side, or to WxH [default: the segmenter's]
    #[arg(long, value_name = "PIXELS", value_parser = arguments::size)]
    size: Option<Size>,

    /// Judge the first N images [default: all; of scenes 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,

    /// The seed of scenes; the default is one that nothing is trained on
    #[arg(long, value_name = "S", default_value = "1000000")]
    seed: u64,

    #[command(flatten)]
    computing: Computing,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    segmenter: String,
    data: &'a str,
    images: usize,
    planes: Vec<JsonPlane<'a>>,
}

#[derive(Serialize)]
struct JsonPlane<'a> {
    name: &'a str,
    accuracy: f64,
    mean_iou: f64,
    /// Without the class that stands for nothing.
    mean_iou_of_things: f64,
    classes: Vec<ClassScore>,
    /// A row for each true class: pixels by the class that was said.
    confusion: Vec<&'a [u64]>,
}

impl Eval {
    pub(crate) fn run(self, console: Console) -> Result<ExitCode> {
        let device = self.computing.open(console)?;
        let (segmenter, path) = models::find_segmenter(&self.segmenter, &device, &mut |note| console.note(note))?;
        let size = Some(self.size.unwrap_or(Size::of(segmenter.image_shape())));
        let set = data::open(&self.data, &data::Options { size, seed: self.seed, ..data::Options::default() })?;
        let n = self.count.map_or_else(|| set.len().unwrap_or(1000), |n| n as usize);
        let n = set.len().map_or(n, |all| n.min(all));
        let bar = console.bar(n as u64, "images");
        let judged =
            evaluate(&segmenter, &set, n, !segmenter.learnt_ignored(), &device, |k| bar.set_position(k as u64));
        bar.finish_and_clear();
        let tables = judged?;
        console.notices(&set);
        if self.json {
            let planes = tables.iter().map(|table| JsonPlane {
                name: &table.plane().name,
                accuracy: table.accuracy(),
                mean_iou: table.mean_iou(),
                mean_iou_of_things: table.mean_iou_of_things(),
                classes: table.classes(),
                confusion: table.rows().collect(),
            });
            let segmenter = path.display().to_string();
            console::print_json(&Json { segmenter, data: set.name(), images: n, planes: planes.collect() })?;
        } else {
            let text: Vec<String> = tables.iter().map(describe).collect();
            console::print(&format!("{} on {n} images of {}\n\n{}", path.display(), set.name(), text.join("\n")))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A plane's figures, its classes, and what was taken for what.
fn describe(table: &Confusion) -> String {
    let things = match table.plane().ignore {
        Some(_) if table.mean_iou() != table.mean_iou_of_things() => {
            format!(" ({:.4} without the ignore class)", table.mean_iou_of_things())
        }
        _ => String::new(),
    };
    let (name, accuracy) = (&table.plane().name, table.accuracy());
    let mut text = format!("{name}: pixel accuracy {accuracy:.4}, mean IoU {:.4}{things}\n", table.mean_iou());
    let classes = table.classes();
    let widest = classes.iter().map(|class| class.name.chars().count()).chain([5]).max().unwrap_or(5);
    let number = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
    let head = format!("  {:<widest$}  {:>10}  {:>6}  {:>6}  {:>9}  ", "class", "pixels", "IoU", "recall", "precision");
    text += &[&head, "most taken for\n"].concat();
    for (class, row) in table.rows().enumerate() {
        let score = &classes[class];
        let wrong = row.iter().enumerate().filter(|&(k, &n)| k != class && n > 0);
        let mistake = wrong.max_by_key(|&(k, &n)| (n, std::cmp::Reverse(k)));
        let mistake = mistake.map_or_else(String::new, |(k, &n)| {
            format!("{} ({:.2} %)", classes[k].name, 100.0 * n as f64 / score.pixels as f64)
        });
        let [iou, recall, precision] = [score.iou, score.recall, score.precision].map(number);
        let line = format!(
            "  {:<widest$}  {:>10}  {iou:>6}  {recall:>6}  {precision:>9}  {mistake}",
            score.name, score.pixels
        );
        text += line.trim_end();
        text.push('\n');
    }
    if classes.len() <= MOST_COLUMNS { text + &confusion(table, &classes, widest) } else { text }
}

/// What was said of the pixels of each class, in percent of these.
fn confusion(table: &Confusion, classes: &[ClassScore], widest: usize) -> String {
    let short = |name: &str| name.chars().take(6).collect::<String>();
    let heads: Vec<String> = classes.iter().map(|class| format!("{:>6}", short(&class.name))).collect();
    let mut text = format!("\n  {:<widest$}  {}\n", "% said", heads.join(" "));
    for (class, row) in classes.iter().zip(table.rows()) {
        let cell = |&n: &u64| match n {
            0 => format!(" {:>6}", "."),
            _ => format!(" {:>6.2}", 100.0 * n as f64 / class.pixels as f64),
        };
        text +=
            &[&format!("  {:<widest$} ", class.name), row.iter().map(cell).collect::<String>().as_str(), "\n"].concat();
    }
    text
}
