//! A repair whose units have been decided about, carried out.

use crate::{Generator, Watch, open_real};
use dissect::{RepairFolder, TakenOut};
use net::Result;

/// A generator without the accepted units.
#[derive(Clone, Debug)]
pub struct Removed {
    /// Where it is, and how the units are gone.
    pub taken: TakenOut,
    /// Why it could not be judged, where it could not.
    pub unjudged: Option<String>,
}

/// Takes the units out of a generator that are accepted in a repair's folder, and judges what that did by the real images that were
/// looked at in the search, where they are still there. `None` where the watcher wanted it to end.
///
/// # Errors
/// As [`RepairFolder::take_out`]; the repair is of another generator.
pub fn take_out(repair: &RepairFolder, generator: &Generator, watch: &mut dyn Watch) -> Result<Option<Removed>> {
    let subject = generator.subject(std::slice::from_ref(&repair.layer))?;
    let (real, unjudged) = match open_real(&repair.real, subject.image_shape()) {
        Ok(real) if real.len().is_some_and(|n| (n as u64) < repair.settings.real_samples) => {
            (None, Some(format!("{} has fewer images than there were in the search", repair.real)))
        }
        Ok(real) => (Some(real), None),
        Err(error) => (None, Some(format!("the real images cannot be read: {error}"))),
    };
    let taken = repair.take_out(&subject, real.as_ref(), watch)?;
    Ok(taken.map(|taken| Removed { taken, unjudged }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unwatched;
    use base::Error;
    use dissect::{Answers, Decision, RepairMeans, RepairSettings, repair};
    use net::Device;
    use std::path::Path;

    /// A search in the shipped generator, among so many images.
    fn searched(folder: &Path, device: &Device) -> Generator {
        let generator = Generator::open("scenes", device).unwrap();
        let subject = generator.subject(&["1".into()]).unwrap();
        let real = open_real("scenes", subject.image_shape()).unwrap();
        let settings = RepairSettings { samples: 24, real_samples: 24, candidates: 3, random: 2, seed: 0 };
        let means = RepairMeans { subject: &subject, name: "scenes".into(), real: &real, defects: None };
        repair(folder, &means, &Answers::default(), &settings, &mut Unwatched).unwrap().unwrap();
        generator
    }

    #[test]
    fn decisions_are_kept_and_carried_out() {
        let folder = tempfile::tempdir().unwrap();
        let device = Device::cpu();
        let generator = searched(folder.path(), &device);
        let found = RepairFolder::read(folder.path()).unwrap();
        assert_eq!((found.layer.as_str(), found.real.as_str(), found.candidates().len()), ("1", "scenes", 3));
        let unit = found.candidates()[1].unit;
        assert!(found.picture(unit).is_file());
        let nothing = take_out(&found, &generator, &mut Unwatched).unwrap_err();
        assert!(nothing.to_string().ends_with("no unit is accepted, so there is nothing to take out"), "{nothing}");

        let other = (0..1000).find(|u| found.candidates().iter().all(|candidate| candidate.unit != *u)).unwrap();
        found.decide(other, Decision::Reject).unwrap();
        let decided = found.decide(unit, Decision::Accept).unwrap();
        assert_eq!((decided.accepted(), decided.of(other)), (vec![unit], Decision::Reject));
        let decided = found.decide(other, Decision::Undecided).unwrap();
        assert!(!decided.units.contains_key(&other), "nobody asked about it");
        let table = std::fs::read_to_string(folder.path().join("candidates.csv")).unwrap();
        assert!(table.lines().nth(2).unwrap().contains(",accept,"), "{table}");
        assert!(found.decide(9999, Decision::Accept).unwrap_err().to_string().contains("has no unit 9999"));
        let lock = train::RunLock::acquire(folder.path()).unwrap();
        let busy = found.decide(unit, Decision::Reject).unwrap_err();
        assert!(matches!(busy, Error::File { .. }) && busy.to_string().ends_with("is at work in this folder"));
        drop(lock);

        assert_eq!(found.repaired().unwrap(), None);
        let Removed { taken, unjudged } = take_out(&found, &generator, &mut Unwatched).unwrap().unwrap();
        assert_eq!((&taken.units, unjudged), (&vec![unit], None));
        let judged = found.repaired().unwrap().unwrap();
        assert_eq!((judged.units, judged.removal), (vec![unit], taken.removal));
        assert_eq!(found.model_file(), Some(taken.file.clone()));
        Generator::open(&taken.file, &device).unwrap();

        let mut gone = found.clone();
        gone.real = "no/such/images.zip".into();
        let Removed { taken, unjudged } = take_out(&gone, &generator, &mut Unwatched).unwrap().unwrap();
        assert!(unjudged.unwrap().contains("no/such/images.zip") && taken.file.is_file());
        assert_eq!(found.repaired().unwrap(), None, "the figures of before are not those of this model");
    }
}
