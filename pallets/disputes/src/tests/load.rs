use crate::{mock::*, Backlogs, Games, Lines, Turns};
use frame_support::{assert_ok, traits::fungible::Mutate};
use noema_claims::{ClaimFault, ClaimOutcome};
use noema_protocol::ClaimId;

/// A thousand games begin in one block, against one claimant that moves once in a block. Each challenger goes down to a
/// leaf as fast as it can. No claim falls.
#[test]
fn a_thousand_games_do_not_make_an_honest_claimant_lose() {
    const GAMES: usize = 1_000;
    new_test_ext().execute_with(|| {
        let trace = Trace::right(SEED, 10);
        let funds = FUNDS * 10;
        Balances::set_balance(&CHALLENGER, funds);
        Balances::set_balance(&WORKER, funds);
        assert_ok!(Operators::bond_extra(
            RuntimeOrigin::signed(WORKER),
            GAMES as u128 * STAKE
        ));
        let claims: Vec<_> = (0..GAMES).map(|_| challenged(&trace)).collect();
        let mut owed: std::collections::VecDeque<(ClaimId, Option<u32>)> =
            claims.iter().map(|claim| (*claim, None)).collect();
        // One move in a block, in the order in which it came to owe them. The rules give it 1.2 blocks for a trace.
        while let Some((claim, shown)) = owed.pop_front() {
            blocks(1);
            let below = match shown {
                None => {
                    assert_ok!(open(claim, &trace));
                    trace.tree().height()
                }
                Some(height) => {
                    assert_ok!(show(claim, &trace, above(4, height), &[CHALLENGER]));
                    height.saturating_sub(2)
                }
            };
            if below > 0 {
                assert_ok!(point(CHALLENGER, claim, &trace, above(4, below)));
                owed.push_back((claim, Some(below)));
            }
        }
        assert_eq!(Backlogs::<Test>::get(WORKER), 0);
        // The challenger gets the time for all proofs that it owes, a thousand at most, and has none.
        blocks(1_400);
        assert_eq!(Games::<Test>::iter().count(), 0);
        assert_eq!(Lines::<Test>::iter().count(), 0);
        for claim in claims {
            let fallen = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));
            assert_ne!(outcome(claim), Some(fallen));
        }
        audit();
    });
}

/// A coalition challenges two hundred other claims of the claimant, to delay the game over its false one.
#[test]
fn sham_games_do_not_save_a_false_claim() {
    test(|| {
        let trace = right();
        let claim = challenged(&wrong());
        for _ in 0..200 {
            let sham = make(core::slice::from_ref(&trace));
            assert_ok!(challenge(OTHER, sham, 0));
        }
        // The claimant takes all of the time that it has.
        go_to(game(claim).joins_until);
        assert_ok!(open(claim, &wrong()));
        let mut height = wrong().tree().height();
        while height > 0 {
            let node = above(20, height);
            assert_ok!(point(CHALLENGER, claim, &wrong(), node));
            go_to(until(claim, CHALLENGER));
            let shown = show(claim, &wrong(), node, &[CHALLENGER]);
            if shown.is_err() {
                break;
            }
            height = height.saturating_sub(2);
        }
        if has_game(claim) {
            assert_ok!(prove(CHALLENGER, claim, &wrong(), 20));
        }
        let fallen = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));
        assert_eq!(outcome(claim), Some(fallen));
        blocks(400);
        assert_eq!(Turns::<Test>::iter().count(), 0);
    });
}
