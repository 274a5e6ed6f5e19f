//! Devices: which this build and this machine have, and which of them the user means.

#[cfg(any(feature = "vulkan", feature = "webgpu", feature = "cuda"))]
mod gpu;
/// A build that knows the processor alone.
#[cfg(not(any(feature = "vulkan", feature = "webgpu", feature = "cuda")))]
mod gpu {
    use super::{Candidate, DispatchDevice};

    pub(super) fn find() -> Vec<Candidate<DispatchDevice>> {
        Vec::new()
    }

    pub(super) fn open(_: &DispatchDevice) -> Result<(), String> {
        Err("is not in this build".to_owned())
    }

    pub(super) fn name(_: &DispatchDevice) -> Option<String> {
        None
    }
}
#[cfg(test)]
mod tests;

use base::{Error, Result};
use burn::backend::DispatchDevice;
use std::fmt::{self, Display};
use std::str::FromStr;

/// The kinds of GPU that are compiled in, by the names of their features.
const COMPILED: &[&str] = &[
    #[cfg(feature = "cuda")]
    "cuda",
    #[cfg(feature = "vulkan")]
    "vulkan",
    #[cfg(feature = "webgpu")]
    "webgpu",
];

/// Where tensors live and computations run.
#[derive(Clone, Debug)]
pub struct Device(pub(super) DispatchDevice);

impl Device {
    /// The processor.
    pub fn cpu() -> Self {
        Self(DispatchDevice::Flex(burn::backend::FlexDevice))
    }

    /// The processor behind Burn's autodiff, which hides its memory from our kernels. What is computed there takes the
    /// ways of every foreign device, so tests of these need no GPU.
    #[cfg(any(test, feature = "test-device"))]
    #[doc(hidden)]
    pub fn stand_in() -> Self {
        Self(DispatchDevice::autodiff(Self::cpu().0))
    }

    /// The device that the user asks for, tried out: it has computed something. `passed_over` hears of each GPU that
    /// [`DeviceChoice::Auto`] found but could not use.
    ///
    /// # Errors
    /// A GPU is asked for, but this build has none, or none is found, or none of those found can be used.
    pub fn choose(choice: DeviceChoice, mut passed_over: impl FnMut(&str)) -> Result<Self> {
        let gpu = choose(choice, COMPILED, gpu::find, gpu::open, &mut passed_over)?;
        Ok(gpu.map_or_else(Self::cpu, Self))
    }

    /// Whether it is the processor.
    pub fn is_cpu(&self) -> bool {
        matches!(self.0, DispatchDevice::Flex(_))
    }
}

impl Default for Device {
    fn default() -> Self {
        Self::cpu()
    }
}

/// What people call it: `CPU`, or the name that the driver gives a GPU.
impl Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_cpu() {
            return f.write_str("CPU");
        }
        f.write_str(&gpu::name(&self.0).unwrap_or_else(|| format!("{:?}", self.0)))
    }
}

/// The device that a user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The processor.
    Cpu,
    /// A GPU, or an error.
    Gpu,
    /// A GPU where one is compiled in and found, else the processor.
    #[default]
    Auto,
}

impl DeviceChoice {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Gpu, Self::Auto];

    /// The name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Auto => "auto",
        }
    }
}

impl Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::setting("device", format!("there is no {name:?}")).with_hint(format!("Choose one of {names}."))
        })
    }
}

/// A GPU that was found but not tried yet.
struct Candidate<D> {
    /// A renderer on the processor that looks like a GPU. It is slower than our kernels, so nobody gets it unasked.
    software: bool,
    device: D,
}

/// The first of the GPUs that opens, `None` for the processor. Nothing is looked for where the processor will do.
fn choose<D>(
    choice: DeviceChoice,
    compiled: &[&str],
    find: impl FnOnce() -> Vec<Candidate<D>>,
    open: impl Fn(&D) -> Result<(), String>,
    passed_over: &mut dyn FnMut(&str),
) -> Result<Option<D>> {
    let wrong = |reason: String, hint: &str| Err(Error::setting("device", reason).with_hint(hint));
    if choice == DeviceChoice::Cpu || (choice == DeviceChoice::Auto && compiled.is_empty()) {
        return Ok(None);
    }
    if compiled.is_empty() {
        let hint = "Build it with the feature vulkan, webgpu or cuda.";
        return wrong("this program was built without GPUs".to_owned(), hint);
    }
    let mut failures = Vec::new();
    for Candidate { software, device } in find() {
        if software && choice == DeviceChoice::Auto {
            continue;
        }
        match open(&device) {
            Ok(()) => return Ok(Some(device)),
            Err(reason) => failures.push(reason),
        }
    }
    if choice == DeviceChoice::Auto {
        failures.iter().for_each(|reason| passed_over(reason));
        return Ok(None);
    }
    if failures.is_empty() {
        let reason = format!("no GPU was found (looked for {})", compiled.join(", "));
        return wrong(reason, "Install the driver of the GPU, or take `device cpu`.");
    }
    wrong(failures.join("; "), "Check the driver of the GPU, or take `device cpu`.")
}
