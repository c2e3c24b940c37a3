use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use noema_interfaces::{Burden, Candidate, Earning, Operators as _, WorkCredit};
use noema_protocol::{Job, Offence, Role, SessionId, Work};
use noema_terms::TermIndex;

fn candidate() -> Candidate<AccountId, Balance> {
    Operators::candidate_for(Role::Worker, &LLAMA, &ALICE).expect("it can be drawn")
}

#[test]
fn set_reserve_keeps_a_part_of_the_bond_from_draws() {
    test(|| {
        serving(ALICE, WORKER, 500);
        pass_terms(2);
        let weight = drawable(Role::Worker, LLAMA);
        assert_ok!(Operators::set_reserve(signed(ALICE), 300));
        // A draw whose randomness is known already is not changed by it.
        for bond in [500, 500, 200] {
            assert_eq!((candidate().bond, candidate().free), (bond, bond));
            pass_terms(1);
        }
        assert_eq!(drawable(Role::Worker, LLAMA), weight);
        let drawn = candidate();
        assert_ok!(Operators::lock_drawn(&drawn, job(1), 200, Burden::None));
        assert_noop!(
            Operators::lock_drawn(&drawn, job(2), 1, Burden::None),
            Error::<Test>::BondExhausted
        );
        // A job that the operator chooses may lock the rest, and is all that draws leave unlocked.
        let session = |number| Job::Session(SessionId(1), number);
        assert_ok!(Operators::lock(&ALICE, session(0), 100));
        assert_eq!((candidate().bond, candidate().free), (300, 0));
        Operators::release(&ALICE, job(1));
        assert_eq!(candidate().free, 200, "as much as before the claim");
        assert_ok!(Operators::lock(&ALICE, session(1), 250));
        assert_eq!(candidate().free, 150, "what was reserved does not suffice");
        Operators::slash(&ALICE, session(1), Offence::FalseAnswer, 250, &[]);
        Operators::release(&ALICE, session(1));
        Operators::release(&ALICE, session(0));
        let operator = Operators::operator(ALICE).expect("registered").operator;
        assert_eq!(
            (operator.bond, operator.locked, operator.chosen),
            (250, 0, 0)
        );
    });
}

#[test]
fn a_paid_claim_leaves_the_reserve_unlocked() {
    test(|| {
        serving(ALICE, WORKER, 500);
        assert_ok!(Operators::set_reserve(signed(ALICE), 300));
        pass_terms(2);
        let claim = Job::Session(SessionId(1), 0);
        assert_ok!(Operators::lock(&ALICE, claim, 100));
        assert_eq!(candidate().free, 200, "what is locked was reserved");
        transfer_to_purse(BOB, 15);
        let credit = WorkCredit {
            job: claim,
            kind: Earning::Answer,
            amount: 15,
            work: Work::Inference,
            done: 1,
        };
        assert!(!Operators::release_paid(&ALICE, claim, credit));
        let operator = Operators::operator(ALICE).expect("registered").operator;
        assert_eq!((operator.locked, operator.chosen), (0, 0));
        assert_eq!(candidate().free, 200);
    });
}

#[test]
fn set_reserve_may_exceed_the_bond_and_be_taken_back() {
    test(|| {
        serving(ALICE, WORKER, 500);
        assert_ok!(Operators::set_reserve(signed(ALICE), 1_000));
        System::assert_last_event(
            Event::ReserveSet {
                controller: ALICE,
                amount: 1_000,
                from: TermIndex(2),
            }
            .into(),
        );
        pass_terms(2);
        assert_eq!((candidate().bond, candidate().free), (0, 0));
        assert_ok!(Operators::set_reserve(signed(ALICE), 0));
        pass_terms(2);
        assert_eq!(candidate().free, 500);
    });
}

#[test]
fn set_reserve_refuses_the_hot_key_and_strangers() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        for who in [key_of(ALICE), BOB] {
            assert_noop!(
                Operators::set_reserve(signed(who), 1),
                Error::<Test>::NotRegistered
            );
        }
    });
}
