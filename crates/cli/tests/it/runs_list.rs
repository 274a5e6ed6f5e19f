//! `ganatomy runs` and `ganatomy runs prune`

use crate::support::{Place, check};

const SMALL: &str = "--set width=4 --set width_d=4 --set batch=4 --set eval=4 --set log.checkpoint=1 --set log.keep=9";

#[test]
fn runs_are_listed_and_their_spare_checkpoints_removed() {
    let place = Place::new();
    place.succeed(&format!("evolve -q --data ring8 --generations 4 {SMALL} --out runs/00001-ring8"));
    let listed = place.succeed("runs");
    let row = listed.lines().nth(1).unwrap();
    assert!(row.starts_with("runs/00001-ring8  done   4 of 4"), "{listed}");
    let checkpoints = || {
        let names = place.names("runs/00001-ring8/checkpoints");
        names.into_iter().filter(|name| name.starts_with('0')).collect::<Vec<_>>()
    };
    assert_eq!(checkpoints().len(), 4);
    let before = place.succeed("runs prune");
    assert!(before.contains("runs/00001-ring8: ") && before.contains(" would go; --yes removes it"), "{before}");
    assert_eq!(checkpoints().len(), 4);
    let after = place.succeed("runs prune runs/00001-ring8 --yes");
    assert!(after.ends_with(" removed\n"), "{after}");
    let left = checkpoints();
    assert!(left.contains(&"000004".to_owned()) && left.len() <= 2, "{left:?}");
    assert_eq!(place.succeed("runs prune --yes"), "nothing to remove\n");
    // What stays is enough to go on.
    place.succeed("resume -q runs/00001-ring8 --generations 5");
    place.succeed("sample -q runs/00001-ring8 --seeds 0..9 --out cloud.png");
}

#[test]
fn where_there_are_no_runs() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    let runs = ["runs", "runs empty", "runs prune empty"];
    check("runs-none", &runs.map(|words| place.run(words) + "\n").concat());
}
