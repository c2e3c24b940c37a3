//! The rules that a programme fixes for each of its rounds.

use crate::{
    RoundRulesError, MAX_ASSIGNED_SHARDS, MAX_EVALUATION_SHARDS, MAX_SHARDS, MAX_TRAINERS,
    MAX_VALIDATORS, MIN_CONTRIBUTIONS,
};
use noema_protocol::{apply, sent, MAX_HOLDERS};
use serde::{Deserialize, Serialize};
use sp_arithmetic::{traits::AtLeast32BitUnsigned, Permill};
use sp_core::H256;

/// The text of a programme.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "by-name", derive(scale_encode::EncodeAsType))]
pub struct Dataset {
    /// Merkle root over the hashes of its shards.
    pub root: H256,
    /// BLAKE3 hash of its manifest, which lists the shards; operators fetch the manifest by it.
    pub manifest: H256,
    /// The number of its shards, at most [`MAX_SHARDS`].
    pub shards: u32,
    /// Tokens of a shard whose loss is counted.
    pub shard_tokens: u32,
}

/// The length of each phase of a round, in blocks.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "by-name", derive(scale_encode::EncodeAsType))]
pub struct RoundWindows<BlockNumber> {
    /// Blocks to join.
    pub registration: BlockNumber,
    /// Blocks to train and commit.
    pub training: BlockNumber,
    /// Blocks to reveal contributions.
    pub reveal: BlockNumber,
    /// Blocks to score and commit the scores.
    pub scoring: BlockNumber,
    /// Blocks to reveal the scores.
    pub score_reveal: BlockNumber,
    /// Blocks to aggregate and claim the next checkpoint.
    pub claim: BlockNumber,
    /// Blocks to object to scores or claim.
    pub objection: BlockNumber,
    /// Blocks to announce that an operator holds the next checkpoint.
    pub holding: BlockNumber,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> RoundWindows<BlockNumber> {
    fn all_mut(&mut self) -> [&mut BlockNumber; 8] {
        [
            &mut self.registration,
            &mut self.training,
            &mut self.reveal,
            &mut self.scoring,
            &mut self.score_reveal,
            &mut self.claim,
            &mut self.objection,
            &mut self.holding,
        ]
    }
}

/// The rules of a round.
#[apply(sent)]
#[derive(Copy, Serialize, Deserialize)]
pub struct RoundRules<BlockNumber> {
    /// The length of each phase.
    pub windows: RoundWindows<BlockNumber>,
    /// The fewest trainers, and the fewest revealed contributions, that do not end the round; at least two.
    pub min_contributions: u32,
    /// Validators that are drawn to score.
    pub validators: u32,
    /// Shards that each trainer is given.
    pub shards_per_trainer: u32,
    /// Shards, of those assigned to no trainer, that every contribution is evaluated on.
    pub evaluation_shards: u32,
    /// Most bytes of a compressed update.
    pub max_update_bytes: u32,
    /// Most entries of a chunk of a compressed update.
    pub entries_per_chunk: u16,
    /// The part of its entries that a contribution may share with an earlier one without counting as a copy.
    pub max_overlap: Permill,
    /// Operators that must hold the next checkpoint before it becomes canonical: [`MAX_HOLDERS`] at most.
    pub min_holders: u32,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> RoundRules<BlockNumber> {
    /// The same rules with `allowance` more blocks in each window: an operator acts on the opening of a
    /// window only once the block that opens it is final.
    pub fn granting(mut self, allowance: BlockNumber) -> Self {
        for window in self.windows.all_mut() {
            *window = window.saturating_add(allowance);
        }
        self
    }

    /// Checks that rounds on `dataset` can follow these rules.
    ///
    /// # Errors
    /// See [`RoundRulesError`].
    pub fn check(&self, dataset: &Dataset) -> Result<(), RoundRulesError> {
        let mut windows = self.windows;
        if windows.all_mut().iter().any(|blocks| blocks.is_zero()) {
            return Err(RoundRulesError::EmptyWindow);
        }
        if !(MIN_CONTRIBUTIONS..=MAX_TRAINERS).contains(&self.min_contributions) {
            return Err(RoundRulesError::Contributions);
        }
        if !(1..=MAX_VALIDATORS).contains(&self.validators) {
            return Err(RoundRulesError::Validators);
        }
        if !(1..=MAX_ASSIGNED_SHARDS).contains(&self.shards_per_trainer)
            || !(1..=MAX_EVALUATION_SHARDS).contains(&self.evaluation_shards)
        {
            return Err(RoundRulesError::ShardCounts);
        }
        let needed = self
            .shards_per_trainer
            .saturating_add(self.evaluation_shards);
        if !(needed..=MAX_SHARDS).contains(&dataset.shards) || dataset.shard_tokens == 0 {
            return Err(RoundRulesError::Dataset);
        }
        if self.max_update_bytes == 0 || self.entries_per_chunk == 0 {
            return Err(RoundRulesError::UpdateSize);
        }
        if !(1..=MAX_HOLDERS).contains(&self.min_holders) {
            return Err(RoundRulesError::Holders);
        }
        Ok(())
    }
}
