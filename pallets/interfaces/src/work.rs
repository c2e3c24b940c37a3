//! The record of verified work.

#[cfg(feature = "runtime-benchmarks")]
use alloc::vec::Vec;
use noema_protocol::Work;

/// Records verified work, so that a share of the subsidy can follow it.
pub trait RecordWork<AccountId> {
    /// Records that `who` did `amount` of `work`, in the unit of its kind. Never fails: a sum that exceeds
    /// the counter saturates it.
    fn record(work: Work, who: &AccountId, amount: u64);

    /// The storage keys that all records of a block share. The poll of claims is charged for them, once.
    #[cfg(feature = "runtime-benchmarks")]
    fn shared_keys() -> Vec<Vec<u8>> {
        Vec::new()
    }
}

/// Records nothing.
impl<AccountId> RecordWork<AccountId> for () {
    fn record(_: Work, _: &AccountId, _: u64) {}
}
