//! The order in which a data set is read: a function of the seed and the position alone.

use base::seed::Stream;
use std::sync::{Arc, Mutex, PoisonError};

/// Position to index. A finite set is shuffled anew in each epoch; in an endless one the index is the position.
pub struct Order {
    seed: u64,
    /// `None` for an endless set.
    len: Option<u64>,
    shuffle: bool,
    /// The permutations of the two epochs met last, because workers are ahead of the reader.
    epochs: Mutex<[Option<Epoch>; 2]>,
}

/// An epoch and its permutation.
type Epoch = (u64, Arc<Vec<u32>>);

impl Order {
    /// The order of a set of `len` items (at most 2^32 - 1 are reached).
    pub fn new(seed: u64, len: Option<usize>, shuffle: bool) -> Self {
        let len = len.map(|n| (n as u64).clamp(1, u64::from(u32::MAX)));
        Self { seed, len, shuffle, epochs: Mutex::default() }
    }

    /// The index of the item that is delivered at `position`.
    pub fn index(&self, position: u64) -> u64 {
        let Some(len) = self.len else { return position };
        let (epoch, place) = (position / len, position % len);
        if self.shuffle { u64::from(self.permutation(epoch, len)[place as usize]) } else { place }
    }

    fn permutation(&self, epoch: u64, len: u64) -> Arc<Vec<u32>> {
        let mut epochs = self.epochs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = epochs.iter().flatten().find(|(e, _)| *e == epoch) {
            return Arc::clone(found);
        }
        let mut items: Vec<u32> = (0..len as u32).collect();
        Stream::new(self.seed, "shuffle", epoch).shuffle(&mut items);
        let items = Arc::new(items);
        epochs.rotate_right(1);
        epochs[0] = Some((epoch, Arc::clone(&items)));
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_epoch_is_a_permutation(seed: u64, len in 1usize..60, epoch in 0u64..5) {
            let order = Order::new(seed, Some(len), true);
            let start = epoch * len as u64;
            let mut seen: Vec<u64> = (start..start + len as u64).map(|p| order.index(p)).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..len as u64).collect::<Vec<_>>());
        }
    }

    #[test]
    fn epochs_differ_and_an_endless_set_goes_straight_on() {
        let order = Order::new(0, Some(50), true);
        let epoch = |e: u64| (e * 50..e * 50 + 50).map(|p| order.index(p)).collect::<Vec<_>>();
        assert_ne!(epoch(0), epoch(1));
        assert_eq!(Order::new(0, None, true).index(u64::MAX), u64::MAX);
    }
}
