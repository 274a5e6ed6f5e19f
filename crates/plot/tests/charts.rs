//! Charts are pinned to the byte; `cargo insta review` shows what changed. With `CHARTS` set to a folder, larger
//! examples are written there for the eye.

use base::seed::Stream;
use ganatomy_plot::{BandPoint, Circle, Dots, LineChart, Panel, Panels, Scale, Series};

#[test]
fn a_line_chart() {
    let chart = LineChart {
        title: "Modes <found> & kept".into(),
        x_label: "generation".into(),
        y_label: "modes".into(),
        series: vec![
            Series {
                name: "E-GAN".into(),
                points: vec![[0.0, 1.0], [500.0, 4.0], [1000.0, 7.5]],
                band: vec![
                    BandPoint { x: 0.0, low: 0.5, high: 1.5 },
                    BandPoint { x: 500.0, low: 3.0, high: 5.5 },
                    BandPoint { x: 1000.0, low: 7.0, high: 8.0 },
                ],
            },
            Series {
                name: "minimax".into(),
                points: vec![[0.0, 1.0], [250.0, 2.0], [500.0, f64::NAN], [750.0, 2.5], [800.0, f64::INFINITY]],
                band: vec![],
            },
        ],
        ..LineChart::default()
    };
    insta::assert_snapshot!("line_chart", chart.to_svg());
}

#[test]
fn charts_below_each_other() {
    let chart = |title: &str, name: &str, points: Vec<[f64; 2]>| LineChart {
        title: title.into(),
        x_label: "generation".into(),
        series: vec![Series { name: name.into(), points, band: Vec::new() }],
        ..LineChart::default()
    };
    let rows = [
        chart("Loss", "", vec![[10.0, 2.0], [20.0, 1.9]]),
        chart("Distance", "of samples", vec![[100.0, 12_000.0], [200.0, 8_000.0]]),
    ];
    let svg = LineChart::stacked("A run", &rows);
    assert_eq!(svg.matches(">generation<").count(), 1, "the common axis is named once");
    insta::assert_snapshot!("stacked", svg);
}

#[test]
fn panels_of_points() {
    let panel = |title: &str, points: Vec<[f64; 2]>| Panel {
        title: title.into(),
        dots: vec![Dots { name: "generated".into(), points }],
        circles: vec![Circle { centre: [0.0, 0.0], radius: 0.5 }],
    };
    let panels = Panels {
        title: "Rings".into(),
        columns: 2,
        range: Some([-2.0, 2.0]),
        panels: vec![
            panel("a \"b\"", vec![[0.0, 0.0], [1.0, 2.0], [3.0, 0.0], [f64::NAN, 0.0]]),
            panel("c", vec![]),
            panel("d", vec![[-2.0, -2.0]]),
        ],
    };
    insta::assert_snapshot!("panels", panels.to_svg());
}

#[test]
fn nothing_to_draw_is_still_a_picture() {
    for svg in [LineChart::default().to_svg(), Panels::default().to_svg()] {
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"));
    }
    let extreme = vec![[f64::MAX, f64::MIN], [f64::MIN, f64::MAX], [f64::MIN_POSITIVE, 5e-324]];
    for scale in [Scale::Linear, Scale::Log] {
        let series = vec![Series { points: extreme.clone(), ..Series::default() }];
        let svg = LineChart { series, x_scale: scale, y_scale: scale, ..LineChart::default() }.to_svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
    let panel = Panel { dots: vec![Dots { name: String::new(), points: extreme }], ..Panel::default() };
    let svg = Panels { panels: vec![panel], ..Panels::default() }.to_svg();
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

fn curve(name: &str, level: f64, index: u64) -> Series {
    let mut draw = Stream::new(1, "plot", index);
    let mut points = Vec::new();
    let mut value = 2.0;
    for x in 0..100 {
        value += 0.08 * (level - value) + 0.03 * level * draw.normal();
        points.push([f64::from(x) * 500.0, value]);
    }
    let band = points.iter().map(|p| BandPoint { x: p[0], low: p[1] * 0.8, high: p[1] * 1.25 }).collect();
    Series { name: name.into(), points, band }
}

#[test]
fn larger_examples_for_the_eye() {
    let Ok(folder) = std::env::var("CHARTS") else { return };
    let names =
        ["minimax", "heuristic", "least squares", "random mutation", "E-GAN", "E-GAN, γ = 0", "WGAN-GP, long name"];
    let write = |name: &str, svg: String| std::fs::write(format!("{folder}/{name}.svg"), svg).unwrap();
    let mut chart = LineChart {
        title: "Squared MMD on 8 Gaussians, median of 50 runs with 95 % interval".into(),
        x_label: "generation".into(),
        y_label: "squared MMD (biased)".into(),
        series: (0..5).map(|i| curve(names[i], 0.05 * 2.2_f64.powi(i as i32), i as u64)).collect(),
        ..LineChart::default()
    };
    write("linear", chart.to_svg());
    chart.y_scale = Scale::Log;
    chart.series = (0..7).map(|i| curve(names[i], 0.002 * 3.2_f64.powi(i as i32), i as u64)).collect();
    write("log", chart.to_svg());
    chart.series.truncate(1);
    chart.series[0].name.clear();
    chart.x_scale = Scale::Log;
    write("single", chart.to_svg());
    let centres: Vec<[f64; 2]> = (0..8)
        .map(|k| std::f64::consts::FRAC_PI_4 * f64::from(k))
        .map(|a| [1.414 * a.cos(), 1.414 * a.sin()])
        .collect();
    let sample = |modes: usize, sigma: f64, index| {
        let mut draw = Stream::new(2, "plot", index);
        (0..512)
            .map(|_| {
                let centre = *draw.choose(&centres[..modes]);
                centre.map(|v| v + sigma * draw.normal())
            })
            .collect::<Vec<_>>()
    };
    let panels = names.iter().enumerate().map(|(i, name)| Panel {
        title: (*name).into(),
        dots: vec![
            Dots { name: "real".into(), points: sample(8, 0.0141, 99) },
            Dots { name: "generated".into(), points: sample(8 - i, 0.02 + 0.03 * i as f64, i as u64) },
        ],
        circles: centres.iter().map(|&centre| Circle { centre, radius: 3.0 * 0.0141 }).collect(),
    });
    let title = "512 samples after 50,000 generations".into();
    write("panels", Panels { title, columns: 4, range: Some([-2.0, 2.0]), panels: panels.collect() }.to_svg());
}

#[test]
fn a_series_with_nothing_to_show_is_not_in_the_legend() {
    let series = |name: &str, y| Series { name: name.into(), points: vec![[0.0, 1.0], [1.0, y]], band: Vec::new() };
    let never = Series { name: "never".into(), points: vec![[0.0, f64::NAN], [1.0, f64::NAN]], band: Vec::new() };
    let empty = Series { name: "empty".into(), points: Vec::new(), band: Vec::new() };
    let chart = LineChart {
        series: vec![never, series("once", f64::NAN), empty, series("always", 2.0)],
        ..LineChart::default()
    };
    let svg = chart.to_svg();
    for (name, there) in [("never", false), ("empty", false), ("once", true), ("always", true)] {
        assert_eq!(svg.contains(&format!(">{name}</text>")), there, "{name}");
    }
}
