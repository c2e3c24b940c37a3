//! Execution of the model for an operator.

use super::{Answered, Question, Reexecution};
use crate::games::{KeptTraces, Move, PlayedGame};
use noema_claims::merkle_root;
use noema_executor::{Cancel, ScheduleError};
use noema_model::engine::{Answer, Engine, EngineError};
use noema_model::printable::one_line;
use noema_protocol::CheckpointId;
use noema_session_transport::{
    AnswerStop, ModelFault, SessionAnswer, SessionLeaf, SessionModel, SessionQuestion,
};
use sp_core::H256;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

/// Why an execution has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionError {
    /// The queue of the model is full: it can be tried again later.
    #[error("{0}")]
    Busy(String),
    /// It failed, and may succeed when it is tried again.
    #[error("{0}")]
    Failed(String),
    /// It always fails on this machine.
    #[error("{0}")]
    Permanent(String),
}

impl From<EngineError> for ExecutionError {
    fn from(error: EngineError) -> Self {
        // The reason may quote the prompt.
        let reason = one_line(&error.to_string());
        match error {
            EngineError::Schedule(ScheduleError::Busy { .. }) => Self::Busy(reason),
            error if is_permanent(&error) => Self::Permanent(reason),
            _ => Self::Failed(reason),
        }
    }
}

/// Computes answers and checks them, several at a time. Both calls block until the model is done.
pub trait Engines: Send + Sync + 'static {
    /// Answers `question`; `None` if it was cancelled.
    fn answer(
        &self,
        question: &Question,
        cancel: &Cancel,
    ) -> Result<Option<Answer>, ExecutionError>;

    /// Re-executes `leaf`, with all of its positions in one pass; `None` if it was cancelled.
    fn check(
        &self,
        leaf: &Answered,
        cancel: &Cancel,
    ) -> Result<Option<Reexecution>, ExecutionError>;

    /// Re-executes an answer of a session as [`check`](Self::check) does; `None` if it was cancelled.
    fn check_session(
        &self,
        checkpoint: &CheckpointId,
        leaf: &SessionLeaf,
        cancel: &Cancel,
    ) -> Result<Option<Reexecution>, ExecutionError>;

    /// The next move in a game over `leaf`, from its trace, which is executed for the first move of the game and kept;
    /// `None` if it was cancelled. `rows` are those that the claimant showed.
    fn next_move(
        &self,
        open: &PlayedGame,
        leaf: &SessionLeaf,
        rows: &[Vec<H256>],
        cancel: &Cancel,
    ) -> Result<Option<Move>, ExecutionError>;

    /// Whether the checkpoint is loaded.
    fn has(&self, checkpoint: &CheckpointId) -> bool;
}

/// Executes on the loaded checkpoints. Each of them batches its requests.
pub struct LoadedEngines {
    engines: RwLock<BTreeMap<CheckpointId, Arc<Engine>>>,
    traces: KeptTraces,
}

impl LoadedEngines {
    /// The engines of these checkpoints.
    pub fn new(engines: BTreeMap<CheckpointId, Arc<Engine>>) -> Self {
        Self {
            engines: RwLock::new(engines),
            traces: KeptTraces::default(),
        }
    }

    /// Adds a loaded checkpoint.
    pub fn insert(&self, checkpoint: CheckpointId, engine: Arc<Engine>) {
        let mut engines = self.engines.write().unwrap_or_else(PoisonError::into_inner);
        engines.insert(checkpoint, engine);
    }

    /// Unloads a checkpoint, once its current executions have ended.
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

impl Engines for LoadedEngines {
    fn answer(
        &self,
        question: &Question,
        cancel: &Cancel,
    ) -> Result<Option<Answer>, ExecutionError> {
        let engine = self.engine(&question.checkpoint)?;
        let answer = engine.answer_unless(
            cancel,
            &question.prompt,
            &question.parameters,
            question.seed.0,
            &mut |_| ControlFlow::Continue(()),
        )?;
        Ok((!cancel.is_cancelled()).then_some(answer))
    }

    fn check(
        &self,
        leaf: &Answered,
        cancel: &Cancel,
    ) -> Result<Option<Reexecution>, ExecutionError> {
        let question = &leaf.question;
        let engine = self.engine(&question.checkpoint)?;
        match engine.check_unless(
            cancel,
            &question.prompt,
            &question.parameters,
            question.seed.0,
            &leaf.tokens,
            &leaf.text,
        ) {
            Ok(check) => Ok(Some(Reexecution::Checked(check))),
            Err(EngineError::Schedule(ScheduleError::Cancelled)) => Ok(None),
            // The reason may quote the prompt.
            Err(error) if is_about_the_question(&error) => Ok(Some(Reexecution::Unanswerable(
                one_line(&error.to_string()),
            ))),
            Err(error) => Err(error.into()),
        }
    }

    fn check_session(
        &self,
        checkpoint: &CheckpointId,
        leaf: &SessionLeaf,
        cancel: &Cancel,
    ) -> Result<Option<Reexecution>, ExecutionError> {
        let receipt = &leaf.receipt;
        match self.engine(checkpoint)?.check_tokens(
            cancel,
            &leaf.prompt,
            &receipt.parameters,
            receipt.seed.0,
            &leaf.answer,
            receipt.end,
        ) {
            Ok(check) => Ok(Some(Reexecution::Checked(check))),
            Err(EngineError::Schedule(ScheduleError::Cancelled)) => Ok(None),
            Err(error) if is_about_tokens(&error) => Ok(Some(Reexecution::Unanswerable(one_line(
                &error.to_string(),
            )))),
            Err(error) => Err(error.into()),
        }
    }

    fn next_move(
        &self,
        open: &PlayedGame,
        leaf: &SessionLeaf,
        rows: &[Vec<H256>],
        cancel: &Cancel,
    ) -> Result<Option<Move>, ExecutionError> {
        let engine = self.engine(&open.claimed.agreement.checkpoint)?;
        let slot = self.traces.slot(leaf.receipt.hash());
        match open.next_of(&slot, &engine, leaf, rows, cancel) {
            Ok(made) => Ok(Some(made)),
            Err(_) if cancel.is_cancelled() => Ok(None),
            Err(error) if error.is_passing() => Err(ExecutionError::Busy(error.to_string())),
            Err(error) => Err(ExecutionError::Permanent(error.to_string())),
        }
    }

    fn has(&self, checkpoint: &CheckpointId) -> bool {
        self.loaded(checkpoint).is_some()
    }
}

impl SessionModel for LoadedEngines {
    fn answer(
        &self,
        question: &SessionQuestion,
        stop: &AnswerStop,
        on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<SessionAnswer, ModelFault> {
        let engine = self
            .engine(&question.checkpoint)
            .map_err(|error| ModelFault::Failed(error.to_string()))?;
        let answered = engine.answer_tokens(
            &Cancel::from(stop.flag()),
            question.session,
            &question.prompt,
            &question.parameters,
            question.seed.0,
            on_token,
        );
        match answered {
            Ok(answer) => Ok(SessionAnswer {
                hidden_root: merkle_root(&answer.hidden),
                tokens: answer.tokens,
                cached_tokens: answer.cached_tokens,
                end: answer.end,
            }),
            Err(error) => {
                let reason = one_line(&error.to_string());
                Err(match error {
                    EngineError::Schedule(ScheduleError::Busy { .. }) => ModelFault::Busy(reason),
                    error if is_about_tokens(&error) => ModelFault::Prompt(reason),
                    _ => ModelFault::Failed(reason),
                })
            }
        }
    }
}

/// Whether the checkpoint has no answer to these tokens on any machine.
const fn is_about_tokens(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Parameters(_) | EngineError::Schedule(ScheduleError::Refused(_))
    )
}

/// Whether the execution always fails on this machine.
const fn is_permanent(error: &EngineError) -> bool {
    is_about_the_question(error)
        || matches!(
            error,
            EngineError::Decode(_) | EngineError::Schedule(ScheduleError::Refused(_))
        )
}

/// Whether the checkpoint has no answer to this question on any machine.
const fn is_about_the_question(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Encode(_) | EngineError::PromptTooLong { .. } | EngineError::Parameters(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use noema_numerics::ForwardError;

    #[test]
    fn what_follows_from_the_prompt_is_permanent_and_one_line() {
        let refused = ScheduleError::Refused(ForwardError::EmptyPrompt);
        let long = EngineError::PromptTooLong {
            tokens: 9,
            context: 8,
        };
        for error in [
            EngineError::Encode("no\n  such\u{1b}byte".into()),
            EngineError::Schedule(refused),
            long,
        ] {
            let ExecutionError::Permanent(reason) = ExecutionError::from(error) else {
                panic!("it is tried again");
            };
            assert!(!reason.contains(['\n', '\u{1b}']), "{reason}");
        }
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        let busy = EngineError::Schedule(ScheduleError::Busy { waiting: 3 });
        assert!(matches!(
            ExecutionError::from(busy),
            ExecutionError::Busy(_)
        ));
        let stopped = EngineError::Schedule(ScheduleError::Stopped);
        assert!(matches!(
            ExecutionError::from(stopped),
            ExecutionError::Failed(_)
        ));
    }
}
