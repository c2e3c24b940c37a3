//! A fake model that answers at once, or when the test lets it.

use noema_disputes::Place;
use noema_model::engine::{Answer, AnswerFault, Check, CheckVerdict};
use noema_protocol::CheckpointId;
use noema_session_transport::SessionLeaf;
use noema_worker::games::{Move, PlayedGame};
use noema_worker::roles::{Answered, Cancel, Engines, ExecutionError, Question, Reexecution};
use sp_core::H256;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Mutex;
use std::time::Duration;

/// The node of every move.
pub(crate) const POINTED: Place = Place { row: 3, index: 1 };

/// A model with the same answer to every prompt.
#[derive(Default)]
pub(crate) struct FakeModel {
    pub(crate) answers: AtomicU32,
    pub(crate) checks: AtomicU32,
    /// Moves of games that were made.
    pub(crate) moves: AtomicU32,
    pub(crate) fails: AtomicBool,
    /// Always fails permanently.
    pub(crate) refuses: AtomicBool,
    /// Always is busy.
    pub(crate) busy: AtomicBool,
    /// Computes only once this is off, or when cancelled.
    pub(crate) blocked: AtomicBool,
    /// Has no answer to any prompt.
    pub(crate) speechless: AtomicBool,
    /// Has no checkpoint.
    pub(crate) is_empty: AtomicBool,
    /// What waits until it is let.
    waiting: Mutex<BTreeMap<u32, Cancel>>,
}

impl FakeModel {
    /// Whether the execution ends with a result.
    fn executes(&self, count: &AtomicU32, cancel: &Cancel) -> Result<bool, ExecutionError> {
        if self.busy.load(Ordering::SeqCst) {
            return Err(ExecutionError::Busy("the test keeps it busy".into()));
        }
        count.fetch_add(1, Ordering::SeqCst);
        if !self.waits(cancel) {
            return Ok(false);
        }
        if self.refuses.load(Ordering::SeqCst) {
            return Err(ExecutionError::Permanent("the prompt has no tokens".into()));
        }
        match self.fails.load(Ordering::SeqCst) {
            true => Err(ExecutionError::Failed("out of memory".into())),
            false => Ok(true),
        }
    }

    /// Waits until it is let; whether it was, and not cancelled.
    fn waits(&self, cancel: &Cancel) -> bool {
        let waiting = || self.waiting.lock().expect("no test thread has panicked");
        let place = {
            let mut waiting = waiting();
            let place = waiting.last_key_value().map_or(0, |(last, _)| last + 1);
            waiting.insert(place, cancel.clone());
            place
        };
        let goes_on = loop {
            if !self.blocked.load(Ordering::SeqCst) {
                break true;
            }
            if cancel.is_cancelled() {
                break false;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        waiting().remove(&place);
        goes_on
    }

    /// How many executions go on only when they are let.
    pub(crate) fn held(&self) -> usize {
        if !self.blocked.load(Ordering::SeqCst) {
            return 0;
        }
        let waiting = self.waiting.lock().expect("no test thread has panicked");
        let held = waiting.values().filter(|cancel| !cancel.is_cancelled());
        held.count()
    }

    pub(crate) fn executed(&self) -> u32 {
        self.answers.load(Ordering::SeqCst) + self.checks.load(Ordering::SeqCst)
    }
}

/// The model's answer to every prompt.
pub(crate) fn answer() -> Answer {
    Answer {
        prompt_tokens: 4,
        tokens: vec![5, 6, 7],
        text: "because".into(),
        hidden: [8, 9, 10].map(H256::repeat_byte).to_vec(),
    }
}

impl Engines for FakeModel {
    fn answer(&self, _: &Question, cancel: &Cancel) -> Result<Option<Answer>, ExecutionError> {
        let goes_on = self.executes(&self.answers, cancel)?;
        Ok(goes_on.then(answer))
    }

    fn check(
        &self,
        leaf: &Answered,
        cancel: &Cancel,
    ) -> Result<Option<Reexecution>, ExecutionError> {
        if !self.executes(&self.checks, cancel)? {
            return Ok(None);
        }
        if self.speechless.load(Ordering::SeqCst) {
            return Ok(Some(Reexecution::Unanswerable("it is too long".into())));
        }
        let right = answer();
        let verdict = if leaf.tokens != right.tokens {
            CheckVerdict::Invalid(AnswerFault::WrongToken {
                index: 0,
                expected: right.tokens[0],
                found: leaf.tokens[0],
            })
        } else if leaf.text != right.text {
            CheckVerdict::Invalid(AnswerFault::WrongText)
        } else {
            CheckVerdict::Valid
        };
        Ok(Some(Reexecution::Checked(Check {
            verdict,
            prompt_tokens: right.prompt_tokens,
            hidden: right.hidden,
        })))
    }

    fn check_session(
        &self,
        _: &CheckpointId,
        leaf: &SessionLeaf,
        cancel: &Cancel,
    ) -> Result<Option<Reexecution>, ExecutionError> {
        if !self.executes(&self.checks, cancel)? {
            return Ok(None);
        }
        let right = answer();
        let verdict = match leaf.answer == right.tokens {
            true => CheckVerdict::Valid,
            false => CheckVerdict::Invalid(AnswerFault::WrongToken {
                index: 0,
                expected: right.tokens[0],
                found: leaf.answer[0],
            }),
        };
        Ok(Some(Reexecution::Checked(Check {
            verdict,
            prompt_tokens: leaf.receipt.prompt_tokens,
            hidden: right.hidden,
        })))
    }

    fn next_move(
        &self,
        open: &PlayedGame,
        _: &SessionLeaf,
        rows: &[Vec<H256>],
        cancel: &Cancel,
    ) -> Result<Option<Move>, ExecutionError> {
        if !self.executes(&self.moves, cancel)? {
            return Ok(None);
        }
        let row = rows.first().cloned().unwrap_or_default();
        Ok(Some(match open.is_claimant() {
            true => Move::Show {
                node: POINTED,
                challengers: open.lines.iter().map(|(who, _)| *who).collect(),
                row,
            },
            false => Move::Point {
                node: POINTED,
                hash: H256::repeat_byte(6),
                siblings: row,
            },
        }))
    }

    fn has(&self, _: &CheckpointId) -> bool {
        !self.is_empty.load(Ordering::SeqCst)
    }
}
