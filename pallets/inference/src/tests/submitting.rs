//! `submit_result`, and the deadline of a worker.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{hashing, CheckpointId, Receipt, RequestId, SamplingParameters};
use sp_core::H256;

const ASKER: u64 = 1;

fn world() -> TestExt {
    TestExt::new().endow(ASKER).workers([10, 11])
}

#[test]
fn an_answer_is_recorded_readable() {
    world().execute_with(|| {
        let (id, worker) = ask_and_assign(ASKER);
        assert_ok!(submit(id, worker, TOKENS, TEXT, receipt(id)));
        let answer = Answers::<Test>::get(id).expect("it was accepted");
        assert_eq!(answer.text.to_vec(), TEXT);
        assert_eq!(answer.tokens.to_vec(), TOKENS);
        System::assert_has_event(
            Event::<Test>::Answered {
                request: id,
                worker,
                output_hash: hashing::output_hash(TOKENS, TEXT),
                output_tokens: 4,
            }
            .into(),
        );
    });
}

#[test]
fn a_receipt_with_a_wrong_field_is_refused_by_name_and_changes_nothing() {
    world().execute_with(|| {
        let (id, worker) = ask_and_assign(ASKER);
        let refused = |change: fn(&mut Receipt), error: Error<Test>| {
            let mut receipt = receipt(id);
            change(&mut receipt);
            assert_noop!(submit(id, worker, TOKENS, TEXT, receipt), error);
        };
        refused(
            |r| r.request = RequestId(5),
            Error::<Test>::ReceiptWrongRequest,
        );
        refused(
            |r| r.checkpoint = CheckpointId(H256::zero()),
            Error::<Test>::ReceiptWrongCheckpoint,
        );
        refused(
            |r| r.prompt_hash = H256::zero(),
            Error::<Test>::ReceiptWrongPrompt,
        );
        refused(
            |r| r.parameters = SamplingParameters::greedy(17),
            Error::<Test>::ReceiptWrongParameters,
        );
        refused(|r| r.seed = H256::zero(), Error::<Test>::ReceiptWrongSeed);
        refused(
            |r| r.output_hash = H256::zero(),
            Error::<Test>::ReceiptWrongOutput,
        );
        refused(
            |r| r.output_tokens = 5,
            Error::<Test>::ReceiptWrongTokenCount,
        );
        refused(|r| r.prompt_tokens = 97, Error::<Test>::ContextExceeded);
        refused(
            |r| r.prompt_tokens = u32::MAX,
            Error::<Test>::ContextExceeded,
        );
        // It may still do it right.
        assert_ok!(submit(id, worker, TOKENS, TEXT, receipt(id)));
    });
}

#[test]
fn an_answer_out_of_bounds_is_refused() {
    world().execute_with(|| {
        let (id, worker) = ask_and_assign(ASKER);
        let submit = |tokens: &[u32], text: &[u8]| {
            let receipt = Receipt {
                output_tokens: tokens.len() as u32,
                output_hash: hashing::output_hash(tokens, text),
                ..receipt(id)
            };
            submit(id, worker, tokens, text, receipt)
        };
        assert_noop!(submit(&[], b""), Error::<Test>::AnswerEmpty);
        assert_noop!(submit(&[1; 17], TEXT), Error::<Test>::AnswerTooLong);
        assert_noop!(submit(&[1, 50], TEXT), Error::<Test>::TokenOutOfRange);
        assert_noop!(submit(&[1], &[b'a'; 129]), Error::<Test>::TextTooLong);
        assert_noop!(submit(&[1], &[0xFF]), Error::<Test>::TextNotUtf8);
        assert_ok!(submit(&[49; 16], &[b'a'; 128]));
    });
}

#[test]
fn only_the_hot_key_of_the_drawn_worker_answers() {
    world().execute_with(|| {
        let id = ask(ASKER);
        let early = receipt(id);
        assert_noop!(
            submit(id, 10, TOKENS, TEXT, early),
            Error::<Test>::NotAssigned
        );
        advance(2);
        let worker = worker_of(id);
        let other = 21 - worker;
        assert_noop!(
            submit(id, other, TOKENS, TEXT, receipt(id)),
            Error::<Test>::NotAssigned
        );
        let by_controller = Inference::submit_result(
            RuntimeOrigin::signed(worker),
            id,
            TOKENS.to_vec(),
            TEXT.to_vec(),
            receipt(id),
        );
        assert_noop!(by_controller, Error::<Test>::NotAnOperator);
        assert_noop!(
            submit(RequestId(9), worker, TOKENS, TEXT, receipt(id)),
            Error::<Test>::RequestUnknown
        );
    });
}

#[test]
fn the_first_answer_counts() {
    world().execute_with(|| {
        let (id, worker) = ask_and_assign(ASKER);
        answer(id);
        assert_noop!(
            submit(id, worker, TOKENS, TEXT, receipt(id)),
            Error::<Test>::AlreadyAnswered
        );
        advance(10);
        assert_eq!(phase(id), Phase::Settled);
        assert_noop!(
            submit(id, worker, TOKENS, TEXT, receipt(id)),
            Error::<Test>::AlreadyAnswered
        );
    });
}

#[test]
fn an_answer_in_the_block_of_the_deadline_is_in_time() {
    world().execute_with(|| {
        let (id, worker) = ask_and_assign(ASKER);
        advance(8 - System::block_number());
        assert_eq!(phase(id), Phase::Answering { deadline: 8 });
        assert_ok!(submit(id, worker, TOKENS, TEXT, receipt(id)));
    });
}

#[test]
fn a_silent_worker_loses_a_little_and_another_takes_over() {
    world().execute_with(|| {
        let (id, silent) = ask_and_assign(ASKER);
        let late = receipt(id);
        advance(9 - System::block_number());
        assert_eq!(phase(id), Phase::Waiting);
        assert_eq!(bond(silent), FUNDS - 500, "one percent, capped at 500");
        assert_eq!(engaged(silent), 0);
        assert_eq!(Exposure::<Test>::get(silent), 0);
        assert_noop!(
            submit(id, silent, TOKENS, TEXT, late),
            Error::<Test>::TooLate
        );

        next_block();
        let next = worker_of(id);
        assert_ne!(next, silent);
        assert_ne!(receipt(id).seed, late.seed);
        assert_noop!(
            submit(id, silent, TOKENS, TEXT, late),
            Error::<Test>::TooLate
        );
        answer(id);
        advance(6);
        assert_eq!(phase(id), Phase::Settled);
        assert_eq!(free(next), FUNDS + ANSWER_PRICE);
        assert_eq!(free(ASKER), FUNDS - ANSWER_PRICE);
    });
}

#[test]
fn after_the_last_attempt_everything_goes_back() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11, 12])
        .execute_with(|| {
            let id = ask(ASKER);
            advance(16);
            assert_eq!(refunded_for(id), Some(RefundReason::NoAnswer));
            assert_eq!(free(ASKER), FUNDS);
            let lost: Balance = [10, 11, 12].map(|worker| FUNDS - bond(worker)).iter().sum();
            assert_eq!(lost, 1_000, "two attempts were missed");
        });
}

#[test]
fn a_checkpoint_withdrawn_after_the_draw_is_still_answered_and_paid() {
    world().execute_with(|| {
        let (id, worker) = ask_and_assign(ASKER);
        withdraw_checkpoint();
        answer(id);
        advance(6);
        assert_eq!(phase(id), Phase::Settled);
        assert_eq!(free(worker), FUNDS + ANSWER_PRICE);
    });
}

#[test]
fn only_an_answer_that_would_be_accepted_is_a_duty() {
    world().execute_with(|| {
        let (id, worker) = ask_and_assign(ASKER);
        let is_duty = |signer: u64, receipt: Receipt| {
            let call = Call::submit_result {
                request: id,
                tokens: TOKENS.to_vec(),
                text: TEXT.to_vec(),
                receipt,
            };
            is_duty(&call, signer)
        };
        let good = receipt(id);
        assert!(is_duty(key(worker), good));
        assert!(!is_duty(worker, good));
        assert!(!is_duty(key(21 - worker), good));
        assert!(!is_duty(
            key(worker),
            Receipt {
                seed: H256::zero(),
                ..good
            }
        ));
        answer(id);
        assert!(!is_duty(key(worker), good));
    });
}

#[test]
fn a_request_is_no_duty() {
    world().execute_with(|| {
        let call = Call::request_inference {
            checkpoint: CHECKPOINT,
            prompt: PROMPT.to_vec(),
            parameters: SamplingParameters::greedy(4),
            price_limit: LIMIT,
        };
        assert!(!is_duty(&call, ASKER));
    });
}
