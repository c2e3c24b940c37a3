use crate::{mock::*, Backlogs, Error, Event, Games};
use frame_support::{assert_noop, assert_ok};
use noema_claims::{ClaimOutcome, Decision};
use noema_disputes::{GameEnd, GameStage};
use noema_interfaces::Disputes as _;

fn stepless() -> Trace {
    Trace::right(STEPLESS, STEPS)
}

/// A claim that the judge has no steps for, as its claimant has shown.
fn shown() -> noema_protocol::ClaimId {
    let claim = challenged(&stepless());
    assert_ok!(open(claim, &stepless()));
    claim
}

#[test]
fn a_claimant_that_shows_that_there_are_no_steps_loses_nothing_by_silence() {
    test(|| {
        let claim = shown();
        assert_eq!(events().pop(), Some(Event::NoSteps { claim, leaf: 0 }));
        assert_eq!(game(claim).stage, GameStage::Ended(GameEnd::HandedOver));
        assert_eq!(Backlogs::<Test>::get(WORKER), 0);
        assert!(HandedOver::get().is_empty(), "the lines are open");
        audit();
        go_to(game(claim).joins_until + 1);
        blocks(1);
        assert!(!has_game(claim));
        assert_eq!(HandedOver::get(), [(claim, 0)]);
        assert_eq!(outcome(claim), None);
        let concluded = events().into_iter().any(|event| {
            matches!(
                event,
                Event::Concluded {
                    end: GameEnd::HandedOver,
                    by: None,
                    ..
                }
            )
        });
        assert!(concluded);
        // The other referee decides.
        Claims::conclude(claim, 0, Decision::False, &[]);
        assert!(matches!(outcome(claim), Some(ClaimOutcome::Fallen(_))));
    });
}

#[test]
fn a_claimant_that_does_not_show_it_in_time_falls() {
    test(|| {
        let claim = challenged(&stepless());
        go_to(game(claim).joins_until + 1);
        blocks(1);
        assert!(matches!(outcome(claim), Some(ClaimOutcome::Fallen(_))));
        assert!(HandedOver::get().is_empty());
    });
}

#[test]
fn accounts_that_joined_get_their_bonds_back_and_the_last_line_hands_over() {
    test(|| {
        let claim = challenged(&stepless());
        let before = total(OUTSIDER);
        assert_ok!(Disputes::join(RuntimeOrigin::signed(OUTSIDER), claim, 0));
        assert!(bonded(OUTSIDER) > 0);
        assert_ok!(open(claim, &stepless()));
        let late = Disputes::join(RuntimeOrigin::signed(OTHER), claim, 0);
        assert_eq!(late, refused(Error::<Test>::NotDisputed));
        MaxTurnsPerBlock::set(2);
        let mut longest = 0;
        while has_game(claim) {
            assert!(HandedOver::get().is_empty());
            blocks(1);
            audit();
            longest += 1;
            assert!(longest < 100, "it is handed over");
        }
        assert_eq!(HandedOver::get(), [(claim, 0)]);
        assert_eq!((bonded(OUTSIDER), total(OUTSIDER)), (0, before));
    });
}

#[test]
fn no_move_is_accepted_in_a_game_that_was_handed_over() {
    test(|| {
        let claim = shown();
        let top = stepless().tree().top();
        let error = Error::<Test>::NotDisputed;
        assert_noop!(open(claim, &stepless()), Error::<Test>::NotDisputed);
        assert_eq!(point(CHALLENGER, claim, &stepless(), top), refused(error));
        let error = Error::<Test>::NotDisputed;
        let proof = Box::new(stepless().proof(20));
        let statement = Box::new(stepless().statement());
        let origin = RuntimeOrigin::signed(CHALLENGER);
        let proven = Disputes::prove(origin, claim, 0, statement, proof);
        assert_eq!(
            proven.map(drop).map_err(|failed| failed.error),
            refused(error)
        );
        // No account owes a move.
        assert!(Disputes::moves_due(WORKER).is_empty());
        assert!(Disputes::moves_due(CHALLENGER).is_empty());
    });
}

#[test]
fn another_game_can_begin_once_the_other_referee_has_upheld_the_claim() {
    test(|| {
        let claim = shown();
        go_to(game(claim).joins_until + 1);
        blocks(1);
        Claims::conclude(claim, 0, Decision::True, &[]);
        assert_ok!(challenge(OTHER, claim, 0));
        assert!(Games::<Test>::contains_key(claim, 0));
        assert_ok!(open(claim, &stepless()));
        assert_eq!(game(claim).stage, GameStage::Ended(GameEnd::HandedOver));
    });
}
