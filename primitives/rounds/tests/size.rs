//! The encoded size of a round on chain, as `docs/training.md` states.

use codec::{Encode, MaxEncodedLen};
use noema_protocol::{CheckpointId, FamilyId, RoundId};
use noema_rounds::{
    CheckpointClaim, Contribution, Dataset, Finding, Hearing, Losses, Phase, Round, RoundOutcome,
    RoundRules, RoundWindows, Ruling, ScoreSheet, Trainer, Validator,
};
use sp_arithmetic::Permill;
use sp_core::H256;

type Account = [u8; 32];

const TRAINERS: u8 = 4;
const VALIDATORS: u8 = 2;

fn sheet() -> ScoreSheet {
    let finding = Finding::Scored {
        assigned: Losses {
            before: 1_000,
            after: 900,
        },
        evaluation: 950,
    };
    ScoreSheet {
        parent: 1_000,
        findings: vec![finding; TRAINERS.into()].try_into().unwrap(),
    }
}

fn contribution() -> Contribution {
    Contribution {
        update: H256::repeat_byte(1),
        bytes: 100_000,
    }
}

fn claim() -> CheckpointClaim {
    CheckpointClaim {
        checkpoint: CheckpointId(H256::repeat_byte(2)),
        weights_root: H256::repeat_byte(3),
        masters_root: H256::repeat_byte(4),
        loss: 930,
    }
}

fn trainer(number: u8) -> Trainer<Account> {
    Trainer {
        account: [number; 32],
        shards: vec![1, 2].try_into().unwrap(),
        commitment: Some((H256::repeat_byte(5), number.into())),
        contribution: Some(contribution()),
        ruling: Some(Ruling::Accepted { weight: 32_768 }),
    }
}

fn validator(number: u8) -> Validator<Account> {
    Validator {
        account: [number; 32],
        bond: 1_000,
        seat: Hearing::Scores,
        commitment: Some(H256::repeat_byte(6)),
        sheet: Some(sheet()),
        claim: Some(claim()),
    }
}

/// A closed round of four trainers, with two shards each, and two validators.
fn round() -> Round<Account, u32> {
    let rules = RoundRules {
        windows: RoundWindows {
            registration: 10,
            training: 10,
            reveal: 10,
            scoring: 10,
            score_reveal: 10,
            claim: 10,
            objection: 10,
            holding: 10,
        },
        min_contributions: 2,
        validators: 2,
        shards_per_trainer: 2,
        evaluation_shards: 4,
        max_update_bytes: 1_000_000,
        entries_per_chunk: 64,
        max_overlap: Permill::from_percent(50),
        min_holders: 2,
    };
    let dataset = Dataset {
        root: H256::repeat_byte(7),
        manifest: H256::repeat_byte(10),
        shards: 100,
        shard_tokens: 10_000,
    };
    let parent = CheckpointId(H256::repeat_byte(8));
    let mut round = Round::open(RoundId(9), FamilyId(0), parent, dataset, rules, 1);
    round.trainers = (0..TRAINERS)
        .map(trainer)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    round.validators = (0..VALIDATORS)
        .map(validator)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    round.evaluation = vec![3, 4, 5, 6].try_into().unwrap();
    round.parent_loss = Some(1_000);
    round.claim = Some(claim());
    round.phase = Phase::Closed(RoundOutcome::Promoted(claim().checkpoint));
    round
}

#[test]
fn the_record_of_a_round_is_small() {
    assert_eq!(round().encoded_size(), 1_425);
    assert_eq!(Round::<Account, u32>::max_encoded_len(), 20_991);
}

#[test]
fn what_a_round_is_told_is_small() {
    let id = RoundId(9).encoded_size();
    let (hash, salt) = (32, 32);
    let joining = id + 1;
    let committing = id + hash;
    let contributing = joining + committing + id + contribution().encoded_size() + salt;
    let scoring =
        joining + committing + id + sheet().encoded_size() + salt + id + claim().encoded_size();
    assert_eq!(contributing, 125);
    assert_eq!(scoring, 310);
}
