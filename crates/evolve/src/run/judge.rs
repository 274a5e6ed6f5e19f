//! Scores of the generators of a run, by the features of a network.

use super::Scored;
use crate::labelled::Labelled;
use crate::settings::Settings;
use base::watch::unwatched;
use data::{Classes, Dataset, Image};
use metrics::features::{Generated, Real};
use metrics::fid::fid;
use metrics::record::{Choice, Extraction, Figure, Images, Record};
use metrics::rounding::Rounding;
use metrics::statistics::{Divisor, Statistics};
use net::{Device, Network, Ready, Result};
use score::{Extractor, ImageSet, Pictures, Resize, Sized, Wanted, gather, images_of, title};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Real images of a set by which generators are scored, at most: more move a distance little, and are looked at in every session of a run. Of
/// a set without an end there are as many as generated ones.
const REAL: u64 = 10_000;
/// The seed by which they are chosen, of all runs.
const SEED: u64 = metrics::defaults::SEED;

/// What scores generators. Statistics of the real images are found when they are first needed.
pub(super) struct Judge {
    extractor: Extractor,
    device: Device,
    real: OnceLock<(Statistics, Images)>,
}

impl Judge {
    /// With the network that the settings name.
    pub(super) fn open(settings: &Settings, device: &Device) -> Result<Self> {
        let extractor = Extractor::open(&settings.score.features, device)?;
        Ok(Self { extractor, device: device.clone(), real: OnceLock::new() })
    }

    /// What it judges by: the node of features, and the hash of the weights.
    pub(super) fn features(&self) -> String {
        format!("{} of {}", self.extractor.node(), self.extractor.weights())
    }

    /// The Fréchet distance of a generator's images from those of the set.
    pub(super) fn score(
        &self,
        network: &Network,
        settings: &Settings,
        set: &Arc<Dataset>,
        classes: Option<&Classes>,
    ) -> Result<Scored> {
        let (real, about) = match self.real.get() {
            Some(real) => real,
            None => {
                let found = self.of_real(settings, set)?;
                self.real.get_or_init(|| found)
            }
        };
        let &[channels, height, width] = set.shape() else {
            return Err(base::Error::setting("score.every", "points have no features").into());
        };
        let count = settings.score.samples;
        let made = Made {
            network,
            ready: network.inference()?,
            settings,
            classes,
            shape: [channels, height, width],
            device: &self.device,
        };
        let statistics = self.statistics(&made, count)?;
        let found = fid(Generated(&statistics), Real(real))?;
        let figure = Figure::Fid(found);
        let generated = Images {
            set: "this run".into(),
            split: None,
            mirrored: false,
            choice: Choice::First,
            count,
            size: Some([height, width]),
            rounding: Some(Rounding::Nearest),
            lossy: false,
        };
        let extraction = Extraction {
            extractor: self.extractor.name(),
            weights: format!("blake3:{}", self.extractor.weights()),
            resize: Resize::default().name().into(),
        };
        let record = Record {
            name: Record::protocol(&figure, count, Some(about.choice)),
            figure,
            extraction,
            generated,
            real: Some(about.clone()),
            model: None,
            code: env!("CARGO_PKG_VERSION").into(),
        };
        Ok(Scored { name: title(&record), value: found.value })
    }

    fn of_real(&self, settings: &Settings, set: &Arc<Dataset>) -> Result<(Statistics, Images)> {
        let samples = settings.score.samples;
        let most = if set.len().is_some() { samples.max(REAL) } else { samples };
        let images = ImageSet::new(set.clone());
        let images = if settings.image.flip { images.mirrored() } else { images };
        let Sized { pictures, about, .. } = images.random(most, SEED)?.into();
        Ok((self.statistics(pictures.as_ref(), about.count)?, about))
    }

    fn statistics(&self, pictures: &dyn Pictures, count: u64) -> Result<Statistics> {
        let wanted = Wanted { statistics: true, ..Wanted::default() };
        let (rule, divisor) = (Resize::default(), Divisor::default());
        let found =
            unwatched(|watch| gather(&self.extractor, rule, pictures, count, wanted, divisor, "images", watch))?;
        let missing = || base::Error::setting("score.samples", format!("{count} images are too few"));
        Ok(found.statistics.ok_or_else(missing)?)
    }
}

/// Images of a generator, the same latents for all generators of a run.
struct Made<'a> {
    network: &'a Network,
    ready: Ready,
    settings: &'a Settings,
    classes: Option<&'a Classes>,
    shape: [usize; 3],
    device: &'a Device,
}

impl Pictures for Made<'_> {
    fn images(&self, numbers: Range<u64>) -> Result<Vec<Image>> {
        let (s, n) = (self.settings, usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX));
        let z = Labelled::latents(s, self.classes, n, "score", numbers.start, self.device);
        let x = self.ready.begin(&z.feed(self.network))?.fetch_one(self.ready.output())?;
        Ok(images_of(&x.to_vec(), self.shape, Rounding::Nearest, Path::new("the generator"), numbers.start)?)
    }
}
