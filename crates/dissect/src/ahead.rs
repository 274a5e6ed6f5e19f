//! Making a thing while the one before it is used.

use net::Result;

/// Things made one after the other, each while the one before it is used: what one of the two does on a single thread then leaves no other
/// thread without work. What is made and used is the same as in turn, in the same order.
pub(crate) struct Ahead<I, T, F> {
    items: I,
    make: F,
    made: Option<Result<T>>,
}

impl<I, T, F> Ahead<I, T, F>
where
    I: Iterator,
    I::Item: Send,
    T: Send,
    F: Fn(I::Item) -> Result<T> + Sync,
{
    /// Nothing is made yet.
    pub(crate) fn new(items: I, make: F) -> Self {
        Self { items, make, made: None }
    }

    /// Uses the next thing, and makes the one after it meanwhile; `None` when all have been used.
    ///
    /// # Errors
    /// The thing could not be made, after those before it have been used.
    pub(crate) fn with_next<R: Send>(&mut self, work: impl FnOnce(T) -> R + Send) -> Result<Option<R>> {
        let made = self.made.take().or_else(|| self.items.next().map(&self.make));
        let Some(made) = made.transpose()? else { return Ok(None) };
        let (next, make) = (self.items.next(), &self.make);
        let (done, next) = rayon::join(|| work(made), || next.map(make));
        self.made = next;
        Ok(Some(done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_used_in_order_up_to_the_one_that_cannot_be_made() {
        let mut used = Vec::new();
        let mut ahead = Ahead::new(0..5, |n| Ok(n * n));
        while let Some(square) = ahead.with_next(|square| square).unwrap() {
            used.push(square);
        }
        assert_eq!(used, [0, 1, 4, 9, 16]);
        let make = |n| if n == 3 { Err(net::Error::Graph("three".into())) } else { Ok(n) };
        let mut ahead = Ahead::new(0..5, make);
        for n in 0..3 {
            assert_eq!(ahead.with_next(|n| n).unwrap(), Some(n));
        }
        assert_eq!(ahead.with_next(|n| n).unwrap_err().to_string(), "three");
        assert_eq!(Ahead::new(0..0, Ok).with_next(|n: u8| n).unwrap(), None);
    }
}
