//! What a step computes, with the parts that aggregation is made of.

use crate::{
    outputs::{self, Clipping, Fields, Header, MeanNorm, Norms, Reading, Sharing},
    reads::{window, OpenedBytes, OpenedTree},
    shape::{AggregateShape, AggregateStep},
    AggregateResult,
};
use alloc::{vec, vec::Vec};
use codec::Encode;
use core::ops::Range;
use noema_numerics::tile::{Tile, TILE_BYTES};
use noema_protocol::{hashing::blake2_256, merkle};
use noema_update::{
    master::{self, TileMasters, LEAF_BYTES},
    parts::{self, Factor, Stretch},
    ChunkPlace, Entry, Limits, Overlap, Tensor, Update, CHUNK_TILES, TILE_COORDINATES,
};
use sp_core::H256;

/// Why a step cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ComputeError {
    /// What the step reads is not there.
    Missing,
    /// An input is not one that its own step can have written: that step is false.
    Impossible,
}

type Computed<T = Vec<u8>> = Result<T, ComputeError>;

/// The output of a step, from the outputs that it reads and the bytes that it opens.
pub(crate) fn compute(
    shape: &AggregateShape<'_>,
    step: &AggregateStep,
    inputs: &[&[u8]],
    opened: &impl OpenedBytes,
) -> Computed {
    let computation = Computation {
        shape,
        inputs,
        opened,
    };
    computation.run(step)
}

struct Computation<'a, B> {
    shape: &'a AggregateShape<'a>,
    inputs: &'a [&'a [u8]],
    opened: &'a B,
}

impl<B: OpenedBytes> Computation<'_, B> {
    fn run(&self, step: &AggregateStep) -> Computed {
        use AggregateStep as S;
        match *step {
            S::Header { update } => self.header(update),
            S::Read { update, chunk } => self.read(update, chunk),
            S::Norms { .. } => {
                let read: Reading = self.fields(0)?;
                let mut norms = match self.inputs.get(1) {
                    Some(before) => Norms::read(before).ok_or(ComputeError::Impossible)?,
                    None => Norms {
                        valid: true,
                        norms: Vec::new(),
                    },
                };
                norms.valid &= read.valid;
                norms.norms.push(read.norm);
                Ok(norms.write())
            }
            S::Shared { chunk } => self.shared(chunk),
            S::Factor { update } => {
                let norms = Norms::read(self.input(0)?).ok_or(ComputeError::Impossible)?;
                let own = norms.norms.get(update).ok_or(ComputeError::Missing)?;
                let median = parts::median(&norms.norms);
                let factor = Factor::new(*own, median).units();
                Ok(Clipping { median, factor }.encode())
            }
            S::Sum { tile, part } => self.sum(tile, part),
            S::MeanNorm { tile } => self.mean_norm(tile),
            S::Stretch => {
                let (mean, clipping): (MeanNorm, Clipping) = (self.fields(0)?, self.fields(1)?);
                let updates = self.shape.execution.updates.iter();
                let most = Stretch::most(updates.map(|update| update.weight));
                let stretch = most.from(mean.norm, clipping.median);
                Ok(stretch.units().to_le_bytes().into())
            }
            S::Masters { tile } => self.masters(tile),
            S::Tile { tile } => self.tile(tile),
            S::MastersTree { tile } => self.tree(tile, self.input(0)?, self.inputs.get(1)),
            S::WeightsTree { tile } if tile < self.shape.trainable.tiles() => {
                self.tree(tile, self.input(0)?, self.inputs.get(1))
            }
            S::WeightsTree { tile } => {
                self.tree(tile, &self.parent_tile(tile)?, self.inputs.first())
            }
            S::Outcome => self.outcome(),
        }
    }

    fn input(&self, index: usize) -> Computed<&[u8]> {
        self.inputs.get(index).copied().ok_or(ComputeError::Missing)
    }

    fn fields<T: Fields>(&self, index: usize) -> Computed<T> {
        T::read(self.input(index)?).ok_or(ComputeError::Impossible)
    }

    /// Bytes of an update, as far as it has them.
    fn file(&self, update: usize, window: Range<u64>) -> Computed {
        let found = self.shape.execution.updates.get(update);
        let bytes = u64::from(found.ok_or(ComputeError::Missing)?.bytes);
        let range = window.start.min(bytes)..window.end.min(bytes);
        let found = self.opened.bytes(OpenedTree::Update(update), range);
        found.ok_or(ComputeError::Missing)
    }

    fn exponent(&self, tensor: u16) -> i8 {
        let exponent = self.shape.parent.exponents.get(usize::from(tensor));
        exponent.copied().unwrap_or_default()
    }

    fn header(&self, update: usize) -> Computed {
        let before: Header = match self.inputs.first() {
            Some(before) => Header::read(before).ok_or(ComputeError::Impossible)?,
            None => Header::default(),
        };
        let bytes = self.file(update, 0..self.shape.header_window())?;
        let limits = Limits {
            bytes: usize::MAX,
            ..Limits::with_entries(self.shape.execution.entries)
        };
        let parent = self.shape.parent.id;
        let Ok(opened) = Update::open(&bytes, &self.shape.trainable, parent, limits) else {
            let header = Header {
                valid: false,
                bound: 0,
                tensors: 0,
                ..before
            };
            return Ok(header.encode());
        };
        let own = opened.tensors().map(|tensor| self.exponent(tensor)).max();
        let earlier = before.touches.then_some(before.exponent);
        let header = Header {
            valid: true,
            bound: opened.bound(),
            tensors: opened.tensors().len() as u16,
            touches: own.max(earlier).is_some(),
            exponent: own.max(earlier).unwrap_or_default(),
        };
        Ok(header.encode())
    }

    fn read(&self, update: usize, chunk: u64) -> Computed {
        let input = self.shape.read_input(self.inputs)?;
        let (place, tensor) = self.chunk(chunk)?;
        let mut read = Reading {
            changes: false,
            start: input.before.end,
            ..input.before
        };
        if let Some((entry, chunk)) = input.windows() {
            let listed = self.file(update, entry)?;
            let listed: [u8; 2] = listed.try_into().map_err(|_| ComputeError::Impossible)?;
            if u16::from_le_bytes(listed) == place.tensor {
                let bytes = self.file(update, chunk)?;
                self.read_chunk(place, tensor, &bytes, input.unit, &mut read);
            }
        }
        if chunk + 1 == self.shape.all_chunks() {
            let updates = &self.shape.execution.updates;
            let file = updates.get(update).ok_or(ComputeError::Missing)?.bytes;
            read.valid &= read.complete == input.tensors && read.end == u64::from(file) * 8;
        }
        Ok(read.encode())
    }

    fn chunk(&self, chunk: u64) -> Computed<(ChunkPlace, &Tensor)> {
        self.shape.chunk_place(chunk).ok_or(ComputeError::Missing)
    }

    /// Goes on with a chunk that is in the file.
    fn read_chunk(
        &self,
        place: ChunkPlace,
        tensor: &Tensor,
        bytes: &[u8],
        unit: i8,
        read: &mut Reading,
    ) {
        let mut entries = Vec::new();
        let bit = (read.end % 8) as u32;
        let bits = parts::read_chunk(tensor, place, read.bound, bytes, bit, &mut entries);
        let Ok(bits) = bits else {
            read.valid = false;
            return;
        };
        let squares = parts::squares(entries.iter().map(|entry| entry.value));
        let squares = parts::in_unit(squares, unit, self.exponent(place.tensor));
        read.norm = read.norm.wrapping_add(squares);
        read.changes = !entries.is_empty();
        read.touched |= read.changes;
        read.end = read.end.saturating_add(bits);
        if place.chunk + 1 == tensor.chunks() {
            read.valid = read.touched;
            read.touched = false;
            read.complete = read.complete.saturating_add(1);
        }
    }

    /// The entries of a chunk that was read, and has some.
    fn entries(
        &self,
        update: usize,
        read: &Reading,
        place: ChunkPlace,
        tensor: &Tensor,
        entries: &mut Vec<Entry>,
    ) -> Computed<()> {
        let bytes = self.file(update, window(read.start))?;
        let bit = (read.start % 8) as u32;
        let found = parts::read_chunk(tensor, place, read.bound, &bytes, bit, entries);
        found.map(|_| ()).map_err(|_| ComputeError::Impossible)
    }

    fn shared(&self, chunk: u64) -> Computed {
        let (place, tensor) = self.chunk(chunk)?;
        let before: Sharing = match self.inputs.get(2) {
            Some(before) => Sharing::read(before).ok_or(ComputeError::Impossible)?,
            None => Sharing::default(),
        };
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (update, entries) in [&mut first, &mut second].into_iter().enumerate() {
            let read: Reading = self.fields(update)?;
            if read.changes {
                self.entries(update, &read, place, tensor, entries)?;
            }
        }
        let shared = parts::shared_of(&first, &second);
        let sharing = Sharing {
            shared: before.shared.saturating_add(shared),
            first: before.first.saturating_add(first.len() as u64),
            second: before.second.saturating_add(second.len() as u64),
        };
        Ok(sharing.encode())
    }

    fn sum(&self, tile: u64, part: u64) -> Computed {
        let found = self.shape.tile_place(tile);
        let (chunk, _, _, at) = found.ok_or(ComputeError::Missing)?;
        let (place, tensor) = self.chunk(chunk)?;
        let updates = self.shape.updates_of(part);
        let mut sums = match self.inputs.get(2 * updates.len()) {
            Some(before) => outputs::read_sums(before).ok_or(ComputeError::Impossible)?,
            None => [0; TILE_COORDINATES],
        };
        let first = at * TILE_COORDINATES;
        let mut entries = Vec::new();
        for (update, inputs) in updates.zip(self.inputs.chunks(2)) {
            let [read, clipping] = inputs else {
                return Err(ComputeError::Missing);
            };
            let read = Reading::read(read).ok_or(ComputeError::Impossible)?;
            if !read.changes {
                continue;
            }
            let clipping = Clipping::read(clipping).ok_or(ComputeError::Impossible)?;
            let factor = Factor::from_units(clipping.factor).ok_or(ComputeError::Impossible)?;
            let weight = self.shape.execution.updates.get(update);
            let weight = i64::from(weight.ok_or(ComputeError::Missing)?.weight);
            self.entries(update, &read, place, tensor, &mut entries)?;
            for entry in &entries {
                let index = usize::from(entry.index).checked_sub(first);
                if let Some(sum) = index.and_then(|index| sums.get_mut(index)) {
                    let change = weight * i64::from(factor.of(entry.value));
                    *sum = sum.wrapping_add(change);
                }
            }
        }
        Ok(outputs::write_sums(&sums))
    }

    /// The changes of a tile under a factor that stretches the mean.
    fn changes(&self, sums: &[u8], stretch: Stretch) -> Computed<[i32; TILE_COORDINATES]> {
        let sums = outputs::read_sums(sums).ok_or(ComputeError::Impossible)?;
        let updates = self.shape.execution.updates.iter();
        // `AggregateShape::new` refuses others.
        let total = updates.fold(0u32, |total, update| total.saturating_add(update.weight));
        Ok(sums.map(|sum| match sum {
            0 => 0,
            sum => stretch.mean(sum, total),
        }))
    }

    fn mean_norm(&self, tile: u64) -> Computed {
        let place = self.shape.tile_place(tile);
        let (_, tensor_index, tensor, at) = place.ok_or(ComputeError::Missing)?;
        let header: Header = self.fields(1)?;
        let before: MeanNorm = match self.inputs.get(2) {
            Some(before) => MeanNorm::read(before).ok_or(ComputeError::Impossible)?,
            None => MeanNorm::default(),
        };
        let changes = self.changes(self.input(0)?, Stretch::ONE)?;
        let open = before
            .open
            .wrapping_add(parts::squares(changes.into_iter()));
        let is_last = at + 1 == CHUNK_TILES || tile + 1 == tensor.offset_tiles() + tensor.tiles();
        let mean = match is_last {
            true => {
                let exponent = self.exponent(tensor_index);
                let chunk = parts::in_unit(open, header.unit(), exponent);
                MeanNorm {
                    norm: before.norm.wrapping_add(chunk),
                    open: 0,
                }
            }
            false => MeanNorm { open, ..before },
        };
        Ok(mean.encode())
    }

    fn parent_tile(&self, tile: u64) -> Computed<Tile> {
        let range = self.shape.leaf_range(OpenedTree::Weights, tile);
        let range = range.ok_or(ComputeError::Missing)?;
        let bytes = self.opened.bytes(OpenedTree::Weights, range);
        let tile: Option<[u8; TILE_BYTES]> = bytes.and_then(|bytes| bytes.try_into().ok());
        tile.ok_or(ComputeError::Missing)
    }

    fn parent_masters(&self, tile: u64, tensor: &Tensor) -> Computed<TileMasters> {
        if self.shape.parent.masters_root.is_none() {
            return Ok(master::of_tile(tensor.kind(), &self.parent_tile(tile)?));
        }
        let range = self.shape.leaf_range(OpenedTree::Masters, tile);
        let range = range.ok_or(ComputeError::Missing)?;
        let bytes = self.opened.bytes(OpenedTree::Masters, range);
        let leaf: Option<[u8; LEAF_BYTES]> = bytes.and_then(|bytes| bytes.try_into().ok());
        Ok(master::from_bytes(&leaf.ok_or(ComputeError::Missing)?))
    }

    fn masters(&self, tile: u64) -> Computed {
        let found = self.shape.tile_place(tile);
        let (_, _, tensor, _) = found.ok_or(ComputeError::Missing)?;
        let stretch = self.input(1)?.try_into().map(u64::from_le_bytes);
        let stretch = stretch.ok().and_then(Stretch::from_units);
        let stretch = stretch.ok_or(ComputeError::Impossible)?;
        let changes = self.changes(self.input(0)?, stretch)?;
        let mut leaf = self.parent_masters(tile, tensor)?;
        parts::add_changes(tensor.kind(), &changes, &mut leaf);
        Ok(master::to_bytes(&leaf).into())
    }

    fn tile(&self, index: u64) -> Computed {
        let found = self.shape.tile_place(index);
        let (_, _, tensor, _) = found.ok_or(ComputeError::Missing)?;
        let after = outputs::read_leaf(self.input(0)?).ok_or(ComputeError::Impossible)?;
        let after = master::from_bytes(after);
        let before = self.parent_masters(index, tensor)?;
        let mut tile = self.parent_tile(index)?;
        parts::requantise_changed(tensor.kind(), &before, &after, &mut tile);
        Ok(tile.into())
    }

    /// A tree with one leaf more.
    fn tree(&self, earlier: u64, leaf: &[u8], before: Option<&&[u8]>) -> Computed {
        let mut peaks = before.map_or_else(Vec::new, |before| outputs::read_peaks(before));
        let added = merkle::add_to_peaks(&mut peaks, earlier, blake2_256(leaf));
        added.ok_or(ComputeError::Missing)?;
        Ok(outputs::write_peaks(&peaks))
    }

    fn outcome(&self) -> Computed {
        let norms = Norms::read(self.input(0)?).ok_or(ComputeError::Impossible)?;
        let holds = match self.shape.execution.result {
            AggregateResult::Malformed => !norms.valid,
            AggregateResult::Overlap { most, exceeds } => {
                let sharing: Sharing = self.fields(1)?;
                let (first, second) = (sharing.first, sharing.second);
                // No two updates share more than a checkpoint has coordinates.
                if sharing.shared > first.min(second) || first.max(second) >> 42 > 0 {
                    return Err(ComputeError::Impossible);
                }
                let overlap = Overlap {
                    shared: sharing.shared,
                    smaller: first.min(second),
                    larger: first.max(second),
                };
                norms.valid && (overlap.permill() > most) == exceeds
            }
            AggregateResult::Checkpoint {
                weights_root,
                masters_root,
            } => {
                let root = |index| -> Computed<Option<H256>> {
                    let peaks = outputs::read_peaks(self.input(index)?);
                    Ok(merkle::root_of_peaks(&peaks))
                };
                norms.valid && root(1)? == Some(masters_root) && root(2)? == Some(weights_root)
            }
        };
        Ok(vec![holds.into()])
    }
}
