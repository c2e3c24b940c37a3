//! A round for tests.

use crate::roles::rounds::{testing, Round};
use crate::store::AccountBytes;
use noema_protocol::RoundId;
use noema_rounds::{Contribution, Finding, Hearing, Losses, Refusal, Ruling, ScoreSheet};
use sp_core::H256;

pub(super) const HONEST: AccountBytes = [1; 32];
pub(super) const POISONER: AccountBytes = [2; 32];
pub(super) const ABSENT: AccountBytes = [3; 32];
pub(super) const SCORER: AccountBytes = [11; 32];
pub(super) const LIAR: AccountBytes = [12; 32];
pub(super) const UNHEARD: AccountBytes = [13; 32];

/// A round with rulings on its contributions, and with scores of two of three validators.
pub(super) fn round() -> Round {
    let mut round = testing::open(RoundId(4));
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
        validator.seat = Hearing::Scores;
        validator.sheet = Some(ScoreSheet {
            parent: 100,
            findings: vec![found; 2].try_into().expect("two fit"),
        });
    }
    round
}
