//! Acting on units: the same latents with and without edits, and what becomes of every class.

use crate::concepts::{Concept, Concepts};
use crate::subject::Subject;
use net::{Edit, Feed, NodeId, Result, Run, Tensor};
use segment::Segment;
use serde::{Deserialize, Serialize};

/// How many pixels of a class there were before and after an edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The class.
    #[serde(flatten)]
    pub concept: Concept,
    /// Pixels before.
    pub before: u64,
    /// Pixels after.
    pub after: u64,
}

impl Effect {
    /// The share of the class's pixels that is gone: 0 none, 1 all, below 0 there are more than before; NaN where there were
    /// none before.
    pub fn removed(&self) -> f64 {
        (self.before as f64 - self.after as f64) / self.before as f64
    }
}

/// Counts the pixels of every class in pairs of pictures.
#[derive(Clone, Debug)]
pub struct Effects {
    concepts: Concepts,
    before: Vec<u64>,
    after: Vec<u64>,
}

impl Effects {
    /// Nothing counted yet.
    pub fn new(segmenter: &dyn Segment) -> Self {
        let concepts = Concepts::new(segmenter.planes());
        let zero = vec![0; concepts.list().len()];
        Self { concepts, before: zero.clone(), after: zero }
    }

    /// Counts a batch `[n, c, h, w]` before and after.
    ///
    /// # Errors
    /// The images are not of the segmenter's size.
    pub fn count(&mut self, segmenter: &dyn Segment, before: &Tensor, after: &Tensor) -> Result<()> {
        for (images, counts) in [(before, &mut self.before), (after, &mut self.after)] {
            for planes in segmenter.segment(images)? {
                self.concepts.rows(&planes).sizes().for_each(|(concept, pixels)| counts[concept] += pixels);
            }
        }
        Ok(())
    }

    /// Every class.
    pub fn table(&self) -> Vec<Effect> {
        let each = |(i, concept): (usize, &Concept)| Effect {
            concept: concept.clone(),
            before: self.before[i],
            after: self.after[i],
        };
        self.concepts.list().iter().enumerate().map(each).collect()
    }
}

impl Subject {
    /// The images of some latents before and after edits, done in their order. What lies before the first edited layer is
    /// computed once. A layer that is shifted is so in both.
    ///
    /// # Errors
    /// A layer of an edit is not one of the subject's, an edit does not fit its layer, or the images have numbers that are not finite.
    pub fn before_and_after(&self, feed: &Feed, edits: &[Edit]) -> Result<[Tensor; 2]> {
        let Some(first) = self.first_of(edits)? else {
            let images = self.unedited(feed)?;
            return Ok([images.clone(), images]);
        };
        let mut run = self.run(feed)?;
        // r = h(z), then x = f(r) twice.
        let r = run.fetch_before(&[first], &[self.output()])?.remove(0);
        let edited = run.fork();
        let pair = [run.fetch_one(self.output())?, self.rest(edited, first, &r, edits)?];
        self.check(&pair)?;
        Ok(pair)
    }

    /// The images of a feed as they are.
    ///
    /// # Errors
    /// The latents have another shape than the network reads, or the images have numbers that are not finite.
    pub fn unedited(&self, feed: &Feed) -> Result<Tensor> {
        let images = self.run(feed)?.fetch_one(self.output())?;
        self.check(std::slice::from_ref(&images))?;
        Ok(images)
    }

    /// The name of the layer that comes first in the network of those that edits change: what lies before it does not depend on them.
    ///
    /// # Errors
    /// There is no such layer.
    pub fn first_layer<'e>(&self, edits: &'e [Edit]) -> Result<Option<&'e str>> {
        let first = self.first_of(edits)?;
        let is_first = |edit: &&Edit| self.node_of(&edit.node).ok() == first;
        Ok(edits.iter().find(is_first).map(|edit| edit.node.as_str()))
    }

    /// The value of a layer for latents `[n, ...]`, in the shape of its node.
    ///
    /// # Errors
    /// There is no such layer, or the latents have another shape than the network reads.
    pub fn value(&self, feed: &Feed, layer: &str) -> Result<Tensor> {
        self.run(feed)?.fetch_one(self.node_of(layer)?)
    }

    /// The images of latents after edits of this layer and later ones, where [`Subject::value`] of the layer is known: `r`. To the bit
    /// those of [`Subject::before_and_after`].
    ///
    /// # Errors
    /// As there; or an edit is of an earlier layer.
    pub fn edited_from(&self, feed: &Feed, layer: &str, r: &Tensor, edits: &[Edit]) -> Result<Tensor> {
        let first = self.node_of(layer)?;
        if self.first_of(edits)?.is_some_and(|earliest| earliest < first) {
            return Err(net::Error::Graph(format!("an edit changes a layer before {layer}")));
        }
        let images = self.rest(self.run(feed)?, first, r, edits)?;
        self.check(std::slice::from_ref(&images))?;
        Ok(images)
    }

    /// The maps of a layer `[n, units, h, w]` for latents `[n, ...]`, as edits leave them.
    ///
    /// # Errors
    /// There is no such layer among the subject's, or as [`Subject::before_and_after`].
    pub fn edited_maps(&self, feed: &Feed, edits: &[Edit], layer: &str) -> Result<Tensor> {
        let mut run = self.run(feed)?;
        run.edit(edits)?;
        let value = run.fetch_one(self.node_of(layer)?)?;
        self.check(std::slice::from_ref(&value))?;
        self.maps_of_layer(layer, value)
    }

    /// The node of the first layer that edits change.
    fn first_of(&self, edits: &[Edit]) -> Result<Option<NodeId>> {
        let nodes = edits.iter().map(|edit| self.node_of(&edit.node)).collect::<Result<Vec<_>>>()?;
        Ok(nodes.into_iter().min())
    }

    /// `f(r)` with edits of the layer of `r` and later ones.
    fn rest(&self, mut run: Run<'_>, first: NodeId, r: &Tensor, edits: &[Edit]) -> Result<Tensor> {
        let (mut r, mut later) = (r.clone(), Vec::new());
        for edit in edits {
            if self.node_of(&edit.node)? == first {
                r = edit.apply(&r, self.program().unit_axis(&edit.node)?)?;
            } else {
                later.push(edit.clone());
            }
        }
        run.feed(first, &r)?;
        run.edit(&later)?;
        run.fetch_one(self.output())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use net::zoo::{DcganGenerator, GeneratorStart, Norm, dcgan_generator};
    use net::{Device, Network, Shift, Tensor};

    #[test]
    fn computing_the_rest_alone_gives_what_the_whole_network_gives() {
        let graph = dcgan_generator(DcganGenerator {
            size: [16; 2],
            channels: 3,
            latent: 4,
            width: 2,
            norm: Norm::Batch,
            start: GeneratorStart::Linear,
            extra: true,
        });
        let device = Device::cpu();
        let network = Network::initial(graph, 1, "test", &device);
        let subject = Subject::new(&network, &[], &device).unwrap();
        let z = network.latents(&[1, 2, 3], &device);
        let feed = Feed::from(z.clone());
        let masked = Edit { mask: Some(vec![vec![1.0, 0.0]]), ..Edit::force("1", vec![1], 3.0) };
        // Later ones of a layer see what earlier ones left; layers come in the network's order, not in that of the list.
        for edits in [
            vec![Edit::ablate("0", vec![0, 2])],
            vec![masked.clone(), Edit::ablate("0", vec![1]), Edit::force("0", vec![1], 2.0)],
            vec![],
        ] {
            let [before, after] = subject.before_and_after(&feed, &edits).unwrap();
            assert_eq!(before.to_vec(), network.forward(&z, &[]).unwrap().to_vec());
            assert_eq!(after.to_vec(), network.forward(&z, &edits).unwrap().to_vec());
            assert_eq!(before.to_vec() == after.to_vec(), edits.is_empty());
            let Some(first) = subject.first_layer(&edits).unwrap() else { continue };
            let r = subject.value(&feed, first).unwrap();
            assert_eq!(subject.edited_from(&feed, first, &r, &edits).unwrap().to_vec(), after.to_vec());
            assert!(
                first == "1" || subject.edited_from(&feed, "1", &subject.value(&feed, "1").unwrap(), &edits).is_err()
            );
        }
        // A layer that is shifted is so before and after, wherever the edits are.
        for (layer, edited) in [("0", "1"), ("1", "1"), ("1", "0")] {
            let h = subject.run(&feed).unwrap().fetch_one(subject.node_of(layer).unwrap()).unwrap();
            let by = Tensor::new(h.shape(), (0..h.len()).map(|i| (i % 5) as f32 - 2.0).collect(), &device);
            let feed = Feed { shift: Some(Shift { node: layer.into(), by }), ..z.clone().into() };
            let edits = [Edit::force(edited, vec![1], 2.0)];
            let images = |edits: &[Edit]| {
                let mut run = subject.run(&feed).unwrap();
                run.edit(edits).unwrap();
                run.fetch_one(subject.output()).unwrap().to_vec()
            };
            let [before, after] = subject.before_and_after(&feed, &edits).unwrap().map(|x| x.to_vec());
            let r = subject.value(&feed, edited).unwrap();
            assert_eq!(subject.edited_from(&feed, edited, &r, &edits).unwrap().to_vec(), after);
            assert!(before == images(&[]) && after == images(&edits) && before != after, "{layer} {edited}");
            assert_ne!(before, network.forward(&z, &[]).unwrap().to_vec());
        }
    }
}
