//! The queue of requests: bounded, first come, first admitted.

use super::{job::Job, ScheduleError};
use crate::ExecutorError;
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// The requests that are not in any pass yet.
pub(super) struct Queue {
    limit: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Why the queue refuses requests, if it does.
    closed: Option<ScheduleError>,
}

impl Queue {
    /// A queue in which at most `limit` requests wait.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is a single step, so it stays valid after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues `job` behind all others.
    pub(super) fn push(&self, job: Job) -> Result<(), ScheduleError> {
        let mut state = self.state();
        if let Some(reason) = &state.closed {
            return Err(reason.clone());
        }
        let waiting = state.waiting.len();
        if waiting >= self.limit {
            return Err(ScheduleError::Busy { waiting });
        }
        state.waiting.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Queues `job`, which had already been admitted, before all others.
    pub(super) fn push_front(&self, job: Job) {
        self.state().waiting.push_front(job);
    }

    /// The request that has waited longest.
    pub(super) fn pop(&self) -> Option<Job> {
        self.state().waiting.pop_front()
    }

    /// Requests that wait.
    pub(super) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Removes the requests that were cancelled while they waited.
    pub(super) fn release_cancelled(&self) {
        let mut state = self.state();
        if state.waiting.iter().any(Job::is_cancelled) {
            let all = std::mem::take(&mut state.waiting);
            let (cancelled, waiting): (VecDeque<_>, _) =
                all.into_iter().partition(Job::is_cancelled);
            state.waiting = waiting;
            cancelled.into_iter().for_each(Job::finish);
        }
    }

    /// Waits until the queue has a request; `false` once the queue is closed permanently.
    pub(super) fn wait(&self) -> bool {
        let mut state = self.state();
        loop {
            match &state.closed {
                Some(ScheduleError::Stopped) => return false,
                None if !state.waiting.is_empty() => return true,
                _ => {}
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the queue is closed permanently.
    pub(super) fn is_stopped(&self) -> bool {
        self.state().closed == Some(ScheduleError::Stopped)
    }

    /// Refuses further requests, and drops those that wait.
    pub(super) fn close(&self) {
        self.refuse(ScheduleError::Stopped);
    }

    /// Refuses all requests, now and later: there is no executor for them.
    pub(super) fn condemn(&self, error: ExecutorError) {
        self.refuse(ScheduleError::Executor(error));
    }

    fn refuse(&self, reason: ScheduleError) {
        let mut state = self.state();
        if state.closed != Some(ScheduleError::Stopped) {
            state.closed = Some(reason.clone());
        }
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for job in waiting {
            job.fail(reason.clone());
        }
        self.changed.notify_all();
    }
}
