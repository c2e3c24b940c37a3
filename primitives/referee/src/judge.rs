//! The judge of the answers of sessions.

use crate::{evidence::refusal, DeclaredEvidence, SessionStatement, ShownCheckpoint};
use core::marker::PhantomData;
use noema_disputes::{DisputedLeaf, EvidenceError, NoTrace, Shape, StepJudge, Tree};
use noema_protocol::ClaimId;
use noema_sessions::Agreement;
use noema_trace::TraceShape;
use sp_core::H256;

/// What the chain knows of claims that sessions made.
pub trait SessionClaims {
    /// What the session of a claim agreed on, and the number of the answer that is the claim's first leaf; `None` where
    /// the claim has ended, or no session made it.
    fn agreement(claim: ClaimId) -> Option<(Agreement, u32)>;
}

/// Judges steps of the answers of sessions, whose claims `Claims` knows.
#[derive(Debug)]
pub struct SessionJudge<Claims>(PhantomData<Claims>);

impl<Claims: SessionClaims> StepJudge for SessionJudge<Claims> {
    type Statement = SessionStatement;
    type Evidence = DeclaredEvidence;

    fn leaf(statement: &SessionStatement) -> H256 {
        statement.leaf()
    }

    fn shape(subject: &DisputedLeaf, statement: &SessionStatement) -> Result<Shape, NoTrace> {
        let (agreement, first) = Claims::agreement(subject.claim).ok_or(NoTrace::False)?;
        let receipt = &statement.receipt;
        if receipt
            .misstatement(&agreement, first, subject.leaf)
            .is_some()
        {
            return Err(NoTrace::False);
        }
        let checkpoint = ShownCheckpoint::new(&subject.checkpoint, &statement.manifest)?;
        let shape = checkpoint.shape(statement.execution())?;
        Ok(Shape {
            steps: shape.steps(),
            result: TraceShape::outcome(),
        })
    }

    /// The statement is that with which the trace was opened: what the chain knows of it was compared then.
    fn execute(
        subject: &DisputedLeaf,
        statement: &SessionStatement,
        trace: &Tree,
        step: u64,
        evidence: &DeclaredEvidence,
    ) -> Result<H256, EvidenceError> {
        let checkpoint = ShownCheckpoint::new(&subject.checkpoint, &statement.manifest)
            .map_err(|_| EvidenceError::NotInCheckpoint)?;
        let shape = checkpoint
            .shape(statement.execution())
            .map_err(|_| EvidenceError::NotInCheckpoint)?;
        let place = shape.place(step).ok_or(EvidenceError::Malformed)?;
        if shape.kind(&place) != Some(evidence.kind) {
            return Err(EvidenceError::Malformed);
        }
        shape
            .execute(trace.root(), step, &evidence.inputs)
            .map_err(refusal)
    }
}
