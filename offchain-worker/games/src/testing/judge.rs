//! The judge of steps of the worlds.

use super::World;
use noema_disputes::{DisputedLeaf, EvidenceError, NoTrace, Shape, StepJudge, Tree};
use noema_trace::{EvidenceRefusal, StepEvidence, TraceShape};
use sp_core::H256;
use std::sync::Arc;

/// Executes steps of the execution that a world is a statement about.
#[derive(Clone, Copy, Debug)]
pub struct WorldJudge;

impl StepJudge for WorldJudge {
    type Statement = Arc<World>;
    type Evidence = StepEvidence;

    fn leaf(statement: &Arc<World>) -> H256 {
        statement.statement_hash()
    }

    fn shape(_: &DisputedLeaf, statement: &Arc<World>) -> Result<Shape, NoTrace> {
        Ok(Shape {
            steps: statement.shape().steps(),
            result: TraceShape::outcome(),
        })
    }

    fn execute(
        _: &DisputedLeaf,
        statement: &Arc<World>,
        trace: &Tree,
        step: u64,
        evidence: &StepEvidence,
    ) -> Result<H256, EvidenceError> {
        let executed = statement.shape().execute(trace.root(), step, evidence);
        executed.map_err(|refusal| match refusal {
            EvidenceRefusal::Outputs => EvidenceError::NotInTrace,
            EvidenceRefusal::Tokens => EvidenceError::NotInStatement,
            EvidenceRefusal::Tiles => EvidenceError::NotInCheckpoint,
            _ => EvidenceError::Malformed,
        })
    }
}
