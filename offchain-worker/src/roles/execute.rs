//! The model as a role sees it.

use super::{Answered, Finding, Question};
use crate::engine::{CheckVerdict, Engine, EngineError};
use crate::store::StoredAnswer;
use noema_protocol::{hashing, CheckpointId, Verdict};
use sp_core::H256;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Computes answers and checks them. Both calls block for as long as the model takes.
pub trait Executor: Send + Sync + 'static {
    /// Answers `question`; `None` if `cancelled` was set before the end.
    fn answer(
        &self,
        question: &Question,
        cancelled: &AtomicBool,
    ) -> Result<Option<StoredAnswer>, String>;

    /// Re-executes `answer`.
    fn check(&self, answer: &Answered) -> Result<Finding, String>;

    /// Whether the checkpoint is loaded.
    fn has(&self, checkpoint: &CheckpointId) -> bool;
}

/// Runs the loaded checkpoints, one execution at a time: each uses every thread it is given, and
/// two at once would only take memory from each other.
pub struct EngineExecutor {
    engines: BTreeMap<CheckpointId, Arc<Engine>>,
    turn: Mutex<()>,
}

impl EngineExecutor {
    /// An executor for these checkpoints.
    pub fn new(engines: BTreeMap<CheckpointId, Arc<Engine>>) -> Self {
        Self {
            engines,
            turn: Mutex::new(()),
        }
    }

    fn engine(&self, checkpoint: &CheckpointId) -> Result<&Engine, String> {
        self.engines
            .get(checkpoint)
            .map(|engine| engine.as_ref())
            .ok_or_else(|| {
                format!("checkpoint {checkpoint} is not loaded; pass it to --checkpoint")
            })
    }
}

impl Executor for EngineExecutor {
    fn answer(
        &self,
        question: &Question,
        cancelled: &AtomicBool,
    ) -> Result<Option<StoredAnswer>, String> {
        let engine = self.engine(&question.checkpoint)?;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let answer = engine
            .answer(
                &question.prompt,
                &question.parameters,
                question.seed.0,
                &mut |_| match cancelled.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                },
            )
            .map_err(|error| error.to_string())?;
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
        Ok(Some(StoredAnswer {
            prompt_tokens: answer.prompt_tokens,
            tokens: answer.tokens,
            text: answer.text,
            digest: H256(answer.digest),
        }))
    }

    fn check(&self, answer: &Answered) -> Result<Finding, String> {
        let question = &answer.question;
        let engine = self.engine(&question.checkpoint)?;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let check = match engine.check(
            &question.prompt,
            &question.parameters,
            question.seed.0,
            &answer.tokens,
            &answer.text,
        ) {
            Ok(check) => check,
            Err(error) if is_about_the_prompt(&error) => return Ok(unanswerable(&error)),
            Err(error) => return Err(error.to_string()),
        };
        let digest = H256(check.digest);
        let reason = match check.verdict {
            CheckVerdict::Invalid(reason) => Some(reason.to_string()),
            CheckVerdict::Valid => wrong_claim(answer, check.prompt_tokens, digest),
        };
        Ok(Finding {
            verdict: match reason {
                Some(_) => Verdict::Invalid,
                None => Verdict::Valid,
            },
            reason: reason.unwrap_or_default(),
            digest,
        })
    }

    fn has(&self, checkpoint: &CheckpointId) -> bool {
        self.engines.contains_key(checkpoint)
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
