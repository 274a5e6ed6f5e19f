//! The choice of a device, with GPUs that are made up.

use super::{Candidate, Device, DeviceChoice, choose};
use std::cell::RefCell;

/// What the choice is for these GPUs (name, software, opens): the GPU taken (`cpu` for none) or the error with its hint,
/// and what was passed over.
fn chosen(choice: DeviceChoice, compiled: &[&str], gpus: &[(&'static str, bool, bool)]) -> (String, Vec<String>) {
    let find = || gpus.iter().map(|&(name, software, opens)| Candidate { software, device: (name, opens) }).collect();
    let open = |&(name, opens): &(&str, bool)| if opens { Ok(()) } else { Err(format!("{name} is broken")) };
    let heard = RefCell::new(Vec::new());
    let taken = match choose(choice, compiled, find, open, &mut |reason| heard.borrow_mut().push(reason.to_owned())) {
        Ok(gpu) => gpu.map_or("cpu", |(name, _)| name).to_owned(),
        Err(error) => format!("{error} | {}", error.hint().unwrap()),
    };
    (taken, heard.into_inner())
}

#[test]
fn the_processor_is_taken_without_a_look() {
    let never = || -> Vec<Candidate<()>> { panic!("looked") };
    for (choice, compiled) in
        [(DeviceChoice::Cpu, &["vulkan"][..]), (DeviceChoice::Cpu, &[]), (DeviceChoice::Auto, &[])]
    {
        assert!(choose(choice, compiled, never, |()| Ok(()), &mut |_| {}).unwrap().is_none());
    }
}

#[test]
fn a_gpu_that_is_not_compiled_in_is_refused_with_the_feature_to_build() {
    let (error, _) = chosen(DeviceChoice::Gpu, &[], &[]);
    assert!(error.starts_with("device: this program was built without GPUs | "), "{error}");
    assert!(error.contains("the feature vulkan"), "{error}");
}

#[test]
fn a_gpu_that_is_not_there_is_refused_or_done_without() {
    let (error, _) = chosen(DeviceChoice::Gpu, &["cuda", "vulkan"], &[]);
    assert!(error.starts_with("device: no GPU was found (looked for cuda, vulkan) | "), "{error}");
    assert_eq!(chosen(DeviceChoice::Auto, &["vulkan"], &[]), ("cpu".into(), vec![]));
}

#[test]
fn the_first_gpu_that_opens_is_taken() {
    let gpus = [("a", false, false), ("b", false, true), ("c", false, true)];
    for choice in [DeviceChoice::Gpu, DeviceChoice::Auto] {
        assert_eq!(chosen(choice, &["vulkan"], &gpus), ("b".into(), vec![]));
    }
}

#[test]
fn a_gpu_that_does_not_open_is_an_error_or_passed_over_aloud() {
    let gpus = [("a", false, false), ("b", false, false)];
    let (error, _) = chosen(DeviceChoice::Gpu, &["vulkan"], &gpus);
    assert!(error.starts_with("device: a is broken; b is broken | "), "{error}");
    let heard = vec!["a is broken".to_owned(), "b is broken".to_owned()];
    assert_eq!(chosen(DeviceChoice::Auto, &["vulkan"], &gpus), ("cpu".into(), heard));
}

#[test]
fn a_renderer_on_the_processor_is_taken_only_where_it_is_asked_for() {
    let gpus = [("renderer", true, true)];
    assert_eq!(chosen(DeviceChoice::Gpu, &["vulkan"], &gpus).0, "renderer");
    assert_eq!(chosen(DeviceChoice::Auto, &["vulkan"], &gpus), ("cpu".into(), vec![]));
}

#[test]
fn names_are_read_as_they_are_written() {
    for choice in DeviceChoice::ALL {
        assert_eq!(choice.to_string().parse::<DeviceChoice>().unwrap(), choice);
    }
    let error = "tpu".parse::<DeviceChoice>().unwrap_err();
    assert_eq!(
        (error.to_string(), error.hint().unwrap()),
        ("device: there is no \"tpu\"".into(), "Choose one of cpu, gpu, auto.".into())
    );
}

#[test]
fn whatever_this_machine_has_the_choice_ends_without_a_panic() {
    for choice in DeviceChoice::ALL {
        match Device::choose(choice, |_| {}) {
            Ok(device) => assert!(choice != DeviceChoice::Cpu || device.is_cpu(), "{device}"),
            Err(error) => assert!(choice == DeviceChoice::Gpu && error.hint().is_some(), "{error}"),
        }
    }
    assert_eq!(Device::cpu().to_string(), "CPU");
    assert!(!Device::stand_in().is_cpu());
}
