//! `--device`, for every command that runs a network.

use crate::console::Console;
use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use net::{Device, DeviceChoice};

/// Where a command computes.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Computing {
    /// Where to compute; auto takes a GPU where this build has one and finds it, else the CPU
    #[arg(long, default_value_t, value_parser = choices())]
    device: DeviceChoice,
}

/// Whether this program was built with GPUs.
const HAS_GPUS: bool = cfg!(any(feature = "vulkan", feature = "webgpu", feature = "cuda"));
/// What one can do where it was not.
const HOW_TO_BUILD: &str = "Build with one: `cargo install --path crates/cli --features vulkan` (or webgpu, or cuda).";

/// The kinds of GPU that this program was built with.
fn drivers() -> Vec<&'static dyn net::Driver> {
    #[cfg(any(feature = "vulkan", feature = "webgpu", feature = "cuda"))]
    return gpu::drivers();
    #[cfg(not(any(feature = "vulkan", feature = "webgpu", feature = "cuda")))]
    Vec::new()
}

fn choices() -> impl TypedValueParser<Value = DeviceChoice> {
    PossibleValuesParser::new(DeviceChoice::ALL.map(DeviceChoice::name)).try_map(|name| name.parse::<DeviceChoice>())
}

impl Computing {
    /// Opens the device. It is told which one, unless it is the processor.
    pub(crate) fn open(self, console: Console) -> Result<Device> {
        let device = Device::choose(self.device, &drivers(), |reason| {
            console.warn(&format!("computing on the CPU: {reason}"));
        })
        .map_err(|error| if HAS_GPUS { error } else { error.with_hint(HOW_TO_BUILD) })?;
        if !device.is_cpu() {
            console.say(&format!("computing on {device}"));
        }
        Ok(device)
    }
}
