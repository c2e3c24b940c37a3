//! A step that a proof is about, in words.

use super::{own::shown, reason};
use noema_disputes::StepProof;
use noema_protocol::{hashing::merkle_leaf, merkle};
use noema_referee::{DeclaredEvidence, SessionStatement};
use sp_core::H256;

/// A step in words, and what it yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepInWords {
    /// Which operator of which layer at which position.
    pub words: String,
    /// The node above the leaf that the evidence yields: what the runtime computes.
    pub computed: H256,
}

/// Executes the step of a proof as the runtime does, on the trace of the claimant that the proof itself shows.
///
/// # Errors
/// Where the evidence does not show what the step is computed from; the reason as text.
pub fn describe(
    statement: &SessionStatement,
    proof: &StepProof<DeclaredEvidence>,
) -> Result<StepInWords, String> {
    let checkpoint = shown(statement).map_err(|none| reason(none).to_owned())?;
    let shape = checkpoint.shape(statement.execution());
    let shape = shape.map_err(|none| reason(none).to_owned())?;
    let place = shape.place(proof.step);
    let place = place.ok_or_else(|| format!("the trace has no step {}", proof.step))?;
    let words = shape.describe(&place);
    // The path of the leaf leads to the root that the claimant showed.
    let root = merkle::root_of(shape.steps(), &[(proof.step, proof.node)], &proof.siblings);
    let root = root.ok_or("the path of the step is not one of the trace")?;
    let yielded = shape.execute(root, proof.step, &proof.evidence.inputs);
    let leaf = yielded.map_err(|refusal| refusal.to_string())?;
    Ok(StepInWords {
        words: words.unwrap_or_default(),
        computed: merkle_leaf(&leaf),
    })
}
