//! Master weights: the exact integers that updates are added to, and their requantisation to tiles.
//!
//! | tensor | master | unit | range |
//! |---|---|---|---|
//! | linear | `q * s` | 2^E | \|m\| ≤ 127 * 65,535, below 2^23 |
//! | gain | `g` | 2^E | \|g\| < 2^30 |
//!
//! The masters of a tile are one **leaf**, 512 little-endian i32 in the order of the tile: that of
//! its quant bytes, or its 136 gains and zeros after them. Leaf i is that of tile i. The rotation
//! table comes last in a checkpoint and has none.
//!
//! # Requantisation
//! Of 32 masters of a row, with `a` the largest magnitude (at most 127 * 65,535):
//! ```text
//! s = 0                      if a is 0, else
//! s = ⌊2a / 255⌋ + 1         the smallest s with a / s < 127.5, at most 65,279
//! q = sign(m) * ⌊(2|m| + s) / 2s⌋     nearest, halves away from zero
//! ```
//! A master differs from `q * s` by at most s / 2. A master outside the range counts as the nearest end of
//! the range.

use crate::{
    error::ApplyError,
    shape::{Trainable, TILE_COORDINATES, TILE_GAINS},
};
use alloc::vec::Vec;
use binary_merkle_tree::merkle_root;
use core::num::NonZeroU32;
use noema_checkpoint::{join_roots, H256};
use noema_numerics::{
    layout::TensorKind,
    tile::{quant_offset, scales, Tile, TILE_BYTES, TILE_COLUMNS, TILE_QUANTS, TILE_ROWS},
};
use sp_core::Blake2Hasher;

/// Bytes of a leaf.
pub const LEAF_BYTES: usize = TILE_COORDINATES * 4;
/// Leaves that are hashed at a time.
pub const RUN_LEAVES: usize = 1_024;
/// Largest magnitude of a linear weight's master after an update.
pub const LINEAR_MAX: i32 = 127 * 65_535;
/// Largest magnitude of a gain after an update.
pub const GAIN_MAX: i32 = (1 << 30) - 1;

/// The masters of a tile.
pub type TileMasters = [i32; TILE_COORDINATES];
/// A leaf as it is stored.
pub type StoredTileMasters = [u8; LEAF_BYTES];

impl Trainable {
    /// Bytes of the masters of a checkpoint: one leaf for each tile.
    pub const fn masters_bytes(&self) -> u64 {
        self.tiles() * LEAF_BYTES as u64
    }
}

/// The masters of `tile`, which belongs to a tensor of `kind`. Those of a tile of the rotation table are
/// zero.
pub fn of_tile(kind: TensorKind, tile: &Tile) -> TileMasters {
    let mut leaf = [0; TILE_COORDINATES];
    match kind {
        TensorKind::Linear { .. } => {
            let scales = scales(tile).map(i32::from);
            for (word, quants) in leaf
                .as_chunks_mut::<{ TILE_ROWS * 4 }>()
                .0
                .iter_mut()
                .zip(tile.as_chunks::<{ TILE_ROWS * 4 }>().0)
            {
                for (row, scale) in scales.iter().enumerate() {
                    for k in row * 4..row * 4 + 4 {
                        word[k] = i32::from(quants[k] as i8) * scale;
                    }
                }
            }
        }
        TensorKind::Gain { .. } => {
            for (master, &bytes) in leaf.iter_mut().zip(tile.as_chunks().0) {
                *master = i32::from_le_bytes(bytes);
            }
        }
        _ => {}
    }
    leaf
}

/// The stored form of a leaf.
pub fn to_bytes(leaf: &TileMasters) -> StoredTileMasters {
    let mut bytes = [0; LEAF_BYTES];
    for (stored, master) in bytes.as_chunks_mut().0.iter_mut().zip(leaf) {
        *stored = master.to_le_bytes();
    }
    bytes
}

/// A leaf from its stored form.
pub fn from_bytes(bytes: &StoredTileMasters) -> TileMasters {
    let mut leaf = [0; TILE_COORDINATES];
    for (master, &stored) in leaf.iter_mut().zip(bytes.as_chunks().0) {
        *master = i32::from_le_bytes(stored);
    }
    leaf
}

/// The leaves of a checkpoint that no update produced, one by one, from its weights.
///
/// # Errors
/// [`ApplyError::WeightsLength`] if these are not the weights of such an architecture.
pub fn leaves<'a>(
    trainable: &'a Trainable,
    weights: &'a [u8],
) -> Result<impl Iterator<Item = TileMasters> + 'a, ApplyError> {
    check_weights(trainable, weights)?;
    let tiles = weights.as_chunks::<TILE_BYTES>().0;
    Ok(trainable.tensors().iter().flat_map(move |tensor| {
        let first = tensor.offset_tiles() as usize;
        let own = tiles.iter().skip(first).take(tensor.tiles() as usize);
        own.map(|tile| of_tile(tensor.kind(), tile))
    }))
}

/// The masters of a checkpoint that no update produced, from its weights.
///
/// # Errors
/// [`ApplyError::WeightsLength`] if these are not the weights of such an architecture.
pub fn from_weights(trainable: &Trainable, weights: &[u8]) -> Result<Vec<u8>, ApplyError> {
    let leaves = leaves(trainable, weights)?;
    let mut masters = Vec::with_capacity(trainable.masters_bytes() as usize);
    for leaf in leaves {
        masters.extend_from_slice(&to_bytes(&leaf));
    }
    Ok(masters)
}

/// Refuses weights of another length than the architecture's.
pub(crate) fn check_weights(trainable: &Trainable, weights: &[u8]) -> Result<(), ApplyError> {
    let (expected, found) = (trainable.weights_bytes(), weights.len() as u64);
    if found == expected {
        Ok(())
    } else {
        Err(ApplyError::WeightsLength { expected, found })
    }
}

/// The root over stored leaves: the tree of a checkpoint's weights, with 2,048 bytes a leaf.
pub fn masters_root(masters: &[u8]) -> H256 {
    join_roots(masters.chunks(RUN_LEAVES * LEAF_BYTES).map(run_root))
}

/// The root over an aligned run of [`RUN_LEAVES`] leaves, or fewer at the end; [`join_roots`] of
/// all runs is the root of the whole.
pub fn run_root(masters: &[u8]) -> H256 {
    merkle_root::<Blake2Hasher, _>(masters.chunks(LEAF_BYTES))
}

/// Scale and quants of 32 masters of a row.
pub fn requantise_row(masters: &[i32; TILE_COLUMNS]) -> (u16, [i8; TILE_COLUMNS]) {
    let magnitude = |master: i32| master.unsigned_abs().min(LINEAR_MAX as u32);
    let largest = masters.iter().fold(0, |a, &m| a.max(magnitude(m)));
    let scale = if largest == 0 {
        0
    } else {
        2 * largest / 255 + 1
    };
    let mut quants = [0; TILE_COLUMNS];
    if let Some(divisor) = NonZeroU32::new(2 * scale) {
        for (q, &master) in quants.iter_mut().zip(masters) {
            let nearest = ((2 * magnitude(master) + scale) / divisor) as i8;
            *q = if master < 0 { -nearest } else { nearest };
        }
    }
    (scale as u16, quants)
}

/// The tile of a linear tensor with these masters.
pub fn requantise(leaf: &TileMasters) -> Tile {
    let mut tile = [0; TILE_BYTES];
    for row in 0..TILE_ROWS {
        requantise_into(leaf, row, &mut tile);
    }
    tile
}

/// Replaces scale and quants of one row of a linear tensor's tile.
pub(crate) fn requantise_into(leaf: &TileMasters, row: usize, tile: &mut Tile) {
    let masters = core::array::from_fn(|k| leaf[quant_offset(row, k)]);
    let (scale, quants) = requantise_row(&masters);
    for (k, q) in quants.iter().enumerate() {
        tile[quant_offset(row, k)] = q.to_le_bytes()[0];
    }
    let at = TILE_QUANTS + row * 2;
    tile[at..at + 2].copy_from_slice(&scale.to_le_bytes());
}

/// Replaces gain `index` of a tile of gains.
pub(crate) fn set_gain(tile: &mut Tile, index: usize, gain: i32) {
    if let Some(stored) = tile.as_chunks_mut().0.get_mut(index) {
        *stored = gain.clamp(-GAIN_MAX, GAIN_MAX).to_le_bytes();
    }
}

/// Largest magnitude of a master of a tensor of `kind`.
pub(crate) const fn largest(kind: TensorKind) -> i32 {
    match kind {
        TensorKind::Gain { .. } => GAIN_MAX,
        _ => LINEAR_MAX,
    }
}

const _: () = assert!(TILE_GAINS <= TILE_COORDINATES);
