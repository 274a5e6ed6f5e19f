//! The memory of tensors, as it lies in a file.

use base::archive::Archive;
use base::{Error, Region, Result};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How much larger a packed storage may be than the file that it comes from.
const MOST_UNPACKED: u64 = 16;
/// Larger than that, packed storages may always be.
const ALWAYS_UNPACKED: u64 = 16 << 20;

/// A piece of memory of which tensors are views.
#[derive(Debug)]
pub(crate) struct Storage {
    place: Place,
    length: u64,
    big_endian: bool,
}

enum Place {
    Region(Region),
    /// A member of an archive that is stored as it is. Its checksum is compared once.
    Stored {
        archive: Arc<Archive>,
        index: usize,
        region: Region,
        whole: OnceLock<()>,
    },
    /// A packed member. What was unpacked last is kept in the archive's drawer.
    Packed {
        archive: Arc<Archive>,
        index: usize,
        drawer: Arc<Drawer>,
    },
}

/// The member of an archive that was unpacked last.
#[derive(Debug, Default)]
pub(crate) struct Drawer(Mutex<Option<(usize, Arc<Vec<u8>>)>>);

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Region(region) => region.fmt(f),
            Self::Stored { index, .. } | Self::Packed { index, .. } => write!(f, "member {index}"),
        }
    }
}

impl Storage {
    pub(crate) fn region(region: Region, big_endian: bool) -> Self {
        Self { length: region.length(), place: Place::Region(region), big_endian }
    }

    /// A member of an archive.
    ///
    /// # Errors
    /// It does not lie in the archive, or would unpack to far more than the archive has bytes.
    pub(crate) fn member(
        archive: &Arc<Archive>,
        index: usize,
        drawer: &Arc<Drawer>,
        file_length: u64,
        big_endian: bool,
    ) -> Result<Self> {
        let archive = archive.clone();
        let length = archive.members().get(index).map_or(0, |member| member.size);
        let place = match archive.stored(index)? {
            Some(region) => Place::Stored { archive, index, region, whole: OnceLock::new() },
            None if length > file_length.saturating_mul(MOST_UNPACKED).max(ALWAYS_UNPACKED) => {
                let reason = format!("would unpack to {length} bytes; the whole file has {file_length}");
                return Err(Error::file(archive.path_of(index), reason).with_hint("Save the file again with PyTorch."));
            }
            None => Place::Packed { archive, index, drawer: drawer.clone() },
        };
        Ok(Self { place, length, big_endian })
    }

    /// Its bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    /// Whether its bytes lie in the file as they are, so that a few of them are read at no cost.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.place, Place::Region(_))
    }

    /// Compares it with its checksum where it has one, the first time.
    pub(crate) fn check(&self) -> Result<()> {
        if let Place::Stored { archive, index, whole, .. } = &self.place
            && whole.get().is_none()
        {
            archive.check(*index)?;
            whole.get_or_init(|| ());
        }
        Ok(())
    }

    pub(crate) fn read(&self, offset: u64, length: u64) -> Result<Cow<'_, [u8]>> {
        match &self.place {
            Place::Region(region) | Place::Stored { region, .. } => Ok(region.read(offset, length)?.into()),
            Place::Packed { archive, index, drawer } => {
                let all = drawer.open(archive, *index)?;
                let piece = usize::try_from(offset).ok().zip(usize::try_from(offset.saturating_add(length)).ok());
                let piece = piece.and_then(|(from, to)| all.get(from..to)).map(<[u8]>::to_vec);
                let truncated = || Error::file(archive.path_of(*index), "is truncated");
                Ok(piece.ok_or_else(truncated)?.into())
            }
        }
    }
}

impl Drawer {
    fn open(&self, archive: &Archive, index: usize) -> Result<Arc<Vec<u8>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, bytes)) = &*kept
            && *of == index
        {
            return Ok(bytes.clone());
        }
        // Two would not be kept at once.
        *kept = None;
        let size = archive.members().get(index).map_or(0, |member| member.size);
        let bytes = Arc::new(archive.read(index, size)?);
        *kept = Some((index, bytes.clone()));
        Ok(bytes)
    }
}
