//! Figures for people and for programs: never without what they were measured by.

use metrics::record::{Figure, Images};
use metrics::statistics::Statistics;
use score::{Choice, Extractor, Found, Record, title};
use serde_json::{Map, Value, json};

/// What `--json` prints.
pub(crate) fn json(found: &Found, extractor: Option<&Extractor>) -> Value {
    let metrics = found.records.iter().map(|record| {
        let mut fields = Map::from_iter([("protocol".to_owned(), Value::from(record.name.clone()))]);
        if let Ok(Value::Object(figure)) = serde_json::to_value(record.figure) {
            fields.extend(figure.into_iter().filter(|(key, _)| key != "metric"));
        }
        (record.figure.word().to_owned(), Value::Object(fields))
    });
    let first = found.records.first();
    let made = &found.generated.made;
    let unknown = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".into());
    let statistics = found.generated.statistics.as_ref();
    json!({
        "features": {
            "name": first.map_or_else(|| unknown(&made.extractor), |record| record.extraction.extractor.clone()),
            "weights": first.map_or_else(|| unknown(&made.weights), |record| record.extraction.weights.clone()),
            "width": extractor.map(Extractor::width).or_else(|| statistics.map(|s| s.mean().len())),
        },
        "resize": first.map_or_else(|| unknown(&made.resize), |record| record.extraction.resize.clone()),
        "n": first.map(|record| record.generated.count).or_else(|| statistics.and_then(Statistics::samples)),
        "generated": first.map(|record| &record.generated),
        "reference": found.records.iter().find_map(|record| record.real.as_ref()),
        "model": first.and_then(|record| record.model.as_ref()),
        "cached": found.cached,
        "metrics": metrics.collect::<Map<String, Value>>(),
    })
}

/// A line for each figure, then what all of them depend on.
pub(crate) fn text(found: &Found) -> String {
    let titles: Vec<String> = found.records.iter().map(title).collect();
    let width = titles.iter().map(|title| title.chars().count()).max().unwrap_or_default();
    let line = |(title, record): (&String, &Record)| format!("{title:width$}  {}\n", said(&record.figure));
    let mut lines: Vec<String> = titles.iter().zip(&found.records).map(line).collect();
    if let Some(first) = found.records.first() {
        lines.push(format!("generated: {}\n", images(&first.generated)));
        if let Some(real) = found.records.iter().find_map(|record| record.real.as_ref()) {
            let kept = if found.cached { "; what is known of them was kept" } else { "" };
            lines.push(format!("reference: {}{kept}\n", images(real)));
        }
        lines.push(format!("resize: {}{}\n", first.extraction.resize, divisor(&found.records)));
    }
    lines.concat()
}

fn divisor(records: &[Record]) -> String {
    let found = records.iter().find_map(|record| match record.figure {
        Figure::Fid(fid) => fid.divisor,
        Figure::FidInfinity(fid) => Some(fid.divisor),
        _ => None,
    });
    found.map_or_else(String::new, |divisor| format!("; covariances divided by {}", divisor.name()))
}

/// A share in percent without zeros at its end.
fn percent(share: f64) -> String {
    let text = format!("{:.3}", 100.0 * share);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A figure in words.
fn said(figure: &Figure) -> String {
    match figure {
        Figure::Fid(fid) => format!("{} (means apart: {})", number(fid.value), number(fid.of_means)),
        Figure::FidInfinity(fid) => format!(
            "{} ({} % interval {} to {}; {} at all images)",
            number(fid.value),
            percent(fid.options.confidence),
            number(fid.interval.low),
            number(fid.interval.high),
            number(fid.at_all)
        ),
        Figure::Kid(kid) => format!("{} (deviation over subsets: {})", number(kid.value), number(kid.deviation)),
        Figure::Mind(mind) => {
            format!("{} (error of directions: {})", number(mind.value), number(mind.error_of_directions))
        }
        Figure::InceptionScore(score) => {
            let deviation =
                score.deviation.map_or_else(String::new, |d| format!(" (deviation over splits: {})", number(d)));
            format!("{}{deviation} of {} classes", number(score.value), score.classes)
        }
        Figure::Neighbourhoods(n) => format!(
            "precision {:.4}, recall {:.4}, density {:.4}, coverage {:.4} (k = {})",
            n.precision, n.recall, n.density, n.coverage, n.options.k
        ),
        Figure::PathLength(path) => format!(
            "{} (deviation over steps: {}; steps of {:e}, {} of {} of them)",
            number(path.value),
            number(path.deviation),
            path.options.step,
            path.kept,
            path.pairs
        ),
    }
}

/// Five digits.
fn number(value: f64) -> String {
    let digits = if value == 0.0 || !value.is_finite() { 0 } else { value.abs().log10().floor() as i32 };
    if (-4..6).contains(&digits) { format!("{value:.*}", (4 - digits).max(0) as usize) } else { format!("{value:.4e}") }
}

fn images(images: &Images) -> String {
    let choice = match images.choice {
        Choice::All => String::new(),
        Choice::First => ", the first ones".into(),
        Choice::Random { seed } => format!(", by chance (seed {seed})"),
    };
    let size = images.size.map_or_else(String::new, |[height, width]| format!(", {width}x{height}"));
    let mirrored = if images.mirrored { ", mirrored as well" } else { "" };
    let count = if images.count == 0 { "unknown number of".to_owned() } else { images.count.to_string() };
    format!("{count} images of {}{choice}{size}{mirrored}", images.set)
}

#[cfg(test)]
mod tests {
    use super::{number, percent};

    #[test]
    fn shares_have_no_zeros_at_their_end() {
        assert_eq!([0.95, 0.999, 0.5, 0.57, 1.0 / 3.0].map(percent), ["95", "99.9", "50", "57", "33.333"]);
    }

    #[test]
    fn numbers_have_five_digits() {
        let said = [0.0, 12.345_678, -0.000_912_346, 123_456.7, 1e-9, 2.5e12].map(number);
        assert_eq!(said, ["0.0000", "12.346", "-0.00091235", "123457", "1.0000e-9", "2.5000e12"]);
    }
}
