//! Errors of the pallet, each with advice.

use crate::{Config, Error};
use frame_support::pallet_macros::pallet_section;
use noema_disputes::GameError;

#[pallet_section]
mod errors {
    /// Errors of the pallet. A refused call changes nothing.
    #[pallet::error]
    pub enum Error<T> {
        /// The account is not the hot key of an operator. Sign with the hot key of the claimant.
        NotAnOperator,
        /// The operator did not make the claim.
        NotClaimant,
        /// No game over this leaf is open. It was never challenged, was decided, is not posted yet, or its claim has
        /// ended.
        NotDisputed,
        /// The account has no line in this game. Challenge the leaf, or join the game.
        NoLine,
        /// The account has a line in this game already.
        AlreadyJoined,
        /// The claimant cannot challenge its own claim.
        OwnClaim,
        /// The free balance does not suffice for the bond; see `bond` in the view function `game`.
        FundsTooLow,
        /// The statement is not the one of this leaf of the claim. State what was claimed, with the path to the claim's
        /// root.
        NotInClaim,
        /// The list of challengers is empty, has one twice, or one whose line is at another node.
        OtherNode,
        /// The evidence has more bytes than any step needs.
        EvidenceTooLong,
        /// The claimant has shown the root of its trace already.
        AlreadyOpen,
        /// The claimant has not shown the root of its trace yet. Wait for the event `Opened`.
        NotOpen,
        /// The time for this is over; see the view function `moves_due`.
        TooLate,
        /// The other side has to move in this line; see the view function `game`.
        OtherSide,
        /// The chain knows that the statement is false: no trace supports it. Its receipt differs from the terms of the
        /// session, its counts of tokens are impossible, or its manifest is not the checkpoint's.
        NoShape,
        /// The last leaf of the trace is not what the statement states.
        OtherResult,
        /// The statement is not the one with which the trace was opened.
        OtherStatement,
        /// The trace has no such node, it is a leaf, or it is not below the row that was shown last.
        WrongNode,
        /// The hash is not the one at this place of the trace. The siblings lead from it to the root, and each is used.
        NotInTrace,
        /// The row is not the one below the node.
        WrongRow,
        /// The step yields the leaf that the trace has.
        StepIsRight,
        /// The evidence does not show what the step is computed from.
        WrongEvidence,
    }
}

impl<T: Config> From<GameError> for Error<T> {
    fn from(error: GameError) -> Self {
        match error {
            GameError::AlreadyOpen => Self::AlreadyOpen,
            GameError::NotOpen => Self::NotOpen,
            GameError::TooLate => Self::TooLate,
            GameError::OtherSide => Self::OtherSide,
            GameError::NoShape => Self::NoShape,
            GameError::OtherResult => Self::OtherResult,
            GameError::OtherStatement => Self::OtherStatement,
            GameError::WrongNode => Self::WrongNode,
            GameError::NotInTrace => Self::NotInTrace,
            GameError::WrongRow => Self::WrongRow,
            GameError::StepIsRight => Self::StepIsRight,
            GameError::Evidence(_) => Self::WrongEvidence,
            // A game that has ended is removed.
            _ => Self::NotDisputed,
        }
    }
}
