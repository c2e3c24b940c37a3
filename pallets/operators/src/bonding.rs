//! Bonds: adding to them, locking parts of them, and leaving.

use crate::{
    is_chosen, BalanceOf, Config, Controllers, Devices, Endpoints, Error, Event, HoldReason, Locks,
    Operators, Pallet, Served,
};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{fungible::hold::Mutate, tokens::Precision, Get},
};
use noema_interfaces::{Burden, RecordWork};
use noema_protocol::Job;
use sp_runtime::{
    traits::{CheckedAdd, Saturating},
    ArithmeticError, DispatchError,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_bond_extra(controller: T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
        let operator = Self::try_mutate(&controller, |operator| {
            operator.bond = operator
                .bond
                .checked_add(&amount)
                .ok_or(ArithmeticError::Overflow)?;
            Ok(operator.clone())
        })?;
        T::Currency::hold(&HoldReason::Bond.into(), &controller, amount)?;
        if Self::is_fit(&operator) {
            Self::reweigh(&controller, &operator)?;
        }
        let bond = operator.bond;
        Self::deposit_event(Event::BondIncreased {
            controller,
            amount,
            bond,
        });
        Ok(())
    }

    pub(crate) fn do_set_reserve(controller: T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
        let now = Self::term();
        Self::try_mutate(&controller, |operator| {
            operator.reserved.set(now, amount);
            Ok(())
        })?;
        Self::deposit_event(Event::ReserveSet {
            controller,
            amount,
            from: now.notice(),
        });
        Ok(())
    }

    pub(crate) fn do_start_unbonding(controller: T::AccountId) -> DispatchResult {
        // It can be drawn until the notice has passed, so it stays at least that long.
        let withdrawable_at = Self::now()
            .saturating_add(T::UnbondingDelay::get())
            .max(Self::first_block_of(Self::term().notice()));
        let operator = Self::try_mutate(&controller, |operator| {
            ensure!(operator.withdrawable_at.is_none(), Error::<T>::Leaving);
            operator.withdrawable_at = Some(withdrawable_at);
            Ok(operator.clone())
        })?;
        for serving in Served::<T>::take(&controller) {
            Self::dismiss(&operator, &serving);
        }
        Self::deposit_event(Event::UnbondingStarted {
            controller,
            withdrawable_at,
        });
        Ok(())
    }

    pub(crate) fn do_cancel_unbonding(controller: T::AccountId) -> DispatchResult {
        Self::try_mutate(&controller, |operator| {
            operator
                .withdrawable_at
                .take()
                .ok_or(Error::<T>::NotLeaving)?;
            Ok(())
        })?;
        Self::deposit_event(Event::UnbondingCancelled { controller });
        Ok(())
    }

    pub(crate) fn do_withdraw_bond(controller: T::AccountId) -> DispatchResult {
        let operator = Self::registered(&controller)?;
        let withdrawable_at = operator.withdrawable_at.ok_or(Error::<T>::NotLeaving)?;
        ensure!(Self::now() >= withdrawable_at, Error::<T>::TooEarly);
        ensure!(operator.locks == 0, Error::<T>::Locked);
        let reason = HoldReason::Bond.into();
        let amount = T::Currency::release(&reason, &controller, operator.bond, Precision::Exact)?;
        Self::pay_out(&controller)?;
        T::Work::enter(&controller, &operator.work);
        Self::unlink_key(&operator.key);
        Controllers::<T>::remove(operator.index);
        Devices::<T>::remove(&controller);
        Endpoints::<T>::remove(&controller);
        Operators::<T>::remove(&controller);
        Self::deposit_event(Event::BondWithdrawn { controller, amount });
        Ok(())
    }

    pub(crate) fn bond_of(controller: &T::AccountId) -> BalanceOf<T> {
        Operators::<T>::get(controller).map_or_else(Default::default, |operator| operator.bond)
    }

    /// Locks `amount` behind a job unless all locks together would exceed the bond or `most`, and adds its `burden`.
    pub(crate) fn lock_up_to(
        controller: &T::AccountId,
        job: Job,
        amount: BalanceOf<T>,
        most: BalanceOf<T>,
        burden: Burden,
    ) -> Result<(), DispatchError> {
        Self::try_mutate(controller, |operator| {
            let is_locked = Locks::<T>::contains_key(controller, job);
            ensure!(!is_locked, Error::<T>::AlreadyLocked);
            let locked = operator.locked.checked_add(&amount);
            operator.locked = locked
                .filter(|locked| *locked <= operator.bond.min(most))
                .ok_or(Error::<T>::BondExhausted)?;
            operator.locks = operator.locks.saturating_add(1);
            if is_chosen(&job) {
                operator.chosen = operator.chosen.saturating_add(amount);
            }
            operator.bear(burden);
            Locks::<T>::insert(controller, job, amount);
            Ok(())
        })
    }
}
