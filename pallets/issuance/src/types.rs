//! The types of the pallet's storage and interfaces.

use alloc::vec::Vec;
use codec::DecodeWithMemTracking;
use noema_economics::{Balance, Schedule, Split};
use noema_protocol::{apply, encoded, stored, PerWork, Work};

/// The sum over all kinds of work.
pub(crate) fn sum(values: &PerWork<Balance>) -> Balance {
    Work::ALL.into_iter().fold(0 as Balance, |sum, kind| {
        sum.saturating_add(*values.get(kind))
    })
}

/// The terms of the issuance.
#[apply(stored)]
#[derive(Copy)]
pub struct IssuanceTerms<BlockNumber> {
    /// The total issuance at genesis.
    pub genesis_supply: Balance,
    /// The most that is ever minted in addition to it.
    pub pool: Balance,
    /// The subsidy of each epoch of the first era.
    pub initial_subsidy: Balance,
    /// Epochs after which it halves.
    pub epochs_per_era: u32,
    /// Blocks in an epoch.
    pub epoch_length: BlockNumber,
}

impl<BlockNumber> IssuanceTerms<BlockNumber> {
    /// The subsidy of every epoch.
    pub fn schedule(&self) -> Schedule {
        Schedule {
            initial: self.initial_subsidy,
            epochs_per_era: self.epochs_per_era,
        }
    }

    /// The cap of the total supply.
    pub fn cap(&self) -> Balance {
        self.genesis_supply.saturating_add(self.pool)
    }
}

/// The use of the subsidies of all epochs that ended: `minted + pending + unminted` is `scheduled`, exactly.
#[apply(stored)]
#[derive(Copy, Default)]
pub struct IssuanceBooks {
    /// The sum of the subsidies.
    pub scheduled: Balance,
    /// Minted, for work and for the treasury. Burning does not reduce it.
    pub minted: Balance,
    /// In pools from which rewards can be claimed.
    pub pending: Balance,
    /// Never minted.
    pub unminted: Balance,
}

impl IssuanceBooks {
    /// Adds the subsidy of an epoch that ended; of the treasury's part, `treasury` could be minted.
    pub(crate) fn close(&mut self, subsidy: Balance, split: &Split, treasury: Balance) {
        let missed = split.treasury.saturating_sub(treasury);
        self.scheduled = self.scheduled.saturating_add(subsidy);
        self.pending = self.pending.saturating_add(sum(&split.pools));
        self.minted = self.minted.saturating_add(treasury);
        self.unminted = self
            .unminted
            .saturating_add(split.unminted)
            .saturating_add(missed);
    }

    /// Adds an amount minted out of a pool.
    pub(crate) fn pay(&mut self, amount: Balance) {
        self.pending = self.pending.saturating_sub(amount);
        self.minted = self.minted.saturating_add(amount);
    }

    /// Adds the part of pools that is never minted.
    pub(crate) fn forgo(&mut self, amount: Balance) {
        self.pending = self.pending.saturating_sub(amount);
        self.unminted = self.unminted.saturating_add(amount);
    }
}

/// An epoch that ended.
#[apply(stored)]
#[derive(Copy, Default)]
pub struct ClosedEpoch {
    /// All work done in it.
    pub work: PerWork<u128>,
    /// The pools of its rewards.
    pub pools: PerWork<Balance>,
    /// The amount minted out of the pools.
    pub claimed: Balance,
    /// The work for which that was.
    pub claimed_work: PerWork<u128>,
}

impl ClosedEpoch {
    /// The reward for `amounts` of the epoch's work.
    pub fn reward(&self, amounts: &PerWork<u64>) -> Balance {
        noema_economics::reward(amounts, &self.work, &self.pools)
    }

    /// The work that was not claimed.
    pub fn unclaimed_work(&self) -> PerWork<u128> {
        PerWork::from_fn(|kind| {
            let claimed = *self.claimed_work.get(kind);
            self.work.get(kind).saturating_sub(claimed)
        })
    }

    /// The reward for all work that was not claimed.
    pub fn unclaimed(&self) -> Balance {
        noema_economics::reward(&self.unclaimed_work(), &self.work, &self.pools)
    }

    /// Adds a claim of the reward for `amounts`.
    pub(crate) fn claim(&mut self, amounts: &PerWork<u64>, reward: Balance) {
        self.claimed = self.claimed.saturating_add(reward);
        self.claimed_work = PerWork::from_fn(|kind| {
            let claimed = *self.claimed_work.get(kind);
            claimed.saturating_add((*amounts.get(kind)).into())
        });
    }

    /// The part of the pools that is left.
    pub fn left(&self) -> Balance {
        sum(&self.pools).saturating_sub(self.claimed)
    }
}

/// The reward that an account can claim for one epoch.
#[apply(encoded)]
#[derive(Copy, DecodeWithMemTracking)]
pub struct Claimable<BlockNumber> {
    /// The epoch.
    pub epoch: u32,
    /// The work of the account in it.
    pub work: PerWork<u64>,
    /// The work of all accounts in it.
    pub all_work: PerWork<u128>,
    /// The pools that all accounts share.
    pub pools: PerWork<Balance>,
    /// The account's reward.
    pub reward: Balance,
    /// The last block in which it can be claimed.
    pub claimable_to: BlockNumber,
}

/// The rewards of an account.
#[apply(encoded)]
#[derive(DecodeWithMemTracking)]
pub struct PendingReward<BlockNumber> {
    /// The sum that it can claim now.
    pub total: Balance,
    /// The claimable rewards, by epoch, the oldest first.
    pub epochs: Vec<Claimable<BlockNumber>>,
    /// Its work in the running epoch.
    pub running: PerWork<u64>,
}

/// The most that an epoch can issue.
#[apply(encoded)]
#[derive(Copy, DecodeWithMemTracking)]
pub struct ScheduledEpoch<BlockNumber> {
    /// Its era.
    pub era: u32,
    /// Its first block.
    pub starts_at: BlockNumber,
    /// Its last block.
    pub ends_at: BlockNumber,
    /// Its subsidy.
    pub subsidy: Balance,
    /// The most that each kind of work can get of it.
    pub shares: PerWork<Balance>,
    /// The treasury's part of it.
    pub treasury: Balance,
    /// The sum of the subsidies of all epochs before it.
    pub before: Balance,
}

/// The running epoch.
#[apply(encoded)]
#[derive(Copy, DecodeWithMemTracking)]
pub struct RunningEpoch<BlockNumber> {
    /// Its number.
    pub number: u32,
    /// The most that it can issue.
    pub scheduled: ScheduledEpoch<BlockNumber>,
    /// All work done in it so far.
    pub work: PerWork<u128>,
}

/// The present and the largest supply.
#[apply(encoded)]
#[derive(Copy, DecodeWithMemTracking)]
pub struct Supply {
    /// The total issuance at genesis.
    pub genesis: Balance,
    /// The cap.
    pub cap: Balance,
    /// The total issuance.
    pub total: Balance,
    /// The sum of the subsidies of all epochs that ended.
    pub scheduled: Balance,
    /// Minted of them.
    pub minted: Balance,
    /// Claimable of them.
    pub pending: Balance,
    /// Never minted of them.
    pub unminted: Balance,
}
