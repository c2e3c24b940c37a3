//! The current duty of an operator in a round, as a pure function of the round's state.

use super::Round;
use crate::store::AccountBytes;
use noema_protocol::Role;
use noema_rounds::{Hearing, Phase, Trainer, Validator};
use std::fmt;

/// A duty of an operator in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoundDuty {
    /// To join.
    Join,
    /// To train on the assigned shards and commit.
    Contribute,
    /// To reveal the contribution.
    RevealContribution,
    /// To score all contributions and commit.
    Score,
    /// To reveal the scores.
    RevealScores,
    /// To claim the next checkpoint.
    Claim,
    /// To verify the decided scores, and to object if they are wrong.
    AuditScores,
    /// To verify the decided next checkpoint, and to object if it is wrong.
    AuditClaim,
    /// To obtain the next checkpoint, serve it and announce the holding.
    Hold,
}

impl RoundDuty {
    /// Whether its result is in the store: a result that is committed and then revealed.
    pub(in crate::roles) const fn is_on_record(self) -> bool {
        match self {
            Self::Contribute
            | Self::RevealContribution
            | Self::Score
            | Self::RevealScores
            | Self::AuditScores => true,
            Self::Join | Self::Claim | Self::AuditClaim | Self::Hold => false,
        }
    }
}

impl fmt::Display for RoundDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Join => "entry",
            Self::Contribute => "commitment to a contribution",
            Self::RevealContribution => "reveal of a contribution",
            Self::Score => "commitment to scores",
            Self::RevealScores => "reveal of scores",
            Self::Claim => "claim of the next checkpoint",
            Self::AuditScores => "objection to the scores",
            Self::AuditClaim => "objection to the claimed checkpoint",
            Self::Hold => "holding of the next checkpoint",
        })
    }
}

/// The duty in `round` of `account`, which takes part as `role`, when block `now` is the latest finalized
/// one. A validator that was not drawn has no duty, but verifies if `audits` is set.
pub fn duty(
    round: &Round,
    account: &AccountBytes,
    role: Role,
    audits: bool,
    now: u32,
) -> Option<RoundDuty> {
    let trainer = round
        .trainers
        .iter()
        .find(|other| other.account == *account);
    let validator = round
        .validators
        .iter()
        .find(|other| other.account == *account);
    let until = round.phase.until()?;
    // A step that is submitted now is included in a later block.
    if now >= until {
        return None;
    }
    match (trainer, validator) {
        (None, None) => {
            let joins = matches!(round.phase, Phase::Registering { .. }) && role != Role::Worker;
            joins.then_some(RoundDuty::Join)
        }
        (Some(trainer), _) => of_trainer(round, trainer),
        (None, Some(validator)) => of_validator(round, validator, audits),
    }
}

fn of_trainer(round: &Round, trainer: &Trainer<AccountBytes>) -> Option<RoundDuty> {
    match round.phase {
        Phase::Training { .. } if trainer.commitment.is_none() => Some(RoundDuty::Contribute),
        Phase::Revealing { .. }
            if trainer.commitment.is_some() && trainer.contribution.is_none() =>
        {
            Some(RoundDuty::RevealContribution)
        }
        Phase::Holding { .. } => Some(RoundDuty::Hold),
        _ => None,
    }
}

fn of_validator(
    round: &Round,
    validator: &Validator<AccountBytes>,
    audits: bool,
) -> Option<RoundDuty> {
    let is_heard = validator.seat != Hearing::Unheard;
    let scores = validator.seat == Hearing::Scores && validator.sheet.is_none();
    match round.phase {
        Phase::Scoring { .. } if scores && validator.commitment.is_none() => Some(RoundDuty::Score),
        Phase::ScoreRevealing { .. } if scores && validator.commitment.is_some() => {
            Some(RoundDuty::RevealScores)
        }
        Phase::Claiming { .. } if is_heard && validator.claim.is_none() => Some(RoundDuty::Claim),
        Phase::Claiming { .. } if !is_heard && audits => Some(RoundDuty::AuditScores),
        Phase::Objectable { .. } if !is_heard && audits => Some(match round.claim {
            Some(_) => RoundDuty::AuditClaim,
            None => RoundDuty::AuditScores,
        }),
        Phase::Holding { .. } => Some(RoundDuty::Hold),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::rounds::testing;
    use noema_protocol::RoundId;
    use noema_rounds::RoundContext;
    use sp_core::H256;

    const TRAINER: AccountBytes = [1; 32];
    const OTHER: AccountBytes = [2; 32];
    const VALIDATOR: AccountBytes = [11; 32];

    fn round() -> Round {
        testing::open(RoundId(0))
    }

    fn end(round: &mut Round, now: u32) {
        round.advance(&RoundContext {
            now,
            randomness: Some(H256::repeat_byte(1)),
            parent_is_canonical: true,
            holders: 0,
        });
    }

    fn of(round: &Round, account: &AccountBytes, role: Role, now: u32) -> Option<RoundDuty> {
        duty(round, account, role, true, now)
    }

    #[test]
    fn operators_join_while_there_is_time() {
        let mut round = round();
        for role in [Role::Trainer, Role::Validator] {
            assert_eq!(of(&round, &TRAINER, role, 1), Some(RoundDuty::Join));
            assert_eq!(of(&round, &TRAINER, role, 6), None);
        }
        assert_eq!(of(&round, &TRAINER, Role::Worker, 1), None);
        round.join_as_trainer(TRAINER, 1).unwrap();
        assert_eq!(of(&round, &TRAINER, Role::Trainer, 1), None);
    }

    #[test]
    fn each_phase_has_its_duty() {
        let mut round = round();
        for account in [TRAINER, OTHER] {
            round.join_as_trainer(account, 1).unwrap();
        }
        round.join_as_validator(VALIDATOR, 1, 1).unwrap();
        end(&mut round, 6);
        assert_eq!(
            of(&round, &TRAINER, Role::Trainer, 6),
            Some(RoundDuty::Contribute)
        );
        assert_eq!(of(&round, &VALIDATOR, Role::Validator, 6), None);
        for account in [TRAINER, OTHER] {
            let commitment = noema_protocol::hashing::contribution_commitment(
                round.id,
                &account,
                H256(account),
                10,
                H256::zero(),
            );
            round.commit(&account, commitment, 7).unwrap();
        }
        assert_eq!(of(&round, &TRAINER, Role::Trainer, 7), None);
        end(&mut round, 7);
        assert_eq!(
            of(&round, &TRAINER, Role::Trainer, 7),
            Some(RoundDuty::RevealContribution)
        );
        for account in [TRAINER, OTHER] {
            let contribution = noema_rounds::Contribution {
                update: H256(account),
                bytes: 10,
            };
            round
                .reveal(&account, contribution, H256::zero(), 8)
                .unwrap();
        }
        end(&mut round, 8);
        assert_eq!(
            of(&round, &VALIDATOR, Role::Validator, 8),
            Some(RoundDuty::Score)
        );
        assert_eq!(of(&round, &TRAINER, Role::Trainer, 8), None);
        assert_eq!(of(&round, &VALIDATOR, Role::Validator, 13), None);
    }
}
