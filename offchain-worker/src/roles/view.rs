//! The interface between an operator and the chain.

use super::rounds::Round;
use super::{Action, Duty, Task};
use async_trait::async_trait;
use futures::future::BoxFuture;
use noema_protocol::{ClaimId, SessionId};
use noema_session_transport::SessionFacts;

/// The duties of an operator at one finalized block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duties {
    /// The finalized block.
    pub block: u64,
    /// The duties outside rounds, the most urgent first.
    pub due: Vec<Duty>,
    /// The open round of each programme, in the order in which the programmes were started; empty if the
    /// operator takes part in no rounds.
    pub rounds: Vec<Round>,
    /// Whether the operator is absent: it failed in a duty, and is not drawn until it resumes.
    pub is_absent: bool,
    /// The operator's sessions that have not ended; empty if it serves none.
    pub sessions: Vec<SessionFacts>,
    /// The leaves that it has to post, the most urgent first.
    pub demands: Vec<LeafDemand>,
    /// The part of its bond that is not locked, in the smallest unit.
    pub free_bond: u128,
}

/// A leaf of a claim of a session that the operator made, and has to post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafDemand {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// The session.
    pub session: SessionId,
    /// The number of the claim in the session.
    pub number: u32,
    /// The last block in which it may be posted.
    pub until: u64,
}

/// The rewards of an operator's controller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewards {
    /// The rewards that can be claimed, the oldest epoch first.
    pub due: Vec<Reward>,
    /// The last block of the current epoch: no reward is added before it is over.
    pub epoch_ends: u64,
}

/// The reward of an operator's controller for one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reward {
    /// The epoch.
    pub epoch: u32,
    /// The amount, in the smallest unit.
    pub amount: u128,
}

/// The outcome of a duty that was submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DutyOutcome {
    /// It is in a finalized block and its call succeeded.
    Included {
        /// The block.
        block: u64,
    },
    /// The chain refuses it, with this error.
    Refused(String),
    /// The node rejected or dropped it, for this reason; it may be submitted again.
    Dropped(String),
    /// The connection was lost before its fate was known.
    Unknown(String),
}

/// Why the ledger cannot be used. The operator tries again.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainViewError {
    /// The node does not answer.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// The runtime does not have what this program expects.
    #[error("the chain's {what} is not what this program was written for ({reason}); update the worker or the chain, whichever is older")]
    Incompatible {
        /// The item that was read or called.
        what: String,
        /// The mismatch.
        reason: String,
    },
    /// Something that the operator needs is not recorded on chain.
    #[error("{0}")]
    Missing(String),
}

/// The chain for one operator: finalized state, and transactions with its hot key.
#[async_trait]
pub trait ChainView: Send + Sync + 'static {
    /// The operator's duties at the latest finalized block. All of them are read together, once in each turn.
    async fn duties(&self) -> Result<Duties, ChainViewError>;

    /// The task of a duty at the latest finalized block; `None` if the chain no longer expects it.
    async fn task(&self, duty: &Duty) -> Result<Option<Task>, ChainViewError>;

    /// A session at the latest finalized block; `None` if it has no seed, or can no longer be read.
    async fn session(&self, session: SessionId) -> Result<Option<SessionFacts>, ChainViewError>;

    /// The rewards that the operator's controller can claim at the latest finalized block.
    async fn rewards(&self) -> Result<Rewards, ChainViewError>;

    /// Submits `action`. The returned future ends when its fate is known. An action that is submitted twice
    /// is performed once.
    async fn perform(
        &self,
        action: &Action,
    ) -> Result<BoxFuture<'static, DutyOutcome>, ChainViewError>;
}
