//! Data on rounds, payments and slashes, collected from blocks.

use crate::chain::types::Balance;
use crate::chain::{At, ChainError, Node};
use crate::roles::rounds::Round;
use crate::store::AccountBytes;
use noema_protocol::{FamilyId, RoundId};
use std::collections::{btree_map::Entry, BTreeMap};
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;

/// Closed rounds, claims and slashes since a block.
pub(super) struct Books {
    since: u64,
    read_to: u64,
    /// The epochs in which rounds have closed since.
    closed_in: BTreeMap<RoundId, u32>,
    /// The rounds that were closed at the ends of earlier epochs; `None` if the node no longer keeps that
    /// state.
    closed_by: BTreeMap<u32, Option<Vec<RoundId>>>,
    claimed: BTreeMap<AccountBytes, Balance>,
    slashed: BTreeMap<AccountBytes, Balance>,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RoundClosed {
    round: RoundId,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Claimed {
    account: AccountId32,
    amount: Balance,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Slashed {
    controller: AccountId32,
    paid: Balance,
    burned: Balance,
}

impl Books {
    /// Empty books for the blocks after `block`.
    pub(super) fn open(block: u64) -> Self {
        Self {
            since: block,
            read_to: block,
            closed_by: BTreeMap::new(),
            closed_in: BTreeMap::new(),
            claimed: BTreeMap::new(),
            slashed: BTreeMap::new(),
        }
    }

    /// Reads the new blocks, up to the finalized block `block`.
    pub(super) async fn read(&mut self, node: &Node, block: u64) -> Result<(), ChainError> {
        for number in self.read_to.saturating_add(1)..=block {
            self.enter(&node.at(number).await?).await?;
            self.read_to = number;
        }
        Ok(())
    }

    async fn enter(&mut self, at: &At) -> Result<(), ChainError> {
        let events = at.events().await?;
        for Claimed { account, amount } in events.all::<Claimed>("Issuance", "Claimed")? {
            add(&mut self.claimed, account, amount);
        }
        for slashed in events.all::<Slashed>("Operators", "Slashed")? {
            let amount = slashed.paid.saturating_add(slashed.burned);
            add(&mut self.slashed, slashed.controller, amount);
        }
        let closed: Vec<RoundClosed> = events.all("Training", "RoundClosed")?;
        if !closed.is_empty() {
            let epoch = at.current_epoch().await?;
            let closed = closed.iter().map(|closed| (closed.round, epoch));
            self.closed_in.extend(closed);
        }
        Ok(())
    }

    /// The epoch in which a round closed, whose subsidy pays for it. `round` is closed in `at`. `None` if it
    /// closed before these books begin and the node no longer keeps that state.
    pub(super) async fn epoch_of(
        &mut self,
        node: &Node,
        at: &At,
        round: &Round,
    ) -> Result<Option<u32>, ChainError> {
        if let Some(epoch) = self.closed_in.get(&round.id) {
            return Ok(Some(*epoch));
        }
        let mut epoch = at.current_epoch().await?;
        // The chain removes the records of older epochs.
        let oldest = epoch.saturating_sub(at.claim_window()?);
        while epoch > oldest {
            let before = epoch.saturating_sub(1);
            let closed = match self.closed_by.entry(before) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    unknown.insert(closed_by_end(node, at, before, round.family).await)
                }
            };
            match closed {
                Some(closed) if closed.contains(&round.id) => epoch = before,
                Some(_) => return Ok(Some(epoch)),
                None => return Ok(None),
            }
        }
        Ok((oldest == 0).then_some(epoch))
    }

    /// The block after which the books begin.
    pub(super) fn since(&self) -> u64 {
        self.since
    }

    /// The last block in the books.
    pub(super) fn read_to(&self) -> u64 {
        self.read_to
    }

    /// The rewards that were paid to an account.
    pub(super) fn claimed(&self, account: &AccountBytes) -> Balance {
        self.claimed.get(account).copied().unwrap_or_default()
    }

    /// The slashes of an operator.
    pub(super) fn slashed(&self, account: &AccountBytes) -> Balance {
        self.slashed.get(account).copied().unwrap_or_default()
    }
}

/// The rounds of a family that were closed at the end of an epoch; `None` if the node no longer keeps that
/// state.
async fn closed_by_end(node: &Node, at: &At, epoch: u32, family: FamilyId) -> Option<Vec<RoundId>> {
    let scheduled = at.scheduled_epoch(epoch).await.ok()??;
    let end = node.at(scheduled.ends_at.into()).await.ok()?;
    end.closed_rounds(family).await.ok()
}

fn add(to: &mut BTreeMap<AccountBytes, Balance>, account: AccountId32, amount: Balance) {
    let sum = to.entry(account.0).or_default();
    *sum = sum.saturating_add(amount);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_kept_by_account() {
        let mut sums = BTreeMap::new();
        add(&mut sums, AccountId32([1; 32]), 3);
        add(&mut sums, AccountId32([1; 32]), 4);
        add(&mut sums, AccountId32([2; 32]), 1);
        assert_eq!(sums, BTreeMap::from([([1; 32], 7), ([2; 32], 1)]));
    }
}
