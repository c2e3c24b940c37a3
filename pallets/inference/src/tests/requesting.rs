//! `request_inference`, `cancel_request`, and the draw of a worker.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use noema_protocol::{interfaces::Prices, CheckpointId, RequestId, SamplingParameters};
use sp_core::H256;

const ASKER: u64 = 1;

fn parameters(change: impl FnOnce(&mut SamplingParameters)) -> SamplingParameters {
    let mut parameters = SamplingParameters::greedy(16);
    change(&mut parameters);
    parameters
}

#[test]
fn a_request_holds_the_price_limit_and_is_assigned_after_the_next_block() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let id = ask(ASKER);
        assert_eq!(escrow(ASKER), LIMIT);
        assert_eq!(free(ASKER), FUNDS - LIMIT);
        assert_eq!(phase(id), Phase::Waiting);

        // The block of the request draws nobody: its randomness was known to the requester.
        next_block();
        assert_eq!(phase(id), Phase::Waiting);

        next_block();
        // Drawn in block 2: 4 blocks and the time for 16 tokens.
        assert_eq!(phase(id), Phase::Answering { deadline: 8 });
        assert_eq!(worker_of(id), 10);
        assert_eq!(engaged(10), 1);
        assert_eq!(Exposure::<Test>::get(10), ANSWER_MAX);
    });
}

#[test]
fn a_request_is_told_with_its_hash_and_expiry() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let id = ask(ASKER);
        System::assert_last_event(
            Event::<Test>::Requested {
                request: id,
                requester: ASKER,
                checkpoint: CHECKPOINT,
                prompt_hash: noema_protocol::hashing::prompt_hash(PROMPT),
                price_limit: LIMIT,
                expires_at: 11,
            }
            .into(),
        );
    });
}

#[test]
fn prompts_that_are_empty_too_long_or_no_text_are_refused() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let ask = |prompt: &[u8]| ask_with(ASKER, prompt, parameters(|_| {}), LIMIT);
        assert_noop!(ask(b""), Error::<Test>::PromptEmpty);
        assert_noop!(ask(&[b'a'; 65]), Error::<Test>::PromptTooLong);
        assert_noop!(ask(&[0xC3, 0x28]), Error::<Test>::PromptNotUtf8);
        assert_ok!(ask(&[b'a'; 64]));
    });
}

#[test]
fn parameters_that_no_executor_defines_are_refused() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let ask = |change: fn(&mut SamplingParameters)| {
            ask_with(ASKER, PROMPT, parameters(change), LIMIT)
        };
        assert_noop!(ask(|p| p.max_tokens = 0), Error::<Test>::NoTokensRequested);
        assert_noop!(
            ask(|p| p.max_tokens = 33),
            Error::<Test>::TooManyTokensRequested
        );
        assert_noop!(
            ask(|p| p.temperature_milli = 10_001),
            Error::<Test>::TemperatureTooHigh
        );
        assert_noop!(ask(|p| p.top_p_milli = 0), Error::<Test>::TopPOutOfRange);
        assert_noop!(
            ask(|p| p.top_p_milli = 1_001),
            Error::<Test>::TopPOutOfRange
        );
    });
}

#[test]
fn unknown_and_withdrawn_checkpoints_are_refused() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let ask = |checkpoint| {
            Inference::request_inference(
                RuntimeOrigin::signed(ASKER),
                checkpoint,
                PROMPT.to_vec(),
                parameters(|_| {}),
                LIMIT,
            )
        };
        let unknown = CheckpointId(H256::repeat_byte(9));
        assert_noop!(ask(unknown), Error::<Test>::CheckpointUnknown);
        withdraw_checkpoint();
        assert_noop!(ask(CHECKPOINT), Error::<Test>::CheckpointInactive);
    });
}

#[test]
fn a_requester_without_funds_is_refused() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let ask = |limit| ask_with(ASKER, PROMPT, parameters(|_| {}), limit);
        assert_noop!(ask(FUNDS), Error::<Test>::FundsTooLow);
        assert_ok!(ask(FUNDS - ExistentialDeposit::get()));
    });
}

#[test]
fn a_worker_that_charges_more_than_the_limit_is_not_drawn() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .execute_with(|| {
            set_price(
                11,
                Prices {
                    per_prompt_byte: 100,
                    per_output_token: 100,
                },
            );
            let limit = ANSWER_MAX + CHECK_FEE;
            let ask = |limit| ask_with(ASKER, PROMPT, parameters(|_| {}), limit);
            let unanswered = ask(limit - 1).expect("prices may fall while it waits");
            for _ in 0..8 {
                let id = ask(limit).expect("worker 10 does it for that");
                advance(2);
                assert_eq!(worker_of(id), 10);
            }
            assert_eq!(refunded_for(unanswered), Some(RefundReason::NoWorker));
        });
}

#[test]
fn workers_are_drawn_in_proportion_to_their_bonds() {
    let mut drawn = [0; 2];
    for salt in 0..60 {
        TestExt::new()
            .salt(salt)
            .endow(ASKER)
            .workers([10, 11])
            .execute_with(|| {
                // Half of worker 11's bond is gone twice: its weight is a quarter of the other's.
                use noema_protocol::interfaces::{Offence, Operators};
                let job = RequestId(99).into();
                assert_ok!(World::lock(&11, job, 75_000));
                World::slash(&11, job, Offence::FalseAnswer, 75_000, &[]);
                World::release(&11, job);
                let (_, worker) = ask_and_assign(ASKER);
                drawn[(worker - 10) as usize] += 1;
            });
    }
    assert!(drawn[0] > 36 && drawn[1] > 2, "{drawn:?}");
}

#[test]
fn without_a_worker_the_request_waits_and_is_refunded_when_it_expires() {
    TestExt::new().endow(ASKER).execute_with(|| {
        let id = ask(ASKER);
        advance(10);
        assert_eq!(phase(id), Phase::Waiting);
        assert_eq!(escrow(ASKER), LIMIT);
        advance(1);
        assert_eq!(refunded_for(id), Some(RefundReason::NoWorker));
        assert_eq!(free(ASKER), FUNDS);
        System::assert_has_event(
            Event::<Test>::Refunded {
                request: id,
                requester: ASKER,
                amount: LIMIT,
                reason: RefundReason::NoWorker,
            }
            .into(),
        );
    });
}

#[test]
fn a_worker_that_comes_back_gets_the_request_that_waits() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        set_live(10, false);
        let id = ask(ASKER);
        advance(5);
        assert_eq!(phase(id), Phase::Waiting);
        set_live(10, true);
        advance(2);
        assert_eq!(worker_of(id), 10);
    });
}

#[test]
fn a_worker_whose_bond_can_be_tied_no_further_is_passed_over() {
    TestExt::new()
        .endow(ASKER)
        .workers([10, 11])
        .execute_with(|| {
            set_busy(10, true);
            for _ in 0..4 {
                assert_eq!(ask_and_assign(ASKER).1, 11);
            }
        });
}

#[test]
fn a_block_without_randomness_draws_nobody() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        set_random(false);
        let id = ask(ASKER);
        advance(4);
        assert_eq!(phase(id), Phase::Waiting);
        set_random(true);
        next_block();
        assert_eq!(worker_of(id), 10);
    });
}

#[test]
fn a_checkpoint_withdrawn_before_the_draw_refunds() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let id = ask(ASKER);
        withdraw_checkpoint();
        advance(2);
        assert_eq!(refunded_for(id), Some(RefundReason::CheckpointWithdrawn));
        assert_eq!(free(ASKER), FUNDS);
    });
}

#[test]
fn only_the_requester_cancels_and_only_while_no_worker_has_it() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let cancel = |who, id| Inference::cancel_request(RuntimeOrigin::signed(who), id);
        assert_noop!(cancel(ASKER, RequestId(9)), Error::<Test>::RequestUnknown);

        let id = ask(ASKER);
        assert_noop!(cancel(2, id), Error::<Test>::NotRequester);
        assert_ok!(cancel(ASKER, id));
        assert_eq!(refunded_for(id), Some(RefundReason::Cancelled));
        assert_eq!(free(ASKER), FUNDS);
        assert_noop!(cancel(ASKER, id), Error::<Test>::TooLate);

        let (id, _) = ask_and_assign(ASKER);
        assert_noop!(cancel(ASKER, id), Error::<Test>::AlreadyAssigned);
    });
}

#[test]
fn turns_that_find_a_block_full_spill_into_the_next_and_none_is_lost() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        MaxDuePerBlock::set(3);
        let ids: Vec<_> = (0..8).map(|_| ask(ASKER)).collect();
        let dues: Vec<_> = ids.iter().map(|id| request(*id).due).collect();
        let expected = [2, 2, 2, 3, 3, 3, 4, 4].map(Some);
        assert_eq!(dues, expected);
        advance(4);
        assert!(ids.iter().all(|id| worker_of(*id) == 10));
        // Nobody answers: every deadline falls into few blocks, and each is kept.
        advance(20);
        assert!(ids
            .iter()
            .all(|id| refunded_for(*id) == Some(RefundReason::NoAnswer)));
        assert_eq!(free(ASKER), FUNDS);
    });
}

#[test]
fn as_many_requests_as_the_agenda_has_room_for_may_be_open() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        for _ in 0..24 {
            ask(ASKER);
        }
        assert_noop!(
            ask_with(ASKER, PROMPT, parameters(|_| {}), LIMIT),
            Error::<Test>::TooBusy
        );
        assert_ok!(Inference::cancel_request(
            RuntimeOrigin::signed(ASKER),
            RequestId(3)
        ));
        ask(ASKER);
    });
}

#[test]
fn a_stray_entry_in_the_agenda_does_nothing() {
    TestExt::new().endow(ASKER).workers([10]).execute_with(|| {
        let (id, _) = ask_and_assign(ASKER);
        Inference::take_turn(id, System::block_number());
        Inference::take_turn(RequestId(77), System::block_number());
        assert!(matches!(phase(id), Phase::Answering { .. }));
    });
}
