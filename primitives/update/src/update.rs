//! An update as it is read: a header and a list of changes, chunk by chunk.

use crate::{
    bits::{BitReader, End},
    error::{DecodeError, Place},
    shape::{Tensor, Trainable, CHUNK_COORDINATES},
};
use alloc::vec::Vec;
use noema_checkpoint::{CheckpointId, H256};
use noema_numerics::fixed::bit_length;

/// The first bytes of an update.
pub const MAGIC: [u8; 4] = *b"NUPD";
/// The version of the format that this crate writes and reads.
pub const VERSION: u16 = 1;
/// Bytes before the list of tensors.
pub const HEADER_BYTES: usize = 42;
/// Entries that a chunk may have if nobody says otherwise.
pub const DEFAULT_ENTRIES: u16 = 64;
/// Largest scale of a chunk, so that twice the scale fits an i32.
pub const SCALE_MAX: u32 = (1 << 30) - 1;

/// Bits of the field that says how many bits of a scale follow its highest.
pub(crate) const SCALE_LENGTH_BITS: u32 = 5;
/// Most bits of a scale after its highest.
const SCALE_LENGTH_MAX: u32 = bit_length(SCALE_MAX) - 1;

/// What a receiver accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest update, in bytes.
    pub bytes: usize,
    /// Most tensors that an update may touch.
    pub tensors: u16,
    /// Largest bound on the entries of a chunk.
    pub entries: u16,
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
    /// Whatever is wrong with the header. What is wrong with the chunks, [`check`](Self::check) and
    /// [`Reader::next`] say.
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
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = u16> + Clone + 'a {
        self.tensors.iter().map(|&bytes| u16::from_le_bytes(bytes))
    }

    /// A reader of its chunks.
    pub fn reader(&self) -> Reader<'a> {
        let mut reader = Reader {
            trainable: self.trainable,
            bound: self.bound,
            tensors: self.tensors,
            bits: BitReader::new(self.body),
            next: None,
            touched: false,
            entries: Vec::with_capacity(usize::from(self.bound)),
        };
        reader.begin_tensor();
        reader
    }

    /// Reads all chunks: only an update for which this is `Ok` is one.
    ///
    /// # Errors
    /// Whatever is wrong.
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

/// What an update holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tensors that it touches.
    pub tensors: u16,
    /// Coordinates of these tensors, padding included.
    pub coordinates: u64,
    /// Coordinates that it changes.
    pub entries: u64,
}

/// A change of one coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The coordinate in its chunk.
    pub index: u16,
    /// What is added to the master; not zero.
    pub value: i32,
}

/// A chunk of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'r> {
    /// Where it is.
    pub place: Place,
    /// Its coordinates.
    pub length: usize,
    /// Its entries, by ascending index.
    pub entries: &'r [Entry],
}

/// Reads the chunks of an update in order: all of the tensors that are listed, those without entries
/// too.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    trainable: &'a Trainable,
    bound: u16,
    /// The tensor of the next chunk, and those after it.
    tensors: &'a [[u8; 2]],
    bits: BitReader<'a>,
    next: Option<Place>,
    /// Whether the tensor of the next chunk has had an entry.
    touched: bool,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    /// The place of the next chunk, if there is one.
    pub const fn place(&self) -> Option<Place> {
        self.next
    }

    /// The next chunk; `None` at the end of an update that is well-formed.
    ///
    /// # Errors
    /// Whatever is wrong with it. After an error the reader is of no use.
    #[allow(clippy::should_implement_trait)] // the chunk borrows the reader
    pub fn next(&mut self) -> Result<Option<Chunk<'_>>, DecodeError> {
        let following = self
            .next
            .and_then(|place| Some((place, *self.trainable.tensor(place.tensor)?)));
        let Some((place, tensor)) = following else {
            return match self.bits.bytes_left() {
                0 => Ok(None),
                count => Err(DecodeError::TrailingBytes { count }),
            };
        };
        self.read_entries(place, &tensor)?;
        self.touched |= !self.entries.is_empty();
        if place.chunk + 1 < tensor.chunks() {
            self.next = Some(Place {
                chunk: place.chunk + 1,
                ..place
            });
        } else {
            self.end_tensor(place.tensor)?;
        }
        Ok(Some(Chunk {
            place,
            length: tensor.chunk_coordinates(place.chunk),
            entries: &self.entries,
        }))
    }

    fn begin_tensor(&mut self) {
        self.touched = false;
        self.next = self.tensors.first().map(|&bytes| Place {
            tensor: u16::from_le_bytes(bytes),
            chunk: 0,
        });
    }

    fn end_tensor(&mut self, tensor: u16) -> Result<(), DecodeError> {
        if !self.bits.align() {
            return Err(DecodeError::PaddingBits { tensor });
        }
        if !self.touched {
            return Err(DecodeError::UntouchedTensor { tensor });
        }
        self.tensors = self.tensors.get(1..).unwrap_or_default();
        self.begin_tensor();
        Ok(())
    }

    fn read_entries(&mut self, place: Place, tensor: &Tensor) -> Result<(), DecodeError> {
        self.entries.clear();
        let length = tensor.chunk_coordinates(place.chunk);
        let count = self.bits.take(bit_length(u32::from(self.bound)))?;
        if count > u32::from(self.bound) || count as usize > length {
            return Err(DecodeError::TooManyEntries {
                place,
                found: count as u16,
            });
        }
        if count == 0 {
            return Ok(());
        }
        let scale = self.read_scale(place)?;
        let rice = rice_bits(length, count as usize);
        let first = u64::from(place.chunk) * CHUNK_COORDINATES as u64;
        let mut index = 0;
        let mut smaller = false;
        for _ in 0..count {
            let beyond = DecodeError::IndexOutOfRange(place);
            let quotient = self.bits.zeros(length as u32 >> rice)?.ok_or(beyond)?;
            index += (quotient << rice | self.bits.take(rice)?) as usize;
            if index >= length {
                return Err(beyond);
            }
            if tensor.is_padding(first + index as u64) {
                return Err(DecodeError::IndexInPadding {
                    place,
                    index: index as u16,
                });
            }
            let falls = self.bits.take(1)? == 1;
            let doubled = self.bits.take(1)?;
            smaller |= doubled == 0;
            let magnitude = scale << doubled;
            self.entries.push(Entry {
                index: index as u16,
                value: if falls { -magnitude } else { magnitude },
            });
            index += 1;
        }
        if smaller {
            Ok(())
        } else {
            Err(DecodeError::ScaleNotMinimal(place))
        }
    }

    fn read_scale(&mut self, place: Place) -> Result<i32, DecodeError> {
        let length = self.bits.take(SCALE_LENGTH_BITS)?;
        if length > SCALE_LENGTH_MAX {
            return Err(DecodeError::ScaleTooLarge(place));
        }
        Ok((1 << length | self.bits.take(length)?) as i32)
    }
}

impl From<End> for DecodeError {
    fn from(_: End) -> Self {
        Self::Truncated
    }
}

/// Low bits of a gap that are written as they are, where `count` (not 0) of `length` coordinates
/// change.
pub(crate) const fn rice_bits(length: usize, count: usize) -> u32 {
    match (length / count).checked_ilog2() {
        Some(bits) => bits,
        None => 0,
    }
}
