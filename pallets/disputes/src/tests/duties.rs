use crate::{mock::*, Call, Error};
use frame_support::{assert_ok, assert_storage_noop};
use noema_disputes::Place;
use pallet_duties::{AsDuty, Duty};
use sp_runtime::DispatchError;

/// The duty that the call is for a hot key. The state must not change.
fn duty(call: &Call<Test>, key: AccountId) -> Result<Duty<u32>, DispatchError> {
    let ask = || call.as_duty(&key, 0).expect("the call is a duty");
    assert_storage_noop!(drop(ask()));
    ask()
}

/// The last block in which a duty with this last game time is surely accepted.
fn block_of(time: u32) -> u32 {
    System::block_number() + time - Disputes::now()
}

#[test]
fn the_moves_of_operators_are_duties_until_their_last_block() {
    test(|| {
        let trace = wrong();
        let claim = make(core::slice::from_ref(&trace));
        assert_ok!(challenge(VALIDATOR, claim, 0));
        let until_open = block_of(game(claim).joins_until);
        let opening = duty(&open_call(claim, &trace), key(WORKER));
        assert_eq!(opening.map(|duty| duty.until), Ok(until_open));
        assert_ok!(open(claim, &trace));
        assert_eq!(
            duty(&open_call(claim, &trace), key(WORKER)),
            refused(Error::AlreadyOpen)
        );

        let top = trace.tree().top();
        let pointing = point_call(claim, &trace, top);
        let until_moved = block_of(until(claim, VALIDATOR));
        let pointed = duty(&pointing, key(VALIDATOR)).expect("it is open");
        assert_eq!(pointed.until, until_moved);
        // A proof is the same move.
        let proving = prove_call(claim, &trace, trace.proof(20));
        assert_eq!(duty(&proving, key(VALIDATOR)), Ok(pointed.clone()));
        assert_ok!(dispatch(pointing, key(VALIDATOR)));
        assert_eq!(duty(&proving, key(VALIDATOR)), refused(Error::OtherSide));

        let showing = show_call(claim, &trace, top, &[VALIDATOR]);
        let until_shown = block_of(until(claim, VALIDATOR));
        let shown = duty(&showing, key(WORKER));
        assert_eq!(shown.map(|duty| duty.until), Ok(until_shown));
        assert_ok!(dispatch(showing, key(WORKER)));

        // The next one is another duty.
        let next = duty(&point_call(claim, &trace, above(20, 4)), key(VALIDATOR));
        assert_ne!(next.expect("it is open").tag, pointed.tag);
        assert_ok!(dispatch(proving, key(VALIDATOR)));
    });
}

#[test]
fn who_has_no_move_is_refused_before_execution() {
    test(|| {
        let trace = right();
        let claim = opened(&trace);
        let top = trace.tree().top();
        let pointing = point_call(claim, &trace, top);
        assert_eq!(duty(&pointing, key(VALIDATOR)), refused(Error::NoLine));
        // An account that is no operator pays for its transactions.
        assert_eq!(duty(&pointing, CHALLENGER), refused(Error::NotAnOperator));
        let leaf = Call::point {
            claim,
            leaf: 0,
            node: Place::of_leaf(3),
            hash: Default::default(),
            siblings: Vec::new(),
        };
        assert_eq!(duty(&leaf, CHALLENGER), refused(Error::WrongNode));
        let proving = prove_call(claim, &trace, trace.proof(20));
        assert_eq!(duty(&proving, key(VALIDATOR)), refused(Error::NoLine));
        let showing = show_call(claim, &trace, top, &[CHALLENGER]);
        assert_eq!(duty(&showing, key(WORKER)), refused(Error::OtherSide));
        assert_eq!(duty(&showing, key(VALIDATOR)), refused(Error::NotClaimant));
        let joining = Call::<Test>::join { claim, leaf: 0 };
        assert_eq!(joining.as_duty(&key(VALIDATOR), 0), None);
    });
}

/// Whether a proof shows anything is found out only when it is executed. It costs the line then: no hot key has the
/// chain execute steps for nothing.
#[test]
fn a_wrong_proof_is_a_duty_once() {
    test(|| {
        let trace = right();
        let claim = make(core::slice::from_ref(&trace));
        assert_ok!(challenge(VALIDATOR, claim, 0));
        assert_ok!(open(claim, &trace));
        let proving = || prove_call(claim, &trace, trace.proof(20));
        assert!(duty(&proving(), key(VALIDATOR)).is_ok());
        assert_ok!(dispatch(proving(), key(VALIDATOR)));
        assert_eq!(duty(&proving(), key(VALIDATOR)), refused(Error::NoLine));
    });
}

/// A validator that was drawn for the leaf has staked its bond, and plays by duties alone.
#[test]
fn a_validator_that_was_drawn_plays_without_funds() {
    test(|| {
        let trace = wrong();
        let claim = make_checked(&trace);
        let validator = drawn(claim);
        assert_ok!(challenge(key(validator), claim, 0));
        assert_ok!(open(claim, &trace));
        let before = wealth(validator);
        let mut height = trace.tree().height();
        while height > 0 {
            let node = above(20, height);
            let pointing = point_call(claim, &trace, node);
            assert!(duty(&pointing, key(validator)).is_ok());
            assert_ok!(dispatch(pointing, key(validator)));
            let showing = show_call(claim, &trace, node, &[validator]);
            assert!(duty(&showing, key(WORKER)).is_ok());
            assert_ok!(dispatch(showing, key(WORKER)));
            height = height.saturating_sub(2);
        }
        let proving = prove_call(claim, &trace, trace.proof(20));
        assert!(duty(&proving, key(validator)).is_ok());
        assert_ok!(dispatch(proving, key(validator)));
        assert!(wealth(validator) >= before + 8_000);
    });
}
