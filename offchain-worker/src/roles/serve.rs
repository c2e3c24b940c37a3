//! Answering: received, executed, submitted, done.

use super::operator::{Operator, Work};
use super::queue::OpenDuty;
use super::{Action, Duties, Job, Outcome};
use crate::store::{JobKey, JobStage, StoreError, StoredAnswer};
use noema_protocol::{hashing, Receipt};
use std::collections::HashSet;
use tracing::{info, warn};

impl Operator {
    pub(super) async fn serve(&mut self, duties: &Duties) -> Result<(), StoreError> {
        let mut listed = HashSet::new();
        for job in &duties.jobs {
            let key = self.key(job.question.request, job.attempt);
            listed.insert(key);
            self.advance_job(key, job).await?;
        }
        self.forget_unlisted(
            &listed,
            Work::Answer,
            JobStage::Done,
            "the chain no longer waits for this answer",
        )
    }

    async fn advance_job(&mut self, key: JobKey, job: &Job) -> Result<(), StoreError> {
        let operator = self.identity.name.clone();
        let request = key.request;
        match self.store.get::<JobStage>(&key)? {
            None => {
                info!(%operator, %request, attempt = job.attempt, deadline = job.deadline,
                    max_tokens = job.question.parameters.max_tokens, "this operator is to answer");
                self.store.put(&key, &JobStage::Received)?;
                self.metrics.jobs.inc();
                self.start_job(key, job)
            }
            Some(JobStage::Received) => self.start_job(key, job),
            Some(JobStage::Executed(answer)) => {
                self.submit(key, job, &answer).await;
                Ok(())
            }
            Some(JobStage::Done(_)) => Ok(()),
        }
    }

    fn start_job(&mut self, key: JobKey, job: &Job) -> Result<(), StoreError> {
        if !self.executor.has(&job.question.checkpoint) {
            let why = format!("checkpoint {} is not loaded", job.question.checkpoint);
            warn!(operator = %self.identity.name, request = %key.request, "{why}; start the worker with it, or stop serving it on chain");
            return self.store.put(&key, &JobStage::Done(why));
        }
        match self.start_answer(Work::Answer(key), job.question.clone()) {
            Ok(()) => Ok(()),
            Err(why) => self.store.put(&key, &JobStage::Done(why)),
        }
    }

    /// Stores a computed answer; if the operator still has the job, submits it at once.
    pub(super) async fn answered(
        &mut self,
        key: JobKey,
        answer: StoredAnswer,
        seconds: f64,
    ) -> Result<(), StoreError> {
        let Some(JobStage::Received) = self.store.get::<JobStage>(&key)? else {
            return Ok(());
        };
        let tokens = answer.tokens.len();
        info!(operator = %self.identity.name, request = %key.request, tokens,
            seconds = format!("{seconds:.2}"), "answered");
        self.store.put(&key, &JobStage::Executed(answer.clone()))?;
        // The receipt needs the question as the chain has it, so look again rather than remember.
        let duties = match self.ledger.duties(&[]).await {
            Ok(duties) => duties,
            Err(error) => {
                warn!(operator = %self.identity.name, request = %key.request, %error, "the answer is stored; it is submitted when the node is back");
                return Ok(());
            }
        };
        let job = duties
            .jobs
            .iter()
            .find(|job| self.key(job.question.request, job.attempt) == key);
        match job {
            Some(job) => {
                self.submit(key, job, &answer).await;
                Ok(())
            }
            None => {
                let why = "answered too late: the chain gave the job to another".to_owned();
                warn!(operator = %self.identity.name, request = %key.request, "{why}");
                self.store.put(&key, &JobStage::Done(why))
            }
        }
    }

    async fn submit(&mut self, key: JobKey, job: &Job, answer: &StoredAnswer) {
        let action = Action::SubmitResult {
            request: key.request,
            tokens: answer.tokens.clone(),
            text: answer.text.clone(),
            receipt: Box::new(receipt(job, answer)),
        };
        self.perform(OpenDuty::Answer(key), &action).await;
    }

    pub(super) fn answer_fate(&mut self, key: JobKey, outcome: Outcome) -> Result<(), StoreError> {
        let Outcome::Included { block } = outcome else {
            return Ok(());
        };
        info!(operator = %self.identity.name, request = %key.request, block, "the answer is on chain");
        self.metrics.answers.inc();
        let why = format!("answered in block {block}");
        self.store.put(&key, &JobStage::Done(why))
    }
}

/// Everything that the worker claims about its answer.
fn receipt(job: &Job, answer: &StoredAnswer) -> Receipt {
    let question = &job.question;
    Receipt {
        request: question.request,
        checkpoint: question.checkpoint,
        prompt_hash: hashing::prompt_hash(question.prompt.as_bytes()),
        parameters: question.parameters,
        seed: question.seed,
        output_hash: hashing::output_hash(&answer.tokens, answer.text.as_bytes()),
        prompt_tokens: answer.prompt_tokens,
        output_tokens: u32::try_from(answer.tokens.len()).unwrap_or(u32::MAX),
        trace_commitment: hashing::trace_commitment(question.request, answer.digest),
    }
}
