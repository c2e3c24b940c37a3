use crate::{mock::*, Call, Error, HoldReason};
use frame_support::{assert_noop, assert_ok};
use noema_claims::{ClaimFault, ClaimOutcome, ClaimStage, Decision, Verification};
use noema_interfaces::Disputes;
use pallet_duties::AsDuty;

fn challenge(who: u64, id: noema_protocol::ClaimId) -> sp_runtime::DispatchResult {
    Claims::challenge(RuntimeOrigin::signed(who), id, 0)
}

#[test]
fn a_false_leaf_costs_the_claimant_and_pays_the_challenger() {
    test(|| {
        let (payer, stranger) = (total(PAYER), total(STRANGER));
        let id = make(terms()).expect("the claim can be made");
        check_honestly(id);
        assert_ok!(challenge(STRANGER, id));
        assert_eq!(held(STRANGER, HoldReason::Challenge), 20_000);
        assert_eq!(told(|told| told.opened.clone()), [(id, 0)]);
        let confirmed = seats(id);
        let jurors = [VALIDATOR, VALIDATOR + 1];
        let credits = jurors.map(payable);
        Claims::conclude(id, 0, Decision::False, &jurors);
        let outcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));
        assert_eq!(claim(id).stage, ClaimStage::Ended(outcome));
        assert_eq!(total(PAYER), payer, "the full amount is refunded");
        assert_eq!(bond(WORKER), BOND - 20_000);
        assert_eq!(total(STRANGER), stranger + 4_000, "at most the cap");
        assert_eq!(held(STRANGER, HoldReason::Challenge), 0);
        for (validator, _) in confirmed {
            assert_eq!(
                bond(validator),
                BOND - 1_000,
                "the validator did not execute the leaf"
            );
        }
        for (juror, before) in jurors.into_iter().zip(credits) {
            assert_eq!(payable(juror), before + 100);
        }
        assert_eq!(payable(WORKER), 0);
    });
}

#[test]
fn a_true_leaf_costs_the_challenger() {
    test(|| {
        let stranger = total(STRANGER);
        let id = make(terms()).expect("the claim can be made");
        assert_ok!(challenge(STRANGER, id));
        check_honestly(id);
        blocks(50);
        assert_eq!(claim(id).outcome(), None, "the dispute is open");
        let juror = VALIDATOR;
        Claims::conclude(id, 0, Decision::True, &[juror]);
        assert_eq!(total(STRANGER), stranger - 20_000);
        assert_eq!(payable(WORKER), 100, "the cost of the dispute");
        assert_eq!(payable(juror), 100);
        let outcome = until_ended(id);
        assert_eq!(outcome, ClaimOutcome::Final(Verification::Confirmed));
        assert_eq!(payable(WORKER), 100 + 900);
    });
}

/// Terms of a free answer of 21 tokens, for each of which a juror gets ten.
fn free() -> noema_claims::ClaimTerms<u64, u32> {
    let mut terms = terms();
    (terms.payment, terms.check_fee) = (0, 0);
    terms.rules.juror_fee_per_token = 10;
    terms
}

#[test]
fn jurors_of_a_free_answer_are_paid_by_their_work() {
    let jurors = [VALIDATOR, VALIDATOR + 1];
    test(|| {
        let stranger = total(STRANGER);
        let id = make(free()).expect("the claim can be made");
        assert_ok!(challenge(STRANGER, id));
        Claims::conclude(id, 0, Decision::False, &jurors);
        assert_eq!(jurors.map(payable), [210; 2]);
        assert_eq!(bond(WORKER), BOND - 20_000);
        assert_eq!(total(STRANGER), stranger + 4_000);
    });
    test(|| {
        let id = make(free()).expect("the claim can be made");
        for challenger in [STRANGER, PAYER] {
            assert_ok!(challenge(challenger, id));
        }
        Claims::conclude(id, 0, Decision::True, &jurors);
        assert_eq!(jurors.map(payable), [210; 2], "once");
        assert_eq!(payable(WORKER), 2 * 210, "by each challenger");
    });
}

/// A check that costs so much that no stake pays a juror as much: 30,000 for each.
#[test]
fn jurors_share_equally_where_the_stakes_do_not_suffice() {
    let dear = || {
        let mut terms = terms();
        terms.check_fee = 60_000;
        terms
    };
    let jurors = [VALIDATOR, VALIDATOR + 1, VALIDATOR + 2, VALIDATOR + 2];
    let payables = || [0, 1, 2].map(|index| payable(VALIDATOR + index));
    test(|| {
        let id = make(dear()).expect("the claim can be made");
        assert_ok!(challenge(STRANGER, id));
        Claims::conclude(id, 0, Decision::False, &jurors);
        // The stake of 20,000, without the 4,000 of the challenger.
        assert_eq!(payables(), [4_000, 4_000, 8_000]);
    });
    test(|| {
        let id = make(dear()).expect("the claim can be made");
        for challenger in [STRANGER, PAYER] {
            assert_ok!(challenge(challenger, id));
        }
        Claims::conclude(id, 0, Decision::True, &jurors);
        // Of each stake of 20,000 half goes to the claimant, and the other half to the jurors.
        assert_eq!(payables(), [5_000, 5_000, 10_000]);
        assert_eq!(payable(WORKER), 20_000);
    });
}

#[test]
fn what_cannot_be_decided_is_free_for_neither_side() {
    test(|| {
        let (payer, stranger) = (total(PAYER), total(STRANGER));
        let id = make(terms()).expect("the claim can be made");
        assert_ok!(challenge(STRANGER, id));
        Claims::conclude(id, 0, Decision::Undecided, &[]);
        assert_eq!(total(PAYER), payer);
        assert_eq!(total(STRANGER), stranger - 20_000);
        assert_eq!(bond(WORKER), BOND - 20_000);
    });
}

#[test]
fn a_drawn_validator_challenges_with_its_seat() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        until_committing(id);
        let drawn = seats(id)[0].0;
        let call = Call::<Test>::challenge { claim: id, leaf: 0 };
        let is_duty = |who| call.as_duty(&key(who), 1).expect("the call may be a duty");
        let duty = is_duty(drawn).expect("the validator was drawn");
        assert!(duty.until > System::block_number());
        assert_eq!(is_duty(WORKER), Err(Error::<Test>::NotDrawn.into()));
        assert_ok!(dispatch(call.clone(), key(drawn)));
        assert_eq!(held(drawn, HoldReason::Challenge), 0);
        assert_eq!(is_duty(drawn), Err(Error::<Test>::NotDrawn.into()));
        Claims::conclude(id, 0, Decision::True, &[]);
        assert_eq!(bond(drawn), BOND - 1_000);
        until_challengeable(id);
    });
}

#[test]
fn the_lock_of_a_seat_pays_all_jurors_of_a_long_leaf() {
    test(|| {
        let mut terms = terms();
        // 37 fees of 100 are more than the least lock of 1,000.
        (terms.check_fee, terms.leaf_tokens) = (0, 100);
        let id = make(terms).expect("the claim can be made");
        until_committing(id);
        let drawn = seats(id)[0].0;
        let mut others = VALIDATOR..VALIDATOR + VALIDATORS;
        let juror = others.find(|other| *other != drawn);
        let juror = juror.expect("there are several validators");
        assert_ok!(challenge(key(drawn), id));
        Claims::conclude(id, 0, Decision::True, &[juror; 36]);
        assert_eq!(payable(juror), 36 * 100);
        assert_eq!(payable(WORKER), 100);
        assert_eq!(bond(drawn), BOND - 37 * 100);
    });
}

#[test]
fn a_drawn_validator_is_right() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        until_committing(id);
        let seats = seats(id);
        for (validator, _) in &seats {
            assert_ok!(challenge(key(*validator), id));
        }
        assert_eq!(
            told(|told| told.opened.len()),
            1,
            "equal challenges share a dispute"
        );
        Claims::conclude(id, 0, Decision::False, &[]);
        for (validator, _) in &seats {
            assert_eq!(payable(*validator), 2_000, "half of the challengers' share");
            assert_eq!(bond(*validator), BOND);
        }
    });
}

#[test]
fn each_refusal_has_a_name() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        let unknown = noema_protocol::ClaimId(9);
        assert_noop!(challenge(STRANGER, unknown), Error::<Test>::UnknownClaim);
        let leaf = Claims::challenge(RuntimeOrigin::signed(STRANGER), id, 1);
        assert_noop!(leaf, Error::<Test>::UnknownLeaf);
        assert_noop!(challenge(WORKER, id), Error::<Test>::OwnClaim);
        assert_noop!(challenge(key(WORKER), id), Error::<Test>::OwnClaim);
        assert_noop!(challenge(77, id), Error::<Test>::FundsTooLow);
        assert_ok!(challenge(STRANGER, id));
        assert_noop!(challenge(STRANGER, id), Error::<Test>::AlreadyChallenged);
        assert_ok!(challenge(PAYER, id));
        assert_noop!(challenge(OTHER, id), Error::<Test>::ChallengersFull);
        until_committing(id);
        for (validator, _) in seats(id) {
            assert_ok!(challenge(key(validator), id));
        }
    });
}

#[test]
fn challenges_end_with_their_window() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        check_honestly(id);
        until_challengeable(id);
        let ClaimStage::Challengeable { until, .. } = claim(id).stage else {
            panic!("the claim is challengeable")
        };
        blocks(until - System::block_number());
        assert_eq!(claim(id).outcome(), None);
        assert_ok!(challenge(STRANGER, id));
        Claims::conclude(id, 0, Decision::True, &[]);
        blocks(1);
        assert!(claim(id).outcome().is_some());
        assert_noop!(challenge(PAYER, id), Error::<Test>::Ended);
    });
}

#[test]
fn concluding_what_is_not_disputed_does_nothing() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        Claims::conclude(id, 0, Decision::False, &[]);
        assert_eq!(claim(id).outcome(), None);
        assert!(Claims::challengers(id, 0).is_empty());
    });
}
