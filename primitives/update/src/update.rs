//! A received update: its header and its content.

use crate::{
    error::DecodeError,
    reader::Reader,
    shape::{Trainable, CHUNK_COORDINATES},
};
use noema_checkpoint::{CheckpointId, H256};

/// The first bytes of an update.
pub const MAGIC: [u8; 4] = *b"NUPD";
/// The version of the format that this crate reads and writes.
pub const VERSION: u16 = 1;
/// Bytes before the list of tensors.
pub const HEADER_BYTES: usize = 42;
/// Default bound on the entries of a chunk.
pub const DEFAULT_ENTRIES: u16 = 128;

/// The limits of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest update, in bytes.
    pub bytes: usize,
    /// Most tensors that an update may touch.
    pub tensors: u16,
    /// Largest bound on the entries of a chunk.
    pub entries: u16,
}

impl Limits {
    /// The default, with at most `entries` a chunk.
    pub fn with_entries(entries: u16) -> Self {
        Self {
            entries,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    /// 64 MiB, any number of tensors, [`DEFAULT_ENTRIES`] a chunk.
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            tensors: u16::MAX,
            entries: DEFAULT_ENTRIES,
        }
    }
}

/// An update over borrowed bytes: its header has been read, its chunks not yet.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    trainable: &'a Trainable,
    parent: CheckpointId,
    bound: u16,
    /// Indices of the tensors, little-endian.
    tensors: &'a [[u8; 2]],
    body: &'a [u8],
}

impl<'a> Update<'a> {
    /// Reads the header of an update of `parent`, whose trainable tensors are `trainable`.
    ///
    /// # Errors
    /// The first error of the header. Errors of the chunks come from [`check`](Self::check) and
    /// [`Reader::next`].
    pub fn open(
        bytes: &'a [u8],
        trainable: &'a Trainable,
        parent: CheckpointId,
        limits: Limits,
    ) -> Result<Self, DecodeError> {
        if bytes.len() > limits.bytes {
            return Err(DecodeError::TooLong {
                length: bytes.len(),
                limit: limits.bytes,
            });
        }
        let mut rest = bytes;
        let magic: [u8; 4] = read(&mut rest)?;
        if magic != MAGIC {
            return Err(DecodeError::NotAnUpdate);
        }
        let version = u16::from_le_bytes(read(&mut rest)?);
        if version != VERSION {
            return Err(DecodeError::UnknownVersion(version));
        }
        let found = CheckpointId(H256(read(&mut rest)?));
        if found != parent {
            return Err(DecodeError::OtherParent {
                expected: parent,
                found,
            });
        }
        let bound = u16::from_le_bytes(read(&mut rest)?);
        let limit = limits.entries.min(CHUNK_COORDINATES as u16);
        if bound == 0 || bound > limit {
            return Err(DecodeError::BoundOutOfRange {
                found: bound,
                limit,
            });
        }
        let count = u16::from_le_bytes(read(&mut rest)?);
        if count > limits.tensors {
            return Err(DecodeError::TooManyTensors {
                found: count,
                limit: limits.tensors,
            });
        }
        let (indices, body) = rest
            .split_at_checked(usize::from(count) * 2)
            .ok_or(DecodeError::Truncated)?;
        let update = Self {
            trainable,
            parent,
            bound,
            tensors: indices.as_chunks().0,
            body,
        };
        update.check_tensors()?;
        Ok(update)
    }

    fn check_tensors(&self) -> Result<(), DecodeError> {
        let trainable = self.trainable.tensors().len();
        let mut least = 0;
        for tensor in self.tensors() {
            let index = usize::from(tensor);
            if index < least {
                return Err(DecodeError::TensorsNotAscending { tensor });
            }
            if index == trainable {
                return Err(DecodeError::NotTrainable { tensor });
            }
            if index > trainable {
                return Err(DecodeError::UnknownTensor { tensor });
            }
            least = index + 1;
        }
        Ok(())
    }

    /// The checkpoint that it changes.
    pub const fn parent(&self) -> CheckpointId {
        self.parent
    }

    /// The trainable tensors of that checkpoint.
    pub const fn trainable(&self) -> &'a Trainable {
        self.trainable
    }

    /// Most entries of a chunk.
    pub const fn bound(&self) -> u16 {
        self.bound
    }

    /// Indices of the tensors that it touches, ascending.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = u16> + Clone + use<'a> {
        self.tensors.iter().map(|&bytes| u16::from_le_bytes(bytes))
    }

    /// A reader of its chunks.
    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.trainable, self.bound, self.tensors, self.body)
    }

    /// Reads all chunks: the bytes are an update only if this returns `Ok`.
    ///
    /// # Errors
    /// The first error.
    pub fn check(&self) -> Result<Summary, DecodeError> {
        let mut reader = self.reader();
        let mut summary = Summary {
            tensors: self.tensors.len() as u16,
            ..Summary::default()
        };
        while let Some(chunk) = reader.next()? {
            summary.coordinates += chunk.length as u64;
            summary.entries += chunk.entries.len() as u64;
        }
        Ok(summary)
    }
}

/// Cuts the first `N` bytes off.
fn read<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (first, after) = rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
    *rest = after;
    Ok(*first)
}

/// The content of an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tensors that it touches.
    pub tensors: u16,
    /// Coordinates of these tensors, padding included.
    pub coordinates: u64,
    /// Coordinates that it changes.
    pub entries: u64,
}
