//! Answers of workers, and missed deadlines.

use crate::{
    Answer, Answers, AssignmentOf, Config, DeadlineAgenda, Error, Event, Pallet, RefundReason,
    Request, RequestPhase, Requests, Statement,
};
use alloc::vec::Vec;
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{merkle_root, Availability, ClaimTerms};
use noema_economics::answer_price;
use noema_interfaces::{Claims, Operators, RelayRandomness};
use noema_protocol::{hashing, request::text_bound, Offence, Receipt, RequestId};
use sp_runtime::{
    traits::{One, Saturating},
    DispatchResult,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_submit(
        key: T::AccountId,
        id: RequestId,
        tokens: Vec<u32>,
        text: Vec<u8>,
        receipt: Receipt,
    ) -> DispatchResult {
        let mut request = Requests::<T>::get(id).ok_or(Error::<T>::RequestUnknown)?;
        let assignment = Self::check_answer(&key, id, &request, &tokens, &text, &receipt)?;
        // At most the price of the longest answer, which the price limit covers.
        let payment = answer_price(
            &assignment.prices,
            request.prompt_bytes,
            receipt.answer_tokens,
        )
        .unwrap_or(assignment.answer_max)
        .min(assignment.answer_max);
        let surplus = request
            .price_limit
            .saturating_sub(payment.saturating_add(assignment.check_fee));
        let claim = T::Claims::make(
            id.into(),
            ClaimTerms {
                claimant: assignment.worker.clone(),
                payer: request.requester.clone(),
                checkpoint: request.checkpoint,
                root: merkle_root(&[hashing::receipt_hash(&receipt)]),
                leaves: 1,
                // The chain's own bound: with the claimant's lower count, validators would have too little
                // time.
                leaf_tokens: request
                    .max_prompt_tokens()
                    .saturating_add(receipt.answer_tokens.into()),
                availability: Availability::OnChain,
                payment,
                exposure: payment,
                check_fee: assignment.check_fee,
                stake: assignment.stake,
                rules: request.claim_rules,
            },
            surplus,
        )
        .map_err(|_| Error::<T>::ClaimRefused)?;
        let answer = Answer::<T> {
            text: text.try_into().map_err(|_| Error::<T>::TextTooLong)?,
            tokens: tokens.try_into().map_err(|_| Error::<T>::AnswerTooLong)?,
        };
        Answers::<T>::insert(id, answer);
        Self::unload(&assignment.worker, &request);
        DeadlineAgenda::<T>::remove(Self::miss_at(assignment.deadline), &id);
        request.phase = RequestPhase::Claimed { claim };
        request.statement = Some(Statement {
            claim,
            answer_hash: receipt.answer_hash,
            prompt_tokens: receipt.prompt_tokens,
            answer_tokens: receipt.answer_tokens,
            hidden_root: receipt.hidden_root,
            payment,
            answered_at: frame_system::Pallet::<T>::block_number(),
        });
        Requests::<T>::insert(id, request);
        Self::deposit_event(Event::Answered {
            request: id,
            worker: assignment.worker,
            claim,
            answer_hash: receipt.answer_hash,
            answer_tokens: receipt.answer_tokens,
        });
        Ok(())
    }

    /// The block in which a missed deadline is noticed: the one after it.
    pub(crate) fn miss_at(deadline: BlockNumberFor<T>) -> BlockNumberFor<T> {
        deadline.saturating_add(One::one())
    }

    /// Compares an answer with all that the chain knows. Returns the assignment that it fulfils.
    pub(crate) fn check_answer(
        key: &T::AccountId,
        id: RequestId,
        request: &Request<T>,
        tokens: &[u32],
        text: &[u8],
        receipt: &Receipt,
    ) -> Result<AssignmentOf<T>, Error<T>> {
        let worker = T::Operators::controller_of(key).ok_or(Error::<T>::NotAnOperator)?;
        let assignment = request
            .assignment
            .as_ref()
            .filter(|assignment| assignment.worker == worker)
            .ok_or(Error::<T>::NotAssigned)?;
        let RequestPhase::Answering { deadline } = request.phase else {
            return Err(Error::<T>::AlreadyAnswered);
        };
        let now = frame_system::Pallet::<T>::block_number();
        ensure!(now <= deadline, Error::<T>::TooLate);

        ensure!(receipt.request == id, Error::<T>::ReceiptWrongRequest);
        ensure!(
            receipt.checkpoint == request.checkpoint,
            Error::<T>::ReceiptWrongCheckpoint
        );
        ensure!(
            receipt.prompt_hash == request.prompt_hash,
            Error::<T>::ReceiptWrongPrompt
        );
        ensure!(
            receipt.parameters == request.parameters,
            Error::<T>::ReceiptWrongParameters
        );
        ensure!(
            receipt.seed == assignment.seed,
            Error::<T>::ReceiptWrongSeed
        );
        ensure!(!tokens.is_empty(), Error::<T>::AnswerEmpty);
        let count = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        ensure!(count <= request.max_tokens(), Error::<T>::AnswerTooLong);
        ensure!(
            receipt.answer_tokens == count,
            Error::<T>::ReceiptWrongTokenCount
        );
        // With this, prompt and answer together fit into the context: see `ModelLimits::fits`.
        ensure!(
            u64::from(receipt.prompt_tokens) <= request.max_prompt_tokens(),
            Error::<T>::ReceiptTooManyPromptTokens
        );
        ensure!(
            tokens
                .iter()
                .all(|token| *token < request.limits.vocabulary),
            Error::<T>::TokenOutOfRange
        );
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
        ensure!(
            bytes <= text_bound(request.max_tokens()),
            Error::<T>::TextTooLong
        );
        ensure!(core::str::from_utf8(text).is_ok(), Error::<T>::TextNotUtf8);
        ensure!(
            receipt.answer_hash == hashing::answer_hash(tokens, text),
            Error::<T>::ReceiptWrongAnswer
        );
        Ok(assignment.clone())
    }

    /// Ends an attempt whose deadline passed without an answer: the worker loses a part of its stake, and
    /// another may try, as often as the rules allow.
    pub(crate) fn miss(id: RequestId, now: BlockNumberFor<T>) {
        let Some(mut request) = Requests::<T>::get(id) else {
            return;
        };
        let is_missed =
            matches!(request.phase, RequestPhase::Answering { deadline } if deadline < now);
        let Some(assignment) = request.assignment.take_if(|_| is_missed) else {
            return;
        };
        let worker = assignment.worker;
        let slashed = T::Operators::slash(
            &worker,
            id.into(),
            Offence::MissedDeadline,
            request.rules.silence(assignment.stake),
            &[],
        );
        T::Operators::release(&worker, id.into());
        Self::unload(&worker, &request);
        request.attempts = request.attempts.saturating_add(1);
        Self::deposit_event(Event::DeadlineMissed {
            request: id,
            worker,
            slashed,
            attempts: request.attempts,
        });
        if request.attempts >= request.rules.max_attempts {
            return Self::refund(id, request, RefundReason::NoAnswer);
        }
        // The next draw uses randomness that is not known yet, and the expiry starts again.
        request.unknown_since = T::Claims::relay_block();
        request.expires_at = now.saturating_add(request.rules.expiry.into());
        request.passes = 0;
        request.phase = RequestPhase::Waiting;
        Self::enqueue(id, &request.checkpoint);
        Requests::<T>::insert(id, request);
    }
}
