//! Which calls are duties of hot keys, and until when.

use crate::{checking::Changed, Call, ClaimOf, Config, Error, Pallet, WeightInfo};
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::ClaimStage;
use noema_protocol::ClaimId;
use pallet_duties::{try_out, AsDuty, Duty};
use sp_runtime::DispatchError;

type DutyOf<T> = Duty<BlockNumberFor<T>>;

impl<T: Config> AsDuty<T::AccountId, BlockNumberFor<T>> for Call<T> {
    fn as_duty(
        &self,
        key: &T::AccountId,
        _signed_at: BlockNumberFor<T>,
    ) -> Option<Result<DutyOf<T>, DispatchError>> {
        Some(match self {
            Call::commit_check {
                claim,
                leaf,
                commitment,
            } => Pallet::<T>::commit(key, *claim, *leaf, *commitment)
                .map_err(DispatchError::from)
                .and_then(|Changed { operator, kept, .. }| {
                    let duty =
                        Pallet::<T>::check_duty("claims/commit", operator, &kept.claim, *leaf);
                    duty.map(|duty| duty.checked_in(T::WeightInfo::verify_commitment()))
                }),
            Call::reveal_check {
                claim,
                leaf,
                receipt,
                path,
                proof,
                salt,
            } => Pallet::<T>::reveal(key, *claim, *leaf, receipt, path, proof, *salt)
                .map_err(DispatchError::from)
                .and_then(|Changed { operator, kept, .. }| {
                    let duty =
                        Pallet::<T>::check_duty("claims/reveal", operator, &kept.claim, *leaf);
                    duty.map(|duty| duty.checked_in(T::WeightInfo::verify_reveal()))
                }),
            Call::reveal_session_check {
                claim,
                leaf,
                receipt,
                path,
                proof,
                salt,
            } => Pallet::<T>::reveal_session(key, *claim, *leaf, receipt, path, proof, *salt)
                .map_err(DispatchError::from)
                .and_then(|Changed { operator, kept, .. }| {
                    let duty =
                        Pallet::<T>::check_duty("claims/reveal", operator, &kept.claim, *leaf);
                    duty.map(|duty| duty.checked_in(T::WeightInfo::verify_reveal()))
                }),
            Call::demand_leaf { claim, leaf } => Pallet::<T>::demand(key, *claim, *leaf)
                .map_err(DispatchError::from)
                .and_then(|Changed { operator, kept, .. }| {
                    Pallet::<T>::check_duty("claims/demand", operator, &kept.claim, *leaf)
                }),
            Call::post_leaf {
                claim,
                leaf,
                receipt,
                path,
                prompt,
                answer,
            } => Pallet::<T>::post(key, *claim, *leaf, receipt, path, prompt, answer)
                .map(|posted| Pallet::<T>::post_duty(&posted.kept.claim, *leaf))
                .map_err(DispatchError::from),
            Call::challenge { claim, leaf } => Pallet::<T>::challenge_duty(key, *claim, *leaf),
            _ => return None,
        })
    }
}

impl<T: Config> Pallet<T> {
    fn post_duty(claim: &ClaimOf<T>, leaf: u32) -> DutyOf<T> {
        let mut demands = claim.demands.iter();
        let demand = demands.find(|demand| demand.leaf == leaf);
        let until = demand.map_or_else(Self::now, |demand| demand.until);
        Duty::new("claims/post", (claim.id, leaf), until)
    }

    fn check_duty(
        name: &'static str,
        validator: T::AccountId,
        claim: &ClaimOf<T>,
        leaf: u32,
    ) -> Result<DutyOf<T>, DispatchError> {
        match claim.stage {
            ClaimStage::Committing { until } | ClaimStage::Revealing { until } => {
                Ok(Duty::new(name, (claim.id, leaf, validator), until))
            }
            _ => Err(Error::<T>::TooLate.into()),
        }
    }

    /// Only the challenge of a validator with an open step is a duty: it is the only challenger that has a
    /// stake already.
    fn challenge_duty(
        key: &T::AccountId,
        id: ClaimId,
        leaf: u32,
    ) -> Result<DutyOf<T>, DispatchError> {
        let validator = Self::controller(key)?;
        let kept = Self::load(id)?;
        ensure!(
            kept.claim.has_open_seat(&validator, leaf, Self::now()),
            Error::<T>::NotDrawn
        );
        // Executing the call and rolling it back shows whether a dispute can be joined.
        try_out(|| Self::do_challenge(key.clone(), id, leaf))?;
        Self::check_duty("claims/challenge", validator, &kept.claim, leaf)
    }
}
