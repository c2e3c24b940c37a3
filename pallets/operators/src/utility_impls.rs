//! Functions that several calls share.

use crate::{
    BalanceOf, Config, Devices, Error, Idle, LedgerOf, Ledgers, OperatorInfo, OperatorInfoOf,
    OperatorOf, Operators, Pallet, Served,
};
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate},
        Get,
    },
    PalletId,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    traits::{AccountIdConversion, Saturating},
    DispatchError, DispatchResult,
};

/// The id of the purse account, which has no key.
const PURSE: PalletId = PalletId(*b"noema/pu");

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

    /// Whether an operator belongs in rosters: bonded with at least the least bond, not leaving, not
    /// absent.
    pub(crate) fn is_fit(operator: &OperatorOf<T>) -> bool {
        matches!(Self::idle(operator), None | Some(Idle::Returning))
    }

    /// The reason for which an operator is not drawn in the present term.
    pub(crate) fn idle(operator: &OperatorOf<T>) -> Option<Idle> {
        if operator.withdrawable_at.is_some() {
            Some(Idle::Leaving)
        } else if operator.bond < T::MinBond::get() {
            Some(Idle::Suspended)
        } else if operator.is_absent() {
            Some(Idle::Absent)
        } else if !operator.is_present(Self::term()) {
            Some(Idle::Returning)
        } else {
            None
        }
    }

    pub(crate) fn info(controller: T::AccountId) -> Option<OperatorInfoOf<T>> {
        let operator = Operators::<T>::get(&controller)?;
        let served = Served::<T>::get(&controller);
        Some(OperatorInfo {
            idle: Self::idle(&operator),
            operator,
            serves: served.iter().map(|serving| serving.checkpoint).collect(),
            device: Devices::<T>::get(&controller),
        })
    }

    pub(crate) fn purse_account() -> T::AccountId {
        PURSE.into_account_truncating()
    }

    /// Gives the purse the existential deposit on top of its debts, so that any amount can be paid into it
    /// and all its debts can be paid out.
    pub(crate) fn open_purse() -> DispatchResult {
        let purse = Self::purse_account();
        if T::Currency::total_balance(&purse) < T::Currency::minimum_balance() {
            T::Currency::mint_into(&purse, T::Currency::minimum_balance())?;
        }
        Ok(())
    }

    /// Adds `amount` to some of the totals of a ledger.
    pub(crate) fn enter<const N: usize>(
        controller: &T::AccountId,
        amount: BalanceOf<T>,
        totals: impl FnOnce(&mut LedgerOf<T>) -> [&mut BalanceOf<T>; N],
    ) {
        Ledgers::<T>::mutate(controller, |ledger| {
            for total in totals(ledger) {
                *total = total.saturating_add(amount);
            }
        });
    }
}
