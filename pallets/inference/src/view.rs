//! The view functions that are more than a read of the storage.

use crate::{
    Answers, Balance, Config, Deterrent, Offer, OpenAnswer, Pallet, PriceList, Prompts, QueueState,
    Request, RequestPhase, RequestState, Requests, Searches,
};
use alloc::vec::Vec;
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{leaves_to_draw, ClaimRules, Sample};
use noema_economics::{cost_to_cheat, Permill};
use noema_interfaces::{Checkpoints, Claims, Operators};
use noema_protocol::{CheckpointId, Job, RequestId, Role, SamplingParameters};

impl Deterrent {
    /// For an answer whose claim is for `gain` and has `stake` behind it.
    fn of<BlockNumber>(gain: Balance, stake: Balance, rules: &ClaimRules<BlockNumber>) -> Self {
        let check_rate = match leaves_to_draw(rules, gain, stake, 1) {
            Some(Sample::Chance(chance)) => chance,
            _ => Permill::one(),
        };
        Self {
            gain,
            stake,
            check_rate,
            cost: cost_to_cheat(gain, stake, check_rate),
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn price_list(
        checkpoint: &CheckpointId,
        prompt_bytes: u32,
        parameters: &SamplingParameters,
    ) -> Option<PriceList<T::AccountId>> {
        let limits = T::Checkpoints::active(checkpoint)?;
        let (rules, claim_rules) = (T::Rules::get(), T::ClaimRules::get());
        let max_tokens = parameters.max_tokens.into();
        let roster = T::Operators::roster(Role::Worker, checkpoint).into_iter();
        let mut offers: Vec<_> = roster
            .filter_map(|worker| {
                let terms = rules.terms(&limits, &worker.prices, prompt_bytes, max_tokens)?;
                (terms.stake <= worker.bond).then(|| Offer {
                    open: worker.load.open,
                    worker: worker.controller,
                    answer_max: terms.answer_max,
                    check_fee: terms.check_fee,
                    total: terms.total,
                    deterrent: Deterrent::of(terms.answer_max, terms.stake, &claim_rules),
                })
            })
            .collect();
        offers.sort_by_key(|offer| offer.total);
        let middle = offers.len().saturating_sub(1).checked_div(2).unwrap_or(0);
        Some(PriceList {
            lowest: offers.first().map(|offer| offer.total),
            typical: offers.get(middle).map(|offer| offer.total),
            storage: rules.storage_price(prompt_bytes, max_tokens)?,
            fits: limits.fits(prompt_bytes, max_tokens),
            offers,
        })
    }

    pub(crate) fn state_of(id: RequestId) -> Option<RequestState<T::AccountId, BlockNumberFor<T>>> {
        let request = Requests::<T>::get(id)?;
        let answer = Answers::<T>::get(id);
        let claim = request.statement.map(|statement| statement.claim);
        Some(RequestState {
            prompt: Prompts::<T>::get(id).unwrap_or_default().into_inner(),
            position: Self::position_of(id, &request),
            tokens: answer
                .as_ref()
                .map(|answer| answer.tokens.to_vec())
                .unwrap_or_default(),
            text: answer
                .map(|answer| answer.text.into_inner())
                .unwrap_or_default(),
            receipt: request.receipt(id),
            payment: request.statement.map(|statement| statement.payment),
            answered_at: request.statement.map(|statement| statement.answered_at),
            claim,
            claim_stage: claim.and_then(T::Claims::claim).map(|claim| claim.stage),
            requester: request.requester,
            checkpoint: request.checkpoint,
            parameters: request.parameters,
            price_limit: request.price_limit,
            storage_burned: request.storage_burned,
            requested_at: request.requested_at,
            expires_at: request.expires_at,
            rules: request.rules,
            claim_rules: request.claim_rules,
            phase: request.phase,
            attempts: request.attempts,
            assignment: request.assignment,
            payments: request.payments,
            ended_at: request.ended_at,
        })
    }

    fn position_of(id: RequestId, request: &Request<T>) -> Option<u32> {
        if request.phase != RequestPhase::Waiting {
            return None;
        }
        let waiting = Self::waiting(&request.checkpoint);
        let before = waiting.iter().position(|other| *other == id)?;
        u32::try_from(before).ok()
    }

    pub(crate) fn deterrent_of(id: RequestId) -> Option<Deterrent> {
        let request = Requests::<T>::get(id)?;
        let assignment = request.assignment?;
        let gain = request
            .statement
            .map_or(assignment.answer_max, |statement| statement.payment);
        Some(Deterrent::of(gain, assignment.stake, &request.claim_rules))
    }

    pub(crate) fn queue_of(checkpoint: &CheckpointId) -> QueueState<BlockNumberFor<T>> {
        let waiting = Self::waiting(checkpoint);
        let first = waiting.first().copied();
        QueueState {
            waiting: u32::try_from(waiting.len()).unwrap_or(u32::MAX),
            first,
            oldest: first
                .and_then(Requests::<T>::get)
                .map(|request| request.requested_at),
            fruitless: Searches::<T>::get(checkpoint).fruitless,
        }
    }

    pub(crate) fn open_answers_of(operator: T::AccountId) -> Vec<OpenAnswer<BlockNumberFor<T>>> {
        let controller = T::Operators::controller_of(&operator).unwrap_or(operator);
        let mut open: Vec<_> = T::Operators::jobs(&controller)
            .into_iter()
            .filter_map(|job| {
                let Job::Request(id) = job else { return None };
                let request = Requests::<T>::get(id)?;
                let RequestPhase::Answering { deadline } = request.phase else {
                    return None;
                };
                Some(OpenAnswer {
                    request: id,
                    checkpoint: request.checkpoint,
                    deadline,
                })
            })
            .collect();
        open.sort_by_key(|answer| (answer.deadline, answer.request));
        open
    }

    pub(crate) fn held_by(payer: &T::AccountId) -> Balance {
        Requests::<T>::iter_values()
            .filter(|request| request.requester == *payer)
            .filter(|request| {
                matches!(
                    request.phase,
                    RequestPhase::Waiting | RequestPhase::Answering { .. }
                )
            })
            .fold(0, |sum: Balance, request| {
                sum.saturating_add(request.price_limit)
            })
    }
}
