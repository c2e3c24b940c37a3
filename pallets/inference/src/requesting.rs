//! Making and cancelling a request.

use crate::{
    Balance, Config, Error, Event, NextRequestId, Pallet, Payments, Prompts, RefundReason, Request,
    RequestPhase, RequestRules, Requests,
};
use alloc::vec::Vec;
use frame_support::{
    ensure,
    traits::{
        fungible::Mutate,
        tokens::{Fortitude, Precision, Preservation},
        Get,
    },
    weights::WeightMeter,
    BoundedVec,
};
use noema_interfaces::{Checkpoints, Claims, Operators, RelayRandomness};
use noema_protocol::{hashing, CheckpointId, ModelLimits, RequestId, Role, SamplingParameters};
use sp_core::H256;
use sp_runtime::{
    traits::{Hash, Saturating},
    DispatchError, DispatchResult,
};

/// The arguments of a request.
pub(crate) struct Question {
    pub(crate) checkpoint: CheckpointId,
    pub(crate) prompt: Vec<u8>,
    pub(crate) parameters: SamplingParameters,
    pub(crate) price_limit: Balance,
}

/// What making a request took.
pub(crate) struct Made {
    /// The number of operators drawn to find out whether one would answer.
    pub(crate) tries: u32,
    /// Whether the request has a place in a queue.
    pub(crate) is_queued: bool,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_request(
        requester: T::AccountId,
        question: Question,
    ) -> Result<Made, DispatchError> {
        let limits = Self::check_question(&question)?;
        let (rules, claim_rules) = (T::Rules::get(), T::ClaimRules::get());
        ensure!(
            rules.check().is_ok() && claim_rules.check().is_ok(),
            Error::<T>::RulesUnworkable
        );
        let id = NextRequestId::<T>::get();
        let tries = Self::check_offers(id, &question, &limits, &rules)?;
        let Question {
            checkpoint,
            prompt,
            parameters,
            price_limit,
        } = question;
        let prompt: BoundedVec<u8, T::MaxPromptBytes> =
            prompt.try_into().map_err(|_| Error::<T>::PromptTooLong)?;
        let prompt_bytes = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
        let storage_burned = rules
            .storage_price(prompt_bytes, parameters.max_tokens.into())
            .ok_or(Error::<T>::FundsTooLow)?;
        T::Claims::hold(&requester, price_limit).map_err(|_| Error::<T>::FundsTooLow)?;
        T::Currency::burn_from(
            &requester,
            storage_burned,
            Preservation::Preserve,
            Precision::Exact,
            Fortitude::Polite,
        )
        .map_err(|_| Error::<T>::FundsTooLow)?;

        NextRequestId::<T>::put(RequestId(id.0.saturating_add(1)));
        let now = frame_system::Pallet::<T>::block_number();
        let expires_at = now.saturating_add(rules.expiry.into());
        let prompt_hash = hashing::prompt_hash(&prompt);
        Prompts::<T>::insert(id, prompt);
        let request = Request::<T> {
            requester: requester.clone(),
            checkpoint,
            limits,
            parameters,
            prompt_hash,
            prompt_bytes,
            price_limit,
            storage_burned,
            rules,
            claim_rules,
            requested_at: now,
            expires_at,
            unknown_since: T::Claims::relay_block(),
            passes: 0,
            attempts: 0,
            phase: RequestPhase::Waiting,
            assignment: None,
            statement: None,
            payments: Payments::default(),
            ended_at: None,
        };
        let is_queued = Self::admit(id, &checkpoint);
        Requests::<T>::insert(id, request);
        Self::deposit_event(Event::Requested {
            request: id,
            requester,
            checkpoint,
            prompt_hash,
            price_limit,
            storage_burned,
            expires_at,
        });
        Ok(Made { tries, is_queued })
    }

    /// Refuses a request that no worker could answer, at any price. Returns the checkpoint's bounds.
    fn check_question(question: &Question) -> Result<ModelLimits, Error<T>> {
        let prompt = &question.prompt;
        ensure!(!prompt.is_empty(), Error::<T>::PromptEmpty);
        let prompt_bytes = u32::try_from(prompt.len()).unwrap_or(u32::MAX);
        ensure!(
            prompt_bytes <= T::MaxPromptBytes::get(),
            Error::<T>::PromptTooLong
        );
        ensure!(
            core::str::from_utf8(prompt).is_ok(),
            Error::<T>::PromptNotUtf8
        );
        question.parameters.validate().map_err(Error::<T>::from)?;
        let max_tokens = u32::from(question.parameters.max_tokens);
        ensure!(
            max_tokens <= T::MaxAnswerTokens::get(),
            Error::<T>::TooManyTokensRequested
        );
        let Some(limits) = T::Checkpoints::active(&question.checkpoint) else {
            let is_known = T::Checkpoints::exists(&question.checkpoint);
            ensure!(is_known, Error::<T>::CheckpointUnknown);
            return Err(Error::<T>::CheckpointInactive);
        };
        ensure!(
            limits.fits(prompt_bytes, max_tokens),
            Error::<T>::ContextTooShort
        );
        Ok(limits)
    }

    /// Refuses a request that none of the workers that a draw meets would take even if it were not busy.
    /// These workers are predictable before the request is made, so the draw decides nothing else. Returns
    /// the number of operators drawn.
    fn check_offers(
        id: RequestId,
        question: &Question,
        limits: &ModelLimits,
        rules: &RequestRules,
    ) -> Result<u32, Error<T>> {
        let prompt_bytes = u32::try_from(question.prompt.len()).unwrap_or(u32::MAX);
        let max_tokens = question.parameters.max_tokens.into();
        let randomness = Self::randomness_of_offers(id);
        let (mut met, mut affordable) = (false, false);
        let selection = T::Operators::draw(
            Role::Worker,
            &question.checkpoint,
            randomness,
            1,
            |worker| {
                met = true;
                let terms = rules
                    .terms(limits, &worker.prices, prompt_bytes, max_tokens)
                    .filter(|terms| terms.total <= question.price_limit);
                affordable |= terms.is_some();
                terms.is_some_and(|terms| terms.stake <= worker.bond)
            },
        );
        ensure!(met, Error::<T>::NoWorker);
        ensure!(affordable, Error::<T>::PriceLimitTooLow);
        ensure!(!selection.candidates.is_empty(), Error::<T>::BondsTooLow);
        Ok(selection.tries)
    }

    /// The randomness by which workers are drawn to find out whether one would answer a request.
    pub(crate) fn randomness_of_offers(id: RequestId) -> H256 {
        let parent = frame_system::Pallet::<T>::parent_hash();
        H256::from_slice(T::Hashing::hash_of(&(parent, id)).as_ref())
    }

    pub(crate) fn do_cancel(requester: T::AccountId, id: RequestId) -> DispatchResult {
        let request = Requests::<T>::get(id).ok_or(Error::<T>::RequestUnknown)?;
        ensure!(request.requester == requester, Error::<T>::NotRequester);
        ensure!(!request.phase.is_final(), Error::<T>::TooLate);
        ensure!(
            request.phase == RequestPhase::Waiting,
            Error::<T>::AlreadyAssigned
        );
        let checkpoint = request.checkpoint;
        Self::refund(id, request, RefundReason::Cancelled);
        Self::forget_if_empty(&checkpoint, &mut WeightMeter::new());
        Ok(())
    }
}
