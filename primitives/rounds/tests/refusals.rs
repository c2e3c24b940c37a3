//! Refused steps, which leave the round unchanged, and random sequences of steps.

mod support;

use noema_protocol::{Offence, Role};
use noema_rounds::{Contribution, Finding, Phase, RoundEffect, RoundError};
use proptest::prelude::*;
use sp_core::H256;
use support::*;

/// Ignores the result of a step that may be refused: the invariants hold either way.
fn attempt(_: Result<(), RoundError>) {}

/// Runs a step that has to fail, and checks that the round is as before.
#[track_caller]
fn refused(
    play: &mut Play,
    error: RoundError,
    step: impl FnOnce(&mut Play) -> Result<(), RoundError>,
) {
    let before = play.round.clone();
    assert_eq!(step(play), Err(error));
    assert_eq!(play.round, before);
}

#[test]
fn a_participant_is_refused_with_its_reason() {
    let mut play = Play::joined();
    refused(&mut play, RoundError::AlreadyJoined, |play| {
        play.round.join_as_trainer(1, play.now)
    });
    refused(&mut play, RoundError::AlreadyJoined, |play| {
        play.round.join_as_validator(1, 5, play.now)
    });
    refused(&mut play, RoundError::AlreadyJoined, |play| {
        play.round.join_as_trainer(11, play.now)
    });
    for account in 100..129 {
        play.round.join_as_trainer(account, play.now).unwrap();
    }
    refused(&mut play, RoundError::Full, |play| {
        play.round.join_as_trainer(200, play.now)
    });
    for account in 300..313 {
        play.round.join_as_validator(account, 1, play.now).unwrap();
    }
    refused(&mut play, RoundError::Full, |play| {
        play.round.join_as_validator(400, 1, play.now)
    });
    play.pass_window();
    refused(&mut play, RoundError::TooLate, |play| {
        play.round.join_as_trainer(201, play.now)
    });
}

#[test]
fn a_full_round_has_room_for_a_larger_bond() {
    let mut play = Play::joined();
    let now = play.now;
    let room = |play: &mut Play, role, bond, now| {
        play.round
            .make_room(role, bond, |account| u128::from(*account), now)
    };
    assert_eq!(
        room(&mut play, Role::Trainer, 1_000, now),
        None,
        "it has room"
    );
    for account in 100..129 {
        play.round.join_as_trainer(account, now).unwrap();
    }
    for account in 300..313 {
        play.round.join_as_validator(account, 1, now).unwrap();
    }
    // The smallest bonds are those of accounts 1 and 11.
    for (role, least) in [(Role::Trainer, 1), (Role::Validator, 11)] {
        let before = play.round.clone();
        assert_eq!(room(&mut play, role, least.into(), now), None, "as large");
        assert_eq!(play.round, before);
        assert_eq!(
            room(&mut play, role, u128::from(least) + 1, now),
            Some(least)
        );
        assert_eq!(room(&mut play, role, 1_000, now), None, "there is room now");
    }
    assert!(!play
        .round
        .trainers
        .iter()
        .any(|trainer| trainer.account == 1));
    play.round.join_as_trainer(500, now).unwrap();
    play.round.join_as_validator(501, 500, now).unwrap();
    play.pass_window();
    let later = play.now;
    assert_eq!(
        room(&mut play, Role::Trainer, 1_000, later),
        None,
        "too late"
    );
}

#[test]
fn of_equal_bonds_the_last_to_join_loses_its_place() {
    let mut play = Play::joined();
    let now = play.now;
    for account in 300..313 {
        play.round.join_as_validator(account, 5, now).unwrap();
    }
    let lost = play.round.make_room(Role::Validator, 6, |_| 5, now);
    assert_eq!(lost, Some(312));
}

#[test]
fn a_commitment_is_refused_with_its_reason() {
    let mut play = Play::joined();
    refused(&mut play, RoundError::TooEarly, |play| play.commit(1));
    play.pass_window();
    refused(&mut play, RoundError::NotATrainer, |play| play.commit(11));
    refused(&mut play, RoundError::TooEarly, |play| play.reveal(1));
    play.commit(1).unwrap();
    refused(&mut play, RoundError::AlreadyCommitted, |play| {
        play.commit(1)
    });
    play.pass_window();
    refused(&mut play, RoundError::TooLate, |play| play.commit(2));
}

#[test]
fn a_reveal_is_refused_with_its_reason() {
    let mut play = Play::training();
    for account in [1, 2] {
        play.commit(account).unwrap();
    }
    play.pass_window();
    refused(&mut play, RoundError::NotCommitted, |play| play.reveal(3));
    refused(&mut play, RoundError::CommitmentDiffers, |play| {
        play.round.reveal(&1, contribution(2), salt(1), play.now)
    });
    refused(&mut play, RoundError::CommitmentDiffers, |play| {
        play.round.reveal(&1, contribution(1), salt(2), play.now)
    });
    for bytes in [0, 1_001] {
        refused(&mut play, RoundError::UpdateSize, |play| {
            let contribution = Contribution {
                bytes,
                ..contribution(1)
            };
            play.round.reveal(&1, contribution, salt(1), play.now)
        });
    }
    play.reveal(1).unwrap();
    refused(&mut play, RoundError::AlreadyRevealed, |play| {
        play.reveal(1)
    });
    play.pass_window();
    refused(&mut play, RoundError::TooLate, |play| play.reveal(2));
}

#[test]
fn the_same_update_is_revealed_once() {
    let mut play = Play::training();
    let stolen = contribution(1);
    let commitment = noema_protocol::hashing::contribution_commitment(
        play.round.id,
        &2u64,
        stolen.update,
        stolen.bytes,
        salt(2),
    );
    play.commit(1).unwrap();
    play.commit(3).unwrap();
    play.round.commit(&2, commitment, play.now).unwrap();
    play.end_block();
    play.reveal(1).unwrap();
    refused(&mut play, RoundError::UpdateTaken, |play| {
        play.round.reveal(&2, stolen, salt(2), play.now)
    });
}

#[test]
fn scores_are_refused_with_their_reason() {
    let mut play = Play::scoring();
    let (drawn, other) = (play.seated()[0], play.unheard());
    refused(&mut play, RoundError::NotDrawn, |play| {
        play.round.commit_scores(&other, H256::zero(), play.now)
    });
    refused(&mut play, RoundError::NotAValidator, |play| {
        play.round.commit_scores(&1, H256::zero(), play.now)
    });
    refused(&mut play, RoundError::TooEarly, |play| {
        play.reveal_scores(drawn, &[helpful(); 3])
    });
    refused(&mut play, RoundError::TooEarly, |play| {
        play.round.claim(&drawn, claim(), play.now)
    });
    refused(&mut play, RoundError::TooEarly, |play| {
        play.round
            .object_to_scores(&other, sheet(&[helpful(); 3]), play.now)
    });
    play.commit_scores(drawn, &[helpful(); 3]);
    refused(&mut play, RoundError::AlreadyCommitted, |play| {
        play.round.commit_scores(&drawn, H256::zero(), play.now)
    });
    play.pass_window();
    refused(&mut play, RoundError::TooLate, |play| {
        play.round.commit_scores(&drawn, H256::zero(), play.now)
    });
    refused(&mut play, RoundError::CommitmentDiffers, |play| {
        play.reveal_scores(drawn, &[helpful(), helpful(), harmful()])
    });
    refused(&mut play, RoundError::SheetLength, |play| {
        play.reveal_scores(drawn, &[helpful(); 2])
    });
    refused(&mut play, RoundError::NotEarlier, |play| {
        play.reveal_scores(drawn, &[helpful(), Finding::Copy { of: 1 }, helpful()])
    });
    let silent = play.seated()[1];
    refused(&mut play, RoundError::NotCommitted, |play| {
        play.reveal_scores(silent, &[helpful(); 3])
    });
    play.reveal_scores(drawn, &[helpful(); 3]).unwrap();
    refused(&mut play, RoundError::AlreadyRevealed, |play| {
        play.reveal_scores(drawn, &[helpful(); 3])
    });
}

#[test]
fn claims_and_objections_are_refused_with_their_reason() {
    let mut play = Play::claiming();
    let (drawn, other) = (play.seated()[0], play.unheard());
    refused(&mut play, RoundError::NotDrawn, |play| {
        play.round.claim(&other, claim(), play.now)
    });
    refused(&mut play, RoundError::NothingToObject, |play| {
        play.round
            .object_to_scores(&other, sheet(&[helpful(); 3]), play.now)
    });
    refused(&mut play, RoundError::AllHeard, |play| {
        play.round
            .object_to_scores(&drawn, sheet(&[harmful(); 3]), play.now)
    });
    refused(&mut play, RoundError::TooEarly, |play| {
        play.round.object_to_claim(&other, claim(), play.now)
    });
    play.round.claim(&drawn, claim(), play.now).unwrap();
    refused(&mut play, RoundError::AlreadyClaimed, |play| {
        play.round.claim(&drawn, claim(), play.now)
    });
    play.pass_window();
    refused(&mut play, RoundError::TooLate, |play| {
        play.round.claim(&drawn, claim(), play.now)
    });
    refused(&mut play, RoundError::NothingToObject, |play| {
        play.round.object_to_claim(&other, claim(), play.now)
    });
    refused(&mut play, RoundError::AllHeard, |play| {
        play.round.object_to_claim(&drawn, false_claim(), play.now)
    });
    play.pass_window();
    refused(&mut play, RoundError::TooLate, |play| {
        play.round.object_to_claim(&other, false_claim(), play.now)
    });
}

#[test]
fn there_is_no_claim_to_object_to_where_nothing_was_accepted() {
    let mut play = Play::scoring();
    play.score(&[harmful(); 3]);
    let other = play.unheard();
    refused(&mut play, RoundError::NothingToObject, |play| {
        play.round.object_to_claim(&other, claim(), play.now)
    });
}

/// A step of a random player.
#[derive(Clone, Debug)]
enum Step {
    Commit(u64),
    Reveal(u64),
    CommitScores(u64, bool),
    RevealScores(u64, bool),
    Claim(u64, bool),
    ObjectToScores(u64, bool),
    ObjectToClaim(u64, bool),
    EndBlock { randomness: bool, holders: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let trainer = 1u64..=3;
    let validator = 11u64..=13;
    prop_oneof![
        trainer.clone().prop_map(Step::Commit),
        trainer.prop_map(Step::Reveal),
        (validator.clone(), any::<bool>()).prop_map(|(a, b)| Step::CommitScores(a, b)),
        (validator.clone(), any::<bool>()).prop_map(|(a, b)| Step::RevealScores(a, b)),
        (validator.clone(), any::<bool>()).prop_map(|(a, b)| Step::Claim(a, b)),
        (validator.clone(), any::<bool>()).prop_map(|(a, b)| Step::ObjectToScores(a, b)),
        (validator, any::<bool>()).prop_map(|(a, b)| Step::ObjectToClaim(a, b)),
        (any::<bool>(), 0u32..4).prop_map(|(randomness, holders)| Step::EndBlock {
            randomness,
            holders
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// After any sequence of steps, a round ends, once; no operator is penalised twice for one part in it,
    /// and none that followed the rules is penalised.
    #[test]
    fn every_play_ends(steps in prop::collection::vec(step(), 0..120)) {
        let mut play = Play::training();
        for step in steps {
            let findings = |is_helpful| vec![
                if is_helpful { helpful() } else { harmful() };
                play.round.contributors().len()
            ];
            let the_claim = |is_true| if is_true { claim() } else { false_claim() };
            match step {
                Step::Commit(account) => attempt(play.commit(account)),
                Step::Reveal(account) => attempt(play.reveal(account)),
                Step::CommitScores(account, is_true) => {
                    let sheet = sheet(&findings(is_true));
                    let commitment = noema_protocol::hashing::score_commitment(
                        play.round.id, &account, &sheet, salt(account),
                    );
                    attempt(play.round.commit_scores(&account, commitment, play.now));
                }
                Step::RevealScores(account, is_true) => {
                    let findings = findings(is_true);
                    attempt(play.reveal_scores(account, &findings));
                }
                Step::Claim(account, is_true) => {
                    attempt(play.round.claim(&account, the_claim(is_true), play.now));
                }
                Step::ObjectToScores(account, is_true) => {
                    let sheet = sheet(&findings(is_true));
                    attempt(play.round.object_to_scores(&account, sheet, play.now));
                }
                Step::ObjectToClaim(account, is_true) => {
                    attempt(play.round.object_to_claim(&account, the_claim(is_true), play.now));
                }
                Step::EndBlock { randomness, holders } => {
                    play.has_randomness = randomness;
                    play.holders = holders;
                    play.end_block();
                }
            }
        }
        play.has_randomness = true;
        for _ in 0..20 * WINDOW {
            play.end_block();
        }
        prop_assert!(matches!(play.round.phase, Phase::Closed(_)));
        let closings = play.effects.iter().filter(|effect| matches!(effect, RoundEffect::Closed(_)));
        prop_assert_eq!(closings.count(), 1);
        let aggregated = play.effects.iter().filter(|effect| matches!(effect, RoundEffect::Aggregated(_)));
        prop_assert!(aggregated.count() <= 1);
        let mut accounts: Vec<u64> = play.offences().into_iter().map(|(account, _)| account).collect();
        let all = accounts.len();
        accounts.sort_unstable();
        accounts.dedup();
        prop_assert_eq!(accounts.len(), all);
        for (account, offence) in play.offences() {
            if account < 10 {
                prop_assert_eq!(offence, Offence::MissedContribution);
                let trainer = play.round.trainers.iter().find(|trainer| trainer.account == account);
                prop_assert!(trainer.unwrap().contribution.is_none());
            }
        }
    }
}
