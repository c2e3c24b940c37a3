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
        read_entries(
            &mut self.bits,
            self.bound,
            place,
            &tensor,
            &mut self.entries,
        )?;
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
}

/// Reads the entries of a chunk into `entries`.
fn read_entries(
    bits: &mut BitReader<'_>,
    bound: u16,
    place: ChunkPlace,
    tensor: &Tensor,
    entries: &mut Vec<Entry>,
) -> Result<(), DecodeError> {
    entries.clear();
    let length = tensor.chunk_coordinates(place.chunk);
    let count = bits.take(bit_length(u32::from(bound)))?;
    if count > u32::from(bound) || count as usize > length {
        return Err(DecodeError::TooManyEntries {
            place,
            found: count as u16,
        });
    }
    if count == 0 {
        return Ok(());
    }
    let scale = read_scale(bits, place)?;
    let rice = rice_bits(length, count as usize);
    let first = u64::from(place.chunk) * CHUNK_COORDINATES as u64;
    let mut index = 0;
    let mut smaller = false;
    for _ in 0..count {
        let beyond = DecodeError::IndexOutOfRange(place);
        let quotient = bits.zeros(length as u32 >> rice)?.ok_or(beyond)?;
        index += (quotient << rice | bits.take(rice)?) as usize;
        if index >= length {
            return Err(beyond);
        }
        if tensor.is_padding(first + index as u64) {
            return Err(DecodeError::IndexInPadding {
                place,
                index: index as u16,
            });
        }
        let falls = bits.take(1)? == 1;
        let doubled = bits.take(1)?;
        smaller |= doubled == 0;
        let magnitude = scale << doubled;
        entries.push(Entry {
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

fn read_scale(bits: &mut BitReader<'_>, place: ChunkPlace) -> Result<i32, DecodeError> {
    let length = bits.take(SCALE_LENGTH_BITS)?;
    if length > SCALE_LENGTH_MAX {
        return Err(DecodeError::ScaleTooLarge(place));
    }
    Ok((1 << length | bits.take(length)?) as i32)
}

/// Most bytes that a chunk is part of.
///
/// Of `n` coordinates, `c` entries take `c (r + 3)` bits and the quotients of their gaps at most `(n - c) / 2^r`, with
/// `c ≤ n / 2^r`: at most `3 n` together. Number and scale are 13 + 5 + 29 bits; up to 7 come before, and up to 7 fill up
/// the last byte.
pub const CHUNK_BYTES_MAX: usize = (3 * CHUNK_COORDINATES + 47 + 7).div_ceil(8) + 1;

/// Reads one chunk alone, as [`Reader`] does, into `entries`: from bit `bit`, below 8, of the first of `bytes`, which
/// are at least [`CHUNK_BYTES_MAX`], or all up to the end of the update. Returns the number of its bits, with those
/// that fill up the last byte of a tensor.
///
/// # Errors
/// If the bytes are not such a chunk.
pub fn read_chunk(
    tensor: &Tensor,
    place: ChunkPlace,
    bound: u16,
    bytes: &[u8],
    bit: u32,
    entries: &mut Vec<Entry>,
) -> Result<u64, DecodeError> {
    let mut bits = BitReader::after(bytes, bit)?;
    let before = bits.bits_left();
    read_entries(&mut bits, bound, place, tensor, entries)?;
    if place.chunk + 1 == tensor.chunks() && !bits.align() {
        return Err(DecodeError::PaddingBits {
            tensor: place.tensor,
        });
    }
    Ok(before - bits.bits_left())
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
