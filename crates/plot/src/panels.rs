use crate::colour;
use crate::svg::{Anchor, GREY, GRID, LABEL, SMALL, Svg, TITLE, number};

/// The side of a panel in pixels.
const SIDE: f64 = 190.0;

/// A grid of square scatter plots that share one range, so that they can be compared by eye.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panels {
    /// Above the grid.
    pub title: String,
    /// Panels in a row, at least 1.
    pub columns: usize,
    /// `[low, high]` of both axes in every panel; `None` takes in all that is finite. Points outside are not drawn but
    /// counted below their panel.
    pub range: Option<[f64; 2]>,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
}

/// One scatter plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// Above the panel.
    pub title: String,
    /// The sets of points, later ones over earlier ones. Sets of the same index have the same colour in all panels.
    pub dots: Vec<Dots>,
    /// Outlines for reference, such as three standard deviations around each mode.
    pub circles: Vec<Circle>,
}

/// One set of points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dots {
    /// In the legend below the title, which takes the names of the panel that has most sets.
    pub name: String,
    /// `[x, y]`; the second axis points up.
    pub points: Vec<[f64; 2]>,
}

/// The outline of a circle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Circle {
    /// Its middle.
    pub centre: [f64; 2],
    /// Its radius, on the scale of the axes.
    pub radius: f64,
}

impl Panels {
    /// The grid as the text of an SVG file; each panel is 190 pixels wide.
    pub fn to_svg(&self) -> String {
        let columns = self.columns.clamp(1, self.panels.len().max(1));
        let rows = self.panels.len().div_ceil(columns);
        let names = self.panels.iter().map(|p| &p.dots).max_by_key(|dots| dots.len());
        let names: Vec<&str> = names.into_iter().flatten().map(|d| d.name.as_str()).collect();
        let legend = if names.iter().all(|name| name.is_empty()) { 0.0 } else { 24.0 };
        let (margin, top, cell) = (24.0, 48.0 + legend, (SIDE + 18.0, SIDE + 48.0));
        let width = (2.0 * margin + columns as f64 * cell.0 - 18.0).max(2.0 * margin + TITLE.width(&self.title));
        let mut svg = Svg::new(width.ceil(), top + rows as f64 * cell.1 + 4.0, &self.title);
        svg.text((margin, 30.0), Anchor::Start, TITLE, &self.title);
        draw_legend(&mut svg, margin, &names);
        let range = self.range.filter(|[low, high]| low.is_finite() && high.is_finite() && low < high);
        let range = range.unwrap_or_else(|| self.common_range());
        for (index, panel) in self.panels.iter().enumerate() {
            let (column, row) = (index % columns, index / columns);
            panel.draw(&mut svg, (margin + column as f64 * cell.0, top + row as f64 * cell.1 + 20.0), range);
        }
        svg.finish()
    }

    /// A square that holds everything finite, with a little room.
    fn common_range(&self) -> [f64; 2] {
        let points = self.panels.iter().flat_map(|p| &p.dots).flat_map(|d| &d.points).flatten().copied();
        let circles = self.panels.iter().flat_map(|p| &p.circles);
        let edges = circles.flat_map(|c| c.centre.into_iter().flat_map(|v| [v - c.radius, v + c.radius]));
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in points.chain(edges).filter(|v| v.is_finite()) {
            (low, high) = (low.min(value.max(-1e290)), high.max(value.min(1e290)));
        }
        if low > high {
            return [0.0, 1.0];
        }
        let room = if high > low { 0.04 * (high - low) } else { 1.0 };
        [low - room, high + room]
    }
}

impl Panel {
    fn draw(&self, svg: &mut Svg, (left, top): (f64, f64), [low, high]: [f64; 2]) {
        let scale = SIDE / (high - low);
        let place = |[x, y]: [f64; 2]| (left + (x - low) * scale, top + (high - y) * scale);
        let inside = |point: &[f64; 2]| point.iter().all(|v| (low..=high).contains(v));
        svg.text((left, top - 8.0), Anchor::Start, LABEL, &self.title);
        svg.push(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"{GRID}\"/>",
            number(left),
            number(top)
        ));
        for circle in self.circles.iter().filter(|c| inside(&c.centre) && c.radius.is_finite()) {
            let (x, y) = place(circle.centre);
            // A mode of the toy mixtures is about one pixel wide: an outline around it can still be seen.
            let radius = (circle.radius * scale).clamp(4.0, SIDE);
            svg.push(format_args!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"none\" stroke=\"{GREY}\" stroke-width=\"0.8\"/>",
                number(x),
                number(y),
                number(radius)
            ));
        }
        let mut outside = 0;
        for (index, dots) in self.dots.iter().enumerate() {
            svg.push(format_args!("<g fill=\"{}\" fill-opacity=\"0.45\">", colour(index)));
            for &point in &dots.points {
                if inside(&point) {
                    let (x, y) = place(point);
                    svg.push(format_args!("<circle cx=\"{}\" cy=\"{}\" r=\"1.5\"/>", number(x), number(y)));
                } else {
                    outside += 1;
                }
            }
            svg.push("</g>");
        }
        if outside > 0 {
            let note = format!("{outside} outside");
            svg.text((left + SIDE, top + SIDE + 15.0), Anchor::End, SMALL, &note);
        }
    }
}

fn draw_legend(svg: &mut Svg, margin: f64, names: &[&str]) {
    let mut x = margin;
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        svg.push(format_args!("<circle cx=\"{}\" cy=\"50\" r=\"4\" fill=\"{}\"/>", number(x + 4.0), colour(index)));
        svg.text((x + 14.0, 54.5), Anchor::Start, LABEL, name);
        x += 14.0 + LABEL.width(name) + 22.0;
    }
}
