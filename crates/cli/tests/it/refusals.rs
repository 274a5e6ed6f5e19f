//! What `evolve` says to what cannot be.

use crate::runs::{POINTS, TINY, with_photos};
use crate::support::{Place, check};
use data::{Image, pictures};

fn all(place: &Place, words: &[&str]) -> String {
    words.iter().map(|words| place.run(&format!("evolve {words}")) + "\n").collect()
}

/// A PNG that says it has 60000x60000 pixels, in 60 bytes.
fn bomb() -> Vec<u8> {
    let mut bytes = pictures::png(&Image::filled(8, 8, [1, 2, 3])).unwrap();
    // Width and height lie at a fixed place, followed by five bytes and the check sum of the chunk.
    bytes[16..24].copy_from_slice(&[60_000u32.to_be_bytes(), 60_000u32.to_be_bytes()].concat());
    let crc = !bytes[12..29]
        .iter()
        .fold(!0u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))));
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

#[test]
fn data_that_cannot_be_read() {
    let place = with_photos();
    std::fs::create_dir(place.path("nothing")).unwrap();
    let whole = place.read("photos/3.png");
    place.write("cut/a.png", &whole);
    place.write("cut/b.png", &whole[..whole.len() / 2]);
    place.write("bomb/a.png", &bomb());
    place.write("t10k-images-idx3-ubyte", b"\x00\x00\x08\x04\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\xFF");
    let words = [
        "--generations 1",
        "--data no/such/place",
        "--data nothing",
        "--data cut --set image.size=8",
        "--data bomb --set image.size=8",
        "--data t10k-images-idx3-ubyte",
        "--data scnes",
    ];
    check("evolve-wrong-data", &all(&place, &words));
    assert!(!place.path("runs").exists(), "nothing is written before the data are known to be good");
}

#[test]
fn settings_that_cannot_be() {
    let place = Place::new();
    let words = [
        "--data scenes --preset modren",
        "--data scenes --set bacth=16",
        "--data scenes --set image.sise=64",
        "--data scenes --set batch",
        "--data scenes --set batch=0",
        "--data scenes --set batch=-1",
        "--data scenes --set batch=99999999999999999999",
        "--data scenes --set batch=many",
        "--data scenes --set image.size=0",
        "--data scenes --set image.size=-32",
        "--data scenes --set image.size=50",
        "--data scenes --set image.size=100x75",
        "--data scenes --set image.size=16",
        "--data scenes --set lr_g=nan",
        "--data scenes --set gamma=-1",
        "--data scenes --set mutations=[]",
        "--data scenes --set mutations=[hinge,best]",
        "--data scenes --set eval=8",
        "--data scenes --set network=mlp",
        "--data ring8 --set network=dcgan",
        "--data scenes --generations -1",
        "--data scenes --seed -1",
    ];
    check("evolve-wrong-settings", &all(&place, &words));
    assert!(place.names(".").is_empty(), "{:?}", place.names("."));
}

#[test]
fn config_files_that_cannot_be() {
    let place = Place::new();
    place.write("words.toml", b"batch = 4\nthis is no TOML\n");
    place.write("unknown.toml", b"[image]\nsise = 64\n");
    place.write("kind.toml", b"batch = \"four\"\n");
    place.write("binary.toml", b"\xFF\xFE\x00");
    place.write("preset.toml", b"preset = \"modren\"\n");
    let words = ["missing", "words", "unknown", "kind", "binary", "preset"]
        .map(|name| format!("--data scenes --config {name}.toml --dry-run"));
    check("evolve-wrong-config", &all(&place, &words.each_ref().map(String::as_str)));
}

#[test]
fn places_that_cannot_hold_a_run() {
    let place = Place::new();
    place.succeed(&format!("evolve {POINTS} --generations 1 --out run --quiet"));
    place.write("thesis/chapter.tex", b"x");
    let (run, thesis) = (place.files("run"), place.files("thesis"));
    let small = format!("{POINTS} --generations 1");
    let words =
        ["run", "thesis", "thesis/chapter.tex", "thesis/chapter.tex/run"].map(|out| format!("{small} --out {out}"));
    check("evolve-wrong-out", &all(&place, &words.each_ref().map(String::as_str)));
    crate::runs::assert_same(&run, &place.files("run"));
    crate::runs::assert_same(&thesis, &place.files("thesis"));
}

#[test]
fn a_folder_in_which_a_run_was_killed_at_once_is_used_again() {
    let place = Place::new();
    place.write("run/run.lock", b"1\n");
    place.write("run/.config.toml.1.part", b"prese");
    place.succeed(&format!("evolve {POINTS} --generations 1 --out run --quiet"));
    assert!(!place.path("run/.config.toml.1.part").exists());
    place.tell("resume run --generations 2");
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_cannot_hold_a_run() {
    let place = Place::new();
    check("evolve-device", &place.run(&format!("evolve {POINTS} --generations 1 --out /dev/full/x")));
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    std::fs::create_dir(place.path("locked")).unwrap();
    std::fs::set_permissions(place.path("locked"), std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::File::create(place.path("locked/probe")).is_ok() {
        // The superuser may write everywhere.
        return;
    }
    for out in ["locked", "locked/run"] {
        let output = place.output(&format!("evolve {POINTS} --generations 1 --out {out}"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{out}");
        assert!(said.contains("error: locked/") && said.contains("Permission denied"), "{said}");
    }
    assert!(place.names("locked").is_empty());
}

/// A small file system in memory, taken away when the test ends.
#[cfg(target_os = "linux")]
struct Mounted(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Mounted {
    fn at(path: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(&path).stderr(std::process::Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(path))
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg(&self.0).status());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_nothing_that_was_saved() {
    let place = Place::new();
    let Some(_mounted) = Mounted::at(place.path("disk")) else {
        println!("left out: a file system cannot be mounted here");
        return;
    };
    let log = "--set log.checkpoint=1 --set log.keep=1000";
    let evolve = format!("evolve --data scenes --preset modern {TINY} --set log.samples=0 --generations");
    let output = place.output(&format!("{evolve} 100 {log} --out disk/run"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let error = said.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(error.starts_with("error: disk/run/") && error.contains("No space left on device"), "{said}");
    assert!(said.contains("\nhint: Free some space"), "{said}");

    let saved = place.names("disk/run/checkpoints");
    assert!(saved.iter().all(|name| !name.starts_with('.')), "nothing half-written is left: {saved:?}");
    let newest = saved.iter().filter_map(|name| name.parse::<usize>().ok()).max().unwrap();
    assert!(place.tell("sample disk/run --seeds 0..2 --out out.png").contains("taking disk/run/"));

    // With less to keep there is room again, and the run goes on as if nothing had been.
    for name in saved.iter().filter(|name| name.parse::<usize>().is_ok_and(|n| n < newest)) {
        std::fs::remove_dir_all(place.path(&format!("disk/run/checkpoints/{name}"))).unwrap();
    }
    let total = newest + 2;
    let output = place.output(&format!("resume disk/run --generations {total} --set log.keep=1"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    // The best may have been among those that were removed by hand.
    let warned = said.lines().filter(|line| line.starts_with("warning: ")).collect::<Vec<_>>();
    assert!(warned.iter().all(|line| line.contains("best.json: is of generation ")), "{said}");
    place.succeed(&format!("{evolve} {total} --set log.checkpoint=0 --out whole --quiet"));
    crate::runs::assert_same(&place.checkpoint("disk/run", total), &place.checkpoint("whole", total));
}
