//! What the calls do, once their origin is known.

use crate::{
    Address, BalanceOf, Config, Device, DeviceReport, Devices, Endpoint, EndpointReport, Endpoints,
    Error, Event, HoldReason, Keys, Ledgers, Operator, Operators, Pallet, Roles, Served, Servers,
};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{fungible::hold::Mutate, tokens::Precision, Get},
};
use noema_protocol::{
    interfaces::{Checkpoints, Prices, Role},
    CheckpointId,
};
use sp_runtime::{
    traits::{CheckedAdd, Saturating},
    ArithmeticError,
};

impl<T: Config> Pallet<T> {
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
        let operator = Operator {
            key: key.clone(),
            roles,
            prices: if roles.worker {
                prices
            } else {
                Prices::default()
            },
            bond,
            engagements: 0,
            heartbeat: Self::now(),
            withdrawable_at: None,
        };
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
        Self::try_mutate(&controller, |operator| {
            ensure!(operator.roles.worker, Error::<T>::NotAWorker);
            operator.prices = prices;
            Ok(())
        })?;
        Self::deposit_event(Event::PricesSet { controller, prices });
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
            ensure!(!served.contains(&checkpoint), Error::<T>::AlreadyServing);
            served
                .try_push(checkpoint)
                .map_err(|_| Error::<T>::TooManyServed)?;
            Ok(())
        })?;
        for role in operator.roles.serving() {
            Self::list(&controller, operator.bond, checkpoint, role)?;
        }
        Self::deposit_event(Event::ServingStarted {
            controller,
            checkpoint,
        });
        Ok(())
    }

    pub(crate) fn do_stop_serving(
        controller: T::AccountId,
        checkpoint: CheckpointId,
    ) -> DispatchResult {
        Self::unserve(&controller, checkpoint)?;
        Self::deposit_event(Event::ServingStopped {
            controller,
            checkpoint,
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
        if Served::<T>::get(&controller).contains(&canonical) {
            return Ok(());
        }
        Self::do_serve(controller, canonical)
    }

    pub(crate) fn do_heartbeat(key: T::AccountId) -> DispatchResult {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        Self::try_mutate(&controller, |operator| {
            operator.heartbeat = Self::now();
            Ok(())
        })?;
        Self::deposit_event(Event::HeartbeatReceived { controller });
        Ok(())
    }

    pub(crate) fn do_bond_extra(controller: T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
        let bond = Self::try_mutate(&controller, |operator| {
            operator.bond = operator
                .bond
                .checked_add(&amount)
                .ok_or(ArithmeticError::Overflow)?;
            Ok(operator.bond)
        })?;
        T::Currency::hold(&HoldReason::Bond.into(), &controller, amount)?;
        Self::deposit_event(Event::BondIncreased {
            controller,
            amount,
            bond,
        });
        Ok(())
    }

    pub(crate) fn do_start_unbonding(controller: T::AccountId) -> DispatchResult {
        let withdrawable_at = Self::now().saturating_add(T::UnbondingDelay::get());
        Self::try_mutate(&controller, |operator| {
            ensure!(operator.withdrawable_at.is_none(), Error::<T>::Leaving);
            operator.withdrawable_at = Some(withdrawable_at);
            Ok(())
        })?;
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
        ensure!(operator.engagements == 0, Error::<T>::Engaged);
        let reason = HoldReason::Bond.into();
        let amount = T::Currency::release(&reason, &controller, operator.bond, Precision::Exact)?;
        for checkpoint in Served::<T>::take(&controller) {
            for role in operator.roles.serving() {
                Self::unlist(&controller, checkpoint, role);
            }
        }
        Self::unlink_key(&operator.key);
        Devices::<T>::remove(&controller);
        Endpoints::<T>::remove(&controller);
        Ledgers::<T>::remove(&controller);
        Operators::<T>::remove(&controller);
        Self::deposit_event(Event::BondWithdrawn { controller, amount });
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
            !addresses.is_empty() && addresses.iter().all(Address::is_possible)
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

    /// Puts an operator with `bond` on the list of `role`, in place of the least standing if the list
    /// is full.
    fn list(
        controller: &T::AccountId,
        bond: BalanceOf<T>,
        checkpoint: CheckpointId,
        role: Role,
    ) -> DispatchResult {
        let servers = Servers::<T>::get(checkpoint, role);
        if servers.is_full() {
            let (least, smallest) = servers
                .iter()
                .map(|server| (Self::standing_of(server), server))
                .min_by_key(|(standing, _)| *standing)
                .ok_or(Error::<T>::ServersFull)?;
            ensure!(least < bond, Error::<T>::ServersFull);
            Self::unserve(smallest, checkpoint)?;
            Self::deposit_event(Event::Displaced {
                controller: smallest.clone(),
                checkpoint,
                by: controller.clone(),
            });
        }
        Servers::<T>::try_append(checkpoint, role, controller.clone())
            .map_err(|()| Error::<T>::ServersFull)?;
        Ok(())
    }

    /// Takes `checkpoint` from what an operator serves, and the operator from its lists.
    fn unserve(controller: &T::AccountId, checkpoint: CheckpointId) -> DispatchResult {
        let operator = Self::registered(controller)?;
        Served::<T>::try_mutate_exists(controller, |slot| {
            let mut served = slot.take().unwrap_or_default();
            let index = served.iter().position(|other| *other == checkpoint);
            served.remove(index.ok_or(Error::<T>::NotServing)?);
            *slot = Some(served).filter(|served| !served.is_empty());
            Ok::<_, Error<T>>(())
        })?;
        for role in operator.roles.serving() {
            Self::unlist(controller, checkpoint, role);
        }
        Ok(())
    }

    fn unlist(controller: &T::AccountId, checkpoint: CheckpointId, role: Role) {
        Servers::<T>::mutate_exists(checkpoint, role, |slot| {
            let mut servers = slot.take().unwrap_or_default();
            servers.retain(|server| server != controller);
            *slot = Some(servers).filter(|servers| !servers.is_empty());
        });
    }
}
