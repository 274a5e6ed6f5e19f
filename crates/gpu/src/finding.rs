//! The GPUs of this build: Burn's runtimes for CUDA and for wgpu, which speaks Vulkan, Metal, Direct3D and OpenGL.
//!
//! A driver that is missing, old or broken makes these libraries panic in places that they do not tell of. So each
//! question is asked under guard, and a GPU counts only after it has computed something.

use crate::computing::Computing;
use burn::backend::{CubeDevice, DispatchDevice};
use burn::tensor::{Device as BurnDevice, DeviceType};
use kernels::Unary;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tensor::{Backend, Candidate, Driver, Operand};

/// A kind of GPU.
pub(crate) struct Kind {
    name: &'static str,
    kind: fn() -> DeviceType,
}

#[cfg(feature = "cuda")]
pub(crate) static CUDA: Kind = Kind { name: "cuda", kind: || DeviceType::Cuda };

/// Not `DeviceType::WebGpu`, which is the browser's, and not `DeviceType::Vulkan`: where a machine has no Vulkan, wgpu takes what
/// it has.
#[cfg(any(feature = "vulkan", feature = "webgpu"))]
pub(crate) static WGPU: Kind = Kind {
    name: if !cfg!(feature = "webgpu") {
        "vulkan"
    } else if cfg!(feature = "vulkan") {
        "vulkan, webgpu"
    } else {
        "webgpu"
    },
    kind: || DeviceType::Wgpu,
};

impl Driver for Kind {
    fn name(&self) -> &'static str {
        self.name
    }

    fn find(&self) -> Vec<Candidate> {
        let found = guarded(|| BurnDevice::enumerate((self.kind)()).into_vec()).unwrap_or_default();
        let mut found: Vec<DispatchDevice> = found.iter().map(|device| device.as_dispatch().clone()).collect();
        found.sort_by_key(rank);
        let candidate =
            |device| Candidate { software: rank(&device) == SOFTWARE, open: Box::new(move || open(device)) };
        found.into_iter().map(candidate).collect()
    }
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
        #[cfg(feature = "cuda")]
        DispatchDevice::Cube(CubeDevice::Cuda(_)) => 0,
        _ => SOFTWARE,
    }
}

/// Opens a GPU and lets it compute something.
fn open(device: DispatchDevice) -> Result<Arc<dyn Backend>, String> {
    start(&device).map_err(|reason| format!("the GPU {device:?} cannot be opened: {reason}"))?;
    let backend = Computing::new(device.clone(), name(&device));
    match guarded(|| tanh(&backend, vec![0.0, 1.0])) {
        Ok(Some(values)) if near(&values, &[0.0, 0.7616]) => Ok(Arc::new(backend)),
        Ok(values) => Err(format!("the GPU {device:?} cannot compute: tanh of 0 and 1 comes out as {values:?}")),
        Err(reason) => Err(format!("the GPU {device:?} cannot compute: {reason}")),
    }
}

fn tanh(backend: &Computing, values: Vec<f32>) -> Option<Vec<f32>> {
    let shape = [values.len()];
    let handle = backend.upload(&shape, values);
    let operand = Operand::Numbers { handle: &handle, shape: &shape };
    let result = backend.compute(&Unary::Tanh.into(), &[operand], &shape)?;
    Some(backend.download(&result))
}

fn near(values: &[f32], wanted: &[f32]) -> bool {
    values.len() == wanted.len() && values.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-3)
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

/// The name that the driver gives it, once it is open.
fn name(device: &DispatchDevice) -> String {
    let identity = guarded(|| BurnDevice::new(device.clone()).identity()).ok().flatten();
    identity.map_or_else(|| format!("{device:?}"), |identity| identity.name)
}

/// What a panic says, instead of the panic.
fn guarded<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_else(|| "a panic".to_owned())
    })
}
