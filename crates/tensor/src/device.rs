//! Devices: where tensors lie, and which one the user means.

use crate::Backend;
use base::{Error, Result};
use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::Arc;

/// Where tensors live and computations run: the processor, or a [`Backend`].
#[derive(Clone, Debug, Default)]
pub struct Device(Option<Arc<dyn Backend>>);

impl Device {
    /// The processor.
    pub fn cpu() -> Self {
        Self(None)
    }

    /// Another device.
    pub fn foreign(backend: Arc<dyn Backend>) -> Self {
        Self(Some(backend))
    }

    /// The processor behind a [`Backend`], which hides its memory from our kernels: what is computed there takes the ways of
    /// every other device, so tests of these need no GPU.
    #[cfg(any(test, feature = "test-device"))]
    #[doc(hidden)]
    pub fn stand_in() -> Self {
        Self::foreign(crate::stand_in::shared())
    }

    /// Whether it is the processor.
    pub fn is_cpu(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn backend(&self) -> Option<&Arc<dyn Backend>> {
        self.0.as_ref()
    }

    /// The device that the user asks for, tried out: it has computed something. `drivers` are those of this build;
    /// `passed_over` hears of each GPU that [`DeviceChoice::Auto`] found but could not use.
    ///
    /// # Errors
    /// A GPU is asked for, but this build has no driver, or none is found, or none of those found can be used.
    pub fn choose(choice: DeviceChoice, drivers: &[&dyn Driver], mut passed_over: impl FnMut(&str)) -> Result<Self> {
        let wrong = |reason: String, hint: &str| Err(Error::setting("device", reason).with_hint(hint));
        if choice == DeviceChoice::Cpu || (choice == DeviceChoice::Auto && drivers.is_empty()) {
            return Ok(Self::cpu());
        }
        if drivers.is_empty() {
            let hint = "Build it with the feature vulkan, webgpu or cuda.";
            return wrong("this program was built without GPUs".to_owned(), hint);
        }
        let mut failures = Vec::new();
        for candidate in drivers.iter().flat_map(|driver| driver.find()) {
            if candidate.software && choice == DeviceChoice::Auto {
                continue;
            }
            match (candidate.open)() {
                Ok(backend) => return Ok(Self::foreign(backend)),
                Err(reason) => failures.push(reason),
            }
        }
        if choice == DeviceChoice::Auto {
            failures.iter().for_each(|reason| passed_over(reason));
            return Ok(Self::cpu());
        }
        if failures.is_empty() {
            let kinds: Vec<&str> = drivers.iter().map(|driver| driver.name()).collect();
            let reason = format!("no GPU was found (looked for {})", kinds.join(", "));
            return wrong(reason, "Install the driver of the GPU, or take `device cpu`.");
        }
        wrong(failures.join("; "), "Check the driver of the GPU, or take `device cpu`.")
    }
}

/// What people call it: `CPU`, or the name that the driver gives a GPU.
impl Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(backend) => f.write_str(&backend.name()),
            None => f.write_str("CPU"),
        }
    }
}

/// A kind of GPU that a build knows.
pub trait Driver {
    /// Its name: `vulkan`, `cuda`.
    fn name(&self) -> &'static str;

    /// All GPUs of this kind, the one to prefer first.
    fn find(&self) -> Vec<Candidate>;
}

/// A GPU that was found but not tried yet.
pub struct Candidate {
    /// A renderer on the processor that looks like a GPU. It is slower than our kernels, so nobody gets it unasked.
    pub software: bool,
    /// Opens it and lets it compute something; or says what is wrong.
    pub open: Box<dyn FnOnce() -> Result<Arc<dyn Backend>, String>>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;

    struct Kind(Vec<(bool, Result<(), &'static str>)>);

    impl Driver for Kind {
        fn name(&self) -> &'static str {
            "vulkan"
        }

        fn find(&self) -> Vec<Candidate> {
            let each = |&(software, opens): &(bool, Result<(), &'static str>)| Candidate {
                software,
                open: Box::new(move || opens.map(|()| crate::stand_in::shared()).map_err(str::to_owned)),
            };
            self.0.iter().map(each).collect()
        }
    }

    fn chosen(choice: DeviceChoice, kinds: &[Kind]) -> (Result<Device>, Vec<String>) {
        let mut heard = Vec::new();
        let drivers: Vec<&dyn Driver> = kinds.iter().map(|kind| kind as &dyn Driver).collect();
        let device = Device::choose(choice, &drivers, |reason| heard.push(reason.to_owned()));
        (device, heard)
    }

    #[test]
    fn nothing_is_looked_for_where_the_processor_will_do() {
        struct Never;
        impl Driver for Never {
            fn name(&self) -> &'static str {
                "never"
            }
            fn find(&self) -> Vec<Candidate> {
                unreachable!("the processor was asked for")
            }
        }
        assert!(Device::choose(DeviceChoice::Cpu, &[&Never], |_| ()).unwrap().is_cpu());
        assert!(Device::choose(DeviceChoice::Auto, &[], |_| ()).unwrap().is_cpu());
    }

    #[test]
    fn the_first_gpu_that_opens_is_taken() {
        let gpu = [Kind(vec![(false, Err("the first is broken")), (false, Ok(()))])];
        let (device, heard) = chosen(DeviceChoice::Auto, &gpu);
        assert!(!device.unwrap().is_cpu() && heard.is_empty());
    }

    #[test]
    fn auto_passes_over_broken_gpus_aloud_and_over_renderers_silently() {
        let (device, heard) = chosen(DeviceChoice::Auto, &[Kind(vec![(false, Err("broken")), (true, Ok(()))])]);
        assert!(device.unwrap().is_cpu());
        assert_eq!(heard, ["broken"]);
        assert!(!chosen(DeviceChoice::Gpu, &[Kind(vec![(true, Ok(()))])]).0.unwrap().is_cpu());
    }

    #[test]
    fn a_gpu_that_was_asked_for_is_an_error_where_there_is_none() {
        for (kinds, says) in [
            (vec![], "device: this program was built without GPUs"),
            (vec![Kind(vec![])], "device: no GPU was found (looked for vulkan)"),
            (vec![Kind(vec![(false, Err("one")), (false, Err("two"))])], "device: one; two"),
        ] {
            let (device, heard) = chosen(DeviceChoice::Gpu, &kinds);
            let error = device.err().unwrap();
            assert_eq!(error.to_string(), says);
            assert!(error.hint().is_some() && heard.is_empty());
        }
    }

    #[test]
    fn tensors_go_there_and_back() {
        let (here, there) = (Device::cpu(), Device::stand_in());
        let x = Tensor::new(&[2, 2], vec![1.0, -2.0, 3.0, 0.5], &there);
        assert!(x.slice().is_none() && !x.device().is_cpu());
        assert_eq!(x.on(&here).slice(), Some(&[1.0, -2.0, 3.0, 0.5][..]));
        assert_eq!(x.add(&x).reshape(&[4]).to_vec(), [2.0, -4.0, 6.0, 1.0]);
        assert!(!x.add(&x).device().is_cpu());
    }

    #[test]
    fn names_are_what_users_write() {
        for choice in DeviceChoice::ALL {
            assert_eq!(choice.name().parse::<DeviceChoice>().unwrap(), choice);
        }
        let error = "tpu".parse::<DeviceChoice>().unwrap_err();
        assert_eq!(error.hint().unwrap(), "Choose one of cpu, gpu, auto.");
    }
}
