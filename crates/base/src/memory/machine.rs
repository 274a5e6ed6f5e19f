//! What the machine has left for this process, and how much of it there is in use.
//!
//! Systems promise more memory than there is and end a process that then uses it. So what work needs is compared with what there is
//! before it begins, as far as the system says: on Linux. Elsewhere nothing is refused.

use crate::{Error, Result};
use std::path::Path;

/// Refuses work for which there is not enough memory. `what` says who needs it, and `cure` is a full sentence.
///
/// # Errors
/// More bytes are needed than the machine has left: [`Error::Memory`].
pub fn check(what: impl Into<String>, needed: u64, cure: &str) -> Result<()> {
    match available() {
        Some(available) if needed > available => {
            let hint = Some(cure.to_owned()).filter(|cure| !cure.is_empty());
            Err(Error::Memory { what: what.into(), needed, available, hint })
        }
        _ => Ok(()),
    }
}

/// The largest of `most`, a half of it, a quarter, ... for which there is memory, where `needed` says how many bytes so many take; 1 where
/// there is none.
///
/// # Errors
/// Those of `needed`.
pub fn fitting<E>(most: usize, needed: impl Fn(usize) -> Result<u64, E>) -> Result<usize, E> {
    let mut count = most.max(1);
    if let Some(available) = available() {
        while count > 1 && needed(count)? > available {
            count /= 2;
        }
    }
    Ok(count)
}

/// Bytes that this process can still take: what the machine has left, and what limits of control groups (containers) and of the
/// process (`ulimit -v`) leave. `None` where the system does not say.
pub fn available() -> Option<u64> {
    if cfg!(target_os = "linux") { available_under(Path::new("/")) } else { None }
}

/// The memory of this process that is resident now, in bytes. Known on Linux; elsewhere `None`.
pub fn resident() -> Option<u64> {
    bytes_of(&of_process("VmRSS:")?)
}

/// The most memory of this process that was ever resident, in bytes. Known on Linux; elsewhere `None`.
pub fn peak_resident() -> Option<u64> {
    // The kernel sums the peak up less exactly than the present, so it may be some pages short of it.
    of_process("VmHWM:").and_then(|peak| bytes_of(&peak)).max(resident())
}

/// Bytes as people say them: `38.7 GB`.
pub fn said(bytes: u64) -> String {
    let (mut size, mut unit) = (bytes as f64 / 1e6, "MB");
    for larger in ["GB", "TB", "PB", "EB"] {
        if size >= 999.95 {
            (size, unit) = (size / 1e3, larger);
        }
    }
    format!("{size:.1} {unit}")
}

/// What the system says of this process under a name such as `VmRSS:` or `SigIgn:` (man page proc(5)). Known on Linux; elsewhere `None`.
pub fn of_process(name: &str) -> Option<String> {
    if cfg!(target_os = "linux") { field(Path::new("/proc/self/status"), name) } else { None }
}

/// The value of a line that begins with a name.
fn field(path: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}

/// As [`available`], of the system whose files lie under `root`.
fn available_under(root: &Path) -> Option<u64> {
    let machine = kilobytes(&root.join("proc/meminfo"), "MemAvailable:");
    [machine, left_by_groups(root), left_by_process(root)].into_iter().flatten().min()
}

fn bytes_of(kilobytes: &str) -> Option<u64> {
    kilobytes.strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

/// A field of `/proc/meminfo` or `/proc/self/status` (man page proc(5)), which are in KiB whatever the `kB` behind them says.
fn kilobytes(path: &Path, name: &str) -> Option<u64> {
    bytes_of(&field(path, name)?)
}

/// What the limit of the process's address space leaves.
fn left_by_process(root: &Path) -> Option<u64> {
    let limits = std::fs::read_to_string(root.join("proc/self/limits")).ok()?;
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    let limit: u64 = limit.split_whitespace().next()?.parse().ok()?;
    Some(limit.saturating_sub(kilobytes(&root.join("proc/self/status"), "VmSize:")?))
}

/// What the limits of the process's control group and of those above it leave, in either version of these.
fn left_by_groups(root: &Path) -> Option<u64> {
    let groups = std::fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let left = groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, group) = rest.split_once(':')?;
        let group = group.trim_start_matches('/');
        let (mount, names) = match controllers {
            "" => ("sys/fs/cgroup", ["memory.max", "memory.current", "inactive_file"]),
            _ if controllers.split(',').any(|name| name == "memory") => {
                let names = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"];
                ("sys/fs/cgroup/memory", names)
            }
            _ => return None,
        };
        let mount = root.join(mount);
        // Inside of a container the group may be mounted as the root of all.
        let own = mount.join(group);
        own.ancestors()
            .take_while(|folder| folder.starts_with(&mount))
            .filter_map(|folder| left_by(folder, names))
            .min()
    });
    left.min()
}

/// What one control group leaves; pages of files that nobody uses are given back when they are needed.
fn left_by(folder: &Path, [limit, usage, cache]: [&str; 3]) -> Option<u64> {
    let number = |name: &str| std::fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let statistics = std::fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let cached = statistics.lines().find_map(|line| line.strip_prefix(cache)?.trim().parse::<u64>().ok());
    let used = number(usage)?.saturating_sub(cached.unwrap_or(0));
    Some(number(limit)?.saturating_sub(used))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system of these files.
    fn available(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        available_under(root.path())
    }

    const MACHINE: (&str, &str) = ("proc/meminfo", "MemTotal:       16 kB\nMemAvailable:   1000 kB\n");

    #[test]
    fn the_least_of_all_limits_counts() {
        assert_eq!(available(&[]), None);
        assert_eq!(available(&[MACHINE]), Some(1_024_000));
        let limits =
            ("proc/self/limits", "Limit  Soft Limit  Hard Limit\nMax address space  500000  unlimited  bytes\n");
        let status = ("proc/self/status", "Name: x\nVmSize:\t     100 kB\n");
        assert_eq!(available(&[MACHINE, limits, status]), Some(500_000 - 102_400));
        let unlimited = ("proc/self/limits", "Max address space  unlimited  unlimited  bytes\n");
        assert_eq!(available(&[MACHINE, unlimited, status]), Some(1_024_000));
    }

    #[test]
    fn control_groups_of_both_versions_and_all_levels_count() {
        let second = ("proc/self/cgroup", "0::/a/b\n");
        let own = [("sys/fs/cgroup/a/b/memory.max", "max\n"), ("sys/fs/cgroup/a/b/memory.current", "7\n")];
        assert_eq!(available(&[MACHINE, second, own[0], own[1]]), Some(1_024_000));
        let above = [
            ("sys/fs/cgroup/a/memory.max", "700000\n"),
            ("sys/fs/cgroup/a/memory.current", "300000\n"),
            ("sys/fs/cgroup/a/memory.stat", "anon 5\ninactive_file 100000\n"),
        ];
        assert_eq!(available(&[MACHINE, second, own[0], own[1], above[0], above[1], above[2]]), Some(500_000));
        // In a container the path may be that outside of it.
        let inside = [("sys/fs/cgroup/memory.max", "900000\n"), ("sys/fs/cgroup/memory.current", "100000\n")];
        assert_eq!(available(&[MACHINE, ("proc/self/cgroup", "0::/outer/x\n"), inside[0], inside[1]]), Some(800_000));
        let first = ("proc/self/cgroup", "5:cpu:/x\n4:memory:/x\n");
        let files = [
            ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "600000\n"),
            ("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "500000\n"),
            ("sys/fs/cgroup/memory/x/memory.stat", "total_inactive_file 50000\n"),
        ];
        assert_eq!(available(&[MACHINE, first, files[0], files[1], files[2]]), Some(150_000));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn more_than_there_is_is_refused_in_one_line() {
        assert!(super::available().is_some());
        check("nothing", 0, "").unwrap();
        let error = check("m.safetensors: a batch of 64", u64::MAX, "Make fewer at once.").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("m.safetensors: a batch of 64 needs about 18.4 EB of memory; "), "{text}");
        assert!(text.ends_with(" are free"), "{text}");
        assert_eq!(error.hint().as_deref(), Some("Make fewer at once."));
    }

    #[test]
    fn bytes_are_said_in_three_or_four_digits() {
        let cases = [
            (0, "0.0 MB"),
            (38_654_705_664, "38.7 GB"),
            (999_949_999, "999.9 MB"),
            (12_288_000_000_000_000, "12.3 PB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(said(bytes), text);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_is_touched_is_counted() {
        let before = resident().unwrap();
        let block = std::hint::black_box(vec![1u8; 64 << 20]);
        let with = resident().unwrap();
        assert!(with >= before + (60 << 20), "{before} {with}");
        assert!(peak_resident().unwrap() >= with - (8 << 20));
        drop(block);
        assert!(peak_resident().unwrap() >= with - (8 << 20), "the peak stays");
    }
}
