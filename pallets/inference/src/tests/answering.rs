//! `submit_answer`: the comparisons, and the claim of the answer.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use noema_claims::{merkle_root, Availability, ClaimTerms};
use noema_protocol::{hashing, Receipt, RequestId};
use sp_core::H256;
use sp_runtime::DispatchResult;

fn two_workers() -> TestExt {
    TestExt::new().endow(ASKER).workers([10])
}

fn with_receipt(
    id: RequestId,
    worker: AccountId,
    change: impl FnOnce(&mut Receipt),
) -> DispatchResult {
    let mut receipt = receipt(id);
    change(&mut receipt);
    submit(id, worker, TOKENS, TEXT, receipt)
}

/// Submits an answer with a receipt that matches it.
fn with_answer(id: RequestId, worker: AccountId, tokens: &[u32], text: &[u8]) -> DispatchResult {
    let receipt = Receipt {
        answer_hash: hashing::answer_hash(tokens, text),
        answer_tokens: tokens.len() as u32,
        ..receipt(id)
    };
    submit(id, worker, tokens, text, receipt)
}

#[test]
fn an_answer_becomes_a_claim_of_one_leaf() {
    two_workers().execute_with(|| {
        let (id, worker) = ask_and_assign();
        let claim = answer(id);
        assert_eq!(phase(id), RequestPhase::Claimed { claim });
        let expected = ClaimTerms {
            claimant: worker,
            payer: ASKER,
            checkpoint: CHECKPOINT,
            root: merkle_root(&[hashing::receipt_hash(&receipt(id))]),
            leaves: 1,
            leaf_tokens: 21 + 4,
            availability: Availability::OnChain,
            payment: ANSWER_PRICE,
            exposure: ANSWER_PRICE,
            check_fee: CHECK_FEE,
            stake: STAKE,
            rules: claim_rules(),
        };
        assert_eq!(claim_terms(claim), expected);
        // The claim has taken the lock over.
        assert_eq!(locks(worker), [(id.into(), STAKE)]);
        assert_eq!(load(worker), Load::default());
        assert_eq!(Deadlines::<Test>::iter().count(), 0);
    });
}

#[test]
fn validators_have_time_for_the_longest_prompt_whatever_the_worker_counted() {
    two_workers().execute_with(|| {
        for prompt_tokens in [0, 1, 21] {
            let (id, worker) = ask_and_assign();
            let stated = |receipt: &mut Receipt| receipt.prompt_tokens = prompt_tokens;
            assert_ok!(with_receipt(id, worker, stated));
            let claim = claim_of(id);
            // 16 bytes and 5 tokens of template, and the four tokens of the answer.
            assert_eq!(claim_terms(claim).leaf_tokens, 16 + 5 + 4);
            end_claim(claim, TRUE);
        }
    });
}

#[test]
fn what_the_answer_cannot_cost_stays_on_hold_until_the_end() {
    two_workers().execute_with(|| {
        let (id, worker) = ask_and_assign();
        let claim = answer(id);
        assert_eq!(on_hold(ASKER), LIMIT);
        System::assert_last_event(
            Event::Answered {
                request: id,
                worker,
                claim,
                answer_hash: hashing::answer_hash(TOKENS, TEXT),
                answer_tokens: 4,
            }
            .into(),
        );
        assert_eq!(request(id).payments, Payments::default());
        end_claim(claim, TRUE);
        assert_eq!(on_hold(ASKER), 0);
        assert_eq!(request(id).payments.refunded, LIMIT - ANSWER_PRICE);
    });
}

#[test]
fn the_record_gives_the_receipt_back() {
    two_workers().execute_with(|| {
        let (id, _) = ask_and_assign();
        assert_eq!(request(id).receipt(id), None);
        let given = receipt(id);
        answer(id);
        assert_eq!(request(id).receipt(id), Some(given));
        let answer = Answers::<Test>::get(id).expect("the answer is recorded");
        assert_eq!(answer.tokens.to_vec(), TOKENS);
        assert_eq!(answer.text.to_vec(), TEXT);
    });
}

#[test]
fn only_the_worker_that_has_the_request_may_answer() {
    two_workers().execute_with(|| {
        let (id, worker) = ask_and_assign();
        add_worker(11, CHECKPOINT, BOND);
        let by = |who| submit(id, who, TOKENS, TEXT, receipt(id));
        assert_noop!(by(11), Error::<Test>::NotAssigned);
        assert_noop!(by(12), Error::<Test>::NotAnOperator);
        let waiting = ask(ASKER);
        assert_noop!(
            submit(waiting, worker, TOKENS, TEXT, receipt(waiting)),
            Error::<Test>::NotAssigned
        );
        assert_noop!(
            submit(RequestId(9), worker, TOKENS, TEXT, receipt(id)),
            Error::<Test>::RequestUnknown
        );
    });
}

#[test]
fn the_first_answer_counts() {
    two_workers().execute_with(|| {
        let (id, worker) = ask_and_assign();
        let claim = answer(id);
        let again = || submit(id, worker, TOKENS, TEXT, receipt(id));
        assert_noop!(again(), Error::<Test>::AlreadyAnswered);
        end_claim(claim, TRUE);
        assert_noop!(again(), Error::<Test>::AlreadyAnswered);
    });
}

#[test]
fn the_last_block_of_the_deadline_counts() {
    two_workers().execute_with(|| {
        let (id, worker) = ask_and_assign();
        System::set_block_number(deadline(id) + 1);
        assert_noop!(
            submit(id, worker, TOKENS, TEXT, receipt(id)),
            Error::<Test>::TooLate
        );
        System::set_block_number(deadline(id));
        assert_ok!(submit(id, worker, TOKENS, TEXT, receipt(id)));
    });
}

#[test]
fn a_worker_that_missed_its_deadline_does_not_have_the_request_any_more() {
    two_workers().execute_with(|| {
        let (id, worker) = ask_and_assign();
        while !waits(id) {
            next_block();
        }
        assert_noop!(
            submit(id, worker, TOKENS, TEXT, receipt(id)),
            Error::<Test>::NotAssigned
        );
    });
}

#[test]
fn every_field_of_the_receipt_that_the_chain_knows_is_compared() {
    two_workers().execute_with(|| {
        let (id, worker) = ask_and_assign();
        type Change = fn(&mut Receipt);
        let wrong: [(Change, Error<Test>); 8] = [
            (
                |r| r.request = RequestId(7),
                Error::<Test>::ReceiptWrongRequest,
            ),
            (
                |r| r.checkpoint = OTHER_CHECKPOINT,
                Error::<Test>::ReceiptWrongCheckpoint,
            ),
            (
                |r| r.prompt_hash = H256::zero(),
                Error::<Test>::ReceiptWrongPrompt,
            ),
            (
                |r| r.parameters.top_k = 1,
                Error::<Test>::ReceiptWrongParameters,
            ),
            (|r| r.seed = H256::zero(), Error::<Test>::ReceiptWrongSeed),
            (
                |r| r.answer_hash = H256::zero(),
                Error::<Test>::ReceiptWrongAnswer,
            ),
            (
                |r| r.answer_tokens = 5,
                Error::<Test>::ReceiptWrongTokenCount,
            ),
            // 16 bytes and 5 tokens of template.
            (
                |r| r.prompt_tokens = 22,
                Error::<Test>::ReceiptTooManyPromptTokens,
            ),
        ];
        for (change, error) in wrong {
            assert_noop!(with_receipt(id, worker, change), error);
        }
        // The chain does not know the fields that only execution yields.
        assert_ok!(with_receipt(id, worker, |receipt| {
            receipt.prompt_tokens = 21;
            receipt.hidden_root = H256::zero();
        }));
    });
}

#[test]
fn tokens_and_text_have_bounds() {
    two_workers().execute_with(|| {
        let (id, worker) = ask_and_assign();
        let answer = |tokens: &[u32], text: &[u8]| with_answer(id, worker, tokens, text);
        assert_noop!(answer(&[], b""), Error::<Test>::AnswerEmpty);
        assert_noop!(answer(&[1; 17], b""), Error::<Test>::AnswerTooLong);
        assert_noop!(answer(&[50], b""), Error::<Test>::TokenOutOfRange);
        assert_noop!(answer(&[1], &[b'a'; 129]), Error::<Test>::TextTooLong);
        assert_noop!(answer(&[1], &[0xFF]), Error::<Test>::TextNotUtf8);
        assert_ok!(answer(&[49; 16], &[b'a'; 128]));
        let terms = claim_terms(claim_of(id));
        assert_eq!(terms.payment, ANSWER_MAX);
    });
}

#[test]
fn an_answer_of_which_no_claim_can_be_made_changes_nothing() {
    two_workers().execute_with(|| {
        let (id, worker) = ask_and_assign();
        set_refuses_claims(true);
        assert_noop!(
            submit(id, worker, TOKENS, TEXT, receipt(id)),
            Error::<Test>::ClaimRefused
        );
        set_refuses_claims(false);
        answer(id);
    });
}

#[test]
fn an_answer_is_a_duty_of_the_worker_until_its_deadline() {
    two_workers().execute_with(|| {
        let (id, worker) = ask_and_assign();
        add_worker(11, CHECKPOINT, BOND);
        let call = |receipt| Call::<Test>::submit_answer {
            request: id,
            tokens: TOKENS.to_vec(),
            text: TEXT.to_vec(),
            receipt,
        };
        let good = call(receipt(id));
        assert_eq!(duty_until(&good, worker), Some(deadline(id)));
        assert_eq!(duty_until(&good, 11), None);
        let mut wrong = receipt(id);
        wrong.seed = H256::zero();
        assert_eq!(duty_until(&call(wrong), worker), None);
        answer(id);
        assert_eq!(duty_until(&good, worker), None, "the duty is done");
        let cancel = Call::<Test>::cancel_request { request: id };
        assert_eq!(duty_until(&cancel, worker), None);
    });
}
