//! How much memory this process uses, as the system counts it.

/// The memory of this process that is resident now, in bytes. Known on Linux; elsewhere `None`.
pub fn resident() -> Option<u64> {
    status_field("VmRSS:")
}

/// The most memory of this process that was ever resident, in bytes. Known on Linux; elsewhere `None`.
pub fn peak_resident() -> Option<u64> {
    // The kernel sums the peak up less exactly than the present, so it may be some pages short of it.
    status_field("VmHWM:").max(resident())
}

/// A field of `/proc/self/status` (man page proc(5)), which are in KiB whatever the `kB` behind them says.
fn status_field(name: &str) -> Option<u64> {
    process_status(name)?.strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

/// What `/proc/self/status` says under a name such as `VmRSS:`. Known on Linux; elsewhere `None`.
pub(crate) fn process_status(name: &str) -> Option<String> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn memory_that_is_touched_is_counted() {
        let before = super::resident().unwrap();
        let block = std::hint::black_box(vec![1u8; 64 << 20]);
        let with = super::resident().unwrap();
        assert!(with >= before + (60 << 20), "{before} {with}");
        assert!(super::peak_resident().unwrap() >= with - (8 << 20));
        drop(block);
        assert!(super::peak_resident().unwrap() >= with - (8 << 20), "the peak stays");
    }
}
