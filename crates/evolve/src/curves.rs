//! The curves of a run, from its `stats.jsonl`: which mutation wins when, fitness, losses.

use crate::run::Stats;
use plot::{BandPoint, LineChart, Scale, Series};
use std::collections::BTreeSet;

/// Points along a curve: neighbouring generations are put together.
const POINTS: usize = 120;

/// Charts by file name.
pub(crate) fn charts(stats: &[Stats]) -> Vec<(&'static str, String)> {
    let windows: Vec<&[Stats]> = stats.chunks(stats.len().div_ceil(POINTS).max(1)).collect();
    let middle = |window: &[Stats]| window[window.len() / 2].generation as f64;
    let curve = |name: &str, f: &dyn Fn(&Stats) -> Option<f64>| {
        let points = windows.iter().filter_map(|w| Some([middle(w), mean(w.iter().filter_map(f))?]));
        Series { name: name.to_owned(), points: points.collect(), band: Vec::new() }
    };
    let chart = |title: &str, y_label: &str, series: Vec<Series>| LineChart {
        title: title.to_owned(),
        x_label: "generation".to_owned(),
        y_label: y_label.to_owned(),
        x_scale: Scale::Linear,
        y_scale: Scale::Linear,
        series,
    };

    // The paper's selection curves: each mutation's share of the best survivors.
    let winner = |s: &Stats| s.survivors.first().and_then(|&i| s.children.get(i)).and_then(|c| c.mutation);
    let mutations: BTreeSet<&str> =
        stats.iter().flat_map(|s| &s.children).filter_map(|c| c.mutation).map(crate::Loss::name).collect();
    let shares = mutations
        .iter()
        .map(|name| curve(name, &|s| winner(s).map(|m| f64::from(u8::from(m.name() == *name)))))
        .collect();
    let best = |s: &Stats| s.survivors.first().and_then(|&i| s.children.get(i)).cloned();
    let spread = Series {
        band: windows
            .iter()
            .filter_map(|w| {
                let all = || w.iter().flat_map(|s| &s.children).filter_map(|c| c.fq);
                let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
                (low <= high).then(|| BandPoint { x: middle(w), low, high })
            })
            .collect(),
        ..curve("quality Fq of the winner (band: all children)", &|s| best(s)?.fq)
    };
    let distances: Vec<[f64; 2]> = stats.iter().filter_map(|s| Some([s.generation as f64, s.distance?])).collect();
    let scores: Vec<[f64; 2]> =
        stats.iter().filter_map(|s| Some([s.generation as f64, s.score.as_ref()?.value])).collect();
    let scored = stats.iter().rev().find_map(|s| s.score.as_ref()).map(|last| {
        let series = Series { name: last.name.clone(), points: scores, band: Vec::new() };
        ("score.svg", chart("Score at checkpoints", "distance", vec![series]).to_svg())
    });
    let all = [
        ("selection.svg", chart("Which mutation wins", "share of generations", shares).to_svg()),
        (
            "fitness.svg",
            chart("Fitness", "value", vec![spread, curve("diversity Fd of the winner", &|s| best(s)?.fd)]).to_svg(),
        ),
        (
            "loss.svg",
            chart(
                "Discriminator, spread and distance",
                "value",
                vec![
                    curve("loss of D", &|s| Some(s.d_loss)),
                    curve("variance of the samples", &|s| s.sample_variance),
                    Series { name: "distance to the reals at checkpoints".into(), points: distances, band: Vec::new() },
                ],
            )
            .to_svg(),
        ),
    ];
    all.into_iter().chain(scored).collect()
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
                collapsed: false,
                distance: None,
                score: None,
            })
            .collect();
        let charts = charts(&stats);
        assert!(charts[0].1.contains("minimax") && charts[0].1.contains("heuristic"));
        assert!(charts.iter().all(|(_, svg)| svg.starts_with("<svg") && !svg.contains("NaN")));
        assert_eq!(super::charts(&[]).len(), 3);
        let mut scored = stats[0].clone();
        scored.score = Some(crate::run::Scored { name: "fid2k scenes:middle@00".into(), value: 3.0 });
        assert!(super::charts(&[scored])[3].1.contains("fid2k scenes:middle@00"));
    }
}
