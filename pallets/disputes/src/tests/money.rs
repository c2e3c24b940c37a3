//! Who wins and loses what. A claim has 20,000 at stake; an account that challenges it has as much.

use crate::{mock::*, Event};
use frame_support::assert_ok;
use noema_claims::{ClaimFault, ClaimOutcome};
use noema_economics::Balance;
use noema_protocol::ClaimId;

const FALSE: ClaimOutcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));

fn join(who: AccountId, claim: ClaimId) {
    assert_ok!(Disputes::join(RuntimeOrigin::signed(who), claim, 0));
}

/// The change of all that these accounts have.
fn gain(accounts: &[AccountId], run: impl FnOnce()) -> i128 {
    let sum = || accounts.iter().map(|who| wealth(*who)).sum::<Balance>() as i128;
    let before = sum();
    run();
    sum() - before
}

/// Lets every game run out.
fn wait() {
    blocks(120);
}

#[test]
fn an_honest_challenger_wins_more_than_the_game_cost_it() {
    test(|| {
        let won = gain(&[CHALLENGER], || {
            let claim = opened(&wrong());
            descend(CHALLENGER, claim, &wrong(), 20);
            assert_ok!(prove(CHALLENGER, claim, &wrong(), 20));
        });
        // Half of the stake, at most 8,000; and building a trace of 20 tokens, three rows and a proof: 60 + 40, in
        // fees of 20.
        assert_eq!(won, 8_000 + 100);
    });
}

#[test]
fn an_honest_claimant_is_paid_for_a_game() {
    test(|| {
        let mut lost = 0;
        let won = gain(&[WORKER], || {
            lost = gain(&[CHALLENGER], || {
                let claim = opened(&right());
                descend(CHALLENGER, claim, &right(), 20);
                wait();
                assert_eq!(outcome(claim).map(|outcome| outcome != FALSE), Some(true));
            });
        });
        assert_eq!(lost, -(STAKE as i128));
        // Four moves, four traces, and the delay; beside the payment for the answer, 9 of 10.
        assert!(won - 9 >= 4 * 10 + 4 * 60, "{won}");
        assert!(won < STAKE as i128 / 2, "{won}");
    });
}

/// The places of challengers are taken by accomplices of the claimant before the honest one comes.
#[test]
fn an_honest_account_that_was_kept_out_is_paid_all_the_same() {
    test(|| {
        let ring = [WORKER, CHALLENGER, OTHER];
        let mut won = 0;
        let lost = gain(&ring, || {
            let claim = opened(&wrong());
            assert_ok!(challenge(OTHER, claim, 0));
            won = gain(&[OUTSIDER], || {
                join(OUTSIDER, claim);
                descend(OUTSIDER, claim, &wrong(), 20);
                assert_ok!(prove(OUTSIDER, claim, &wrong(), 20));
                wait();
            });
        });
        assert_eq!(won, 100, "a trace and four moves");
        // The accomplices get the challengers' part back; the rest burns.
        assert_eq!(lost, -(STAKE as i128) + 8_000);
    });
}

#[test]
fn a_sham_game_against_oneself_costs_the_ring() {
    for is_right in [true, false] {
        test(|| {
            let trace = if is_right { right() } else { wrong() };
            let lost = gain(&[WORKER, CHALLENGER, OUTSIDER], || {
                let claim = opened(&trace);
                join(OUTSIDER, claim);
                // They show nothing, whatever the trace is.
                assert_ok!(prove(CHALLENGER, claim, &trace, 3));
                wait();
                assert!(outcome(claim).is_some_and(|outcome| outcome != FALSE));
            });
            // At least half of the stake, and of the bond.
            assert!(lost <= -(STAKE as i128) / 2, "{lost}");
        });
    }
}

#[test]
fn a_false_answer_that_its_own_accomplice_shows_is_a_loss() {
    test(|| {
        let lost = gain(&[WORKER, CHALLENGER], || {
            let claim = opened(&wrong());
            assert_ok!(prove(CHALLENGER, claim, &wrong(), 20));
        });
        assert!(lost <= -(STAKE as i128) / 2, "{lost}");
    });
}

#[test]
fn the_bond_of_a_line_covers_what_it_costs_the_claimant() {
    test(|| {
        let trace = right();
        let claim = opened(&trace);
        let bond = Disputes::game(claim, 0).expect("it is open").bond;
        let supply = Balances::total_issuance();
        let won = gain(&[WORKER], || {
            let lost = gain(&[OUTSIDER], || {
                join(OUTSIDER, claim);
                // Any step.
                descend(OUTSIDER, claim, &trace, 33);
                assert_ok!(prove(OUTSIDER, claim, &trace, 33));
            });
            assert_eq!(lost, -(bond as i128));
        });
        assert_eq!(won, bond as i128 / 2);
        assert_eq!(supply - Balances::total_issuance(), bond / 2, "half burns");
        // Three rows and traces, and the blocks of the line.
        assert!(won >= 3 * 10 + 3 * 60);
    });
}

#[test]
fn a_challenger_that_is_wrong_a_hundred_times_loses_a_hundred_stakes() {
    test(|| {
        let trace = right();
        for _ in 0..100 {
            let lost = gain(&[CHALLENGER], || {
                let claim = opened(&trace);
                assert_ok!(prove(CHALLENGER, claim, &trace, 7));
                go_to(game(claim).joins_until + 1);
                assert!(!has_game(claim));
            });
            assert_eq!(lost, -(STAKE as i128));
        }
    });
}

#[test]
fn silence_at_any_move_of_the_claimant_costs_its_stake() {
    for rows in 0..4 {
        test(|| {
            let trace = right();
            let lost = gain(&[WORKER], || {
                let claim = challenged(&trace);
                if rows > 0 {
                    assert_ok!(open(claim, &trace));
                }
                let mut height = trace.tree().height();
                for row in 1..=rows {
                    let node = above(20, height);
                    assert_ok!(point(CHALLENGER, claim, &trace, node));
                    if row < rows {
                        assert_ok!(show(claim, &trace, node, &[CHALLENGER]));
                    }
                    height = height.saturating_sub(2);
                }
                wait();
                assert_eq!(outcome(claim), Some(FALSE));
            });
            assert_eq!(lost, -(STAKE as i128));
        });
    }
}

#[test]
fn a_copied_proof_of_an_account_with_nothing_at_stake_is_not_paid() {
    test(|| {
        let claim = opened(&wrong());
        descend(CHALLENGER, claim, &wrong(), 20);
        let won = gain(&[OUTSIDER], || {
            assert_ok!(prove(OUTSIDER, claim, &wrong(), 20));
        });
        assert_eq!(won, 0);
        let told = events()
            .into_iter()
            .any(|event| matches!(event, Event::Concluded { by, .. } if by == Some(OUTSIDER)));
        assert!(told);
    });
}
