use crate::{mock::*, Call, Error, Event};
use frame_support::{assert_noop, assert_ok};
use noema_disputes::{Place, Side};
use noema_interfaces::Referee;
use sp_core::H256;

#[test]
fn a_challenger_points_to_a_node_in_its_turn() {
    test(|| {
        let trace = right();
        let claim = challenged(&trace);
        let top = trace.tree().top();
        assert_noop!(
            point(CHALLENGER, claim, &trace, top),
            Error::<Test>::NotOpen
        );
        assert_ok!(open(claim, &trace));
        assert_noop!(point(OTHER, claim, &trace, top), Error::<Test>::NoLine);
        assert_ok!(point(CHALLENGER, claim, &trace, top));
        let pointed = line(claim, CHALLENGER);
        assert_eq!(pointed.turn.side, Side::Claimant);
        assert_eq!(pointed.node, Some((top, trace.tree().root())));
        let told = Event::Pointed {
            claim,
            leaf: 0,
            challenger: CHALLENGER,
            node: top,
            until: until(claim, CHALLENGER),
        };
        assert_eq!(events().pop(), Some(told));
        // The claimant owes the move now.
        assert_eq!(Disputes::backlog(&WORKER), TOKENS);
        assert_eq!(Disputes::backlog(&CHALLENGER), 0);
        assert_noop!(
            point(CHALLENGER, claim, &trace, top),
            Error::<Test>::OtherSide
        );
    });
}

#[test]
fn a_node_is_in_the_trace_and_below_the_row_that_was_shown() {
    test(|| {
        let trace = right();
        let claim = opened(&trace);
        let wrong_hash = Call::point {
            claim,
            leaf: 0,
            node: above(20, 4),
            hash: H256::zero(),
            siblings: trace.path(above(20, 4)),
        };
        assert_noop!(dispatch(wrong_hash, CHALLENGER), Error::<Test>::NotInTrace);
        let leaf = Place::of_leaf(20);
        assert_noop!(
            point(CHALLENGER, claim, &trace, leaf),
            Error::<Test>::WrongNode
        );
        assert_ok!(point(CHALLENGER, claim, &trace, above(20, 4)));
        assert_ok!(show(claim, &trace, above(20, 4), &[CHALLENGER]));
        for other in [above(20, 4), above(20, 3), above(50, 2)] {
            assert_noop!(
                point(CHALLENGER, claim, &trace, other),
                Error::<Test>::WrongNode
            );
        }
        assert_ok!(point(CHALLENGER, claim, &trace, above(20, 2)));
    });
}

#[test]
fn a_challenger_that_points_too_late_has_lost() {
    test(|| {
        let trace = right();
        let claim = opened(&trace);
        MaxTurnsPerBlock::set(0);
        go_to(until(claim, CHALLENGER) + 1);
        let top = trace.tree().top();
        assert_noop!(
            point(CHALLENGER, claim, &trace, top),
            Error::<Test>::TooLate
        );
        MaxTurnsPerBlock::set(64);
    });
}

#[test]
fn the_hot_key_of_an_operator_plays_for_it() {
    test(|| {
        let trace = right();
        let claim = make(core::slice::from_ref(&trace));
        assert_ok!(challenge(VALIDATOR, claim, 0));
        assert_ok!(open(claim, &trace));
        let top = trace.tree().top();
        assert_ok!(point(key(VALIDATOR), claim, &trace, top));
        assert_eq!(line(claim, VALIDATOR).turn.side, Side::Claimant);
    });
}
