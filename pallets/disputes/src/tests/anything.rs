//! Random games on the chain: records agree after each block, balances add up, and the side that is right does not
//! lose.

use crate::{mock::*, Backlogs, Games, Lines, Turns};
use noema_claims::{ClaimFault, ClaimOutcome};
use noema_disputes::{GameStage, Side};
use noema_economics::Balance;
use proptest::prelude::*;

const FALSE: ClaimOutcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));
const LIARS: [AccountId; 3] = [CHALLENGER, OTHER, THIRD];

#[derive(Clone, Debug)]
enum Move {
    Challenge(AccountId),
    Join(AccountId),
    Point(AccountId, u64, u32),
    Show(AccountId),
    Prove(AccountId, u64),
    Blocks(u32),
}

fn a_move() -> impl Strategy<Value = Move> {
    let liar = || prop::sample::select(LIARS.to_vec());
    prop_oneof![
        2 => liar().prop_map(Move::Challenge),
        2 => liar().prop_map(Move::Join),
        4 => (liar(), 0..STEPS, 0u32..7).prop_map(|(who, step, height)| Move::Point(who, step, height)),
        2 => liar().prop_map(Move::Show),
        2 => (liar(), 0..STEPS).prop_map(|(who, step)| Move::Prove(who, step)),
        3 => (1u32..6).prop_map(Move::Blocks),
    ]
}

fn supply_of_all() -> Balance {
    Balances::total_issuance()
}

/// Does a move, or is refused.
fn play(claim: noema_protocol::ClaimId, trace: &Trace, a_move: &Move) {
    let origin = RuntimeOrigin::signed;
    let _ = match a_move {
        Move::Challenge(who) => challenge(*who, claim, 0),
        Move::Join(who) => Disputes::join(origin(*who), claim, 0),
        Move::Point(who, step, height) => {
            let height = (*height).min(trace.tree().height());
            point(*who, claim, trace, above(*step, height))
        }
        Move::Show(who) => {
            show_to(claim, trace, *who);
            Ok(())
        }
        Move::Prove(who, step) => prove(*who, claim, trace, *step).map(|_| ()),
        Move::Blocks(count) => {
            blocks(*count);
            Ok(())
        }
    };
}

fn show_to(claim: noema_protocol::ClaimId, trace: &Trace, who: AccountId) {
    if let Some(open) = Lines::<Test>::get((claim, 0), who)
        && let Some((node, _)) = open.line.node
    {
        let _ = show(claim, trace, node, &[who]);
    }
}

/// The claimant does whatever it owes.
fn claimant_moves(claim: noema_protocol::ClaimId, trace: &Trace) {
    let Some(open) = Games::<Test>::get(claim, 0) else {
        return;
    };
    if let GameStage::Opening { .. } = open.game.stage {
        open_(claim, trace);
    }
    let waiting: Vec<_> = Lines::<Test>::iter_prefix((claim, 0))
        .filter(|(_, open)| open.line.turn.side == Side::Claimant)
        .map(|(challenger, _)| challenger)
        .collect();
    for challenger in waiting {
        show_to(claim, trace, challenger);
    }
}

fn open_(claim: noema_protocol::ClaimId, trace: &Trace) {
    assert_eq!(open(claim, trace), Ok(()), "it is in time");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn an_honest_claimant_does_not_lose(moves in prop::collection::vec(a_move(), 1..60)) {
        new_test_ext().execute_with(|| {
            let trace = right();
            let supply = supply_of_all();
            let claim = make(core::slice::from_ref(&trace));
            let before = wealth(WORKER);
            for a_move in &moves {
                // No more blocks than the claimant has for a move.
                play(claim, &trace, a_move);
                claimant_moves(claim, &trace);
                audit();
            }
            for _ in 0..60 {
                blocks(4);
                claimant_moves(claim, &trace);
            }
            audit();
            assert_ne!(outcome(claim), Some(FALSE));
            assert!(outcome(claim).is_some());
            assert!(wealth(WORKER) >= before);
            assert!(supply_of_all() <= supply);
            assert_eq!(Turns::<Test>::iter().count(), 0);
            assert_eq!(Backlogs::<Test>::iter().count(), 0);
            LIARS.iter().for_each(|liar| assert_eq!(bonded(*liar), 0));
        });
    }

    #[test]
    fn one_honest_account_is_enough(
        moves in prop::collection::vec(a_move(), 0..40),
        step in 0..STEPS,
    ) {
        new_test_ext().execute_with(|| {
            let trace = Trace::forged(SEED, STEPS, &[(step, 1)]);
            let supply = supply_of_all();
            let claim = make(core::slice::from_ref(&trace));
            let before = wealth(OUTSIDER);
            let mut height = None;
            let moves = moves.iter().cloned();
            for a_move in moves.chain((0..60).map(|_| Move::Blocks(1))) {
                // Accomplices do anything but show the fault, and the claimant opens, so that the game goes on.
                match a_move {
                    Move::Prove(_, at) if at == step => {}
                    a_move => play(claim, &trace, &a_move),
                }
                if Games::<Test>::get(claim, 0)
                    .is_some_and(|open| matches!(open.game.stage, GameStage::Opening { .. }))
                {
                    open_(claim, &trace);
                }
                honest_moves(claim, &trace, step, &mut height);
                audit();
                if outcome(claim).is_some() {
                    break;
                }
            }
            assert_eq!(outcome(claim), Some(FALSE));
            blocks(120);
            audit();
            assert!(wealth(OUTSIDER) >= before);
            assert!(supply_of_all() <= supply);
            assert_eq!(bonded(OUTSIDER), 0);
            assert_eq!(Turns::<Test>::iter().count(), 0);
        });
    }
}

/// Challenges, or joins where there is no place, and goes down to the step. The claimant shows it what it must.
fn honest_moves(
    claim: noema_protocol::ClaimId,
    trace: &Trace,
    step: u64,
    height: &mut Option<u32>,
) {
    if outcome(claim).is_some() {
        return;
    }
    if !has_line(claim, OUTSIDER) {
        *height = None;
        let challenged = challenge(OUTSIDER, claim, 0);
        if challenged.is_err() {
            let joined = Disputes::join(RuntimeOrigin::signed(OUTSIDER), claim, 0);
            assert_eq!(joined, Ok(()), "{challenged:?}");
        }
        if !has_game(claim) {
            return;
        }
    }
    if !matches!(game(claim).stage, GameStage::Open { .. }) {
        return;
    }
    match (line(claim, OUTSIDER).turn.side, *height) {
        (Side::Claimant, _) => show_to(claim, trace, OUTSIDER),
        (Side::Challenger, Some(0)) => {
            assert!(prove(OUTSIDER, claim, trace, step).is_ok());
        }
        (Side::Challenger, at) => {
            let at = at.unwrap_or(trace.tree().height());
            let pointed = point(OUTSIDER, claim, trace, above(step, at));
            assert_eq!(pointed, Ok(()), "it is in time");
            *height = Some(at.saturating_sub(2));
        }
    }
}
