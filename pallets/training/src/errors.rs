//! Errors of the pallet, each with advice.

use crate::{Config, Error};
use frame_support::pallet_macros::pallet_section;
use noema_rounds::RoundError;

#[pallet_section]
mod errors {
    #[pallet::error]
    pub enum Error<T> {
        /// The family already has a programme. Stop it first.
        ProgrammeExists,
        /// The family has no programme.
        UnknownProgramme,
        /// The chain runs the most programmes that it allows.
        TooManyProgrammes,
        /// The family is unknown or has no canonical checkpoint. Set one first.
        NoCanonicalCheckpoint,
        /// A licence or source is empty or not UTF-8.
        NotText,
        /// A window of the rules has no blocks.
        EmptyWindow,
        /// `min_contributions` is below two or above the most that a round can have.
        ContributionsOutOfRange,
        /// `validators` is zero or above the most that a round can have.
        ValidatorsOutOfRange,
        /// A trainer or the evaluation would get no shards, or too many.
        ShardCountOutOfRange,
        /// The dataset has no tokens, or too few or too many shards for the rules.
        DatasetUnfit,
        /// The most bytes of an update, or the most entries of a chunk, are zero.
        UpdateSizeOutOfRange,
        /// A checkpoint without holders would become canonical, or more holders would be needed than are
        /// recorded.
        HoldersOutOfRange,
        /// No round has this number, or it is no longer readable. Check the number.
        UnknownRound,
        /// The account is not the hot key of an operator. Sign with the key set in `operators`.
        NotAnOperator,
        /// A worker cannot join a round. Join as a trainer or validator.
        NoPartForRole,
        /// The operator does not have this role, or cannot be drawn now: its bond is too small, it is
        /// leaving, or absent.
        NotLive,
        /// The operator's bond is locked behind the most jobs that are allowed. Wait for one to end.
        BondUnavailable,
        /// The phase for this call has not begun.
        TooEarly,
        /// The phase for this call is over.
        TooLate,
        /// The operator has already joined.
        AlreadyJoined,
        /// The round has the most trainers or validators that it can have. Wait for the next round.
        RoundFull,
        /// The operator is no trainer of the round.
        NotATrainer,
        /// The operator is no validator of the round.
        NotAValidator,
        /// The validator was not drawn. It may object after the decision.
        NotDrawn,
        /// The operator has already committed.
        AlreadyCommitted,
        /// The operator has nothing to reveal.
        NotCommitted,
        /// The revealed values do not match the commitment.
        CommitmentDiffers,
        /// The operator has already revealed.
        AlreadyRevealed,
        /// The update is empty or larger than the rules allow.
        UpdateSize,
        /// Another trainer revealed the same update.
        UpdateTaken,
        /// The sheet does not have one finding for each contribution.
        SheetLength,
        /// A finding names as the original of a copy a contribution that is not an earlier one.
        NotEarlier,
        /// The validator has already claimed.
        AlreadyClaimed,
        /// The objection agrees with the decision.
        NothingToObject,
        /// The validator has already been heard.
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
