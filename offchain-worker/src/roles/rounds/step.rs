//! What is said to a round.

use noema_protocol::interfaces::Role;
use noema_rounds::{Claim, Contribution, ScoreSheet};
use sp_core::H256;
use std::fmt;

/// What an operator says to a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoundStep {
    /// It takes part.
    Join(Role),
    /// The hash of its contribution.
    CommitContribution(H256),
    /// Its contribution, and the salt.
    RevealContribution(Contribution, H256),
    /// The hash of its scores.
    CommitScores(H256),
    /// Its scores, and the salt.
    RevealScores(ScoreSheet, H256),
    /// What it computed the next checkpoint to be.
    Claim(Claim),
    /// Its scores, since those decided are others.
    ObjectToScores(ScoreSheet),
    /// What it computed the next checkpoint to be, since what was decided is another.
    ObjectToClaim(Claim),
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
