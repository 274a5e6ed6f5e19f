//! Memory: what the machine has left, and an allocator that keeps large blocks instead of giving them back.
//!
//! Training asks for the same few large blocks again and again: the maps of a layer, their gradients. Operating systems
//! give out such blocks page by page, each cleared and mapped at its first touch, which takes as long as a pass over
//! the maps. Blocks that are kept are there already.

mod machine;

pub use machine::{available, check, fitting, of_process, peak_resident, resident, said};

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// Smaller blocks are the system allocator's alone, which keeps them itself.
const SMALLEST: usize = 1 << SMALLEST_BITS;
const SMALLEST_BITS: u32 = 18;
/// Sizes between two powers of two: at most an eighth of a block is unused.
const STEPS: usize = 8;
/// Powers of two: up to 16 GiB.
const OCTAVES: usize = 16;
/// Blocks of one size that are kept.
const SLOTS: usize = 16;
/// Bytes that are kept at most.
const MOST: usize = 512 << 20;
/// What every kept block is aligned to; blocks that need more are the system allocator's.
const ALIGNMENT: usize = 64;

/// The system allocator, with large freed blocks kept for the next one of their size. What is kept is at most 512 MiB.
///
/// ```
/// #[global_allocator]
/// static MEMORY: ganatomy_base::memory::Keep = ganatomy_base::memory::Keep::new();
/// # assert_eq!(vec![1.5f32; 1 << 20].iter().sum::<f32>(), 1.5 * (1 << 20) as f32);
/// ```
///
/// It knows how much large blocks take ([`Keep::in_use`], [`Keep::peak`]), and what to do where there is no memory ([`Keep::or_else`]).
pub struct Keep {
    kept: [[AtomicPtr<u8>; SLOTS]; STEPS * OCTAVES],
    bytes: AtomicUsize,
    in_use: AtomicUsize,
    peak: AtomicUsize,
    out_of_memory: Option<fn(usize)>,
}

/// A size that blocks are rounded up to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Class {
    index: usize,
    size: usize,
}

impl Class {
    fn of(layout: Layout) -> Option<Self> {
        let size = layout.size();
        if size < SMALLEST || layout.align() > ALIGNMENT {
            return None;
        }
        let octave = size.ilog2();
        let step = (1usize << octave) / STEPS;
        let steps = size.div_ceil(step);
        // As many as two octaves' worth of steps is the next octave's first.
        let index = (octave - SMALLEST_BITS) as usize * STEPS + steps - STEPS;
        (index < STEPS * OCTAVES).then_some(Self { index, size: steps * step })
    }

    /// The class of a place in the table: the reverse of [`Class::of`].
    fn at(index: usize) -> Self {
        let step = SMALLEST << (index / STEPS) >> STEPS.ilog2();
        Self { index, size: (STEPS + index % STEPS) * step }
    }

    fn layout(self) -> Layout {
        // SAFETY: a power of two, and no size here comes near the largest one.
        unsafe { Layout::from_size_align_unchecked(self.size, ALIGNMENT) }
    }
}

impl Keep {
    /// Keeps nothing yet.
    pub const fn new() -> Self {
        Self {
            kept: [const { [const { AtomicPtr::new(null_mut()) }; SLOTS] }; STEPS * OCTAVES],
            bytes: AtomicUsize::new(0),
            in_use: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            out_of_memory: None,
        }
    }

    /// Calls `tell` with the bytes that were wanted where the system has none left; it may end the program. Where it comes back, the
    /// program ends as Rust's programs do, with a message of its own.
    #[must_use]
    pub const fn or_else(mut self, tell: fn(usize)) -> Self {
        self.out_of_memory = Some(tell);
        self
    }

    /// Bytes of large blocks (256 KiB and more) that are in use, as they were asked for.
    pub fn in_use(&self) -> usize {
        self.in_use.load(Ordering::Relaxed)
    }

    /// The most that [`Keep::in_use`] ever was since [`Keep::forget_peak`].
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Begins the peak anew, at what is in use now.
    pub fn forget_peak(&self) {
        self.peak.store(self.in_use(), Ordering::Relaxed);
    }

    /// Counts a block that was given out, or tells that there is none.
    fn given(&self, block: *mut u8, size: usize) -> *mut u8 {
        if block.is_null() {
            self.out_of_memory.into_iter().for_each(|tell| tell(size));
        } else if size >= SMALLEST {
            let now = self.in_use.fetch_add(size, Ordering::Relaxed) + size;
            self.peak.fetch_max(now, Ordering::Relaxed);
        }
        block
    }

    /// Counts a block that came back.
    fn returned(&self, size: usize) {
        if size >= SMALLEST {
            self.in_use.fetch_sub(size, Ordering::Relaxed);
        }
    }

    /// A kept block of this size.
    fn take(&self, class: Class) -> Option<*mut u8> {
        let block = self.kept[class.index].iter().find_map(|slot| {
            if slot.load(Ordering::Relaxed).is_null() {
                return None;
            }
            // Whoever finds a block here sees all that was done with it before.
            let block = slot.swap(null_mut(), Ordering::Acquire);
            (!block.is_null()).then_some(block)
        })?;
        self.bytes.fetch_sub(class.size, Ordering::Relaxed);
        Some(block)
    }

    /// Whether the block is kept now.
    fn put(&self, class: Class, block: *mut u8) -> bool {
        if self.bytes.fetch_add(class.size, Ordering::Relaxed) + class.size <= MOST {
            for slot in &self.kept[class.index] {
                if slot.compare_exchange(null_mut(), block, Ordering::Release, Ordering::Relaxed).is_ok() {
                    return true;
                }
            }
        }
        self.bytes.fetch_sub(class.size, Ordering::Relaxed);
        false
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self::new()
    }
}

/// Blocks that are kept go back to the system with what keeps them. A program's allocator is never dropped.
impl Drop for Keep {
    fn drop(&mut self) {
        for (index, slots) in self.kept.iter_mut().enumerate() {
            let layout = Class::at(index).layout();
            for block in slots.iter_mut().map(|slot| *slot.get_mut()).filter(|block| !block.is_null()) {
                // SAFETY: what lies in a slot was allocated with the layout of its class, and nobody else has it.
                unsafe { System.dealloc(block, layout) };
            }
        }
    }
}

// SAFETY: a block belongs to one class by its layout alone, was allocated by the system with that class's layout, and is in
// one slot or in use, never both: slots are emptied and filled by single atomic exchanges.
unsafe impl GlobalAlloc for Keep {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = match Class::of(layout) {
            // SAFETY: the caller's promise is what the system asks for.
            None => unsafe { System.alloc(layout) },
            // SAFETY: no class has a size of 0. What is kept in a class was allocated with that class's layout.
            Some(class) => self.take(class).unwrap_or_else(|| unsafe { System.alloc(class.layout()) }),
        };
        self.given(block, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let block = match Class::of(layout) {
            // SAFETY: the caller's promise is what the system asks for.
            None => unsafe { System.alloc_zeroed(layout) },
            Some(class) => match self.take(class) {
                Some(block) => {
                    // SAFETY: a block of a class has at least the size of each layout in it.
                    unsafe { block.write_bytes(0, layout.size()) };
                    block
                }
                // SAFETY: no class has a size of 0.
                None => unsafe { System.alloc_zeroed(class.layout()) },
            },
        };
        self.given(block, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.returned(layout.size());
        match Class::of(layout) {
            // SAFETY: a layout without a class was passed on to the system as it is, when the block was allocated.
            None => unsafe { System.dealloc(block, layout) },
            Some(class) if self.put(class, block) => {}
            // SAFETY: every block of a layout in this class was allocated with the class's layout, and this one is not kept.
            Some(class) => unsafe { System.dealloc(block, class.layout()) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises a size that fits the alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let moved = match (Class::of(layout), Class::of(wanted)) {
            // SAFETY: the block was allocated with this layout as it is; the caller promises the rest.
            (None, None) => unsafe { System.realloc(block, layout, size) },
            (Some(old), Some(new)) if old == new => block,
            // The system moves pages, not bytes.
            // SAFETY: the block was allocated with its class's layout; it gets the size of its new class, and both have one alignment.
            (Some(old), Some(new)) if old.size < new.size => unsafe { System.realloc(block, old.layout(), new.size) },
            // SAFETY: `wanted` is no less than what the caller promises of it; both blocks have the smaller size, and are two.
            _ => unsafe {
                let moved = self.alloc(wanted);
                if !moved.is_null() {
                    moved.copy_from_nonoverlapping(block, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                return moved;
            },
        };
        if !moved.is_null() {
            self.returned(layout.size());
        }
        self.given(moved, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 4).unwrap()
    }

    proptest! {
        #[test]
        fn a_class_holds_its_sizes_and_wastes_little(size in 0usize..1 << 36) {
            match Class::of(layout(size)) {
                None => prop_assert!(!(SMALLEST..=1 << 33).contains(&size)),
                Some(class) => {
                    prop_assert!(class.size >= size);
                    prop_assert!(class.size - size <= size / STEPS);
                    prop_assert_eq!(Class::of(layout(class.size)), Some(class));
                    prop_assert_eq!(Class::at(class.index), class);
                    let above = Class::of(layout(class.size + 1));
                    prop_assert!(above.is_none_or(|above| above.index == class.index + 1), "{:?} after {:?}", above, class);
                }
            }
        }
    }

    #[test]
    fn a_freed_block_is_the_next_one_of_its_size_and_zero_where_asked() {
        let keep = Keep::new();
        // SAFETY: blocks are used within their sizes, and given back once, with the layout they were asked for.
        unsafe {
            let first = keep.alloc(layout(1_000_000));
            first.write_bytes(7, 1_000_000);
            keep.dealloc(first, layout(1_000_000));
            assert!(keep.bytes.load(Ordering::Relaxed) >= 1_000_000);
            let other = keep.alloc(layout(2_000_000));
            assert_ne!(other, first);
            let second = keep.alloc_zeroed(layout(999_999));
            assert_eq!(second, first);
            assert!(std::slice::from_raw_parts(second, 999_999).iter().all(|&byte| byte == 0));
            assert_eq!(keep.bytes.load(Ordering::Relaxed), 0);
            keep.dealloc(second, layout(999_999));
            keep.dealloc(other, layout(2_000_000));
        }
    }

    #[test]
    fn a_block_that_grows_or_shrinks_keeps_what_is_in_it() {
        let keep = Keep::new();
        let sizes = [100, 300_000, 310_000, 5_000_000, 400_000, 10, 70_000_000, 64];
        // SAFETY: `size` is that of the block, which is read and written within it, and given back once.
        unsafe {
            let mut size = 64;
            let mut block = keep.alloc(layout(size));
            for (i, byte) in (0..64).enumerate() {
                block.add(i).write(byte);
            }
            for next in sizes {
                block = keep.realloc(block, layout(size), next);
                size = next;
                let kept = std::slice::from_raw_parts(block, next.min(10));
                assert!(kept.iter().enumerate().all(|(i, &byte)| byte == i as u8), "{next}");
            }
            keep.dealloc(block, layout(size));
        }
    }

    #[test]
    fn large_blocks_are_counted_as_they_were_asked_for() {
        let keep = Keep::new();
        // SAFETY: each block is given back once, with the layout that it has by then.
        unsafe {
            let small = keep.alloc(layout(1000));
            let first = keep.alloc_zeroed(layout(1_000_000));
            let first = keep.realloc(first, layout(1_000_000), 3_000_000);
            let first = keep.realloc(first, layout(3_000_000), 2_999_999);
            assert_eq!((keep.in_use(), keep.peak() >= 3_000_000), (2_999_999, true));
            let first = keep.realloc(first, layout(2_999_999), 500_000);
            keep.forget_peak();
            assert_eq!((keep.in_use(), keep.peak()), (500_000, 500_000));
            keep.dealloc(first, layout(500_000));
            keep.dealloc(small, layout(1000));
        }
        assert_eq!((keep.in_use(), keep.peak()), (0, 500_000));
    }

    #[test]
    fn who_waits_for_it_is_told_that_there_is_no_memory() {
        static WANTED: AtomicUsize = AtomicUsize::new(0);
        let keep = Keep::new().or_else(|bytes| WANTED.store(bytes, Ordering::Relaxed));
        let none = layout(isize::MAX as usize - 64);
        // The compiler takes an allocation that nobody sees for one that succeeds.
        // SAFETY: a layout of some size; there is no block to give back.
        let block = std::hint::black_box(unsafe { keep.alloc(none) });
        assert!(block.is_null() && WANTED.load(Ordering::Relaxed) == none.size() && keep.in_use() == 0);
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        let keep = Keep::new();
        let size = 100 << 20;
        // SAFETY: a layout of some size.
        let blocks: Vec<*mut u8> = (0..8).map(|_| unsafe { keep.alloc(layout(size)) }).collect();
        // SAFETY: each block is given back once, with its layout.
        blocks.iter().for_each(|&block| unsafe { keep.dealloc(block, layout(size)) });
        let kept = keep.bytes.load(Ordering::Relaxed);
        assert!(kept <= MOST && kept >= 4 * size, "{kept}");
    }

    #[test]
    fn threads_never_get_the_same_block() {
        let keep = Keep::new();
        std::thread::scope(|scope| {
            for thread in 0..4u8 {
                let keep = &keep;
                scope.spawn(move || {
                    for round in 0..2000 {
                        let size = SMALLEST + round % 3 * 40_000;
                        // SAFETY: the block is this thread's until it is given back, and used within its size.
                        unsafe {
                            let block = keep.alloc(layout(size));
                            block.write(thread);
                            block.add(size - 1).write(thread);
                            std::hint::spin_loop();
                            assert_eq!((block.read(), block.add(size - 1).read()), (thread, thread));
                            keep.dealloc(block, layout(size));
                        }
                    }
                });
            }
        });
    }
}
