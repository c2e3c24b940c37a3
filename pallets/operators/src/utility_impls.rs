//! What several calls need.

use crate::{
    BalanceOf, Config, Devices, Entry, Error, Idle, LedgerOf, Ledgers, OperatorInfo,
    OperatorInfoOf, OperatorOf, Operators, Pallet, Reason, Served, Servers,
};
use alloc::vec::Vec;
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{
    interfaces::{Candidate, Role},
    CheckpointId, Job,
};
use sp_runtime::{traits::Saturating, DispatchError};

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
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

    pub(crate) fn bond_of(controller: &T::AccountId) -> BalanceOf<T> {
        Operators::<T>::get(controller).map_or_else(Default::default, |operator| operator.bond)
    }

    /// What an operator's place in a list is worth: its bond, nothing if it would not be drawn even
    /// with no job open.
    pub(crate) fn standing_of(controller: &T::AccountId) -> BalanceOf<T> {
        Operators::<T>::get(controller)
            .filter(|operator| matches!(Self::idle(operator), None | Some(Idle::FullyEngaged)))
            .map_or_else(Default::default, |operator| operator.bond)
    }

    /// Why an operator is not drawn now.
    pub(crate) fn idle(operator: &OperatorOf<T>) -> Option<Idle> {
        let silence = Self::now().saturating_sub(operator.heartbeat);
        if operator.withdrawable_at.is_some() {
            Some(Idle::Leaving)
        } else if operator.bond < T::MinBond::get() {
            Some(Idle::Suspended)
        } else if silence > T::HeartbeatPeriod::get() {
            Some(Idle::Silent)
        } else if operator.engagements >= T::MaxEngagements::get() {
            Some(Idle::FullyEngaged)
        } else {
            None
        }
    }

    /// The operators that may be drawn now, in the order of their list.
    pub(crate) fn live(
        role: Role,
        checkpoint: &CheckpointId,
    ) -> Vec<Candidate<T::AccountId, BalanceOf<T>>> {
        Servers::<T>::get(checkpoint, role)
            .into_iter()
            .filter_map(|controller| {
                let operator = Operators::<T>::get(&controller)?;
                let drawable = Self::idle(&operator).is_none();
                drawable.then_some(Candidate {
                    controller,
                    bond: operator.bond,
                    prices: match role {
                        Role::Worker => operator.prices,
                        Role::Validator | Role::Trainer => Default::default(),
                    },
                })
            })
            .collect()
    }

    pub(crate) fn info(controller: T::AccountId) -> Option<OperatorInfoOf<T>> {
        let operator = Operators::<T>::get(&controller)?;
        Some(OperatorInfo {
            idle: Self::idle(&operator),
            operator,
            serves: Served::<T>::get(&controller).into_inner(),
            device: Devices::<T>::get(&controller),
        })
    }

    /// Adds an entry to the ledger of `controller`, in place of the oldest if it is full.
    pub(crate) fn enter(
        controller: &T::AccountId,
        job: Job,
        reason: Reason,
        amount: BalanceOf<T>,
        total: impl FnOnce(&mut LedgerOf<T>) -> &mut BalanceOf<T>,
    ) {
        Ledgers::<T>::mutate(controller, |ledger| {
            let total = total(ledger);
            *total = total.saturating_add(amount);
            if ledger.recent.is_full() {
                ledger.recent.remove(0);
            }
            let entry = Entry {
                at: Self::now(),
                job,
                reason,
                amount,
            };
            // There is room: the oldest entry has just gone.
            let _ = ledger.recent.try_push(entry);
        });
    }
}
