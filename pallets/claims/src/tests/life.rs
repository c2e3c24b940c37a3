use crate::{mock::*, Agenda, Call, Claims as Kept, Error, Event, HoldReason};
use frame_support::{assert_noop, assert_ok};
use noema_claims::{ClaimFault, ClaimOutcome, Decision, Permill, SeatState, Verification};
use noema_interfaces::{Claims as _, Disputes, Operators as _};
use noema_protocol::{Job, RequestId, Work};

#[test]
fn a_claim_that_is_checked_is_paid() {
    test(|| {
        let before = total(PAYER);
        let id = make(terms()).expect("the claim can be made");
        assert_eq!(held(PAYER, HoldReason::Payment), 1_200);
        check_honestly(id);
        assert_eq!(
            until_ended(id),
            ClaimOutcome::Final(Verification::Confirmed),
            "the two drawn validators found the same"
        );
        assert_eq!(payable(WORKER), 900);
        for (validator, _) in seats(id) {
            assert_eq!(payable(validator), 90);
        }
        assert_eq!(total(PAYER), before - 1_200);
        assert_eq!(held(PAYER, HoldReason::Payment), 0);
        assert_eq!(bond(WORKER), BOND);
        let work = RecordedWork::all();
        assert_eq!(work[0], (Work::Inference, WORKER, 100));
        assert_eq!(work[1].0, Work::Check);
        assert_eq!(told(|told| told.ended.len()), 1);
    });
}

#[test]
fn the_part_of_the_hold_that_a_claim_cannot_cost_goes_back_with_its_end() {
    test(|| {
        let before = total(PAYER);
        let id = make_with(terms(), 300).expect("the claim can be made");
        check_honestly(id);
        until_challengeable(id);
        assert_eq!(held(PAYER, HoldReason::Payment), 1_500);
        until_ended(id);
        assert_eq!(held(PAYER, HoldReason::Payment), 0);
        assert_eq!(total(PAYER), before - 1_200);
    });
    test(|| {
        let before = total(PAYER);
        let id = make_with(terms(), 300).expect("the claim can be made");
        assert_ok!(Claims::challenge(RuntimeOrigin::signed(STRANGER), id, 0));
        Claims::conclude(id, 0, Decision::False, &[]);
        assert_eq!(held(PAYER, HoldReason::Payment), 0, "the claim fell");
        assert_eq!(total(PAYER), before);
    });
}

#[test]
fn a_claim_that_is_not_drawn_costs_no_check() {
    test(|| {
        let mut terms = terms();
        terms.rules.min_check_rate = Permill::from_parts(1);
        terms.stake = 90_000;
        terms.payment = 1;
        let id = make(terms).expect("the claim can be made");
        let outcome = until_ended(id);
        assert_eq!(outcome, ClaimOutcome::Final(Verification::NotDrawn));
        assert_eq!((payable(WORKER), total(PAYER)), (1, FUNDS - 1));
    });
}

#[test]
fn a_silent_validator_loses_its_stake_and_others_are_drawn() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        until_committing(id);
        let silent = seats(id);
        until_challengeable(id);
        for (validator, _) in silent {
            assert_eq!(bond(validator), BOND - 1_000);
        }
        let seats = claim(id).seats;
        assert_eq!(seats.len(), 6, "two validators, three times");
        assert!(seats.iter().all(|seat| seat.state == SeatState::Silent));
        let outcome = until_ended(id);
        assert_eq!(outcome, ClaimOutcome::Unconfirmed);
        let (paid, lost) = (payable(WORKER), BOND - bond(WORKER));
        assert_eq!(
            (paid, lost),
            (0, 0),
            "no validator showed it to be true, or false"
        );
        assert_eq!(total(PAYER), FUNDS);
    });
}

#[test]
fn one_that_commits_and_does_not_reveal_loses_as_much() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        until_committing(id);
        let seats = seats(id);
        commit(id, seats[0].0, 0);
        commit(id, seats[1].0, 0);
        until_revealing(id);
        reveal(id, seats[0].0, 0);
        until_challengeable(id);
        assert_eq!(bond(seats[1].0), BOND - 1_000);
        assert_eq!(bond(seats[0].0), BOND);
    });
}

#[test]
fn without_randomness_a_claim_waits() {
    test(|| {
        IsRandom::set(false);
        let id = make(terms()).expect("the claim can be made");
        blocks(100);
        assert_eq!(claim(id).stage, noema_claims::ClaimStage::Undrawn);
        IsRandom::set(true);
        check_honestly(id);
        until_ended(id);
    });
}

#[test]
fn a_claim_without_money_or_lock_is_refused() {
    test(|| {
        let mut poor = terms();
        poor.payment = FUNDS;
        assert_noop!(make(poor), Error::<Test>::FundsTooLow);
        let mut empty = terms();
        empty.leaves = 0;
        assert_noop!(
            frame_support::storage::with_storage_layer(|| make(empty.clone())),
            Error::<Test>::NoLeaves
        );
    });
}

#[test]
fn the_record_of_a_claim_that_is_over_stays_until_it_is_pruned() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        check_honestly(id);
        until_ended(id);
        let over = |call: Call<Test>| dispatch(call, key(seats(id)[0].0));
        let challenge = Call::challenge { claim: id, leaf: 0 };
        assert_noop!(over(challenge), Error::<Test>::Ended);
        blocks(100);
        assert!(Kept::<Test>::contains_key(id));
        assert_eq!(Agenda::<Test>::iter().count(), 0);
        Claims::prune(id);
        assert!(!Kept::<Test>::contains_key(id));
        assert_eq!(Claims::claim_info(id), None);
        System::assert_last_event(Event::<Test>::Pruned { claim: id }.into());
    });
}

/// The worker pays, is paid and, with a challenge by its own account, gets the challenger's share: it still
/// loses.
#[test]
fn showing_oneself_to_be_false_is_a_loss() {
    test(|| {
        let mut terms = terms();
        terms.payer = WORKER;
        let before = total(WORKER) + total(STRANGER);
        let id = make(terms).expect("the claim can be made");
        let origin = RuntimeOrigin::signed(STRANGER);
        frame_support::assert_ok!(Claims::challenge(origin, id, 0));
        Claims::conclude(id, 0, Decision::False, &[]);
        let outcome = claim(id).outcome();
        assert_eq!(
            outcome,
            Some(ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0)))
        );
        assert_eq!(total(WORKER) + total(STRANGER), before - 16_000);
    });
}

#[test]
fn what_is_added_to_a_bond_once_the_draw_is_known_makes_no_validator_suitable() {
    test(|| {
        let spent = VALIDATOR..VALIDATOR + VALIDATORS - 2;
        let job = |validator| Job::Request(RequestId(1_000 + validator));
        for validator in spent.clone() {
            assert_ok!(Operators::lock(&validator, job(validator), BOND));
        }
        let id = make(terms()).expect("the claim can be made");
        for validator in spent.clone() {
            let origin = RuntimeOrigin::signed(validator);
            assert_ok!(Operators::bond_extra(origin, BOND));
        }
        until_committing(id);
        let seats = seats(id);
        assert!(!seats.is_empty());
        assert!(seats.iter().all(|(who, _)| !spent.contains(who)));
        check_honestly(id);
        until_ended(id);
        for validator in spent {
            Operators::release(&validator, job(validator));
        }
    });
}
