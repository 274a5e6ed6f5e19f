//! Dissections side by side, measured by real images.

use crate::{Note, Watch, open_real, subject_of_plan};
use dissect::{Comparison, Dissection, image_distance};
use net::{Device, Result};

/// Measures how far the images of each dissected generator are from real ones, and puts that into the comparison of these
/// dissections. `false` where the watcher wanted it to end.
///
/// # Errors
/// A generator cannot be opened, or the source has fewer than twice as many images.
pub fn measure_images(
    comparison: &mut Comparison,
    dissections: &[Dissection],
    real: &str,
    images: u64,
    device: &Device,
    watch: &mut dyn Watch,
    tell: &mut dyn FnMut(&Note),
) -> Result<bool> {
    for (dissection, found) in dissections.iter().zip(&mut comparison.dissections) {
        let subject = subject_of_plan(&dissection.plan, None, device, tell)?;
        let real = open_real(real, subject.image_shape())?;
        found.image_distance = image_distance(&subject, &real, images, watch)?;
        if found.image_distance.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Unwatched, open_dissection};

    #[test]
    fn every_dissection_gets_its_distance() {
        let dissections = [open_dissection("scenes").unwrap(), open_dissection("scenes").unwrap()];
        let mut comparison = Comparison::new(&dissections);
        let mut measure = |images| {
            let device = Device::cpu();
            measure_images(&mut comparison, &dissections, "scenes", images, &device, &mut Unwatched, &mut |_| {})
        };
        assert!(measure(0).unwrap_err().to_string().contains("images: is 0"));
        assert!(measure(8).unwrap());
        let [a, b] = [0, 1].map(|i| comparison.dissections[i].image_distance.unwrap());
        assert!(a == b && a.images == 8 && a.generated > 0.0);
    }
}
