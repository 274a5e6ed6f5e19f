//! Asks git for the commit that is built, for `ganatomy --version`. Where the source is no checkout (a package from a
//! registry), nothing is asked and nothing is said.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    tell("rerun-if-changed=build.rs");
    // Only the workspace's own checkout counts: a package may be unpacked inside of a stranger's.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if !root.join(".git").exists() {
        return;
    }
    let Some(commit) = git(&root, &["rev-parse", "--short=12", "HEAD"]) else { return };
    tell(&format!("rustc-env=GANATOMY_COMMIT={commit}"));
    for path in moved_by_commits(&root) {
        tell(&format!("rerun-if-changed={}", path.display()));
    }
}

/// Files that change when another commit is checked out or made. Only what is there: a file that is missing would ask for
/// a new build every time.
fn moved_by_commits(root: &Path) -> Vec<PathBuf> {
    let branch = git(root, &["symbolic-ref", "--quiet", "HEAD"]);
    let names = ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref());
    names
        .filter_map(|name| git(root, &["rev-parse", "--git-path", name]))
        .map(|path| root.join(path))
        .filter(|path| path.exists())
        .collect()
}

/// What git answers in one line; nothing where there is no git, or it refuses.
fn git(root: &Path, words: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // A hook that builds has these set, perhaps for another repository.
    command.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
    let output = command.arg("-C").arg(root).args(words).output().ok().filter(|o| o.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}

fn tell(instruction: &str) {
    println!("cargo::{instruction}");
}
