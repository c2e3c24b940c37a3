//! A request in the scheduler.

use super::{Cancel, Owner, ScheduleError};
use noema_numerics::{BlocksRef, Checked, Checking, Generated, Generation, Step, StepBudget};
use std::sync::mpsc::Sender;

/// An event of a request. The receiver may be gone, which changes nothing.
pub(super) enum Event {
    Token(u32),
    /// The answer, and the positions of its prompt that were cached.
    Answered(Generated, usize),
    Checked(Checked),
    Failed(ScheduleError),
}

/// The work of a request.
pub(super) enum Work {
    Answer(Generation),
    Check(Checking),
}

/// What a request needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// The next token of an answer: one position in each pass.
    Token,
    /// The positions of its prompt.
    Prompt,
    /// The positions of a prompt and an answer to check.
    Check,
}

/// A request, and the channel for its events.
pub(super) struct Job {
    work: Work,
    /// Whose keys and values it reuses, and leaves for later requests.
    owner: Option<Owner>,
    /// Positions of its prompt that were cached when it was admitted.
    reused: usize,
    cancels: [Cancel; 2],
    events: Sender<Event>,
    /// Tokens of the answer that have been sent.
    told: usize,
}

impl Job {
    pub(super) fn new(
        work: Work,
        owner: Option<Owner>,
        cancels: [Cancel; 2],
        events: Sender<Event>,
    ) -> Self {
        Self {
            work,
            owner,
            reused: 0,
            cancels,
            events,
            told: 0,
        }
    }

    pub(super) const fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// Records that `positions` of its prompt were cached. One that is admitted again, after an executor failed,
    /// counts those that were cached at first.
    pub(super) fn reused(&mut self, positions: usize) {
        self.reused = self.reused.max(positions.min(self.prompt().len()));
    }

    /// Most positions of the cache that it can need.
    pub(super) fn positions(&self) -> usize {
        match &self.work {
            Work::Answer(generation) => generation.positions(),
            Work::Check(checking) => checking.positions(),
        }
    }

    /// Every token known: of the prompt and of the answer.
    pub(super) fn tokens(&self) -> &[u32] {
        match &self.work {
            Work::Answer(generation) => generation.tokens(),
            Work::Check(checking) => checking.tokens(),
        }
    }

    pub(super) fn prompt(&self) -> &[u32] {
        match &self.work {
            Work::Answer(generation) => generation.prompt(),
            Work::Check(checking) => checking.prompt(),
        }
    }

    /// What it needs next, with so many positions in its cache.
    pub(super) fn need(&self, cached: usize) -> Need {
        match &self.work {
            Work::Answer(generation) if cached + 1 >= generation.tokens().len() => Need::Token,
            Work::Answer(_) => Need::Prompt,
            Work::Check(_) => Need::Check,
        }
    }

    pub(super) fn step(&self, cached: usize, room: StepBudget) -> Option<Step<'_>> {
        match &self.work {
            Work::Answer(generation) => generation.step(cached, room),
            Work::Check(checking) => checking.step(cached, room),
        }
    }

    /// Processes the result of the last step.
    pub(super) fn feed(&mut self, hidden: BlocksRef<'_>, logits: &[i32]) {
        match &mut self.work {
            Work::Answer(generation) => {
                generation.feed(hidden, logits);
                for &token in generation.answer().iter().skip(self.told) {
                    let _ = self.events.send(Event::Token(token));
                    self.told += 1;
                }
            }
            Work::Check(checking) => checking.feed(hidden, logits),
        }
    }

    /// Discards the results of an executor that cannot be trusted.
    pub(super) fn restart(&mut self) {
        match &mut self.work {
            Work::Answer(generation) => generation.restart(),
            Work::Check(checking) => checking.restart(),
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancels.iter().any(Cancel::is_cancelled)
    }

    pub(super) fn is_done(&self) -> bool {
        match &self.work {
            Work::Answer(generation) => generation.end().is_some(),
            Work::Check(checking) => checking.is_done(),
        }
    }

    /// Sends the result; a job that is not done was cancelled.
    pub(super) fn finish(self) {
        let event = match self.work {
            Work::Answer(generation) => Event::Answered(generation.finish(), self.reused),
            Work::Check(checking) => match checking.finish() {
                Some(checked) => Event::Checked(checked),
                None => Event::Failed(ScheduleError::Cancelled),
            },
        };
        let _ = self.events.send(event);
    }

    pub(super) fn fail(self, error: ScheduleError) {
        let _ = self.events.send(Event::Failed(error));
    }
}
