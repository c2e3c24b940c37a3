//! The worker's turn: its answer, or its deadline.

use crate::{case::Case, Answer, Answers, Config, Error, Event, Pallet, Phase, RefundReason};
use alloc::vec::Vec;
use frame_support::{ensure, traits::Get, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{
    hashing,
    interfaces::{Offence, Operators},
    Receipt, RequestId,
};
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
        let mut case = Case::<T>::load(id)?;
        let worker = Self::check_answer(&key, &case, &tokens, &text, &receipt)?;
        let now = frame_system::Pallet::<T>::block_number();
        let answer = Answer::<T> {
            text: text.try_into().map_err(|_| Error::<T>::TextTooLong)?,
            tokens: tokens.try_into().map_err(|_| Error::<T>::AnswerTooLong)?,
            receipt,
            answered_at: now,
        };
        Answers::<T>::insert(id, answer);
        case.request.phase = Phase::Answered {
            draw_by: now.saturating_add(case.request.windows.commit.into()),
        };
        case.wake_at(now.saturating_add(One::one()));
        case.store();
        Self::deposit_event(Event::Answered {
            request: id,
            worker,
            output_hash: receipt.output_hash,
            output_tokens: receipt.output_tokens,
        });
        Ok(())
    }

    /// Compares an answer with everything the chain knows. Returns the worker's controller.
    pub(crate) fn check_answer(
        key: &T::AccountId,
        case: &Case<T>,
        tokens: &[u32],
        text: &[u8],
        receipt: &Receipt,
    ) -> Result<T::AccountId, Error<T>> {
        let worker = T::Operators::controller_of(key).ok_or(Error::<T>::NotAnOperator)?;
        let request = &case.request;
        ensure!(!request.missed.contains(&worker), Error::<T>::TooLate);
        let assignment = request
            .assignment
            .as_ref()
            .filter(|assignment| assignment.worker == worker)
            .ok_or(Error::<T>::NotAssigned)?;
        ensure!(
            !Answers::<T>::contains_key(case.id),
            Error::<T>::AlreadyAnswered
        );
        let now = frame_system::Pallet::<T>::block_number();
        match request.phase {
            Phase::Answering { deadline } if now <= deadline => {}
            _ => return Err(Error::<T>::TooLate),
        }

        ensure!(receipt.request == case.id, Error::<T>::ReceiptWrongRequest);
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
        ensure!(
            count <= u32::from(request.parameters.max_tokens),
            Error::<T>::AnswerTooLong
        );
        ensure!(
            receipt.output_tokens == count,
            Error::<T>::ReceiptWrongTokenCount
        );
        ensure!(
            tokens
                .iter()
                .all(|token| *token < request.limits.vocabulary),
            Error::<T>::TokenOutOfRange
        );
        let total = receipt.prompt_tokens.checked_add(count);
        ensure!(
            total.is_some_and(|total| total <= request.limits.context_length),
            Error::<T>::ContextExceeded
        );
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
        ensure!(bytes <= T::MaxTextBytes::get(), Error::<T>::TextTooLong);
        ensure!(core::str::from_utf8(text).is_ok(), Error::<T>::TextNotUtf8);
        ensure!(
            receipt.output_hash == hashing::output_hash(tokens, text),
            Error::<T>::ReceiptWrongOutput
        );
        Ok(worker)
    }

    /// The deadline has passed without an answer.
    pub(crate) fn close_attempt(mut case: Case<T>, now: BlockNumberFor<T>) {
        if let Some(worker) = case.worker().cloned() {
            case.slash_silence(&worker, Offence::MissedDeadline);
            case.release_worker();
            if case.request.missed.try_push(worker).is_err() {
                return Self::refund(case, RefundReason::NoAnswer);
            }
        }
        if case.request.missed.len() == BoundedVec::<T::AccountId, T::MaxAttempts>::bound() {
            return Self::refund(case, RefundReason::NoAnswer);
        }
        case.request.phase = Phase::Waiting;
        case.request.assignment = None;
        case.wake_at(now.saturating_add(One::one()));
        case.store();
    }
}
