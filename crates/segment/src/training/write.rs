//! What a training shows: curves, a picture of what it sees.

use super::{Stats, Training};
use crate::{Segment, Segmenter};
use base::{Result, files};
use data::pictures::{self, Labelled};
use net::Tensor;
use plot::{LineChart, Scale, Series};
use train::Shown;

/// Images in the picture.
const SHOWN: usize = 8;
/// Points along a curve: neighbouring steps are put together.
const POINTS: usize = 150;

impl Training {
    /// `preview.png` (images, their labels, what the segmenter says), `loss.svg` and `iou.svg`.
    pub(super) fn write_pictures(&self, segmenter: &Segmenter, shown: &Shown<Self>) -> Result<()> {
        let n = self.held_out.len().map_or(SHOWN, |n| n.min(SHOWN));
        let items = (0..n as u64).map(|i| self.held_out.image_with_maps(i)).collect::<Result<Vec<_>>>()?;
        let values = items.iter().flat_map(|(image, _)| image.to_floats()).collect();
        let shape = [&[n], self.held_out.shape()].concat();
        let said = segmenter.segment(&Tensor::new(&shape, values, &self.device))?;
        let cell = |((image, truth), said): ((data::Image, Vec<data::LabelMap>), Vec<data::LabelMap>)| Labelled {
            image,
            maps: [truth, said].concat(),
            caption: None,
        };
        let cells: Vec<Labelled> = items.into_iter().zip(said).map(cell).collect();
        let picture = pictures::labelled(&cells, self.held_out.planes(), SHOWN)?;
        files::write_atomic(shown.folder.join("preview.png"), &pictures::png(&picture)?)?;
        for (name, svg) in charts(&shown.records()?) {
            files::write_atomic(shown.folder.join(name), svg.as_bytes())?;
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
