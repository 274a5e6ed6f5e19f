//! How everything was made: with what, from which seeds, by which commands.

use crate::html::{Html, fill, markup, text};
use crate::inputs::{Cause, Edit, Inputs};
use crate::numbers::{count, percent};
use dissect::{CausalSettings, Edited, Plan, RECIPE, Rule, Settings};
use std::path::Path;

/// The section.
pub(crate) fn section(inputs: &Inputs) -> Html {
    let plan = &inputs.dissection.plan;
    let settings = &plan.settings;
    let row = |(name, value): (&'static str, Html)| {
        markup("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", &[text(name), value])
    };
    let hashed = |name: &str, hash: &str| markup("{} <small>BLAKE3 <code>{}</code></small>", &[text(name), text(hash)]);
    let end = settings.seed + settings.samples;
    let mut facts = vec![
        ("generator", hashed(&plan.model.name, &plan.model.blake3)),
        ("segmenter", hashed(&plan.segmenter.name, &plan.segmenter.blake3)),
        ("images counted", text(format!("{}, seeds {}..{end}", count(settings.samples), settings.seed))),
        ("images for levels", text(format!("{} others", count(settings.fit_samples)))),
        ("a unit is on", text(rule(settings))),
        ("a unit is interpretable", text(interpretable(settings))),
    ];
    if let Some(real) = &plan.real {
        facts.push(("real images", text(format!("{} of {real}", count(settings.real_samples)))));
    }
    if plan.shard.of > 1 {
        facts.push(("part", text(format!("shard {} of {} alone", plan.shard.index, plan.shard.of))));
    }
    facts.push(("made by", text(format!("ganatomy {}", plan.program))));
    facts.push(("this page by", text(format!("ganatomy {}", env!("CARGO_PKG_VERSION")))));
    let folder = &inputs.dissection.folder;
    let mut commands = vec![dissect_command(plan, folder)];
    commands.extend(inputs.causes.iter().map(|cause| causal_command(cause, folder)));
    commands.extend(inputs.edits.iter().filter_map(|edit| Some(edit_command(edit, edit.edited.as_ref()?))));
    commands.extend(inputs.repair.iter().filter_map(crate::repair::Repair::command));
    commands.push(line(&["report", &folder.display().to_string()]));
    let listed = commands.iter().map(|command| markup("{}\n", &[text(command)])).collect();
    fill(include_str!("templates/made.html"), &[("facts", facts.into_iter().map(row).collect()), ("commands", listed)])
}

/// When a unit counts as on.
pub(crate) fn rule(settings: &Settings) -> String {
    match settings.rule {
        Rule::Quantile => {
            format!("above the level that {} of all pixels exceed", percent(settings.top).replace(".0 ", " "))
        }
        Rule::Iqr => "above the level with the largest information quality ratio with some class".into(),
    }
}

/// When a unit counts as interpretable.
pub(crate) fn interpretable(settings: &Settings) -> String {
    let mut wanted = vec![format!("IoU above {}", settings.min_iou)];
    if settings.min_iqr > 0.0 {
        wanted.push(format!("information quality ratio above {}", settings.min_iqr));
    }
    if settings.max_fdr < 1.0 {
        wanted.push(format!("false-discovery rate of at most {}", settings.max_fdr));
    }
    wanted.join(", ")
}

/// A command that gives this dissection.
pub(crate) fn dissect_command(plan: &Plan, folder: &Path) -> String {
    let (s, usual) = (&plan.settings, Settings::default());
    let layers: Vec<&str> = plan.layers.iter().map(|layer| layer.name.as_str()).collect();
    let mut words: Vec<String> =
        ["dissect", &plan.model.name, "--segmenter", &plan.segmenter.name].map(Into::into).into();
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    add("--layers", layers.join(","));
    add("--samples", s.samples.to_string());
    let flags: [(&str, bool, String); 9] = [
        ("--seed", s.seed != usual.seed, s.seed.to_string()),
        ("--fit-samples", s.fit_samples != usual.fit_samples, s.fit_samples.to_string()),
        ("--rule", s.rule != usual.rule, if s.rule == Rule::Iqr { "iqr".into() } else { "quantile".into() }),
        ("--top", s.top != usual.top, s.top.to_string()),
        ("--min-iou", s.min_iou != usual.min_iou, s.min_iou.to_string()),
        ("--min-iqr", s.min_iqr != usual.min_iqr, s.min_iqr.to_string()),
        ("--max-fdr", s.max_fdr != usual.max_fdr, s.max_fdr.to_string()),
        ("--top-images", s.top_images != usual.top_images, s.top_images.to_string()),
        ("--shard", plan.shard.of > 1, format!("{}/{}", plan.shard.index, plan.shard.of)),
    ];
    flags.into_iter().filter(|(_, given, _)| *given).for_each(|(flag, _, value)| add(flag, value));
    if let Some(real) = &plan.real {
        add("--real", real.clone());
        add("--real-samples", s.real_samples.to_string());
    }
    add("--out", folder.display().to_string());
    line(&words)
}

/// A command that gives this result.
fn causal_command(cause: &Cause, folder: &Path) -> String {
    let (s, usual) = (&cause.found.settings, CausalSettings::default());
    let class = format!("{}/{}", cause.found.category, cause.found.class);
    let mut words: Vec<String> =
        ["causal", &folder.display().to_string(), "--layer", &cause.found.layer, "--class", &class]
            .map(Into::into)
            .into();
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    let published = CausalSettings::published();
    let base = if s.kept == published.kept { published } else { usual };
    let flags = [
        ("--pool", s.pool != base.pool, s.pool.to_string()),
        ("--epochs", s.epochs != base.epochs, s.epochs.to_string()),
        ("--curve-images", s.curve_images != base.curve_images, s.curve_images.to_string()),
        ("--insertion-images", s.insertion_images != base.insertion_images, s.insertion_images.to_string()),
        ("--seed", s.seed != base.seed, s.seed.to_string()),
    ];
    flags.into_iter().filter(|(_, given, _)| *given).for_each(|(flag, _, value)| add(flag, value));
    add("--out", cause.path.display().to_string());
    if s.kept == CausalSettings::published().kept {
        words.push("--published".into());
    }
    line(&words)
}

/// A command that gives this edit.
fn edit_command(edit: &Edit, edited: &Edited) -> String {
    let recipe = edit.folder.join(RECIPE).display().to_string();
    let mut words: Vec<String> = ["edit", &edited.model.name, "--recipe", &recipe].map(Into::into).into();
    let given = [
        ("--dissection", &edited.dissection),
        ("--segmenter", &edited.segmenter),
        ("--seeds", &edited.seeds),
        ("--latents", &edited.latents),
    ];
    for (flag, value) in given {
        words.extend(value.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
    }
    words.extend(["--out".to_owned(), edit.folder.display().to_string()]);
    line(&words)
}

/// A command line as a shell wants it.
pub(crate) fn line(words: &[impl AsRef<str>]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=@%+".contains(c);
    let quoted = |word: &str| {
        if !word.is_empty() && word.chars().all(plain) {
            word.to_owned()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    let words: Vec<String> = words.iter().map(|word| quoted(word.as_ref())).collect();
    format!("ganatomy {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_survives_names_with_spaces_and_quotes() {
        assert_eq!(line(&["report", "runs/a-1_b.c"]), "ganatomy report runs/a-1_b.c");
        assert_eq!(line(&["report", "it's; rm *", ""]), r"ganatomy report 'it'\''s; rm *' ''");
    }

    #[test]
    fn the_rules_are_said_as_they_were_set() {
        let settings = Settings { min_iqr: 0.01, max_fdr: 1.0, rule: Rule::Iqr, ..Settings::default() };
        assert_eq!(interpretable(&settings), "IoU above 0.05, information quality ratio above 0.01");
        assert!(rule(&settings).contains("information quality"));
        assert_eq!(rule(&Settings::default()), "above the level that 1 % of all pixels exceed");
    }
}
