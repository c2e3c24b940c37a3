use crate::{mock::*, MoveDue, MoveStep};
use frame_support::assert_ok;

#[test]
fn a_game_is_told_with_its_lines_and_the_bond() {
    test(|| {
        let trace = right();
        let claim = challenged(&trace);
        let told = Disputes::game(claim, 0).expect("it is open");
        assert_eq!(told.game, game(claim));
        assert_eq!(
            told.lines,
            [(CHALLENGER, line(claim, CHALLENGER), None)],
            "its time begins with the trace"
        );
        assert_eq!(told.time, Disputes::now());
        assert_ok!(open(claim, &trace));
        let told = Disputes::game(claim, 0).expect("it is open");
        assert_eq!(told.lines[0].2, Some(until(claim, CHALLENGER)));
        assert_eq!(Disputes::game(claim, 1), None);
    });
}

#[test]
fn an_account_sees_the_moves_that_it_owes() {
    test(|| {
        let trace = right();
        let claim = challenged(&trace);
        let due = |step, blocks| MoveDue {
            claim,
            leaf: 0,
            checkpoint: CHECKPOINT,
            step,
            blocks,
        };
        assert!(Disputes::moves_due(CHALLENGER).is_empty());
        let opening = [due(MoveStep::Open, PER_MOVE + WORK)];
        assert_eq!(Disputes::moves_due(WORKER), opening);
        assert_eq!(Disputes::moves_due(key(WORKER)), opening);
        blocks(1);
        assert_ok!(open(claim, &trace));
        assert!(Disputes::moves_due(WORKER).is_empty());
        // Six rows, two at a time, and the proof.
        let clock = 4 * PER_MOVE;
        let next = [due(MoveStep::PointOrProve(None), WORK + clock)];
        assert_eq!(Disputes::moves_due(CHALLENGER), next);
        let top = trace.tree().top();
        assert_ok!(point(CHALLENGER, claim, &trace, top));
        assert!(Disputes::moves_due(CHALLENGER).is_empty());
        let row = [due(MoveStep::Show(top, CHALLENGER), WORK + clock)];
        assert_eq!(Disputes::moves_due(WORKER), row);
        assert_ok!(show(claim, &trace, top, &[CHALLENGER]));
        let next = [due(MoveStep::PointOrProve(Some(top)), WORK + clock)];
        assert_eq!(Disputes::moves_due(CHALLENGER), next);
    });
}
