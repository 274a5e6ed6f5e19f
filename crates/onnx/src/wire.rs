//! Reading of protobuf's wire format from a file, without holding it: a message is a range of the file, and what is not asked
//! for is stepped over.
//!
//! Nothing here recurses: who reads a message walks its fields, and goes into an inner one by walking its range. So no nesting is
//! deep, nothing is allocated by what a file declares, and weights are read once, from where they lie to where they stay.
//! Format: <https://protobuf.dev/programming-guides/encoding/>.

#![deny(clippy::indexing_slicing)]

use crate::{Error, Result};
use std::io::{Read, Seek, SeekFrom};

/// Bytes that are read ahead.
const BUFFER: usize = 1 << 16;
/// Messages, names and lists that a model may hold, far above any real one; so that what stands for them stays small.
const MOST_THINGS: usize = 400_000;

/// What bytes are read from.
pub(crate) trait Bytes: Read + Seek {}

impl<T: Read + Seek> Bytes for T {}

/// A file that is read here and there.
pub(crate) struct Source<'a> {
    bytes: Box<dyn Bytes + 'a>,
    length: u64,
    buffer: Vec<u8>,
    /// Where the buffer begins.
    start: u64,
    things: usize,
}

/// A range of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Span {
    pub(crate) fn len(self) -> u64 {
        self.end - self.start
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(Span),
}

impl Payload {
    /// The range of a message, a text or a packed list.
    pub(crate) fn span(self) -> Result<Span> {
        match self {
            Self::Bytes(span) => Ok(span),
            _ => Err(damaged("a field is of another kind than the format says")),
        }
    }

    /// A whole number.
    pub(crate) fn whole(self) -> Result<i64> {
        match self {
            Self::Varint(value) => Ok(value as i64),
            _ => Err(damaged("a field is of another kind than the format says")),
        }
    }

    /// A number of 32 bits.
    pub(crate) fn real(self) -> Result<f32> {
        match self {
            Self::Fixed32(bits) => Ok(f32::from_bits(bits)),
            _ => Err(damaged("a field is of another kind than the format says")),
        }
    }
}

pub(crate) fn damaged(reason: &str) -> Error {
    Error::Damaged(reason.into())
}

impl<'a> Source<'a> {
    /// A source of so many bytes.
    pub(crate) fn new(bytes: impl Bytes + 'a, length: u64) -> Self {
        Self { bytes: Box::new(bytes), length, buffer: Vec::new(), start: 0, things: 0 }
    }

    /// The whole.
    pub(crate) fn all(&self) -> Span {
        Span { start: 0, end: self.length }
    }

    /// Counts something that memory is kept for.
    pub(crate) fn count(&mut self) -> Result<()> {
        self.things += 1;
        if self.things > MOST_THINGS {
            return Err(Error::model(format!("it has more than {MOST_THINGS} nodes, tensors and names")));
        }
        Ok(())
    }

    /// Reads a range into `out`, which is as long.
    pub(crate) fn read(&mut self, from: u64, out: &mut [u8]) -> Result<()> {
        let broken = |_| damaged("it breaks off");
        self.bytes.seek(SeekFrom::Start(from)).map_err(broken)?;
        self.bytes.read_exact(out).map_err(broken)
    }

    fn byte(&mut self, at: u64) -> Result<u8> {
        let held = |this: &Self| this.buffer.get(usize::try_from(at.checked_sub(this.start)?).ok()?).copied();
        if let Some(byte) = held(self) {
            return Ok(byte);
        }
        let ahead = self.length.saturating_sub(at).min(BUFFER as u64) as usize;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(ahead, 0);
        self.read(at, &mut buffer)?;
        (self.buffer, self.start) = (buffer, at);
        held(self).ok_or_else(|| damaged("it breaks off"))
    }

    /// A number of up to 64 bits, of which each byte holds seven.
    fn varint(&mut self, at: &mut u64, end: u64) -> Result<u64> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            if *at >= end {
                return Err(damaged("it breaks off"));
            }
            let byte = self.byte(*at)?;
            *at += 1;
            if shift < 63 || byte & 0x7f <= 1 {
                value |= u64::from(byte & 0x7f) << shift;
            } else {
                return Err(damaged("a number has more than 64 bits"));
            }
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(damaged("a number has more than 64 bits"))
    }

    fn fixed<const N: usize>(&mut self, at: &mut u64, end: u64) -> Result<[u8; N]> {
        let mut out = [0; N];
        if end.saturating_sub(*at) < N as u64 {
            return Err(damaged("it breaks off"));
        }
        for byte in &mut out {
            *byte = self.byte(*at)?;
            *at += 1;
        }
        Ok(out)
    }

    /// A text; characters that are none become `\u{fffd}`.
    pub(crate) fn text(&mut self, span: Span, most: u64) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.held(span, most)?).into_owned())
    }

    /// Bytes that are short.
    pub(crate) fn held(&mut self, span: Span, most: u64) -> Result<Vec<u8>> {
        self.count()?;
        if span.len() > most {
            return Err(Error::model(format!("a name or text of {} bytes; at most {most} are read", span.len())));
        }
        let mut bytes = Vec::with_capacity(span.len() as usize);
        for at in span.start..span.end {
            bytes.push(self.byte(at)?);
        }
        Ok(bytes)
    }

    /// Calls `take` with each number of a list, packed or one by one.
    pub(crate) fn each_whole(&mut self, payload: Payload, mut take: impl FnMut(i64) -> Result<()>) -> Result<()> {
        match payload {
            Payload::Bytes(Span { start: mut at, end }) => {
                while at < end {
                    take(self.varint(&mut at, end)? as i64)?;
                }
                Ok(())
            }
            one => take(one.whole()?),
        }
    }

    /// Calls `take` with each number of a list, packed or one by one.
    pub(crate) fn each_real(&mut self, payload: Payload, mut take: impl FnMut(f32) -> Result<()>) -> Result<()> {
        match payload {
            Payload::Bytes(Span { start: mut at, end }) => {
                while at < end {
                    take(f32::from_le_bytes(self.fixed(&mut at, end)?))?;
                }
                Ok(())
            }
            one => take(one.real()?),
        }
    }

    /// As [`Source::each_real`], of 64 bits.
    pub(crate) fn each_double(&mut self, payload: Payload, mut take: impl FnMut(f64) -> Result<()>) -> Result<()> {
        match payload {
            Payload::Bytes(Span { start: mut at, end }) => {
                while at < end {
                    take(f64::from_le_bytes(self.fixed(&mut at, end)?))?;
                }
                Ok(())
            }
            Payload::Fixed64(bits) => take(f64::from_bits(bits)),
            _ => Err(damaged("a field is of another kind than the format says")),
        }
    }
}

/// The fields of a message, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields(Span);

impl Fields {
    pub(crate) fn of(span: Span) -> Self {
        Self(span)
    }

    /// The next field's number and what it holds.
    pub(crate) fn next(&mut self, source: &mut Source) -> Result<Option<(u64, Payload)>> {
        let Span { start: at, end } = &mut self.0;
        if *at >= *end {
            return Ok(None);
        }
        let tag = source.varint(at, *end)?;
        let payload = match tag & 7 {
            0 => Payload::Varint(source.varint(at, *end)?),
            1 => Payload::Fixed64(u64::from_le_bytes(source.fixed(at, *end)?)),
            2 => {
                let length = source.varint(at, *end)?;
                let start = *at;
                let stop = start.checked_add(length).filter(|stop| *stop <= *end);
                *at = stop.ok_or_else(|| damaged("a part is longer than what holds it"))?;
                Payload::Bytes(Span { start, end: *at })
            }
            5 => Payload::Fixed32(u32::from_le_bytes(source.fixed(at, *end)?)),
            _ => return Err(damaged("it is not in the format of ONNX files")),
        };
        if tag >> 3 == 0 {
            return Err(damaged("it is not in the format of ONNX files"));
        }
        Ok(Some((tag >> 3, payload)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn source(bytes: &[u8]) -> Source<'_> {
        Source::new(Cursor::new(bytes), bytes.len() as u64)
    }

    fn numbers(bytes: &[u8]) -> Result<Vec<u64>> {
        let mut source = source(bytes);
        let mut fields = Fields::of(source.all());
        let mut found = Vec::new();
        while let Some((number, _)) = fields.next(&mut source)? {
            found.push(number);
        }
        Ok(found)
    }

    #[test]
    fn fields_follow_each_other() {
        // 1: 150, 2: "testing", 3: f32, 4: f64.
        let bytes = b"\x08\x96\x01\x12\x07testing\x1d\0\0\x80\x3f\x21\0\0\0\0\0\0\xf0\x3f";
        assert_eq!(numbers(bytes).unwrap(), [1, 2, 3, 4]);
        let mut held = source(bytes);
        let mut fields = Fields::of(held.all());
        assert_eq!(fields.next(&mut held).unwrap().unwrap().1.whole().unwrap(), 150);
        let text = fields.next(&mut held).unwrap().unwrap().1.span().unwrap();
        assert_eq!(held.text(text, 10).unwrap(), "testing");
        assert!(held.text(text, 3).is_err());
        assert_eq!(fields.next(&mut held).unwrap().unwrap().1.real().unwrap(), 1.0);
        assert!(numbers(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn what_a_file_declares_is_not_believed() {
        for broken in [
            &b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"[..],
            b"\x0a\xff\xff\xff\xff\x0f",
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x0b",
            b"\x02\x00",
            b"\x0d\x01",
        ] {
            assert!(numbers(broken).is_err(), "{broken:?}");
        }
        assert_eq!(numbers(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").unwrap(), [1]);
    }
}
