//! The interface to other pallets: making claims, their money, and the decisions of the referee.

use crate::{Claims, Config, Error, Event, HoldReason, Kept, NextClaim, Pallet};
use alloc::vec::Vec;
use frame_support::traits::{
    fungible::{InspectHold, MutateHold},
    tokens::Precision,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{Beacon, Claim, ClaimTerms, Decision, RelayBlock};
use noema_economics::Balance;
use noema_interfaces::BlockRandomness;
use noema_protocol::{ClaimId, Job};
use sp_runtime::DispatchError;

impl<T: Config> noema_interfaces::RelayRandomness for Pallet<T> {
    fn relay_block() -> RelayBlock {
        T::Randomness::relay_block()
    }

    fn beacon() -> Beacon {
        crate::LatestValues::<T>::get()
    }
}

impl<T: Config> noema_interfaces::Claims<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    type Error = DispatchError;

    fn hold(payer: &T::AccountId, amount: Balance) -> Result<(), DispatchError> {
        T::Currency::hold(&HoldReason::Payment.into(), payer, amount)
            .map_err(|_| Error::<T>::FundsTooLow.into())
    }

    fn release(payer: &T::AccountId, amount: Balance) -> Balance {
        if amount == 0 {
            return 0;
        }
        let reason = HoldReason::Payment.into();
        T::Currency::release(&reason, payer, amount, Precision::BestEffort).unwrap_or(0)
    }

    fn make(
        job: Job,
        terms: ClaimTerms<T::AccountId, BlockNumberFor<T>>,
        surplus: Balance,
    ) -> Result<ClaimId, DispatchError> {
        let id = NextClaim::<T>::get();
        let relay = T::Randomness::relay_block();
        let (claimant, root) = (terms.claimant.clone(), terms.root);
        let claim = Claim::new(id, terms, Self::now(), relay).map_err(Error::<T>::from)?;
        NextClaim::<T>::put(ClaimId(id.0.saturating_add(1)));
        let kept = Kept {
            claim,
            job,
            surplus,
            turn: None,
        };
        Claims::<T>::insert(id, kept);
        Self::deposit_event(Event::ClaimMade {
            claim: id,
            job,
            claimant,
            root,
        });
        Ok(id)
    }

    fn prune(id: ClaimId) {
        Claims::<T>::remove(id);
        Self::deposit_event(Event::Pruned { claim: id });
    }

    fn claim(id: ClaimId) -> Option<Claim<T::AccountId, BlockNumberFor<T>>> {
        Claims::<T>::get(id).map(|kept| kept.claim)
    }

    fn kept() -> Vec<(ClaimId, Job)> {
        Claims::<T>::iter()
            .map(|(id, kept)| (id, kept.job))
            .collect()
    }

    fn owed() -> Vec<(T::AccountId, Balance)> {
        Self::owed_by_payers().into_iter().collect()
    }

    fn held(payer: &T::AccountId) -> Balance {
        T::Currency::balance_on_hold(&HoldReason::Payment.into(), payer)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn shared_keys() -> Vec<Vec<u8>> {
        use noema_interfaces::Operators as _;

        let own = [
            NextClaim::<T>::hashed_key().to_vec(),
            frame_system::Account::<T>::hashed_key_for(T::Operators::purse()),
        ];
        own.into_iter().chain(T::Operators::shared_keys()).collect()
    }
}

impl<T: Config> noema_interfaces::Disputes<T::AccountId> for Pallet<T> {
    fn challengers(claim: ClaimId, leaf: u32) -> Vec<T::AccountId> {
        let challengers = crate::Disputes::<T>::get(claim, leaf);
        challengers.into_iter().map(|other| other.account).collect()
    }

    fn conclude(claim: ClaimId, leaf: u32, decision: Decision, payees: &[T::AccountId]) {
        Self::do_conclude(claim, leaf, decision, payees);
    }
}
