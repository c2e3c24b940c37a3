//! The weighted mean of updates, and the checkpoint that results from it.
//!
//! # Formula
//! With `d'_i` the clipped change of a coordinate by update `i` (0 if none), `w_i` its weight, and `g` the
//! stretch of the mean, in units of 2^-32:
//! ```text
//! T = Σ_i w_i * d'_i       W = Σ_i w_i
//! change = sign(T) * ⌊(2 g |T| + 2^32 W) / (2^33 W)⌋   nearest, halves away from zero; at most 2^31 - 1
//! m'     = clamp(m + change)                           to the range of the master
//! ```
//! Blocks (32 masters of a row, or one gain) of which a master changed are requantised.
//!
//! # Bounds
//! |d'| ≤ 2^31 - 2 and W < 2^32: |T| < 2^63. g ≤ 2^37, so 2 g |T| < 2^101.

use crate::{
    clip::{Clip, Factor},
    error::{ApplyError, ChunkPlace},
    master::{self, StoredTileMasters, TileMasters},
    norm::Scale,
    reader::Reader,
    shape::{Tensor, Trainable, CHUNK_COORDINATES, CHUNK_TILES, TILE_COORDINATES},
    stretch::Stretch,
    update::Update,
};
use alloc::{boxed::Box, vec, vec::Vec};
use core::ops::{AddAssign, Range};
use noema_numerics::{
    layout::TensorKind,
    tile::{Tile, TILE_BYTES, TILE_ROWS},
};

/// Most updates that are applied together.
pub const MAX_UPDATES: usize = 1_024;

/// The effect of applying updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Masters that changed.
    pub masters: u64,
    /// Tiles of which a byte may have changed.
    pub tiles: u64,
}

impl AddAssign for Applied {
    fn add_assign(&mut self, other: Self) {
        self.masters += other.masters;
        self.tiles += other.tiles;
    }
}

/// Applies `updates`, each with its weight, to a checkpoint's `masters` and `weights` in place.
///
/// `exponents` has one for each tensor of the checkpoint, in canonical order. The result does not depend on
/// the order of the updates. No update counts for more than one as large as the median, and together they
/// move the checkpoint at most about as far as that one would.
///
/// # Errors
/// See [`ApplyError`]; in that case nothing is changed.
pub fn apply(
    updates: &[(Update<'_>, u32)],
    exponents: &[i8],
    masters: &mut [u8],
    weights: &mut [u8],
) -> Result<Applied, ApplyError> {
    let mut sums = Sums::new(updates, exponents)?;
    let trainable = sums.trainable;
    master::check_weights(trainable, weights)?;
    if masters.len() as u64 != trainable.masters_bytes() {
        return Err(ApplyError::MastersLength {
            expected: trainable.masters_bytes(),
            found: masters.len() as u64,
        });
    }

    let leaves = masters.as_chunks_mut().0;
    let tiles = weights.as_chunks_mut().0;
    let mut applied = Applied::default();
    while let Some(sum) = sums.next()? {
        let Range { start, end } = sum.tiles();
        let range = start as usize..end as usize;
        // Both have been measured above, so both ranges exist.
        if let (Some(leaves), Some(tiles)) = (leaves.get_mut(range.clone()), tiles.get_mut(range)) {
            applied += sum.apply(leaves, tiles);
        }
    }
    Ok(applied)
}

/// One of the updates that are averaged.
#[derive(Clone, Debug)]
struct Part<'a> {
    reader: Reader<'a>,
    weight: u32,
    factor: Factor,
}

/// The weighted mean of updates, chunk by chunk.
#[derive(Clone, Debug)]
pub struct Sums<'a> {
    trainable: &'a Trainable,
    parts: Vec<Part<'a>>,
    /// W
    total: u32,
    stretch: Stretch,
    /// T of each coordinate of a chunk.
    sums: Box<[i64]>,
    changes: Box<[i32]>,
}

impl<'a> Sums<'a> {
    /// The mean of `updates`, each with its weight, which are read to their ends. `exponents` as for
    /// [`apply`].
    ///
    /// # Errors
    /// If there are too few or too many updates, a weight is zero, the weights are too large, the
    /// updates are not of one checkpoint or one is malformed, or the exponents are of another
    /// checkpoint.
    pub fn new(updates: &[(Update<'a>, u32)], exponents: &[i8]) -> Result<Self, ApplyError> {
        let (first, _) = updates.first().ok_or(ApplyError::NoUpdates)?;
        if updates.len() > MAX_UPDATES {
            return Err(ApplyError::TooManyUpdates(updates.len()));
        }
        let mut total = 0u32;
        for (index, (update, weight)) in updates.iter().enumerate() {
            if *weight == 0 {
                return Err(ApplyError::ZeroWeight { update: index });
            }
            total = total
                .checked_add(*weight)
                .ok_or(ApplyError::WeightsTooLarge)?;
            if update.parent() != first.parent() || update.trainable() != first.trainable() {
                return Err(ApplyError::OtherParent { update: index });
            }
        }
        // The rotation table has an exponent, too.
        let expected = first.trainable().tensors().len() + 1;
        if exponents.len() != expected {
            return Err(ApplyError::ExponentsLength {
                expected,
                found: exponents.len(),
            });
        }
        let scale = Scale::new(updates, exponents);
        let Clip { median, factors } = Clip::of(updates, &scale)?;
        let parts = updates.iter().zip(factors);
        let parts = parts.map(|((update, weight), factor)| Part {
            reader: update.reader(),
            weight: *weight,
            factor,
        });
        let mut sums = Self {
            trainable: first.trainable(),
            parts: parts.collect(),
            total,
            stretch: Stretch::ONE,
            sums: vec![0; CHUNK_COORDINATES].into(),
            changes: vec![0; CHUNK_COORDINATES].into(),
        };
        let most = Stretch::most(updates.iter().map(|(_, weight)| *weight));
        if most != Stretch::ONE {
            sums.stretch = most.from(sums.clone().squared_norm(&scale)?, median);
        }
        Ok(sums)
    }

    /// The squared norm of the mean.
    fn squared_norm(mut self, scale: &Scale<'_>) -> Result<u128, ApplyError> {
        let mut norm = 0;
        while let Some(sum) = self.next()? {
            norm += scale.squared_norm(sum.place.tensor, sum.changes.iter().copied());
        }
        Ok(norm)
    }

    /// The next chunk of a tensor that any update touches; `None` after the last.
    ///
    /// # Errors
    /// None after [`new`](Self::new), which has read all updates.
    #[allow(clippy::should_implement_trait)] // the sum borrows its buffer
    pub fn next(&mut self) -> Result<Option<Sum<'_>>, ApplyError> {
        let places = self.parts.iter().filter_map(|part| part.reader.place());
        let place = places.min();
        self.sums.fill(0);
        for (update, part) in self.parts.iter_mut().enumerate() {
            if part.reader.place() != place {
                continue;
            }
            let chunk = part.reader.next();
            let chunk = chunk.map_err(|error| ApplyError::Decode { update, error })?;
            for entry in chunk.iter().flat_map(|chunk| chunk.entries) {
                if let Some(sum) = self.sums.get_mut(usize::from(entry.index)) {
                    *sum += i64::from(part.weight) * i64::from(part.factor.of(entry.value));
                }
            }
        }
        let Some((place, tensor)) =
            place.and_then(|place| Some((place, *self.trainable.tensor(place.tensor)?)))
        else {
            return Ok(None);
        };
        for (change, &sum) in self.changes.iter_mut().zip(&self.sums) {
            // Most sums are 0.
            *change = match sum {
                0 => 0,
                sum => self.stretch.mean(sum, self.total),
            };
        }
        let length = tensor.chunk_coordinates(place.chunk);
        Ok(Some(Sum {
            place,
            tensor,
            changes: self.changes.get(..length).unwrap_or_default(),
        }))
    }
}

/// The weighted mean of updates over one chunk.
#[derive(Clone, Copy, Debug)]
pub struct Sum<'s> {
    place: ChunkPlace,
    tensor: Tensor,
    changes: &'s [i32],
}

impl Sum<'_> {
    /// Its place.
    pub const fn place(&self) -> ChunkPlace {
        self.place
    }

    /// The change to add to each master of the chunk.
    pub const fn changes(&self) -> &[i32] {
        self.changes
    }

    /// Indices, in the checkpoint, of the chunk's tiles and leaves.
    pub const fn tiles(&self) -> Range<u64> {
        let start = self.tensor.offset_tiles() + self.place.chunk as u64 * CHUNK_TILES as u64;
        start..start + self.tensor.chunk_tiles(self.place.chunk) as u64
    }

    /// Changes the chunk's leaves and tiles, those that [`tiles`](Self::tiles) names.
    ///
    /// # Panics
    /// When there are more or fewer of them.
    pub fn apply(
        &self,
        leaves: &mut [StoredTileMasters],
        tiles: &mut [[u8; TILE_BYTES]],
    ) -> Applied {
        let expected = self.tensor.chunk_tiles(self.place.chunk);
        assert_eq!(
            (leaves.len(), tiles.len()),
            (expected, expected),
            "the chunk's"
        );
        let mut applied = Applied::default();
        let changes = self.changes.as_chunks::<TILE_COORDINATES>().0;
        for (changes, (leaf, tile)) in changes.iter().zip(leaves.iter_mut().zip(tiles)) {
            if changes.iter().all(|&change| change == 0) {
                continue;
            }
            let masters = apply_tile(self.tensor.kind(), changes, leaf, tile);
            let tiles = u64::from(masters > 0);
            applied += Applied { masters, tiles };
        }
        applied
    }
}

/// Changes the masters of a tile and requantises the affected blocks; returns the number of masters that
/// changed.
fn apply_tile(
    kind: TensorKind,
    changes: &[i32; TILE_COORDINATES],
    stored: &mut StoredTileMasters,
    tile: &mut Tile,
) -> u64 {
    let before: TileMasters = master::from_bytes(stored);
    let mut after = before;
    let changed = add_changes(kind, changes, &mut after);
    if changed > 0 {
        requantise_changed(kind, &before, &after, tile);
        *stored = master::to_bytes(&after);
    }
    changed
}

/// Adds changes to the masters of a tile of a tensor of `kind`, clamped to their range; returns the number of masters
/// that changed.
pub fn add_changes(
    kind: TensorKind,
    changes: &[i32; TILE_COORDINATES],
    leaf: &mut TileMasters,
) -> u64 {
    let limit = i64::from(master::largest(kind));
    let mut changed = 0;
    for (m, &change) in leaf.iter_mut().zip(changes) {
        // A master outside the range stays where nothing is added to it.
        if change != 0 {
            let before = *m;
            *m = (i64::from(before) + i64::from(change)).clamp(-limit, limit) as i32;
            changed += u64::from(*m != before);
        }
    }
    changed
}

/// Requantises the blocks of a tile of which a master changed: the tile had the masters `before` and has `after`.
pub fn requantise_changed(
    kind: TensorKind,
    before: &TileMasters,
    after: &TileMasters,
    tile: &mut Tile,
) {
    let mut rows = [false; TILE_ROWS];
    let pairs = before.iter().zip(after).enumerate();
    for (index, (_, m)) in pairs.filter(|(_, (before, after))| before != after) {
        match kind {
            TensorKind::Gain { .. } => master::set_gain(tile, index, *m),
            // The order of a tile is `[k / 4][row][k % 4]`.
            _ => rows[index / 4 % TILE_ROWS] = true,
        }
    }
    for (row, _) in rows.iter().enumerate().filter(|(_, changed)| **changed) {
        master::requantise_into(after, row, tile);
    }
}
