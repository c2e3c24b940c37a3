use crate::{mock::*, Claims as Kept, Config, Error, WeightInfo};
use frame_support::{assert_noop, assert_ok, traits::UnfilteredDispatchable};
use noema_claims::ClaimStage;
use noema_protocol::ClaimId;
use pallet_duties::AsDuty;

#[test]
fn only_a_drawn_validator_commits_and_only_once() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        let call = |who, leaf| {
            let origin = RuntimeOrigin::signed(who);
            Claims::commit_check(origin, id, leaf, Default::default())
        };
        assert_noop!(call(STRANGER, 0), Error::<Test>::NotAnOperator);
        assert_noop!(call(key(VALIDATOR), 0), Error::<Test>::WrongStage);
        until_committing(id);
        let seats = seats(id);
        let drawn = seats[0].0;
        let other = (VALIDATOR..VALIDATOR + VALIDATORS)
            .find(|validator| !seats.contains(&(*validator, 0)))
            .expect("there are more validators than seats");
        assert_noop!(call(key(other), 0), Error::<Test>::NotDrawn);
        assert_noop!(call(key(WORKER), 0), Error::<Test>::NotDrawn);
        assert_noop!(call(key(drawn), 1), Error::<Test>::NotDrawn);
        commit(id, drawn, 0);
        assert_noop!(call(key(drawn), 0), Error::<Test>::AlreadyCommitted);
        until_revealing(id);
        assert_noop!(call(key(drawn), 0), Error::<Test>::TooLate);
        let unknown = Claims::commit_check(
            RuntimeOrigin::signed(key(drawn)),
            ClaimId(99),
            0,
            Default::default(),
        );
        assert_eq!(unknown, Err(Error::<Test>::UnknownClaim.into()));
    });
}

#[test]
fn a_commitment_is_a_duty_until_the_window_ends() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        until_committing(id);
        let (validator, leaf) = seats(id)[0];
        let call = crate::Call::<Test>::commit_check {
            claim: id,
            leaf,
            commitment: commitment(id, validator, leaf),
        };
        let now = System::block_number();
        let duty = call
            .as_duty(&key(validator), now)
            .expect("the call is a duty")
            .expect("the duty is open");
        let due = &Claims::checks_due(validator)[0];
        assert_eq!((due.claim, due.until), (id, duty.until));
        assert_ok!(dispatch(call.clone(), key(validator)));
        let again = call
            .as_duty(&key(validator), now)
            .expect("the call is a duty");
        assert_eq!(again, Err(Error::<Test>::AlreadyCommitted.into()));
        assert!(Claims::checks_due(validator).is_empty());
    });
}

#[test]
fn revealing_opens_as_soon_as_all_have_committed() {
    test(|| {
        let id = make(terms()).expect("the claim can be made");
        until_committing(id);
        let at = System::block_number();
        for (validator, leaf) in seats(id) {
            commit(id, validator, leaf);
        }
        assert!(matches!(claim(id).stage, ClaimStage::Revealing { .. }));
        assert_eq!(
            System::block_number(),
            at,
            "in the block of the last commitment"
        );
    });
}

/// The turn and the end of the stage of a claim that all validators, each with a backlog from the referee, have
/// committed to, and what each commitment was charged.
fn all_committed(backlog: u64) -> (u32, u32, Vec<Option<frame_support::weights::Weight>>) {
    let validators = VALIDATOR..VALIDATOR + VALIDATORS;
    told(|told| told.backlogs = validators.map(|validator| (validator, backlog)).collect());
    let id = make(terms()).expect("the claim can be made");
    until_committing(id);
    let charged = seats(id).into_iter().map(|(validator, leaf)| {
        let call = crate::Call::<Test>::commit_check {
            claim: id,
            leaf,
            commitment: commitment(id, validator, leaf),
        };
        let origin = RuntimeOrigin::signed(key(validator));
        let done = call.dispatch_bypass_filter(origin);
        done.expect("the validator was drawn").actual_weight
    });
    let charged = charged.collect();
    let turn = Kept::<Test>::get(id).and_then(|kept| kept.turn);
    let ClaimStage::Revealing { until } = claim(id).stage else {
        panic!("not revealed: {:?}", claim(id).stage);
    };
    (turn.expect("the claim is open"), until, charged)
}

#[test]
fn a_claim_keeps_the_turn_of_its_commitments_where_it_is_near() {
    type Weights = <Test as Config>::WeightInfo;
    test(|| {
        let window = rules().windows.commit_window(terms().leaf_tokens);
        let (turn, until, charged) = all_committed(0);
        assert!(turn != until + 1 && turn <= until + 1 + window);
        assert_eq!(charged, [Some(Weights::commit_early()); 2]);
    });
    test(|| {
        let (turn, until, charged) = all_committed(1_000);
        assert_eq!(turn, until + 1);
        let last = Some(Weights::commit_check());
        assert_eq!(charged, [Some(Weights::commit_early()), last]);
    });
}
