use crate::{mock::*, Call, Error, Event};
use frame_support::{assert_noop, assert_ok, BoundedVec};
use noema_disputes::Side;
use sp_core::H256;

#[test]
fn the_claimant_shows_the_row_below_a_node() {
    test(|| {
        let trace = right();
        let claim = opened(&trace);
        let top = trace.tree().top();
        let challengers = [CHALLENGER];
        assert_noop!(
            show(claim, &trace, top, &challengers),
            Error::<Test>::OtherSide
        );
        assert_ok!(point(CHALLENGER, claim, &trace, top));
        let mut row = trace.row_below(top);
        row[1] = H256::zero();
        let other = Call::show {
            claim,
            leaf: 0,
            challengers: BoundedVec::truncate_from(challengers.to_vec()),
            row: BoundedVec::truncate_from(row),
        };
        assert_noop!(dispatch(other, key(WORKER)), Error::<Test>::WrongRow);
        let call = || show_call(claim, &trace, top, &challengers);
        assert_noop!(dispatch(call(), CHALLENGER), Error::<Test>::NotAnOperator);
        let other = key(VALIDATOR);
        assert_noop!(dispatch(call(), other), Error::<Test>::NotClaimant);
        assert_ok!(dispatch(call(), key(WORKER)));
        assert_eq!(line(claim, CHALLENGER).turn.side, Side::Challenger);
        let told = Event::Shown {
            claim,
            leaf: 0,
            node: top,
            challengers: challengers.to_vec(),
        };
        assert_eq!(events().pop(), Some(told));
    });
}

#[test]
fn one_row_answers_all_lines_at_its_node() {
    test(|| {
        let trace = right();
        let claim = opened(&trace);
        assert_ok!(challenge(OTHER, claim, 0));
        assert_ok!(Disputes::join(RuntimeOrigin::signed(THIRD), claim, 0));
        let top = trace.tree().top();
        for challenger in [CHALLENGER, OTHER] {
            assert_ok!(point(challenger, claim, &trace, top));
        }
        assert_ok!(point(THIRD, claim, &trace, above(7, 2)));
        let other = || Error::<Test>::OtherNode;
        assert_noop!(show(claim, &trace, top, &[]), other());
        assert_noop!(show(claim, &trace, top, &[OTHER, OTHER]), other());
        assert_noop!(show(claim, &trace, top, &[OTHER, THIRD]), other());
        assert_noop!(show(claim, &trace, top, &[OUTSIDER]), Error::<Test>::NoLine);
        assert_ok!(show(claim, &trace, top, &[CHALLENGER, OTHER]));
        assert_ok!(show(claim, &trace, above(7, 2), &[THIRD]));
        for challenger in [CHALLENGER, OTHER, THIRD] {
            assert_eq!(line(claim, challenger).turn.side, Side::Challenger);
        }
        assert_eq!(game(claim).shown, 3);
    });
}

#[test]
fn a_row_that_is_shown_too_late_is_refused() {
    test(|| {
        let trace = right();
        let claim = opened(&trace);
        let top = trace.tree().top();
        assert_ok!(point(CHALLENGER, claim, &trace, top));
        MaxTurnsPerBlock::set(0);
        go_to(until(claim, CHALLENGER) + 1);
        assert_noop!(
            show(claim, &trace, top, &[CHALLENGER]),
            Error::<Test>::TooLate
        );
        MaxTurnsPerBlock::set(64);
    });
}
