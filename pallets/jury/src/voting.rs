//! The calls in a dispute: jurors commit and reveal, any account appeals.

use crate::{Config, Error, Event, HoldReason, OpenDisputeOf, OpenDisputes, Pallet};
use frame_support::{ensure, pallet_prelude::DispatchResult, traits::fungible::MutateHold};
use noema_interfaces::{Operators, RelayRandomness as _};
use noema_protocol::{ClaimId, Verdict};
use sp_core::H256;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_commit(
        key: T::AccountId,
        claim: ClaimId,
        leaf: u32,
        commitment: H256,
    ) -> DispatchResult {
        let (juror, open) = Self::committed(&key, claim, leaf, commitment)?;
        Self::file(open, Self::now());
        Self::deposit_event(Event::VerdictCommitted { claim, leaf, juror });
        Ok(())
    }

    pub(crate) fn do_reveal(
        key: T::AccountId,
        claim: ClaimId,
        leaf: u32,
        verdict: Verdict,
        salt: H256,
    ) -> DispatchResult {
        let (juror, open) = Self::revealed(&key, claim, leaf, verdict, salt)?;
        Self::file(open, Self::now());
        Self::deposit_event(Event::VerdictRevealed {
            claim,
            leaf,
            juror,
            verdict,
        });
        Ok(())
    }

    pub(crate) fn do_appeal(who: T::AccountId, claim: ClaimId, leaf: u32) -> DispatchResult {
        let mut open = Self::load(claim, leaf)?;
        // The dispute over a claim that has ended is only dropped.
        ensure!(!Self::has_ended(claim), Error::<T>::NotDisputed);
        let now = Self::now();
        let dispute = &mut open.dispute;
        dispute
            .appeal(&who, now, T::Claims::relay_block())
            .map_err(Error::<T>::from)?;
        let bond = dispute.terms.appeal_bond;
        T::Currency::hold(&HoldReason::Appeal.into(), &who, bond)
            .map_err(|_| Error::<T>::FundsTooLow)?;
        Self::file(open, now);
        Self::deposit_event(Event::Appealed {
            claim,
            leaf,
            by: who,
            bond,
        });
        Ok(())
    }

    /// The juror behind a hot key, and the dispute with its commitment; nothing is stored.
    pub(crate) fn committed(
        key: &T::AccountId,
        claim: ClaimId,
        leaf: u32,
        commitment: H256,
    ) -> Result<(T::AccountId, OpenDisputeOf<T>), Error<T>> {
        let (juror, mut open) = Self::juror(key, claim, leaf)?;
        open.dispute.commit(&juror, commitment, Self::now())?;
        Ok((juror, open))
    }

    /// The juror behind a hot key, and the dispute with its verdict; nothing is stored.
    pub(crate) fn revealed(
        key: &T::AccountId,
        claim: ClaimId,
        leaf: u32,
        verdict: Verdict,
        salt: H256,
    ) -> Result<(T::AccountId, OpenDisputeOf<T>), Error<T>> {
        let (juror, mut open) = Self::juror(key, claim, leaf)?;
        open.dispute.reveal(&juror, verdict, salt, Self::now())?;
        Ok((juror, open))
    }

    fn juror(
        key: &T::AccountId,
        claim: ClaimId,
        leaf: u32,
    ) -> Result<(T::AccountId, OpenDisputeOf<T>), Error<T>> {
        let juror = T::Operators::controller_of(key).ok_or(Error::<T>::NotAnOperator)?;
        Ok((juror, Self::load(claim, leaf)?))
    }

    fn load(claim: ClaimId, leaf: u32) -> Result<OpenDisputeOf<T>, Error<T>> {
        OpenDisputes::<T>::get(claim, leaf).ok_or(Error::<T>::NotDisputed)
    }
}
