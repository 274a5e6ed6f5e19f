//! What keeps two dissections from being compared.

use crate::plan::Plan;
use crate::settings::{Rule, Settings};
use serde::Serialize;

/// Something in which a dissection differs from the first of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The place of the dissection, from 1; the first one is what it is compared with.
    pub dissection: usize,
    /// What differs: `segmenter`, `classes`, `image`, `samples`, `rules`, `real` or `shard`.
    pub what: &'static str,
    /// How, and what can be compared all the same: a sentence without a full stop.
    pub text: String,
}

/// In what each plan differs from the first, with the names of their folders.
pub(super) fn differences(plans: &[(String, &Plan)]) -> Vec<Difference> {
    let Some(((first, a), others)) = plans.split_first() else { return Vec::new() };
    let of = |(place, (other, b)): (usize, &(String, &Plan))| {
        let said = texts([first, other], [a, b]);
        said.into_iter().map(move |(what, text)| Difference { dissection: place, what, text })
    };
    (2..).zip(others).flat_map(of).collect()
}

fn texts([first, other]: [&str; 2], [a, b]: [&Plan; 2]) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    if a.segmenter.blake3 != b.segmenter.blake3 {
        let text = format!(
            "{other} was looked through with another segmenter ({}) than {first} ({}): neither units nor shares of classes can be \
             compared, for each sees classes of its own",
            b.segmenter.name, a.segmenter.name
        );
        said.push(("segmenter", text));
    }
    if a.planes != b.planes {
        let [of_a, of_b] = [a, b].map(Plan::concepts);
        let common = of_b.list().iter().filter(|concept| of_a.list().contains(concept)).count();
        let text = match common {
            0 => format!(
                "{other} and {first} have no class in common: nothing but the numbers of units can be put side by side"
            ),
            _ => format!("{other} has other classes than {first}: only the {common} that both have can be compared"),
        };
        said.push(("classes", text));
    }
    if a.image != b.image {
        let size = |plan: &Plan| format!("{}x{}", plan.image[2], plan.image[1]);
        let text = format!(
            "the images of {other} are of {} pixels, those of {first} of {}: shares of classes can be compared, IoU only roughly",
            size(b),
            size(a)
        );
        said.push(("image", text));
    }
    if a.settings.samples != b.settings.samples {
        let text = format!(
            "{other} counted {} images, {first} {}: shares of classes can be compared, but among more images more units stand out from \
             chance",
            b.settings.samples, a.settings.samples
        );
        said.push(("samples", text));
    }
    if let Some(rule) = rules([&a.settings, &b.settings]) {
        let text = format!(
            "units of {other} are on and interpretable by other rules than those of {first} ({rule}): shares of classes can be compared, \
             numbers of units cannot"
        );
        said.push(("rules", text));
    }
    let real = |plan: &Plan| plan.real.clone().map(|real| (real, plan.settings.real_samples));
    if let (Some(of_a), Some(of_b)) = (real(a), real(b))
        && of_a != of_b
    {
        let text = format!(
            "{other} counted {} real images of {}, {first} {} of {}: class distances cannot be compared",
            of_b.1, of_b.0, of_a.1, of_a.0
        );
        said.push(("real", text));
    }
    if a.shard != b.shard {
        let part = |plan: &Plan| format!("{}/{}", plan.shard.index, plan.shard.of);
        let text = format!(
            "{other} is shard {}, {first} shard {}: merge the parts before they are compared",
            part(b),
            part(a)
        );
        said.push(("shard", text));
    }
    said
}

/// The first rule that differs: `top is 0.02, not 0.01`.
fn rules([a, b]: [&Settings; 2]) -> Option<String> {
    let name = |rule| if rule == Rule::Iqr { "iqr" } else { "quantile" };
    if a.rule != b.rule {
        return Some(format!("rule is {}, not {}", name(b.rule), name(a.rule)));
    }
    let top = |settings: &Settings| if settings.rule == Rule::Quantile { settings.top } else { 0.0 };
    let numbers = [
        ("top", top(a), top(b)),
        ("min_iou", a.min_iou, b.min_iou),
        ("min_iqr", a.min_iqr, b.min_iqr),
        ("max_fdr", a.max_fdr, b.max_fdr),
    ];
    numbers.iter().find(|(_, a, b)| a != b).map(|(name, a, b)| format!("{name} is {b}, not {a}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;
    use crate::settings::Shard;

    #[test]
    fn what_cannot_be_compared_is_said_and_what_can() {
        let whats = |change: &dyn Fn(&mut Plan)| {
            let mut other = plan();
            change(&mut other);
            let found = differences(&[("a".into(), &plan()), ("b".into(), &plan()), ("c".into(), &other)]);
            assert!(found.iter().all(|difference| difference.dissection == 3));
            found.into_iter().map(|difference| (difference.what, difference.text)).collect::<Vec<_>>()
        };
        assert_eq!(
            whats(&|p| (p.model.blake3, p.settings.seed) = ("1".into(), 7)),
            [],
            "generators are what is compared"
        );
        let one = |change: &dyn Fn(&mut Plan), what: &str, part: &str| {
            let found = whats(change);
            assert!(found.len() == 1 && found[0].0 == what && found[0].1.contains(part), "{found:?}");
        };
        one(&|p| p.segmenter.blake3 = "1".into(), "segmenter", "neither units nor shares");
        one(&|p| p.planes.truncate(1), "classes", "only the 1 that both have");
        one(&|p| p.planes.iter_mut().for_each(|plane| plane.name += "'"), "classes", "no class in common");
        one(&|p| p.image = [3, 16, 32], "image", "the images of c are of 32x16 pixels, those of a of 8x8");
        one(&|p| p.settings.samples = 7, "samples", "c counted 7 images, a 40");
        one(&|p| p.settings.top = 0.02, "rules", "(top is 0.02, not 0.01)");
        one(&|p| p.settings.rule = Rule::Iqr, "rules", "(rule is iqr, not quantile)");
        one(&|p| p.settings.max_fdr = 1.0, "rules", "(max_fdr is 1, not 0.05)");
        one(&|p| p.shard = Shard::WHOLE, "shard", "c is shard 1/1, a shard 2/2");
    }
}
