//! Claims: each record of work is paid once.

use crate::{Books, ClosedEpoch, Config, CurrentEpoch, Epochs, Error, Event, Pallet, WorkDone};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::Provenance,
    },
};
use noema_economics::Balance;
use noema_interfaces::KeepWork;
use noema_protocol::PerWork;

impl<T: Config> Pallet<T> {
    /// The reward of an account for an epoch, and its work in it.
    pub(crate) fn claimable(
        account: &T::AccountId,
        epoch: u32,
    ) -> Result<(ClosedEpoch, PerWork<u64>, Balance), Error<T>> {
        ensure!(epoch < CurrentEpoch::<T>::get(), Error::<T>::EpochNotClosed);
        ensure!(!Self::is_expired(epoch), Error::<T>::EpochExpired);
        let amounts = Self::work_of(account, epoch);
        let closed = Epochs::<T>::get(epoch).ok_or(Error::<T>::NothingToClaim)?;
        let reward = closed.reward(&amounts);
        ensure!(reward > 0, Error::<T>::NothingToClaim);
        T::Currency::can_deposit(account, reward, Provenance::Minted)
            .into_result()
            .map_err(|_| Error::<T>::CannotReceive)?;
        Ok((closed, amounts, reward))
    }

    pub(crate) fn do_claim(account: T::AccountId, epoch: u32) -> DispatchResult {
        let (mut closed, amounts, amount) = Self::claimable(&account, epoch)?;
        T::Currency::mint_into(&account, amount)?;
        closed.claim(&amounts, amount);
        WorkDone::<T>::remove(epoch, &account);
        T::Recent::forget(&account, epoch);
        Epochs::<T>::insert(epoch, closed);
        Books::<T>::mutate(|books| books.pay(amount));
        Self::deposit_event(Event::Claimed {
            account,
            epoch,
            amount,
        });
        Ok(())
    }
}
