//! The life of rounds: each way to promotion, and each way to end without a new checkpoint.

mod support;

use noema_protocol::{Offence, MAX_HOLDERS};
use noema_rounds::{
    Phase, Refusal, Rejection, RoundEffect, RoundOutcome, RoundRules, RoundRulesError,
    RoundWindows, Ruling, MAX_SHARDS, MAX_TRAINERS,
};
use std::collections::BTreeSet;
use support::*;

fn rejected(play: &Play) -> Rejection {
    match play.round.outcome() {
        Some(RoundOutcome::Rejected(rejection)) => rejection,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_round_that_helps_is_promoted() {
    let mut play = Play::holding();
    assert_eq!(play.round.claim, Some(claim()));
    assert!(play.effects.contains(&RoundEffect::Aggregated(claim())));
    play.holders = 1;
    play.end_block();
    assert_eq!(play.round.outcome(), None);
    play.holders = 2;
    play.end_block();
    assert_eq!(play.round.outcome(), Some(RoundOutcome::Promoted(CHILD)));
    assert_eq!(
        play.effects.last(),
        Some(&RoundEffect::Closed(RoundOutcome::Promoted(CHILD)))
    );
    assert_eq!(play.offences(), []);
    for trainer in &play.round.trainers {
        assert!(matches!(trainer.ruling, Some(Ruling::Accepted { .. })));
    }
    // A closed round does not change.
    let closed = play.round.clone();
    play.end_block();
    assert_eq!(play.round.stop(), []);
    assert_eq!(play.round, closed);
}

#[test]
fn shards_are_dealt_without_repetition_and_evaluation_uses_others() {
    let play = Play::scoring();
    let assigned: Vec<u32> = play
        .round
        .trainers
        .iter()
        .flat_map(|trainer| trainer.shards.iter().copied())
        .collect();
    assert_eq!(assigned.len(), 6);
    let assigned: BTreeSet<u32> = assigned.into_iter().collect();
    assert_eq!(assigned.len(), 6);
    let evaluation: BTreeSet<u32> = play.round.evaluation.iter().copied().collect();
    assert_eq!(evaluation.len(), 3);
    assert!(assigned.is_disjoint(&evaluation));
    assert!(assigned
        .union(&evaluation)
        .all(|shard| *shard < dataset().shards));
    assert_eq!(play.seated().len(), 2);
}

#[test]
fn trainers_share_shards_where_there_are_too_few() {
    let mut play = Play::with(RoundRules {
        shards_per_trainer: 8,
        ..rules()
    });
    for account in 1..=4 {
        play.round.join_as_trainer(account, 1).unwrap();
    }
    play.round.join_as_validator(11, 100, 1).unwrap();
    play.pass_window();
    for trainer in &play.round.trainers {
        let shards: BTreeSet<u32> = trainer.shards.iter().copied().collect();
        assert_eq!(shards.len(), 8, "a trainer's shards differ");
    }
    for account in 1..=4 {
        play.commit(account).unwrap();
    }
    play.end_block();
    for account in 1..=4 {
        play.reveal(account).unwrap();
    }
    play.end_block();
    assert_eq!(play.round.evaluation.len(), 3);
}

#[test]
fn a_draw_waits_for_randomness() {
    let mut play = Play::joined();
    play.has_randomness = false;
    for _ in 0..2 * WINDOW {
        play.end_block();
    }
    assert!(matches!(play.round.phase, Phase::Registering { .. }));
    assert!(play.round.join_as_trainer(4, play.now).is_err());
    play.has_randomness = true;
    play.end_block();
    assert!(matches!(play.round.phase, Phase::Training { .. }));
}

#[test]
fn what_a_draw_reads_is_fixed_when_the_phase_is_over() {
    let mut play = Play::joined();
    assert!(!play.round.fix_draw(WINDOW, 5), "others may join");
    assert_eq!(play.round.unknown_since, None);
    play.now = WINDOW + 1;
    assert!(play.round.fix_draw(play.now, 6));
    assert!(!play.round.fix_draw(play.now + 1, 7), "it is fixed already");
    assert_eq!(play.round.unknown_since, Some(6));
    play.end_block();
    assert!(matches!(play.round.phase, Phase::Training { .. }));
    assert_eq!(play.round.unknown_since, None);

    let mut play = Play::revealing();
    for account in [1, 2] {
        play.reveal(account).unwrap();
    }
    assert!(!play.round.fix_draw(play.now, 5), "one may still reveal");
    play.reveal(3).unwrap();
    assert!(play.round.fix_draw(play.now, 6));
    play.end_block();
    assert!(matches!(play.round.phase, Phase::Scoring { .. }));
    assert_eq!(play.round.unknown_since, None);
}

#[test]
fn a_round_that_ends_without_a_draw_waits_for_none() {
    let mut play = Play::with(rules());
    play.round.join_as_trainer(1, 1).unwrap();
    play.round.join_as_validator(11, 100, 1).unwrap();
    assert!(!play.round.fix_draw(2 * WINDOW, 5));
}

#[test]
fn too_few_trainers_end_the_round() {
    let mut play = Play::with(rules());
    play.round.join_as_trainer(1, 1).unwrap();
    play.round.join_as_validator(11, 100, 1).unwrap();
    play.pass_window();
    assert_eq!(rejected(&play), Rejection::TooFewTrainers);
}

#[test]
fn a_round_without_validators_ends() {
    let mut play = Play::with(rules());
    for account in [1, 2] {
        play.round.join_as_trainer(account, 1).unwrap();
    }
    play.pass_window();
    assert_eq!(rejected(&play), Rejection::NoValidators);
}

#[test]
fn who_never_commits_or_never_reveals_offends() {
    let mut play = Play::training();
    for account in [1, 2] {
        play.commit(account).unwrap();
    }
    play.pass_window();
    play.reveal(1).unwrap();
    play.pass_window();
    assert_eq!(rejected(&play), Rejection::TooFewContributions);
    let expected = [3, 2].map(|account| (account, Offence::MissedContribution));
    assert_eq!(play.offences(), expected);
}

#[test]
fn two_of_three_contributions_are_enough() {
    let mut play = Play::revealing();
    for account in [1, 3] {
        play.reveal(account).unwrap();
    }
    play.pass_window();
    play.score(&[helpful(), harmful()]);
    assert_eq!(play.offences(), [(2, Offence::MissedContribution)]);
    assert_eq!(
        play.round.rulings(),
        [
            Ruling::Accepted { weight: 32_768 },
            Ruling::Refused(Refusal::DoesNotHelp)
        ]
    );
}

#[test]
fn nothing_accepted_leaves_the_parent() {
    let mut play = Play::scoring();
    play.score(&[harmful(); 3]);
    assert!(matches!(play.round.phase, Phase::Objectable { .. }));
    play.pass_window();
    assert_eq!(rejected(&play), Rejection::NothingAccepted);
    assert_eq!(play.offences(), []);
}

#[test]
fn silent_validators_offend() {
    let mut play = Play::scoring();
    let seated = play.seated();
    play.score_each(&[]);
    assert_eq!(rejected(&play), Rejection::NoScores);
    let expected: Vec<_> = seated
        .into_iter()
        .map(|account| (account, Offence::MissedScore))
        .collect();
    assert_eq!(play.offences(), expected);
}

#[test]
fn one_silent_validator_does_not_stop_the_round() {
    let mut play = Play::scoring();
    let [honest, silent] = play.seated()[..] else {
        panic!("two are drawn");
    };
    play.score_each(&[(honest, &[helpful(); 3])]);
    play.round.claim(&honest, claim(), play.now).unwrap();
    play.pass_window();
    play.pass_window();
    assert!(matches!(play.round.phase, Phase::Holding { .. }));
    assert_eq!(play.offences(), [(silent, Offence::MissedScore)]);
}

#[test]
fn a_validator_that_does_not_claim_offends() {
    let mut play = Play::claiming();
    let [honest, silent] = play.seated()[..] else {
        panic!("two are drawn");
    };
    play.round.claim(&honest, claim(), play.now).unwrap();
    play.pass_window();
    play.pass_window();
    assert!(matches!(play.round.phase, Phase::Holding { .. }));
    assert_eq!(play.offences(), [(silent, Offence::MissedClaim)]);
}

#[test]
fn without_a_claim_the_parent_stays() {
    let mut play = Play::claiming();
    play.pass_window();
    assert_eq!(rejected(&play), Rejection::NoClaim);
    assert_eq!(play.offences().len(), 2);
}

#[test]
fn false_scores_are_found_by_hearing_everyone() {
    let mut play = Play::scoring();
    let [honest, liar] = play.seated()[..] else {
        panic!("two are drawn");
    };
    let other = play.unheard();
    play.score_each(&[(honest, &[helpful(); 3]), (liar, &[harmful(); 3])]);
    assert!(play.round.widened);
    play.score_each(&[(other, &[helpful(); 3])]);
    for validator in [honest, other] {
        play.round.claim(&validator, claim(), play.now).unwrap();
    }
    play.pass_window();
    // No validator is left to object.
    play.end_block();
    assert!(matches!(play.round.phase, Phase::Holding { .. }));
    assert_eq!(play.offences(), [(liar, Offence::FalseScore)]);
}

#[test]
fn who_could_not_fetch_an_update_says_nothing_false() {
    use noema_rounds::Finding::Unavailable;
    let mut play = Play::scoring();
    let [a, b] = play.seated()[..] else {
        panic!("two are drawn");
    };
    let other = play.unheard();
    play.score_each(&[
        (a, &[helpful(), Unavailable, helpful()]),
        (b, &[helpful(); 3]),
    ]);
    play.score_each(&[(other, &[helpful(); 3])]);
    assert!(matches!(play.round.phase, Phase::Claiming { .. }));
    for validator in [a, b, other] {
        play.round.claim(&validator, claim(), play.now).unwrap();
    }
    play.end_block();
    play.end_block();
    assert!(matches!(play.round.phase, Phase::Holding { .. }));
    assert_eq!(play.offences(), []);
    assert!(play
        .round
        .rulings()
        .iter()
        .all(|ruling| matches!(ruling, Ruling::Accepted { .. })));
}

#[test]
fn one_honest_validator_can_overturn_scores_that_all_drawn_agree_on() {
    let mut play = Play::scoring();
    let liars = play.seated();
    play.score(&[harmful(); 3]);
    let honest = play.unheard();
    play.round
        .object_to_scores(&honest, sheet(&[helpful(); 3]), play.now)
        .unwrap();
    assert!(matches!(play.round.phase, Phase::Scoring { .. }));
    assert_eq!(play.round.parent_loss, None);
    play.end_block();
    play.end_block();
    // Two bonds of three agree against the objector: the majority's decision holds, and the objector is
    // slashed.
    play.pass_window();
    assert_eq!(rejected(&play), Rejection::NothingAccepted);
    assert_eq!(play.offences(), [(honest, Offence::FalseScore)]);
    assert_eq!(liars.len(), 2);
}

#[test]
fn an_objector_with_the_larger_bond_prevails() {
    let mut play = Play::with(rules());
    for account in [1, 2] {
        play.round.join_as_trainer(account, 1).unwrap();
    }
    for account in [11, 12, 13] {
        play.round.join_as_validator(account, 100, 1).unwrap();
    }
    for account in [14, 15] {
        play.round.join_as_validator(account, 1, 1).unwrap();
    }
    play.pass_window();
    for account in [1, 2] {
        play.commit(account).unwrap();
    }
    play.end_block();
    for account in [1, 2] {
        play.reveal(account).unwrap();
    }
    play.end_block();
    let liars = play.seated();
    play.score(&[harmful(); 2]);
    let honest: Vec<u64> = (11..=15)
        .filter(|account| !liars.contains(account))
        .collect();
    play.round
        .object_to_scores(&honest[0], sheet(&[helpful(); 2]), play.now)
        .unwrap();
    let truth = [helpful(); 2];
    let rest: Vec<(u64, &[_])> = honest[1..]
        .iter()
        .map(|account| (*account, &truth[..]))
        .collect();
    play.score_each(&rest);
    let bonds = |accounts: &[u64]| -> u128 {
        play.round
            .validators
            .iter()
            .filter(|validator| accounts.contains(&validator.account))
            .map(|validator| validator.bond)
            .sum()
    };
    let is_overturned = bonds(&honest) > bonds(&liars);
    assert_eq!(
        matches!(play.round.phase, Phase::Claiming { .. }),
        is_overturned
    );
}

#[test]
fn a_wrong_root_is_overturned() {
    let mut play = Play::claiming();
    let [honest, liar] = play.seated()[..] else {
        panic!("two are drawn");
    };
    let other = play.unheard();
    play.round.claim(&honest, claim(), play.now).unwrap();
    play.round.claim(&liar, false_claim(), play.now).unwrap();
    play.end_block();
    assert!(play.round.widened);
    play.round.claim(&other, claim(), play.now).unwrap();
    play.end_block();
    play.end_block();
    assert!(matches!(play.round.phase, Phase::Holding { .. }));
    assert_eq!(play.round.claim, Some(claim()));
    // The third validator was heard on the claim alone, so it owes no scores.
    assert_eq!(play.offences(), [(liar, Offence::FalseClaim)]);
}

#[test]
fn a_needless_objection_costs_the_objector() {
    let mut play = Play::objectable();
    let objector = play.unheard();
    play.round
        .object_to_claim(&objector, false_claim(), play.now)
        .unwrap();
    play.end_block();
    assert!(matches!(play.round.phase, Phase::Objectable { .. }));
    play.end_block();
    assert!(matches!(play.round.phase, Phase::Holding { .. }));
    assert_eq!(play.offences(), [(objector, Offence::FalseClaim)]);
}

#[test]
fn a_loss_that_did_not_fall_leaves_the_parent() {
    let mut play = Play::claiming();
    let worse = noema_rounds::CheckpointClaim {
        loss: 1_000,
        ..claim()
    };
    for validator in play.seated() {
        play.round.claim(&validator, worse, play.now).unwrap();
    }
    play.end_block();
    play.pass_window();
    assert_eq!(rejected(&play), Rejection::LossNotLower);
    assert_eq!(play.offences(), []);
}

#[test]
fn without_holders_the_parent_stays() {
    let mut play = Play::holding();
    play.holders = 1;
    play.pass_window();
    assert_eq!(rejected(&play), Rejection::TooFewHolders);
}

#[test]
fn a_replaced_parent_ends_the_round_in_any_phase() {
    for mut play in [
        Play::joined(),
        Play::training(),
        Play::revealing(),
        Play::scoring(),
        Play::claiming(),
        Play::objectable(),
        Play::holding(),
    ] {
        play.parent_is_canonical = false;
        play.holders = 2;
        play.end_block();
        assert_eq!(rejected(&play), Rejection::ParentReplaced);
        assert_eq!(play.offences(), []);
    }
}

#[test]
fn a_programme_that_stops_ends_its_round() {
    let mut play = Play::scoring();
    let effects = play.round.stop();
    assert_eq!(
        effects,
        [RoundEffect::Closed(RoundOutcome::Rejected(
            Rejection::Stopped
        ))]
    );
}

#[test]
fn rules_that_cannot_be_followed_are_refused() {
    let base = rules();
    let data = dataset();
    let cases = [
        (
            RoundRules {
                windows: RoundWindows {
                    holding: 0,
                    ..base.windows
                },
                ..base
            },
            data,
            RoundRulesError::EmptyWindow,
        ),
        (
            RoundRules {
                min_contributions: 1,
                ..base
            },
            data,
            RoundRulesError::Contributions,
        ),
        (
            RoundRules {
                min_contributions: MAX_TRAINERS + 1,
                ..base
            },
            data,
            RoundRulesError::Contributions,
        ),
        (
            RoundRules {
                validators: 0,
                ..base
            },
            data,
            RoundRulesError::Validators,
        ),
        (
            RoundRules {
                shards_per_trainer: 0,
                ..base
            },
            data,
            RoundRulesError::ShardCounts,
        ),
        (
            base,
            noema_rounds::Dataset { shards: 4, ..data },
            RoundRulesError::Dataset,
        ),
        (
            base,
            noema_rounds::Dataset {
                shards: MAX_SHARDS + 1,
                ..data
            },
            RoundRulesError::Dataset,
        ),
        (
            RoundRules {
                max_update_bytes: 0,
                ..base
            },
            data,
            RoundRulesError::UpdateSize,
        ),
        (
            RoundRules {
                min_holders: 0,
                ..base
            },
            data,
            RoundRulesError::Holders,
        ),
        (
            RoundRules {
                min_holders: MAX_HOLDERS + 1,
                ..base
            },
            data,
            RoundRulesError::Holders,
        ),
    ];
    for (rules, dataset, error) in cases {
        assert_eq!(rules.check(&dataset), Err(error));
    }
    assert_eq!(
        RoundRulesError::Contributions.to_string(),
        format!("a round needs between 2 and {MAX_TRAINERS} contributions")
    );
}
