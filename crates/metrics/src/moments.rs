//! Mean and covariance of features that come one batch at a time, on one machine or on many.

mod leaf;
mod node;

use crate::features::{Features, Number};
use crate::statistics::{Divisor, Statistics};
use base::{Error, Result};
use leaf::{LEAF, Leaf};
pub(crate) use node::Node;
use std::collections::BTreeMap;

/// Gathers what mean and covariance are made of. Images have numbers, from 0 on; each is seen once.
///
/// The result depends on the images and their numbers alone, to the byte: not on batches, on the order in which they come, nor on which
/// shard saw which and how shards are merged. For that, sums follow a fixed tree over the numbers: 512 images in order are one leaf,
/// computed about its own mean; two neighbours of one size make the next larger one (Chan, Golub and `LeVeque` 1983). What is gathered is
/// what of the tree is known, so memory does not grow with the images but by one triangle of `width^2 / 2` numbers for each doubling of
/// their number, and by one leaf of images at each end of a range. Give a shard whole ranges: every gap is an end.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    width: usize,
    /// Whole parts of the tree by their first leaf; never two that could be one.
    nodes: BTreeMap<u64, Node>,
    /// Leaves of which some images were seen.
    leaves: BTreeMap<u64, Leaf>,
}

impl Moments {
    /// Nothing yet, of vectors of `width` numbers.
    pub fn new(width: usize) -> Self {
        Self { width, nodes: BTreeMap::new(), leaves: BTreeMap::new() }
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Images that were seen.
    pub fn count(&self) -> u64 {
        self.nodes.values().map(|node| node.count).chain(self.leaves.values().map(|leaf| leaf.count() as u64)).sum()
    }

    /// Takes images with the numbers `first`, `first + 1`, ...
    ///
    /// # Errors
    /// Vectors have another length, or an image of that number was seen before. Nothing is taken then.
    pub fn push<T: Number>(&mut self, first: u64, features: &Features<T>) -> Result<()> {
        self.fits(features.name(), features.width())?;
        let numbers = first..first.checked_add(features.len() as u64).ok_or_else(|| seen(first))?;
        if let Some(number) = numbers.clone().find(|&number| self.has(number)) {
            return Err(seen(number));
        }
        for (number, row) in numbers.zip(0..) {
            self.take(number, features.row(row).iter().map(|&v| v.into()));
        }
        Ok(())
    }

    /// Adds what another one saw.
    ///
    /// # Errors
    /// Vectors have another length, or an image was seen by both.
    pub fn merge(mut self, other: Self) -> Result<Self> {
        self.fits("features", other.width)?;
        for (&first, node) in &other.nodes {
            if let Some(leaf) = (first..first + node.leaves).find(|&leaf| self.has_any(leaf)) {
                return Err(seen(leaf * LEAF as u64));
            }
        }
        for (number, _) in other.open_rows(self.width) {
            if self.has(number) {
                return Err(seen(number));
            }
        }
        for (number, row) in other.open_rows(self.width) {
            self.take(number, row.iter().copied());
        }
        other.nodes.into_iter().for_each(|(first, node)| self.join(first, node));
        Ok(self)
    }

    /// Mean and covariance.
    ///
    /// # Errors
    /// There are too few images for the divisor.
    pub fn statistics(&self, divisor: Divisor) -> Result<Statistics> {
        let whole = self.whole();
        let count = whole.as_ref().map_or(0, |node| node.count);
        match whole {
            Some(whole) if count > divisor.less() => Ok(whole.statistics(divisor)),
            _ => Err(Error::setting(
                "features",
                format!("{count} images are too few: a covariance takes at least {}", divisor.less() + 1),
            )
            .with_hint("Give more images: well above the number of features, or the covariance lacks directions.")),
        }
    }

    /// All of it as one part of the tree.
    pub(crate) fn whole(&self) -> Option<Node> {
        let mut all: Vec<u64> = self.nodes.keys().chain(self.leaves.keys()).copied().collect();
        all.sort_unstable();
        let part = |first: u64| match self.leaves.get(&first) {
            Some(leaf) => leaf.node(self.width),
            None => self.nodes[&first].clone(),
        };
        all.into_iter().map(part).reduce(|mut before, after| {
            before.append(&after);
            before
        })
    }

    fn fits(&self, name: &str, width: usize) -> Result<()> {
        if width == self.width {
            return Ok(());
        }
        Err(Error::setting(name, format!("have {width} numbers each, and those before have {}", self.width))
            .with_hint("Compute all with the same feature network."))
    }

    fn has(&self, number: u64) -> bool {
        let leaf = number / LEAF as u64;
        self.is_whole(leaf) || self.leaves.get(&leaf).is_some_and(|leaf| leaf.has(number))
    }

    fn has_any(&self, leaf: u64) -> bool {
        self.is_whole(leaf) || self.leaves.contains_key(&leaf)
    }

    fn is_whole(&self, leaf: u64) -> bool {
        self.nodes.range(..=leaf).next_back().is_some_and(|(first, node)| leaf - first < node.leaves)
    }

    fn take(&mut self, number: u64, row: impl Iterator<Item = f64>) {
        let first = number / LEAF as u64;
        let leaf = self.leaves.entry(first).or_insert_with(|| Leaf::new(self.width));
        leaf.take(number, row);
        if leaf.count() == LEAF {
            let node = leaf.node(self.width);
            self.leaves.remove(&first);
            self.join(first, node);
        }
    }

    /// Adds a part of the tree, and makes one of two for as long as there are neighbours.
    fn join(&mut self, mut first: u64, mut node: Node) {
        loop {
            let other = first ^ node.leaves;
            if self.nodes.get(&other).is_none_or(|found| found.leaves != node.leaves) {
                break;
            }
            let Some(mut found) = self.nodes.remove(&other) else { break };
            if other < first {
                found.append(&node);
                node = found;
            } else {
                node.append(&found);
            }
            first = first.min(other);
        }
        self.nodes.insert(first, node);
    }

    /// Images of leaves that are not whole, with their numbers.
    fn open_rows(&self, width: usize) -> impl Iterator<Item = (u64, &[f64])> {
        self.leaves.iter().flat_map(move |(&first, leaf)| leaf.rows(first, width))
    }
}

fn seen(number: u64) -> Error {
    Error::setting("features", format!("image {number} comes a second time"))
        .with_hint("Give each image, and each shard, once.")
}

#[cfg(test)]
mod tests;
