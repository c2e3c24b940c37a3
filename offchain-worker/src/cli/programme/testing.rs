//! A round to tell of.

use crate::rounds::Round;
use crate::store::AccountBytes;
use noema_protocol::{CheckpointId, FamilyId, RoundId};
use noema_rounds::{
    Contribution, Dataset, Finding, Losses, Permill, Refusal, Rules, Ruling, ScoreSheet, Seat,
    Windows,
};
use sp_core::H256;

pub(super) const HONEST: AccountBytes = [1; 32];
pub(super) const POISONER: AccountBytes = [2; 32];
pub(super) const ABSENT: AccountBytes = [3; 32];
pub(super) const SCORER: AccountBytes = [11; 32];
pub(super) const LIAR: AccountBytes = [12; 32];
pub(super) const UNHEARD: AccountBytes = [13; 32];

/// A round in which contributions were ruled on and two of three validators said something.
pub(super) fn round() -> Round {
    let rules = Rules {
        windows: Windows {
            registration: 5,
            training: 5,
            reveal: 5,
            scoring: 5,
            score_reveal: 5,
            claim: 5,
            objection: 5,
            holding: 5,
        },
        min_contributions: 2,
        validators: 2,
        shards_per_trainer: 1,
        evaluation_shards: 1,
        max_update_bytes: 1_000,
        entries_per_chunk: 64,
        max_overlap: Permill::from_percent(50),
        min_holders: 1,
    };
    let dataset = Dataset {
        root: H256::zero(),
        manifest: H256::zero(),
        shards: 8,
        shard_tokens: 1,
    };
    let parent = CheckpointId(H256::zero());
    let mut round = Round::open(RoundId(4), FamilyId(0), parent, dataset, rules, 1);
    for account in [HONEST, POISONER, ABSENT] {
        round.join_as_trainer(account, 1).expect("it may join");
    }
    for (account, bond) in [(SCORER, 9), (LIAR, 1), (UNHEARD, 1)] {
        round
            .join_as_validator(account, bond, 1)
            .expect("it may join");
    }
    let rulings = [
        Ruling::Accepted { weight: 32_768 },
        Ruling::Refused(Refusal::DoesNotHelp),
    ];
    for (place, ruling) in rulings.into_iter().enumerate() {
        let trainer = &mut round.trainers[place];
        trainer.commitment = Some((H256::zero(), place as u32));
        trainer.contribution = Some(Contribution {
            update: H256::repeat_byte(place as u8),
            bytes: 10,
        });
        trainer.ruling = Some(ruling);
    }
    for (place, evaluation) in [90, 200].into_iter().enumerate() {
        let found = Finding::Scored {
            assigned: Losses {
                before: 100,
                after: 80,
            },
            evaluation,
        };
        let validator = &mut round.validators[place];
        validator.seat = Seat::Scores;
        validator.sheet = Some(ScoreSheet {
            parent: 100,
            findings: vec![found; 2].try_into().expect("two fit"),
        });
    }
    round
}
