//! Why the pallet refuses, and what to do about it.

use crate::{Config, Error};
use frame_support::pallet_macros::pallet_section;
use noema_rounds::RoundError;

#[pallet_section]
mod errors {
    #[pallet::error]
    pub enum Error<T> {
        /// The family has a programme. Stop it first.
        ProgrammeExists,
        /// The family has no programme.
        UnknownProgramme,
        /// As many programmes run as the chain takes.
        TooManyProgrammes,
        /// The family is unknown or has no canonical checkpoint. Set one first.
        NoCanonicalCheckpoint,
        /// A licence or source is empty or not UTF-8.
        NotText,
        /// A window of the rules has no block.
        EmptyWindow,
        /// `min_contributions` is below two or above what a round can have.
        ContributionsOutOfRange,
        /// `validators` is zero or above what a round can have.
        ValidatorsOutOfRange,
        /// A trainer would get no or too many shards, or the evaluation.
        ShardCountOutOfRange,
        /// The dataset has no tokens, or too few or too many shards for the rules.
        DatasetUnfit,
        /// No update could be small enough.
        UpdateSizeOutOfRange,
        /// A checkpoint without holders would become canonical, or more would be needed than are recorded.
        HoldersOutOfRange,
        /// No round has this number, or it is not readable any more. Check the number.
        UnknownRound,
        /// The account is not the hot key of an operator. Sign with the key set in `operators`.
        NotAnOperator,
        /// A worker has no part in a round. Join as a trainer or validator.
        NoPartForRole,
        /// The operator does not have this role, or cannot be drawn now: its bond is too small, it is
        /// leaving, or absent.
        NotLive,
        /// The operator's bond is tied to as many jobs as it may be. Wait for one to end.
        BondUnavailable,
        /// The phase for this has not begun.
        TooEarly,
        /// The phase for this is over.
        TooLate,
        /// The operator has joined.
        AlreadyJoined,
        /// The round has as many trainers or validators as it can have. Wait for the next.
        RoundFull,
        /// The operator is no trainer of the round.
        NotATrainer,
        /// The operator is no validator of the round.
        NotAValidator,
        /// The validator was not drawn. It may object once it is decided.
        NotDrawn,
        /// The operator has committed.
        AlreadyCommitted,
        /// The operator has nothing to reveal.
        NotCommitted,
        /// What is revealed is not what was committed.
        CommitmentDiffers,
        /// The operator has revealed.
        AlreadyRevealed,
        /// The update is empty or larger than the rules allow.
        UpdateSize,
        /// Another trainer revealed the same update.
        UpdateTaken,
        /// The sheet does not have one finding for each contribution.
        SheetLength,
        /// A finding names a contribution as copied that is not an earlier one.
        NotEarlier,
        /// The validator has claimed.
        AlreadyClaimed,
        /// What the objection says is what was decided.
        NothingToObject,
        /// The validator has been heard.
        AlreadyHeard,
    }
}

impl<T: Config> From<RoundError> for Error<T> {
    fn from(error: RoundError) -> Self {
        match error {
            RoundError::TooEarly => Self::TooEarly,
            RoundError::TooLate => Self::TooLate,
            RoundError::AlreadyJoined => Self::AlreadyJoined,
            RoundError::Full => Self::RoundFull,
            RoundError::NotATrainer => Self::NotATrainer,
            RoundError::NotAValidator => Self::NotAValidator,
            RoundError::NotDrawn => Self::NotDrawn,
            RoundError::AlreadyCommitted => Self::AlreadyCommitted,
            RoundError::NotCommitted => Self::NotCommitted,
            RoundError::CommitmentDiffers => Self::CommitmentDiffers,
            RoundError::AlreadyRevealed => Self::AlreadyRevealed,
            RoundError::UpdateSize => Self::UpdateSize,
            RoundError::UpdateTaken => Self::UpdateTaken,
            RoundError::SheetLength => Self::SheetLength,
            RoundError::NotEarlier => Self::NotEarlier,
            RoundError::AlreadyClaimed => Self::AlreadyClaimed,
            RoundError::NothingToObject => Self::NothingToObject,
            RoundError::AllHeard => Self::AlreadyHeard,
        }
    }
}
