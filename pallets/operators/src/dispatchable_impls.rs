//! The calls, after their origin is checked.

use crate::{
    BalanceOf, Config, Controllers, Device, DeviceReport, Devices, Endpoint, EndpointReport,
    Endpoints, Error, Event, HoldReason, Keys, Ledgers, NetworkAddress, NextIndex, Operator,
    OperatorIndex, OperatorOf, Operators, Pallet, Presence, Roles, Served, Serving,
};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{
        fungible::{hold::Mutate as _, Mutate},
        tokens::{Precision, Preservation},
        Get,
    },
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{
    hashing,
    interfaces::{Checkpoints, Prices},
    CheckpointId,
};
use noema_terms::{TermIndex, Versions};
use sp_runtime::{
    traits::{CheckedAdd, Saturating, Verify, Zero},
    ArithmeticError, DispatchError,
};

impl<T: Config> Pallet<T> {
    /// Whether `key` signed that it submits for `controller` on this chain.
    pub(crate) fn check_possession(
        controller: &T::AccountId,
        key: &T::AccountId,
        possession: &T::Signature,
    ) -> DispatchResult {
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        let payload = hashing::possession_payload(genesis, controller);
        ensure!(
            possession.verify(payload.as_bytes(), key),
            Error::<T>::NotPossessed
        );
        Ok(())
    }

    pub(crate) fn do_register(
        controller: T::AccountId,
        roles: Roles,
        key: T::AccountId,
        prices: Prices<BalanceOf<T>>,
        bond: BalanceOf<T>,
    ) -> DispatchResult {
        ensure!(
            !Operators::<T>::contains_key(&controller),
            Error::<T>::AlreadyRegistered
        );
        ensure!(roles != Roles::default(), Error::<T>::NoRole);
        ensure!(bond >= T::MinBond::get(), Error::<T>::BondTooSmall);
        Self::link_key(&controller, &key)?;
        T::Currency::hold(&HoldReason::Bond.into(), &controller, bond)?;
        let index = NextIndex::<T>::try_mutate(|next| {
            let index = *next;
            *next = index.checked_add(1).ok_or(Error::<T>::IndicesExhausted)?;
            Ok::<OperatorIndex, Error<T>>(index)
        })?;
        let operator = Operator {
            index,
            key: key.clone(),
            roles,
            prices: Versions::constant(if roles.worker {
                prices
            } else {
                Prices::default()
            }),
            bond,
            locked: Zero::zero(),
            locks: 0,
            presence: Presence::From(TermIndex(0)),
            withdrawable_at: None,
        };
        Controllers::<T>::insert(index, &controller);
        Operators::<T>::insert(&controller, operator);
        Self::deposit_event(Event::Registered {
            controller,
            key,
            roles,
            bond,
        });
        Ok(())
    }

    pub(crate) fn do_set_prices(
        controller: T::AccountId,
        prices: Prices<BalanceOf<T>>,
    ) -> DispatchResult {
        let now = Self::term();
        Self::try_mutate(&controller, |operator| {
            ensure!(operator.roles.worker, Error::<T>::NotAWorker);
            operator.prices.set(now, prices);
            Ok(())
        })?;
        Self::deposit_event(Event::PricesSet {
            controller,
            prices,
            from: now.notice(),
        });
        Ok(())
    }

    pub(crate) fn do_serve(controller: T::AccountId, checkpoint: CheckpointId) -> DispatchResult {
        let operator = Self::registered(&controller)?;
        ensure!(operator.withdrawable_at.is_none(), Error::<T>::Leaving);
        ensure!(
            T::Checkpoints::active(&checkpoint).is_some(),
            Error::<T>::CheckpointNotActive
        );
        Served::<T>::try_mutate(&controller, |served| -> DispatchResult {
            let position = Serving::position(served, &checkpoint);
            ensure!(position.is_none(), Error::<T>::AlreadyServing);
            let mut serving = Serving::new(checkpoint);
            // An operator that cannot be drawn now enters the roster when it resumes.
            if Self::is_fit(&operator) {
                Self::enrol(&operator, &mut serving)?;
            }
            served
                .try_push(serving)
                .map_err(|_| Error::<T>::TooManyServed)?;
            Ok(())
        })?;
        Self::deposit_event(Event::ServingStarted {
            controller,
            checkpoint,
            from: Self::term().notice(),
        });
        Ok(())
    }

    pub(crate) fn do_stop_serving(
        controller: T::AccountId,
        checkpoint: CheckpointId,
    ) -> DispatchResult {
        let operator = Self::registered(&controller)?;
        let serving = Served::<T>::try_mutate_exists(&controller, |slot| {
            let mut served = slot.take().unwrap_or_default();
            let position = Serving::position(&served, &checkpoint);
            let serving = served.remove(position.ok_or(Error::<T>::NotServing)?);
            *slot = Some(served).filter(|served| !served.is_empty());
            Ok::<_, Error<T>>(serving)
        })?;
        Self::dismiss(&operator, &serving);
        Self::deposit_event(Event::ServingStopped {
            controller,
            checkpoint,
            from: Self::term().notice(),
        });
        Ok(())
    }

    pub(crate) fn do_follow_canonical(
        key: T::AccountId,
        checkpoint: CheckpointId,
    ) -> DispatchResult {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        let canonical = T::Checkpoints::canonical_of(&checkpoint);
        let canonical = canonical.filter(|canonical| *canonical != checkpoint);
        let canonical = canonical.ok_or(Error::<T>::NoSuccessor)?;
        Self::do_stop_serving(controller.clone(), checkpoint)?;
        let served = Served::<T>::get(&controller);
        if Serving::position(&served, &canonical).is_some() {
            return Ok(());
        }
        Self::do_serve(controller, canonical)
    }

    pub(crate) fn do_resume(key: T::AccountId) -> DispatchResult {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        let from = Self::term().notice();
        let operator = Self::try_mutate(&controller, |operator| {
            Self::check_return(operator)?;
            operator.presence = Presence::From(from);
            Ok(operator.clone())
        })?;
        Self::reweigh(&controller, &operator)?;
        Self::deposit_event(Event::Resumed { controller, from });
        Ok(())
    }

    /// Refuses an operator that may not resume.
    pub(crate) fn check_return(operator: &OperatorOf<T>) -> Result<(), Error<T>> {
        ensure!(operator.is_absent(), Error::<T>::NotAbsent);
        ensure!(operator.withdrawable_at.is_none(), Error::<T>::Leaving);
        ensure!(operator.bond >= T::MinBond::get(), Error::<T>::BondTooSmall);
        Ok(())
    }

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
        Self::unlink_key(&operator.key);
        Controllers::<T>::remove(operator.index);
        Devices::<T>::remove(&controller);
        Endpoints::<T>::remove(&controller);
        Ledgers::<T>::remove(&controller);
        Operators::<T>::remove(&controller);
        Self::deposit_event(Event::BondWithdrawn { controller, amount });
        Ok(())
    }

    pub(crate) fn do_withdraw(controller: T::AccountId) -> DispatchResult {
        let amount = Self::pay_out(&controller)?;
        ensure!(!amount.is_zero(), Error::<T>::NothingToWithdraw);
        Ok(())
    }

    /// Transfers the credited amount from the purse to the operator and returns it.
    fn pay_out(controller: &T::AccountId) -> Result<BalanceOf<T>, DispatchError> {
        let amount = Ledgers::<T>::get(controller).payable;
        if amount.is_zero() {
            return Ok(amount);
        }
        let purse = Self::purse_account();
        T::Currency::transfer(&purse, controller, amount, Preservation::Preserve)?;
        Ledgers::<T>::mutate(controller, |ledger| ledger.payable = Zero::zero());
        let controller = controller.clone();
        Self::deposit_event(Event::Withdrawn { controller, amount });
        Ok(amount)
    }

    pub(crate) fn do_rotate_key(controller: T::AccountId, new: T::AccountId) -> DispatchResult {
        let old = Self::try_mutate(&controller, |operator| {
            Self::link_key(&controller, &new)?;
            Ok(core::mem::replace(&mut operator.key, new.clone()))
        })?;
        Self::unlink_key(&old);
        Self::deposit_event(Event::KeyRotated {
            controller,
            old,
            new,
        });
        Ok(())
    }

    pub(crate) fn do_report_device(key: T::AccountId, device: Device) -> DispatchResult {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        let report = DeviceReport {
            device: device.clone(),
            at: Self::now(),
        };
        Devices::<T>::insert(&controller, report);
        Self::deposit_event(Event::DeviceReported { controller, device });
        Ok(())
    }

    pub(crate) fn do_set_endpoint(key: T::AccountId, endpoint: Option<Endpoint>) -> DispatchResult {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        Self::check_endpoint(&endpoint)?;
        let report = EndpointReport {
            endpoint: endpoint.clone(),
            at: Self::now(),
        };
        Endpoints::<T>::insert(&controller, report);
        Self::deposit_event(Event::EndpointSet {
            controller,
            endpoint,
        });
        Ok(())
    }

    /// Refuses an endpoint without an address that could name a machine.
    pub(crate) fn check_endpoint(endpoint: &Option<Endpoint>) -> Result<(), Error<T>> {
        let is_possible = endpoint.as_ref().is_none_or(|endpoint| {
            let addresses = &endpoint.addresses;
            !addresses.is_empty() && addresses.iter().all(NetworkAddress::is_possible)
        });
        ensure!(is_possible, Error::<T>::AddressImpossible);
        Ok(())
    }

    /// Lets `key` sign for `controller` without owning anything.
    fn link_key(controller: &T::AccountId, key: &T::AccountId) -> DispatchResult {
        ensure!(key != controller, Error::<T>::KeyIsController);
        ensure!(!Keys::<T>::contains_key(key), Error::<T>::KeyTaken);
        frame_system::Pallet::<T>::inc_sufficients(key);
        Keys::<T>::insert(key, controller);
        Ok(())
    }

    fn unlink_key(key: &T::AccountId) {
        Keys::<T>::remove(key);
        frame_system::Pallet::<T>::dec_sufficients(key);
    }
}
