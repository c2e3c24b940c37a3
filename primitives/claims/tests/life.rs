//! The life of claims: each way to end well, each way to fall, and random sequences of steps.

mod support;

use noema_claims::{
    Availability, ClaimEffect, ClaimError, ClaimFault, ClaimOutcome, ClaimRules, ClaimStage,
    ClaimTerms, Decision, SeatState, Verification,
};
use proptest::prelude::*;
use std::collections::BTreeSet;
use support::*;

#[test]
fn a_true_claim_is_drawn_confirmed_and_paid() {
    let mut play = Play::with(terms(), 5, 1);
    play.check_honestly();
    assert_eq!(
        play.until_ended(),
        ClaimOutcome::Final(Verification::Confirmed)
    );
    let settlement = play.settlement();
    assert_exact(&play.claim, &settlement);
    assert_eq!(settlement.claimant.paid, 900);
    assert_eq!(settlement.claimant.burned, 100);
    assert_eq!(settlement.validators.len(), 2);
    assert!(settlement
        .validators
        .iter()
        .all(|(_, paid)| paid.paid == 90));
    assert_eq!(settlement.payer, 0);
    assert_eq!(settlement.slash, None);
    // An ended claim does not change.
    let ended = play.claim.clone();
    assert_eq!(play.block(), []);
    assert_eq!(play.claim, ended);
    assert_eq!(play.claim.due(play.now), None);
}

#[test]
fn a_draw_waits_for_randomness_that_is_young_enough() {
    let mut play = Play::with(terms(), 5, 1);
    // The claim was made on relay chain block 20: the values of 24 and 25 are the first to count.
    for _ in 0..4 {
        assert_eq!(play.block(), []);
        assert_eq!(play.claim.stage, ClaimStage::Undrawn);
    }
    let effects = play.block();
    assert!(
        matches!(effects[..], [ClaimEffect::Drawn(_)]),
        "{effects:?}"
    );
}

#[test]
fn without_randomness_nothing_happens_and_nothing_is_lost() {
    let mut play = Play::with(terms(), 5, 1);
    play.is_random = false;
    for _ in 0..100 {
        assert_eq!(play.block(), []);
    }
    assert_eq!(play.claim.due(play.now), None);
    play.is_random = true;
    play.check_honestly();
    assert_eq!(
        play.until_ended(),
        ClaimOutcome::Final(Verification::Confirmed)
    );
}

#[test]
fn a_check_is_waived_as_often_as_the_stake_allows() {
    let terms = ClaimTerms {
        stake: 20_000,
        ..terms()
    };
    // margin · payment / stake is a tenth.
    let mut waived = 0;
    for seed in 0..1_000 {
        let mut play = Play::with(terms.clone(), 5, seed);
        play.until_drawn();
        let verification = Verification::NotDrawn;
        if play.effects
            == [
                ClaimEffect::Waived,
                ClaimEffect::ChallengeOpened(verification),
            ]
        {
            waived += 1;
            assert_eq!(play.until_ended(), ClaimOutcome::Final(verification));
            let settlement = play.settlement();
            assert_exact(&play.claim, &settlement);
            assert_eq!(settlement.payer, 200, "the unspent check fee goes back");
        }
    }
    assert!(
        (870..930).contains(&waived),
        "{waived} of 1,000 were waived"
    );
}

#[test]
fn silent_validators_are_replaced_and_lose_their_stake() {
    let mut play = Play::with(terms(), 9, 3);
    play.until_drawn();
    let first = play.open_seats();
    play.until(|stage| matches!(stage, ClaimStage::Undrawn));
    let silent: Vec<_> = play
        .effects
        .iter()
        .filter_map(|effect| match effect {
            ClaimEffect::Silent(validator, leaf) => Some((*validator, *leaf)),
            _ => None,
        })
        .collect();
    assert_eq!(silent, first);
    play.check_honestly();
    assert_eq!(
        play.until_ended(),
        ClaimOutcome::Final(Verification::Confirmed)
    );
    let confirmed: Vec<_> = play.settlement().validators;
    assert_eq!(confirmed.len(), 2);
    assert!(confirmed
        .iter()
        .all(|(validator, _)| !first.contains(&(*validator, 0))));
}

#[test]
fn one_that_reveals_is_enough() {
    let mut play = Play::with(terms(), 5, 4);
    play.until_drawn();
    let seats = play.open_seats();
    let (validator, leaf) = seats[0];
    play.commit(validator, leaf).expect("it is seated");
    play.until(|stage| matches!(stage, ClaimStage::Revealing { .. }));
    play.reveal(validator, leaf).expect("it has committed");
    assert_eq!(
        play.until_ended(),
        ClaimOutcome::Final(Verification::Confirmed)
    );
    let settlement = play.settlement();
    assert_exact(&play.claim, &settlement);
    assert_eq!(settlement.validators.len(), 1);
    assert_eq!(
        settlement.payer, 100,
        "the silent validator's fee goes back"
    );
}

#[test]
fn a_claim_that_none_confirms_stays_open_to_challenges_and_ends() {
    let mut play = Play::with(terms(), 0, 5);
    assert_eq!(play.until_ended(), ClaimOutcome::Unconfirmed);
    assert_eq!(play.claim.draws, 0, "no validator could be drawn");
    let mut play = Play::with(terms(), 9, 5);
    assert_eq!(
        play.until_ended(),
        ClaimOutcome::Unconfirmed,
        "all validators were silent"
    );
    assert!(play
        .claim
        .seats
        .iter()
        .all(|seat| seat.state == SeatState::Silent));
}

#[test]
fn a_false_leaf_falls_and_everything_goes_back_to_the_payer() {
    let mut play = Play::with(terms(), 5, 6);
    play.until_drawn();
    let seats = play.open_seats();
    // One of the two confirms what it did not execute, the other challenges.
    play.commit(seats[0].0, 0).expect("it is seated");
    play.challenge(seats[1].0, 0, false)
        .expect("it may challenge");
    play.until(|stage| matches!(stage, ClaimStage::Revealing { .. }));
    play.reveal(seats[0].0, 0).expect("it has committed");
    play.until(|stage| matches!(stage, ClaimStage::Challengeable { .. }));
    for _ in 0..50 {
        play.block();
    }
    assert_eq!(play.claim.outcome(), None, "a dispute is open");
    let effects = play
        .claim
        .conclude_dispute(0, Decision::False, play.relay)
        .expect("a dispute is open");
    let outcome = ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0));
    assert_eq!(effects, [ClaimEffect::Ended(outcome)]);
    let settlement = play.settlement();
    assert_exact(&play.claim, &settlement);
    assert_eq!(settlement.payer, 1_200);
    assert_eq!(settlement.claimant.paid, 0);
    assert_eq!(settlement.false_confirmations, [seats[0].0]);
    let split = settlement.slash.expect("the stake is taken");
    assert_eq!((split.challengers, split.burned), (400, 600));
}

#[test]
fn challenges_that_were_wrong_do_not_stand_in_for_checks() {
    let mut play = Play::with(terms(), 8, 7);
    play.until_drawn();
    let seats = play.open_seats();
    for (index, (validator, leaf)) in seats.iter().enumerate() {
        let joins = index > 0;
        play.challenge(*validator, *leaf, joins)
            .expect("a drawn validator may challenge");
    }
    play.until(|stage| matches!(stage, ClaimStage::Challengeable { .. }));
    play.claim
        .conclude_dispute(0, Decision::True, play.relay)
        .expect("a dispute is open");
    assert_eq!(
        play.claim.stage,
        ClaimStage::Undrawn,
        "no validator has executed it"
    );
    play.until_drawn();
    let others = play.open_seats();
    assert!(!others.is_empty());
    assert!(others.iter().all(|seat| !seats.contains(seat)));
    play.check_honestly();
    let outcome = play.until_ended();
    assert_eq!(outcome, ClaimOutcome::Final(Verification::Confirmed));
}

#[test]
fn a_dispute_that_the_claimant_wins_upholds_nothing_but_itself() {
    let mut play = Play::with(terms(), 5, 7);
    play.challenge(77, 0, false)
        .expect("any account may challenge");
    play.check_honestly();
    play.claim
        .conclude_dispute(0, Decision::True, play.relay)
        .expect("a dispute is open");
    // The challenge window is still open to others.
    play.challenge(78, 0, false)
        .expect("another challenge is possible");
    play.claim
        .conclude_dispute(0, Decision::False, play.relay)
        .expect("a dispute is open");
    assert_eq!(
        play.claim.outcome(),
        Some(ClaimOutcome::Fallen(ClaimFault::FalseLeaf(0)))
    );
}

#[test]
fn a_withheld_leaf_falls_and_a_posted_one_does_not() {
    let terms = ClaimTerms {
        availability: Availability::FromClaimant,
        leaves: 5,
        ..terms()
    };
    let mut play = Play::with(terms.clone(), 9, 8);
    play.until_drawn();
    let (validator, leaf) = play.open_seats()[0];
    play.claim
        .demand(&validator, leaf, play.now)
        .expect("it is seated");
    assert_eq!(play.claim.post(leaf, play.now), Ok(&validator));
    play.commit_all();
    play.until(|stage| matches!(stage, ClaimStage::Revealing { .. }));
    play.reveal_all();
    assert_eq!(
        play.until_ended(),
        ClaimOutcome::Final(Verification::Confirmed)
    );

    let mut play = Play::with(terms, 9, 8);
    play.until_drawn();
    play.claim
        .demand(&validator, leaf, play.now)
        .expect("it is seated");
    let asked = play.now;
    assert_eq!(
        play.until_ended(),
        ClaimOutcome::Fallen(ClaimFault::Withheld(leaf))
    );
    assert_eq!(play.now, asked + 3, "the claimant had its whole window");
    let settlement = play.settlement();
    assert_exact(&play.claim, &settlement);
    assert_eq!(settlement.payer, 1_200);
    assert_eq!(settlement.false_confirmations, [0u32; 0]);
    assert!(!play
        .effects
        .iter()
        .any(|effect| matches!(effect, ClaimEffect::Silent(..))));
}

#[test]
fn a_challenged_leaf_that_is_posted_late_silences_no_validator() {
    let terms = ClaimTerms {
        availability: Availability::FromClaimant,
        leaves: 5,
        ..terms()
    };
    let mut play = Play::with(terms, 9, 8);
    play.until_drawn();
    let (_, leaf) = play.open_seats()[0];
    let ClaimStage::Committing { until } = play.claim.stage else {
        panic!("validators commit");
    };
    while play.now < until {
        play.block();
    }
    play.challenge(50, leaf, false)
        .expect("the claim has this leaf");
    for _ in 0..2 {
        play.block();
    }
    // The last block in which the claimant may post it.
    play.claim.post(leaf, play.now).expect("it is demanded");
    play.commit_all();
    assert!(!play
        .effects
        .iter()
        .any(|effect| matches!(effect, ClaimEffect::Silent(..))));
}

#[test]
fn a_challenged_leaf_that_is_withheld_falls() {
    let terms = ClaimTerms {
        availability: Availability::FromClaimant,
        leaves: 5,
        ..terms()
    };
    let mut play = Play::with(terms, 9, 8);
    play.claim
        .challenge(&50, 4, false, play.now)
        .expect("the claim has this leaf");
    let challenged = play.now;
    assert_eq!(
        play.until_ended(),
        ClaimOutcome::Fallen(ClaimFault::Withheld(4))
    );
    assert_eq!(
        play.now,
        challenged + 3,
        "the claimant had its whole window"
    );
    let split = play.settlement().slash.expect("the stake is taken");
    assert_eq!(split.challengers, 400);
}

#[test]
fn a_validator_that_demanded_a_leaf_is_not_paid_for_its_check() {
    let terms = ClaimTerms {
        availability: Availability::FromClaimant,
        leaves: 100,
        check_fee: 1_600,
        ..terms()
    };
    let mut play = Play::with(terms, 9, 8);
    // Eight leaves can be drawn, each for two validators.
    assert_eq!(play.claim.fee_per_check(), 100);
    play.until_drawn();
    let (validator, leaf) = play.open_seats()[0];
    play.claim
        .demand(&validator, leaf, play.now)
        .expect("it is seated");
    play.claim.post(leaf, play.now).expect("it is demanded");
    play.commit_all();
    play.reveal_all();
    play.until_ended();
    let settlement = play.settlement();
    assert_exact(&play.claim, &settlement);
    let paid: Vec<_> = settlement
        .validators
        .iter()
        .map(|(_, paid)| paid.paid + paid.burned)
        .collect();
    assert_eq!(paid.iter().filter(|paid| **paid == 0).count(), 1);
    assert_eq!(paid.iter().sum::<u128>(), 300);
    // It was the only one that could not read the leaf: it pays for a hundred tokens.
    let lone: Vec<_> = play.claim.lone_demands().collect();
    assert_eq!(
        (lone, play.claim.demand_price()),
        (vec![(&validator, leaf)], 100)
    );
}

#[test]
fn a_demand_that_another_validator_shares_costs_neither() {
    let terms = ClaimTerms {
        availability: Availability::FromClaimant,
        leaves: 100,
        check_fee: 1_600,
        ..terms()
    };
    // The claimant posts the leaf before the second validator has demanded it, or after.
    for is_early in [true, false] {
        let mut play = Play::with(terms.clone(), 9, 8);
        play.until_drawn();
        let (first, leaf) = play.open_seats()[0];
        let mut others = play.open_seats().into_iter();
        let other = others.find(|(validator, seat)| *seat == leaf && *validator != first);
        let (second, _) = other.expect("two are drawn for the leaf");
        let now = play.now;
        play.claim.demand(&first, leaf, now).expect("it is seated");
        let again = play.claim.demand(&first, leaf, now);
        assert_eq!(again, Err(ClaimError::AlreadyDemanded));
        if is_early {
            play.claim.post(leaf, now).expect("it is demanded");
        }
        play.claim.demand(&second, leaf, now).expect("it is shared");
        let again = play.claim.demand(&second, leaf, now);
        assert_eq!(again, Err(ClaimError::AlreadyDemanded));
        if !is_early {
            play.claim.post(leaf, now).expect("it is demanded");
        }
        assert_eq!(play.claim.demands.len(), 1);
        play.commit_all();
        play.reveal_all();
        play.until_ended();
        assert_eq!(play.claim.lone_demands().count(), 0);
    }
}

#[test]
fn windows_grow_with_finality_and_with_tokens() {
    let mut rules = rules();
    rules.windows.finality = 15;
    let terms = ClaimTerms {
        rules,
        leaf_tokens: 5_000,
        ..terms()
    };
    let mut play = Play::with(terms, 5, 9);
    play.until_drawn();
    assert_eq!(
        play.claim.stage,
        ClaimStage::Committing {
            until: play.now + 15 + 3 + 100
        }
    );
    play.commit_all();
    play.until(|stage| matches!(stage, ClaimStage::Revealing { .. }));
    play.reveal_all();
    play.until(|stage| matches!(stage, ClaimStage::Challengeable { .. }));
    assert_eq!(
        play.claim.stage,
        ClaimStage::Challengeable {
            until: play.now + 15 + 4 + 100,
            verification: Verification::Confirmed
        }
    );
}

#[test]
fn seats_are_those_of_different_validators_without_an_interest() {
    for seed in 0..200 {
        let terms = ClaimTerms {
            claimant: VALIDATOR,
            payer: VALIDATOR + 1,
            leaves: 20,
            stake: 250,
            ..terms()
        };
        let mut play = Play::with(terms, 6, seed);
        play.until_drawn();
        let seats = play.open_seats();
        assert_eq!(play.claim.drawn.len(), 8);
        assert_eq!(seats.len(), 16);
        let different: BTreeSet<_> = seats.iter().collect();
        assert_eq!(
            different.len(),
            seats.len(),
            "no validator has a leaf twice"
        );
        let drawn: BTreeSet<_> = play.claim.drawn.iter().collect();
        assert_eq!(drawn.len(), 8, "the leaves differ");
        assert!(seats
            .iter()
            .all(|(validator, _)| *validator > VALIDATOR + 1));
    }
}

#[test]
fn each_leaf_is_drawn_equally_often() {
    let terms = ClaimTerms {
        leaves: 20,
        stake: 400,
        ..terms()
    };
    let mut drawn = [0u32; 20];
    for seed in 0..4_000 {
        let mut play = Play::with(terms.clone(), 6, seed);
        play.until_drawn();
        for leaf in &play.claim.drawn {
            drawn[*leaf as usize] += 1;
        }
    }
    // Five of twenty: 1,000 expected, a standard deviation of 27.
    assert!(
        drawn.iter().all(|count| (880..1_120).contains(count)),
        "{drawn:?}"
    );
}

/// The steps that may occur in a block.
#[derive(Clone, Copy, Debug)]
enum Move {
    Commit(u8),
    CommitToNothing(u8),
    Reveal(u8),
    Challenge(u8, u8),
    Join(u8, u8),
    Conclude(u8, Decision),
    Demand(u8),
    Post(u8),
    SkipRandomness,
}

fn decisions() -> impl Strategy<Value = Decision> {
    prop_oneof![
        Just(Decision::True),
        Just(Decision::False),
        Just(Decision::Undecided),
    ]
}

fn moves() -> impl Strategy<Value = Vec<Vec<Move>>> {
    let one = prop_oneof![
        4 => any::<u8>().prop_map(Move::Commit),
        1 => any::<u8>().prop_map(Move::CommitToNothing),
        4 => any::<u8>().prop_map(Move::Reveal),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(who, leaf)| Move::Challenge(who, leaf)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(who, leaf)| Move::Join(who, leaf)),
        2 => (any::<u8>(), decisions()).prop_map(|(leaf, decision)| Move::Conclude(leaf, decision)),
        1 => any::<u8>().prop_map(Move::Demand),
        1 => any::<u8>().prop_map(Move::Post),
        1 => Just(Move::SkipRandomness),
    ];
    prop::collection::vec(prop::collection::vec(one, 0..6), 0..60)
}

fn any_terms() -> impl Strategy<Value = ClaimTerms<u32, u32>> {
    (
        1u32..40,
        0u128..5_000,
        0u128..5_000,
        100u128..50_000,
        1u32..=4,
        1u32..=4,
        any::<bool>(),
    )
        .prop_map(
            |(leaves, payment, check_fee, stake, validators, draws, is_public)| ClaimTerms {
                leaves,
                payment,
                check_fee,
                stake,
                availability: if is_public {
                    Availability::OnChain
                } else {
                    Availability::FromClaimant
                },
                rules: ClaimRules {
                    validators_per_leaf: validators,
                    max_draws: draws,
                    ..rules()
                },
                ..terms()
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_life_ends_and_no_unit_is_created_lost_or_taken_twice(
        terms in any_terms(),
        blocks in moves(),
        validators in 0u32..12,
        seed in any::<u64>(),
    ) {
        let made = noema_claims::Claim::new(noema_protocol::ClaimId(seed), terms.clone(), 10, 20);
        prop_assume!(made.is_ok());
        let mut play = Play::with(terms, validators, seed);
        // Leaves whose dispute is open, as a referee would keep them.
        let mut disputes: BTreeSet<u32> = BTreeSet::new();
        for block in blocks {
            play.is_random = !block.iter().any(|step| matches!(step, Move::SkipRandomness));
            play.block();
            if play.claim.outcome().is_some() {
                break;
            }
            let leaves = play.claim.terms.leaves;
            for step in block {
                let seats: Vec<_> = play.claim.seats.iter().map(|seat| (seat.validator, seat.leaf)).collect();
                let seat = |index: u8| seats.get(usize::from(index) % seats.len().max(1)).copied();
                let before = play.claim.clone();
                let result = match step {
                    Move::Commit(index) => seat(index).map(|(validator, leaf)| play.commit(validator, leaf)),
                    Move::CommitToNothing(index) => seat(index)
                        .map(|(validator, leaf)| play.commit_to(validator, leaf, Default::default())),
                    Move::Reveal(index) => seat(index).map(|(validator, leaf)| play.reveal(validator, leaf)),
                    Move::Challenge(who, leaf) => {
                        let leaf = u32::from(leaf) % (leaves + 1);
                        let by = seat(who).map_or(u32::from(who), |(validator, _)| validator);
                        (!disputes.contains(&leaf)).then(|| {
                            let result = play.challenge(by, leaf, false);
                            if result.is_ok() {
                                disputes.insert(leaf);
                            }
                            result
                        })
                    }
                    Move::Join(who, leaf) => {
                        let leaf = u32::from(leaf) % leaves;
                        disputes
                            .contains(&leaf)
                            .then(|| play.challenge(1_000 + u32::from(who), leaf, true))
                    }
                    Move::Conclude(index, decision) => {
                        let leaf = disputes.iter().nth(usize::from(index) % disputes.len().max(1)).copied();
                        leaf.map(|leaf| {
                            disputes.remove(&leaf);
                            play.claim.conclude_dispute(leaf, decision, play.relay).map(drop)
                        })
                    }
                    Move::Demand(index) => seat(index)
                        .map(|(validator, leaf)| play.claim.demand(&validator, leaf, play.now)),
                    Move::Post(index) => seat(index).map(|(_, leaf)| play.claim.post(leaf, play.now).map(drop)),
                    Move::SkipRandomness => None,
                };
                if result.is_some_and(|result| result.is_err()) {
                    prop_assert_eq!(&before, &play.claim, "a refused step changes nothing");
                }
                prop_assert_eq!(play.claim.disputes as usize, disputes.len());
                if play.claim.outcome().is_some() {
                    break;
                }
            }
        }
        // Open disputes are decided, and the claim ends.
        play.is_random = true;
        if play.claim.outcome().is_none() {
            for leaf in disputes {
                play.claim.conclude_dispute(leaf, Decision::True, play.relay).expect("its dispute is open");
            }
            play.until_ended();
        }
        let settlement = play.settlement();
        assert_exact(&play.claim, &settlement);

        // Each seat's stake is taken at most once: for silence, or for a false confirmation.
        let silent = play.effects.iter().filter(|effect| matches!(effect, ClaimEffect::Silent(..))).count();
        let recorded = play.claim.seats.iter().filter(|seat| seat.state == SeatState::Silent).count();
        prop_assert_eq!(silent, recorded);
        for validator in &settlement.false_confirmations {
            *play.roster.locked.get_mut(validator).expect("it was locked") -= play.roster.stake;
        }
        // The sum still locked is exactly the sum that is released.
        let released = play.claim.seats.iter().filter(|seat| seat.state != SeatState::Silent).count()
            - settlement.false_confirmations.len();
        let locked: u128 = play.roster.locked.values().sum();
        prop_assert_eq!(locked, play.roster.stake * released as u128);
    }
}
