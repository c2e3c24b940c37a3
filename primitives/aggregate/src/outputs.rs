//! What steps write: fixed numbers of bytes, integers in little-endian order.

use alloc::vec::Vec;
use codec::{Decode, DecodeAll, Encode};
use noema_update::{master::StoredTileMasters, TILE_COORDINATES};
use sp_core::H256;

/// An output of several fields.
pub(crate) trait Fields: Encode + DecodeAll {
    /// Its bytes.
    const BYTES: usize;

    /// `None` where no step writes these bytes.
    fn read(bytes: &[u8]) -> Option<Self> {
        Self::decode_all(&mut &*bytes).ok()
    }
}

/// What the header of an update says, and which unit it and the headers before it need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Header {
    /// Whether it is the header of an update.
    pub(crate) valid: bool,
    /// Most entries of a chunk.
    pub(crate) bound: u16,
    /// Tensors that the update lists.
    pub(crate) tensors: u16,
    /// Whether any update so far lists one.
    pub(crate) touches: bool,
    /// The largest exponent of these tensors.
    pub(crate) exponent: i8,
}

impl Fields for Header {
    const BYTES: usize = 7;
}

impl Header {
    /// The exponent of the unit of all norms, where this is that of the last update.
    pub(crate) const fn unit(&self) -> i8 {
        match self.touches {
            true => self.exponent,
            false => 0,
        }
    }
}

/// How far an update has been read, up to the end of a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Reading {
    /// Whether it is well-formed so far.
    pub(crate) valid: bool,
    /// Whether the tensor of the next chunk has had an entry.
    pub(crate) touched: bool,
    /// Tensors of its list that are complete.
    pub(crate) complete: u16,
    /// Most entries of a chunk.
    pub(crate) bound: u16,
    /// Whether the chunk has entries.
    pub(crate) changes: bool,
    /// The bit of the file at which the chunk begins, if it is in there.
    pub(crate) start: u64,
    /// The bit at which the next chunk begins.
    pub(crate) end: u64,
    /// The squared norm of the changes so far.
    pub(crate) norm: u128,
}

impl Fields for Reading {
    const BYTES: usize = 39;
}

/// The factor of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Clipping {
    /// The median of all squared norms.
    pub(crate) median: u128,
    /// The units of the factor.
    pub(crate) factor: u64,
}

impl Fields for Clipping {
    const BYTES: usize = 24;
}

/// What two updates share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Sharing {
    /// Coordinates that both change in the same direction.
    pub(crate) shared: u64,
    /// Coordinates that the first changes.
    pub(crate) first: u64,
    /// Coordinates that the second changes.
    pub(crate) second: u64,
}

impl Fields for Sharing {
    const BYTES: usize = 24;
}

/// The squared norm of the mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct MeanNorm {
    /// That of the chunks that are complete.
    pub(crate) norm: u128,
    /// The sum of squares of the chunk that is not.
    pub(crate) open: u128,
}

impl Fields for MeanNorm {
    const BYTES: usize = 32;
}

/// Whether all updates so far are well-formed, and their squared norms.
pub(crate) struct Norms {
    pub(crate) valid: bool,
    pub(crate) norms: Vec<u128>,
}

impl Norms {
    /// Bytes with so many norms.
    pub(crate) const fn bytes(count: usize) -> usize {
        1 + 16 * count
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (valid, norms) = bytes.split_first()?;
        let norms = norms.as_chunks().0.iter();
        Some(Self {
            valid: *valid == 1,
            norms: norms.map(|bytes| u128::from_le_bytes(*bytes)).collect(),
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::bytes(self.norms.len()));
        bytes.push(self.valid.into());
        bytes.extend(self.norms.iter().flat_map(|norm| norm.to_le_bytes()));
        bytes
    }
}

/// Bytes of the weighted sums of a tile.
pub(crate) const SUM_BYTES: usize = TILE_COORDINATES * 8;

pub(crate) fn read_sums(bytes: &[u8]) -> Option<[i64; TILE_COORDINATES]> {
    let mut sums = [0; TILE_COORDINATES];
    let read: &[_; TILE_COORDINATES] = bytes.as_chunks().0.try_into().ok()?;
    for (sum, bytes) in sums.iter_mut().zip(read) {
        *sum = i64::from_le_bytes(*bytes);
    }
    Some(sums)
}

pub(crate) fn write_sums(sums: &[i64; TILE_COORDINATES]) -> Vec<u8> {
    sums.iter().flat_map(|sum| sum.to_le_bytes()).collect()
}

pub(crate) fn read_leaf(bytes: &[u8]) -> Option<&StoredTileMasters> {
    bytes.try_into().ok()
}

/// Roots of complete subtrees, the largest first.
pub(crate) fn read_peaks(bytes: &[u8]) -> Vec<H256> {
    let peaks = bytes.as_chunks().0.iter();
    peaks.map(|bytes| H256(*bytes)).collect()
}

pub(crate) fn write_peaks(peaks: &[H256]) -> Vec<u8> {
    peaks.iter().flat_map(|peak| peak.0).collect()
}
