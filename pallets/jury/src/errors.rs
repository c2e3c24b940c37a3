//! Why the pallet refuses a call.

use crate::{Config, DisputeError, Error};
use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod errors {
    /// Why a call is refused. A refused call changes nothing.
    #[pallet::error]
    pub enum Error<T> {
        /// The account is no hot key of an operator: sign with the hot key of a juror.
        NotAnOperator,
        /// No dispute over this leaf is open. It was never challenged, was decided, or its claim has
        /// ended.
        NotDisputed,
        /// The operator has no seat in the jury whose turn it is; see the view function
        /// `verdicts_due`.
        NotAJuror,
        /// Jurors still commit: reveal once `RevealOpened` tells that they have.
        TooEarly,
        /// The last block in which this was accepted is over.
        TooLate,
        /// The juror has committed: the first commitment counts.
        AlreadyCommitted,
        /// The juror has revealed its verdict.
        AlreadyRevealed,
        /// The juror has not committed, so it cannot reveal.
        NotCommitted,
        /// What is revealed is not what was committed: reveal the verdict and the salt that the
        /// commitment was made of, as the juror that made it.
        CommitmentDiffers,
        /// There is no verdict to appeal against: the first jury has not decided yet, or a second one
        /// decides.
        NotAppealable,
        /// The free balance does not reach for the bond of the appeal; see `appeal_bond` in the view
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
