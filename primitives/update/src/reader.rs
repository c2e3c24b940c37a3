//! The changes of an update, chunk by chunk.

use crate::{
    bits::{BitReader, End},
    error::{ChunkPlace, DecodeError},
    shape::{Tensor, Trainable, CHUNK_COORDINATES},
};
use alloc::vec::Vec;
use noema_numerics::fixed::bit_length;

/// Largest scale of a chunk, so that twice the scale fits an i32.
pub const SCALE_MAX: u32 = (1 << 30) - 1;
/// Bits of the field that states how many bits of a scale follow its highest.
pub(crate) const SCALE_LENGTH_BITS: u32 = 5;
/// Most bits of a scale after its highest.
const SCALE_LENGTH_MAX: u32 = bit_length(SCALE_MAX) - 1;

/// A change of one coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The coordinate in its chunk.
    pub index: u16,
    /// The change that is added to the master; not zero.
    pub value: i32,
}

/// A chunk of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'r> {
    /// Its place.
    pub place: ChunkPlace,
    /// Its coordinates.
    pub length: usize,
    /// Its entries, by ascending index.
    pub entries: &'r [Entry],
}

/// Reads the chunks of an update in order: all of the listed tensors, including chunks without entries.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    trainable: &'a Trainable,
    bound: u16,
    /// The tensor of the next chunk, and those after it.
    tensors: &'a [[u8; 2]],
    bits: BitReader<'a>,
    next: Option<ChunkPlace>,
    /// Whether the tensor of the next chunk has had an entry.
    touched: bool,
    entries: Vec<Entry>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        trainable: &'a Trainable,
        bound: u16,
        tensors: &'a [[u8; 2]],
        body: &'a [u8],
    ) -> Self {
        let mut reader = Self {
            trainable,
            bound,
            tensors,
            bits: BitReader::new(body),
            next: None,
            touched: false,
            entries: Vec::with_capacity(usize::from(bound)),
        };
        reader.begin_tensor();
        reader
    }

    /// The place of the next chunk, if there is one.
    pub const fn place(&self) -> Option<ChunkPlace> {
        self.next
    }

    /// The next chunk; `None` at the end of an update that is well-formed.
    ///
    /// # Errors
    /// The first error of the update. The reader cannot be used after it.
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
            self.next = Some(ChunkPlace {
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
        self.next = self.tensors.first().map(|&bytes| ChunkPlace {
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

    fn read_entries(&mut self, place: ChunkPlace, tensor: &Tensor) -> Result<(), DecodeError> {
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

    fn read_scale(&mut self, place: ChunkPlace) -> Result<i32, DecodeError> {
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

/// Low bits of a gap that are written unchanged, where `count` (not 0) of `length` coordinates change.
pub(crate) const fn rice_bits(length: usize, count: usize) -> u32 {
    match (length / count).checked_ilog2() {
        Some(bits) => bits,
        None => 0,
    }
}
