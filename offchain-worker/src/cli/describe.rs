//! The states of claims as text.

use crate::chain::types::BlockNumber;
use noema_claims::{ClaimFault, ClaimOutcome, ClaimStage, SeatState, Verification};

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

/// The stage of a claim as text.
pub(super) fn stage_of(stage: &ClaimStage<BlockNumber>) -> String {
    match stage {
        ClaimStage::Undrawn => "waiting for the draw of its check".into(),
        ClaimStage::Committing { until } => format!("validators commit until block {until}"),
        ClaimStage::Revealing { until } => format!("validators reveal until block {until}"),
        ClaimStage::Challengeable {
            until,
            verification,
        } => format!(
            "{}; any account may challenge it until block {until}",
            verification.describe()
        ),
        ClaimStage::Ended(ClaimOutcome::Final(verification)) => {
            format!("final, {}", verification.describe())
        }
        ClaimStage::Ended(ClaimOutcome::Unconfirmed) => {
            "over: drawn for a check, and confirmed by no validator".into()
        }
        ClaimStage::Ended(ClaimOutcome::Fallen(fault)) => {
            format!("fallen, because {}", fault.describe())
        }
    }
}
