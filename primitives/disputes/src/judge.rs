//! What a game needs to know of the computation: how many steps it has, and what one step yields.

use crate::{EvidenceError, Tree};
use alloc::vec::Vec;
use codec::DecodeWithMemTracking;
use noema_protocol::{apply, encoded, sent, CheckpointId, ClaimId};
use sp_core::H256;

/// What a game is about.
#[apply(sent)]
#[derive(Copy)]
pub struct DisputedLeaf {
    /// The claim.
    pub claim: ClaimId,
    /// The number of the leaf.
    pub leaf: u32,
    /// The checkpoint that the claim names.
    pub checkpoint: CheckpointId,
}

/// What a statement binds a trace to.
#[apply(sent)]
#[derive(Copy)]
pub struct Shape {
    /// The number of steps. It follows from the statement's counts, so no claimant can stretch a trace.
    pub steps: u64,
    /// The leaf that the last step has by the statement: a trace whose last leaf is another does not support it.
    pub result: H256,
}

/// Why a statement has no trace that a game could be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTrace {
    /// What the chain knows contradicts the statement: it is false.
    False,
    /// The judge has no steps for the computation, as the statement shows. It can be true, so another referee has to
    /// decide.
    NoSteps,
}

/// Executes single steps.
///
/// A claimant is bound to one leaf for each step by the root of its trace, and to the leaf of the last step by its
/// statement. Where the statement is false, some step is the first whose leaf is not what its inputs yield. Its inputs
/// are leaves of earlier steps of the claimant's own trace, tokens of the statement, or weights of the checkpoint.
///
/// Every function is total: no argument makes it panic.
pub trait StepJudge {
    /// What a leaf of a claim states: a receipt, and what else the chain needs to know of it.
    type Statement;
    /// What one step is computed from, with the paths that prove it.
    type Evidence;

    /// The leaf of the claim that has this statement.
    fn leaf(statement: &Self::Statement) -> H256;

    /// What the statement binds its trace to. Whatever is right has a shape, or no steps.
    ///
    /// # Errors
    /// See [`NoTrace`].
    fn shape(subject: &DisputedLeaf, statement: &Self::Statement) -> Result<Shape, NoTrace>;

    /// The leaf that the step must have, computed from the evidence. The inputs are leaves of `trace`: their paths are
    /// verified here.
    ///
    /// # Errors
    /// Where the evidence does not show the inputs of this step.
    fn execute(
        subject: &DisputedLeaf,
        statement: &Self::Statement,
        trace: &Tree,
        step: u64,
        evidence: &Self::Evidence,
    ) -> Result<H256, EvidenceError>;
}

/// Shows that the claimant's own trace has another leaf for a step than the step yields.
#[apply(encoded)]
#[derive(DecodeWithMemTracking)]
pub struct StepProof<Evidence> {
    /// The step, counted from zero.
    pub step: u64,
    /// The node above its leaf in the trace, as the claimant showed it. A leaf that is wrong need not be known.
    pub node: H256,
    /// The siblings of that node, up to the root of the trace.
    pub siblings: Vec<H256>,
    /// What the step is computed from.
    pub evidence: Evidence,
}
