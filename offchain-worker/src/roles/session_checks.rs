//! Checking and judging answers of sessions: reading the leaf, and what is false in its receipt.

use super::engines::ExecutionError;
use super::tasks::TaskError;
use super::validate::{proof, salt};
use super::{Reexecution, Workload};
use crate::store::{AccountBytes, Product, StoredSessionCheck};
use async_trait::async_trait;
use noema_claims::merkle_root;
use noema_model::engine::CheckVerdict;
use noema_model::printable::one_line;
use noema_protocol::ClaimId;
use noema_session_transport::SessionLeaf;
use noema_sessions::Agreement;
use sp_core::H256;
use std::time::Duration;

/// The time in which a leaf has to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// A leaf of a claim of a session as the chain records it: its tokens are with the claimant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimedAnswer {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// The controller of the claimant.
    pub claimant: AccountBytes,
    /// The block of the claim.
    pub made_at: u64,
    /// The root over the receipts.
    pub root: H256,
    /// The number of receipts.
    pub leaves: u32,
    /// The number of the answer that is the first leaf.
    pub first: u32,
    /// The part of the terms that receipts depend on.
    pub agreement: Agreement,
}

/// Why a leaf is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeafError {
    /// Its claimant does not send it, for this reason, and it is not on chain.
    #[error("{0}")]
    Unread(String),
    /// It was demanded on chain, and is not posted yet.
    #[error("it was demanded, and is not posted yet")]
    Demanded,
}

/// Reads leaves of sessions for an operator.
#[async_trait]
pub trait LeafSource: Send + Sync + 'static {
    /// A leaf, from the chain where it is posted, and otherwise from its claimant; for a juror only from the chain. It
    /// is [the leaf of the claim](SessionLeaf::is_of).
    async fn leaf(&self, claimed: &ClaimedAnswer, is_juror: bool)
        -> Result<SessionLeaf, LeafError>;

    /// The rows that the claimant showed in the game over a leaf, and others: each proves by its hashes where it is.
    async fn rows(&self, claimed: &ClaimedAnswer) -> Result<Vec<Vec<H256>>, LeafError>;
}

/// What the work on an answer of a session reads.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// The leaf; `None` for other work.
    pub(super) leaf: Option<SessionLeaf>,
    /// The rows of a game.
    pub(super) rows: Vec<Vec<H256>>,
}

/// Reads what a workload needs, if that is about an answer of a session.
pub(super) async fn read(
    source: Option<&dyn LeafSource>,
    work: &Workload,
) -> Result<Inputs, TaskError> {
    let (claimed, is_on_chain, needs_rows) = match work {
        Workload::SessionCheck { claimed, .. } => (claimed.as_ref(), false, false),
        Workload::SessionVerdict(claimed) => (claimed.as_ref(), true, false),
        // A game begins when its leaf is posted.
        Workload::Move(open) => (&open.claimed, true, open.needs_rows()),
        Workload::Answer(_) | Workload::Check { .. } | Workload::Verdict(_) => {
            return Ok(Inputs::default());
        }
    };
    let unread = |reason: String, is_demanded| TaskError::Unread {
        // The reason may quote the claimant.
        reason: one_line(&reason),
        is_demanded,
    };
    let Some(source) = source else {
        let reason = "this operator reads no leaves of sessions".to_owned();
        return Err(TaskError::Failed(reason));
    };
    let reading = async {
        let leaf = source.leaf(claimed, is_on_chain).await?;
        let rows = match needs_rows {
            true => source.rows(claimed).await?,
            false => Vec::new(),
        };
        Ok::<_, LeafError>((leaf, rows))
    };
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok((leaf, rows))) if leaf.is_of(claimed.root, claimed.leaves, claimed.leaf) => {
            Ok(Inputs {
                leaf: Some(leaf),
                rows,
            })
        }
        Ok(Ok(_)) => Err(unread("it is not a leaf of the claim".into(), false)),
        Ok(Err(error @ LeafError::Demanded)) => Err(unread(error.to_string(), true)),
        Ok(Err(error)) => Err(unread(error.to_string(), false)),
        Err(_) => Err(unread("it did not arrive in time".into(), false)),
    }
}

/// The fault of a leaf, as text; `None` if the leaf is true.
pub(super) fn fault(
    claimed: &ClaimedAnswer,
    leaf: &SessionLeaf,
    found: &Reexecution,
) -> Option<String> {
    match found {
        Reexecution::Unanswerable(reason) => Some(format!(
            "the checkpoint has no answer to this prompt: {reason}"
        )),
        Reexecution::Checked(check) => {
            misstatement(claimed, leaf).or_else(|| match check.verdict {
                CheckVerdict::Invalid(fault) => Some(fault.to_string()),
                CheckVerdict::Valid => (leaf.receipt.hidden_root != merkle_root(&check.hidden))
                    .then(|| "the hidden root is not that of the execution".into()),
            })
        }
    }
}

/// A difference between the receipt and the terms of the session, or its place in the claim. Its tokens are compared
/// when the leaf is read.
fn misstatement(claimed: &ClaimedAnswer, leaf: &SessionLeaf) -> Option<String> {
    let wrong = leaf
        .receipt
        .misstatement(&claimed.agreement, claimed.first, claimed.leaf);
    wrong.map(|what| format!("the receipt states another {what}"))
}

/// The result of a check: as of [`check`](super::validate::check), with the path of the leaf.
pub(super) fn check(
    leaf: &SessionLeaf,
    point: u64,
    found: &Reexecution,
    is_false: bool,
) -> Result<Product, ExecutionError> {
    let (false, Reexecution::Checked(check)) = (is_false, found) else {
        return Ok(Product::Challenge);
    };
    let proof = proof(point, &check.hidden).ok_or_else(|| {
        ExecutionError::Failed("the execution yields no hidden state at the drawn position".into())
    })?;
    Ok(Product::SessionCheck(Box::new(StoredSessionCheck {
        receipt: leaf.receipt,
        path: leaf.path.clone(),
        proof,
        salt: salt()?,
    })))
}
