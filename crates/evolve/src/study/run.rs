//! A study from its plan to its outcomes: values are tried, then fresh seeds are run.

use super::one::{Job, Outcome};
use super::plan::{Arm, Budget, Plan, TUNING_SEEDS};
use super::report::Report;
use crate::jobs;
use crate::run::Evolution;
use crate::settings::Settings;
use crate::trial::Length;
use net::{Device, Result};
use std::path::{Path, PathBuf};
use train::Training;
use train::signals::Interrupt;

/// An arm with its lengths.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// Its name.
    pub name: String,
    /// Multiplications with addition of one of its generations.
    pub macs: u64,
    /// How long its runs are.
    pub length: Length,
    /// How long its runs of tuning are.
    pub tuning: Option<Length>,
    /// Runs of tuning, and runs that are reported.
    pub runs: [u64; 2],
}

/// What a study tells while it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step<'a> {
    /// So many runs are to be done, of so many in all.
    Open {
        /// Runs that are missing.
        missing: u64,
        /// All runs of this stage.
        of: u64,
        /// Whether they are for tuning.
        tuning: bool,
    },
    /// A run has ended.
    Done {
        /// Its arm.
        arm: &'a str,
        /// Its seed.
        seed: u64,
    },
}

/// The arms of a plan with what their runs take: a generation of each is played.
///
/// # Errors
/// The data cannot be read, or networks do not fit them.
pub fn resolve(plan: &Plan) -> Result<Vec<Resolved>> {
    let macs: Vec<u64> = plan
        .arms
        .iter()
        .map(|arm| macs_of(plan.settings(arm, plan.tries(arm).first(), plan.first_seed)?))
        .collect::<Result<_>>()?;
    let of = |name: &str| plan.arms.iter().position(|arm| arm.name == name).map_or(0, |k| macs[k]);
    let length = |budget: &Budget, own: u64| match (budget.seconds, &budget.compute_of) {
        (Some(seconds), _) => Length::Seconds(seconds),
        (None, None) => Length::Generations(budget.generations.unwrap_or(1)),
        (None, Some(name)) => {
            let all = u128::from(budget.generations.unwrap_or(1)) * u128::from(of(name));
            let own = u128::from(own.max(1));
            // To the nearest.
            Length::Generations(u64::try_from((all + own / 2) / own).unwrap_or(u64::MAX).max(1))
        }
    };
    let arms = plan.arms.iter().zip(&macs).map(|(arm, &macs)| Resolved {
        name: arm.name.clone(),
        macs,
        length: length(&plan.budget, macs),
        tuning: plan.tuning.as_ref().map(|tuning| length(&tuning.budget, macs)),
        runs: [tuning_runs(plan, arm), plan.seeds],
    });
    Ok(arms.collect())
}

fn tuning_runs(plan: &Plan, arm: &Arm) -> u64 {
    let tries = plan.tries(arm).len() as u64;
    // One value is no choice.
    if tries > 1 { tries * plan.tuning.as_ref().map_or(0, |tuning| tuning.seeds) } else { 0 }
}

/// Multiplications of a generation; rates do not change them, and small ones do not diverge.
fn macs_of(settings: Settings) -> Result<u64> {
    let settings = Settings { lr_g: 1e-6, lr_d: 1e-6, ..settings };
    Evolution::prepare(settings, Device::cpu())?.macs_of_a_generation()
}

/// Runs what is missing of a study, `jobs` runs at a time; `None` where a signal stopped it.
///
/// # Errors
/// A folder holds outcomes of another plan, data cannot be read, or a file cannot be written.
pub fn run(
    plan: &Plan,
    folder: &Path,
    jobs: usize,
    interrupt: &Interrupt,
    watch: &(dyn Fn(Step) + Sync),
) -> Result<Option<Report>> {
    let arms = resolve(plan)?;
    // Each arm tries its values on seeds that nothing is reported of.
    let mut wanted = Vec::new();
    for (k, arm) in plan.arms.iter().enumerate() {
        for (t, tried) in plan.tries(arm).iter().enumerate().filter(|_| tuning_runs(plan, arm) > 0) {
            for n in 0..plan.tuning.as_ref().map_or(0, |tuning| tuning.seeds) {
                let length = arms[k].tuning.unwrap_or(arms[k].length);
                let place = folder.join("tuning").join(format!("{}-{t:02}-{n:03}", base::file_name(&[&arm.name])));
                wanted.push(Wanted::new(
                    plan,
                    arm,
                    Some(tried),
                    TUNING_SEEDS + n,
                    length,
                    arms[k].macs,
                    [k, t],
                    place,
                )?);
            }
        }
    }
    let Some(tried) = all(plan, wanted, jobs, interrupt, true, watch)? else { return Ok(None) };
    let chosen: Vec<usize> = (0..plan.arms.len()).map(|k| best(plan, k, &tried)).collect();

    let mut wanted = Vec::new();
    for (k, arm) in plan.arms.iter().enumerate() {
        for n in 0..plan.seeds {
            let (seed, values) = (plan.first_seed + n, plan.tries(arm).get(chosen[k]));
            let place = folder.join("runs").join(format!("{}-{seed:03}", base::file_name(&[&arm.name])));
            wanted.push(Wanted::new(plan, arm, values, seed, arms[k].length, arms[k].macs, [k, chosen[k]], place)?);
        }
    }
    let Some(found) = all(plan, wanted, jobs, interrupt, false, watch)? else { return Ok(None) };
    Ok(Some(Report::of(plan, &chosen, &tried, &found)))
}

/// The value of an arm with the least mean logarithm of the figure over its tuning seeds; one that failed is none.
fn best(plan: &Plan, arm: usize, tried: &[Found]) -> usize {
    let loss = |t: usize| {
        let logs: Vec<f64> = tried
            .iter()
            .filter(|found| found.place == [arm, t])
            .map(|found| found.outcome.figures.get(&plan.figure).map_or(f64::INFINITY, |f| f.max(plan.floor).ln()))
            .collect();
        logs.iter().sum::<f64>() / logs.len().max(1) as f64
    };
    let tries = plan.arms.get(arm).map_or(0, |arm| plan.tries(arm).len());
    (0..tries).min_by(|&a, &b| loss(a).total_cmp(&loss(b))).unwrap_or(0)
}

/// An outcome with what it is of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// The numbers of the arm and of its values.
    pub(super) place: [usize; 2],
    pub(super) seed: u64,
    pub(super) outcome: Outcome,
}

struct Wanted {
    settings: Settings,
    length: Length,
    macs: u64,
    place: [usize; 2],
    folder: PathBuf,
}

impl Wanted {
    #[expect(clippy::too_many_arguments, reason = "all that a run is")]
    fn new(
        plan: &Plan,
        arm: &Arm,
        tried: Option<&toml::Table>,
        seed: u64,
        length: Length,
        macs: u64,
        place: [usize; 2],
        folder: PathBuf,
    ) -> base::Result<Self> {
        let mut settings = plan.settings(arm, tried, seed)?;
        settings.generations = match length {
            Length::Generations(n) => n,
            // As many as a run may have: time ends it.
            Length::Seconds(_) => 4_000_000_000,
        };
        Ok(Self { settings, length, macs, place, folder })
    }
}

/// The outcomes of all that is wanted, in its order; what is missing is done.
fn all(
    plan: &Plan,
    wanted: Vec<Wanted>,
    jobs: usize,
    interrupt: &Interrupt,
    tuning: bool,
    watch: &(dyn Fn(Step) + Sync),
) -> Result<Option<Vec<Found>>> {
    let (mut done, mut open) = (Vec::new(), Vec::new());
    let of = wanted.len() as u64;
    for (number, wanted) in wanted.into_iter().enumerate() {
        let seed = wanted.settings.seed;
        match job(plan, &wanted).known()? {
            Some(outcome) => done.push((number, Found { place: wanted.place, seed, outcome })),
            None => open.push((number, wanted)),
        }
    }
    watch(Step::Open { missing: open.len() as u64, of, tuning });
    let new = jobs::each(jobs, open, |(number, wanted)| {
        let outcome = job(plan, &wanted).play(interrupt)?;
        let (place, seed) = (wanted.place, wanted.settings.seed);
        if outcome.is_some() {
            watch(Step::Done { arm: &plan.arms[place[0]].name, seed });
        }
        Ok(outcome.map(|outcome| (number, Found { place, seed, outcome })))
    })?;
    if interrupt.requested().is_some() {
        return Ok(None);
    }
    done.extend(new);
    done.sort_by_key(|(number, _)| *number);
    Ok(Some(done.into_iter().map(|(_, found)| found).collect()))
}

fn job<'a>(plan: &'a Plan, wanted: &'a Wanted) -> Job<'a> {
    Job { plan, settings: wanted.settings.clone(), length: wanted.length, macs: wanted.macs, folder: &wanted.folder }
}
