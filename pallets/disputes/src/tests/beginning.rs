use crate::{mock::*, Backlogs, Event};
use frame_support::assert_ok;
use noema_disputes::GameStage;
use noema_interfaces::Referee;

#[test]
fn a_challenge_begins_a_game_with_a_line() {
    test(|| {
        let claim = challenged(&right());
        let now = Disputes::now();
        let until = now + PER_MOVE + WORK;
        assert_eq!(game(claim).stage, GameStage::Opening { until });
        assert!(has_line(claim, CHALLENGER));
        assert_eq!(
            events(),
            [
                Event::Began {
                    claim,
                    leaf: 0,
                    checkpoint: CHECKPOINT,
                    until
                },
                Event::Joined {
                    claim,
                    leaf: 0,
                    challenger: CHALLENGER,
                    bond: 0
                },
            ]
        );
        assert_eq!(bonded(CHALLENGER), 0, "the claims pallet has its stake");
        assert_eq!(Disputes::backlog(&WORKER), TOKENS);
        assert_eq!(Disputes::backlog(&CHALLENGER), TOKENS);
    });
}

#[test]
fn a_further_challenger_has_a_line_of_its_own() {
    test(|| {
        let claim = opened(&right());
        assert_ok!(challenge(OTHER, claim, 0));
        assert_eq!(game(claim).lines, 2);
        assert!(has_line(claim, OTHER));
        // One that joined before has its line already.
        let claim = opened(&right());
        assert_ok!(Disputes::join(RuntimeOrigin::signed(OTHER), claim, 0));
        assert_ok!(challenge(OTHER, claim, 0));
        assert_eq!(game(claim).lines, 2);
    });
}

#[test]
fn a_side_that_owes_more_has_more_time() {
    test(|| {
        let now = Disputes::now();
        for games in 1..5 {
            let claim = challenged(&right());
            let until = now + PER_MOVE + (games * 3 * TOKENS as u32).div_ceil(50);
            assert_eq!(game(claim).stage, GameStage::Opening { until });
        }
        assert_eq!(Backlogs::<Test>::get(WORKER), 4 * TOKENS);
    });
}
