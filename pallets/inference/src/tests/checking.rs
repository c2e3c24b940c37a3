//! Spot checks: who is drawn, `commit_verdict`, `reveal_verdict`, and what silence and laziness
//! come to.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use noema_economics::Permill;
use noema_protocol::{hashing, interfaces::Earning, RequestId, Verdict};
use sp_core::H256;

const ASKER: u64 = 1;

fn world() -> TestExt {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .validators([20, 21, 22, 23])
        .checked()
}

#[test]
fn an_answer_that_is_not_drawn_is_settled_after_the_objection_window() {
    world().execute_with(|| {
        MinCheckRate::set(Permill::zero());
        let id = ask_and_answer(ASKER);
        // Decided in block 4.
        assert_eq!(phase(id), Phase::Objectable { deadline: 7 });
        advance(2);
        assert!(!phase(id).is_final());
        next_block();
        assert_eq!(phase(id), Phase::Settled);
        assert_eq!(free(10), FUNDS + ANSWER_PRICE);
        assert_eq!(free(ASKER), FUNDS - ANSWER_PRICE, "nobody checked it");
        assert_eq!(earnings(), [(10, id.into(), Earning::Answer, ANSWER_PRICE)]);
        assert_eq!(engaged(10), 0);
    });
}

#[test]
fn an_answer_that_is_drawn_and_upheld_is_settled_and_its_checks_are_paid() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        assert_eq!(phase(id), Phase::Checking);
        let validators = hear(id, |_| Voice::Honest);
        assert_eq!(validators.len(), 2);
        assert_eq!(phase(id), Phase::Objectable { deadline: 9 });
        advance(3);
        assert_eq!(phase(id), Phase::Settled);
        assert_eq!(free(10), FUNDS + ANSWER_PRICE);
        for validator in validators {
            assert_eq!(free(validator), FUNDS + CHECK_FEE / 2);
            assert_eq!(engaged(validator), 0);
        }
        assert_eq!(free(ASKER), FUNDS - ANSWER_PRICE - CHECK_FEE);
        assert_eq!(escrow(ASKER), 0);
    });
}

#[test]
fn neither_requester_nor_worker_is_drawn_to_check() {
    for salt in 0..10 {
        TestExt::new()
            .salt(salt)
            .workers([10])
            .validators([20, 21, 22])
            .checked()
            .execute_with(|| {
                // A validator asks.
                let id = ask_and_answer(20);
                let mut drawn = sitting(id);
                drawn.sort();
                assert_eq!(drawn, [21, 22]);
            });
    }
}

#[test]
fn the_rate_grows_with_what_a_worker_has_open() {
    world().execute_with(|| {
        MinCheckRate::set(Permill::zero());
        let (id, worker) = ask_and_assign(ASKER);
        let one = Inference::cost_to_cheat(id).expect("it is assigned");
        assert_eq!(one.gain, ANSWER_MAX);
        assert_eq!(one.stake, FUNDS / 2);
        assert!(one.cost > 0);
        ask_and_assign(ASKER);
        let two = Inference::cost_to_cheat(id).expect("it is assigned");
        assert_eq!(two.gain, 2 * ANSWER_MAX);
        assert!(two.check_rate > one.check_rate);
        assert_eq!(worker, 10);
    });
}

#[test]
fn verdicts_are_refused_out_of_turn() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let [first, second] = sitting(id)[..] else {
            panic!("two are drawn")
        };
        let other = (20..24)
            .find(|validator| ![first, second].contains(validator))
            .expect("there are four");

        assert_noop!(commit(id, other, Voice::Honest), Error::<Test>::NotAssigned);
        assert_noop!(commit(id, 99, Voice::Honest), Error::<Test>::NotAnOperator);
        assert_noop!(
            commit(RequestId(9), first, Voice::Honest),
            Error::<Test>::RequestUnknown
        );
        assert_ok!(commit(id, first, Voice::Honest));
        assert_noop!(
            commit(id, first, Voice::Lies),
            Error::<Test>::AlreadyCommitted
        );
        assert_noop!(reveal(id, first, Voice::Honest), Error::<Test>::TooEarly);
        assert_ok!(commit(id, second, Voice::Honest));
        assert_noop!(
            reveal(id, first, Voice::Lies),
            Error::<Test>::CommitmentDiffers
        );
        assert_ok!(reveal(id, first, Voice::Honest));
        assert_noop!(
            reveal(id, first, Voice::Honest),
            Error::<Test>::AlreadyRevealed
        );
        assert_noop!(reveal(id, other, Voice::Honest), Error::<Test>::NotAssigned);
        assert_ok!(reveal(id, second, Voice::Honest));
    });
}

#[test]
fn another_validators_commitment_opens_for_nobody_else() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let [first, second] = sitting(id)[..] else {
            panic!("two are drawn")
        };
        assert_ok!(commit(id, first, Voice::Honest));
        let copied = hashing::verdict_commitment(id, &first, &opening(id, Voice::Honest));
        assert_ok!(Inference::commit_verdict(
            RuntimeOrigin::signed(key(second)),
            id,
            copied
        ));
        assert_ok!(reveal(id, first, Voice::Honest));
        assert_noop!(
            reveal(id, second, Voice::Honest),
            Error::<Test>::CommitmentDiffers
        );
    });
}

#[test]
fn whoever_commits_and_does_not_reveal_is_silent() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let [first, second] = sitting(id)[..] else {
            panic!("two are drawn")
        };
        assert_ok!(commit(id, first, Voice::Honest));
        assert_ok!(commit(id, second, Voice::Honest));
        assert_ok!(reveal(id, first, Voice::Honest));
        advance(4);
        assert_eq!(standing(id, first), Standing::Upholds);
        assert_eq!(standing(id, second), Standing::Silent);
        assert_eq!(bond(second), FUNDS - 500);
        assert_noop!(reveal(id, second, Voice::Honest), Error::<Test>::TooLate);
    });
}

#[test]
fn whoever_did_not_commit_has_nothing_to_reveal() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let [first, second] = sitting(id)[..] else {
            panic!("two are drawn")
        };
        assert_ok!(commit(id, first, Voice::Honest));
        let Stage::Committing { deadline } = Checks::<Test>::get(id).unwrap().stage else {
            panic!("commitments are open")
        };
        advance(deadline - System::block_number());
        next_block();
        assert!(matches!(
            Checks::<Test>::get(id).unwrap().stage,
            Stage::Revealing { .. }
        ));
        assert_noop!(commit(id, second, Voice::Honest), Error::<Test>::TooLate);
        assert_noop!(
            reveal(id, second, Voice::Honest),
            Error::<Test>::NotCommitted
        );
        assert_ok!(reveal(id, first, Voice::Honest));
    });
}

#[test]
fn a_silent_validator_loses_a_little_and_another_is_drawn() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let [honest, silent] = sitting(id)[..] else {
            panic!("two are drawn")
        };
        assert_ok!(commit(id, honest, Voice::Honest));
        advance(5);
        assert_ok!(reveal(id, honest, Voice::Honest));
        advance(3);
        assert_eq!(bond(silent), FUNDS - 500);
        let [replacement] = sitting(id)[..] else {
            panic!("one is drawn again")
        };
        assert!(![honest, silent].contains(&replacement));
        hear(id, |_| Voice::Honest);
        advance(3);
        assert_eq!(phase(id), Phase::Settled);
        assert_eq!(free(silent), FUNDS);
        assert_eq!(free(honest), FUNDS + CHECK_FEE / 2);
        assert_eq!(free(replacement), FUNDS + CHECK_FEE / 2);
    });
}

#[test]
fn a_lazy_validator_is_slashed_and_its_verdict_does_not_count() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let [honest, lazy] = sitting(id)[..] else {
            panic!("two are drawn")
        };
        hear(id, |validator| {
            if validator == lazy {
                Voice::Lazy
            } else {
                Voice::Honest
            }
        });
        assert_eq!(standing(id, lazy), Standing::Unexecuted);
        assert_eq!(bond(lazy), FUNDS - FUNDS / 5);
        next_block();
        hear(id, |_| Voice::Honest);
        advance(3);
        assert_eq!(phase(id), Phase::Settled);
        assert_eq!(free(lazy), FUNDS);
        assert_eq!(free(honest), FUNDS + CHECK_FEE / 2);
    });
}

#[test]
fn when_all_validators_are_silent_the_requester_gets_everything_back() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        advance(14);
        assert_eq!(refunded_for(id), Some(RefundReason::NoVerdict));
        assert_eq!(free(ASKER), FUNDS);
        assert_eq!(bond(10), FUNDS, "the worker did nothing wrong");
        for validator in 20..24 {
            assert_eq!(bond(validator), FUNDS - 500);
            assert_eq!(engaged(validator), 0);
        }
    });
}

#[test]
fn when_all_validators_are_gone_the_requester_gets_everything_back() {
    world().execute_with(|| {
        for validator in 20..24 {
            set_live(validator, false);
        }
        let id = ask_and_answer(ASKER);
        advance(6);
        assert_eq!(refunded_for(id), Some(RefundReason::NoVerdict));
        assert_eq!(free(ASKER), FUNDS);
        assert_eq!(bond(10), FUNDS);
        assert_eq!(engaged(10), 0);
    });
}

#[test]
fn one_validator_is_enough_where_no_other_is_left() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .validators([20])
        .checked()
        .execute_with(|| {
            let id = ask_and_answer(ASKER);
            assert_eq!(sitting(id), [20]);
            hear(id, |_| Voice::Honest);
            advance(5);
            assert_eq!(phase(id), Phase::Settled);
            assert_eq!(free(20), FUNDS + CHECK_FEE);
        });
}

#[test]
fn without_randomness_nothing_is_drawn_and_nothing_hangs() {
    world().execute_with(|| {
        let (id, _) = ask_and_assign(ASKER);
        answer(id);
        set_random(false);
        advance(5);
        assert_eq!(refunded_for(id), Some(RefundReason::NoVerdict));
        assert_eq!(free(ASKER), FUNDS);
    });
}

#[test]
fn blocks_without_randomness_cost_no_draw() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let [honest, silent] = sitting(id)[..] else {
            panic!("two are drawn")
        };
        assert_ok!(commit(id, honest, Voice::Honest));
        assert_ok!(commit(id, silent, Voice::Honest));
        assert_ok!(reveal(id, honest, Voice::Honest));
        set_random(false);
        advance(6);
        assert_eq!(Checks::<Test>::get(id).unwrap().draws, 1);
        set_random(true);
        next_block();
        assert_eq!(sitting(id).len(), 1);
    });
}

#[test]
fn a_check_that_finds_no_randomness_ends_with_what_it_has() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        for validator in sitting(id) {
            assert_ok!(commit(id, validator, Voice::Lazy));
        }
        set_random(false);
        advance(9);
        assert_eq!(refunded_for(id), Some(RefundReason::NoVerdict));
    });
}

#[test]
fn only_verdicts_that_would_be_accepted_are_duties() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let [first, second] = sitting(id)[..] else {
            panic!("two are drawn")
        };
        let commit_is_duty = |signer: u64| {
            let call = Call::commit_verdict {
                request: id,
                commitment: H256::zero(),
            };
            is_duty(&call, signer)
        };
        let reveal_is_duty = |signer: u64, voice| {
            let opening = opening(id, voice);
            let call = Call::reveal_verdict {
                request: id,
                verdict: opening.verdict,
                digest: opening.digest,
                salt: opening.salt,
            };
            is_duty(&call, signer)
        };
        assert!(commit_is_duty(key(first)));
        assert!(!commit_is_duty(first));
        assert!(!commit_is_duty(key(10)));
        assert!(!reveal_is_duty(key(first), Voice::Honest));
        assert_ok!(commit(id, first, Voice::Honest));
        assert!(!commit_is_duty(key(first)));
        assert_ok!(commit(id, second, Voice::Honest));
        assert!(reveal_is_duty(key(first), Voice::Honest));
        assert!(!reveal_is_duty(key(first), Voice::Lies));
        assert_ok!(reveal(id, first, Voice::Honest));
        assert!(!reveal_is_duty(key(first), Voice::Honest));
    });
}

#[test]
fn a_verdict_is_told_with_its_digest() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let validators = hear(id, |_| Voice::Honest);
        System::assert_has_event(
            Event::<Test>::VerdictRevealed {
                request: id,
                validator: validators[0],
                verdict: Verdict::Valid,
                digest: digest(id),
            }
            .into(),
        );
    });
}
