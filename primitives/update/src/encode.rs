//! Writing updates.

use crate::{
    bits::BitWriter,
    compress::Selection,
    error::{ChunkPlace, EncodeError},
    reader::{rice_bits, Entry, SCALE_LENGTH_BITS, SCALE_MAX},
    shape::{Tensor, Trainable, CHUNK_COORDINATES},
    update::{HEADER_BYTES, MAGIC, VERSION},
};
use alloc::vec::Vec;
use noema_checkpoint::CheckpointId;
use noema_numerics::fixed::bit_length;

/// Writes an update, tensor by tensor. A tensor in which nothing changes is left out.
#[derive(Clone, Debug)]
pub struct Encoder<'a> {
    trainable: &'a Trainable,
    parent: CheckpointId,
    bound: u16,
    tensors: Vec<u16>,
    /// Index from which on tensors can be written.
    least: u32,
    body: Vec<u8>,
}

impl<'a> Encoder<'a> {
    /// An update of `parent` with at most `bound` entries a chunk.
    ///
    /// # Errors
    /// [`EncodeError::BoundOutOfRange`].
    pub const fn new(
        trainable: &'a Trainable,
        parent: CheckpointId,
        bound: u16,
    ) -> Result<Self, EncodeError> {
        if bound == 0 || bound as usize > CHUNK_COORDINATES {
            return Err(EncodeError::BoundOutOfRange(bound));
        }
        Ok(Self {
            trainable,
            parent,
            bound,
            tensors: Vec::new(),
            least: 0,
            body: Vec::new(),
        })
    }

    /// Compresses the changes of tensor `index`, one per coordinate in master units: adds the residual of
    /// earlier rounds and sends the largest of each chunk.
    ///
    /// `residual` (one per coordinate, zero at first) holds the changes that were not sent, and is replaced:
    /// `deltas + residual` before equals the update's changes `+ residual` after, exactly.
    ///
    /// # Errors
    /// See [`EncodeError`]; in that case the update and `residual` are unchanged.
    pub fn compress(
        &mut self,
        index: u16,
        deltas: &[i32],
        residual: &mut [i32],
    ) -> Result<(), EncodeError> {
        let tensor = self.tensor(index)?;
        for values in [deltas.len(), residual.len()] {
            if values as u64 != tensor.coordinates() {
                return Err(EncodeError::Length {
                    expected: tensor.coordinates(),
                    found: values as u64,
                });
            }
        }
        let overflows = |(delta, carried): (&i32, &i32)| delta.checked_add(*carried).is_none();
        if let Some(coordinate) = deltas.iter().zip(&*residual).position(overflows) {
            return Err(EncodeError::ResidualOverflow {
                coordinate: coordinate as u64,
            });
        }

        let mut selection = Selection::new(usize::from(self.bound));
        let mut chunks = ChunkWriter::new(self.bound);
        let mut first = 0;
        for (deltas, carried) in deltas
            .chunks(CHUNK_COORDINATES)
            .zip(residual.chunks_mut(CHUNK_COORDINATES))
        {
            for (carried, delta) in carried.iter_mut().zip(deltas) {
                *carried = carried.wrapping_add(*delta);
            }
            let entries =
                selection.choose(carried, |index| tensor.is_padding(first + index as u64));
            chunks.put(carried.len(), entries);
            for entry in entries {
                if let Some(carried) = carried.get_mut(usize::from(entry.index)) {
                    // Of the same sign, so the difference fits.
                    *carried = carried.wrapping_sub(entry.value);
                }
            }
            first += carried.len() as u64;
        }
        self.push(index, chunks);
        Ok(())
    }

    /// Writes these changes of tensor `index`: (coordinate, change) by ascending coordinate.
    ///
    /// # Errors
    /// See [`EncodeError`]; in that case the update is unchanged.
    pub fn exact(&mut self, index: u16, changes: &[(u64, i32)]) -> Result<(), EncodeError> {
        let tensor = self.tensor(index)?;
        check_coordinates(&tensor, changes)?;
        let mut chunks = ChunkWriter::new(self.bound);
        let mut rest = changes;
        let mut entries = Vec::new();
        for chunk in 0..tensor.chunks() {
            let place = ChunkPlace {
                tensor: index,
                chunk,
            };
            let first = u64::from(chunk) * CHUNK_COORDINATES as u64;
            let end = first + CHUNK_COORDINATES as u64;
            let (own, after) = rest.split_at(rest.partition_point(|change| change.0 < end));
            rest = after;
            if own.len() > usize::from(self.bound) {
                return Err(EncodeError::TooManyEntries(place));
            }
            entries.clear();
            entries.extend(own.iter().map(|&(coordinate, value)| Entry {
                index: (coordinate - first) as u16,
                value,
            }));
            check_magnitudes(place, &entries)?;
            chunks.put(tensor.chunk_coordinates(chunk), &entries);
        }
        self.push(index, chunks);
        Ok(())
    }

    /// The bytes of the update.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + 2 * self.tensors.len() + self.body.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(self.parent.0.as_bytes());
        bytes.extend_from_slice(&self.bound.to_le_bytes());
        bytes.extend_from_slice(&(self.tensors.len() as u16).to_le_bytes());
        for tensor in &self.tensors {
            bytes.extend_from_slice(&tensor.to_le_bytes());
        }
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The tensor to be written next.
    fn tensor(&self, index: u16) -> Result<Tensor, EncodeError> {
        let tensor = self
            .trainable
            .tensor(index)
            .ok_or(EncodeError::UnknownTensor { tensor: index })?;
        if u32::from(index) < self.least {
            return Err(EncodeError::TensorsNotAscending { tensor: index });
        }
        Ok(*tensor)
    }

    fn push(&mut self, index: u16, chunks: ChunkWriter) {
        self.least = u32::from(index) + 1;
        if chunks.touched {
            self.tensors.push(index);
            self.body.extend_from_slice(&chunks.bits.finish());
        }
    }
}

fn check_coordinates(tensor: &Tensor, changes: &[(u64, i32)]) -> Result<(), EncodeError> {
    let mut least = 0;
    for &(coordinate, _) in changes {
        if coordinate < least {
            return Err(EncodeError::CoordinatesNotAscending { coordinate });
        }
        if coordinate >= tensor.coordinates() {
            return Err(EncodeError::CoordinateOutOfRange { coordinate });
        }
        if tensor.is_padding(coordinate) {
            return Err(EncodeError::CoordinateInPadding { coordinate });
        }
        least = coordinate + 1;
    }
    Ok(())
}

fn check_magnitudes(place: ChunkPlace, entries: &[Entry]) -> Result<(), EncodeError> {
    let magnitudes = || entries.iter().map(|entry| entry.value.unsigned_abs());
    let Some(scale) = magnitudes().min() else {
        return Ok(());
    };
    if scale == 0 {
        return Err(EncodeError::ZeroEntry(place));
    }
    if scale > SCALE_MAX || magnitudes().any(|m| m != scale && m != 2 * scale) {
        return Err(EncodeError::NotOneScale(place));
    }
    Ok(())
}

/// Writes the chunks of one tensor.
#[derive(Debug)]
struct ChunkWriter {
    bits: BitWriter,
    count_bits: u32,
    touched: bool,
}

impl ChunkWriter {
    fn new(bound: u16) -> Self {
        Self {
            bits: BitWriter::default(),
            count_bits: bit_length(u32::from(bound)),
            touched: false,
        }
    }

    /// Writes a chunk of `length` coordinates. The magnitudes of `entries` are one scale or twice
    /// that scale, and one of them is the scale.
    fn put(&mut self, length: usize, entries: &[Entry]) {
        self.bits.put(entries.len() as u32, self.count_bits);
        let magnitudes = entries.iter().map(|entry| entry.value.unsigned_abs());
        let Some(scale) = magnitudes.min() else {
            return;
        };
        self.touched = true;
        let scale_bits = scale.ilog2();
        self.bits.put(scale_bits, SCALE_LENGTH_BITS);
        self.bits.put(scale ^ 1 << scale_bits, scale_bits);
        let rice = rice_bits(length, entries.len());
        let mut next = 0;
        for entry in entries {
            let gap = u32::from(entry.index) - next;
            self.bits.put_zeros(gap >> rice);
            self.bits.put(gap & ((1 << rice) - 1), rice);
            self.bits.put(u32::from(entry.value < 0), 1);
            self.bits
                .put(u32::from(entry.value.unsigned_abs() != scale), 1);
            next = u32::from(entry.index) + 1;
        }
    }
}
