use std::fmt::Display;

/// Text.
pub(crate) const INK: &str = "#222222";
/// Less important text, and axes.
pub(crate) const GREY: &str = "#5f6368";
/// Grid lines and frames.
pub(crate) const GRID: &str = "#e3e5e8";

/// What makes SVG of a file; inside of a page it is known.
const NAMESPACE: &str = " xmlns=\"http://www.w3.org/2000/svg\"";
/// The ground.
const PAPER: &str = "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>";

/// A chart as part of a page that may be light or dark: without a ground, ink and lines in the page's own `--plot-ink`,
/// `--plot-soft` and `--plot-grid`.
pub fn for_page(svg: &str) -> String {
    let bare = svg.replacen(NAMESPACE, "", 1).replacen(PAPER, "", 1);
    // A text between tags cannot hold `="`: quotes are escaped there.
    [(INK, "ink"), (GREY, "soft"), (GRID, "grid")]
        .iter()
        .fold(bare, |svg, (colour, name)| svg.replace(&format!("=\"{colour}\""), &format!("=\"var(--plot-{name})\"")))
}

/// Where a text is anchored.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(crate) struct Font {
    pub(crate) size: f64,
    pub(crate) colour: &'static str,
    pub(crate) bold: bool,
}

pub(crate) const TITLE: Font = Font { size: 16.0, colour: INK, bold: true };
pub(crate) const LABEL: Font = Font { size: 13.0, colour: INK, bold: false };
pub(crate) const SMALL: Font = Font { size: 12.0, colour: GREY, bold: false };

impl Font {
    /// About how wide a text is, in pixels: sans-serif letters average a little over half their size.
    pub(crate) fn width(self, text: &str) -> f64 {
        text.chars().count() as f64 * self.size * if self.bold { 0.62 } else { 0.58 }
    }
}

/// A picture under construction.
pub(crate) struct Svg(String);

impl Svg {
    /// A white page of `width` x `height` pixels; `title` is what a screen reader says.
    pub(crate) fn new(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Self(String::new());
        svg.push(format_args!(
            "<svg{NAMESPACE} width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">"
        ));
        svg.push(format_args!("<title>{}</title>", escape(title)));
        svg.push(PAPER);
        svg
    }

    /// One line of markup as it stands.
    pub(crate) fn push(&mut self, markup: impl Display) {
        self.0.push_str(&markup.to_string());
        self.0.push('\n');
    }

    /// A text with its baseline at `y`.
    pub(crate) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, font: Font, text: &str) {
        self.turned_text((x, y), anchor, font, text, "");
    }

    /// A text that reads upwards, its middle at `(x, y)`.
    pub(crate) fn upward_text(&mut self, (x, y): (f64, f64), font: Font, text: &str) {
        let turn = format!(" transform=\"rotate(-90 {} {})\"", number(x), number(y));
        self.turned_text((x, y), Anchor::Middle, font, text, &turn);
    }

    fn turned_text(&mut self, (x, y): (f64, f64), anchor: Anchor, font: Font, text: &str, turn: &str) {
        if text.is_empty() {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = if font.bold { " font-weight=\"600\"" } else { "" };
        self.push(format_args!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{weight}{anchor}{turn}>{}</text>",
            number(x),
            number(y),
            font.size,
            font.colour,
            escape(text)
        ));
    }

    pub(crate) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str) {
        self.push(format_args!(
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{colour}\"/>",
            number(x1),
            number(y1),
            number(x2),
            number(y2)
        ));
    }

    pub(crate) fn finish(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }
}

/// A coordinate with at most one decimal: a tenth of a pixel is finer than anybody sees, and files stay small.
pub(crate) fn number(x: f64) -> String {
    let text = format!("{x:.1}");
    match text.strip_suffix(".0").unwrap_or(&text) {
        "-0" => "0".into(),
        short => short.into(),
    }
}

/// Text for between tags and in attributes; characters that XML forbids, or that make a name look like another, become U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            c if base::is_deceptive(c) || c == '\u{fffe}' || c == '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_only_text() {
        assert_eq!(
            escape("<img onerror=\"x\"> & ' \u{0}\n"),
            "&lt;img onerror=&quot;x&quot;&gt; &amp; &#39; \u{fffd} "
        );
        assert_eq!(escape("gpj.\u{202e}\u{2066}\u{200f}\u{61c}x"), "gpj.\u{fffd}\u{fffd}\u{fffd}\u{fffd}x");
    }

    #[test]
    fn a_chart_in_a_page_takes_the_colours_of_the_page() {
        let mut svg = Svg::new(20.0, 10.0, "fill=\"#222222\"");
        svg.text((1.0, 2.0), Anchor::Start, LABEL, "x");
        svg.line((0.0, 0.0), (1.0, 1.0), GRID);
        let page = for_page(&svg.finish());
        assert!(page.starts_with("<svg width=\"20\"") && !page.contains("#ffffff") && !page.contains("http"), "{page}");
        assert!(page.contains("fill=\"var(--plot-ink)\"") && page.contains("stroke=\"var(--plot-grid)\""), "{page}");
        assert!(page.contains("<title>fill=&quot;#222222&quot;</title>"), "names keep what they say: {page}");
    }

    #[test]
    fn coordinates_are_short() {
        let texts = [1.0, -0.04, 12.345, 0.25, -3.96].map(number);
        assert_eq!(texts, ["1", "0", "12.3", "0.2", "-4"]);
    }
}
