//! The curves of a run, from its `stats.jsonl`: each quantity that the recipe has, on an axis of its own.

use crate::run::Stats;
use plot::{BandPoint, LineChart, Scale, Series};
use std::collections::BTreeSet;

/// Points along a curve: neighbouring generations are put together.
const POINTS: usize = 120;
/// The name of the file.
pub(crate) const FILE: &str = "curves.svg";

/// The curves so far as one SVG.
pub(crate) fn chart(stats: &[Stats]) -> String {
    let windows: Vec<&[Stats]> = stats.chunks(stats.len().div_ceil(POINTS).max(1)).collect();
    let curve = |name: &str, of: &dyn Fn(&Stats) -> Option<f64>| {
        let points = windows.iter().filter_map(|w| Some([middle(w), mean(w.iter().filter_map(of))?]));
        Series { name: name.to_owned(), points: points.collect(), band: Vec::new() }
    };
    let chart = |title: &str, series: Vec<Series>| LineChart {
        title: title.to_owned(),
        x_label: "generation".to_owned(),
        y_label: String::new(),
        x_scale: Scale::Linear,
        y_scale: Scale::Linear,
        series,
    };
    let winner = |s: &Stats| s.survivors.first().and_then(|&i| s.children.get(i)).cloned();
    let distances: Vec<[f64; 2]> = stats.iter().filter_map(|s| Some([s.generation as f64, s.distance?])).collect();
    let quality = Series { band: spread(&windows), ..curve("winner (band: all children)", &|s| winner(s)?.fq) };
    let modes = curve("", &|s| s.modes.map(|modes| modes as f64));

    // The paper's selection curves: each mutation's share of the best survivors.
    let mutations: BTreeSet<&str> =
        stats.iter().flat_map(|s| &s.children).filter_map(|c| c.mutation).map(crate::Loss::name).collect();
    let share = |name: &&str| {
        let won = |s: &Stats| winner(s)?.mutation.map(|mutation| f64::from(u8::from(mutation.name() == *name)));
        curve(name, &won)
    };
    let checked = |of: fn(&crate::estimate::Check) -> f64| -> Vec<[f64; 2]> {
        stats.iter().filter_map(|s| Some([s.generation as f64, of(s.check.as_ref()?)])).collect()
    };
    let trust = [
        ("right winners of the last ten checks", checked(|check| check.agreement)),
        ("margins above noise", checked(|check| check.clear)),
    ]
    .map(|(name, points)| Series { name: name.into(), points, band: Vec::new() });
    let scores = Series {
        name: stats.iter().rev().find_map(|s| s.score.as_ref()).map_or(String::new(), |last| last.name.clone()),
        points: stats.iter().filter_map(|s| Some([s.generation as f64, s.score.as_ref()?.value])).collect(),
        band: Vec::new(),
    };
    // Where there is one mutation, it wins.
    let shares = if mutations.len() > 1 { mutations.iter().map(share).collect() } else { Vec::new() };

    let all = [
        chart("Score at checkpoints", vec![scores]),
        chart(
            "Distance of samples from reals, at checkpoints",
            vec![Series { points: distances, ..Series::default() }],
        ),
        chart("Variance of the samples (towards 0: they are all alike)", vec![curve("", &|s| s.sample_variance)]),
        chart("Modes that the samples reach", vec![modes]),
        chart("Loss of the discriminator", vec![curve("", &|s| Some(s.d_loss))]),
        chart("Reals that the discriminator tells from fakes (0.5: by chance)", vec![curve("", &|s| s.d_accuracy)]),
        chart("Learning rates", vec![curve("generators", &|s| s.lr_g), curve("discriminator", &|s| s.lr_d)]),
        chart("Which mutation wins: share of generations", shares),
        chart("Estimates of fitness: shares of checks", trust.to_vec()),
        chart("Quality Fq", vec![quality]),
        chart("Diversity Fd of the winner", vec![curve("", &|s| winner(s)?.fd)]),
    ];
    let shown: Vec<LineChart> =
        all.into_iter().filter(|chart| chart.series.iter().any(|s| !s.points.is_empty())).collect();
    LineChart::stacked("The run so far", &shown)
}

/// The range of quality among the children of each window.
fn spread(windows: &[&[Stats]]) -> Vec<BandPoint> {
    let range = |w: &&[Stats]| {
        let all = || w.iter().flat_map(|s| &s.children).filter_map(|c| c.fq);
        let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
        (low <= high).then(|| BandPoint { x: middle(w), low, high })
    };
    windows.iter().filter_map(range).collect()
}

fn middle(window: &[Stats]) -> f64 {
    window.get(window.len() / 2).map_or(0.0, |s| s.generation as f64)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loss;
    use crate::generation::Child;

    #[test]
    fn curves_name_every_mutation_and_stand_gaps() {
        let child = |mutation, fq| Child { parent: 0, mutation: Some(mutation), fq, fd: None, f: fq };
        let stats: Vec<Stats> = (1..=300)
            .map(|generation| Stats {
                generation,
                seconds: 0.1,
                loading: 0.0,
                images: generation,
                children: vec![child(Loss::Minimax, Some(0.2)), child(Loss::Heuristic, Some(0.4))],
                survivors: vec![usize::from(generation > 100)],
                d_loss: 1.0,
                g_gradient: 1.0,
                d_gradient: 1.0,
                images_per_second: 10.0,
                memory: None,
                sample_variance: None,
                d_accuracy: None,
                modes: None,
                lr_g: None,
                lr_d: None,
                check: None,
                collapsed: false,
                distance: None,
                score: None,
            })
            .collect();
        let svg = chart(&stats);
        assert!(svg.starts_with("<svg") && !svg.contains("NaN"));
        for title in ["minimax", "heuristic", "Which mutation wins", "Quality Fq", "Loss of the discriminator"] {
            assert!(svg.contains(title), "{title}");
        }
        for nothing in ["Diversity", "Variance", "Distance", "Modes", "Learning rates"] {
            assert!(!svg.contains(nothing), "{nothing}: an axis would be empty");
        }
        let alone: Vec<Stats> =
            stats.into_iter().map(|s| Stats { children: s.children[..1].to_vec(), survivors: vec![0], ..s }).collect();
        assert!(!chart(&alone).contains("Which mutation wins"), "one mutation always wins");
        assert!(chart(&[]).starts_with("<svg"));
        let falling = |s: &Stats| Stats { lr_g: Some(1e-4 / s.generation as f64), lr_d: Some(1e-4), ..s.clone() };
        assert!(chart(&alone.iter().map(falling).collect::<Vec<_>>()).contains("Learning rates"));
        let mut scored = alone[0].clone();
        scored.score = Some(crate::run::Scored { name: "fid2k scenes:middle@00".into(), value: 3.0 });
        assert!(chart(&[scored]).contains("fid2k scenes:middle@00"));
    }
}
