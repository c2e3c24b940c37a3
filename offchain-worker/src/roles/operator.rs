//! The loop that drives one operator, whatever its role.

use super::claim::Claims;
use super::{
    Action, Answered, Cancel, Duties, ExecutionError, Executor, Finding, Identity, Ledger,
    LedgerError, Outcome, Question,
};
use crate::metrics::{Execution, Fate, Metrics};
use crate::store::{CheckStage, JobKey, Prepared, Store, StoreError, StoredAnswer};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use noema_protocol::RequestId;
use sp_core::H256;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, watch};
use tracing::{debug, error, info, warn};

/// How often something is tried before the operator gives up on it, and how much at once.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Transactions signed for one action. A transaction is only replaced when the chain can no
    /// longer include it.
    pub transactions: u32,
    /// Executions of one job that may fail.
    pub executions: u32,
    /// Executions that run at once; the model takes them together. What is left is begun as soon as
    /// one ends.
    pub together: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            transactions: 5,
            executions: 3,
            together: 16,
        }
    }
}

/// What an execution or a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Work {
    Answer(JobKey),
    Check(JobKey),
    Audit(JobKey),
    /// The claim for an epoch.
    Claim(u32),
    Heartbeat,
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

/// Whether a signed transaction still has a chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its fate is being watched.
    Watched,
    /// It may be included, but nobody here watches it: hand the same bytes over again.
    Alive,
    /// No later block can include it.
    Dead,
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
    fates: FuturesUnordered<BoxFuture<'static, (Work, H256, Outcome)>>,
    watched: HashSet<H256>,
    complained: HashSet<H256>,
    heartbeat: Option<Prepared>,
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
            fates: FuturesUnordered::new(),
            watched: HashSet::new(),
            complained: HashSet::new(),
            heartbeat: None,
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
        if self.identity.serves {
            self.serve(&duties).await?;
        }
        if self.identity.validates {
            self.validate(&duties).await?;
            self.audit(&duties).await?;
        }
        self.beat(&duties).await;
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

    /// Waits for the next execution to end or the next transaction's fate, and acts on it. Never
    /// ends while nothing is under way.
    pub async fn progress(&mut self) -> Result<(), StoreError> {
        tokio::select! {
            Some(execution) = self.products.1.recv() => self.executed(execution).await,
            Some((work, hash, outcome)) = self.fates.next(), if !self.fates.is_empty() => {
                self.learned(work, hash, outcome)
            }
        }
    }

    /// Whether an execution runs or a transaction's fate is open.
    pub fn is_busy(&self) -> bool {
        !self.running.is_empty() || !self.fates.is_empty()
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

    // Transactions.

    pub(super) fn standing(&self, transaction: &Prepared, duties: &Duties) -> Standing {
        if self.watched.contains(&transaction.hash) {
            Standing::Watched
        } else if duties.block > transaction.valid_until || duties.nonce > transaction.nonce {
            Standing::Dead
        } else {
            Standing::Alive
        }
    }

    /// Signs a transaction for `action`; `None`, with a line in the log, if that cannot be done now.
    pub(super) async fn sign(&mut self, action: &Action) -> Option<Prepared> {
        match self.ledger.prepare(action).await {
            Ok(transaction) => Some(transaction),
            Err(error) => {
                self.metrics.ledger_errors.inc();
                warn!(operator = %self.identity.name, %action, %error, "cannot prepare the transaction; trying again at the next block");
                None
            }
        }
    }

    /// Hands a transaction to the node and watches what becomes of it.
    pub(super) async fn send(&mut self, work: Work, transaction: &Prepared) {
        let hash = transaction.hash;
        match self.ledger.broadcast(transaction).await {
            Ok(fate) => {
                self.watched.insert(hash);
                self.fates
                    .push(Box::pin(async move { (work, hash, fate.await) }));
            }
            Err(error) => {
                self.metrics.ledger_errors.inc();
                warn!(operator = %self.identity.name, transaction = ?hash, %error, "cannot send the transaction; trying again at the next block");
            }
        }
    }

    fn learned(&mut self, work: Work, hash: H256, outcome: Outcome) -> Result<(), StoreError> {
        self.watched.remove(&hash);
        let operator = &self.identity.name;
        match &outcome {
            Outcome::Included { block } => {
                self.metrics.transaction(Fate::Included);
                debug!(%operator, ?work, transaction = ?hash, block, "the transaction is final");
            }
            Outcome::Refused(reason) => {
                self.metrics.transaction(Fate::Refused);
                warn!(%operator, ?work, transaction = ?hash, %reason, "the chain refused the call");
            }
            Outcome::Dropped(reason) | Outcome::Unknown(reason) => {
                self.metrics.transaction(Fate::Dropped);
                if self.complained.insert(hash) {
                    warn!(%operator, ?work, transaction = ?hash, %reason, "the transaction did not get into a block; trying again");
                }
            }
        }
        match work {
            Work::Heartbeat => {
                if self
                    .heartbeat
                    .as_ref()
                    .is_some_and(|sent| sent.hash == hash)
                    && !matches!(outcome, Outcome::Unknown(_))
                {
                    self.heartbeat = None;
                }
                Ok(())
            }
            Work::Claim(epoch) => {
                self.claim_fate(epoch, &outcome);
                Ok(())
            }
            Work::Answer(key) => self.answer_fate(key, hash, outcome),
            Work::Check(key) => self.check_fate(key, hash, outcome),
            Work::Audit(key) => self.audit_fate(key, hash, outcome),
        }
    }

    /// Gives the sign of life that the chain is due. It is worth nothing later, so it is not kept
    /// on disk.
    async fn beat(&mut self, duties: &Duties) {
        if !duties.heartbeat_due {
            self.heartbeat = None;
            return;
        }
        let waiting = match &self.heartbeat {
            Some(sent) => self.standing(sent, duties) != Standing::Dead,
            None => false,
        };
        if waiting {
            return;
        }
        if let Some(transaction) = self.sign(&Action::Heartbeat).await {
            self.send(Work::Heartbeat, &transaction).await;
            self.heartbeat = Some(transaction);
        }
    }

    /// Drops the records that the chain no longer lists, but for those whose transaction is being
    /// watched: it may be the very reason why they are not listed.
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
        for (key, stage) in self.store.open_records::<S>(&self.identity.controller)? {
            let awaited = stage
                .transaction()
                .is_some_and(|transaction| self.watched.contains(&transaction.hash));
            if !listed.contains(&key) && !awaited {
                self.cancel(&work(key));
                self.store.put(&key, &done(why.to_owned()))?;
                warn!(operator = %self.identity.name, request = %key.request, round = key.round, "{why}");
            }
        }
        Ok(())
    }
}
