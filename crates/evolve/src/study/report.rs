//! What came out of a study.

use super::one::Outcome;
use super::plan::Plan;
use super::run::Found;
use base::csv_field;
use metrics::summary::{self, Interval};
use plot::{BarValue, Bars};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use train::table::{flatten, typed};

/// Resamples of the bootstrap intervals.
const RESAMPLES: u64 = 10_000;

/// A figure with its 95 % bootstrap interval over seeds; none of a single run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The value.
    pub value: f64,
    /// Its interval.
    pub interval: Option<Interval>,
}

/// An arm in the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The arm.
    pub arm: String,
    /// The values that tuning chose for it, as people type them.
    pub chosen: String,
    /// Fresh seeds.
    pub seeds: usize,
    /// Of them those that ended on a value that is not finite; figures are of the others.
    pub failed: usize,
    /// Median of the figure.
    pub median: Option<Figure>,
    /// Geometric mean of the figure: the mean of its logarithms decides.
    pub geometric_mean: Option<Figure>,
    /// The arm's geometric mean divided by that of the reference; below 1 is better. The reference itself has none.
    pub ratio: Option<Figure>,
    /// Medians over seeds of all figures that were measured.
    pub medians: BTreeMap<String, f64>,
    /// Median of generations.
    pub generations: f64,
    /// Median of reals that the discriminator learnt from.
    pub images: f64,
    /// Median of multiplications with addition.
    pub macs: f64,
    /// Median of seconds.
    pub seconds: f64,
    /// Share of right winners of estimated fitness, over all checks, where there were any.
    pub agreement: Option<f64>,
}

/// A run in the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Line {
    stage: &'static str,
    arm: String,
    chosen: String,
    seed: u64,
    outcome: Outcome,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What is claimed or asked.
    pub claim: String,
    /// The figure that decides.
    pub figure: String,
    /// The arm with which all are compared.
    pub reference: String,
    /// An arm each, in the order of the plan.
    pub arms: Vec<Row>,
    #[serde(skip)]
    lines: Vec<Line>,
}

impl Report {
    pub(super) fn of(plan: &Plan, chosen: &[usize], tried: &[Found], found: &[Found]) -> Self {
        let values = |[arm, t]: [usize; 2]| {
            let table = plan.arms.get(arm).and_then(|arm| plan.tries(arm).get(t));
            let pairs = table.map(flatten).unwrap_or_default();
            pairs.into_iter().map(|(key, value)| format!("{key}={}", typed(&value))).collect::<Vec<_>>().join(" ")
        };
        let line = |stage, found: &Found| Line {
            stage,
            arm: plan.arms[found.place[0]].name.clone(),
            chosen: values(found.place),
            seed: found.seed,
            outcome: found.outcome.clone(),
        };
        let lines = tried.iter().map(|f| line("tuning", f)).chain(found.iter().map(|f| line("fresh", f))).collect();
        let of = |arm: usize| found.iter().filter(|f| f.place[0] == arm).map(|f| &f.outcome).collect::<Vec<_>>();
        let reference = plan.arms.iter().position(|arm| arm.name == plan.reference).unwrap_or_default();
        let base = logs(plan, &of(reference));
        let row = |k: usize| row(plan, k, values([k, chosen[k]]), &of(k), (k != reference).then_some(&base));
        Self {
            claim: plan.claim.clone(),
            figure: plan.figure.clone(),
            reference: plan.reference.clone(),
            arms: (0..plan.arms.len()).map(row).collect(),
            lines,
        }
    }

    /// All runs as comma-separated values, those of tuning first.
    pub fn csv(&self) -> String {
        let names: BTreeSet<&str> =
            self.lines.iter().flat_map(|line| line.outcome.figures.keys()).map(String::as_str).collect();
        let mut text = "stage,arm,chosen,seed,".to_owned();
        names.iter().for_each(|name| text.extend([name, ","]));
        text += "generations,images,macs,seconds,agreement,selected,failed\n";
        for line in &self.lines {
            let o = &line.outcome;
            _ = write!(text, "{},{},{},{},", line.stage, csv_field(&line.arm), csv_field(&line.chosen), line.seed);
            for name in &names {
                text += &o.figures.get(*name).map_or(",".to_owned(), |value| format!("{value:.6},"));
            }
            let selected: Vec<String> = o.selected.iter().map(|(loss, n)| format!("{loss}:{n}")).collect();
            let agreement = o.checks.map_or(String::new(), |checks| format!("{:.3}", checks.agreement));
            let failed = csv_field(o.failed.as_deref().unwrap_or_default());
            let (images, macs, seconds) = (o.images, o.macs, o.seconds);
            _ = writeln!(
                text,
                "{},{images},{macs},{seconds:.2},{agreement},{},{failed}",
                o.generations,
                selected.join(" ")
            );
        }
        text
    }

    /// The table for people, in lines.
    pub fn text(&self) -> String {
        let lines = self.cells();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
        let row = |line: &Vec<String>| {
            let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, &w)| format!("{cell:<w$}")).collect();
            cells.join("  ").trim_end().to_owned() + "\n"
        };
        lines.iter().map(row).collect()
    }

    /// The claim and the table in Markdown.
    pub fn markdown(&self) -> String {
        let row = |cells: &Vec<String>| {
            format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
        };
        let cells = self.cells();
        let rule = format!("|{}\n", "---|".repeat(cells[0].len()));
        let body: String = cells[1..].iter().map(row).collect();
        format!(
            "{}\n\n{}{rule}{body}\nMedian and geometric mean of `{}` over seeds with 95 % bootstrap intervals; ratio of geometric means to `{}`, below 1 is better.\n",
            self.claim,
            row(&cells[0]),
            self.figure,
            self.reference
        )
    }

    /// The geometric means with their intervals as SVG.
    pub fn chart(&self) -> String {
        let row = |row: &Row| {
            let mean = row.geometric_mean?;
            let interval = mean.interval.map(|i| [i.low, i.high]);
            let values = vec![BarValue { value: mean.value, interval }];
            Some(plot::Row { group: String::new(), label: row.arm.clone(), values })
        };
        Bars {
            title: self.claim.clone(),
            x_label: format!("{}, geometric mean over seeds with its 95 % interval", self.figure),
            series: vec![self.figure.clone()],
            rows: self.arms.iter().filter_map(row).collect(),
        }
        .to_svg()
    }

    fn cells(&self) -> Vec<Vec<String>> {
        let mut head: Vec<String> = ["arm", "seeds", "median", "geometric mean"].map(str::to_owned).to_vec();
        head.push(format!("ratio to {}", self.reference));
        head.extend(["generations", "Gmac", "seconds"].map(str::to_owned));
        let tuned = self.arms.iter().any(|row| !row.chosen.is_empty());
        let checked = self.arms.iter().any(|row| row.agreement.is_some());
        if checked {
            head.push("agreement".into());
        }
        if tuned {
            head.push("chosen".into());
        }
        let line = |row: &Row| {
            let seeds =
                if row.failed > 0 { format!("{} ({} failed)", row.seeds, row.failed) } else { row.seeds.to_string() };
            let mut cells =
                vec![row.arm.clone(), seeds, shown(row.median), shown(row.geometric_mean), shown(row.ratio)];
            cells.extend([
                format!("{:.0}", row.generations),
                format!("{:.1}", row.macs / 1e9),
                format!("{:.0}", row.seconds),
            ]);
            if checked {
                cells.push(row.agreement.map_or("-".into(), |share| format!("{share:.2}")));
            }
            if tuned {
                cells.push(row.chosen.clone());
            }
            cells
        };
        std::iter::once(head).chain(self.arms.iter().map(line)).collect()
    }
}

fn shown(figure: Option<Figure>) -> String {
    match figure {
        None => "-".into(),
        Some(Figure { value, interval: None }) => format!("{value:.4}"),
        Some(Figure { value, interval: Some(i) }) => format!("{value:.4} [{:.4}, {:.4}]", i.low, i.high),
    }
}

/// Logarithms of the figure that decides, of runs that have it.
fn logs(plan: &Plan, outcomes: &[&Outcome]) -> Vec<f64> {
    outcomes.iter().filter_map(|o| o.figures.get(&plan.figure)).map(|f| f.max(plan.floor).ln()).collect()
}

fn row(plan: &Plan, arm: usize, chosen: String, outcomes: &[&Outcome], base: Option<&Vec<f64>>) -> Row {
    let logs = logs(plan, outcomes);
    let values: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
    let of = |f: &dyn Fn(&Outcome) -> f64| summary::median(&outcomes.iter().map(|o| f(o)).collect::<Vec<_>>());
    let figure =
        |value: f64, interval: Interval, several: bool| Figure { value, interval: several.then_some(interval) };
    let exp = |i: Interval| Interval { low: i.low.exp(), high: i.high.exp() };
    let several = values.len() > 1;
    let median = (!values.is_empty())
        .then(|| figure(summary::median(&values), summary::median_interval(&values, 0.95, RESAMPLES, 0), several));
    let geometric_mean = (!logs.is_empty())
        .then(|| figure(summary::mean(&logs).exp(), exp(summary::mean_interval(&logs, 0.95, RESAMPLES, 0)), several));
    let ratio = base.filter(|base| !base.is_empty() && !logs.is_empty()).map(|base| {
        let value = (summary::mean(&logs) - summary::mean(base)).exp();
        let interval = exp(summary::difference_interval(&logs, base, 0.95, RESAMPLES, 0));
        figure(value, interval, several && base.len() > 1)
    });
    let names: BTreeSet<&String> = outcomes.iter().flat_map(|o| o.figures.keys()).collect();
    let median_of = |name: &String| {
        let all: Vec<f64> = outcomes.iter().filter_map(|o| o.figures.get(name).copied()).collect();
        (name.clone(), summary::median(&all))
    };
    let agreements: Vec<f64> = outcomes.iter().filter_map(|o| Some(o.checks?.agreement)).collect();
    Row {
        arm: plan.arms[arm].name.clone(),
        chosen,
        seeds: outcomes.len(),
        failed: outcomes.iter().filter(|o| o.failed.is_some()).count(),
        median,
        geometric_mean,
        ratio,
        medians: names.into_iter().map(median_of).collect(),
        generations: of(&|o| o.generations as f64),
        images: of(&|o| o.images as f64),
        macs: of(&|o| o.macs as f64),
        seconds: of(&|o| o.seconds),
        agreement: (!agreements.is_empty()).then(|| summary::mean(&agreements)),
    }
}
