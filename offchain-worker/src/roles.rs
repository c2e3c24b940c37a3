//! What a worker and a validator do, apart from how they reach the chain and the model.
//!
//! A role is driven by level, not by edge: at each finalized block it asks the [`Ledger`] what the
//! chain expects of its operator *now*, compares that with what the [`Store`](crate::store) says
//! it has done, and takes the next step. A missed event, a lost connection or a killed process
//! changes nothing: the next look shows the same duty again.

mod claim;
mod execute;
mod operator;
mod queue;
mod serve;
mod validate;

pub use execute::{EngineExecutor, ExecutionError, Executor};
pub use noema_executor::Cancel;
pub use operator::{Operator, Pace};

use crate::store::AccountBytes;
use async_trait::async_trait;
use futures::future::BoxFuture;
use noema_protocol::{
    CheckpointId, Receipt, RequestId, SamplingParameters, Verdict, VerdictReveal,
};
use sp_core::H256;
use std::fmt;

/// The question an answer is computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The request that asks.
    pub request: RequestId,
    /// The checkpoint that answers.
    pub checkpoint: CheckpointId,
    /// The prompt; the chain has checked that it is UTF-8.
    pub prompt: String,
    /// How tokens are chosen.
    pub parameters: SamplingParameters,
    /// The sampling seed that the chain drew.
    pub seed: H256,
}

/// An answer that the chain expects from this worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What to answer.
    pub question: Question,
    /// Which assignment of the request this is.
    pub attempt: u32,
    /// The last block that may carry the answer.
    pub deadline: u64,
}

/// An answer as the chain recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What was asked.
    pub question: Question,
    /// The tokens.
    pub tokens: Vec<u32>,
    /// The text.
    pub text: String,
    /// What the worker claims.
    pub receipt: Receipt,
}

/// What the chain waits for from a validator in a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The commitment to a verdict.
    Commit,
    /// This validator has committed; others may still do so.
    Committed,
    /// The opening of the commitment.
    Reveal,
}

/// A check that this validator was drawn for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What to re-execute.
    pub answer: Answered,
    /// Which draw of validators this is.
    pub round: u32,
    /// What the chain waits for.
    pub phase: Phase,
    /// The last block for it.
    pub deadline: u64,
}

/// What the chain, at one finalized block, expects of an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duties {
    /// The finalized block.
    pub block: u64,
    /// Answers to give.
    pub jobs: Vec<Job>,
    /// Checks to make.
    pub checks: Vec<Check>,
    /// Answers that may still be objected to; filled only for operators that audit.
    pub open_answers: Vec<Answered>,
    /// Whether the operator is absent: it failed in a duty, and is not drawn until it resumes.
    pub is_absent: bool,
}

/// What the controller of an operator is due of subsidies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewards {
    /// What can be claimed, the oldest epoch first.
    pub due: Vec<Reward>,
    /// The last block of the epoch that runs: before it is over, nothing is added.
    pub epoch_ends: u64,
}

/// What the controller of an operator is due for one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reward {
    /// The epoch.
    pub epoch: u32,
    /// How much it is, in the smallest unit.
    pub amount: u128,
}

/// What an operator sends to the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// An answer and its receipt.
    SubmitResult {
        /// The request.
        request: RequestId,
        /// The tokens.
        tokens: Vec<u32>,
        /// The text.
        text: String,
        /// What is claimed.
        receipt: Box<Receipt>,
    },
    /// The hash of a verdict.
    CommitVerdict {
        /// The request.
        request: RequestId,
        /// The hash.
        commitment: H256,
    },
    /// The opening of that hash.
    RevealVerdict {
        /// The request.
        request: RequestId,
        /// The verdict, the digest and the salt.
        reveal: VerdictReveal,
    },
    /// A claim that an answer is wrong.
    Object {
        /// The request.
        request: RequestId,
        /// The digest of the objector's own execution.
        digest: H256,
    },
    /// A claim of the reward of an epoch.
    ClaimReward {
        /// Who is paid: the controller.
        account: AccountBytes,
        /// The epoch.
        epoch: u32,
    },
    /// The end of an absence.
    Resume,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SubmitResult { request, .. } => write!(f, "answer to request {request}"),
            Self::CommitVerdict { request, .. } => write!(f, "commitment on request {request}"),
            Self::RevealVerdict { request, .. } => write!(f, "verdict on request {request}"),
            Self::Object { request, .. } => write!(f, "objection to request {request}"),
            Self::ClaimReward { epoch, .. } => write!(f, "claim for epoch {epoch}"),
            Self::Resume => f.write_str("end of the absence"),
        }
    }
}

/// What became of a duty that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in a finalized block and its call succeeded.
    Included {
        /// The block.
        block: u64,
    },
    /// The chain refuses it, for this reason by name.
    Refused(String),
    /// The node turned it away or let it go, for this reason; it may be tried anew.
    Dropped(String),
    /// The connection was lost before its fate was known.
    Unknown(String),
}

/// Why the ledger could not be used; nothing is wrong with the operator, it tries again.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The node does not answer.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// The node answers with something this program does not understand.
    #[error("the chain's {what} is not what this program was written for ({reason}); update the worker or the chain, whichever is older")]
    Incompatible {
        /// What was read or called.
        what: String,
        /// What did not fit.
        reason: String,
    },
    /// Something the operator needs is not recorded on chain.
    #[error("{0}")]
    Missing(String),
}

/// The chain as one operator sees it: finalized state, and transactions under its hot key.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// What the latest finalized block expects of the operator. `following` names the requests it
    /// has committed to a verdict on, which are looked at even while the chain waits for others.
    async fn duties(&self, following: &[RequestId]) -> Result<Duties, LedgerError>;

    /// What the operator's controller can claim in the latest finalized block.
    async fn rewards(&self) -> Result<Rewards, LedgerError>;

    /// Hands the duty that `action` performs to the node. The future that comes back ends when its
    /// fate is known. Handing the same action over twice performs it once.
    async fn perform(&self, action: &Action) -> Result<BoxFuture<'static, Outcome>, LedgerError>;
}

/// Who an operator is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account that holds the bond.
    pub controller: AccountBytes,
    /// The name used in logs: the address of the controller.
    pub name: String,
    /// Whether it answers.
    pub serves: bool,
    /// Whether it checks.
    pub validates: bool,
    /// Whether it re-executes answers that it was not drawn for.
    pub audits: bool,
    /// Whether it claims what its controller is due of subsidies.
    pub claims: bool,
}

/// What re-execution of an answer showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is said about the answer.
    pub verdict: Verdict,
    /// What is wrong with it, in words; empty if nothing is.
    pub reason: String,
    /// The digest of one's own execution.
    pub digest: H256,
}
