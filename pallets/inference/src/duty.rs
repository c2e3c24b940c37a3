//! Which calls are duties of hot keys, and until when.

use crate::{case::Case, panel, Call, Config, Error, Pallet, Phase, Stage};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{interfaces::Operators, Receipt, RequestId, VerdictReveal};
use pallet_duties::{try_out, AsDuty, Duty};
use sp_core::H256;
use sp_runtime::DispatchError;

type DutyOf<T> = Duty<BlockNumberFor<T>>;

impl<T: Config> AsDuty<T::AccountId, BlockNumberFor<T>> for Call<T> {
    fn as_duty(
        &self,
        key: &T::AccountId,
        _signed_at: BlockNumberFor<T>,
    ) -> Option<Result<DutyOf<T>, DispatchError>> {
        Some(match self {
            Call::submit_result {
                request,
                tokens,
                text,
                receipt,
            } => Pallet::<T>::answer_duty(key, *request, tokens, text, receipt),
            Call::commit_verdict {
                request,
                commitment,
            } => Pallet::<T>::commit_duty(key, *request, *commitment),
            Call::reveal_verdict {
                request,
                verdict,
                digest,
                salt,
            } => {
                let reveal = VerdictReveal {
                    verdict: *verdict,
                    digest: *digest,
                    salt: *salt,
                };
                Pallet::<T>::reveal_duty(key, *request, &reveal)
            }
            Call::object { request, .. } => Pallet::<T>::objection_duty(key, *request),
            _ => return None,
        })
    }
}

impl<T: Config> Pallet<T> {
    fn answer_duty(
        key: &T::AccountId,
        request: RequestId,
        tokens: &[u32],
        text: &[u8],
        receipt: &Receipt,
    ) -> Result<DutyOf<T>, DispatchError> {
        let case = Case::<T>::load(request)?;
        let worker = Self::check_answer(key, &case, tokens, text, receipt)?;
        match case.request.phase {
            Phase::Answering { deadline } => {
                Ok(Duty::new("inference/answer", (request, worker), deadline))
            }
            _ => Err(Error::<T>::TooLate.into()),
        }
    }

    fn commit_duty(
        key: &T::AccountId,
        request: RequestId,
        commitment: H256,
    ) -> Result<DutyOf<T>, DispatchError> {
        let (validator, mut case) = Self::validator_and_case(key, request)?;
        let now = frame_system::Pallet::<T>::block_number();
        let check = &mut case.check;
        let seats = check.seats.as_mut();
        panel::commit(&check.stage, seats, &validator, commitment, now)
            .map_err(Error::<T>::from)?;
        Self::panel_duty("inference/commit", request, validator, &check.stage)
    }

    fn reveal_duty(
        key: &T::AccountId,
        request: RequestId,
        reveal: &VerdictReveal,
    ) -> Result<DutyOf<T>, DispatchError> {
        let (validator, mut case) = Self::validator_and_case(key, request)?;
        let now = frame_system::Pallet::<T>::block_number();
        let check = &mut case.check;
        let seats = check.seats.as_mut();
        panel::reveal(&check.stage, seats, request, &validator, reveal, now)
            .map_err(Error::<T>::from)?;
        Self::panel_duty("inference/reveal", request, validator, &check.stage)
    }

    fn panel_duty(
        name: &'static str,
        request: RequestId,
        validator: T::AccountId,
        stage: &Stage<BlockNumberFor<T>>,
    ) -> Result<DutyOf<T>, DispatchError> {
        match stage {
            Stage::Committing { deadline } | Stage::Revealing { deadline } => {
                Ok(Duty::new(name, (request, validator), *deadline))
            }
            Stage::Idle => Err(Error::<T>::TooLate.into()),
        }
    }

    fn objection_duty(key: &T::AccountId, request: RequestId) -> Result<DutyOf<T>, DispatchError> {
        let case = Case::<T>::load(request)?;
        let now = frame_system::Pallet::<T>::block_number();
        let (validator, _) = Self::check_objection(key, &case, now)?;
        // Whether the bond can be tied is known by trying.
        try_out(|| match case.engage(&validator) {
            true => Ok(()),
            false => Err(Error::<T>::BondUnavailable.into()),
        })?;
        match case.request.phase {
            Phase::Objectable { deadline } => Ok(Duty::new(
                "inference/object",
                (request, validator),
                deadline,
            )),
            _ => Err(Error::<T>::TooLate.into()),
        }
    }

    fn validator_and_case(
        key: &T::AccountId,
        request: RequestId,
    ) -> Result<(T::AccountId, Case<T>), Error<T>> {
        let validator = T::Operators::controller_of(key).ok_or(Error::<T>::NotAnOperator)?;
        Ok((validator, Case::<T>::load(request)?))
    }
}
