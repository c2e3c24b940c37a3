//! Opening the files of an untrusted source.

use super::{ImportError, ImportProgress};
use crate::encoding::{other_than_utf8, BYTE_ORDER_MARK};
use blake2::{digest::consts::U32, Blake2b, Digest};
use memmap2::Mmap;
use noema_checkpoint::H256;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// Largest JSON or template file that is read into memory. A tokenizer of a million tokens has some 80 MB.
pub(super) const MAX_TEXT_BYTES: u64 = 256 << 20;

const HASH_STEP: usize = 4 << 20;

/// The beginning of every git-lfs pointer.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
/// Largest git-lfs pointer, in bytes.
const LFS_POINTER_BYTES: usize = 1024;

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
        refuse_stand_in(path, &map)?;
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

    /// Releases the memory of what was read.
    pub(super) fn release(&self) {
        release(&self.map);
    }

    pub(super) fn hash(&self, progress: &dyn ImportProgress) -> H256 {
        let mut hasher = Blake2b::<U32>::new();
        for part in self.map.chunks(HASH_STEP) {
            hasher.update(part);
            self.release();
            progress.advance(part.len() as u64);
        }
        H256(hasher.finalize().into())
    }
}

/// Releases the pages of a mapped file, which are loaded again when they are read: an import reads each a few times, and
/// all together may exceed the memory.
#[cfg_attr(not(unix), allow(unused_variables))]
pub(super) fn release(map: &Mmap) {
    // Where it fails the pages stay until the system needs their memory.
    // SAFETY: the mapping is of a file and read-only, so no page of it can lose a change.
    #[cfg(unix)]
    let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
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

/// Refuses what is found in the place of a model's file.
fn refuse_stand_in(path: &Path, bytes: &[u8]) -> Result<(), ImportError> {
    refuse_pointer(path, bytes)?;
    refuse_page(path, bytes)
}

/// Refuses a git-lfs pointer, which a clone without git-lfs has in the place of each large file.
fn refuse_pointer(path: &Path, bytes: &[u8]) -> Result<(), ImportError> {
    if !bytes.starts_with(LFS_POINTER) {
        return Ok(());
    }
    let pointer = bytes.get(..LFS_POINTER_BYTES).unwrap_or(bytes);
    let pointer = String::from_utf8_lossy(pointer);
    let size = pointer
        .lines()
        .find_map(|line| line.strip_prefix("size ")?.trim().parse::<u64>().ok());
    let what = match size {
        Some(size) => format!("a git-lfs pointer to a file of {size} bytes"),
        None => "a git-lfs pointer".into(),
    };
    Err(ImportError::StandIn {
        path: path.into(),
        what,
        hint: "install git-lfs and run `git lfs pull` in the folder, or download the file".into(),
    })
}

/// Refuses a web page, which a download from the wrong address or without permission saves.
fn refuse_page(path: &Path, bytes: &[u8]) -> Result<(), ImportError> {
    let beginning = bytes.get(..1024).unwrap_or(bytes).trim_ascii_start();
    let begins = |tag: &[u8]| {
        let found = beginning.get(..tag.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(tag))
    };
    if begins(b"<!doctype html") || begins(b"<html") {
        return Err(ImportError::StandIn {
            path: path.into(),
            what: "a web page".into(),
            hint: "download the file itself; the page may say what that needs".into(),
        });
    }
    Ok(())
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
    refuse_stand_in(path, &bytes)?;
    Ok(bytes)
}

/// Refuses bytes that are no text in plain UTF-8.
pub(super) fn check_text(path: &Path, bytes: &[u8]) -> Result<(), ImportError> {
    let hint = "save it as UTF-8 without a byte order mark";
    if let Some(encoding) = other_than_utf8(bytes) {
        return Err(ImportError::unusable(
            path,
            format!("it is in {encoding}"),
            hint,
        ));
    }
    if bytes.starts_with(BYTE_ORDER_MARK) {
        let problem = "it begins with a byte order mark";
        return Err(ImportError::unusable(path, problem, hint));
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(error) => {
            let problem = format!("it is not UTF-8 from byte {} on", error.valid_up_to());
            Err(ImportError::unusable(path, problem, hint))
        }
    }
}

/// Parses JSON. A syntax error is named with its byte; a value that is missing or of the wrong kind is no damage.
pub(super) fn parse_json<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, ImportError> {
    check_text(path, bytes)?;
    if bytes.trim_ascii().is_empty() {
        return Err(ImportError::unusable(
            path,
            "it is empty",
            "download it again",
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        if error.classify() == Category::Data {
            return ImportError::unusable(path, error.to_string(), "correct it in the file");
        }
        let before: usize = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .take(error.line().saturating_sub(1))
            .map(<[u8]>::len)
            .sum();
        ImportError::malformed(path, (before + error.column()) as u64, error.to_string())
    })
}
