use crate::axis::{Axis, Scale};
use crate::colour;
use crate::svg::{Anchor, GREY, GRID, LABEL, SMALL, Svg, TITLE, escape, number};

/// Curves over a common pair of axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineChart {
    /// Above the chart.
    pub title: String,
    /// Below the horizontal axis; its unit belongs here.
    pub x_label: String,
    /// Beside the vertical axis.
    pub y_label: String,
    /// The spacing of the horizontal axis.
    pub x_scale: Scale,
    /// The spacing of the vertical axis.
    pub y_scale: Scale,
    /// The curves, in the order of the legend; later ones are drawn over earlier ones.
    pub series: Vec<Series>,
}

/// One curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// In the legend, where there is anything to show of it; the legend is left out if all names are empty.
    pub name: String,
    /// `[x, y]`, in the order in which they are joined. A value that is not finite (on a log scale: not positive)
    /// leaves a gap.
    pub points: Vec<[f64; 2]>,
    /// An interval around the curve, such as a bootstrap interval, in ascending `x`; empty for none.
    pub band: Vec<BandPoint>,
}

/// The interval of a band at one place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BandPoint {
    /// The place on the horizontal axis.
    pub x: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The usual width of the curves, in pixels.
const WIDTH: f64 = 560.0;

/// The rectangle of the curves, in pixels.
struct Plot {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    x: Axis,
    y: Axis,
}

impl Plot {
    fn place(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        Some((self.left + self.x.place(x)? * self.width, self.top + (1.0 - self.y.place(y)?) * self.height))
    }
}

impl LineChart {
    /// The chart as the text of an SVG file, 440 pixels high and as wide as its labels and legend need.
    pub fn to_svg(&self) -> String {
        self.to_svg_of_width(WIDTH)
    }

    /// The chart with `plot` pixels between its axes, for places that are narrower than a page.
    pub fn to_svg_of_width(&self, plot: f64) -> String {
        let (x, y) = (Axis::over(self.horizontal(), self.x_scale, 7, false), self.y_axis(5));
        let left = self.left(&y);
        let plot = Plot { left, top: 52.0, width: plot, height: 320.0, x, y };
        let width = (left + plot.width + self.legend()).max(left + TITLE.width(&self.title) + 20.0);
        let mut svg = Svg::new(width.ceil(), 440.0, &self.title);
        svg.text((plot.left, 30.0), Anchor::Start, TITLE, &self.title);
        self.draw(&mut svg, &plot);
        svg.finish()
    }

    /// Charts below each other as one SVG: each has a vertical axis of its own, the horizontal axis is the same for all. `title` is what a
    /// screen reader says.
    pub fn stacked(title: &str, charts: &[Self]) -> String {
        const ROW: f64 = 206.0;
        let axes: Vec<Axis> = charts.iter().map(|chart| chart.y_axis(3)).collect();
        let left = charts.iter().zip(&axes).map(|(chart, y)| chart.left(y)).fold(0.0, f64::max);
        let legend = charts.iter().map(Self::legend).fold(0.0, f64::max);
        let mut svg = Svg::new((left + WIDTH + legend).ceil(), ROW * charts.len() as f64 + 30.0, title);
        for (row, (chart, y)) in charts.iter().zip(axes).enumerate() {
            let x = Axis::over(charts.iter().flat_map(Self::horizontal), chart.x_scale, 7, false);
            let plot = Plot { left, top: 44.0 + ROW * row as f64, width: WIDTH, height: 132.0, x, y };
            svg.text((left, plot.top - 14.0), Anchor::Start, TITLE, &chart.title);
            // What the horizontal axis is need not be said of every row.
            let is_last = row + 1 == charts.len();
            let x_label = if is_last { chart.x_label.clone() } else { String::new() };
            Self { x_label, ..chart.clone() }.draw(&mut svg, &plot);
        }
        svg.finish()
    }

    /// All places on the horizontal axis.
    fn horizontal(&self) -> impl Iterator<Item = f64> {
        self.series.iter().flat_map(|s| s.points.iter().map(|p| p[0]).chain(s.band.iter().map(|b| b.x)))
    }

    fn y_axis(&self, ticks: usize) -> Axis {
        let points = self.series.iter().flat_map(|s| s.points.iter().map(|p| p[1]));
        let bands = self.series.iter().flat_map(|s| s.band.iter().flat_map(|b| [b.low, b.high]));
        Axis::over(points.chain(bands), self.y_scale, ticks, true)
    }

    /// Pixels to the left of the plot.
    fn left(&self, y: &Axis) -> f64 {
        let widest_tick = y.ticks.iter().map(|(_, label)| SMALL.width(label)).fold(0.0, f64::max);
        20.0 + widest_tick + 8.0 + if self.y_label.is_empty() { 0.0 } else { 24.0 }
    }

    /// Pixels to the right of it.
    fn legend(&self) -> f64 {
        let legend = self.series.iter().map(|s| LABEL.width(&s.name)).fold(0.0, f64::max);
        if legend > 0.0 { 62.0 + legend } else { 28.0 }
    }

    fn draw(&self, svg: &mut Svg, plot: &Plot) {
        self.draw_axes(svg, plot);
        for (index, series) in self.series.iter().enumerate() {
            draw_band(svg, plot, series, colour(index));
        }
        for (index, series) in self.series.iter().enumerate() {
            draw_curve(svg, plot, series, index);
        }
        self.draw_legend(svg, plot);
    }

    fn draw_axes(&self, svg: &mut Svg, plot: &Plot) {
        let (right, bottom) = (plot.left + plot.width, plot.top + plot.height);
        for (tick, label) in &plot.y.ticks {
            let Some(at) = plot.y.place(*tick) else { continue };
            let y = bottom - at * plot.height;
            svg.line((plot.left, y), (right, y), GRID);
            svg.text((plot.left - 8.0, y + 4.0), Anchor::End, SMALL, label);
        }
        for (tick, label) in &plot.x.ticks {
            let Some(at) = plot.x.place(*tick) else { continue };
            let x = plot.left + at * plot.width;
            svg.line((x, bottom), (x, bottom + 5.0), GREY);
            svg.text((x, bottom + 20.0), Anchor::Middle, SMALL, label);
        }
        svg.line((plot.left, bottom), (right, bottom), GREY);
        svg.text((plot.left + plot.width / 2.0, bottom + 46.0), Anchor::Middle, LABEL, &self.x_label);
        svg.upward_text((24.0, plot.top + plot.height / 2.0), LABEL, &self.y_label);
    }

    fn draw_legend(&self, svg: &mut Svg, plot: &Plot) {
        let x = plot.left + plot.width + 18.0;
        let shows = |s: &Series| !s.band.is_empty() || s.points.iter().any(|&[x, y]| plot.place(x, y).is_some());
        let named = self.series.iter().enumerate().filter(|(_, s)| !s.name.is_empty() && shows(s));
        for (row, (index, series)) in named.enumerate() {
            let y = plot.top + 8.0 + 22.0 * row as f64;
            svg.push(format_args!("<path d=\"M{} {}h20\" {}/>", number(x), number(y), stroke(index)));
            svg.text((x + 28.0, y + 4.5), Anchor::Start, LABEL, &series.name);
        }
    }
}

/// The look of a curve; the seventh and later ones repeat the colours with dashes.
fn stroke(index: usize) -> String {
    let dashes = match index / crate::COLOURS.len() {
        0 => "",
        1 => " stroke-dasharray=\"7 4\"",
        _ => " stroke-dasharray=\"2 3\"",
    };
    format!("fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\"{dashes}", colour(index))
}

fn draw_band(svg: &mut Svg, plot: &Plot, series: &Series, colour: &str) {
    let ends = |b: &BandPoint| plot.place(b.x, b.low).zip(plot.place(b.x, b.high));
    let ends: Vec<_> = series.band.iter().map(ends).collect();
    // One point alone has no area.
    for piece in ends.split(Option::is_none).filter(|piece| piece.len() > 1) {
        let there = piece.iter().flatten().map(|&(_, high)| high);
        let back = piece.iter().rev().flatten().map(|&(low, _)| low);
        let outline = joined(there.chain(back));
        svg.push(format_args!("<path d=\"M{outline}Z\" fill=\"{colour}\" fill-opacity=\"0.16\"/>"));
    }
}

fn draw_curve(svg: &mut Svg, plot: &Plot, series: &Series, index: usize) {
    let places: Vec<_> = series.points.iter().map(|p| plot.place(p[0], p[1])).collect();
    let mut path = String::new();
    for piece in places.split(Option::is_none) {
        match piece.iter().flatten().copied().collect::<Vec<_>>()[..] {
            [] => {}
            // A point between two gaps has no line to be seen on.
            [(x, y)] => {
                let (x, y, colour) = (number(x), number(y), colour(index));
                svg.push(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>"));
            }
            ref piece => {
                path.push('M');
                path.push_str(&joined(piece.iter().copied()));
            }
        }
    }
    if !path.is_empty() {
        // A title inside the path is what a browser shows under the mouse.
        svg.push(format_args!("<path d=\"{path}\" {}><title>{}</title></path>", stroke(index), escape(&series.name)));
    }
}

/// The places as the middle of an SVG path: straight lines from one to the next.
fn joined(places: impl Iterator<Item = (f64, f64)>) -> String {
    places.map(|(x, y)| format!("{} {}", number(x), number(y))).collect::<Vec<_>>().join("L")
}
