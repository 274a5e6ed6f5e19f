//! How a case is timed.

use crate::Step;
use net::Result;
use std::time::Instant;

/// What was measured of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Median of the repetitions.
    pub seconds: f64,
    /// How many there were.
    pub repeats: usize,
}

/// Warms up for a quarter of `budget` seconds, then repeats for `budget` seconds: at least once, and at least three times
/// where one repetition fits in.
///
/// # Errors
/// The case fails.
pub fn measure(step: &mut Step, budget: f64) -> Result<Measured> {
    let warm = Instant::now();
    let mut slow;
    loop {
        slow = timed(step)? > budget;
        if warm.elapsed().as_secs_f64() >= budget / 4.0 {
            break;
        }
    }
    let least = if slow { 1 } else { 3 };
    let mut seconds = Vec::new();
    let start = Instant::now();
    while seconds.len() < least || start.elapsed().as_secs_f64() < budget {
        seconds.push(timed(step)?);
    }
    Ok(Measured { seconds: median(&mut seconds), repeats: seconds.len() })
}

fn timed(step: &mut Step) -> Result<f64> {
    let start = Instant::now();
    step()?;
    Ok(start.elapsed().as_secs_f64())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[half - 1], values[half]) } else { values[half] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_case_is_timed_once_and_a_quick_one_often() {
        let mut slow: Step = Box::new(|| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            Ok(())
        });
        assert_eq!(measure(&mut slow, 0.001).unwrap().repeats, 1);
        let mut quick: Step = Box::new(|| Ok(()));
        assert!(measure(&mut quick, 0.001).unwrap().repeats >= 3);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
