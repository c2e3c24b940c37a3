//! The shards that a trainer trains on: its assigned ones, unless it is dishonest on purpose.

use super::Round;
use crate::store::AccountBytes;
use crate::training::Sabotage;
use std::collections::BTreeSet;

/// The shards that `account` trains on in `round`; `None` if it does not train, or not yet.
pub(super) fn shards(
    round: &Round,
    account: &AccountBytes,
    sabotage: Option<Sabotage>,
) -> Option<Vec<u32>> {
    let own = round
        .trainers
        .iter()
        .find(|trainer| trainer.account == *account)?;
    match sabotage {
        Some(Sabotage::OtherShards) => {
            let given: BTreeSet<u32> = round
                .trainers
                .iter()
                .flat_map(|trainer| trainer.shards.iter().copied())
                .collect();
            let others = (0..round.dataset.shards).filter(|shard| !given.contains(shard));
            Some(others.take(own.shards.len()).collect())
        }
        Some(Sabotage::Copy) => {
            let first = round
                .trainers
                .iter()
                .find(|trainer| trainer.account != *account)?;
            first.commitment.map(|_| first.shards.to_vec())
        }
        _ => Some(own.shards.to_vec()),
    }
}
