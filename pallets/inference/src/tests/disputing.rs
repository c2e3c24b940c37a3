//! Contradicted answers: `object`, the committee, `conclude`, and who pays whom.

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use noema_economics::Permill;
use noema_protocol::{interfaces::Earning, Verdict};

const ASKER: u64 = 1;
/// What a lost dispute takes from a full bond.
const LOSS: Balance = FUNDS / 2;
/// What of that goes to the winners.
const REWARD: Balance = LOSS * 60 / 100;

fn world() -> TestExt {
    TestExt::new().endow(ASKER).workers([10]).validators(20..26)
}

#[test]
fn a_lying_worker_loses_and_those_who_convict_it_are_paid_from_its_bond() {
    world().checked().execute_with(|| {
        let issuance = Balances::total_issuance();
        let id = ask_and_answer(ASKER);
        let accusers = hear(id, |_| Voice::Convicts);
        assert!(matches!(phase(id), Phase::Disputed { .. }));
        next_block();
        let committee = hear(id, |_| Voice::Convicts);
        assert_eq!(committee.len(), 3);
        assert!(committee.iter().all(|member| !accusers.contains(member)));

        assert_eq!(refunded_for(id), Some(RefundReason::FalseAnswer));
        assert_eq!(free(ASKER), FUNDS);
        assert_eq!(free(10), FUNDS, "it is not paid");
        assert_eq!(bond(10), FUNDS - LOSS);
        for winner in accusers.iter().chain(&committee) {
            assert_eq!(free(*winner), FUNDS + REWARD / 5);
            assert_eq!(standing(id, *winner), Standing::Won);
            assert!(earnings().contains(&(*winner, id.into(), Earning::Dispute, REWARD / 5)));
        }
        assert_eq!(issuance - Balances::total_issuance(), LOSS - REWARD);
        assert_eq!(engaged(10), 0);
    });
}

#[test]
fn a_lying_validator_loses_and_the_worker_is_paid() {
    world().checked().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let liar = sitting(id)[0];
        let checkers = hear(id, |validator| {
            if validator == liar {
                Voice::Lies
            } else {
                Voice::Honest
            }
        });
        let honest = checkers[1];
        next_block();
        let committee = hear(id, |_| Voice::Honest);

        assert_eq!(phase(id), Phase::Settled);
        assert_eq!(bond(liar), FUNDS - LOSS);
        assert_eq!(free(liar), FUNDS);
        assert_eq!(bond(10), FUNDS);
        assert_eq!(free(10), FUNDS + ANSWER_PRICE);
        assert_eq!(free(honest), FUNDS + CHECK_FEE, "the only check that stood");
        for member in committee {
            assert_eq!(free(member), FUNDS + REWARD / 3);
        }
        assert_eq!(free(ASKER), FUNDS - ANSWER_PRICE - CHECK_FEE);
    });
}

#[test]
fn a_validator_that_upholds_what_the_committee_convicts_loses_too() {
    world().checked().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let accomplice = sitting(id)[0];
        hear(id, |validator| {
            if validator == accomplice {
                Voice::Honest
            } else {
                Voice::Convicts
            }
        });
        next_block();
        hear(id, |_| Voice::Convicts);
        assert_eq!(standing(id, accomplice), Standing::Lost);
        assert_eq!(bond(accomplice), FUNDS - LOSS);
        assert_eq!(bond(10), FUNDS - LOSS);
    });
}

#[test]
fn an_accuser_that_guessed_loses_although_the_answer_was_false() {
    world().checked().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let guesser = sitting(id)[0];
        hear(id, |validator| {
            if validator == guesser {
                Voice::Lies
            } else {
                Voice::Convicts
            }
        });
        next_block();
        hear(id, |_| Voice::Convicts);
        assert_eq!(refunded_for(id), Some(RefundReason::FalseAnswer));
        assert_eq!(standing(id, guesser), Standing::Lost);
        assert_eq!(bond(guesser), FUNDS - LOSS);
    });
}

#[test]
fn an_objection_to_a_false_answer_convicts_it_although_nobody_was_drawn() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        assert!(matches!(phase(id), Phase::Objectable { .. }));
        assert_ok!(object(id, 20, digest(id)));
        assert!(matches!(phase(id), Phase::Disputed { .. }));
        advance(2);
        let committee = hear(id, |_| Voice::Convicts);
        assert!(!committee.contains(&20));
        assert_eq!(refunded_for(id), Some(RefundReason::FalseAnswer));
        assert_eq!(free(20), FUNDS + REWARD / 4);
        assert_eq!(bond(10), FUNDS - LOSS);
    });
}

#[test]
fn an_objection_to_a_true_answer_costs_its_author() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        assert_ok!(object(id, 20, WRONG_DIGEST));
        advance(2);
        hear(id, |_| Voice::Honest);
        assert_eq!(phase(id), Phase::Settled);
        assert_eq!(bond(20), FUNDS - LOSS);
        assert_eq!(free(10), FUNDS + ANSWER_PRICE);
        assert_eq!(free(ASKER), FUNDS - ANSWER_PRICE);
    });
}

#[test]
fn an_answer_that_was_checked_can_still_be_objected_to() {
    world().checked().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let checkers = hear(id, |_| Voice::Honest);
        let other = (20..26).find(|v| !checkers.contains(v)).unwrap();
        assert_noop!(object(id, checkers[0], digest(id)), Error::<Test>::IsParty);
        assert_ok!(object(id, other, digest(id)));
        advance(2);
        hear(id, |_| Voice::Convicts);
        assert_eq!(refunded_for(id), Some(RefundReason::FalseAnswer));
        for checker in checkers {
            assert_eq!(bond(checker), FUNDS - LOSS);
        }
    });
}

#[test]
fn objections_are_refused_out_of_turn_and_of_strangers() {
    world().execute_with(|| {
        let (id, _) = ask_and_assign(ASKER);
        assert_noop!(object(id, 20, digest(id)), Error::<Test>::TooEarly);
        answer(id);
        advance(2);
        assert_noop!(object(id, 10, digest(id)), Error::<Test>::IsParty);
        assert_noop!(object(id, 99, digest(id)), Error::<Test>::NotAValidator);
        set_live(21, false);
        assert_noop!(object(id, 21, digest(id)), Error::<Test>::NotAValidator);
        assert_ok!(object(id, 20, digest(id)));
        assert_noop!(object(id, 22, digest(id)), Error::<Test>::TooLate);
    });
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        advance(3);
        assert_eq!(phase(id), Phase::Settled);
        assert_noop!(object(id, 20, digest(id)), Error::<Test>::TooLate);
    });
}

#[test]
fn a_controller_may_object_itself_and_an_accepted_objection_is_a_duty() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let call = Call::object {
            request: id,
            digest: digest(id),
        };
        assert!(is_duty(&call, key(20)));
        assert!(!is_duty(&call, ASKER));
        assert_ok!(Inference::object(RuntimeOrigin::signed(20), id, digest(id)));
        assert!(!is_duty(&call, key(21)));
    });
}

#[test]
fn an_objection_that_cannot_tie_its_bond_is_refused_and_no_duty() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        let call = Call::object {
            request: id,
            digest: digest(id),
        };
        set_busy(20, true);
        assert!(!is_duty(&call, key(20)));
        assert_noop!(object(id, 20, digest(id)), Error::<Test>::BondUnavailable);
        set_busy(20, false);
        assert!(is_duty(&call, key(20)));
        assert_eq!(engaged(20), 0, "asking changes nothing");
    });
}

#[test]
fn nobody_judges_their_own_case() {
    TestExt::new()
        .endow(ASKER)
        .workers([10])
        .validators([20])
        .checked()
        .execute_with(|| {
            let id = ask_and_answer(ASKER);
            hear(id, |_| Voice::Lies);
            next_block();
            assert_eq!(refunded_for(id), Some(RefundReason::Inconclusive));
            assert_eq!(free(ASKER), FUNDS);
            assert_eq!((bond(10), bond(20)), (FUNDS, FUNDS));
        });
}

#[test]
fn a_committee_without_a_majority_decides_nothing() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        assert_ok!(object(id, 20, digest(id)));
        advance(2);
        let members = sitting(id);
        hear(id, |member| {
            match members.iter().position(|m| *m == member) {
                Some(0) => Voice::Honest,
                Some(1) => Voice::Convicts,
                _ => Voice::Lies,
            }
        });
        assert_eq!(refunded_for(id), Some(RefundReason::Inconclusive));
        assert_eq!(free(ASKER), FUNDS);
        assert!((20..26).all(|validator| bond(validator) == FUNDS));
        assert_eq!(bond(10), FUNDS);
    });
}

#[test]
fn a_silent_committee_decides_nothing_and_only_it_loses() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        assert_ok!(object(id, 20, digest(id)));
        advance(2);
        let members = sitting(id);
        advance(6);
        assert_eq!(refunded_for(id), Some(RefundReason::Inconclusive));
        assert!(members.iter().all(|member| bond(*member) == FUNDS - 500));
        assert_eq!((bond(10), bond(20)), (FUNDS, FUNDS));
    });
}

#[test]
fn the_majority_is_of_those_who_reveal() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        assert_ok!(object(id, 20, digest(id)));
        advance(2);
        let [speaker, ..] = sitting(id)[..] else {
            panic!("three are drawn")
        };
        assert_ok!(commit(id, speaker, Voice::Convicts));
        advance(5);
        assert_ok!(reveal(id, speaker, Voice::Convicts));
        advance(2);
        assert_eq!(refunded_for(id), Some(RefundReason::FalseAnswer));
        assert_eq!(free(speaker), FUNDS + REWARD / 2);
    });
}

#[test]
fn a_resolver_that_refuses_a_dispute_closes_it() {
    world().execute_with(|| {
        set_resolving(Resolving::Refuse);
        let id = ask_and_answer(ASKER);
        assert_ok!(object(id, 20, digest(id)));
        assert_eq!(refunded_for(id), Some(RefundReason::Inconclusive));
    });
}

#[test]
fn a_resolver_that_sleeps_is_timed_out() {
    world().execute_with(|| {
        set_resolving(Resolving::Sleep);
        let id = ask_and_answer(ASKER);
        assert_ok!(object(id, 20, digest(id)));
        advance(DisputeWindow::get());
        assert!(matches!(phase(id), Phase::Disputed { .. }));
        next_block();
        assert_eq!(refunded_for(id), Some(RefundReason::Inconclusive));
        assert_eq!(free(ASKER), FUNDS);
    });
}

#[test]
fn another_resolver_concludes_from_outside() {
    world().execute_with(|| {
        set_resolving(Resolving::Sleep);
        let id = ask_and_answer(ASKER);
        let decided = |verdict| {
            Outcome::Decided(Opinion {
                verdict,
                digest: digest(id),
            })
        };
        assert_noop!(
            Inference::conclude(id, decided(Verdict::Invalid)),
            Error::<Test>::NotDisputed
        );
        assert_ok!(object(id, 20, digest(id)));
        assert_ok!(Inference::conclude(id, decided(Verdict::Invalid)));
        assert_eq!(refunded_for(id), Some(RefundReason::FalseAnswer));
        assert_eq!(free(20), FUNDS + REWARD);
        assert_noop!(
            Inference::conclude(id, decided(Verdict::Valid)),
            Error::<Test>::NotDisputed
        );
    });
}

#[test]
fn without_randomness_a_dispute_ends_at_its_deadline() {
    world().execute_with(|| {
        let id = ask_and_answer(ASKER);
        assert_ok!(object(id, 20, digest(id)));
        set_random(false);
        advance(DisputeWindow::get() + 1);
        assert_eq!(refunded_for(id), Some(RefundReason::Inconclusive));
    });
}

#[test]
fn the_whole_bond_gone_pays_nobody_and_breaks_nothing() {
    world().execute_with(|| {
        MinCheckRate::set(Permill::zero());
        let id = ask_and_answer(ASKER);
        use noema_protocol::interfaces::{Offence, Operators};
        World::slash(&10, id.into(), Offence::FalseAnswer, FUNDS, &[]);
        assert_ok!(object(id, 20, digest(id)));
        advance(2);
        hear(id, |_| Voice::Convicts);
        assert_eq!(refunded_for(id), Some(RefundReason::FalseAnswer));
        assert_eq!(free(20), FUNDS);
    });
}
