//! The interface to other pallets: they record verified work.

use crate::{Config, CurrentEpoch, Pallet, RunningWork, WorkDone};
use noema_interfaces::{KeepWork, RecentWork, RecordWork};
use noema_protocol::{PerWork, Work};

impl<T: Config> RecordWork<T::AccountId> for Pallet<T> {
    fn record(work: Work, who: &T::AccountId, amount: u64) {
        if amount == 0 {
            return;
        }
        WorkDone::<T>::mutate(CurrentEpoch::<T>::get(), who, |entry| {
            Self::count(entry.get_or_insert_default(), work, amount);
        });
    }

    fn record_recent(recent: &mut RecentWork, work: Work, who: &T::AccountId, amount: u64) -> bool {
        if amount == 0 {
            return false;
        }
        let epoch = CurrentEpoch::<T>::get();
        let mut is_entered = false;
        if recent.epoch != epoch {
            is_entered = recent.amounts != PerWork::default();
            Self::enter(who, recent);
            *recent = RecentWork {
                epoch,
                ..Default::default()
            };
        }
        Self::count(&mut recent.amounts, work, amount);
        is_entered
    }

    fn enter(who: &T::AccountId, recent: &RecentWork) {
        if recent.amounts == PerWork::default() || Self::is_expired(recent.epoch) {
            return;
        }
        WorkDone::<T>::mutate(recent.epoch, who, |entry| {
            *entry = Some(added(entry.unwrap_or_default(), &recent.amounts));
        });
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn shared_keys() -> alloc::vec::Vec<alloc::vec::Vec<u8>> {
        let keys = [
            CurrentEpoch::<T>::hashed_key(),
            RunningWork::<T>::hashed_key(),
        ];
        keys.map(|key| key.to_vec()).into()
    }
}

impl<T: Config> Pallet<T> {
    /// Adds work of the running epoch to the amounts of an account, up to [`MOST`], and as much to the total.
    fn count(amounts: &mut PerWork<u64>, work: Work, amount: u64) {
        let own = amounts.get_mut(work);
        let counted = amount.min(MOST.saturating_sub(*own));
        *own = own.saturating_add(counted);
        RunningWork::<T>::mutate(|all| {
            let all = all.get_mut(work);
            *all = all.saturating_add(counted.into());
        });
    }

    /// The work of an account in an epoch: that entered for it, and that kept in a record of the account.
    pub(crate) fn work_of(account: &T::AccountId, epoch: u32) -> PerWork<u64> {
        let entered = WorkDone::<T>::get(epoch, account).unwrap_or_default();
        let recent = T::Recent::recent(account);
        if recent.epoch == epoch {
            added(entered, &recent.amounts)
        } else {
            entered
        }
    }
}

/// The most work of one kind that is counted for an account in one of the two places. Together they do not exceed
/// an amount then.
const MOST: u64 = u64::MAX / 2;

/// The sums of two amounts of each kind.
fn added(amounts: PerWork<u64>, more: &PerWork<u64>) -> PerWork<u64> {
    PerWork::from_fn(|kind| amounts.get(kind).saturating_add(*more.get(kind)))
}
