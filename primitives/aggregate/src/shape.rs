//! The list of steps: which there are, in which order, for an architecture and a number of updates.

use crate::{AggregateError, AggregateExecution, AggregateResult, TrainedParent};
use alloc::vec::Vec;
use core::fmt;
use noema_numerics::tile::TILE_BYTES;
use noema_protocol::merkle;
use noema_update::{ChunkPlace, Tensor, Trainable, CHUNK_TILES, MAX_UPDATES};
use sp_core::H256;

/// Updates that one step adds to the sums of a tile.
pub const UPDATES_PART: usize = 4;

/// One step of the trace of an aggregate. Tiles are counted in the checkpoint, chunks in all trainable tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AggregateStep {
    /// Reads the header of an update.
    Header {
        /// The update.
        update: usize,
    },
    /// Reads an update up to the end of a chunk: whether it is well-formed, its squared norm, where the chunk is.
    Read {
        /// The update.
        update: usize,
        /// The chunk.
        chunk: u64,
    },
    /// Lists the squared norms up to that of an update.
    Norms {
        /// The update.
        update: usize,
    },
    /// What two updates share up to a chunk.
    Shared {
        /// The chunk.
        chunk: u64,
    },
    /// The median of all squared norms, and the factor that clips an update.
    Factor {
        /// The update.
        update: usize,
    },
    /// The weighted sums of a tile up to some of the updates.
    Sum {
        /// The tile.
        tile: u64,
        /// Which of the updates: [`UPDATES_PART`] a part.
        part: u64,
    },
    /// The squared norm of the mean up to a tile.
    MeanNorm {
        /// The tile.
        tile: u64,
    },
    /// The factor that stretches the mean.
    Stretch,
    /// The new masters of a tile.
    Masters {
        /// The tile.
        tile: u64,
    },
    /// A new tile.
    Tile {
        /// The tile.
        tile: u64,
    },
    /// The tree of the new masters up to a tile's.
    MastersTree {
        /// The tile.
        tile: u64,
    },
    /// The tree of the new tiles up to one of them, those of the rotation table included.
    WeightsTree {
        /// The tile.
        tile: u64,
    },
    /// Whether the statement is true.
    Outcome,
}

impl AggregateStep {
    /// The name of what it computes.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Header { .. } => "header",
            Self::Read { .. } => "read",
            Self::Norms { .. } => "norms",
            Self::Shared { .. } => "shared",
            Self::Factor { .. } => "factor",
            Self::Sum { .. } => "sum",
            Self::MeanNorm { .. } => "mean norm",
            Self::Stretch => "stretch",
            Self::Masters { .. } => "masters",
            Self::Tile { .. } => "tile",
            Self::MastersTree { .. } => "masters tree",
            Self::WeightsTree { .. } => "weights tree",
            Self::Outcome => "aggregate outcome",
        }
    }
}

impl fmt::Display for AggregateStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Runs of steps of the same kinds, in their order: numbers of the steps before each, and of all.
#[derive(Clone, Copy, Debug)]
struct Starts {
    reads: u64,
    norms: u64,
    shared: u64,
    factors: u64,
    sums: u64,
    stretch: u64,
    tiles: u64,
    rotations: u64,
    outcome: u64,
}

/// The list of steps of a trace.
///
/// The updates are read one after another. For a checkpoint there come, for each tile, its sums; then, for each tile, its
/// new masters, itself, and the trees of both. For an overlap there comes what is shared, for each chunk. A trace has less than 2^42 steps.
#[derive(Clone, Debug)]
pub struct AggregateShape<'a> {
    pub(crate) parent: TrainedParent<'a>,
    pub(crate) execution: AggregateExecution<'a>,
    pub(crate) trainable: Trainable,
    /// Chunks of the tensors before each, and of all.
    chunks: Vec<u64>,
    /// Parts of the updates.
    pub(crate) parts: u64,
    starts: Starts,
}

/// Steps of a tile after the stretching.
const TILE_STEPS: u64 = 4;

impl<'a> AggregateShape<'a> {
    /// The steps of the aggregation of updates.
    ///
    /// # Errors
    /// See [`AggregateError`].
    pub fn new(
        parent: TrainedParent<'a>,
        execution: AggregateExecution<'a>,
    ) -> Result<Self, AggregateError> {
        let trainable =
            Trainable::new(parent.architecture).map_err(AggregateError::Architecture)?;
        // The rotation table has an exponent, too.
        let (found, expected) = (parent.exponents.len(), trainable.tensors().len() + 1);
        if found != expected {
            return Err(AggregateError::Exponents { found, expected });
        }
        let count = execution.updates.len();
        let is_overlap = matches!(execution.result, AggregateResult::Overlap { .. });
        if !(1..=MAX_UPDATES).contains(&count) || (is_overlap && count != 2) {
            return Err(AggregateError::Updates(count));
        }
        let weights = || execution.updates.iter().map(|update| update.weight);
        let total = weights().try_fold(0u32, u32::checked_add);
        if total.is_none() || weights().any(|weight| weight == 0) {
            return Err(AggregateError::Weights);
        }
        let mut chunks = Vec::with_capacity(expected);
        let mut all = 0u64;
        for tensor in trainable.tensors() {
            chunks.push(all);
            all += u64::from(tensor.chunks());
        }
        chunks.push(all);
        let parts = count.div_ceil(UPDATES_PART) as u64;
        let mut shape = Self {
            parent,
            execution,
            trainable,
            chunks,
            parts,
            starts: Starts {
                reads: 0,
                norms: 0,
                shared: 0,
                factors: 0,
                sums: 0,
                stretch: 0,
                tiles: 0,
                rotations: 0,
                outcome: 0,
            },
        };
        shape.starts = shape.count();
        Ok(shape)
    }

    fn count(&self) -> Starts {
        let updates = self.execution.updates.len() as u64;
        let tiles = self.trainable.tiles();
        let reads = updates;
        let norms = reads + updates * self.all_chunks();
        let shared = norms + updates;
        // Of malformed updates nothing is made.
        let (is_made, is_overlap) = match self.execution.result {
            AggregateResult::Checkpoint { .. } => (1, 0),
            AggregateResult::Malformed => (0, 0),
            AggregateResult::Overlap { .. } => (0, 1),
        };
        let factors = shared + is_overlap * self.all_chunks();
        let sums = factors + is_made * updates;
        let stretch = sums + is_made * tiles * (self.parts + 1);
        let tiles_start = stretch + is_made;
        let rotations = tiles_start + is_made * tiles * TILE_STEPS;
        Starts {
            reads,
            norms,
            shared,
            factors,
            sums,
            stretch,
            tiles: tiles_start,
            rotations,
            outcome: rotations + is_made * (self.all_tiles() - tiles),
        }
    }

    /// Chunks of all trainable tensors.
    pub(crate) fn all_chunks(&self) -> u64 {
        self.chunks.last().copied().unwrap_or(0)
    }

    /// Tiles of the checkpoint, those of the rotation table included.
    pub(crate) const fn all_tiles(&self) -> u64 {
        self.trainable.weights_bytes() / TILE_BYTES as u64
    }

    /// The tensor of a chunk, and the chunk in it.
    pub(crate) fn chunk_place(&self, chunk: u64) -> Option<(ChunkPlace, &Tensor)> {
        let after = self.chunks.partition_point(|before| *before <= chunk);
        let index = after.checked_sub(1)?;
        let tensor = self.trainable.tensors().get(index)?;
        let place = ChunkPlace {
            tensor: u16::try_from(index).ok()?,
            chunk: u32::try_from(chunk - self.chunks.get(index)?).ok()?,
        };
        Some((place, tensor))
    }

    /// The chunk of a tile, the tensor of both with its index, and the place of the tile in the chunk.
    pub(crate) fn tile_place(&self, tile: u64) -> Option<(u64, u16, &Tensor, usize)> {
        let (index, tensor) = self.trainable.tensor_of_tile(tile)?;
        let own = tile - tensor.offset_tiles();
        let chunk = self.chunks.get(usize::from(index))? + own / CHUNK_TILES as u64;
        Some((chunk, index, tensor, (own % CHUNK_TILES as u64) as usize))
    }

    /// Number of steps.
    pub const fn steps(&self) -> u64 {
        self.starts.outcome + 1
    }

    /// The number of a step; `None` where there is no such step.
    pub fn number(&self, step: &AggregateStep) -> Option<u64> {
        use AggregateStep as S;
        let starts = self.starts;
        let tiles = self.trainable.tiles();
        let is_made = starts.outcome > starts.factors;
        let of_update = |start: u64, update: usize| {
            (update < self.execution.updates.len()).then(|| start + update as u64)
        };
        let of_tile = |tile: u64, steps: u64, start: u64, offset: u64| {
            (is_made && tile < tiles).then(|| start + tile * steps + offset)
        };
        match *step {
            S::Header { update } => of_update(0, update),
            S::Read { update, chunk } => {
                let chunks = self.all_chunks();
                let before = of_update(0, update)?.checked_mul(chunks)?;
                (chunk < chunks).then(|| starts.reads + before + chunk)
            }
            S::Norms { update } => of_update(starts.norms, update),
            S::Shared { chunk } => {
                let is_step = chunk < starts.factors - starts.shared;
                is_step.then(|| starts.shared + chunk)
            }
            S::Factor { update } => of_update(starts.factors, update).filter(|_| is_made),
            S::Sum { tile, part } => {
                let part = (part < self.parts).then_some(part)?;
                of_tile(tile, self.parts + 1, starts.sums, part)
            }
            S::MeanNorm { tile } => of_tile(tile, self.parts + 1, starts.sums, self.parts),
            S::Stretch => is_made.then_some(starts.stretch),
            S::Masters { tile } => of_tile(tile, TILE_STEPS, starts.tiles, 0),
            S::Tile { tile } => of_tile(tile, TILE_STEPS, starts.tiles, 1),
            S::MastersTree { tile } => of_tile(tile, TILE_STEPS, starts.tiles, 2),
            S::WeightsTree { tile } => match tile.checked_sub(tiles) {
                None => of_tile(tile, TILE_STEPS, starts.tiles, 3),
                Some(rotation) => {
                    let is_step = is_made && tile < self.all_tiles();
                    is_step.then(|| starts.rotations + rotation)
                }
            },
            S::Outcome => Some(starts.outcome),
        }
    }

    /// The step with a number; `None` beyond the last.
    pub fn step(&self, number: u64) -> Option<AggregateStep> {
        use AggregateStep as S;
        let starts = self.starts;
        let update = |first: u64| usize::try_from(number - first).ok();
        Some(if number < starts.reads {
            S::Header { update: update(0)? }
        } else if number < starts.norms {
            let (index, chunks) = (number - starts.reads, self.all_chunks());
            S::Read {
                update: usize::try_from(index.checked_div(chunks)?).ok()?,
                chunk: index % chunks,
            }
        } else if number < starts.shared {
            S::Norms {
                update: update(starts.norms)?,
            }
        } else if number < starts.factors {
            S::Shared {
                chunk: number - starts.shared,
            }
        } else if number < starts.sums {
            S::Factor {
                update: update(starts.factors)?,
            }
        } else if number < starts.stretch {
            let (index, steps) = (number - starts.sums, self.parts + 1);
            let (tile, part) = (index / steps, index % steps);
            match part == self.parts {
                true => S::MeanNorm { tile },
                false => S::Sum { tile, part },
            }
        } else if number < starts.tiles {
            S::Stretch
        } else if number < starts.rotations {
            let index = number - starts.tiles;
            let tile = index / TILE_STEPS;
            match index % TILE_STEPS {
                0 => S::Masters { tile },
                1 => S::Tile { tile },
                2 => S::MastersTree { tile },
                _ => S::WeightsTree { tile },
            }
        } else if number < starts.outcome {
            S::WeightsTree {
                tile: self.trainable.tiles() + (number - starts.rotations),
            }
        } else if number == starts.outcome {
            S::Outcome
        } else {
            return None;
        })
    }

    /// Most rows of nodes that a claimant has to show until a step is found, if each is `bits` rows of the tree below the
    /// one before it.
    pub fn rows_shown(&self, bits: u32) -> u32 {
        merkle::height(self.steps()).div_ceil(bits.max(1))
    }

    /// The leaf that the last step has where the statement is true.
    pub fn outcome() -> H256 {
        noema_trace::leaf(&[1])
    }
}
