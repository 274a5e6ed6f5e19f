//! What a dissection needs, opened and checked before the work begins.

use crate::Watch;
use base::memory;
use data::Dataset;
use dissect::{Dissection, GROUP, Means, Origin, Plan, Settings, Shard, Subject};
use net::{Device, Result};
use segment::{Segment, Segmenter};
use std::path::Path;

/// A dissection that can begin.
pub struct Dissecting<'a> {
    subject: Subject,
    segmenter: &'a Segmenter,
    real: Option<&'a Dataset>,
    plan: Plan,
    device: Device,
}

impl<'a> Dissecting<'a> {
    /// Plans the dissection of a generator's layers by a segmenter. What people call both is kept in the plan.
    ///
    /// # Errors
    /// The settings cannot be, or there is not enough memory for them.
    pub fn new(
        (subject, generator_name): (Subject, &str),
        (segmenter, segmenter_name): (&'a Segmenter, &str),
        settings: Settings,
    ) -> Result<Self> {
        settings.check()?;
        let origins = [
            Origin::of_network(generator_name, subject.network())?,
            Origin::of_network(segmenter_name, segmenter.network())?,
        ];
        let plan = Plan::new(&subject, segmenter.planes(), origins, None, settings, Shard::WHOLE);
        let device = subject.device().clone();
        if device.is_cpu() {
            let group = GROUP as usize;
            let networks = subject.memory(group)?.saturating_add(segmenter.memory(group)?);
            // A group is counted while the next one is made.
            let needed = networks.saturating_add(subject.made_bytes(group)).saturating_add(plan.memory());
            memory::check(format!("{generator_name}: a dissection"), needed, "Name fewer `layers`.")?;
        }
        Ok(Self { subject, segmenter, real: None, plan, device })
    }

    /// Compares the classes with those of real images, of the generator's shape; what people call them is kept in the plan. The
    /// settings say how many are looked at.
    #[must_use]
    pub fn with_real(mut self, real: &'a Dataset, name: impl Into<String>) -> Self {
        self.plan.real = Some(name.into());
        Self { real: Some(real), ..self }
    }

    /// Counts one part of the images alone.
    #[must_use]
    pub fn with_shard(mut self, shard: Shard) -> Self {
        self.plan.shard = shard;
        self
    }

    /// What is going to be done.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Refuses what cannot be done, before there is a folder for it.
    ///
    /// # Errors
    /// The sizes of the networks and images do not fit, or the plan cannot be.
    pub fn check(&self) -> Result<()> {
        dissect::check(&self.plan, &self.means())
    }

    fn means(&self) -> Means<'_> {
        Means { subject: &self.subject, segmenter: self.segmenter, real: self.real, device: &self.device }
    }

    /// Does it, or goes on where it was interrupted, in a folder; `None` where the watcher wanted it to end.
    ///
    /// # Errors
    /// The folder holds something else or cannot be written, or the sizes of the networks and images do not fit.
    pub fn run(&self, folder: &Path, watch: &mut dyn Watch) -> Result<Option<Dissection>> {
        dissect::dissect(folder, &self.plan, &self.means(), watch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generator, Unwatched, open_real, open_segmenter, subject_of_plan};

    #[test]
    fn a_dissection_is_found_again_by_its_plan() {
        let device = Device::cpu();
        let generator = Generator::open("scenes", &device).unwrap();
        let segmenter = open_segmenter("scenes", &device).unwrap();
        let real = open_real("scenes", generator.image_shape().unwrap()).unwrap();
        let settings = Settings { samples: 64, fit_samples: 32, real_samples: 16, ..Settings::default() };
        let task = |settings| {
            let subject = generator.subject(&["1".into()]).unwrap();
            let task = Dissecting::new((subject, "scenes"), (&segmenter, "scenes"), settings)?;
            Ok::<_, net::Error>(task.with_real(&real, "scenes"))
        };
        let folder = tempfile::tempdir().unwrap();
        let done = task(settings.clone()).unwrap().run(folder.path(), &mut Unwatched).unwrap().unwrap();
        assert_eq!((done.plan.real.as_deref(), done.plan.layers[0].name.as_str()), (Some("scenes"), "1"));
        let again = crate::open_dissection(folder.path()).unwrap();
        assert_eq!(subject_of_plan(&again.plan, None, &device, &mut |_| {}).unwrap().layers(), done.plan.layers);
        let refused = task(Settings { samples: 0, ..settings }).err().unwrap();
        assert!(refused.to_string().contains("samples: is 0"), "{refused}");
    }
}
