//! A trainer's method: on which shards it trains, and what it contributes.

use super::{TrainableCheckpoint, TrainingError};

/// The shards that are assigned in a round, as one of its trainers sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardAssignment<'a> {
    /// The shards of the trainer itself, by their places in the dataset.
    pub own: &'a [u32],
    /// The other trainers, as far as they are known, in the order in which they joined.
    pub others: Vec<OtherTrainer<'a>>,
    /// The number of shards in the dataset.
    pub dataset: u32,
}

/// Another trainer of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherTrainer<'a> {
    /// Its shards, by their places in the dataset.
    pub shards: &'a [u32],
    /// Whether it has committed to its contribution.
    pub has_committed: bool,
}

/// A trainer's method: on which shards it trains, and what it contributes. Without methods of its own, an
/// implementation trains on the assigned shards and contributes the update that training made.
///
/// A round assigns shards and rules on the effect of an update on the loss; how the update was made is the
/// trainer's own choice. A program that embeds a worker can replace [`PlainMethod`], for example to leave out
/// shards whose licence does not suit it, or to add noise to an update so that it reveals less of the data.
pub trait TrainingMethod: Send + Sync {
    /// The shards to train on, by their places in the dataset; `None` while it waits for other trainers. The
    /// same assignment must give the same shards: a trainer that restarts continues on them.
    fn shards(&self, assignment: &ShardAssignment<'_>) -> Option<Vec<u32>> {
        Some(assignment.own.to_vec())
    }

    /// The bytes to contribute, given `trained`, the update of `parent` that training made, with at most
    /// `entries` entries in a chunk.
    ///
    /// # Errors
    /// If they cannot be made.
    fn update(
        &self,
        parent: &TrainableCheckpoint,
        entries: u16,
        trained: Vec<u8>,
    ) -> Result<Vec<u8>, TrainingError> {
        let _ = (parent, entries);
        Ok(trained)
    }

    /// Whether to reveal a contribution after the commitment to it. A trainer that keeps its contribution
    /// back loses a part of its bond.
    fn reveals(&self) -> bool {
        true
    }
}

/// The method of `noema-worker`: nothing differs from the defaults of [`TrainingMethod`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlainMethod;

impl TrainingMethod for PlainMethod {}
