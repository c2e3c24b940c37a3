//! Where receipts stand, and executions of their answers again.

use async_trait::async_trait;
use noema_protocol::{ClaimId, SessionId};
use noema_receipts::ReceiptFile;
use sp_core::H256;

/// Knows the receipts of a gateway.
#[async_trait]
pub trait ReceiptSource: Send + Sync + 'static {
    /// Where the receipt with this hash stands, as of the last finalized block.
    ///
    /// # Errors
    /// When there is no such receipt, or the chain cannot be read.
    async fn standing(&self, receipt: H256) -> Result<ReceiptStanding, ReceiptFault>;

    /// The receipt with its answer, and the voucher and the claim over it as of the last finalized block: what
    /// `noema-worker receipt` shows and verifies.
    ///
    /// # Errors
    /// When there is no such receipt, or the chain cannot be read.
    async fn file(&self, receipt: H256) -> Result<ReceiptFile, ReceiptFault>;

    /// Begins to execute the answer of a receipt again, or joins an execution in progress. Returns how far it is.
    ///
    /// # Errors
    /// When there is no such receipt, or this machine cannot execute the checkpoint.
    async fn recompute(&self, receipt: H256) -> Result<Recomputation, ReceiptFault>;

    /// How far an execution is.
    ///
    /// # Errors
    /// When none was begun, its result is no longer kept, or it failed.
    async fn recomputation(&self, receipt: H256) -> Result<Recomputation, ReceiptFault>;

    /// Challenges a false answer on chain as soon as a claim has it, once another execution has shown the same. Returns
    /// when that is on disk, so that a later start does it otherwise.
    ///
    /// # Errors
    /// When there is no such receipt, its answer is true, or this cannot be stored.
    async fn challenge(&self, receipt: H256) -> Result<(), ReceiptFault>;
}

/// Where a receipt stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptStanding {
    /// The session.
    pub session: SessionId,
    /// The number of the answer in it.
    pub n: u32,
    /// The address of the worker.
    pub worker: String,
    /// How far it is.
    pub state: ReceiptState,
    /// Whether a dispute over a leaf of its claim is open.
    pub is_disputed: bool,
    /// Its claim; `None` before it has one.
    pub claim: Option<ClaimStanding>,
}

/// How far a receipt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptState {
    /// It is verified, and no voucher covers it yet.
    Signed,
    /// A voucher covers it, and no claim does.
    Paid,
    /// A claim covers it, whose checks are not over.
    Claimed,
    /// The checks of its claim are over; every account can still challenge it.
    Checked,
    /// Its claim is final.
    Final,
    /// Its claim ended otherwise.
    Refunded(ReceiptRefund),
}

/// Why the payer of a receipt has money back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptRefund {
    /// A leaf of the claim was false.
    FalseLeaf,
    /// The worker withheld a leaf.
    Withheld,
    /// A dispute over a leaf could not be decided.
    Undecided,
    /// No validator confirmed a leaf that was drawn.
    Unconfirmed,
}

/// The claim of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimStanding {
    /// The claim.
    pub id: ClaimId,
    /// The number of its leaf that is the receipt.
    pub leaf: u32,
    /// The number of its leaves.
    pub leaves: u32,
    /// The block that carries it.
    pub block: u32,
    /// The leaves that were drawn for a check; `None` while the draw is due.
    pub drawn: Option<Vec<u32>>,
    /// The last block in which it can be challenged; `None` before its checks are over.
    pub final_at: Option<u32>,
}

/// An execution of an answer again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recomputation {
    /// The tokens of the answer.
    pub tokens: u32,
    /// Those of them that were computed.
    pub done: u32,
    /// The result; `None` before the end.
    pub verdict: Option<RecomputeVerdict>,
}

/// The result of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecomputeVerdict {
    /// Tokens, their number, the reason for the end and the hidden root are those of the receipt.
    Same,
    /// They are not: the first token that differs, counted from zero, or 0 where no token does.
    Differs(u32),
}

/// Why there is no reply about a receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptFault {
    /// The gateway does not have it.
    #[error("the gateway does not have this receipt, or no longer")]
    Unknown,
    /// The store or the chain cannot be read.
    #[error("where the receipt stands cannot be read ({0}); ask again later")]
    Unreadable(String),
    /// No execution of its answer was begun, or the result is no longer kept.
    #[error("its answer was not executed again, or the result is no longer kept; begin with POST")]
    NotBegun,
    /// This machine cannot execute the checkpoint.
    #[error("this machine cannot execute the checkpoint: {0}")]
    NoWeights(String),
    /// The answer is what the checkpoint yields.
    #[error("the answer is true: another execution has the same result")]
    True,
    /// Too many executions wait.
    #[error("too many answers wait to be executed again; try again later")]
    Busy,
    /// The execution failed.
    #[error("the execution failed ({0}); begin it again")]
    Failed(String),
}
