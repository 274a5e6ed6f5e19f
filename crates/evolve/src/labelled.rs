//! Latents and images with the classes that they are of.

use crate::settings::Settings;
use base::seed::Stream;
use data::Classes;
use net::{Device, Feed, Network, NodeId, Tensor, Trainee, one_hot};
use std::ops::Range;

/// Latents or images `[n, ...]`, with their labels `[n, classes]` where the networks read classes.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The latents or images.
    pub x: Tensor,
    /// 1 in the place of each one's class, 0 elsewhere.
    pub label: Option<Tensor>,
}

/// Those of no class.
impl From<Tensor> for Labelled {
    fn from(x: Tensor) -> Self {
        Self { x, label: None }
    }
}

impl Labelled {
    /// `n` latents of one purpose, with a class for each, drawn as the data have them: latent i and its class are functions of (seed, purpose,
    /// first + i) alone.
    pub(crate) fn latents(
        s: &Settings,
        classes: Option<&Classes>,
        n: usize,
        purpose: &str,
        first: u64,
        device: &Device,
    ) -> Self {
        let x = s.latent_law.batch(n, &[s.latent], s.seed, purpose, first, device);
        let purpose = format!("{purpose}/class");
        let class_of = |classes: &Classes, i| classes.draw(&mut Stream::new(s.seed, &purpose, first + i));
        let label = classes.map(|classes| {
            let of: Vec<usize> = (0..n as u64).map(|i| class_of(classes, i)).collect();
            one_hot(&of, classes.len(), device)
        });
        Self { x, label }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.x.shape().first().copied().unwrap_or_default()
    }

    /// Their classes; nothing where they have none.
    pub(crate) fn classes(&self) -> Vec<usize> {
        let Some(label) = &self.label else { return Vec::new() };
        let classes = label.shape().get(1).copied().unwrap_or(1).max(1);
        let of_one = |label: &[f32]| label.iter().position(|&one| one == 1.0).unwrap_or_default();
        label.to_vec().chunks_exact(classes).map(of_one).collect()
    }

    /// Some of them.
    pub(crate) fn part(&self, range: Range<usize>, device: &Device) -> Self {
        let of = |tensor: &Tensor| {
            let each: usize = tensor.shape().iter().skip(1).product();
            let shape = [&[range.len()], tensor.shape().get(1..).unwrap_or_default()].concat();
            Tensor::new(&shape, tensor.to_vec()[range.start * each..range.end * each].to_vec(), device)
        };
        Self { x: of(&self.x), label: self.label.as_ref().map(of) }
    }

    /// Other images of the same classes.
    pub(crate) fn with(&self, x: Tensor) -> Self {
        Self { x, label: self.label.clone() }
    }

    /// What a run of a player is started with.
    pub(crate) fn feeds(&self, side: &Trainee) -> Vec<(NodeId, &Tensor)> {
        let label = side.label.zip(self.label.as_ref());
        std::iter::once((side.input, &self.x)).chain(label).collect()
    }

    /// What a generator makes pictures of.
    pub(crate) fn feed(self, network: &Network) -> Feed {
        let label = network.label().map(|(name, _)| name.to_owned()).zip(self.label);
        Feed { beside: label.into_iter().collect(), ..self.x.into() }
    }
}

/// Images side by side with their classes, of which batches are made.
#[derive(Default)]
pub(crate) struct Pile {
    pub(crate) values: Vec<f32>,
    /// One for each image, or none at all.
    pub(crate) classes: Vec<usize>,
}

impl Pile {
    /// Those from image `at` on; the others stay. An image has `each` numbers.
    pub(crate) fn split_off(&mut self, at: usize, each: usize) -> Self {
        let classes = self.classes.split_off(at.min(self.classes.len()));
        Self { values: self.values.split_off(at * each), classes }
    }

    /// Images of a shape as a batch, with the labels of so many classes where they have some.
    pub(crate) fn batch(
        &self,
        shape: &[usize],
        range: Range<usize>,
        classes: Option<usize>,
        device: &Device,
    ) -> Labelled {
        let each: usize = shape.iter().product();
        let values = self.values[range.start * each..range.end * each].to_vec();
        let x = Tensor::new(&[&[range.len()], shape].concat(), values, device);
        Labelled { x, label: classes.map(|classes| one_hot(&self.classes[range], classes, device)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use train::RunSettings;

    #[test]
    fn a_latent_has_its_class_in_every_batch_and_classes_come_as_the_data_have_them() {
        let s = Settings::preset("laptop", false).unwrap().with(&["data=x", "latent=3"]).unwrap();
        let (names, fingerprint) = (["a", "b", "c"].map(str::to_owned).to_vec(), String::new());
        let classes = Classes { names, counts: vec![100, 300, 0], fingerprint };
        let draw = |n, first| Labelled::latents(&s, Some(&classes), n, "test", first, &Device::cpu());
        let all = draw(400, 7);
        let label = all.label.clone().unwrap().to_vec();
        let (part, alone) = (all.part(5..8, &Device::cpu()), draw(3, 12));
        assert_eq!(part.x.to_vec(), alone.x.to_vec());
        assert_eq!(part.label.unwrap().to_vec(), alone.label.unwrap().to_vec());
        let count = |class: usize| label.chunks(3).filter(|label| label[class] == 1.0).count();
        assert_eq!((count(0) + count(1), count(2)), (400, 0));
        assert!((70..130).contains(&count(0)), "{}", count(0));
        // Without classes the latents are the same.
        let plain = Labelled::latents(&s, None, 400, "test", 7, &Device::cpu());
        assert!(plain.label.is_none() && plain.x.to_vec() == all.x.to_vec());
    }
}
