//! What a step reads: outputs of earlier steps, and leaves of files and trees that the statement names.

use crate::{
    compute::ComputeError,
    file,
    outputs::{Clipping, Fields, Header, MeanNorm, Norms, Reading, Sharing, SUM_BYTES},
    shape::{AggregateShape, AggregateStep, UPDATES_PART},
};
use alloc::{collections::BTreeSet, vec, vec::Vec};
use core::ops::Range;
use noema_numerics::tile::TILE_BYTES;
use noema_protocol::merkle::{self, Place};
use noema_update::{master::LEAF_BYTES, parts::CHUNK_BYTES_MAX, HEADER_BYTES};
use sp_core::H256;

/// What a step opens leaves of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OpenedTree {
    /// An update, by its index: 1,024 bytes a leaf.
    Update(usize),
    /// The masters of the parent.
    Masters,
    /// The tiles of the parent.
    Weights,
}

/// Leaves that a step opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafOpening {
    /// Of which tree.
    pub tree: OpenedTree,
    /// Which, ascending.
    pub leaves: Vec<u64>,
}

/// Where a step finds the bytes that it opens.
pub(crate) trait OpenedBytes {
    /// Bytes of an update, of the masters or of the weights of the parent.
    fn bytes(&self, tree: OpenedTree, range: Range<u64>) -> Option<Vec<u8>>;
}

impl AggregateShape<'_> {
    pub(crate) fn updates_of(&self, part: u64) -> Range<usize> {
        let count = self.execution.updates.len();
        let first = (part as usize).saturating_mul(UPDATES_PART).min(count);
        first..first.saturating_add(UPDATES_PART).min(count)
    }

    /// What a step reads of earlier steps, in the order in which it is computed from them; `None` where there is no such
    /// step.
    pub(crate) fn reads(&self, step: &AggregateStep) -> Option<Vec<AggregateStep>> {
        use AggregateStep as S;
        self.number(step)?;
        let last = self.execution.updates.len().checked_sub(1)?;
        let last_chunk = self.all_chunks().checked_sub(1)?;
        let last_part = self.parts.checked_sub(1)?;
        let before = |tile: u64, step: fn(u64) -> S| tile.checked_sub(1).map(step);
        Some(match *step {
            S::Header { update } => {
                let before = update.checked_sub(1);
                before
                    .map(|update| S::Header { update })
                    .into_iter()
                    .collect()
            }
            S::Read { update, chunk } => {
                let mut reads = vec![S::Header { update }, S::Header { update: last }];
                let before = chunk.checked_sub(1);
                reads.extend(before.map(|chunk| S::Read { update, chunk }));
                reads
            }
            S::Norms { update } => {
                let chunk = last_chunk;
                let mut reads = vec![S::Read { update, chunk }];
                let before = update.checked_sub(1);
                reads.extend(before.map(|update| S::Norms { update }));
                reads
            }
            S::Shared { chunk } => {
                let mut reads = vec![S::Read { update: 0, chunk }, S::Read { update: 1, chunk }];
                reads.extend(before(chunk, |chunk| S::Shared { chunk }));
                reads
            }
            S::Factor { .. } => vec![S::Norms { update: last }],
            S::Sum { tile, part } => {
                let (chunk, ..) = self.tile_place(tile)?;
                let updates = self.updates_of(part);
                let mut reads: Vec<S> = updates
                    .flat_map(|update| [S::Read { update, chunk }, S::Factor { update }])
                    .collect();
                let before = part.checked_sub(1);
                reads.extend(before.map(|part| S::Sum { tile, part }));
                reads
            }
            S::MeanNorm { tile } => {
                let part = last_part;
                let mut reads = vec![S::Sum { tile, part }, S::Header { update: last }];
                reads.extend(before(tile, |tile| S::MeanNorm { tile }));
                reads
            }
            S::Stretch => {
                let tile = self.trainable.tiles().checked_sub(1)?;
                vec![S::MeanNorm { tile }, S::Factor { update: last }]
            }
            S::Masters { tile } => {
                let part = last_part;
                vec![S::Sum { tile, part }, S::Stretch]
            }
            S::Tile { tile } => vec![S::Masters { tile }],
            S::MastersTree { tile } => {
                let mut reads = vec![S::Masters { tile }];
                reads.extend(before(tile, |tile| S::MastersTree { tile }));
                reads
            }
            S::WeightsTree { tile } => {
                let is_trained = tile < self.trainable.tiles();
                let own = is_trained.then_some(S::Tile { tile });
                let mut reads: Vec<S> = own.into_iter().collect();
                reads.extend(before(tile, |tile| S::WeightsTree { tile }));
                reads
            }
            S::Outcome => {
                let mut reads = vec![S::Norms { update: last }];
                let masters = S::MastersTree {
                    tile: self.trainable.tiles().checked_sub(1)?,
                };
                let weights = S::WeightsTree {
                    tile: self.all_tiles().checked_sub(1)?,
                };
                let ends = [S::Shared { chunk: last_chunk }, masters, weights];
                reads.extend(ends.into_iter().filter(|end| self.number(end).is_some()));
                reads
            }
        })
    }

    /// Bytes of the output of a step; `None` where there is no such step.
    pub fn output_bytes(&self, step: &AggregateStep) -> Option<usize> {
        use AggregateStep as S;
        self.number(step)?;
        Some(match *step {
            S::Header { .. } => Header::BYTES,
            S::Read { .. } => Reading::BYTES,
            S::Norms { update } => Norms::bytes(update + 1),
            S::Shared { .. } => Sharing::BYTES,
            S::Factor { .. } => Clipping::BYTES,
            S::Sum { .. } => SUM_BYTES,
            S::MeanNorm { .. } => MeanNorm::BYTES,
            S::Stretch => 8,
            S::Masters { .. } => LEAF_BYTES,
            S::Tile { .. } => TILE_BYTES,
            S::MastersTree { tile } | S::WeightsTree { tile } => {
                (tile + 1).count_ones() as usize * 32
            }
            S::Outcome => 1,
        })
    }

    /// The leaves that a step opens, given the outputs that it reads, as [`reads`](Self::reads) lists them.
    pub(crate) fn openings(
        &self,
        step: &AggregateStep,
        inputs: &[&[u8]],
    ) -> Result<Vec<LeafOpening>, ComputeError> {
        use AggregateStep as S;
        let one = |tree, leaf| LeafOpening {
            tree,
            leaves: vec![leaf],
        };
        let masters = |tile| self.masters_tree().map(|tree| one(tree, tile));
        Ok(match *step {
            S::Header { update } => {
                let bytes = 0..self.header_window();
                self.file_opening(update, &[bytes]).into_iter().collect()
            }
            S::Read { update, .. } => {
                let input = self.read_input(inputs)?;
                let opened = input.windows().map(|windows| {
                    let (entry, chunk) = windows;
                    self.file_opening(update, &[entry, chunk])
                });
                opened.flatten().into_iter().collect()
            }
            S::Sum { part, .. } => {
                self.chunk_openings(self.updates_of(part), inputs.iter().step_by(2))?
            }
            S::Shared { .. } => self.chunk_openings(0..2, inputs.iter())?,
            S::Masters { tile } => match masters(tile) {
                Some(opening) => vec![opening],
                None => vec![one(OpenedTree::Weights, tile)],
            },
            S::Tile { tile } => {
                let mut openings: Vec<LeafOpening> = masters(tile).into_iter().collect();
                openings.push(one(OpenedTree::Weights, tile));
                openings
            }
            S::WeightsTree { tile } if tile >= self.trainable.tiles() => {
                vec![one(OpenedTree::Weights, tile)]
            }
            S::Norms { .. }
            | S::Factor { .. }
            | S::MeanNorm { .. }
            | S::Stretch
            | S::MastersTree { .. }
            | S::WeightsTree { .. }
            | S::Outcome => vec![],
        })
    }

    /// The tree of the parent's masters, if it has one.
    fn masters_tree(&self) -> Option<OpenedTree> {
        self.parent.masters_root.map(|_| OpenedTree::Masters)
    }

    /// Bytes that hold the header of any update.
    pub(crate) fn header_window(&self) -> u64 {
        (HEADER_BYTES + 2 * self.trainable.tensors().len()) as u64
    }

    /// The leaves of updates that hold the chunks that these readings end with.
    fn chunk_openings<'i>(
        &self,
        updates: Range<usize>,
        readings: impl Iterator<Item = &'i &'i [u8]>,
    ) -> Result<Vec<LeafOpening>, ComputeError> {
        let mut openings = Vec::new();
        for (update, read) in updates.zip(readings) {
            let read = Reading::read(read).ok_or(ComputeError::Impossible)?;
            if read.changes {
                openings.extend(self.file_opening(update, &[window(read.start)]));
            }
        }
        Ok(openings)
    }

    /// The leaves of an update that hold these bytes, as far as they are in the file.
    fn file_opening(&self, update: usize, windows: &[Range<u64>]) -> Option<LeafOpening> {
        let bytes = u64::from(self.execution.updates.get(update)?.bytes);
        let mut leaves = BTreeSet::new();
        for window in windows {
            let end = window.end.min(bytes);
            if window.start < end {
                leaves.extend(window.start / file::LEAF..end.div_ceil(file::LEAF));
            }
        }
        (!leaves.is_empty()).then(|| LeafOpening {
            tree: OpenedTree::Update(update),
            leaves: leaves.into_iter().collect(),
        })
    }

    /// Leaves of a tree.
    pub(crate) fn leaves(&self, tree: OpenedTree) -> Option<u64> {
        Some(match tree {
            OpenedTree::Update(update) => {
                file::leaves(self.execution.updates.get(update)?.bytes.into())
            }
            OpenedTree::Masters => self.trainable.tiles(),
            OpenedTree::Weights => self.all_tiles(),
        })
    }

    /// The bytes of a leaf, counted from the first of its tree.
    pub(crate) fn leaf_range(&self, tree: OpenedTree, leaf: u64) -> Option<Range<u64>> {
        let of = |bytes: usize| {
            let start = leaf.checked_mul(bytes as u64)?;
            Some(start..start.checked_add(bytes as u64)?)
        };
        match tree {
            OpenedTree::Update(update) => {
                let bytes = self.execution.updates.get(update)?.bytes;
                Some(file::leaf_range(bytes.into(), leaf))
            }
            OpenedTree::Masters => of(LEAF_BYTES),
            OpenedTree::Weights => of(TILE_BYTES),
        }
    }

    /// The nodes that are missing to prove opened leaves; `None` where they are not leaves of their tree.
    pub fn missing(&self, opening: &LeafOpening) -> Option<Vec<Place>> {
        merkle::missing(self.leaves(opening.tree)?, &opening.leaves)
    }

    /// The numbers of the steps whose outputs a step reads, ascending; `None` where there is no such step.
    pub fn read_numbers(&self, step: &AggregateStep) -> Option<Vec<u64>> {
        let reads = self.reads(step)?;
        let numbers: Option<BTreeSet<u64>> = reads.iter().map(|step| self.number(step)).collect();
        Some(numbers?.into_iter().collect())
    }

    /// The places of the nodes of the trace that are missing to prove what a step reads; `None` where there is no such
    /// step.
    pub fn missing_outputs(&self, step: &AggregateStep) -> Option<Vec<Place>> {
        match self.read_numbers(step)?.as_slice() {
            [] => Some(vec![]),
            numbers => merkle::missing(self.steps(), numbers),
        }
    }

    /// The hash that the statement has of a tree.
    pub(crate) fn root_of(&self, tree: OpenedTree) -> Option<H256> {
        match tree {
            OpenedTree::Update(update) => Some(self.execution.updates.get(update)?.hash),
            OpenedTree::Masters => self.parent.masters_root,
            OpenedTree::Weights => Some(self.parent.weights_root),
        }
    }

    /// What reading a chunk goes on from.
    pub(crate) fn read_input(&self, inputs: &[&[u8]]) -> Result<ReadInput, ComputeError> {
        let [own, last, before @ ..] = inputs else {
            return Err(ComputeError::Missing);
        };
        let header = Header::read(own).ok_or(ComputeError::Impossible)?;
        let last = Header::read(last).ok_or(ComputeError::Impossible)?;
        let before = match before {
            [] => {
                let end = (HEADER_BYTES + 2 * usize::from(header.tensors)) as u64 * 8;
                Reading {
                    valid: header.valid,
                    bound: header.bound,
                    start: end,
                    end,
                    ..Reading::default()
                }
            }
            [before, ..] => Reading::read(before).ok_or(ComputeError::Impossible)?,
        };
        Ok(ReadInput {
            tensors: header.tensors,
            unit: last.unit(),
            before,
        })
    }
}

/// What reading a chunk goes on from.
pub(crate) struct ReadInput {
    /// Tensors that the update lists.
    pub(crate) tensors: u16,
    /// The exponent of the unit of norms.
    pub(crate) unit: i8,
    /// What was read before.
    pub(crate) before: Reading,
}

impl ReadInput {
    /// Where the file names the next tensor, and where its next chunk is; `None` if nothing is left to read.
    pub(crate) fn windows(&self) -> Option<(Range<u64>, Range<u64>)> {
        let before = &self.before;
        let is_left = before.valid && before.complete < self.tensors;
        is_left.then(|| {
            let entry = HEADER_BYTES as u64 + 2 * u64::from(before.complete);
            (entry..entry + 2, window(before.end))
        })
    }
}

/// The bytes that a chunk is in that begins at this bit.
pub(crate) const fn window(bit: u64) -> Range<u64> {
    let start = bit / 8;
    start..start.saturating_add(CHUNK_BYTES_MAX as u64)
}
