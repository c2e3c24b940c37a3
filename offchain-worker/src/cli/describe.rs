//! The states of claims as text.

use noema_claims::{ClaimFault, SeatState, Verification};

/// A state that a command prints.
pub(super) trait Describe {
    /// The state as text.
    fn describe(&self) -> &'static str;
}

impl Describe for Verification {
    fn describe(&self) -> &'static str {
        match self {
            Self::NotDrawn => "not drawn for a check",
            Self::Confirmed => "checked",
            Self::Unconfirmed => "drawn for a check, and confirmed by no validator",
        }
    }
}

impl Describe for ClaimFault {
    fn describe(&self) -> &'static str {
        match self {
            Self::FalseLeaf(_) => "the answer is not what the checkpoint yields",
            Self::Withheld(_) => "the claimant withheld an answer",
            Self::Undecided(_) => "a dispute over the answer could not be decided",
        }
    }
}

/// The validator is the subject.
impl Describe for SeatState {
    fn describe(&self) -> &'static str {
        match self {
            Self::Seated => "was drawn to check the answer",
            Self::Committed(_) => "has committed to its result",
            Self::Confirmed => "found the same answer",
            Self::Challenged => "challenged the answer",
            Self::Refuted => "challenged the answer, which is true",
            Self::Silent => "missed its deadline",
        }
    }
}
