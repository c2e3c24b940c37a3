//! Registering operators, and the hot keys that submit for them.

use crate::{
    BalanceOf, Config, Controllers, Error, Event, HoldReason, Keys, NextIndex, Operator,
    OperatorIndex, OperatorOf, Operators, Pallet, Presence, Roles,
};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{fungible::hold::Mutate, Get},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{hashing, Prices};
use noema_terms::{TermIndex, Versions};
use sp_runtime::{
    traits::{Verify, Zero},
    DispatchError,
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
            reserved: Versions::constant(Zero::zero()),
            locked: Zero::zero(),
            chosen: Zero::zero(),
            locks: 0,
            presence: Presence::From(TermIndex(0)),
            withdrawable_at: None,
            ledger: Default::default(),
            load: Default::default(),
            check_backlog: 0,
            work: Default::default(),
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

    /// Lets `key` sign for `controller` without owning anything.
    fn link_key(controller: &T::AccountId, key: &T::AccountId) -> DispatchResult {
        ensure!(key != controller, Error::<T>::KeyIsController);
        ensure!(!Keys::<T>::contains_key(key), Error::<T>::KeyTaken);
        frame_system::Pallet::<T>::inc_sufficients(key);
        Keys::<T>::insert(key, controller);
        Ok(())
    }

    pub(crate) fn unlink_key(key: &T::AccountId) {
        Keys::<T>::remove(key);
        frame_system::Pallet::<T>::dec_sufficients(key);
    }

    pub(crate) fn registered(controller: &T::AccountId) -> Result<OperatorOf<T>, Error<T>> {
        Operators::<T>::get(controller).ok_or(Error::<T>::NotRegistered)
    }

    pub(crate) fn try_mutate<R>(
        controller: &T::AccountId,
        change: impl FnOnce(&mut OperatorOf<T>) -> Result<R, DispatchError>,
    ) -> Result<R, DispatchError> {
        Operators::<T>::try_mutate(controller, |operator| {
            change(operator.as_mut().ok_or(Error::<T>::NotRegistered)?)
        })
    }
}
