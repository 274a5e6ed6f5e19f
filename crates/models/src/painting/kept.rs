//! What was computed lately, kept within bounds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Things by name, those asked for lately, of so many bytes at most. One that is larger than all the room is not kept.
#[derive(Debug)]
pub(super) struct Kept<T> {
    room: usize,
    entries: Mutex<VecDeque<Entry<T>>>,
}

#[derive(Debug)]
struct Entry<T> {
    name: String,
    value: Arc<T>,
    bytes: usize,
}

impl<T> Kept<T> {
    pub(super) fn new(room: usize) -> Self {
        Self { room, entries: Mutex::default() }
    }

    /// The thing of this name, made with its size in bytes if it is not there. Two who ask at once may both make it: they make the same.
    pub(super) fn get_or<E>(&self, name: &str, make: impl FnOnce() -> Result<(T, usize), E>) -> Result<Arc<T>, E> {
        if let Some(value) = self.take(name) {
            return Ok(value);
        }
        let (value, bytes) = make()?;
        let (value, bytes) = (Arc::new(value), bytes + name.len());
        if bytes > self.room {
            return Ok(value);
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push_front(Entry { name: name.to_owned(), value: value.clone(), bytes });
        // The oldest go.
        while entries.iter().map(|entry| entry.bytes).sum::<usize>() > self.room {
            entries.pop_back();
        }
        Ok(value)
    }

    fn take(&self, name: &str) -> Option<Arc<T>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let place = entries.iter().position(|entry| entry.name == name)?;
        let entry = entries.remove(place)?;
        let value = entry.value.clone();
        entries.push_front(entry);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let kept = Kept::new(40);
        let made = |name: &str, bytes: usize| {
            let mut made = false;
            let value = kept.get_or(name, || {
                made = true;
                Ok::<_, ()>((name.to_owned(), bytes))
            });
            assert_eq!(*value.unwrap(), name);
            made
        };
        assert!(made("a", 10) && made("b", 10) && made("c", 10));
        assert!(!made("a", 10) && !made("b", 10));
        // With its name each takes 11 bytes: the fourth pushes out the one that was asked for longest ago.
        assert!(made("d", 10) && !made("a", 10) && !made("b", 10) && made("c", 10));
        assert!(made("large", 100) && made("large", 100));
        assert!(kept.get_or("e", || Err::<(String, usize), _>(3)) == Err(3));
    }
}
