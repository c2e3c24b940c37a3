//! Benchmarks of the call and the hooks.

use crate::{
    Call, ClosedEpoch, Config, CurrentEpoch, Epochs, OldestEpoch, Pallet, RunningWork, WorkDone,
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate},
        Get,
    },
    weights::Weight,
};
use frame_system::{pallet_prelude::BlockNumberFor, Pallet as System, RawOrigin};
use noema_economics::Balance;
use noema_interfaces::RecordWork;
use noema_protocol::{PerWork, Work};
use sp_runtime::traits::One;

/// Starts the issuance, under any genesis, and creates the treasury.
fn started<T: Config>() {
    Pallet::<T>::start(BlockNumberFor::<T>::one());
    T::Currency::set_balance(
        &T::TreasuryAccount::get(),
        T::Currency::minimum_balance().max(1),
    );
}

/// An account that did every kind of work in the running epoch, enough to be paid.
fn worked<T: Config>(index: u32) -> T::AccountId {
    let account: T::AccountId = account("worker", index, 0);
    let amount = T::Currency::minimum_balance().saturating_add(1_000);
    let amount = u64::try_from(amount).unwrap_or(u64::MAX);
    for kind in Work::ALL {
        Pallet::<T>::record(kind, &account, amount);
    }
    account
}

/// Ends the running epoch and returns its number.
fn close<T: Config>() -> u32 {
    let epoch = CurrentEpoch::<T>::get();
    Pallet::<T>::close_if_over(System::<T>::block_number() + (epoch + 1).into());
    epoch
}

/// An expired epoch with `records` records.
fn expired<T: Config>(records: u32) -> u32 {
    for index in 0..records {
        worked::<T>(index);
    }
    let epoch = close::<T>();
    CurrentEpoch::<T>::put(epoch + T::ClaimWindow::get() + 1);
    OldestEpoch::<T>::put(epoch);
    epoch
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn claim() {
        started::<T>();
        let account = worked::<T>(0);
        let epoch = close::<T>();
        let caller: T::AccountId = whitelisted_caller();
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), account.clone(), epoch);
        assert!(!WorkDone::<T>::contains_key(epoch, &account));
        assert!(T::Currency::balance(&account) > 0);
    }

    #[benchmark]
    fn keep_epoch() {
        started::<T>();
        let now = CurrentEpoch::<T>::get().into();
        #[block]
        {
            Pallet::<T>::close_if_over(now);
        }
        assert_eq!(CurrentEpoch::<T>::get(), 0);
    }

    #[benchmark]
    fn close_epoch() {
        started::<T>();
        worked::<T>(0);
        let epoch = CurrentEpoch::<T>::get();
        let now = (epoch + 1).into();
        #[block]
        {
            Pallet::<T>::close_if_over(now);
        }
        assert!(Epochs::<T>::contains_key(epoch));
        assert_eq!(RunningWork::<T>::get(), PerWork::default());
    }

    #[benchmark]
    fn expire_base() {
        started::<T>();
        #[block]
        {
            Pallet::<T>::expire(Weight::MAX);
        }
        assert_eq!(OldestEpoch::<T>::get(), 0);
    }

    #[benchmark]
    fn expire_epoch() {
        started::<T>();
        let epoch = expired::<T>(0);
        // Only the rounding remainder is left, which the treasury gets at the end.
        let left: Balance = T::Currency::minimum_balance().max(1);
        let closed = ClosedEpoch {
            pools: PerWork {
                inference: left,
                ..Default::default()
            },
            ..Default::default()
        };
        Epochs::<T>::insert(epoch, closed);
        #[block]
        {
            Pallet::<T>::expire(Weight::MAX);
        }
        assert!(!Epochs::<T>::contains_key(epoch));
    }

    #[benchmark]
    fn expire_record() {
        started::<T>();
        let epoch = expired::<T>(1);
        #[block]
        {
            let mut records = WorkDone::<T>::drain_prefix(epoch);
            let (_, amounts) = records.next().expect("one was made; qed");
            let closed = Epochs::<T>::get(epoch).unwrap_or_default();
            assert!(closed.reward(&amounts) > 0);
        }
        assert_eq!(WorkDone::<T>::iter_prefix_values(epoch).count(), 0);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
