//! Errors of the pallet, each with advice.

use crate::{Config, DisputeError, Error};
use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod errors {
    /// Errors of the pallet. A refused call changes nothing.
    #[pallet::error]
    pub enum Error<T> {
        /// The account is not the hot key of an operator. Sign with the hot key of a juror.
        NotAnOperator,
        /// No dispute over this leaf is open. It was never challenged, was decided, or its claim has ended.
        NotDisputed,
        /// The operator has no seat in the sitting jury; see the view function `verdicts_due`.
        NotAJuror,
        /// Jurors still commit. Reveal after the event `RevealOpened`.
        TooEarly,
        /// The last block in which this was accepted is over.
        TooLate,
        /// The juror has already committed. The first commitment counts.
        AlreadyCommitted,
        /// The juror has already revealed its verdict.
        AlreadyRevealed,
        /// The juror has not committed, so it cannot reveal.
        NotCommitted,
        /// The verdict and salt do not match the commitment. Reveal the verdict and the salt of the
        /// commitment, as the juror that made it.
        CommitmentDiffers,
        /// There is no verdict to appeal: the first jury has not decided yet, or the second one decides.
        NotAppealable,
        /// The free balance does not suffice for the bond of the appeal; see `appeal_bond` in the view
        /// function `dispute`.
        FundsTooLow,
    }
}

impl<T: Config> From<DisputeError> for Error<T> {
    fn from(error: DisputeError) -> Self {
        match error {
            DisputeError::NotAJuror => Self::NotAJuror,
            DisputeError::TooEarly => Self::TooEarly,
            DisputeError::TooLate => Self::TooLate,
            DisputeError::AlreadyCommitted => Self::AlreadyCommitted,
            DisputeError::AlreadyRevealed => Self::AlreadyRevealed,
            DisputeError::NotCommitted => Self::NotCommitted,
            DisputeError::CommitmentDiffers => Self::CommitmentDiffers,
            DisputeError::NotAppealable => Self::NotAppealable,
        }
    }
}
