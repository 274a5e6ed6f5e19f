//! Batches, prefetched by background threads, in an order that depends neither on their number nor on their speed.

use crate::dataset::Dataset;
use crate::image::LabelMap;
use crate::order::Order;
use base::seed::Stream;
use base::{Error, Result};
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Finished items that wait for the reader take at most this many bytes, but there is room for one per worker at least.
const AHEAD_BYTES: usize = 64 << 20;
/// Nor are more items than this made ahead.
const AHEAD_ITEMS: usize = 4096;

/// How a [`Loader`] works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoaderOptions {
    /// The seed of the order and of the flips.
    pub seed: u64,
    /// Whether a finite set is shuffled, anew in each epoch.
    pub shuffle: bool,
    /// Whether batches carry label maps.
    pub maps: bool,
    /// The number of background threads, at least 1. It has no influence on what is delivered.
    pub workers: usize,
}

impl Default for LoaderOptions {
    /// Seed 0, shuffled, without maps, a thread per core but at most 8.
    fn default() -> Self {
        let workers = thread::available_parallelism().map_or(1, usize::from).min(8);
        Self { seed: 0, shuffle: true, maps: false, workers }
    }
}

/// Some items of a data set, side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[n, channels, height, width]`, or `[n, 2]` for points.
    pub shape: Vec<usize>,
    /// The values in the order of `shape`; those of images lie in `[-1, 1]`.
    pub data: Vec<f32>,
    /// The class of each item; empty if the set has none.
    pub labels: Vec<u32>,
    /// Per plane, the class indices `[n, height, width]`; empty unless maps were asked for and the set has them.
    pub maps: Vec<Vec<u16>>,
    /// The index of each item in the data set.
    pub indices: Vec<u64>,
}

/// Delivers a data set in batches. Its state is one number, its position.
pub struct Loader {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    set: Arc<Dataset>,
    order: Order,
    options: LoaderOptions,
    /// How far ahead of the reader items are made.
    ahead: u64,
    queue: Mutex<Queue>,
    /// An item is finished.
    finished: Condvar,
    /// There is room for more items.
    room: Condvar,
}

struct Queue {
    /// The position of the next item that the reader gets.
    position: u64,
    /// The position of the next item that a worker makes.
    next: u64,
    ready: BTreeMap<u64, Result<Item>>,
    /// Counts the jumps, so that items from before a jump are recognised and thrown away.
    jumps: u64,
    stop: bool,
}

struct Item {
    index: u64,
    values: Vec<f32>,
    label: Option<u32>,
    maps: Vec<LabelMap>,
}

impl Loader {
    /// Starts the background threads at position 0.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(set: Arc<Dataset>, options: LoaderOptions) -> Result<Self> {
        let workers = options.workers.clamp(1, 256);
        let item_bytes = 4 * set.shape().iter().product::<usize>().max(1);
        let ahead = (AHEAD_BYTES / item_bytes).clamp(workers, AHEAD_ITEMS) as u64;
        let order = Order::new(options.seed, set.len(), options.shuffle);
        let queue = Queue { position: 0, next: 0, ready: BTreeMap::new(), jumps: 0, stop: false };
        let (finished, room) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { set, order, options, ahead, queue: Mutex::new(queue), finished, room });
        let mut loader = Self { shared: Arc::clone(&shared), workers: Vec::new() };
        for k in 0..workers {
            let shared = Arc::clone(&shared);
            let thread = thread::Builder::new().name(format!("loader-{k}")).spawn(move || shared.work());
            loader.workers.push(thread.map_err(|e| Error::setting("workers", format!("cannot start a thread: {e}")))?);
        }
        Ok(loader)
    }

    /// The data set.
    pub fn dataset(&self) -> &Arc<Dataset> {
        &self.shared.set
    }

    /// The next `n` items. A batch may reach from one epoch into the next; none is ever short.
    ///
    /// # Errors
    /// An item cannot be read; the position then stays where it was.
    pub fn next_batch(&mut self, n: usize) -> Result<Batch> {
        let start = self.position();
        let mut batch = Batch {
            shape: [&[n], self.shared.set.shape()].concat(),
            data: Vec::new(),
            labels: Vec::new(),
            maps: Vec::new(),
            indices: Vec::new(),
        };
        for _ in 0..n {
            match self.shared.take() {
                Ok(item) => batch.push(item),
                Err(e) => {
                    self.seek(start);
                    return Err(e);
                }
            }
        }
        Ok(batch)
    }

    /// How many items were delivered so far: all that a checkpoint has to keep.
    pub fn position(&self) -> u64 {
        self.shared.lock().position
    }

    /// Goes on as if `position` items had been delivered.
    pub fn seek(&mut self, position: u64) {
        // Far beyond all training, and room to count on.
        let position = position.min(u64::MAX / 2);
        let mut queue = self.shared.lock();
        if queue.position != position {
            *queue = Queue { position, next: position, ready: BTreeMap::new(), jumps: queue.jumps + 1, stop: false };
            self.shared.room.notify_all();
        }
    }
}

impl Batch {
    fn push(&mut self, item: Item) {
        self.data.extend(item.values);
        self.labels.extend(item.label);
        self.maps.resize(item.maps.len(), Vec::new());
        for (plane, map) in self.maps.iter_mut().zip(item.maps) {
            plane.extend(map.classes);
        }
        self.indices.push(item.index);
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.room.notify_all();
        for worker in self.workers.drain(..) {
            // A worker that panicked has already said so.
            drop(worker.join());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a background thread does.
    fn work(&self) {
        let mut queue = self.lock();
        loop {
            if queue.stop {
                return;
            }
            if queue.next >= queue.position.saturating_add(self.ahead) {
                queue = self.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (position, jumps) = (queue.next, queue.jumps);
            queue.next += 1;
            drop(queue);
            // A panic in a foreign decoder must not leave the reader waiting for ever.
            let item = panic::catch_unwind(AssertUnwindSafe(|| self.make(position))).unwrap_or_else(|_| {
                Err(Error::file(self.set.item_name(self.order.index(position)), "made the image decoder panic"))
            });
            queue = self.lock();
            if queue.jumps == jumps {
                queue.ready.insert(position, item);
                self.finished.notify_all();
            }
        }
    }

    /// The item at a position, as a function of nothing else.
    fn make(&self, position: u64) -> Result<Item> {
        let index = self.order.index(position);
        let (mut values, mut maps) = if self.options.maps && !self.set.planes().is_empty() {
            let (image, maps) = self.set.image_with_maps(index)?;
            (image.to_floats(), maps)
        } else {
            (self.set.values(index)?, Vec::new())
        };
        let flip = self.set.options().flip && Stream::new(self.options.seed, "flip", position).chance(0.5);
        if let (true, [_, _, width]) = (flip, self.set.shape()) {
            values.chunks_exact_mut(*width).for_each(<[f32]>::reverse);
            maps = maps.into_iter().map(LabelMap::flipped).collect();
        }
        Ok(Item { index, values, label: self.set.label(index), maps })
    }

    /// Waits for the item at the reader's position, and moves on if it is a good one.
    fn take(&self) -> Result<Item> {
        let mut queue = self.lock();
        loop {
            let position = queue.position;
            if let Some(item) = queue.ready.remove(&position) {
                queue.position += 1;
                self.room.notify_one();
                return item;
            }
            queue = self.finished.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
