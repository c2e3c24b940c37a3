//! The model as a role sees it.

use super::{Answered, Finding, Question};
use crate::engine::{CheckVerdict, Engine, EngineError};
use crate::store::StoredAnswer;
use noema_executor::{Cancel, ScheduleError};
use noema_protocol::{hashing, CheckpointId, Verdict};
use sp_core::H256;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

/// Why an execution has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionError {
    /// Too much is waiting to be executed; nothing is wrong with this, which can be tried later.
    #[error("{0}")]
    Busy(String),
    /// It failed.
    #[error("{0}")]
    Failed(String),
}

impl From<EngineError> for ExecutionError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Schedule(ScheduleError::Busy { .. }) => Self::Busy(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Computes answers and checks them, several at once. Both calls block for as long as the model
/// takes.
pub trait Executor: Send + Sync + 'static {
    /// Answers `question`; `None` if it was cancelled before the end.
    fn answer(
        &self,
        question: &Question,
        cancel: &Cancel,
    ) -> Result<Option<StoredAnswer>, ExecutionError>;

    /// Re-executes `answer`; `None` if that was cancelled before the end.
    fn check(&self, answer: &Answered, cancel: &Cancel) -> Result<Option<Finding>, ExecutionError>;

    /// Whether the checkpoint is loaded.
    fn has(&self, checkpoint: &CheckpointId) -> bool;
}

/// Runs the loaded checkpoints, each of which executes what it is given together.
pub struct EngineExecutor {
    engines: RwLock<BTreeMap<CheckpointId, Arc<Engine>>>,
}

impl EngineExecutor {
    /// An executor for these checkpoints.
    pub const fn new(engines: BTreeMap<CheckpointId, Arc<Engine>>) -> Self {
        Self {
            engines: RwLock::new(engines),
        }
    }

    /// Loads one more.
    pub fn insert(&self, checkpoint: CheckpointId, engine: Arc<Engine>) {
        let mut engines = self.engines.write().unwrap_or_else(PoisonError::into_inner);
        engines.insert(checkpoint, engine);
    }

    /// Unloads one, once what is being executed on it has ended.
    pub fn remove(&self, checkpoint: &CheckpointId) {
        let mut engines = self.engines.write().unwrap_or_else(PoisonError::into_inner);
        engines.remove(checkpoint);
    }

    /// The engine of a checkpoint, if it is loaded.
    pub fn loaded(&self, checkpoint: &CheckpointId) -> Option<Arc<Engine>> {
        let engines = self.engines.read().unwrap_or_else(PoisonError::into_inner);
        engines.get(checkpoint).cloned()
    }

    fn engine(&self, checkpoint: &CheckpointId) -> Result<Arc<Engine>, ExecutionError> {
        self.loaded(checkpoint).ok_or_else(|| {
            ExecutionError::Failed(format!(
                "checkpoint {checkpoint} is not loaded; pass it to --checkpoint"
            ))
        })
    }
}

impl Executor for EngineExecutor {
    fn answer(
        &self,
        question: &Question,
        cancel: &Cancel,
    ) -> Result<Option<StoredAnswer>, ExecutionError> {
        let engine = self.engine(&question.checkpoint)?;
        let answer = engine.answer_unless(
            cancel,
            &question.prompt,
            &question.parameters,
            question.seed.0,
            &mut |_| ControlFlow::Continue(()),
        )?;
        if cancel.is_cancelled() {
            return Ok(None);
        }
        Ok(Some(StoredAnswer {
            prompt_tokens: answer.prompt_tokens,
            tokens: answer.tokens,
            text: answer.text,
            digest: H256(answer.digest),
        }))
    }

    fn check(&self, answer: &Answered, cancel: &Cancel) -> Result<Option<Finding>, ExecutionError> {
        let question = &answer.question;
        let engine = self.engine(&question.checkpoint)?;
        let check = match engine.check_unless(
            cancel,
            &question.prompt,
            &question.parameters,
            question.seed.0,
            &answer.tokens,
            &answer.text,
        ) {
            Ok(check) => check,
            Err(EngineError::Schedule(ScheduleError::Cancelled)) => return Ok(None),
            Err(error) if is_about_the_prompt(&error) => return Ok(Some(unanswerable(&error))),
            Err(error) => return Err(error.into()),
        };
        let digest = H256(check.digest);
        let reason = match check.verdict {
            CheckVerdict::Invalid(reason) => Some(reason.to_string()),
            CheckVerdict::Valid => wrong_claim(answer, check.prompt_tokens, digest),
        };
        Ok(Some(Finding {
            verdict: match reason {
                Some(_) => Verdict::Invalid,
                None => Verdict::Valid,
            },
            reason: reason.unwrap_or_default(),
            digest,
        }))
    }

    fn has(&self, checkpoint: &CheckpointId) -> bool {
        self.loaded(checkpoint).is_some()
    }
}

/// Whether the checkpoint has no answer to this prompt, whoever executes it.
fn is_about_the_prompt(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Render(_) | EngineError::Encode(_) | EngineError::PromptTooLong { .. }
    )
}

/// An answer to a prompt that has none is wrong. There is no digest to show; all validators show
/// the same zero, so that they agree.
fn unanswerable(error: &EngineError) -> Finding {
    Finding {
        verdict: Verdict::Invalid,
        reason: format!("the checkpoint has no answer to this prompt: {error}"),
        digest: H256::zero(),
    }
}

/// What the receipt claims beyond tokens and text, and execution does not bear out.
///
/// A wrong trace commitment over a right answer is a lie too: it would make every honest validator
/// look lazy.
fn wrong_claim(answer: &Answered, prompt_tokens: u32, digest: H256) -> Option<String> {
    let receipt = &answer.receipt;
    if receipt.prompt_tokens != prompt_tokens {
        return Some(format!(
            "the receipt counts {} prompt tokens, there are {prompt_tokens}",
            receipt.prompt_tokens
        ));
    }
    if receipt.trace_commitment != hashing::trace_commitment(answer.question.request, digest) {
        return Some("the trace commitment does not open to the digest of the execution".into());
    }
    None
}
