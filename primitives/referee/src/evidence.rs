//! What one step is computed from.

use codec::DecodeWithMemTracking;
use noema_disputes::EvidenceError;
use noema_protocol::{apply, encoded};
use noema_trace::{EvidenceRefusal, StepEvidence, StepKind};

/// Evidence of a step that declares the kind of the step: the weight of executing it is known before. It is refused
/// where the step is of another kind.
#[apply(encoded)]
#[derive(DecodeWithMemTracking)]
pub struct DeclaredEvidence {
    /// The kind of the step.
    pub kind: StepKind,
    /// What it is computed from, and the nodes that prove that.
    pub inputs: StepEvidence,
}

/// Why evidence is refused, in the words of the game.
pub(crate) const fn refusal(error: EvidenceRefusal) -> EvidenceError {
    match error {
        EvidenceRefusal::Outputs => EvidenceError::NotInTrace,
        EvidenceRefusal::Tokens => EvidenceError::NotInStatement,
        EvidenceRefusal::Tiles => EvidenceError::NotInCheckpoint,
        EvidenceRefusal::ImpossibleInput => EvidenceError::ImpossibleInput,
        _ => EvidenceError::Malformed,
    }
}
