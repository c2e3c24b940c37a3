//! What the pallet records.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use noema_economics::{Balance, Schedule, Split};
use noema_protocol::interfaces::{PerWork, Work};
use scale_info::TypeInfo;

/// The sum over all kinds of work.
pub(crate) fn sum(values: &PerWork<Balance>) -> Balance {
    Work::ALL.into_iter().fold(0 as Balance, |sum, kind| {
        sum.saturating_add(*values.get(kind))
    })
}

/// The terms of the issuance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct IssuanceTerms<BlockNumber> {
    /// What there was at genesis.
    pub genesis_supply: Balance,
    /// The most that is ever minted beyond it.
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

    /// What the total supply never exceeds.
    pub fn cap(&self) -> Balance {
        self.genesis_supply.saturating_add(self.pool)
    }
}

/// What became of the subsidies of all epochs that ended: `minted + pending + unminted` is
/// `scheduled`, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct IssuanceBooks {
    /// The subsidies together.
    pub scheduled: Balance,
    /// Minted, for work and for the treasury. What is burned elsewhere does not lessen it.
    pub minted: Balance,
    /// In pools that can be claimed.
    pub pending: Balance,
    /// Never to be minted.
    pub unminted: Balance,
}

impl IssuanceBooks {
    /// Enters the subsidy of an epoch that ended; of the treasury's part, `treasury` could be minted.
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

    /// Enters what was minted out of a pool.
    pub(crate) fn pay(&mut self, amount: Balance) {
        self.pending = self.pending.saturating_sub(amount);
        self.minted = self.minted.saturating_add(amount);
    }

    /// Enters what is left of pools and never minted.
    pub(crate) fn forgo(&mut self, amount: Balance) {
        self.pending = self.pending.saturating_sub(amount);
        self.unminted = self.unminted.saturating_add(amount);
    }
}

/// An epoch that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ClosedEpoch {
    /// All work that was done in it.
    pub work: PerWork<u128>,
    /// What those who did it share.
    pub pools: PerWork<Balance>,
    /// What was minted out of the pools.
    pub claimed: Balance,
    /// Rewards of records that were removed unclaimed, once the epoch has expired.
    pub forgone: Balance,
}

impl ClosedEpoch {
    /// What `amounts` of the epoch's work are due.
    pub fn reward(&self, amounts: &PerWork<u64>) -> Balance {
        noema_economics::reward(amounts, &self.work, &self.pools)
    }

    /// What is left of the pools.
    pub fn left(&self) -> Balance {
        sum(&self.pools).saturating_sub(self.claimed)
    }
}

/// What an account can claim of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Claimable<BlockNumber> {
    /// The epoch.
    pub epoch: u32,
    /// What the account did in it.
    pub work: PerWork<u64>,
    /// What everybody did in it.
    pub all_work: PerWork<u128>,
    /// What everybody shares.
    pub pools: PerWork<Balance>,
    /// What the account is due.
    pub reward: Balance,
    /// The last block in which it can be claimed.
    pub claimable_to: BlockNumber,
}

/// What an account is due.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct PendingReward<BlockNumber> {
    /// Everything that it can claim now.
    pub total: Balance,
    /// That, epoch by epoch, the oldest first.
    pub epochs: Vec<Claimable<BlockNumber>>,
    /// What it did in the epoch that runs.
    pub running: PerWork<u64>,
}

/// What an epoch can issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ScheduledEpoch<BlockNumber> {
    /// Its era.
    pub era: u32,
    /// Its first block.
    pub starts_at: BlockNumber,
    /// Its last block.
    pub ends_at: BlockNumber,
    /// Its subsidy.
    pub subsidy: Balance,
    /// The most that each kind of work can be given of it.
    pub shares: PerWork<Balance>,
    /// What the treasury is given of it.
    pub treasury: Balance,
    /// The subsidies of all epochs before it.
    pub before: Balance,
}

/// The epoch that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct RunningEpoch<BlockNumber> {
    /// Its number.
    pub number: u32,
    /// What it can issue.
    pub scheduled: ScheduledEpoch<BlockNumber>,
    /// All work that was done in it so far.
    pub work: PerWork<u128>,
}

/// How much there is, and can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Supply {
    /// What there was at genesis.
    pub genesis: Balance,
    /// What there never is more than.
    pub cap: Balance,
    /// What there is.
    pub total: Balance,
    /// The subsidies of all epochs that ended.
    pub scheduled: Balance,
    /// Minted of them.
    pub minted: Balance,
    /// Claimable of them.
    pub pending: Balance,
    /// Of them, never to be minted.
    pub unminted: Balance,
}

/// What an audit counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AuditReport {
    /// Minted so far.
    pub minted: Balance,
    /// Claimable.
    pub pending: Balance,
    /// Records of work.
    pub records: u32,
}

/// What an audit found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum AuditFailure {
    /// The issuance never started.
    NotStarted,
    /// What became of the subsidies is not what was scheduled.
    BooksDiffer,
    /// What was scheduled is not what the schedule says of the epochs that ended.
    ScheduleDiffers,
    /// More was minted than the pool holds.
    AbovePool,
    /// There is more than there was at genesis and was minted since.
    AboveIssued,
    /// What can be claimed is not what is left of the pools.
    PendingDiffers,
    /// An epoch's records are due more than is left of its pools.
    EpochOverdrawn,
    /// The work of the running epoch is not the sum of its records.
    WorkDiffers,
    /// Work is recorded for an epoch that has expired or has not begun.
    StrayRecord,
}

impl AuditFailure {
    /// The fact as a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "the issuance never started",
            Self::BooksDiffer => "what became of the subsidies is not what was scheduled",
            Self::ScheduleDiffers => "what was scheduled is not what the schedule says",
            Self::AbovePool => "more was minted than the pool holds",
            Self::AboveIssued => "there is more than there was at genesis and was minted since",
            Self::PendingDiffers => "what can be claimed is not what is left of the pools",
            Self::EpochOverdrawn => "an epoch's records are due more than is left of its pools",
            Self::WorkDiffers => "the running epoch's work is not the sum of its records",
            Self::StrayRecord => "work is recorded for an epoch that cannot be claimed",
        }
    }
}
