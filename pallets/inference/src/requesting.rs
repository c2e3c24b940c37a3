//! From a request to a worker.

use crate::{
    case::Case, Assignment, Balance, Config, Error, Event, HoldReason, LiveRequests, NextRequestId,
    Pallet, Payments, Phase, Prompts, Rates, RefundReason, Request,
};
use alloc::vec::Vec;
use frame_support::{
    ensure,
    traits::{fungible::MutateHold, Get},
    BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_economics::{answer_price, quote, Quote};
use noema_protocol::{
    hashing,
    interfaces::{BlockRandomness, Candidate, Checkpoints, Operators, Prices, Role},
    CheckpointId, ParameterError, RequestId, SamplingParameters,
};
use sp_core::H256;
use sp_runtime::{
    traits::{One, Saturating},
    DispatchResult,
};

impl<T: Config> From<ParameterError> for Error<T> {
    fn from(error: ParameterError) -> Self {
        match error {
            ParameterError::NoTokens => Self::NoTokensRequested,
            ParameterError::TemperatureTooHigh => Self::TemperatureTooHigh,
            _ => Self::TopPOutOfRange,
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_request(
        requester: T::AccountId,
        checkpoint: CheckpointId,
        prompt: Vec<u8>,
        parameters: SamplingParameters,
        price_limit: Balance,
    ) -> DispatchResult {
        ensure!(!prompt.is_empty(), Error::<T>::PromptEmpty);
        let prompt: BoundedVec<u8, T::MaxPromptBytes> =
            prompt.try_into().map_err(|_| Error::<T>::PromptTooLong)?;
        ensure!(
            core::str::from_utf8(&prompt).is_ok(),
            Error::<T>::PromptNotUtf8
        );
        parameters.validate().map_err(Error::<T>::from)?;
        let Some(limits) = T::Checkpoints::active(&checkpoint) else {
            let is_known = T::Checkpoints::exists(&checkpoint);
            ensure!(is_known, Error::<T>::CheckpointUnknown);
            return Err(Error::<T>::CheckpointInactive.into());
        };
        let max_tokens = u32::from(parameters.max_tokens);
        ensure!(
            max_tokens <= T::MaxOutputTokens::get() && max_tokens < limits.context_length,
            Error::<T>::TooManyTokensRequested
        );
        let live = LiveRequests::<T>::get();
        ensure!(live < T::MaxLiveRequests::get(), Error::<T>::TooBusy);

        let (windows, rates) = (T::Windows::get(), T::Rates::get());
        ensure!(
            windows.check(&Self::largest()).is_ok() && rates.check().is_ok(),
            Error::<T>::ParametersUnworkable
        );

        let prompt_bytes = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
        T::Currency::hold(&HoldReason::Escrow.into(), &requester, price_limit)
            .map_err(|_| Error::<T>::FundsTooLow)?;

        let id = NextRequestId::<T>::mutate(|next| {
            let id = *next;
            next.0 = next.0.saturating_add(1);
            id
        });
        let now = frame_system::Pallet::<T>::block_number();
        let expires_at = now.saturating_add(windows.expiry.into());
        let prompt_hash = hashing::prompt_hash(&prompt);
        Prompts::<T>::insert(id, prompt);
        LiveRequests::<T>::put(live.saturating_add(1));
        let mut case = Case::<T> {
            id,
            request: Request {
                requester: requester.clone(),
                checkpoint,
                limits,
                parameters,
                prompt_hash,
                prompt_bytes,
                price_limit,
                escrow: price_limit,
                windows,
                rates,
                requested_at: now,
                expires_at,
                phase: Phase::Waiting,
                due: None,
                assignment: None,
                missed: BoundedVec::new(),
                payments: None,
            },
            check: Default::default(),
        };
        case.wake_at(now.saturating_add(One::one()));
        case.store();
        Self::deposit_event(Event::Requested {
            request: id,
            requester,
            checkpoint,
            prompt_hash,
            price_limit,
            expires_at,
        });
        Ok(())
    }

    pub(crate) fn do_cancel(requester: T::AccountId, id: RequestId) -> DispatchResult {
        let case = Case::<T>::load(id)?;
        ensure!(
            case.request.requester == requester,
            Error::<T>::NotRequester
        );
        ensure!(!case.request.phase.is_final(), Error::<T>::TooLate);
        ensure!(
            case.request.phase == Phase::Waiting,
            Error::<T>::AlreadyAssigned
        );
        Self::refund(case, RefundReason::Cancelled);
        Ok(())
    }

    /// Looks for a worker with this block's randomness.
    pub(crate) fn seek_worker(mut case: Case<T>, now: BlockNumberFor<T>) {
        if now >= case.request.expires_at {
            let reason = if case.request.missed.is_empty() {
                RefundReason::NoWorker
            } else {
                RefundReason::NoAnswer
            };
            return Self::refund(case, reason);
        }
        if T::Checkpoints::active(&case.request.checkpoint).is_none() {
            return Self::refund(case, RefundReason::CheckpointWithdrawn);
        }
        let Some(randomness) = T::Randomness::random(b"worker") else {
            case.wake_at(now.saturating_add(One::one()));
            return case.store();
        };
        Self::seek_worker_by(case, now, randomness);
    }

    pub(crate) fn seek_worker_by(mut case: Case<T>, now: BlockNumberFor<T>, randomness: H256) {
        match Self::draw_worker(&case, randomness, now) {
            Some(assignment) => Self::assign(case, assignment),
            None => {
                let retry = now.saturating_add(case.request.windows.retry.into());
                case.wake_at(retry.min(case.request.expires_at));
                case.store();
            }
        }
    }

    fn draw_worker(
        case: &Case<T>,
        randomness: H256,
        now: BlockNumberFor<T>,
    ) -> Option<Assignment<T::AccountId, BlockNumberFor<T>>> {
        let request = &case.request;
        let attempt = u32::try_from(request.missed.len()).unwrap_or(u32::MAX);
        let mut assigned = None;
        T::Operators::draw(
            Role::Worker,
            &request.checkpoint,
            hashing::draw(randomness, b"worker", case.id, attempt),
            1,
            |worker| {
                let terms = Self::offer(
                    &worker.prices,
                    request.prompt_bytes,
                    &request.parameters,
                    &request.rates,
                )
                .filter(|offer| offer.total <= request.price_limit);
                let Some(offer) = terms else { return false };
                let is_free =
                    !request.missed.contains(&worker.controller) && case.engage(&worker.controller);
                if is_free {
                    assigned = Some((worker.clone(), offer));
                }
                is_free
            },
        );
        let (worker, offer) = assigned?;
        Some(Assignment {
            worker: worker.controller,
            prices: worker.prices,
            answer_max: offer.answer_max,
            check_fee: offer.check_fee,
            seed: hashing::sampling_seed(randomness, case.id, attempt),
            deadline: now.saturating_add(
                request
                    .windows
                    .to_answer(request.prompt_bytes, request.parameters.max_tokens.into())
                    .into(),
            ),
        })
    }

    fn assign(mut case: Case<T>, assignment: Assignment<T::AccountId, BlockNumberFor<T>>) {
        let (worker, seed, deadline) = (
            assignment.worker.clone(),
            assignment.seed,
            assignment.deadline,
        );
        case.request.phase = Phase::Answering { deadline };
        case.request.assignment = Some(assignment);
        case.expose();
        case.wake_at(deadline);
        Self::deposit_event(Event::Assigned {
            request: case.id,
            worker,
            seed,
            deadline,
        });
        case.store();
    }

    /// The workers that can be drawn for a checkpoint in the present term and what each would charge:
    /// for views. One whose price is no representable amount is left out.
    pub(crate) fn offers(
        checkpoint: &CheckpointId,
        prompt_bytes: u32,
        parameters: &SamplingParameters,
        rates: &Rates,
    ) -> Vec<(Candidate<T::AccountId, Balance>, Quote)> {
        T::Operators::roster(Role::Worker, checkpoint)
            .into_iter()
            .filter_map(|worker| {
                let offer = Self::offer(&worker.prices, prompt_bytes, parameters, rates)?;
                Some((worker, offer))
            })
            .collect()
    }

    fn offer(
        prices: &Prices<Balance>,
        prompt_bytes: u32,
        parameters: &SamplingParameters,
        rates: &Rates,
    ) -> Option<Quote> {
        let max_tokens = parameters.max_tokens.into();
        let answer_max = answer_price(prices, prompt_bytes, max_tokens).ok()?;
        let check_fee = rates.check_fee.mul_ceil(answer_max);
        quote(prices, prompt_bytes, max_tokens, check_fee).ok()
    }

    /// Ends a request with the whole escrow going back.
    pub(crate) fn refund(mut case: Case<T>, reason: RefundReason) {
        let requester = case.request.requester.clone();
        let amount = Self::release_escrow(&requester, case.request.escrow);
        let payments = Payments {
            refunded: amount,
            ..Default::default()
        };
        case.finish(Phase::Refunded { reason }, payments);
        Self::deposit_event(Event::Refunded {
            request: case.id,
            requester,
            amount,
            reason,
        });
        case.store();
    }
}
