//! GPUs as devices: a [`tensor::Backend`] that lets Burn compute, and a [`tensor::Driver`] for each kind of GPU in the build.
//!
//! The features `vulkan`, `webgpu` and `cuda` say which kinds there are; they can be combined. Without one of them there is
//! none, and Burn is not built at all. Nothing else in the workspace knows Burn.
//!
//! Burn's version is pinned exactly, because the interfaces that are used here, below its typed tensors, change often.
//!
//! ```
//! use tensor::{Device, DeviceChoice, Tensor};
//!
//! // A GPU where the build knows a kind and one is found, else the processor.
//! let device = Device::choose(DeviceChoice::Auto, &ganatomy_gpu::drivers(), |why| println!("passed over: {why}"))?;
//! let twice = Tensor::new(&[3], vec![1.0, 2.0, 3.0], &device).scale(2.0);
//! assert_eq!(twice.to_vec(), [2.0, 4.0, 6.0]);
//! # Ok::<(), base::Error>(())
//! ```

#[cfg(any(feature = "vulkan", feature = "webgpu", feature = "cuda", feature = "reference"))]
mod computing;
#[cfg(any(feature = "vulkan", feature = "webgpu", feature = "cuda"))]
mod finding;

/// The drivers of this build, the one to prefer first.
pub fn drivers() -> Vec<&'static dyn tensor::Driver> {
    vec![
        #[cfg(feature = "cuda")]
        &finding::CUDA,
        #[cfg(any(feature = "vulkan", feature = "webgpu"))]
        &finding::WGPU,
    ]
}

/// Burn on the processor, which computes as on every GPU: for tests.
#[cfg(feature = "reference")]
#[doc(hidden)]
pub fn reference() -> std::sync::Arc<dyn tensor::Backend> {
    let device = burn::backend::DispatchDevice::Flex(burn::backend::FlexDevice);
    std::sync::Arc::new(computing::Computing::new(device, "reference".to_owned()))
}
