//! The GPUs of this build: Burn's runtimes for CUDA and for wgpu, which speaks Vulkan, Metal, Direct3D and OpenGL.
//!
//! A driver that is missing, old or broken makes these libraries panic in places that they do not tell of. So each
//! question is asked under guard, and a device counts only after it has computed something.

use super::{Candidate, Device, DispatchDevice};
use crate::Tensor;
use burn::backend::CubeDevice;
use burn::tensor::{Device as BurnDevice, DeviceType};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// All GPUs, the one to prefer first.
pub(super) fn find() -> Vec<Candidate<DispatchDevice>> {
    let kinds = [
        #[cfg(feature = "cuda")]
        DeviceType::Cuda,
        // Not `DeviceType::WebGpu`, which is the browser's, and not `DeviceType::Vulkan`: where a machine has no Vulkan, wgpu
        // takes what it has.
        #[cfg(any(feature = "vulkan", feature = "webgpu"))]
        DeviceType::Wgpu,
    ];
    let mut found: Vec<DispatchDevice> = kinds
        .into_iter()
        .filter_map(|kind| guarded(|| BurnDevice::enumerate(kind).into_vec()).ok())
        .flatten()
        .map(|device| device.as_dispatch().clone())
        .collect();
    found.sort_by_key(rank);
    found.into_iter().map(|device| Candidate { software: rank(&device) == SOFTWARE, device }).collect()
}

const SOFTWARE: u8 = 9;

fn rank(device: &DispatchDevice) -> u8 {
    match device {
        #[cfg(any(feature = "vulkan", feature = "webgpu"))]
        DispatchDevice::Cube(CubeDevice::Wgpu(device)) => {
            use burn::backend::WgpuDeviceKind;
            match device.kind {
                WgpuDeviceKind::DiscreteGpu(_) => 1,
                WgpuDeviceKind::VirtualGpu(_) => 2,
                WgpuDeviceKind::IntegratedGpu(_) => 3,
                WgpuDeviceKind::Cpu => SOFTWARE,
                _ => 4,
            }
        }
        DispatchDevice::Cube(CubeDevice::Cuda(_)) => 0,
        _ => SOFTWARE,
    }
}

/// Opens the device and lets it compute something.
pub(super) fn open(device: &DispatchDevice) -> Result<(), String> {
    start(device).map_err(|reason| format!("the GPU {device:?} cannot be opened: {reason}"))?;
    let computed = guarded(|| Tensor::new(&[2], vec![0.0, 1.0], &Device(device.clone())).tanh().to_vec());
    let reason = match computed {
        Ok(values) if values.len() == 2 && values[0].abs() < 1e-3 && (values[1] - 0.7616).abs() < 1e-3 => return Ok(()),
        Ok(values) => format!("tanh of 0 and 1 comes out as {values:?}"),
        Err(reason) => reason,
    };
    Err(format!("the GPU {device:?} cannot compute: {reason}"))
}

/// The part of opening that can fail with an error instead of a panic.
#[cfg(any(feature = "vulkan", feature = "webgpu"))]
fn start(device: &DispatchDevice) -> Result<(), String> {
    use burn::backend::wgpu::{RuntimeOptions, WgpuInitError, graphics::AutoGraphicsApi, try_init_setup};
    let DispatchDevice::Cube(CubeDevice::Wgpu(device)) = device else { return Ok(()) };
    let options = RuntimeOptions::try_default().map_err(|e| e.to_string())?;
    match guarded(|| try_init_setup::<AutoGraphicsApi>(device, options))? {
        // It is registered already where it was chosen before in this process.
        Ok(_) | Err(WgpuInitError::Registration { .. }) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(not(any(feature = "vulkan", feature = "webgpu")))]
#[expect(clippy::unnecessary_wraps, reason = "other builds can fail here")]
fn start(_: &DispatchDevice) -> Result<(), String> {
    Ok(())
}

/// The name that the driver gives it. It has been opened.
pub(super) fn name(device: &DispatchDevice) -> Option<String> {
    guarded(|| BurnDevice::new(device.clone()).identity()).ok().flatten().map(|identity| identity.name)
}

/// What a panic says, instead of the panic.
fn guarded<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_else(|| "a panic".to_owned())
    })
}
