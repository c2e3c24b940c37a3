//! The duties that the chain lists: each is read once, and forgotten when it is no longer listed.

use super::listed::{Listed, Trouble};
use super::operator::OperatorLoop;
use super::operator_tasks::TaskKey;
use super::{Duty, DutyStep, Part, Task};
use crate::store::{JobStage, Product, Ticket};
use futures::stream::{self, StreamExt};
use noema_protocol::Job;
use std::collections::BTreeSet;
use std::sync::Arc;
use tracing::{debug, error, info, warn};

/// The number of duties that are read from the chain at the same time.
const READ_TOGETHER: usize = 8;

impl OperatorLoop {
    /// Forgets the duties that the chain no longer lists. Their records stay on disk: a check that is
    /// committed is listed again when it is to be revealed.
    pub(super) fn drop_unlisted(&mut self, due: &[Duty]) {
        let due: BTreeSet<_> = due.iter().map(|duty| duty.part.job()).collect();
        let gone: Vec<_> = self
            .listed
            .iter()
            .filter(|(job, _)| !due.contains(job))
            .map(|(job, listed)| (*job, (listed.ticket, listed.duty.part)))
            .collect();
        for (job, (ticket, part)) in gone {
            self.listed.remove(&job);
            self.tasks.cancel(&TaskKey::of(&part, ticket));
            let is_missed = match self.record(&ticket) {
                Ok(None | Some(JobStage::Executed(Product::Answer(_) | Product::Challenge))) => {
                    !self.queue.is_open_for(ticket)
                }
                Ok(Some(JobStage::Executed(_) | JobStage::Done { .. })) | Err(_) => false,
            };
            if is_missed {
                warn!(operator = %self.identity.name, %job, "the chain no longer waits for this");
            }
        }
    }

    /// Reads the duties that are listed for the first time or are in doubt.
    pub(super) async fn look_up(&mut self, due: &[Duty]) {
        let mut unknown = Vec::new();
        for duty in due {
            match self.listed.get_mut(&duty.part.job()) {
                Some(listed) if listed.is_about(duty) => listed.duty = *duty,
                _ => unknown.push(*duty),
            }
        }
        let mut reads = Vec::new();
        for duty in unknown {
            // A duty that is already computed, or can no longer be, needs no task.
            if let Some(subject) = duty.part.subject() {
                let job = duty.part.job();
                let ticket = Ticket { job, subject };
                let is_computed = matches!(self.stage(&ticket), Ok(Some(_)));
                if duty.step == DutyStep::Reveal || is_computed {
                    self.list(duty, ticket, None);
                    continue;
                }
            }
            let chain = self.chain.clone();
            reads.push(async move { (duty, chain.task(&duty).await) });
        }
        let read: Vec<_> = stream::iter(reads).buffered(READ_TOGETHER).collect().await;
        for (duty, task) in read {
            let job = duty.part.job();
            match task {
                Ok(Some(task)) => {
                    let subject = task.subject;
                    self.list(duty, Ticket { job, subject }, Some(Arc::new(task)));
                }
                Ok(None) => {
                    debug!(operator = %self.identity.name, %job, "the chain no longer lists this duty");
                }
                Err(error) => {
                    self.metrics.ledger_errors.inc();
                    warn!(operator = %self.identity.name, %job, %error, "cannot read the duty; trying again at the next block");
                }
            }
        }
    }

    fn list(&mut self, duty: Duty, ticket: Ticket, task: Option<Arc<Task>>) {
        let before = self.listed.remove(&ticket.job);
        let (unstored, trouble, unread) = match before {
            Some(before) if before.ticket == ticket => {
                (before.unstored, before.trouble, before.unread)
            }
            before => {
                if let Some(before) = before {
                    let key = TaskKey::of(&before.duty.part, before.ticket);
                    self.tasks.cancel(&key);
                }
                self.tell_of(&duty, &ticket);
                (None, None, 0)
            }
        };
        let listed = Listed {
            duty,
            ticket,
            task,
            is_doubtful: false,
            unstored,
            trouble,
            unread,
        };
        self.listed.insert(ticket.job, listed);
    }

    fn tell_of(&self, duty: &Duty, ticket: &Ticket) {
        if duty.step != DutyStep::Execute || matches!(self.stage(ticket), Ok(Some(_))) {
            return;
        }
        let (operator, until) = (&self.identity.name, duty.until);
        if let Part::Move { claim, leaf, .. } = duty.part {
            info!(%operator, %claim, leaf, until, "this operator has to move in a game over an answer");
            return;
        }
        match ticket.job {
            Job::Request(request) => {
                self.metrics.jobs.inc();
                info!(%operator, %request, until, "this operator was drawn to answer");
            }
            Job::Check(claim, leaf) => {
                info!(%operator, %claim, leaf, until, "this operator was drawn to check an answer");
            }
            Job::Dispute(claim, leaf) => {
                info!(%operator, %claim, leaf, until, "this operator is a juror in a dispute over an answer");
            }
            Job::Round(_) | Job::Session(..) => {}
        }
    }

    /// Logs once why the operator cannot perform a duty. This is not on disk: the duty is tried again after a
    /// restart.
    pub(super) fn is_kept_by(&mut self, job: Job, trouble: Trouble) {
        let Some(listed) = self.listed.get_mut(&job) else {
            return;
        };
        if listed.trouble == Some(trouble) {
            return;
        }
        listed.trouble = Some(trouble);
        let operator = &self.identity.name;
        match trouble {
            Trouble::NotLoaded => {
                let checkpoint = listed.duty.checkpoint;
                warn!(%operator, %job, %checkpoint, "the checkpoint is not loaded; start the worker with it, or stop serving it on chain");
            }
            Trouble::GivenUp => {
                error!(%operator, %job, "the model failed too often; this job is left until the next start");
            }
            Trouble::NothingToReveal => {
                error!(%operator, %job, "a commitment of this operator is on chain, but its content is not in this store; another process made it, or the store was lost");
            }
        }
    }
}
