//! How many threads compute.

use crate::console::Console;

/// The most threads. More than processors has no use; and systems that are asked for tens of thousands of threads stand still.
pub(crate) const MOST: usize = 1024;

/// The variable by which people say how many: that of the pool, `RAYON_NUM_THREADS`.
const VARIABLE: &str = "RAYON_NUM_THREADS";

/// Makes the pool: as many threads as the variable says, or as there are processors. `computes` says whether this thread is one of them.
pub(crate) fn start(console: Console, computes: bool) {
    let asked = std::env::var_os(VARIABLE).map(|value| value.to_string_lossy().into_owned());
    let (threads, warning) = meant(asked.as_deref());
    warning.into_iter().for_each(|warning| console.warn(&warning));
    // This thread computes with the others: nothing has to be handed over to them and back. Where the system gives no threads, work
    // is done by those that there are.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    drop(if computes { pool.use_current_thread() } else { pool }.build_global());
}

/// Reads a number of threads that people typed.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=MOST).contains(count));
    count.ok_or_else(|| format!("it is a whole number from 1 to {MOST}"))
}

/// The number of threads that is asked for (0: as many as there are processors), and what to tell of it.
fn meant(asked: Option<&str>) -> (usize, Option<String>) {
    let asked = asked.map(str::trim).filter(|asked| !asked.is_empty());
    match asked.map(|asked| (asked, asked.parse::<usize>())) {
        None => (0, None),
        Some((_, Ok(n))) if n <= MOST => (n, None),
        Some((asked, Err(_))) if !asked.bytes().all(|byte| byte.is_ascii_digit()) => {
            (0, Some(format!("{VARIABLE} is {asked:?}, which is no number of threads: it is passed over")))
        }
        Some((asked, _)) => (MOST, Some(format!("{VARIABLE} is {asked}: {MOST} threads are taken, which is the most"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_threads_has_an_end_and_is_one() {
        for (asked, threads) in [(None, 0), (Some(""), 0), (Some("0"), 0), (Some(" 3 "), 3), (Some("1024"), 1024)] {
            assert_eq!(meant(asked), (threads, None), "{asked:?}");
        }
        for asked in ["1025", "200000", "18446744073709551616"] {
            let (threads, warning) = meant(Some(asked));
            assert!(threads == MOST && warning.unwrap().contains(asked));
        }
        for asked in ["-1", "two", "1.5"] {
            let (threads, warning) = meant(Some(asked));
            assert!(threads == 0 && warning.unwrap().contains("no number of threads"));
        }
    }
}
