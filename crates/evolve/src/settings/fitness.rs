//! Which ways of estimating fitness go with which other settings.

use super::{AdamPolicy, Fitness, Lengths, Noise, Precision, Settings};
use crate::Selection;
use base::{Error, Result};

/// Refuses an estimate that the other settings make meaningless.
///
/// # Errors
/// The setting at fault is named, with what to choose instead.
pub(super) fn check(s: &Settings) -> Result<()> {
    // Where nothing is compared nothing is estimated, so an arm that draws its mutations may keep the settings of the others.
    if s.fitness == Fitness::Exact || !s.selection.compares() {
        return Ok(());
    }
    let name = if s.fitness == Fitness::Linear { "linear" } else { "one-pass" };
    let refuse = |key: &str, reason: String, hint: String| Err(Error::setting(key, reason).with_hint(hint));
    if s.selection == Selection::Elitist {
        let reason = format!("elitist compares parents too, which fitness={name} does not judge");
        return refuse("selection", reason, "Set selection=fitness, or fitness=exact.".into());
    }
    if s.selection == Selection::Pareto {
        let reason = format!("pareto ranks by two goals, of which fitness={name} estimates the sum");
        return refuse("selection", reason, "Set selection=fitness, or fitness=exact.".into());
    }
    // What is wanted is the difference of two passes; rounded to 8 bits nothing is left of it.
    if s.precision == Precision::Bf16 && (s.fitness == Fitness::OnePass || s.gamma != 0.0) {
        let reason = format!("bf16 is too coarse for the differences that fitness={name} takes");
        return refuse("precision", reason, "Set precision=f32, or fitness=exact.".into());
    }
    if s.fitness == Fitness::Linear {
        return match s.eval_noise {
            Noise::Shared => Ok(()),
            Noise::Independent => refuse(
                "eval_noise",
                "is independent, but fitness=linear judges all children by the same noise".into(),
                "Set eval_noise=shared, or fitness=exact.".into(),
            ),
        };
    }
    let needs = |key: &str, reason: &str, wanted: &str| {
        refuse(key, format!("{reason} with fitness=one-pass"), format!("Set {wanted}, or fitness=linear or exact."))
    };
    if s.mu != 1 {
        return needs("mu", &format!("is {}, but children of different parents cannot be compared", s.mu), "mu=1");
    }
    if s.gamma != 0.0 {
        return needs("gamma", &format!("is {}, but diversity is not known", s.gamma), "gamma=0");
    }
    if s.adam != AdamPolicy::Inherit {
        return needs("adam", "must be inherit: the scores hold for moments that all children share", "adam=inherit");
    }
    if s.noise != Noise::Shared {
        return needs("noise", "must be shared: one pass serves all mutations", "noise=shared");
    }
    if s.lengths != Lengths::Own {
        let reason = "must be own: only one child is made";
        return needs("lengths", reason, "gradients=unit, which makes lengths nearly equal");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use train::RunSettings;

    #[test]
    fn what_cannot_work_is_refused_and_its_cure_works() {
        let base = Settings::preset("paper", true).unwrap();
        let one_pass = ["fitness=one-pass", "gamma=0"];
        let linear = ["fitness=linear", "gamma=0"];
        let both = |a: [&str; 2], more: &[&str]| base.with(&[&a[..], more].concat());
        both(one_pass, &[]).unwrap();
        both(linear, &["adam=per-mutation", "mu=2", "lengths=equal", "precision=bf16"]).unwrap();
        both(one_pass, &["selection=random", "mu=3", "adam=fresh"]).unwrap();
        for (fitness, wrong) in [
            (one_pass, "adam=per-mutation"),
            (one_pass, "adam=fresh"),
            (one_pass, "mu=2"),
            (one_pass, "gamma=0.1"),
            (one_pass, "noise=independent"),
            (one_pass, "lengths=equal"),
            (one_pass, "selection=pareto"),
            (one_pass, "selection=elitist"),
            (one_pass, "precision=bf16"),
            (linear, "selection=elitist"),
            (linear, "selection=pareto"),
            (linear, "eval_noise=independent"),
        ] {
            let error = both(fitness, &[wrong]).unwrap_err();
            let (key, hint) = (wrong.split('=').next().unwrap(), error.hint().unwrap().clone());
            assert!(error.to_string().starts_with(&format!("{key}: ")), "{error}");
            // The first words of the hint are settings that mend it.
            let cure = hint.trim_start_matches("Set ").split([',', ' ']).next().unwrap();
            let mended: &[&str] = if wrong == "lengths=equal" { &["lengths=own", cure] } else { &[wrong, cure] };
            assert!(both(fitness, mended).is_ok(), "{wrong}: {hint}");
        }
    }
}
