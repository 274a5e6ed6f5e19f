//! Charts as self-contained SVG: the same data gives the same bytes.
//!
//! No scripts, no fonts of its own, white background, colours that people with any colour vision can tell apart
//! (Okabe and Ito's). Everything that comes from outside is escaped; values that are not finite leave gaps.
//!
//! ```
//! use ganatomy_plot::{LineChart, Scale, Series};
//!
//! let points = (0..100).map(|step| [f64::from(step), 1.0 / f64::from(1 + step)]).collect();
//! let chart = LineChart {
//!     title: "Loss".into(),
//!     x_label: "step".into(),
//!     y_scale: Scale::Log,
//!     series: vec![Series { name: "<D>".into(), points, band: Vec::new() }],
//!     ..LineChart::default()
//! };
//! let svg = chart.to_svg();
//! assert!(svg.starts_with("<svg") && !svg.contains("<D>"));
//! ```

mod axis;
mod bars;
mod line;
mod panels;
mod svg;

pub use axis::Scale;
pub use bars::{BarValue, Bars, Row};
pub use line::{BandPoint, LineChart, Series};
pub use panels::{Circle, Dots, Panel, Panels};
pub use svg::for_page;

/// Okabe and Ito's palette without its black and yellow; series after the sixth start over.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// The colour of the series with this index.
fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}
