//! The own trace of a leaf, from the executor.

use super::MoveError;
use noema_disputes::NoTrace;
use noema_executor::{Cancel, ExecutedTrace, TraceFailure};
use noema_games::{OwnEvidence, PlayError, TraceSource};
use noema_model::engine::Engine;
use noema_protocol::merkle::Place;
use noema_referee::{SessionStatement, ShownCheckpoint};
use noema_session_transport::SessionLeaf;
use noema_trace::{StepEvidence, StepKind, TraceShape};
use sp_core::H256;

/// The own trace of a leaf of a session's claim.
pub struct OwnTrace {
    trace: ExecutedTrace,
    statement: SessionStatement,
    checkpoint: ShownCheckpoint,
    cancel: Cancel,
}

/// What a leaf states, about the checkpoint of `engine`.
pub fn statement(engine: &Engine, leaf: &SessionLeaf) -> SessionStatement {
    SessionStatement::new(leaf.receipt, engine.checkpoint().manifest())
}

/// The checkpoint that a statement shows, where the statement has a trace.
///
/// # Errors
/// Where it has none, and why.
pub(super) fn shown(statement: &SessionStatement) -> Result<ShownCheckpoint, NoTrace> {
    let checkpoint = ShownCheckpoint::new(&statement.receipt.checkpoint, &statement.manifest)?;
    checkpoint.shape(statement.execution())?;
    Ok(checkpoint)
}

/// Executes the trace of a leaf with the checkpoint of `engine`, on the processor. Blocks until it is done.
///
/// # Errors
/// Where the receipt has no trace; or the executor fails or is cancelled.
pub fn own_trace(
    engine: &Engine,
    leaf: &SessionLeaf,
    cancel: &Cancel,
) -> Result<OwnTrace, MoveError> {
    let statement = statement(engine, leaf);
    let checkpoint = shown(&statement).map_err(MoveError::NoTrace)?;
    let traced = engine.trace(
        statement.execution(),
        leaf.prompt.clone(),
        leaf.answer.clone(),
        cancel,
    );
    Ok(OwnTrace {
        trace: traced.map_err(PlayError::Trace)?,
        statement,
        checkpoint,
        cancel: cancel.clone(),
    })
}

impl OwnTrace {
    /// What the leaf states.
    pub const fn statement(&self) -> &SessionStatement {
        &self.statement
    }

    /// Stops with `cancel` from now on.
    pub fn stop_with(&mut self, cancel: &Cancel) {
        self.cancel = cancel.clone();
    }

    /// The kind of a step.
    ///
    /// # Errors
    /// Where there is no such step.
    pub fn kind(&self, step: u64) -> Result<StepKind, MoveError> {
        let kind = self.shape(|shape| {
            let place = shape.place(step)?;
            shape.kind(&place)
        });
        let none = PlayError::Trace(TraceFailure::NoPlace("such step"));
        kind.ok_or_else(|| none.into())
    }

    fn shape<T>(&self, with: impl FnOnce(&TraceShape<'_>) -> Option<T>) -> Option<T> {
        let shape = self.checkpoint.shape(self.statement.execution()).ok()?;
        with(&shape)
    }

    /// The places of the nodes that prove what a step reads.
    fn places(&self, step: u64) -> Option<Vec<Place>> {
        self.shape(|shape| {
            let place = shape.place(step)?;
            // Which tiles it reads does not matter for them.
            Some(shape.needs(&place, None)?.nodes)
        })
    }
}

impl TraceSource for OwnTrace {
    type Error = TraceFailure;

    fn steps(&self) -> u64 {
        self.trace.steps()
    }

    fn nodes(&mut self, places: &[Place]) -> Result<Vec<H256>, TraceFailure> {
        self.trace.nodes(places, &self.cancel)
    }

    fn evidence(&mut self, step: u64) -> Result<OwnEvidence, TraceFailure> {
        let nodes = self.places(step);
        let nodes = nodes.ok_or(TraceFailure::NoPlace("such step"))?;
        let evidence = self.trace.evidence(step, &self.cancel)?;
        Ok(OwnEvidence {
            evidence: StepEvidence {
                nodes: Vec::new(),
                ..evidence
            },
            nodes,
        })
    }
}
