//! Runs beside each other, each on one core.

use base::Error;
use net::Result;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Does `work` for each of `open`, at most `jobs` at a time, each computing on one thread. What was done, in no order; work that
/// was stopped gives `None`, and what follows is left. The first error ends all.
///
/// # Errors
/// Those of `work`, or a thread cannot be started.
pub(crate) fn each<T: Send, R: Send>(
    jobs: usize,
    open: Vec<T>,
    work: impl Fn(T) -> Result<Option<R>> + Sync,
) -> Result<Vec<R>> {
    let jobs = jobs.min(open.len());
    let (open, done) = (Mutex::new(VecDeque::from(open)), Mutex::new(Vec::new()));
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while failure.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
                    let next = open.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(next) = next else { return };
                    match alone(|| work(next)) {
                        Ok(Some(result)) => done.lock().unwrap_or_else(PoisonError::into_inner).push(result),
                        Ok(None) => return,
                        Err(error) => *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
                    }
                }
            });
        }
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

/// Does `work` in a pool of one thread.
fn alone<R: Send>(work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|e| Error::setting("jobs", format!("cannot start a thread: {e}")))?;
    pool.install(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_done_and_the_first_error_ends_it() {
        let mut squares = each(3, (0..20u64).collect(), |n| Ok(Some(n * n))).unwrap();
        squares.sort_unstable();
        assert_eq!(squares, (0..20u64).map(|n| n * n).collect::<Vec<_>>());
        let failed = each(1, (0..20u64).collect(), |n| {
            if n == 3 { Err(Error::setting("n", "is three").into()) } else { Ok(Some(n)) }
        });
        assert_eq!(failed.unwrap_err().to_string(), "n: is three");
        assert_eq!(each(1, (0..20u64).collect(), |n| Ok((n < 3).then_some(n))).unwrap(), [0, 1, 2]);
        assert_eq!(each(2, vec![0], |_| Ok(Some(rayon::current_num_threads()))).unwrap(), [1]);
    }
}
