//! How rounds of training extend the lineage of checkpoints.

use noema_protocol::{apply, sent, CheckpointId, FamilyId, RoundId};
use serde::{Deserialize, Serialize};
use sp_core::H256;

/// A checkpoint made by a round of training.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
pub struct Trained {
    /// The round.
    pub round: RoundId,
    /// The Merkle root of the dataset.
    pub dataset: H256,
    /// The Merkle root of its master weights.
    pub masters_root: H256,
    /// The number of contributions in it.
    pub contributions: u32,
    /// The parent's loss on the evaluation shards, in units of 2^-16 bit.
    pub parent_loss: u64,
    /// Its own loss on them.
    pub loss: u64,
    /// The number of tokens over which these losses are summed.
    pub tokens: u64,
}

/// The operations of training on checkpoints.
pub trait Lineage<AccountId> {
    /// Why an operation is refused.
    type Error;

    /// The canonical checkpoint of a family.
    fn canonical(family: FamilyId) -> Option<CheckpointId>;

    /// The number of bonded operators that announced to hold the weights of `checkpoint`.
    fn holders(checkpoint: &CheckpointId) -> u32;

    /// Records `checkpoint` as an active child of `parent`, which is or was canonical. The id is the hash of
    /// the manifest, so a record that an account published under it either describes the same checkpoint or
    /// is false: it is replaced, and its deposit is released.
    ///
    /// # Errors
    /// Where the checkpoint is or was canonical, or another round recorded it.
    fn extend(
        parent: CheckpointId,
        checkpoint: CheckpointId,
        weights_root: H256,
        trained: Trained,
    ) -> Result<(), Self::Error>;

    /// Makes an active checkpoint the canonical one of its family.
    fn promote(family: FamilyId, checkpoint: CheckpointId) -> Result<(), Self::Error>;

    /// Removes a checkpoint that `round` recorded with [`Self::extend`] and that did not become
    /// canonical.
    fn discard(checkpoint: CheckpointId, round: RoundId);

    /// Registers a family with a canonical checkpoint.
    #[cfg(feature = "runtime-benchmarks")]
    fn with_canonical(checkpoint: CheckpointId) -> FamilyId;
}
