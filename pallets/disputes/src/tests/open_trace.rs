use crate::{mock::*, Backlogs, Call, Error, Event};
use frame_support::{assert_noop, assert_ok};
use noema_disputes::GameStage;
use sp_core::H256;
use sp_runtime::DispatchError;

#[test]
fn the_claimant_shows_its_trace_until_the_last_block() {
    test(|| {
        let claim = challenged(&right());
        go_to(game(claim).joins_until);
        assert_ok!(open(claim, &right()));
        let trace = right().tree();
        assert!(matches!(
            game(claim).stage,
            GameStage::Open { tree, .. } if tree == trace
        ));
        let told = Event::Opened {
            claim,
            leaf: 0,
            trace,
        };
        assert_eq!(events().pop(), Some(told));
        assert_eq!(Backlogs::<Test>::get(WORKER), 0);
        assert_noop!(open(claim, &right()), Error::<Test>::AlreadyOpen);
    });
}

#[test]
fn a_trace_after_the_last_block_is_too_late_even_where_the_turn_comes_later() {
    test(|| {
        let claim = challenged(&right());
        MaxTurnsPerBlock::set(0);
        go_to(game(claim).joins_until + 1);
        assert_noop!(open(claim, &right()), Error::<Test>::TooLate);
        MaxTurnsPerBlock::set(64);
        blocks(1);
        assert!(!has_game(claim));
    });
}

#[test]
fn only_the_hot_key_of_the_claimant_shows_a_trace() {
    test(|| {
        let claim = challenged(&right());
        let call = || open_call(claim, &right());
        assert_noop!(dispatch(call(), CHALLENGER), Error::<Test>::NotAnOperator);
        assert_noop!(dispatch(call(), WORKER), Error::<Test>::NotAnOperator);
        let other = key(VALIDATOR);
        assert_noop!(dispatch(call(), other), Error::<Test>::NotClaimant);
        let statement = Box::new(right().statement());
        assert_noop!(
            Disputes::open_trace(
                RuntimeOrigin::none(),
                claim,
                0,
                statement,
                Vec::new(),
                H256::zero(),
                Vec::new()
            ),
            DispatchError::BadOrigin
        );
        let other = make(&[right()]);
        assert_noop!(open(other, &right()), Error::<Test>::NotDisputed);
    });
}

#[test]
fn a_trace_supports_the_statement_that_was_claimed() {
    test(|| {
        let claim = challenged(&wrong());
        // What is right was not claimed.
        assert_noop!(open(claim, &right()), Error::<Test>::NotInClaim);
        let with = |change: &dyn Fn(&mut H256, &mut Vec<H256>)| {
            let trace = wrong();
            let (mut root, mut siblings) = (trace.tree().root(), trace.last_path());
            change(&mut root, &mut siblings);
            Call::open_trace {
                claim,
                leaf: 0,
                statement: Box::new(trace.statement()),
                path: Vec::new(),
                root,
                siblings,
            }
        };
        let open = |call| dispatch(call, key(WORKER)).map(drop);
        let other = refused(Error::OtherResult);
        // The right trace has another result.
        assert_eq!(open(with(&|root, _| *root = right().tree().root())), other);
        assert_eq!(open(with(&|_, path| path.truncate(2))), other);
        assert_eq!(open(with(&|_, path| path.push(H256::zero()))), other);
        assert_ok!(open(with(&|_, _| {})));
    });
}

#[test]
fn a_leaf_of_many_is_shown_with_its_path() {
    test(|| {
        let traces = [right(), wrong(), Trace::right(9, 5)];
        let claim = make(&traces);
        assert_ok!(challenge(CHALLENGER, claim, 1));
        let call = |path| Call::open_trace {
            claim,
            leaf: 1,
            statement: Box::new(wrong().statement()),
            path,
            root: wrong().tree().root(),
            siblings: wrong().last_path(),
        };
        let elsewhere = claim_path(&traces, 0);
        assert_noop!(
            dispatch(call(elsewhere), key(WORKER)),
            Error::<Test>::NotInClaim
        );
        assert_ok!(dispatch(call(claim_path(&traces, 1)), key(WORKER)));
    });
}

#[test]
fn what_the_chain_knows_to_be_false_has_no_trace() {
    test(|| {
        // No computation has the seed zero.
        let trace = Trace::right(0, 5);
        let claim = challenged(&trace);
        assert_noop!(open(claim, &trace), Error::<Test>::NoShape);
        assert_eq!(
            until_ended(claim),
            noema_claims::ClaimOutcome::Fallen(noema_claims::ClaimFault::FalseLeaf(0))
        );
    });
}
