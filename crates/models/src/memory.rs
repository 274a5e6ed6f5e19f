//! Whether there is memory for what is asked for, before work begins.

use crate::Generator;
use base::Error;
use base::memory::{check, fitting, said};
use net::Result;

/// The longest file of numbers that is written: 1 TiB.
const LONGEST: u128 = 1 << 40;

/// Bytes of a number.
const NUMBER: u64 = 4;

impl Generator {
    /// Bytes that making a batch takes at most: on the way, and as numbers and pictures. 0 on a device, whose memory is not known.
    ///
    /// # Errors
    /// A value would be too large to be one.
    pub fn memory(&self, batch: usize) -> Result<u64> {
        if !self.device().is_cpu() {
            return Ok(0);
        }
        let results = self.shape().iter().fold(2 * NUMBER, |bytes, &length| bytes.saturating_mul(length as u64));
        let needed = self.memory_of_run(batch).map_err(|error| error.in_file(self.path()))?;
        Ok(needed.saturating_add(results.saturating_mul(batch as u64)))
    }

    /// Refuses a batch that there is no memory for.
    ///
    /// # Errors
    /// As said: the message names the model, what is needed and what there is.
    pub fn check_memory(&self, batch: usize) -> Result<()> {
        let what = format!("{}: a batch of {batch}", self.path().display());
        let cure = if batch > 1 { "Make fewer at once: lower `batch`." } else { "Take a machine with more memory." };
        Ok(check(what, self.memory(batch)?, cure)?)
    }

    /// The largest batch that there is memory for: `most`, or a half, a quarter, ... of it. What comes out does not depend on it.
    ///
    /// # Errors
    /// There is no memory for a batch of 1.
    pub fn fitting(&self, most: usize) -> Result<usize> {
        let batch = fitting(most, |batch| self.memory(batch))?;
        self.check_memory(batch)?;
        Ok(batch)
    }

    /// Refuses a file of the numbers of `n` results that would be too long.
    ///
    /// # Errors
    /// As said.
    pub fn check_raw(&self, n: u64) -> Result<(), Error> {
        let bytes = self
            .shape()
            .iter()
            .fold(u128::from(n) * u128::from(NUMBER), |bytes, &length| bytes.saturating_mul(length as u128));
        if bytes <= LONGEST {
            return Ok(());
        }
        let size = said(u64::try_from(bytes).unwrap_or(u64::MAX));
        let reason = format!("{n} results would take {size}; a file of at most {} is written", said(LONGEST as u64));
        Err(Error::setting("raw", reason).with_hint("Ask for fewer at once."))
    }
}

#[cfg(test)]
mod tests {
    use crate::generator::tests::small;

    #[test]
    fn a_batch_grows_the_memory_and_is_halved_until_it_fits() {
        let generator = small(3);
        let [one, many] = [1, 64].map(|batch| generator.memory(batch).unwrap());
        assert!(one > 0 && many > 8 * one, "{one} {many}");
        assert_eq!(generator.fitting(64).unwrap(), 64);
    }

    #[test]
    fn files_of_numbers_have_an_end() {
        let generator = small(3);
        generator.check_raw(1_000_000).unwrap();
        let error = generator.check_raw(1_000_000_000_000).unwrap_err();
        assert_eq!(
            error.to_string(),
            "raw: 1000000000000 results would take 3.1 PB; a file of at most 1.1 TB is written"
        );
        assert!(generator.check_raw(u64::MAX).is_err());
    }
}
