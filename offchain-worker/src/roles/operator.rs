//! The loop that drives one operator, whatever its role.

use super::attend::Attended;
use super::attended::Rounds;
use super::claim::Claims;
use super::execute::Executor;
use super::listing::Listed;
use super::queue::{DutyQueue, OpenDuty};
use super::rounds::{Exchange, Setup};
use super::tasks::Tasks;
use super::work::Executed;
use super::{Action, Duties, Identity, Ledger, LedgerError, Outcome};
use crate::metrics::{Fate, Metrics};
use crate::store::{Store, Ticket};
use noema_protocol::{Job, RoundId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;
use tracing::{debug, info, warn};

/// How often something is tried before the operator gives up on it, and how much at once.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Executions of one job that may fail.
    pub executions: u32,
    /// Executions that run at once; the model takes them together. What is left is begun as soon as
    /// one ends.
    pub together: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            executions: 3,
            together: 16,
        }
    }
}

/// What a task of an operator is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TaskKey {
    /// A duty that the model executes.
    Duty(Ticket),
    /// A round of training.
    Round(RoundId),
}

/// What a task of an operator brought.
pub(super) enum Done {
    /// An execution.
    Executed(Executed),
    /// Something for a round of training.
    Attended(Attended),
}

/// One operator, whatever its roles: its duties, its records and what it is doing about them.
pub struct Operator {
    pub(super) identity: Identity,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) store: Arc<Store>,
    pub(super) metrics: Metrics,
    /// What executes for it; `None` where its roles execute nothing.
    pub(super) executor: Option<Arc<dyn Executor>>,
    pub(super) pace: Pace,
    pub(super) tasks: Tasks<TaskKey, Done>,
    /// Whether an execution could not be begun for what was running at the latest look.
    pub(super) deferred: bool,
    pub(super) queue: DutyQueue,
    pub(super) listed: BTreeMap<Job, Listed>,
    /// Its part in rounds of training, if it takes part in them.
    pub(super) rounds: Option<Rounds>,
    pub(super) claims: Claims,
    /// Why the store could not be used, the last time that it could not.
    pub(super) store_trouble: Option<String>,
    /// The block of the latest look.
    pub(super) block: u64,
}

impl Operator {
    /// An operator that has not looked at the chain yet, and has nothing to execute or to train with.
    pub fn new(
        identity: Identity,
        ledger: Arc<dyn Ledger>,
        store: Arc<Store>,
        metrics: Metrics,
    ) -> Self {
        Self {
            identity,
            ledger,
            store,
            metrics,
            executor: None,
            pace: Pace::default(),
            tasks: Tasks::new(),
            deferred: false,
            queue: DutyQueue::default(),
            listed: BTreeMap::new(),
            rounds: None,
            claims: Claims::default(),
            store_trouble: None,
            block: 0,
        }
    }

    /// Has the operator execute what it answers, checks and judges.
    #[must_use]
    pub fn with_executor(mut self, executor: Arc<dyn Executor>, pace: Pace) -> Self {
        self.executor = Some(executor);
        self.pace = pace;
        self
    }

    /// Has the operator take part in rounds of training, in the role that its identity names.
    #[must_use]
    pub fn with_rounds(mut self, setup: Setup, exchange: Arc<dyn Exchange>) -> Self {
        self.rounds = Rounds::new(&self.identity, setup, exchange);
        self
    }

    /// Takes a turn at every change of `head` until `stop` turns true. What was computed by then is on
    /// disk, training that is under way, too; what was not is computed after the next start.
    pub async fn run(mut self, mut head: watch::Receiver<u64>, mut stop: watch::Receiver<bool>) {
        head.mark_changed();
        if self.executor.is_some() || self.rounds.is_some() {
            self.check_store();
        }
        loop {
            tokio::select! {
                biased;
                () = crate::stopped(&mut stop) => break,
                () = self.progress() => {
                    if !self.could_execute_more() {
                        continue;
                    }
                }
                changed = head.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
            }
            let turned = tokio::select! {
                biased;
                () = crate::stopped(&mut stop) => break,
                turned = self.turn() => turned,
            };
            if let Err(error) = turned {
                self.metrics.ledger_errors.inc();
                warn!(operator = %self.identity.name, %error, "cannot read the chain; trying again at the next block");
            }
        }
        self.stop().await;
    }

    /// Gives up what is under way, but waits for trainers that save their states.
    async fn stop(&mut self) {
        self.tasks.cancel_all();
        let jobs = self.executing();
        if jobs > 0 {
            info!(operator = %self.identity.name, jobs, "stopping; the jobs under way are taken up at the next start");
        }
        while self.rounds.as_ref().is_some_and(Rounds::is_training) {
            let ended = self.tasks.next().await;
            if let TaskKey::Round(round) = ended.key {
                self.note_attended(round, ended);
            }
        }
    }

    /// Looks at the latest finalized block once and takes every step that needs no waiting. Where the store
    /// fails, that keeps the operator from what needs it and from nothing else.
    ///
    /// # Errors
    /// When the chain cannot be read; another turn tries again.
    pub async fn turn(&mut self) -> Result<(), LedgerError> {
        let mut duties = match self.ledger.duties().await {
            Ok(duties) => duties,
            Err(error) => {
                self.doubt();
                return Err(error);
            }
        };
        if duties.block < self.block {
            self.doubt();
        }
        self.block = duties.block;
        self.deferred = false;
        if self.store_trouble.is_some() {
            self.check_store();
        }
        self.tasks.begin(duties.block);
        self.queue.begin(duties.block);
        self.drop_unlisted(&duties.due);
        self.look_up(&duties.due).await;
        for duty in &duties.due {
            self.advance(duty).await;
        }
        self.look_at_rounds(std::mem::take(&mut duties.rounds))
            .await;
        self.resume(&duties).await;
        self.claim(&duties).await;
        Ok(())
    }

    /// Waits for the next task to end or for the fate of the next duty, and acts on it. Never ends while
    /// nothing is under way.
    pub async fn progress(&mut self) {
        tokio::select! {
            ended = self.tasks.next() => match ended.key {
                TaskKey::Duty(ticket) => self.executed(ticket, ended).await,
                TaskKey::Round(round) => self.attended(round, ended).await,
            },
            (duty, outcome) = self.queue.next() => self.learned(duty, outcome),
        }
    }

    /// Whether a task runs or the fate of a duty is open.
    pub fn is_busy(&self) -> bool {
        self.tasks.running().next().is_some() || !self.queue.is_empty()
    }

    /// A node that was away, or whose chain is shorter than it was, may have another chain with the same
    /// first block: what was read is read again before it is used.
    fn doubt(&mut self) {
        for listed in self.listed.values_mut() {
            listed.is_doubtful = true;
        }
        self.queue.doubt();
        if let Some(rounds) = &mut self.rounds {
            rounds.doubt();
        }
    }

    // Duties under way.

    /// Hands a duty over, unless that was done and its fate is open, or the chain refused it too
    /// recently.
    pub(super) async fn perform(&mut self, duty: OpenDuty, action: &Action) {
        if !self.queue.is_due(&duty) {
            return;
        }
        match self.ledger.perform(action).await {
            Ok(fate) => {
                debug!(operator = %self.identity.name, %action, "handed over");
                self.queue.hand_over(duty, fate);
            }
            Err(error) => {
                self.metrics.ledger_errors.inc();
                warn!(operator = %self.identity.name, %action, %error, "cannot hand the duty over; trying again at the next block");
            }
        }
    }

    fn learned(&mut self, duty: OpenDuty, outcome: Outcome) {
        let operator = &self.identity.name;
        let is_news = self.queue.note(duty, &outcome);
        match &outcome {
            Outcome::Included { block } => {
                self.metrics.transaction(Fate::Included);
                debug!(%operator, %duty, block, "the duty is done, and final");
            }
            Outcome::Refused(reason) => {
                self.metrics.transaction(Fate::Refused);
                if is_news {
                    warn!(%operator, %duty, %reason, "the chain refuses this duty");
                }
            }
            Outcome::Dropped(reason) | Outcome::Unknown(reason) => {
                self.metrics.transaction(Fate::Dropped);
                if is_news {
                    warn!(%operator, %duty, %reason, "the duty did not get into a block yet; trying again as long as the chain expects it");
                }
            }
        }
        match (duty, outcome) {
            (OpenDuty::Claim(epoch), outcome) => self.claim_fate(epoch, &outcome),
            (OpenDuty::Work(ticket, step), Outcome::Included { block }) => {
                self.included(ticket, step, block);
            }
            (OpenDuty::Round(..), Outcome::Included { block }) => {
                info!(%operator, %duty, block, "is final");
            }
            (OpenDuty::Holding(checkpoint), Outcome::Included { block }) => {
                info!(%operator, %duty, block, "is final");
                if let Some(rounds) = &mut self.rounds {
                    rounds.announced(checkpoint);
                }
            }
            (
                OpenDuty::Work(..) | OpenDuty::Round(..) | OpenDuty::Holding(_) | OpenDuty::Resume,
                _,
            ) => {}
        }
    }

    /// Ends an absence.
    async fn resume(&mut self, duties: &Duties) {
        if duties.is_absent {
            self.perform(OpenDuty::Resume, &Action::Resume).await;
        }
    }
}
