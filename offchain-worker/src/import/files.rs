//! Opening the files of an untrusted source.

use super::{ImportError, ImportProgress};
use blake2::{digest::consts::U32, Blake2b, Digest};
use memmap2::Mmap;
use noema_checkpoint::H256;
use serde::de::DeserializeOwned;
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// Largest JSON or template file that is read into memory. A tokenizer of a million tokens has some 80 MB.
pub(super) const MAX_TEXT_BYTES: u64 = 256 << 20;

const HASH_STEP: usize = 4 << 20;

/// A regular file mapped into memory.
pub(super) struct Mapped {
    pub(super) path: PathBuf,
    map: Mmap,
}

impl Mapped {
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        let file = open_regular(path)?;
        // SAFETY: the mapping is private and read-only. If another program shortens the file during the
        // import, this process ends with a signal; nothing is then left in the library.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| ImportError::read(path, e))?;
        Ok(Self {
            path: path.into(),
            map,
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// `len` bytes from `offset`, or `None` if the file ends before.
    pub(super) fn slice(&self, offset: u64, len: u64) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        self.map.get(start..end)
    }

    pub(super) fn hash(&self, progress: &dyn ImportProgress) -> H256 {
        let mut hasher = Blake2b::<U32>::new();
        for part in self.map.chunks(HASH_STEP) {
            hasher.update(part);
            progress.advance(part.len() as u64);
        }
        H256(hasher.finalize().into())
    }
}

/// Opens `path` if it is a regular file: reading a pipe or a device might never end.
fn open_regular(path: &Path) -> Result<File, ImportError> {
    let metadata = std::fs::metadata(path).map_err(|e| ImportError::read(path, e))?;
    if !metadata.is_file() {
        return Err(ImportError::Foreign {
            path: path.into(),
            problem: "it is not a regular file".into(),
        });
    }
    File::open(path).map_err(|e| ImportError::read(path, e))
}

/// Reads a whole small file.
pub(super) fn read_small(path: &Path) -> Result<Vec<u8>, ImportError> {
    let file = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(MAX_TEXT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| ImportError::read(path, e))?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(ImportError::Oversized {
            path: path.into(),
            size: bytes.len() as u64,
            limit: MAX_TEXT_BYTES,
        });
    }
    Ok(bytes)
}

/// Parses JSON; an error names the byte at which it was found.
pub(super) fn parse_json<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, ImportError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let before: usize = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .take(error.line().saturating_sub(1))
            .map(<[u8]>::len)
            .sum();
        ImportError::malformed(path, (before + error.column()) as u64, error.to_string())
    })
}
