//! `ganatomy evolve` and `ganatomy demo`

use crate::runs::{POINTS, TINY, assert_same, with_photos};
use crate::support::{Place, check};
use serde_json::Value;

#[test]
fn a_run_leaves_all_that_is_promised() {
    let place = Place::new();
    let run = "--set ema=0.9 --set log.checkpoint=2 --set log.samples=2 --generations 3 --out run";
    check("evolve-scenes", &place.run(&format!("evolve --data scenes --preset modern {TINY} {run}")));

    let names = place.names("run");
    let (events, others): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| name.starts_with("events."));
    assert_eq!(events.len(), 1);
    let expected = [
        "checkpoints",
        "config.toml",
        "curves.svg",
        "reals.png",
        "run.lock",
        "samples-000002.png",
        "samples-000003.png",
    ];
    assert_eq!(others, [&expected[..], &["stats.jsonl"]].concat());
    assert_eq!(place.names("run/checkpoints"), ["000002", "000003", "best.json"]);
    let networks = ["discriminator.safetensors", "ema.safetensors", "generator.safetensors"];
    let state = ["manifest.json", "settings.toml", "state.json", "state.safetensors"];
    assert_eq!(place.names("run/checkpoints/000003"), [&networks[..], &state[..]].concat());
    assert_eq!(place.picture("run/reals.png").width, place.picture("run/samples-000003.png").width);

    for (i, line) in place.stats("run").iter().enumerate() {
        assert!(line["seconds"].as_f64().unwrap() > 0.0);
        assert_eq!(line["images"], 4 * (i + 1));
        assert_eq!(line["survivors"].as_array().unwrap().len(), 1);
        assert!(["d_loss", "sample_variance", "d_accuracy"].iter().all(|key| line[key].is_f64()), "{line}");
        let mutations: Vec<&Value> = line["children"].as_array().unwrap().iter().map(|c| &c["mutation"]).collect();
        assert_eq!(mutations, ["hinge", "heuristic", "least-squares-logit"]);
        for child in line["children"].as_array().unwrap() {
            assert_eq!(child["parent"], 0);
            let [fq, fd, f] = ["fq", "fd", "f"].map(|key| child[key].as_f64().unwrap());
            assert!((f - (fq + 0.01 * fd)).abs() < 1e-12, "{child}");
        }
        assert_eq!(line.get("distance").is_some(), i > 0, "where a checkpoint is saved");
    }

    assert!(place.succeed("inspect run --quiet").contains("trained on"));
    assert!(place.succeed("inspect run/checkpoints/000002/discriminator.safetensors").contains("minibatch"));
    let said = place.tell("sample run --seeds 0..2");
    assert!(said.contains("/ema.safetensors"), "the moving average is preferred: {said}");
}

#[test]
fn without_a_moving_average_the_survivor_is_sampled() {
    let place = Place::new();
    place.succeed(&format!("evolve {POINTS} --generations 2 --out run --quiet"));
    assert!(!place.path("run/checkpoints/000002/ema.safetensors").exists());
    assert!(place.tell("sample run --seeds 0..2").contains("/generator.safetensors"));
}

#[test]
fn json_is_the_statistics_as_they_happen() {
    let place = Place::new();
    let printed = place.succeed(&format!("evolve {POINTS} --generations 4 --out run --json --quiet"));
    let (records, answer) = printed.trim_end().rsplit_once('\n').unwrap();
    assert_eq!([records.as_bytes(), b"\n"].concat(), place.read("run/stats.jsonl"));
    assert_eq!(serde_json::from_str::<Value>(answer).unwrap()["run"], "run");
    assert_eq!(place.stats("run").len(), 4);
}

#[test]
fn without_a_terminal_there_is_no_bar() {
    let place = Place::new();
    let output = place.output(&format!("evolve {POINTS} --generations 30 --out run"));
    assert_eq!(output.stdout, b"run\n");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 3, "{stderr}");
    assert!(!stderr.contains(['\r', '\x1b']), "{stderr:?}");
}

/// Case h16: messages name the file, and say which values there are.
#[test]
fn messages_about_settings_name_the_file_and_the_values() {
    let place = Place::new();
    place.write("c.toml", b"data = \"ring8\"\nbeta1_d = 1.0\n");
    place.write("whole.toml", b"batch = \"four\"\n");
    let words = [
        "--config c.toml --dry-run",
        "--config c.toml --set beta1_d=2 --dry-run",
        "--data ring8 --config whole.toml --dry-run",
        "--data ring8 --seed 18446744073709551615 --dry-run",
        "--data ring8 --set noise=1 --dry-run",
        "--data ring8 --set d_steps=0.5 --dry-run",
    ];
    check("evolve-wrong-values", &words.map(|words| place.run(&format!("evolve {words}")) + "\n").concat());
}

/// A generator that does not move, and begins with images that are nearly the same: R11.
#[test]
fn samples_that_do_not_vary_are_warned_of_once() {
    let place = with_photos();
    let still = "--set image.size=8 --set lr_g=1e-12 --set mutations=[heuristic] --set d_steps=1 --generations 510";
    let output = place.output(&format!("evolve --data photos {TINY} {still} --out run -q"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("warning: the samples have been nearly all alike until generation 500 "), "{said}");
    assert!(said.contains("the generator may have collapsed") && said.lines().count() == 1, "{said}");
}

#[test]
fn without_out_runs_are_numbered() {
    let place = with_photos();
    let printed = place.succeed(&format!("evolve {POINTS} --generations 1 --quiet"));
    assert_eq!(printed, "runs/00001-ring8-paper\n", "also under -q: where it is");
    place.succeed(&format!("evolve --data photos --preset modern {TINY} --set image.size=8 --generations 1 --quiet"));
    assert_eq!(place.names("runs"), ["00001-ring8-paper", "00002-photos-modern"]);
}

#[test]
fn a_dry_run_prints_a_config_that_means_the_same() {
    let place = Place::new();
    let words = "--data scenes --preset modern --set mu=2 --set augment=[color,cutout] --set lr_g=1 --generations 9";
    let printed = place.succeed(&format!("evolve {words} --seed 5 --dry-run"));
    assert!(["preset = \"modern\"", "mu = 2", "lr_g = 1.0", "seed = 5"].iter().all(|line| printed.contains(line)));
    place.write("c.toml", printed.as_bytes());
    assert_eq!(place.succeed("evolve --config c.toml --dry-run"), printed);
    assert_eq!(place.names("."), ["c.toml"], "a dry run writes nothing");

    let points = place.succeed(&format!("evolve {POINTS} --preset theano --generations 2 --dry-run"));
    place.write("points.toml", points.as_bytes());
    place.succeed("evolve --config points.toml --out run --quiet");
    assert_eq!(place.read("run/config.toml"), points.as_bytes());
    assert_eq!(place.succeed("resume run --dry-run"), points);
}

#[test]
fn what_is_nearer_to_the_command_line_wins() {
    let place = Place::new();
    place.write("c.toml", b"preset = \"modern\"\nbatch = 5\nd_steps = 2\nseed = 1\n");
    let printed = place.succeed("evolve --data scenes --config c.toml --set d_steps=3 --set seed=2 --seed 3 --dry-run");
    for line in ["preset = \"modern\"", "norm_g = \"batch\"", "batch = 5", "d_steps = 3", "seed = 3"] {
        assert!(printed.lines().any(|l| l == line), "{line}\n{printed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let place = with_photos();
    for (name, seed) in [("a", 7), ("b", 7), ("c", 8)] {
        let photos = format!("--data photos --preset modern {TINY} --set image.size=8 --set image.flip=true");
        place.succeed(&format!("evolve {photos} --generations 4 --set ema=0.9 --seed {seed} --out {name} --quiet"));
        let words = "--preset pytorch --set selection=random --set mu=2 --generations 4 --quiet";
        place.succeed(&format!("evolve {POINTS} {words} --seed {seed} --out {name}-points"));
    }
    for end in ["", "-points"] {
        let [a, b, c] = ["a", "b", "c"].map(|name| format!("{name}{end}"));
        place.assert_same_run(&a, &b);
        assert_ne!(place.timeless(&a), place.timeless(&c));
        let [a, c] = [a, c].map(|name| place.checkpoint(&name, 4)["generator.safetensors"].clone());
        assert!(a != c, "another seed, another model");
    }
}

/// Networks that are wide enough for the kernels to share work among threads.
#[test]
fn the_number_of_threads_changes_no_byte() {
    let place = Place::new();
    for threads in ["1", "2", "5"] {
        let words = "--preset modern --set width=16 --set width_d=16 --set batch=16 --set eval=16 --generations 2";
        let mut command = place.command(&format!("evolve --data scenes {words} --out with-{threads} --quiet"));
        assert!(command.env("RAYON_NUM_THREADS", threads).status().unwrap().success());
    }
    place.assert_same_run("with-1", "with-2");
    place.assert_same_run("with-1", "with-5");
}

#[test]
fn the_demo_says_what_to_try_next() {
    let place = Place::new();
    // Tables count pixels, which the last bit of another processor may move: what is said is enough here.
    let printed = place.run("demo --generations 2 --samples 16 --out x");
    let (_, said) = printed.split_once("--- stderr").unwrap();
    check("demo", said);
    for name in ["units.csv", "no-trees/sheet.png", "doors/effects.csv", "report.html"] {
        assert!(place.path(&format!("x/scenes/{name}")).is_file(), "{name}");
    }
    assert_eq!(place.stats("x").len(), 2);
    assert!(place.path("x/samples-000002.png").is_file());
    place.succeed("interpolate x --seeds 0..3 --steps 3 --out morph.gif --quiet");
    let printed = place.succeed("demo --dry-run --seed 4");
    assert!(["data = \"scenes\"", "preset = \"modern\"", "seed = 4"].iter().all(|line| printed.contains(line)));
}

#[test]
fn a_run_can_begin_with_what_another_one_learnt() {
    let place = Place::new();
    place.succeed(&format!("evolve {POINTS} --generations 3 --out first --quiet"));
    // Nothing is learnt in the second, so that what it began with can be seen.
    let still = "--set lr_g=1e-30 --set lr_d=1e-30 --generations 1";
    let said = place.tell(&format!("evolve {POINTS} --seed 9 {still} --from first --out second"));
    assert!(said.contains("begins with 100 % of G, 100 % of D"), "{said}");
    let drawn = |run: &str| {
        place.succeed(&format!("sample {run} --seeds 0..4 --out {run}.png --quiet"));
        place.read(&format!("{run}.png"))
    };
    assert_eq!(drawn("second"), drawn("first"));
    let said = place.tell(&format!("evolve {POINTS} --generations 1 --set latent=3 --from first --out third"));
    assert!(said.contains("begins with ") && !said.contains("100 % of G"), "the first layer begins anew: {said}");

    let wider = place.run(&format!("evolve {POINTS} --set width=16 --from first --out no"));
    let shipped = place.run("evolve --data scenes --from scenes --out no");
    assert!(!place.path("no").exists());
    check("evolve-from", &format!("{wider}\n{shipped}"));
}

#[test]
fn a_fork_is_a_run_of_its_own_from_where_another_one_is() {
    let place = Place::new();
    place.succeed(&format!("evolve {POINTS} --generations 4 --set log.checkpoint=2 --out one --quiet"));
    let before = place.timeless("one");
    let said = place.tell("evolve --fork one --set lr_g=0.01 --generations 6 --out two");
    assert!(said.contains("a fork of one: lr_g: 0.0001 -> 0.01"), "{said}");
    assert!(said.contains("resuming two after generation 4"), "{said}");
    assert_eq!(place.timeless("one"), before, "the other run is as it was");
    assert_eq!(place.timeless("two")[..4], before[..]);
    assert_eq!(place.stats("two").len(), 6);

    // Unchanged it is the same run, in another place.
    place.succeed("evolve --fork one --generations 6 --out three --quiet");
    place.succeed("resume one --generations 6 --quiet");
    assert_same(&place.checkpoint("one", 6), &place.checkpoint("three", 6));

    let refused = place.run("evolve --fork one --set width=16 --out four");
    assert!(refused.contains("does not fit the settings that were changed (width: 8 -> 16)"), "{refused}");
    assert!(!place.path("four").exists(), "nothing is left of what could not be");
}

/// Steps so long that a linear estimate says nothing of them.
#[test]
fn an_estimate_that_cannot_be_trusted_is_warned_of_once() {
    let place = Place::new();
    let long = "--set fitness=one-pass --set gamma=0 --set log.fitness=1 --set lr_g=0.5 --set norm_d=none --set mutations=[minimax,heuristic,least-squares,direct]";
    let output = place.output(&format!("evolve {POINTS} {long} --generations 40 --out run -q"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("warning: the estimate of fitness named the fittest child in "), "{said}");
    assert!(said.contains("--set fitness=exact") && said.matches("the estimate of fitness").count() == 1, "{said}");
    let stats = String::from_utf8(place.read("run/stats.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(stats.lines().next().unwrap()).unwrap();
    assert!(first["check"]["agreement"].is_number() && first["children"].as_array().unwrap().len() == 4, "{first}");
    // What the last ten checks were is kept when a run goes on.
    place.succeed("resume run --generations 41 -q");
    let stats = String::from_utf8(place.read("run/stats.jsonl")).unwrap();
    let checks: Vec<serde_json::Value> =
        stats.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["check"].clone()).collect();
    let right = checks[31..].iter().filter(|check| check["agrees"] == true).count();
    assert_eq!((checks.len(), checks[40]["agreement"].as_f64().unwrap()), (41, right as f64 / 10.0));
}
