//! Why an operator loses part of its bond.

use crate::{apply, sent};
use serde::{Deserialize, Serialize};

/// Why an operator lost part of its bond.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Offence {
    /// A worker let the deadline of its assignment pass.
    MissedDeadline,
    /// A worker's claim fell.
    FalseAnswer,
    /// A validator did not commit or did not reveal a check that it was drawn for.
    MissedCheck,
    /// A validator confirmed a leaf that is false.
    FalseCheck,
    /// A validator challenged a leaf that is true.
    FalseChallenge,
    /// A juror did not commit or did not reveal its verdict.
    MissedVerdict,
    /// A juror's verdict differs from the decision of the dispute.
    FalseVerdict,
    /// A trainer did not commit or did not reveal a contribution to a round it had joined.
    MissedContribution,
    /// A validator did not commit or did not reveal scores of a round it was drawn for.
    MissedScore,
    /// A validator's scores differ from those that execution yields.
    FalseScore,
    /// A validator did not claim the checkpoint of a round.
    MissedClaim,
    /// A validator claimed a checkpoint that the accepted contributions do not yield.
    FalseClaim,
}
