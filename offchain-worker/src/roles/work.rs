//! The work on one duty: execution, submission, end.

use super::listed::Trouble;
use super::operator::OperatorLoop;
use super::operator_tasks::{Done, Executed, TaskKey};
use super::queue::OpenDuty;
use super::steps::{action, compute, Computed};
use super::tasks::{blocking, Ended, TaskError};
use super::{session_checks, Action, Duty, DutyStep, ExecutionError, Part, Task, Workload};
use crate::metrics::Execution;
use crate::store::{JobRecord, JobStage, Product, Ticket};
use tracing::{debug, error, info, warn};

/// The number of failures to read a leaf after which it is demanded.
const UNREAD: u32 = 3;
/// Blocks before the end of a duty from which one failure suffices.
const URGENT: u64 = 5;

impl From<ExecutionError> for TaskError {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::Busy(reason) => Self::Later(reason),
            ExecutionError::Failed(reason) => Self::Failed(reason),
            ExecutionError::Permanent(reason) => Self::Permanent(reason),
        }
    }
}

impl OperatorLoop {
    pub(super) async fn advance(&mut self, duty: &Duty) {
        let job = duty.part.job();
        let listed = self.listed.get_mut(&job);
        let Some(listed) = listed.filter(|listed| listed.is_about(duty)) else {
            return;
        };
        let ticket = listed.ticket;
        if let Some(product) = listed.unstored.take() {
            if self.keep(ticket, &product) {
                self.hand_over(ticket, duty.step, &product).await;
            }
            return;
        }
        match self.stage(&ticket) {
            Ok(Some(JobStage::Executed(product))) => {
                self.hand_over(ticket, duty.step, &product).await;
            }
            Ok(Some(JobStage::Done { .. })) => {}
            Ok(None) if duty.step == DutyStep::Reveal => {
                self.is_kept_by(job, Trouble::NothingToReveal);
            }
            Ok(None) => {
                self.demand(ticket, duty).await;
                self.execute(ticket, duty);
            }
            Err(error) => self.store_fails(&error),
        }
    }

    /// Writes a result to disk. Returns whether it is there; otherwise the next turn tries again.
    fn keep(&mut self, ticket: Ticket, product: &Product) -> bool {
        let record = JobRecord {
            subject: ticket.subject,
            stage: JobStage::Executed(product.clone()),
        };
        let is_kept = self.write(&ticket, &record);
        if let Some(listed) = self.listed.get_mut(&ticket.job).filter(|_| !is_kept) {
            listed.unstored = Some(product.clone());
        }
        is_kept
    }

    /// Starts an execution, unless it is under way, failed too recently or too often, or the most executions
    /// run already.
    fn execute(&mut self, ticket: Ticket, duty: &Duty) {
        let engines = self.engines.as_ref();
        let engines = engines.filter(|engines| engines.has(&duty.checkpoint));
        let Some(engines) = engines.cloned() else {
            return self.is_kept_by(ticket.job, Trouble::NotLoaded);
        };
        let listed = self.listed.get_mut(&ticket.job);
        let Some(task) = listed.as_ref().and_then(|listed| listed.task.clone()) else {
            // It was done when it was first listed, and is due again: the next turn reads the task.
            if let Some(listed) = listed {
                listed.is_doubtful = true;
            }
            return;
        };
        let key = TaskKey::of(&duty.part, ticket);
        if self.tasks.failures(&key) >= self.pace.executions {
            return self.is_kept_by(ticket.job, Trouble::GivenUp);
        }
        if !self.tasks.is_due(&key) {
            return;
        }
        // A move has a clock, and its trace is executed beside the passes of the model: it waits for other moves only,
        // the most urgent of which come first.
        if let Part::Move { .. } = duty.part {
            if self.moving() >= self.pace.moves {
                self.deferred_move = true;
                return;
            }
        } else if self.executing() >= self.pace.together {
            self.deferred = true;
            return;
        }
        self.metrics.running.inc();
        let leaves = self.leaves.clone();
        self.tasks.start(key, |cancel| async move {
            let executed = task.clone();
            let inputs = session_checks::read(leaves.as_deref(), &executed.work).await?;
            let computed =
                blocking(move || compute(engines.as_ref(), &executed.work, &inputs, &cancel))
                    .await?;
            Ok(Done::Executed(Executed { task, computed }))
        });
    }

    pub(super) async fn executed(&mut self, ticket: Ticket, ended: Ended<TaskKey, Done>) {
        self.metrics.running.dec();
        let (operator, job) = (&self.identity.name, ticket.job);
        let Executed { task, computed } = match ended.result {
            Ok(Done::Executed(executed)) => executed,
            Ok(Done::Attended(_)) | Err(TaskError::Stopped) => return,
            Err(TaskError::Later(reason)) => {
                debug!(%operator, %job, %reason, "trying again at the next block");
                return;
            }
            Err(TaskError::Unread {
                reason,
                is_demanded,
            }) => {
                debug!(%operator, %job, %reason, "the leaf cannot be read; trying again at the next block");
                if let Some(listed) = self.listed.get_mut(&job) {
                    listed.unread = match is_demanded {
                        true => 0,
                        false => listed.unread.saturating_add(1),
                    };
                }
                return;
            }
            Err(TaskError::Failed(reason)) => {
                self.metrics.execution_failures.inc();
                error!(%operator, %job, %reason, "the model could not execute this job");
                return;
            }
            Err(TaskError::Permanent(reason)) => {
                self.metrics.execution_failures.inc();
                error!(%operator, %job, %reason, "this job cannot be executed here, and is not tried again");
                return;
            }
        };
        let Some(computed) = computed else {
            debug!(%operator, %job, "stopped");
            return;
        };
        let seconds = ended.seconds;
        self.tell_what(&ticket, &task, &computed, seconds);
        let listed = self.listed.get(&job);
        let Some(listed) = listed.filter(|listed| listed.ticket == ticket) else {
            debug!(%operator, %job, "the chain no longer waits for this result");
            return;
        };
        let (step, is_doubtful) = (listed.duty.step, listed.is_doubtful);
        if !self.keep(ticket, &computed.product) {
            return;
        }
        if is_doubtful {
            info!(operator = %self.identity.name, %job, "stored; it is submitted when the node is reachable again");
        } else {
            self.hand_over(ticket, step, &computed.product).await;
        }
    }

    fn tell_what(&self, ticket: &Ticket, task: &Task, computed: &Computed, seconds: f64) {
        let (operator, job) = (&self.identity.name, ticket.job);
        let rounded = format!("{seconds:.2}");
        self.metrics.executed(
            match task.work {
                Workload::Answer(_) => Execution::Answer,
                Workload::Check { .. } | Workload::SessionCheck { .. } => Execution::Check,
                Workload::Verdict(_) | Workload::SessionVerdict(_) => Execution::Verdict,
                Workload::Move(_) => Execution::Move,
            },
            seconds,
        );
        match (&computed.product, &computed.fault) {
            (Product::Answer(answer), _) => {
                let tokens = answer.tokens.len();
                self.metrics.tokens.inc_by(tokens as u64);
                info!(%operator, %job, tokens, seconds = rounded, "answered");
            }
            (Product::Move(made), _) => {
                info!(%operator, %job, next = %made, seconds = rounded, "the next move of the game is made");
            }
            (_, None) => {
                self.metrics.checks_valid.inc();
                info!(%operator, %job, seconds = rounded, "the answer is true");
            }
            (_, Some(reason)) => {
                self.metrics.checks_invalid.inc();
                warn!(%operator, %job, seconds = rounded, %reason, "the answer is false");
            }
        }
    }

    /// Demands a leaf of a session that could not be read several times, or for which little time is left.
    async fn demand(&mut self, ticket: Ticket, duty: &Duty) {
        let Some(listed) = self.listed.get(&ticket.job) else {
            return;
        };
        let is_urgent = duty.until <= self.block.saturating_add(URGENT);
        let is_due = listed.unread >= UNREAD || (is_urgent && listed.unread > 0);
        if let (true, Part::Check { claim, leaf, .. }) = (is_due, duty.part) {
            let action = Action::DemandLeaf { claim, leaf };
            self.perform(OpenDuty::Demand(claim, leaf), &action).await;
        }
    }

    async fn hand_over(&mut self, ticket: Ticket, step: DutyStep, product: &Product) {
        match action(&self.identity.controller, ticket.job, step, product) {
            Some(action) => self.perform(OpenDuty::Work(ticket, step), &action).await,
            None => self.is_kept_by(ticket.job, Trouble::NothingToReveal),
        }
    }

    /// Records that a step is in a finalized block. After a commitment, the result is kept for the reveal.
    pub(super) fn included(&mut self, ticket: Ticket, step: DutyStep, block: u64) {
        let Ok(Some(JobStage::Executed(product))) = self.record(&ticket) else {
            return;
        };
        let (counter, what) = match (product, step) {
            (Product::Answer(_), _) => (&self.metrics.answers, "answer"),
            (Product::Challenge, _) => (&self.metrics.challenges, "challenge"),
            (Product::Move(_), _) => (&self.metrics.moves, "move"),
            (Product::Check(_) | Product::SessionCheck(_), DutyStep::Reveal) => {
                (&self.metrics.checks, "check")
            }
            (Product::Verdict { .. }, DutyStep::Reveal) => (&self.metrics.verdicts, "verdict"),
            (
                Product::Check(_) | Product::SessionCheck(_) | Product::Verdict { .. },
                DutyStep::Execute,
            )
            | (Product::Contribution { .. } | Product::Scores { .. }, _) => return,
        };
        counter.inc();
        info!(operator = %self.identity.name, job = %ticket.job, block, "the {what} is on chain");
        let record = JobRecord {
            subject: ticket.subject,
            stage: JobStage::Done { block },
        };
        // Even if this cannot be written, the duty is done: the chain no longer lists it.
        self.write(&ticket, &record);
    }
}
