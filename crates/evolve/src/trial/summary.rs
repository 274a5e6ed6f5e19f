//! What came out of a trial: the table, the list of runs, the picture.

use super::{Trial, mixture_of};
use data::toys::Toy;
use metrics::summary;
use net::Result;
use plot::{Circle, Dots, Panel, Panels};
use serde::Serialize;
use std::fmt::Write;

/// Resamples of the bootstrap intervals.
const RESAMPLES: u64 = 10_000;

/// A figure of an arm over its seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Median.
    pub median: f64,
    /// Lower end of the 95 % bootstrap interval of the median; none of a single run.
    pub low: Option<f64>,
    /// Upper end; none of a single run.
    pub high: Option<f64>,
}

/// An arm in the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The arm.
    pub arm: String,
    /// Runs.
    pub seeds: usize,
    /// Modes covered.
    pub modes: Figure,
    /// Share of high-quality samples.
    pub high_quality: Figure,
    /// KL divergence to the uniform law, in nats.
    pub kl: Figure,
    /// Squared MMD.
    pub mmd2: Figure,
    /// Multiplications with addition per run, median.
    pub macs: f64,
    /// Two-sided p-value of a rank-sum test of the KL divergence against the arm `random`; needs some 8 seeds to mean
    /// anything. `null` where there is no such arm, or one run of each.
    pub p_against_random: Option<f64>,
}

/// One row per arm, in the order of the results.
pub fn table(results: &[Trial]) -> Vec<Row> {
    let mut arms: Vec<&str> = Vec::new();
    for t in results {
        if !arms.contains(&t.arm.as_str()) {
            arms.push(&t.arm);
        }
    }
    let of = |arm: &str, f: fn(&Trial) -> f64| results.iter().filter(|t| t.arm == arm).map(f).collect::<Vec<f64>>();
    let figure = |arm: &str, f: fn(&Trial) -> f64| {
        let values = of(arm, f);
        // One run says nothing of how others would end.
        let interval = (values.len() > 1).then(|| summary::median_interval(&values, 0.95, RESAMPLES, 0));
        Figure { median: summary::median(&values), low: interval.map(|i| i.low), high: interval.map(|i| i.high) }
    };
    let against = |arm: &str| {
        let random = of("random", |t| t.kl);
        (random.len() > 1 && arm != "random").then(|| summary::compare_ranks(&of(arm, |t| t.kl), &random).p)
    };
    arms.iter()
        .map(|arm| Row {
            arm: (*arm).to_owned(),
            seeds: of(arm, |t| t.kl).len(),
            modes: figure(arm, |t| t.modes as f64),
            high_quality: figure(arm, |t| t.high_quality),
            kl: figure(arm, |t| t.kl),
            mmd2: figure(arm, |t| t.mmd2),
            macs: summary::median(&of(arm, |t| t.macs as f64)),
            p_against_random: against(arm).filter(|p| p.is_finite()),
        })
        .collect()
}

/// All runs as comma-separated values.
pub fn csv(results: &[Trial]) -> String {
    let mut text = String::from("arm,seed,modes,high_quality,kl,mmd2,macs,seconds,selected,agreement\n");
    for t in results {
        let selected: Vec<String> = t.selected.iter().map(|(m, n)| format!("{m}:{n}")).collect();
        _ = writeln!(
            text,
            "{},{},{},{:.6},{:.6},{:.6},{},{:.2},{},{}",
            t.arm,
            t.seed,
            t.modes,
            t.high_quality,
            t.kl,
            t.mmd2,
            t.macs,
            t.seconds,
            selected.join(" "),
            t.checks.map_or(String::new(), |checks| format!("{:.3}", checks.agreement))
        );
    }
    text
}

/// The samples of each arm's median run (by KL divergence) over the mixture, as SVG.
pub fn clouds(toy: Toy, results: &[Trial]) -> Result<String> {
    let mixture = mixture_of(toy)?;
    let wide = |p: &[f32; 2]| p.map(f64::from);
    let circles: Vec<Circle> =
        mixture.centres.iter().map(|&centre| Circle { centre, radius: 3.0 * mixture.sigma }).collect();
    let panels = table(results)
        .iter()
        .filter_map(|row| {
            let mut runs: Vec<&Trial> = results.iter().filter(|t| t.arm == row.arm).collect();
            runs.sort_by(|a, b| a.kl.total_cmp(&b.kl).then(a.seed.cmp(&b.seed)));
            let run = runs.get(runs.len() / 2)?;
            Some(Panel {
                title: format!(
                    "{}: {}/{}, {:.0} %",
                    run.arm,
                    run.modes,
                    mixture.centres.len(),
                    100.0 * run.high_quality
                ),
                dots: vec![Dots { name: "samples".into(), points: run.cloud.iter().map(wide).collect() }],
                circles: circles.clone(),
            })
        })
        .collect();
    let title = format!("{}: modes covered and share of good samples, the run of median KL", toy.name());
    Ok(Panels { title, columns: 3, range: Some([-2.0, 2.0]), panels }.to_svg())
}
