//! Horizontal bars: numbers of things, or shares with their uncertainty.

use crate::axis::{Axis, Scale};
use crate::colour;
use crate::svg::{Anchor, GREY, GRID, LABEL, SMALL, Svg, TITLE, number};

/// Rows of bars, grouped, with one bar for each series.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    /// What it shows.
    pub title: String,
    /// The unit of the values.
    pub x_label: String,
    /// The names of the series; a legend names them where there are two or more.
    pub series: Vec<String>,
    /// The rows from top to bottom; rows of a group stand together.
    pub rows: Vec<Row>,
}

/// One row of a bar chart.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The group's name, shown above its first row.
    pub group: String,
    /// The row's name.
    pub label: String,
    /// One for each series; a value that is not finite leaves a gap.
    pub values: Vec<BarValue>,
}

/// The length of a bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BarValue {
    /// The value, 0 or more.
    pub value: f64,
    /// Its uncertainty, drawn as a whisker.
    pub interval: Option<[f64; 2]>,
}

const PLOT: f64 = 420.0;
const BAR: f64 = 12.0;
const GAP: f64 = 7.0;
const HEADER: f64 = 24.0;

impl Bars {
    /// The chart as a whole SVG file.
    pub fn to_svg(&self) -> String {
        self.to_svg_of_width(PLOT)
    }

    /// The chart with `plot` pixels for the longest bar, for places that are narrower than a page.
    pub fn to_svg_of_width(&self, plot: f64) -> String {
        let labels = self.rows.iter().map(|row| LABEL.width(&row.label)).fold(60.0, f64::max);
        let left = labels + 24.0;
        let headers = (0..self.rows.len()).filter(|&i| self.opens_group(i)).count() as f64;
        let row_height = BAR * self.series.len().max(1) as f64 + GAP;
        let (top, legend) = (44.0, if self.series.len() > 1 { 22.0 } else { 0.0 });
        let bottom = top + legend + headers * HEADER + self.rows.len() as f64 * row_height;
        let width = (left + plot + 70.0).max(TITLE.width(&self.title) + 40.0);
        let mut svg = Svg::new(width, bottom + 46.0, &self.title);
        svg.text((16.0, 26.0), Anchor::Start, TITLE, &self.title);

        let reach = |v: &BarValue| v.interval.map_or(v.value, |[_, high]| v.value.max(high));
        let values = self.rows.iter().flat_map(|row| &row.values).map(reach);
        let axis = Axis::over(values.chain([0.0]), Scale::Linear, 5, true);
        let x = |value: f64| axis.place(value).map(|at| left + at.clamp(0.0, 1.0) * plot);
        for (value, label) in &axis.ticks {
            if let Some(x) = x(*value) {
                svg.line((x, top + legend), (x, bottom), GRID);
                svg.text((x, bottom + 16.0), Anchor::Middle, SMALL, label);
            }
        }
        svg.text((left + plot / 2.0, bottom + 36.0), Anchor::Middle, LABEL, &self.x_label);
        if self.series.len() > 1 {
            let mut at = left;
            for (i, name) in self.series.iter().enumerate() {
                bar(&mut svg, at, top, 12.0, colour(i));
                svg.text((at + 18.0, top + 10.0), Anchor::Start, SMALL, name);
                at += 36.0 + SMALL.width(name);
            }
        }

        let (mut y, mut group) = (top + legend, 0);
        for (i, row) in self.rows.iter().enumerate() {
            if self.opens_group(i) {
                group += usize::from(i > 0);
                svg.text((16.0, y + 16.0), Anchor::Start, SMALL, &row.group);
                y += HEADER;
            }
            let middle = y + BAR * self.series.len().max(1) as f64 / 2.0;
            svg.text((left - 8.0, middle + 4.0), Anchor::End, LABEL, &row.label);
            for (s, value) in row.values.iter().enumerate() {
                let tint = colour(if self.series.len() > 1 { s } else { group });
                let at = y + BAR * s as f64;
                let Some(end) = x(value.value) else { continue };
                bar(&mut svg, left, at + 1.0, end - left, tint);
                if let Some([low, high]) = value.interval
                    && let (Some(low), Some(high)) = (x(low), x(high))
                {
                    svg.line((low, at + BAR / 2.0), (high, at + BAR / 2.0), GREY);
                }
                let after = value.interval.and_then(|[_, high]| x(high)).unwrap_or(end).max(end);
                svg.text((after + 5.0, at + BAR - 1.5), Anchor::Start, SMALL, &short(value.value));
            }
            y += row_height;
        }
        svg.finish()
    }

    fn opens_group(&self, row: usize) -> bool {
        let group = &self.rows[row].group;
        !group.is_empty() && (row == 0 || self.rows[row - 1].group != *group)
    }
}

fn bar(svg: &mut Svg, x: f64, y: f64, width: f64, colour: &str) {
    svg.push(format_args!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{colour}\"/>",
        number(x),
        number(y),
        number(width.max(0.0)),
        number(BAR - 2.0)
    ));
}

/// Whole numbers as they are, others with three digits.
fn short(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 {
        return format!("{value}");
    }
    let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values() {
        let value = |value| vec![BarValue { value, interval: None }];
        let row = |group: &str, label: &str, v| Row { group: group.into(), label: label.into(), values: value(v) };
        let chart = Bars {
            title: "Units <by> class".into(),
            x_label: "units".into(),
            series: vec!["units".into()],
            rows: vec![row("objects", "tree", 10.0), row("objects", "sky", 5.0), row("parts", "roof", f64::NAN)],
        };
        let svg = chart.to_svg();
        assert!(svg.contains("Units &lt;by&gt; class") && svg.contains(">objects<") && svg.contains(">parts<"));
        let widths: Vec<f64> = svg
            .match_indices("<rect x=")
            .map(|(at, _)| svg[at..].split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(widths, [PLOT, PLOT / 2.0], "a value that is not a number has no bar");
        assert!(!svg.contains("NaN"));
        assert!(chart.to_svg_of_width(100.0).contains("width=\"50\""), "half of the longest bar");
        assert_eq!(short(0.012_345), "0.0123");
        assert!(Bars::default().to_svg().ends_with("</svg>\n"));
    }
}
