//! The model behind a worker's answers.

use noema_protocol::{CheckpointId, SamplingParameters, SessionId};
use noema_sessions::AnswerEnd;
use sp_core::H256;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// Everything that determines an answer of a session, and the session, whose keys and values are cached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionQuestion {
    /// The session.
    pub session: SessionId,
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The tokens of the prompt.
    pub prompt: Vec<u32>,
    /// The sampling parameters.
    pub parameters: SamplingParameters,
    /// The sampling seed of the answer.
    pub seed: H256,
}

/// An answer of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionAnswer {
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// The root over the hashes of the hidden states from which the tokens were sampled.
    pub hidden_root: H256,
    /// Tokens at the beginning of the prompt whose keys and values were cached.
    pub cached_tokens: u32,
    /// Why it ended; [`AnswerEnd::ByPayer`] if it was stopped.
    pub end: AnswerEnd,
}

/// Why a model gives no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelFault {
    /// It has too much to do, for this reason.
    Busy(String),
    /// It failed, for this reason.
    Failed(String),
    /// The prompt has no answer, for this reason.
    Prompt(String),
}

/// Stops an answer within a pass, from any thread.
#[derive(Clone, Debug, Default)]
pub struct AnswerStop(Arc<AtomicBool>);

impl AnswerStop {
    /// Stops it.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has been stopped.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag that turns true when it is stopped.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }
}

/// Computes answers, several at a time.
pub trait SessionModel: Send + Sync + 'static {
    /// Answers a question; blocks until the answer has ended. `on_token` is called with each token, on this thread, and
    /// can end the answer.
    ///
    /// # Errors
    /// See [`ModelFault`].
    fn answer(
        &self,
        question: &SessionQuestion,
        stop: &AnswerStop,
        on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<SessionAnswer, ModelFault>;
}
