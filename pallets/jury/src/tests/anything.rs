//! After any sequence of actions: every audit succeeds, no unit is created or lost except by burning, no
//! juror is slashed twice, and every dispute ends.

use crate::{mock::*, OpenDisputes};
use frame_support::traits::fungible::{Inspect, InspectHold};
use noema_economics::Balance;
use noema_protocol::{hashing::verdict_commitment, ClaimId, Verdict};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// More than the longest dispute: both juries, with the wait for randomness and the turns of others.
const LONGEST: u32 = 120;

#[derive(Clone, Debug)]
enum Move {
    Challenge {
        claim: u64,
        leaf: u32,
    },
    Commit {
        claim: u64,
        leaf: u32,
        juror: u64,
        verdict: Verdict,
    },
    Reveal {
        claim: u64,
        leaf: u32,
        juror: u64,
        verdict: Verdict,
    },
    Vote {
        claim: u64,
        leaf: u32,
        verdict: Verdict,
        most: usize,
    },
    Appeal {
        claim: u64,
        leaf: u32,
        by: u64,
    },
    Fall {
        claim: u64,
    },
    Random {
        is_random: bool,
    },
    Wait {
        blocks: u32,
    },
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![2 => Just(Verdict::True), 1 => Just(Verdict::False)]
}

fn a_move() -> impl Strategy<Value = Move> {
    let leaf = || (1u64..4, 0u32..2);
    prop_oneof![
        3 => leaf().prop_map(|(claim, leaf)| Move::Challenge { claim, leaf }),
        4 => (leaf(), 10u64..25, verdict()).prop_map(|((claim, leaf), juror, verdict)| {
            Move::Commit { claim, leaf, juror, verdict }
        }),
        4 => (leaf(), 10u64..25, verdict()).prop_map(|((claim, leaf), juror, verdict)| {
            Move::Reveal { claim, leaf, juror, verdict }
        }),
        8 => (leaf(), verdict(), 0usize..6).prop_map(|((claim, leaf), verdict, most)| {
            Move::Vote { claim, leaf, verdict, most }
        }),
        3 => (leaf(), 8u64..10).prop_map(|((claim, leaf), by)| Move::Appeal { claim, leaf, by }),
        1 => (1u64..4).prop_map(|claim| Move::Fall { claim }),
        1 => prop::bool::weighted(0.8).prop_map(|is_random| Move::Random { is_random }),
        6 => (1u32..5).prop_map(|blocks| Move::Wait { blocks }),
    ]
}

fn try_commit(claim: ClaimId, leaf: u32, juror: u64, verdict: Verdict) {
    let hash = verdict_commitment(claim, leaf, &juror, verdict, salt(juror));
    let _ = Jury::commit_verdict(RuntimeOrigin::signed(key(juror)), claim, leaf, hash);
}

fn try_reveal(claim: ClaimId, leaf: u32, juror: u64, verdict: Verdict) {
    let origin = RuntimeOrigin::signed(key(juror));
    let _ = Jury::reveal_verdict(origin, claim, leaf, verdict, salt(juror));
}

/// Refused calls are ignored: only the audits matter here.
fn play(a_move: Move) {
    match a_move {
        Move::Challenge { claim, leaf } => {
            let id = ClaimId(claim);
            let is_new = !OpenDisputes::<Test>::contains_key(id, leaf);
            if is_new && (claim > 1 || !has_ended(id)) && !fallen(id) {
                challenge(id, leaf, CHALLENGER);
            }
        }
        Move::Commit {
            claim,
            leaf,
            juror,
            verdict,
        } => {
            try_commit(ClaimId(claim), leaf, juror, verdict);
        }
        Move::Reveal {
            claim,
            leaf,
            juror,
            verdict,
        } => {
            try_reveal(ClaimId(claim), leaf, juror, verdict);
        }
        // Several jurors of a jury give the same verdict.
        Move::Vote {
            claim,
            leaf,
            verdict,
            most,
        } => {
            let claim = ClaimId(claim);
            let Some(dispute) = Jury::dispute(claim, leaf) else {
                return;
            };
            let jurors = dispute.sitting().jurors().to_vec();
            for juror in jurors.into_iter().take(most) {
                try_commit(claim, leaf, juror.account, verdict);
                try_reveal(claim, leaf, juror.account, verdict);
            }
        }
        Move::Appeal { claim, leaf, by } => {
            let _ = Jury::appeal(RuntimeOrigin::signed(by), ClaimId(claim), leaf);
        }
        Move::Fall { claim }
            if claim == 1
                || OpenDisputes::<Test>::iter_key_prefix(ClaimId(claim))
                    .next()
                    .is_some() =>
        {
            withhold(ClaimId(claim), 0);
        }
        Move::Fall { .. } => {}
        Move::Random { is_random } => set_random(is_random),
        Move::Wait { blocks } => (0..blocks).for_each(|_| block()),
    }
}

/// Whether a claim was made and has ended.
fn fallen(id: ClaimId) -> bool {
    use noema_interfaces::Claims;
    World::claim(id).is_some_and(|claim| claim.outcome().is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_books_agree_and_everything_ends(
        seed: u64,
        moves in prop::collection::vec(a_move(), 1..100),
    ) {
        TestExt::new().seed(seed).validators(10..25).execute_with(|| {
            let (issuance, bonds_before) = (Balances::total_issuance(), bonds());
            for a_move in moves {
                play(a_move);
                prop_assert_eq!(Jury::audit(), Ok(()));
            }
            set_random(true);
            for _ in 0..LONGEST {
                block();
            }
            prop_assert_eq!(OpenDisputes::<Test>::iter().count(), 0);
            prop_assert_eq!(crate::Turns::<Test>::iter().count(), 0);
            prop_assert_eq!(crate::Queue::<Test>::iter().count(), 0);
            prop_assert_eq!(locked(), 0);
            let held = APPELLANTS.iter().map(Balances::total_balance_on_hold);
            prop_assert_eq!(held.sum::<Balance>(), 0);
            // The loss of the appellants was burned, and is a multiple of a bond.
            let burned = issuance - Balances::total_issuance();
            prop_assert_eq!(burned % CLAIM_STAKE, 0);
            let left: Balance = APPELLANTS.iter().map(Balances::total_balance).sum();
            prop_assert_eq!(left + burned, issuance);
            // Each slash took whole stakes, no more than a juror can have seats in two juries.
            let slashes = slashes();
            let most = (FirstJury::get() + SecondJury::get()) as Balance * STAKE;
            let is_whole = |taken| taken > 0 && taken % STAKE == 0 && taken <= most;
            prop_assert!(slashes.iter().all(|slash| is_whole(slash.taken)));
            let taken: Balance = slashes.iter().map(|slash| slash.taken).sum();
            prop_assert_eq!(bonds() + taken, bonds_before);
            Ok(())
        })?;
    }
}

#[test]
fn a_juror_is_slashed_once_for_a_dispute() {
    TestExt::new().validators(10..25).execute_with(|| {
        for leaf in 0..4 {
            challenge(CLAIM, leaf, CHALLENGER);
        }
        for _ in 0..LONGEST {
            block();
        }
        let slashes = slashes();
        let once: BTreeSet<_> = slashes
            .iter()
            .map(|slash| (slash.operator, slash.job))
            .collect();
        assert_eq!(once.len(), slashes.len());
        // The first dispute to end drops the others: the stake of each of its eight seats is taken.
        let taken: Balance = slashes.iter().map(|slash| slash.taken).sum();
        assert_eq!(taken, 8 * STAKE);
    });
}
