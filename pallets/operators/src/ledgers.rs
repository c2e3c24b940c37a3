//! The ledgers of operators, and the purse that holds the amounts credited in them.

use crate::{BalanceOf, Config, Error, Event, Operators, Pallet};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::Preservation,
    },
    PalletId,
};
use sp_runtime::{
    traits::{AccountIdConversion, Zero},
    DispatchError,
};

/// The id of the purse account, which has no key.
const PURSE: PalletId = PalletId(*b"noema/pu");

impl<T: Config> Pallet<T> {
    pub(crate) fn do_withdraw(controller: T::AccountId) -> DispatchResult {
        let amount = Self::pay_out(&controller)?;
        ensure!(!amount.is_zero(), Error::<T>::NothingToWithdraw);
        Ok(())
    }

    /// Transfers the credited amount from the purse to the operator and returns it.
    pub(crate) fn pay_out(controller: &T::AccountId) -> Result<BalanceOf<T>, DispatchError> {
        let Some(mut operator) = Operators::<T>::get(controller) else {
            return Ok(Zero::zero());
        };
        let amount = core::mem::take(&mut operator.ledger.payable);
        if amount.is_zero() {
            return Ok(amount);
        }
        let purse = Self::purse_account();
        T::Currency::transfer(&purse, controller, amount, Preservation::Preserve)?;
        Operators::<T>::insert(controller, operator);
        let controller = controller.clone();
        Self::deposit_event(Event::Withdrawn { controller, amount });
        Ok(amount)
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
}
