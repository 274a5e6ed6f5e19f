//! What a reader took, what it left and why, and what it did to images: whatever whoever opens a set may not expect.

use crate::decode::Decoded;
use serde::Serialize;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// How many names a notice shows to people.
const NAMED: usize = 5;

/// What a [`Notice`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matter {
    /// Files or arrays that were taken where there was a choice.
    Taken,
    /// Files or arrays that lie beside what was taken, and were left.
    Beside,
    /// Files that are of no kind that is read.
    OtherKind,
    /// Images whose names begin with a dot.
    Hidden,
    /// Pipes, devices and the like.
    NoFile,
    /// Images that lie outside of the folders of a labelled set.
    OutsideOfSet,
    /// Label maps that no image has the name of.
    WithoutImage,
    /// Images that cannot be read.
    Unreadable,
    /// Images of another size than the first.
    OtherSize,
    /// Images whose label map cannot be read or does not fit.
    BadLabels,
    /// Images in no sub-folder, where others are.
    WithoutFolder,
    /// A file or folder that has the name of a built-in set.
    BuiltIn,
    /// Images that are transparent in places.
    Transparent,
    /// Grey images among those in colour.
    Grey,
    /// Label maps that were turned as their photos.
    TurnedLabels,
    /// Label maps of turned photos that would fit either way.
    UnsureLabels,
}

impl Matter {
    /// Whether something was left out or taken that most people would not expect.
    pub fn is_warning(self) -> bool {
        matches!(
            self,
            Self::OutsideOfSet
                | Self::Unreadable
                | Self::OtherSize
                | Self::BadLabels
                | Self::WithoutFolder
                | Self::BuiltIn
                | Self::Transparent
                | Self::UnsureLabels
        )
    }

    fn words(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Beside => "left out, beside what was taken",
            Self::OtherKind => "files left out because they are of no kind that is read",
            Self::Hidden => "images left out because they are hidden files",
            Self::NoFile => "left out because they are neither files nor folders",
            Self::OutsideOfSet => "images left out because they lie outside of the labelled set's folders",
            Self::WithoutImage => "label maps left out because no image has their name",
            Self::Unreadable => "images left out because they cannot be read",
            Self::OtherSize => "images left out because their size is not that of the first",
            Self::BadLabels => "images left out because their label maps cannot be read or do not fit",
            Self::WithoutFolder => "sub-folders are not taken as classes because of images outside of them",
            Self::BuiltIn => "passed over for the built-in data set of this name",
            Self::Transparent => "images are transparent in places, and lie on black",
            Self::Grey => "grey images among those in colour, given three equal channels",
            Self::TurnedLabels => "label maps turned as their photos, whose stored pixels they are of",
            Self::UnsureLabels => {
                "label maps of photos that their camera turned would fit either way, and are taken to be of the photo as it is shown"
            }
        }
    }
}

/// What a set has to say of itself: so many files or images, by name, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The reason.
    pub matter: Matter,
    /// How many.
    pub count: usize,
    /// Their names, in order.
    pub names: Vec<String>,
}

impl Notice {
    /// Says it of these; nothing where there are none.
    pub(crate) fn of(matter: Matter, names: Vec<String>) -> Option<Self> {
        if names.is_empty() { None } else { Some(Self { matter, count: names.len(), names }) }
    }
}

/// One line with the first names: `images left out because they cannot be read: 7 (a.png, b.png, c.png, d.png, e.png, ...)`.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = shown(&self.names);
        match self.matter {
            Matter::Taken => write!(f, "{}: {names}", self.matter.words()),
            Matter::BuiltIn => write!(f, "the file or folder ./{names} is {}", self.matter.words()),
            matter => write!(f, "{}: {} ({names})", matter.words(), self.count),
        }
    }
}

/// The first of some names.
pub(crate) fn shown(names: &[String]) -> String {
    let more = if names.len() > NAMED { ", ..." } else { "" };
    [&names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", "), more].concat()
}

/// What was met in the images of a set that were read so far, a byte an image.
pub(crate) struct Met(Vec<AtomicU8>);

impl Met {
    const MATTERS: [Matter; 4] = [Matter::Transparent, Matter::TurnedLabels, Matter::UnsureLabels, Matter::Grey];
    const COLOUR: u8 = 1 << 7;

    /// Nothing yet, in `n` images.
    pub(crate) fn nothing(n: usize) -> Self {
        Self((0..n).map(|_| AtomicU8::new(0)).collect())
    }

    /// Something was met in an image. What is said twice counts once.
    pub(crate) fn add(&self, index: usize, matter: Matter) {
        if let Some(bit) = Self::MATTERS.iter().position(|&known| known == matter) {
            self.set(index, 1 << bit);
        }
    }

    /// An image was read.
    pub(crate) fn add_image(&self, index: usize, decoded: &Decoded) {
        if decoded.transparent {
            self.add(index, Matter::Transparent);
        }
        if decoded.image.channels == 1 { self.add(index, Matter::Grey) } else { self.set(index, Self::COLOUR) }
    }

    fn set(&self, index: usize, bit: u8) {
        if let Some(cell) = self.0.get(index) {
            cell.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// All that was met.
    pub(crate) fn notices(&self, name: impl Fn(usize) -> String) -> Vec<Notice> {
        let with = |bit: u8| (0..self.0.len()).filter(move |&i| self.0[i].load(Ordering::Relaxed) & bit != 0);
        let colour = with(Self::COLOUR).next().is_some();
        let matters = Self::MATTERS.into_iter().enumerate().filter(|(_, matter)| colour || *matter != Matter::Grey);
        matters.filter_map(|(bit, matter)| Notice::of(matter, with(1 << bit).map(&name).collect())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_counts_all_and_names_the_first() {
        let names = |n: usize| (0..n).map(|i| format!("{i}.png")).collect::<Vec<_>>();
        assert_eq!(Notice::of(Matter::Unreadable, Vec::new()), None);
        let said = |matter, n| Notice::of(matter, names(n)).unwrap().to_string();
        assert_eq!(said(Matter::Unreadable, 2), "images left out because they cannot be read: 2 (0.png, 1.png)");
        assert!(said(Matter::OtherSize, 9).ends_with(": 9 (0.png, 1.png, 2.png, 3.png, 4.png, ...)"));
        assert_eq!(said(Matter::Taken, 1), "taken: 0.png");
    }

    #[test]
    fn grey_images_are_told_of_only_among_colours() {
        let met = Met::nothing(3);
        let decoded = |channels: usize, alpha: bool| {
            let kind = if channels == 1 { png::ColorType::GrayscaleAlpha } else { png::ColorType::Rgba };
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
            encoder.set_color(kind);
            let pixel = [&[7, 7, 7][..channels], &[if alpha { 9 } else { 255 }]].concat();
            encoder.write_header().unwrap().write_image_data(&pixel).unwrap();
            crate::decode::decoded(&bytes, std::path::Path::new("x.png")).unwrap()
        };
        met.add_image(1, &decoded(1, false));
        met.add_image(2, &decoded(1, true));
        met.add_image(2, &decoded(1, true));
        met.add(9, Matter::Transparent);
        let said = |met: &Met| met.notices(|i| i.to_string()).iter().map(Notice::to_string).collect::<Vec<_>>();
        assert_eq!(said(&met), ["images are transparent in places, and lie on black: 1 (2)"]);
        met.add_image(0, &decoded(3, false));
        assert_eq!(said(&met)[1], "grey images among those in colour, given three equal channels: 2 (1, 2)");
    }
}
