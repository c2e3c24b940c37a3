//! The chain as one operator sees it.

use super::rounds::Round;
use super::{Action, Duty, Task};
use async_trait::async_trait;
use futures::future::BoxFuture;

/// What the chain, at one finalized block, expects of an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duties {
    /// The finalized block.
    pub block: u64,
    /// What it has to do, the most urgent first.
    pub due: Vec<Duty>,
    /// The open round of each programme, in the order in which the programmes were started; none where the
    /// operator takes part in no rounds.
    pub rounds: Vec<Round>,
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
    /// What the latest finalized block expects of the operator: all of it is read together, once for each
    /// look.
    async fn duties(&self) -> Result<Duties, LedgerError>;

    /// Everything that is needed to do a duty, in the latest finalized block; `None` where the chain
    /// does not expect it any more.
    async fn task(&self, duty: &Duty) -> Result<Option<Task>, LedgerError>;

    /// What the operator's controller can claim in the latest finalized block.
    async fn rewards(&self) -> Result<Rewards, LedgerError>;

    /// Hands the duty that `action` performs to the node. The future that comes back ends when its
    /// fate is known. Handing the same action over twice performs it once.
    async fn perform(&self, action: &Action) -> Result<BoxFuture<'static, Outcome>, LedgerError>;
}
