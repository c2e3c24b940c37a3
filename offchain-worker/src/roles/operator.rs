//! The loop that drives one operator, whatever its role.

use super::claim::Claims;
use super::queue::{DutyQueue, OpenDuty};
use super::{
    Action, Answered, Cancel, Duties, ExecutionError, Executor, Finding, Identity, Ledger,
    LedgerError, Outcome, Question,
};
use crate::metrics::{Execution, Fate, Metrics};
use crate::store::{CheckStage, JobKey, Store, StoreError, StoredAnswer};
use noema_protocol::RequestId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, watch};
use tracing::{debug, error, info, warn};

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

/// What is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Work {
    Answer(JobKey),
    Check(JobKey),
    Audit(JobKey),
}

enum Product {
    Answer(StoredAnswer),
    Finding(Finding),
}

struct Finished {
    work: Work,
    /// Nothing if it was cancelled.
    result: Result<Option<Product>, ExecutionError>,
    seconds: f64,
}

/// One operator: its duties, its records and what it is doing about them.
pub struct Operator {
    pub(super) identity: Identity,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) executor: Arc<dyn Executor>,
    pub(super) store: Arc<Store>,
    pub(super) metrics: Metrics,
    pub(super) pace: Pace,
    running: HashMap<Work, Cancel>,
    /// Whether something could not be begun for what was running at the last look.
    deferred: bool,
    failures: HashMap<Work, Failures>,
    products: (
        mpsc::UnboundedSender<Finished>,
        mpsc::UnboundedReceiver<Finished>,
    ),
    pub(super) queue: DutyQueue,
    pub(super) claims: Claims,
    /// The block of the last look.
    pub(super) block: u64,
}

#[derive(Clone, Copy, Default)]
struct Failures {
    count: u32,
    retry_at: u64,
}

impl Operator {
    /// An operator that has not looked at the chain yet.
    pub fn new(
        identity: Identity,
        ledger: Arc<dyn Ledger>,
        executor: Arc<dyn Executor>,
        store: Arc<Store>,
        metrics: Metrics,
        pace: Pace,
    ) -> Self {
        Self {
            identity,
            ledger,
            executor,
            store,
            metrics,
            pace,
            running: HashMap::new(),
            deferred: false,
            failures: HashMap::new(),
            products: mpsc::unbounded_channel(),
            queue: DutyQueue::default(),
            claims: Claims::default(),
            block: 0,
        }
    }

    /// Takes a turn at every change of `head` until `stop` turns true. Whatever is under way then
    /// is on disk and is taken up at the next start.
    pub async fn run(
        mut self,
        mut head: watch::Receiver<u64>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), StoreError> {
        head.mark_changed();
        loop {
            tokio::select! {
                biased;
                () = crate::stopped(&mut stop) => break,
                progress = self.progress() => {
                    progress?;
                    if !self.could_begin_more() {
                        continue;
                    }
                }
                changed = head.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
            }
            if let Err(error) = self.turn().await? {
                self.metrics.ledger_errors.inc();
                warn!(operator = %self.identity.name, %error, "cannot read the chain; trying again at the next block");
            }
        }
        self.cancel_all();
        Ok(())
    }

    /// Looks at the latest finalized block once and takes every step that needs no waiting.
    pub async fn turn(&mut self) -> Result<Result<(), LedgerError>, StoreError> {
        let following = self.following()?;
        let duties = match self.ledger.duties(&following).await {
            Ok(duties) => duties,
            Err(error) => return Ok(Err(error)),
        };
        self.block = duties.block;
        self.deferred = false;
        self.queue.begin(duties.block);
        if self.identity.serves {
            self.serve(&duties).await?;
        }
        if self.identity.validates {
            self.validate(&duties).await?;
            self.audit(&duties).await?;
        }
        self.resume(&duties).await;
        self.claim(&duties).await;
        Ok(Ok(()))
    }

    /// The requests that a verdict is open on.
    fn following(&self) -> Result<Vec<RequestId>, StoreError> {
        let open = self
            .store
            .open_records::<CheckStage>(&self.identity.controller)?;
        Ok(open.into_iter().map(|(key, _)| key.request).collect())
    }

    /// Waits for the next execution to end or for the fate of the next duty, and acts on it. Never
    /// ends while nothing is under way.
    pub async fn progress(&mut self) -> Result<(), StoreError> {
        tokio::select! {
            Some(execution) = self.products.1.recv() => self.executed(execution).await,
            (duty, outcome) = self.queue.next() => self.learned(duty, outcome),
        }
    }

    /// Whether an execution runs or the fate of a duty is open.
    pub fn is_busy(&self) -> bool {
        !self.running.is_empty() || !self.queue.is_empty()
    }

    fn cancel_all(&mut self) {
        self.running.values().for_each(Cancel::cancel);
        if !self.running.is_empty() {
            info!(operator = %self.identity.name, jobs = self.running.len(), "stopping; the jobs under way are taken up at the next start");
        }
    }

    pub(super) fn key(&self, request: RequestId, round: u32) -> JobKey {
        JobKey {
            operator: self.identity.controller,
            request,
            round,
        }
    }

    // Executions.

    /// Whether there is room for something that the last look had to leave.
    fn could_begin_more(&self) -> bool {
        self.deferred && self.running.len() < self.pace.together
    }

    /// Starts to answer, unless that is under way, has failed too recently, or as much is running
    /// as may. `Err` when it has failed too often.
    pub(super) fn start_answer(&mut self, work: Work, question: Question) -> Result<(), String> {
        self.start(work, move |executor, cancel| {
            let answer = executor.answer(&question, cancel)?;
            Ok(answer.map(Product::Answer))
        })
    }

    /// Starts to re-execute, under the same rules as [`Self::start_answer`].
    pub(super) fn start_check(&mut self, work: Work, answer: Answered) -> Result<(), String> {
        self.start(work, move |executor, cancel| {
            let finding = executor.check(&answer, cancel)?;
            Ok(finding.map(Product::Finding))
        })
    }

    fn start<F>(&mut self, work: Work, execute: F) -> Result<(), String>
    where
        F: FnOnce(&dyn Executor, &Cancel) -> Result<Option<Product>, ExecutionError>
            + Send
            + 'static,
    {
        if self.running.contains_key(&work) {
            return Ok(());
        }
        let failures = self.failures.get(&work).copied().unwrap_or_default();
        if failures.count >= self.pace.executions {
            self.failures.remove(&work);
            return Err(format!("the model failed {} times", failures.count));
        }
        if self.block < failures.retry_at {
            return Ok(());
        }
        if self.running.len() >= self.pace.together {
            self.deferred = true;
            return Ok(());
        }
        let cancel = Cancel::default();
        self.running.insert(work, cancel.clone());
        self.metrics.running.inc();
        let executor = self.executor.clone();
        let products = self.products.0.clone();
        tokio::spawn(async move {
            let begun = Instant::now();
            let result =
                tokio::task::spawn_blocking(move || execute(executor.as_ref(), &cancel)).await;
            let result = result.unwrap_or_else(|error| {
                Err(ExecutionError::Failed(format!(
                    "the execution died: {error}"
                )))
            });
            // The receiver is gone only when the operator has stopped.
            let _ = products.send(Finished {
                work,
                result,
                seconds: begun.elapsed().as_secs_f64(),
            });
        });
        Ok(())
    }

    /// Tells an execution that nobody wants its result.
    pub(super) fn cancel(&mut self, work: &Work) {
        if let Some(cancel) = self.running.get(work) {
            cancel.cancel();
        }
        self.failures.remove(work);
    }

    async fn executed(&mut self, execution: Finished) -> Result<(), StoreError> {
        let Finished {
            work,
            result,
            seconds,
        } = execution;
        self.running.remove(&work);
        self.metrics.running.dec();
        let product = match result {
            Ok(product) => product,
            Err(ExecutionError::Busy(reason)) => {
                self.failures.entry(work).or_default().retry_at = self.block.saturating_add(1);
                debug!(operator = %self.identity.name, ?work, %reason, "trying again at the next block");
                return Ok(());
            }
            Err(ExecutionError::Failed(reason)) => {
                let failures = self.failures.entry(work).or_default();
                failures.count = failures.count.saturating_add(1);
                failures.retry_at = self
                    .block
                    .saturating_add(1u64.checked_shl(failures.count).unwrap_or(u64::MAX));
                self.metrics.execution_failures.inc();
                error!(operator = %self.identity.name, ?work, %reason, "the model could not execute this job");
                return Ok(());
            }
        };
        self.failures.remove(&work);
        match (work, product) {
            (_, None) => {
                debug!(operator = %self.identity.name, ?work, "stopped");
                Ok(())
            }
            (Work::Answer(key), Some(Product::Answer(answer))) => {
                self.metrics.executed(Execution::Answer, seconds);
                self.metrics.tokens.inc_by(answer.tokens.len() as u64);
                self.answered(key, answer, seconds).await
            }
            (Work::Check(key), Some(Product::Finding(finding))) => {
                self.metrics.executed(Execution::Check, seconds);
                self.checked(key, finding, seconds).await
            }
            (Work::Audit(key), Some(Product::Finding(finding))) => {
                self.metrics.executed(Execution::Audit, seconds);
                self.audited(key, finding).await
            }
            _ => Ok(()),
        }
    }

    // Duties.

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

    fn learned(&mut self, duty: OpenDuty, outcome: Outcome) -> Result<(), StoreError> {
        let operator = &self.identity.name;
        let is_news = self.queue.note(duty, &outcome);
        match &outcome {
            Outcome::Included { block } => {
                self.metrics.transaction(Fate::Included);
                debug!(%operator, ?duty, block, "the duty is done, and final");
            }
            Outcome::Refused(reason) => {
                self.metrics.transaction(Fate::Refused);
                if is_news {
                    warn!(%operator, ?duty, %reason, "the chain refuses this duty");
                }
            }
            Outcome::Dropped(reason) | Outcome::Unknown(reason) => {
                self.metrics.transaction(Fate::Dropped);
                if is_news {
                    warn!(%operator, ?duty, %reason, "the duty did not get into a block yet; trying again as long as the chain expects it");
                }
            }
        }
        match duty {
            OpenDuty::Resume => Ok(()),
            OpenDuty::Claim(epoch) => {
                self.claim_fate(epoch, &outcome);
                Ok(())
            }
            OpenDuty::Answer(key) => self.answer_fate(key, outcome),
            OpenDuty::Commit(_) => Ok(()),
            OpenDuty::Reveal(key) => self.reveal_fate(key, outcome),
            OpenDuty::Object(key) => self.objection_fate(key, outcome),
        }
    }

    /// Ends an absence.
    async fn resume(&mut self, duties: &Duties) {
        if duties.is_absent {
            self.perform(OpenDuty::Resume, &Action::Resume).await;
        }
    }

    /// Drops the records that the chain no longer lists, but for those with a duty whose fate is open:
    /// that it is done may be the very reason why they are not listed.
    pub(super) fn forget_unlisted<S>(
        &mut self,
        listed: &HashSet<JobKey>,
        work: fn(JobKey) -> Work,
        done: fn(String) -> S,
        why: &str,
    ) -> Result<(), StoreError>
    where
        S: crate::store::Stage,
    {
        for (key, _) in self.store.open_records::<S>(&self.identity.controller)? {
            if !listed.contains(&key) && !self.queue.is_open_for(&key) {
                self.cancel(&work(key));
                self.store.put(&key, &done(why.to_owned()))?;
                warn!(operator = %self.identity.name, request = %key.request, round = key.round, "{why}");
            }
        }
        Ok(())
    }
}
