//! The record of verified work.

use alloc::vec::Vec;
use noema_protocol::{apply, stored, PerWork, Work};

/// The work of an account in the latest epoch in which it did any that is kept like this.
#[apply(stored)]
#[derive(Copy, Default)]
pub struct RecentWork {
    /// The epoch.
    pub epoch: u32,
    /// The amounts, each in the unit of its kind; all zero where no work is kept.
    pub amounts: PerWork<u64>,
}

/// Records verified work, so that a share of the subsidy can follow it.
pub trait RecordWork<AccountId> {
    /// Records that `who` did `amount` of `work`, in the unit of its kind. Never fails: a sum that exceeds
    /// the counter saturates it.
    fn record(work: Work, who: &AccountId, amount: u64);

    /// Records that `who` did `amount` of `work`, in `recent`: in a record of `who` that the caller stores anyway,
    /// so that no entry of its own is written. The work of an earlier epoch in it is entered first, as by
    /// [`Self::enter`]; returns whether there was any. Never fails.
    fn record_recent(recent: &mut RecentWork, work: Work, who: &AccountId, amount: u64) -> bool;

    /// Enters the work of `who` that was recorded in `recent`, which the caller removes.
    fn enter(who: &AccountId, recent: &RecentWork);

    /// The storage keys that all records of a block share. The poll of claims is charged for them, once.
    #[cfg(feature = "runtime-benchmarks")]
    fn shared_keys() -> Vec<Vec<u8>> {
        Vec::new()
    }
}

/// Records nothing.
impl<AccountId> RecordWork<AccountId> for () {
    fn record(_: Work, _: &AccountId, _: u64) {}

    fn record_recent(_: &mut RecentWork, _: Work, _: &AccountId, _: u64) -> bool {
        false
    }

    fn enter(_: &AccountId, _: &RecentWork) {}
}

/// Keeps the recent work of accounts in records of its own.
pub trait KeepWork<AccountId> {
    /// The work that is kept for `who`.
    fn recent(who: &AccountId) -> RecentWork;

    /// Removes the work of `epoch` that is kept for `who`. Does nothing where there is none.
    fn forget(who: &AccountId, epoch: u32);

    /// The work that is kept for each account: for audits.
    fn all_recent() -> Vec<(AccountId, RecentWork)>;

    /// Keeps `recent` for `who`.
    #[cfg(feature = "runtime-benchmarks")]
    fn keep(who: &AccountId, recent: RecentWork);
}
