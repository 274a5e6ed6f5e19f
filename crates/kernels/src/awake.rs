//! Threads that stay awake while there is something to do.
//!
//! A layer of one image takes some ten microseconds, as much as it takes to wake a thread that went to sleep. So while somebody computes,
//! the other threads of the pool look for work a little longer than they would: until the next layer, or the next step.

use std::cell::Cell;
use std::hint::spin_loop;
use std::time::{Duration, Instant};

/// How long a thread looks for work in vain. It may do so while it has to wait for another one, so this is what a wait can take longer.
const PATIENCE: Duration = Duration::from_micros(150);
/// Times that it looks before it lets other programs have its processor in between.
const TIMES: u32 = 64;

thread_local! {
    /// Whether this thread computes, or is kept awake already.
    static AWAKE: Cell<bool> = const { Cell::new(false) };
}

/// Does something with this thread's [`AWAKE`] set.
fn awake<T>(f: impl FnOnce() -> T) -> T {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            AWAKE.set(self.0);
        }
    }
    let _before = Before(AWAKE.replace(true));
    f()
}

/// Does something on a thread of the pool, so that what it shares out to other threads need not be handed in from outside each time,
/// and keeps the other threads awake meanwhile.
pub fn in_pool<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| {
        (1..rayon::current_num_threads()).for_each(|_| rayon::spawn(stay_awake));
        awake(f)
    })
}

/// Works for others until there has been nothing to do for a while.
fn stay_awake() {
    // A second time would only deepen the stack, and who computes may be waiting for others.
    if AWAKE.get() {
        return;
    }
    awake(|| {
        let (mut last, mut times) = (Instant::now(), 0);
        while last.elapsed() < PATIENCE {
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                (last, times) = (Instant::now(), 0);
            } else if times < TIMES {
                times += 1;
                spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    /// Many runs one after the other and at the same time, on more threads than there are processors: all end, and no thread's stack grows
    /// with their number.
    #[test]
    fn runs_end_and_do_not_nest() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(5).stack_size(256 << 10).build().unwrap();
        let sum = |k: usize| in_pool(|| (0..k).into_par_iter().map(|i| i as u64).sum::<u64>());
        pool.install(|| {
            (0..crate::usual(2000, 20)).for_each(|k| assert_eq!(sum(k), (k * k.saturating_sub(1) / 2) as u64));
        });
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..crate::usual(200, 5))
                        .for_each(|k| assert_eq!(pool.install(|| sum(k)), (k * k.saturating_sub(1) / 2) as u64));
                });
            }
        });
    }

    #[test]
    fn a_panic_is_the_callers_and_leaves_nobody_busy() {
        assert!(std::panic::catch_unwind(|| in_pool(|| panic!("on purpose"))).is_err());
        assert_eq!(in_pool(|| 7), 7);
    }
}
