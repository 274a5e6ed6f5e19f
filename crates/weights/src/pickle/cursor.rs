//! A place in a pickle, from which it is read on, with few calls of the system.

use super::Fault;
use base::Region;

/// Bytes that are read from the file at first, and then up to as many at once: most pickles of a file with many are short.
const FIRST_WINDOW: u64 = 1 << 10;
const WINDOW: u64 = 1 << 16;
/// The longest line of the textual opcodes.
const LONGEST_LINE: usize = 1 << 20;

pub(super) struct Cursor<'r> {
    region: &'r Region,
    at: u64,
    window: Vec<u8>,
    /// Where in the region the window begins.
    start: u64,
}

impl<'r> Cursor<'r> {
    pub(super) fn new(region: &'r Region, at: u64) -> Self {
        Self { region, at, window: Vec::new(), start: at }
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    fn left(&self) -> u64 {
        self.region.length().saturating_sub(self.at)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        let place = |cursor: &Self| usize::try_from(cursor.at.checked_sub(cursor.start)?).ok();
        let byte = match place(self).and_then(|at| self.window.get(at)) {
            Some(&byte) => byte,
            None => {
                let length = self.left().min((4 * self.window.len() as u64).clamp(FIRST_WINDOW, WINDOW));
                if length == 0 {
                    return Err(Fault::end());
                }
                self.window = self.region.read(self.at, length)?;
                self.start = self.at;
                *self.window.first().ok_or_else(Fault::end)?
            }
        };
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    /// The next bytes, left where they are.
    pub(super) fn span(&mut self, length: u64) -> Result<Region, Fault> {
        let span = self
            .region
            .piece(self.at, length)
            .ok_or_else(|| Fault::Broken(format!("it announces {length} bytes, and {} are left", self.left())))?;
        self.at += length;
        Ok(span)
    }

    /// The next bytes, in memory; they are there before memory is taken.
    pub(super) fn take(&mut self, length: u64) -> Result<Vec<u8>, Fault> {
        let end = self.at.saturating_add(length);
        let inside = self.at.checked_sub(self.start).zip(end.checked_sub(self.start));
        let found = inside.and_then(|(from, to)| self.window.get(from as usize..to as usize));
        if let Some(found) = found {
            self.at = end;
            return Ok(found.to_vec());
        }
        let span = self.span(length)?;
        Ok(span.read(0, length)?)
    }

    /// Bytes up to the end of the line, without it.
    pub(super) fn line(&mut self) -> Result<Vec<u8>, Fault> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(line),
                _ if line.len() == LONGEST_LINE => {
                    return Err(Fault::Broken(format!("it has a line of more than {LONGEST_LINE} bytes")));
                }
                byte => line.push(byte),
            }
        }
    }
}
