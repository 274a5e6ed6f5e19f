//! What a training writes: checkpoints, curves, a picture of what it sees.

use super::{Stats, Training};
use crate::Segment;
use crate::state::encode;
use base::{Result, files};
use data::pictures::{self, Labelled};
use net::Tensor;
use plot::{LineChart, Scale, Series};
use train::stats;

/// Images in the picture.
const SHOWN: usize = 8;
/// Points along a curve: neighbouring steps are put together.
const POINTS: usize = 150;

impl Training {
    pub(super) fn save(&mut self, stats: &Stats) -> Result<()> {
        let files = encode(&self.state, &self.segmenter)?;
        let contents: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        self.stats.sync()?;
        self.store.save(self.state.step, &contents, &self.settings.hash(), self.settings.log.keep.max(1))?;
        let n = stats.mean_iou.len();
        if n > 0 {
            let score = stats.mean_iou.values().sum::<f64>() / n as f64;
            if self.best.is_none_or(|best| score > best) {
                self.store.mark_best(self.state.step, score)?;
                self.best = Some(score);
            }
        }
        Ok(())
    }

    /// `preview.png` (images, their labels, what the segmenter says), `loss.svg` and `iou.svg`.
    pub(super) fn write_pictures(&self) -> Result<()> {
        let n = self.held_out.len().map_or(SHOWN, |n| n.min(SHOWN));
        let items = (0..n as u64).map(|i| self.held_out.image_with_maps(i)).collect::<Result<Vec<_>>>()?;
        let values = items.iter().flat_map(|(image, _)| image.to_floats()).collect();
        let shape = [&[n], self.held_out.shape()].concat();
        let said = self.segmenter.segment(&Tensor::new(&shape, values, &self.device))?;
        let cell = |((image, truth), said): ((data::Image, Vec<data::LabelMap>), Vec<data::LabelMap>)| Labelled {
            image,
            maps: [truth, said].concat(),
            caption: None,
        };
        let cells: Vec<Labelled> = items.into_iter().zip(said).map(cell).collect();
        let picture = pictures::labelled(&cells, self.held_out.planes(), SHOWN)?;
        files::write_atomic(self.folder.join("preview.png"), &pictures::png(&picture)?)?;
        let stats: Vec<Stats> = stats::read(self.folder.join("stats.jsonl"))?;
        for (name, svg) in charts(&stats) {
            files::write_atomic(self.folder.join(name), svg.as_bytes())?;
        }
        Ok(())
    }
}

/// Charts by file name.
fn charts(stats: &[Stats]) -> [(&'static str, String); 2] {
    let chart = |title: &str, y_label: &str, series: Vec<Series>| LineChart {
        title: title.to_owned(),
        x_label: "step".to_owned(),
        y_label: y_label.to_owned(),
        x_scale: Scale::Linear,
        y_scale: if y_label == "loss" { Scale::Log } else { Scale::Linear },
        series,
    };
    let window = stats.len().div_ceil(POINTS).max(1);
    let loss = stats
        .chunks(window)
        .map(|w| [w[w.len() / 2].step as f64, w.iter().map(|s| s.loss).sum::<f64>() / w.len() as f64]);
    let loss = Series { name: String::new(), points: loss.collect(), band: Vec::new() };
    let planes: std::collections::BTreeSet<&String> = stats.iter().flat_map(|s| s.mean_iou.keys()).collect();
    let curve = |plane: &&String| Series {
        name: (*plane).clone(),
        points: stats.iter().filter_map(|s| Some([s.step as f64, *s.mean_iou.get(*plane)?])).collect(),
        band: Vec::new(),
    };
    [
        ("loss.svg", chart("Cross-entropy", "loss", vec![loss]).to_svg()),
        ("iou.svg", chart("Held-out images", "mean IoU", planes.iter().map(curve).collect()).to_svg()),
    ]
}
