//! Steps of an operator in a round.

use noema_protocol::Role;
use noema_rounds::{CheckpointClaim, Contribution, ScoreSheet};
use sp_core::H256;
use std::fmt;

/// A step of an operator in a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoundStep {
    /// Joins in a role.
    Join(Role),
    /// Commits to a contribution.
    CommitContribution(H256),
    /// Reveals the contribution and the salt.
    RevealContribution(Contribution, H256),
    /// Commits to scores.
    CommitScores(H256),
    /// Reveals the scores and the salt.
    RevealScores(ScoreSheet, H256),
    /// Claims the next checkpoint.
    Claim(CheckpointClaim),
    /// Objects to the decided scores with its own.
    ObjectToScores(ScoreSheet),
    /// Objects to the decided next checkpoint with its own claim.
    ObjectToClaim(CheckpointClaim),
}

impl fmt::Display for RoundStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Join(_) => "entry",
            Self::CommitContribution(_) => "commitment to a contribution",
            Self::RevealContribution(..) => "reveal of a contribution",
            Self::CommitScores(_) => "commitment to scores",
            Self::RevealScores(..) => "reveal of scores",
            Self::Claim(_) => "claim of the next checkpoint",
            Self::ObjectToScores(_) => "objection to the scores",
            Self::ObjectToClaim(_) => "objection to the claimed checkpoint",
        })
    }
}
