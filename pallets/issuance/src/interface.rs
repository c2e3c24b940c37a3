//! The interface to other pallets: they record verified work.

use crate::{Config, CurrentEpoch, Pallet, RunningWork, WorkDone};
use noema_interfaces::RecordWork;
use noema_protocol::Work;

impl<T: Config> RecordWork<T::AccountId> for Pallet<T> {
    fn record(work: Work, who: &T::AccountId, amount: u64) {
        if amount == 0 {
            return;
        }
        let epoch = CurrentEpoch::<T>::get();
        let mut amounts = WorkDone::<T>::get(epoch, who).unwrap_or_default();
        let own = amounts.get_mut(work);
        // Where the account's amount saturates, the total grows by as much as the account's.
        let counted = amount.min(u64::MAX.saturating_sub(*own));
        *own = own.saturating_add(counted);
        WorkDone::<T>::insert(epoch, who, amounts);
        RunningWork::<T>::mutate(|all| {
            let all = all.get_mut(work);
            *all = all.saturating_add(counted.into());
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
