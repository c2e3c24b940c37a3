//! Errors of rounds and of their rules.

use crate::{
    MAX_ASSIGNED_SHARDS, MAX_EVALUATION_SHARDS, MAX_SHARDS, MAX_TRAINERS, MAX_VALIDATORS,
    MIN_CONTRIBUTIONS,
};
use core::fmt;
use noema_protocol::MAX_HOLDERS;

/// Why rules are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundRulesError {
    /// A window has no block.
    EmptyWindow,
    /// `min_contributions` is below [`MIN_CONTRIBUTIONS`] or above [`MAX_TRAINERS`].
    Contributions,
    /// `validators` is zero or above [`MAX_VALIDATORS`].
    Validators,
    /// A trainer gets no or too many shards, or the evaluation has none or too many.
    ShardCounts,
    /// The dataset is empty, too large, or has too few shards for a trainer and the evaluation.
    Dataset,
    /// No update would be small enough.
    UpdateSize,
    /// No holder is required, or more than the chain records.
    Holders,
}

impl fmt::Display for RoundRulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyWindow => f.write_str("every window needs at least one block"),
            Self::Contributions => write!(
                f,
                "a round needs between {MIN_CONTRIBUTIONS} and {MAX_TRAINERS} contributions"
            ),
            Self::Validators => {
                write!(f, "a round needs between 1 and {MAX_VALIDATORS} validators")
            }
            Self::ShardCounts => write!(
                f,
                "a trainer needs between 1 and {MAX_ASSIGNED_SHARDS} shards, \
                 and the evaluation between 1 and {MAX_EVALUATION_SHARDS}"
            ),
            Self::Dataset => write!(
                f,
                "the dataset has too few shards for a trainer and the evaluation, \
                 more than {MAX_SHARDS}, or shards without a token"
            ),
            Self::UpdateSize => {
                f.write_str("an update needs at least one byte and one entry a chunk")
            }
            Self::Holders => write!(f, "between 1 and {MAX_HOLDERS} holders must be required"),
        }
    }
}

impl core::error::Error for RoundRulesError {}

/// Why a step in a round is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundError {
    /// The phase for it has not begun.
    TooEarly,
    /// The phase for it is over.
    TooLate,
    /// The operator has joined already.
    AlreadyJoined,
    /// The round has as many trainers or validators as it can have.
    Full,
    /// The operator did not join as a trainer, or too few trainers joined.
    NotATrainer,
    /// The operator did not join as a validator.
    NotAValidator,
    /// The validator was not drawn, and only drawn validators may act now.
    NotDrawn,
    /// The operator has committed already.
    AlreadyCommitted,
    /// The operator has not committed.
    NotCommitted,
    /// The revealed value is not the committed one.
    CommitmentDiffers,
    /// The operator has revealed already.
    AlreadyRevealed,
    /// The update is empty or larger than the rules allow.
    UpdateSize,
    /// Another trainer revealed the same update.
    UpdateTaken,
    /// The sheet does not have one finding for each contribution.
    SheetLength,
    /// A finding names a contribution as copied that is not an earlier one.
    NotEarlier,
    /// The validator has claimed already.
    AlreadyClaimed,
    /// The objection equals the decision.
    NothingToObject,
    /// Every validator of the round has been heard.
    AllHeard,
}

impl fmt::Display for RoundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooEarly => "the phase for it has not begun",
            Self::TooLate => "the phase for it is over",
            Self::AlreadyJoined => "the operator has joined already",
            Self::Full => "the round is full",
            Self::NotATrainer => "the operator is no trainer of the round",
            Self::NotAValidator => "the operator is no validator of the round",
            Self::NotDrawn => "the validator was not drawn",
            Self::AlreadyCommitted => "the operator has committed already",
            Self::NotCommitted => "the operator has not committed",
            Self::CommitmentDiffers => "the revealed value is not the committed one",
            Self::AlreadyRevealed => "the operator has revealed already",
            Self::UpdateSize => "the update is empty or too large",
            Self::UpdateTaken => "another trainer revealed the same update",
            Self::SheetLength => "the sheet does not have one finding for each contribution",
            Self::NotEarlier => "a finding names a copied contribution that is not an earlier one",
            Self::AlreadyClaimed => "the validator has claimed already",
            Self::NothingToObject => "the objection equals the decision",
            Self::AllHeard => "every validator of the round has been heard",
        })
    }
}

impl core::error::Error for RoundError {}
