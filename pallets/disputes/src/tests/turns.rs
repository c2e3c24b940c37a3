use crate::{mock::*, Backlogs, Error, Event, GameTime, Games, Turns};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use noema_claims::{ClaimFault, ClaimOutcome, Verification};
use noema_disputes::{Fault, GameEnd, LineEnd};

const FALSE: ClaimOutcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));

fn concluded() -> Option<(GameEnd, Option<AccountId>)> {
    events().into_iter().find_map(|event| match event {
        Event::Concluded { end, by, .. } => Some((end, by)),
        _ => None,
    })
}

#[test]
fn a_claimant_that_shows_no_trace_loses() {
    test(|| {
        let claim = challenged(&right());
        let before = total(CHALLENGER);
        go_to(game(claim).joins_until);
        assert_eq!(outcome(claim), None);
        blocks(1);
        assert_eq!(outcome(claim), Some(FALSE));
        assert_eq!(concluded(), Some((GameEnd::Fallen(Fault::NoTrace), None)));
        assert_eq!(total(CHALLENGER), before + 8_000, "the challenger's share");
        blocks(2);
        assert_eq!(Turns::<Test>::iter().count(), 0);
        assert_eq!(Backlogs::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_claimant_that_does_not_show_a_row_loses() {
    test(|| {
        let trace = right();
        let claim = opened(&trace);
        let top = trace.tree().top();
        assert_ok!(point(CHALLENGER, claim, &trace, top));
        go_to(until(claim, CHALLENGER));
        assert_eq!(outcome(claim), None);
        blocks(1);
        assert_eq!(outcome(claim), Some(FALSE));
        let end = GameEnd::Fallen(Fault::NotShown(top));
        assert_eq!(concluded(), Some((end, Some(CHALLENGER))));
    });
}

#[test]
fn a_challenger_that_does_not_move_loses() {
    test(|| {
        let claim = opened(&right());
        let held = total(CHALLENGER);
        go_to(until(claim, CHALLENGER));
        assert!(has_game(claim));
        blocks(1);
        assert!(!has_game(claim));
        assert_eq!(outcome(claim), None, "the claim goes on");
        assert_eq!(concluded(), Some((GameEnd::Upheld, None)));
        let lost = Event::LineEnded {
            claim,
            leaf: 0,
            challenger: CHALLENGER,
            end: LineEnd::Late,
        };
        assert!(events().contains(&lost));
        assert_eq!(total(CHALLENGER), held - STAKE);
        let outcome = until_ended(claim);
        assert_eq!(outcome, ClaimOutcome::Final(Verification::NotDrawn));
    });
}

#[test]
fn a_game_that_is_upheld_upholds_only_itself() {
    test(|| {
        let claim = opened(&wrong());
        assert_ok!(prove(CHALLENGER, claim, &wrong(), 3));
        go_to(game(claim).joins_until + 1);
        assert!(!has_game(claim));
        // The window is still open.
        assert_ok!(challenge(OTHER, claim, 0));
        assert_ok!(open(claim, &wrong()));
        assert_ok!(prove(OTHER, claim, &wrong(), 20));
        assert_eq!(outcome(claim), Some(FALSE));
    });
}

#[test]
fn a_challenge_in_the_last_block_of_the_window_is_played() {
    test(|| {
        let claim = make(&[wrong()]);
        let until = until_challengeable(claim);
        blocks(until - System::block_number());
        assert_ok!(challenge(CHALLENGER, claim, 0));
        go_to(game(claim).joins_until);
        assert_ok!(open(claim, &wrong()));
        descend(CHALLENGER, claim, &wrong(), 20);
        assert_ok!(prove(CHALLENGER, claim, &wrong(), 20));
        assert_eq!(outcome(claim), Some(FALSE));
    });
}

#[test]
fn a_silent_challenger_does_not_end_the_game_of_another() {
    test(|| {
        let trace = wrong();
        let claim = opened(&trace);
        assert_ok!(challenge(OTHER, claim, 0));
        let mut height = trace.tree().height();
        // Each side takes all of its time for the first move.
        go_to(until(claim, OTHER));
        while height > 0 {
            let node = above(20, height);
            assert_ok!(point(OTHER, claim, &trace, node));
            assert_ok!(show(claim, &trace, node, &[OTHER]));
            height = height.saturating_sub(2);
        }
        blocks(1);
        assert!(!has_line(claim, CHALLENGER));
        assert_ok!(prove(OTHER, claim, &trace, 20));
        assert_eq!(outcome(claim), Some(FALSE));
    });
}

#[test]
fn a_block_without_room_takes_no_time() {
    test(|| {
        let claim = challenged(&right());
        let time = Disputes::now();
        Idle::set(Weight::from_parts(1_000_000_000, u64::MAX));
        blocks(100);
        assert_eq!(Disputes::now(), time);
        assert_eq!(outcome(claim), None);
        Idle::set(Weight::zero());
        blocks(100);
        assert_eq!(GameTime::<Test>::get(), time);
        // Without bytes for a move.
        Idle::set(Weight::MAX);
        frame_system::BlockSize::<Test>::put(6 * 1024 * 1024);
        blocks(100);
        assert_eq!(Disputes::now(), time);
        frame_system::BlockSize::<Test>::kill();
        go_to(game(claim).joins_until);
        assert_ok!(open(claim, &right()));
    });
}

#[test]
fn a_game_is_dropped_with_its_claim() {
    test(|| {
        let traces = [wrong(), right()];
        let claim = make(&traces);
        for leaf in 0..2 {
            assert_ok!(challenge(CHALLENGER, claim, leaf));
        }
        assert_ok!(Disputes::join(RuntimeOrigin::signed(OUTSIDER), claim, 1));
        let call = crate::Call::open_trace {
            claim,
            leaf: 0,
            statement: Box::new(wrong().statement()),
            path: claim_path(&traces, 0),
            root: wrong().tree().root(),
            siblings: wrong().last_path(),
        };
        assert_ok!(dispatch(call, key(WORKER)));
        assert_ok!(prove(CHALLENGER, claim, &wrong(), 20));
        assert_eq!(outcome(claim), Some(FALSE));
        assert!(Games::<Test>::contains_key(claim, 1));
        assert_noop!(
            Disputes::join(RuntimeOrigin::signed(OTHER), claim, 1),
            Error::<Test>::NotDisputed
        );
        blocks(20);
        assert!(!Games::<Test>::contains_key(claim, 1));
        let told = Event::Dropped { claim, leaf: 1 };
        assert!(events().contains(&told));
        assert_eq!(bonded(OUTSIDER), 0);
        assert_eq!(total(OUTSIDER), FUNDS);
        assert_eq!(Turns::<Test>::iter().count(), 0);
    });
}

#[test]
fn turns_that_a_block_has_no_time_for_are_taken_in_later_ones() {
    test(|| {
        let claims: Vec<_> = (0..20).map(|_| challenged(&right())).collect();
        MaxTurnsPerBlock::set(3);
        blocks(120);
        for claim in claims {
            assert_eq!(outcome(claim), Some(FALSE));
        }
        assert_eq!(Turns::<Test>::iter().count(), 0);
        MaxTurnsPerBlock::set(64);
    });
}

#[test]
fn the_constants_of_a_runtime_are_checked() {
    new_test_ext().execute_with(Disputes::check_constants);
    let wrong = std::panic::catch_unwind(|| {
        new_test_ext().execute_with(|| {
            MaxTurnsPerBlock::set(1);
            Disputes::check_constants();
        });
    });
    assert!(wrong.is_err());
}
