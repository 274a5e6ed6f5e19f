//! What `--version` says: which build this is, and what it computes with here.

use kernels::Level;
use std::sync::LazyLock;

/// GPUs that this build can ask for.
const GPUS: &[&str] = &[
    #[cfg(feature = "cuda")]
    "CUDA",
    #[cfg(feature = "vulkan")]
    "Vulkan",
    #[cfg(feature = "webgpu")]
    "WebGPU",
];

/// The version, then a line for each of: the commit (where the source was a checkout), the instruction set that kernels take
/// on this processor, the devices compiled in.
pub(crate) fn long() -> &'static str {
    static LONG: LazyLock<String> = LazyLock::new(|| {
        let version = env!("CARGO_PKG_VERSION");
        let commit = option_env!("GANATOMY_COMMIT").map_or_else(String::new, |commit| format!("\ncommit: {commit}"));
        let devices = [&["CPU"], GPUS].concat().join(", ");
        format!("{version}{commit}\ninstructions: {}\ndevices: {devices}", Level::best().name())
    });
    &LONG
}
