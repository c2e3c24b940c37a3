//! The state of one operator, and the submission of its duties.

use super::attended::Rounds;
use super::claimed::Claims;
use super::engines::Engines;
use super::listed::Listed;
use super::operator_tasks::{Done, TaskKey};
use super::queue::{DutyQueue, OpenDuty};
use super::rounds::{Exchange, Setup};
use super::tasks::Tasks;
use super::{Action, ChainView, Identity, LeafSource};
use crate::metrics::Metrics;
use crate::store::Store;
use noema_protocol::Job;
use noema_session_transport::ServedSessions;
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::{debug, warn};

/// Limits for the executions of an operator.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The number of failures after which the operator gives up on a job.
    pub executions: u32,
    /// The most executions at a time, which the model batches. Others start as soon as one ends.
    pub together: usize,
    /// The most moves of games that are made at a time, each from a trace that takes all of the processor.
    pub moves: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            executions: 3,
            // The room of a worker, and as many for checks.
            together: 32,
            moves: 2,
        }
    }
}

/// One operator in all its roles: its duties, its records and its tasks.
pub struct OperatorLoop {
    pub(super) identity: Identity,
    pub(super) chain: Arc<dyn ChainView>,
    pub(super) store: Arc<Store>,
    pub(super) metrics: Metrics,
    /// Executes for it; `None` if its roles execute nothing.
    pub(super) engines: Option<Arc<dyn Engines>>,
    pub(super) pace: Pace,
    pub(super) tasks: Tasks<TaskKey, Done>,
    /// Whether an execution had to wait for others at the latest turn.
    pub(super) deferred: bool,
    /// Whether a move had to wait for others at the latest turn.
    pub(super) deferred_move: bool,
    pub(super) queue: DutyQueue,
    pub(super) listed: BTreeMap<Job, Listed>,
    /// Its part in rounds of training, if it takes part in them.
    pub(super) rounds: Option<Rounds>,
    pub(super) claims: Claims,
    /// The sessions that it serves, if it serves any.
    pub(super) sessions: Option<Arc<ServedSessions>>,
    /// The block from which records of sessions are removed again.
    pub(super) tidies_at: u64,
    /// Reads leaves of sessions for it, if it validates.
    pub(super) leaves: Option<Arc<dyn LeafSource>>,
    /// Why the store fails, while it does.
    pub(super) store_trouble: Option<String>,
    /// The block of the latest turn.
    pub(super) block: u64,
}

impl OperatorLoop {
    /// An operator that has not read the chain yet, without an executor and without rounds.
    pub fn new(
        identity: Identity,
        chain: Arc<dyn ChainView>,
        store: Arc<Store>,
        metrics: Metrics,
    ) -> Self {
        Self {
            identity,
            chain,
            store,
            metrics,
            engines: None,
            pace: Pace::default(),
            tasks: Tasks::new(),
            deferred: false,
            deferred_move: false,
            queue: DutyQueue::default(),
            listed: BTreeMap::new(),
            rounds: None,
            claims: Claims::default(),
            sessions: None,
            tidies_at: 0,
            leaves: None,
            store_trouble: None,
            block: 0,
        }
    }

    /// Lets the operator answer, check and judge with `executor`.
    #[must_use]
    pub fn with_engines(mut self, engines: Arc<dyn Engines>, pace: Pace) -> Self {
        self.engines = Some(engines);
        self.pace = pace;
        self
    }

    /// Lets the operator take part in rounds of training, in the role that its identity names.
    #[must_use]
    pub fn with_rounds(mut self, setup: Setup, exchange: Arc<dyn Exchange>) -> Self {
        self.rounds = Rounds::new(&self.identity, setup, exchange);
        self
    }

    /// Lets the operator claim the answers of these sessions, and post their leaves.
    #[must_use]
    pub fn with_sessions(mut self, sessions: Arc<ServedSessions>) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// Lets the operator read leaves of sessions, to check and to judge them.
    #[must_use]
    pub fn with_leaves(mut self, leaves: Arc<dyn LeafSource>) -> Self {
        self.leaves = Some(leaves);
        self
    }

    /// The number of running tasks.
    pub fn running(&self) -> usize {
        self.tasks.running().count()
    }

    /// The number of moves that are made.
    pub(super) fn moving(&self) -> usize {
        let running = self.tasks.running();
        running
            .filter(|key| matches!(key, TaskKey::Move(_)))
            .count()
    }

    /// The number of executions that run.
    pub(super) fn executing(&self) -> usize {
        let running = self.tasks.running();
        running
            .filter(|key| matches!(key, TaskKey::Duty(_)))
            .count()
    }

    /// Whether a task runs or the fate of a duty is unknown.
    pub fn is_busy(&self) -> bool {
        self.tasks.running().next().is_some() || !self.queue.is_empty()
    }

    /// Submits a duty, unless its fate is open or the chain refused it too recently.
    pub(super) async fn perform(&mut self, duty: OpenDuty, action: &Action) {
        if !self.queue.is_due(&duty) {
            return;
        }
        match self.chain.perform(action).await {
            Ok(fate) => {
                debug!(operator = %self.identity.name, %action, "submitted");
                self.queue.hand_over(duty, fate);
            }
            Err(error) => {
                self.metrics.ledger_errors.inc();
                warn!(operator = %self.identity.name, %action, %error, "cannot submit the duty; trying again at the next block");
            }
        }
    }
}
