//! Disks that are full, readers that go away, and what is left behind.

use crate::support::{check, shown, with_models};
use std::fs::File;
use std::process::Stdio;

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let place = with_models();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let mut runs = String::new();
    for words in ["inspect g.safetensors", "sample g.safetensors", "completions bash"] {
        let output = place.command(words).stdout(full()).output().unwrap();
        runs += &(shown(words, &output) + "\n");
    }
    runs += &place.run("sample g.safetensors --raw /dev/full");
    check("output-full", &runs);
    assert!(!std::path::Path::new("/dev/full").is_file(), "a device stays a device");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = with_models();
    for words in ["inspect g.safetensors", "completions bash", "--help"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place.command(words).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{words}: {output:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let place = with_models();
    std::fs::create_dir(place.path("locked")).unwrap();
    std::fs::set_permissions(place.path("locked"), std::fs::Permissions::from_mode(0o555)).unwrap();
    if File::create(place.path("locked/probe")).is_ok() {
        // The superuser may write everywhere.
        return;
    }
    for out in ["--out locked/grid.png", "--out locked/all", "--raw locked/x.npy"] {
        let output = place.output(&format!("sample g.safetensors {out}"));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{out}");
        assert!(stderr.starts_with("error: locked/") && stderr.contains("Permission denied"), "{stderr}");
        assert!(stderr.contains("\nhint: Check the permissions of the file and its folder.\n"), "{stderr}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_stops_the_work_and_leaves_nothing_behind() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let place = with_models();
        let before = place.names(".");
        let command = place.command("sample p.safetensors --seeds 0..1000000000 --raw x.npy").spawn();
        let mut program = command.unwrap();
        let begun = std::time::Instant::now();
        // The handlers are there once numbers arrive, which takes a full buffer.
        let arrived = |name: &String| std::fs::metadata(place.path(name)).is_ok_and(|file| file.len() > 1 << 20);
        while !place.names(".").iter().any(|name| name.starts_with(".x.npy.") && arrived(name)) {
            assert!(begun.elapsed().as_secs() < 60, "the program does not begin");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(
            std::process::Command::new("kill").args([signal, &program.id().to_string()]).status().unwrap().success()
        );
        assert_eq!(program.wait().unwrap().code(), Some(code));
        assert_eq!(place.names("."), before);
    }
}

#[cfg(unix)]
#[test]
fn names_cannot_break_the_error_line() {
    let place = with_models();
    let output = place.command("inspect").arg("a\nhint: \x1b[2Jb").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: a\\nhint: \\u{1b}[2Jb: ") && stderr.lines().count() == 2, "{stderr}");
}
