//! The assignment of a round, as one of its trainers sees it.

use super::Round;
use crate::store::AccountBytes;
use noema_training::{OtherTrainer, ShardAssignment};

/// The assignment of `round` as `account` sees it; `None` if it is not a trainer of the round.
pub(super) fn assignment<'a>(
    round: &'a Round,
    account: &AccountBytes,
) -> Option<ShardAssignment<'a>> {
    let mut trainers = round.trainers.iter();
    let own = trainers.find(|trainer| trainer.account == *account)?;
    let others = round.trainers.iter();
    let others = others.filter(|trainer| trainer.account != *account);
    Some(ShardAssignment {
        own: &own.shards,
        others: others
            .map(|other| OtherTrainer {
                shards: &other.shards,
                has_committed: other.commitment.is_some(),
            })
            .collect(),
        dataset: round.dataset.shards,
    })
}
