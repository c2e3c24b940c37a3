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
use noema_interfaces::{KeepWork, RecentWork, RecordWork};
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

    /// A part of the work is kept in a record of the account.
    #[benchmark]
    fn claim() {
        started::<T>();
        let account = worked::<T>(0);
        let mut recent = RecentWork::default();
        Pallet::<T>::record_recent(&mut recent, Work::Check, &account, 1);
        T::Recent::keep(&account, recent);
        let epoch = close::<T>();
        let caller: T::AccountId = whitelisted_caller();
        #[extrinsic_call]
        _(RawOrigin::Signed(caller), account.clone(), epoch);
        assert!(!WorkDone::<T>::contains_key(epoch, &account));
        assert!(T::Currency::balance(&account) > 0);
    }

    /// The work that an account did in an earlier epoch, in which other work is entered for it.
    #[benchmark]
    fn enter() {
        started::<T>();
        let account = worked::<T>(0);
        let epoch = CurrentEpoch::<T>::get();
        let recent = RecentWork {
            epoch,
            amounts: PerWork::from_fn(|_| 1),
        };
        let before = Pallet::<T>::work_of(&account, epoch);
        // The running epoch is read once in a block: the poll of claims is charged for it.
        frame_benchmarking::benchmarking::add_to_whitelist(
            CurrentEpoch::<T>::hashed_key().to_vec().into(),
        );
        #[block]
        {
            Pallet::<T>::enter(&account, &recent);
        }
        let after = Pallet::<T>::work_of(&account, epoch);
        assert_eq!(after.check, before.check + 1);
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
            assert!(records.next().is_some());
        }
        assert_eq!(WorkDone::<T>::iter_prefix_values(epoch).count(), 0);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
