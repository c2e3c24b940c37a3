//! The shards for evaluation, and the assignment of the others to trainers.

use super::RoundsOptions;
use crate::TrainingError;
use noema_model::{
    checkpoint::OpenCheckpoint,
    dataset::{OpenDataset, Shard},
};

/// The assignment of shards.
pub(super) struct Shards {
    evaluation: Vec<Shard>,
    /// The other shards, in the order in which they are dealt out repeatedly.
    order: Vec<usize>,
    dealt: usize,
}

impl Shards {
    /// Deals the shards of `dataset`, which must be prepared for the checkpoint, by validated options.
    pub(super) fn deal(
        checkpoint: &OpenCheckpoint,
        dataset: &OpenDataset,
        options: &RoundsOptions,
    ) -> Result<Self, TrainingError> {
        if dataset.manifest().tokenizer_hash != checkpoint.manifest().tokenizer_hash {
            return Err(TrainingError::OtherTokenizer);
        }
        let evaluation = options.evaluation_shards as usize;
        let at_once = options.trainers as usize * options.shards as usize;
        let (found, needed) = (dataset.len(), evaluation + at_once);
        if found < needed {
            return Err(TrainingError::TooFewShards {
                found,
                needed,
                evaluation,
            });
        }
        let mut keyed: Vec<([u8; 32], usize)> = dataset
            .manifest()
            .hashes()
            .enumerate()
            .map(|(index, hash)| {
                let mut hasher = blake3::Hasher::new();
                hasher.update(&options.training.seed.to_le_bytes());
                hasher.update(hash.as_bytes());
                (hasher.finalize().into(), index)
            })
            .collect();
        keyed.sort_unstable();
        let mut order: Vec<usize> = keyed.into_iter().map(|(_, index)| index).collect();
        let rest = order.split_off(evaluation);
        Ok(Self {
            evaluation: order
                .into_iter()
                .map(|index| dataset.shard(index))
                .collect::<Result<_, _>>()?,
            order: rest,
            dealt: 0,
        })
    }

    /// The shards on which the loss is computed.
    pub(super) fn evaluation_shards(&self) -> &[Shard] {
        &self.evaluation
    }

    /// The sequences on which the loss is computed.
    pub(super) fn evaluation(&self) -> impl Iterator<Item = &[u32]> {
        self.evaluation.iter().flat_map(Shard::sequences)
    }

    /// The next `count` shards, each with its place in the dataset.
    pub(super) fn next(
        &mut self,
        dataset: &OpenDataset,
        count: u32,
    ) -> Result<Vec<(usize, Shard)>, TrainingError> {
        let next = |_| {
            let index = self.order[self.dealt % self.order.len()];
            self.dealt += 1;
            Ok((index, dataset.shard(index)?))
        };
        (0..count).map(next).collect()
    }

    /// Skips `count` shards that were dealt out before.
    pub(super) fn skip(&mut self, count: usize) {
        self.dealt += count;
    }
}
