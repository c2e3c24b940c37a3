//! The tasks of an operator, which run beside its loop.

use crate::panicked::message;
use futures::future::FutureExt;
use noema_executor::Cancel;
use noema_model::printable::one_line;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tokio::task::JoinSet;

/// The most blocks between two attempts at a task that fails.
const LONGEST_PAUSE: u64 = 16;

/// Why a task has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TaskError {
    /// It stopped because it was cancelled.
    Stopped,
    /// It could not run yet, and is tried at the next block.
    Later(String),
    /// The leaf of a session could not be read, and is tried at the next block.
    Unread {
        /// The reason.
        reason: String,
        /// Whether it was demanded already.
        is_demanded: bool,
    },
    /// It failed, and is tried less and less often.
    Failed(String),
    /// It failed, and always will.
    Permanent(String),
}

/// A task that ended.
pub(super) struct Ended<K, T> {
    /// Its key.
    pub(super) key: K,
    pub(super) result: Result<T, TaskError>,
    /// Whether its result is no longer needed.
    pub(super) was_cancelled: bool,
    pub(super) seconds: f64,
}

#[derive(Clone, Copy, Default)]
struct Failures {
    count: u32,
    retry_at: u64,
}

/// The tasks of one operator, at most one for each key. Dropping this cancels those that run.
pub(super) struct Tasks<K, T> {
    /// The block of the latest turn.
    block: u64,
    running: BTreeMap<K, Cancel>,
    failures: BTreeMap<K, Failures>,
    set: JoinSet<Ended<K, T>>,
}

impl<K, T> Tasks<K, T>
where
    K: Copy + Ord + Send + 'static,
    T: Send + 'static,
{
    /// A set without tasks.
    pub(super) fn new() -> Self {
        Self {
            block: 0,
            running: BTreeMap::new(),
            failures: BTreeMap::new(),
            set: JoinSet::new(),
        }
    }

    /// Begins a turn at `block`.
    pub(super) fn begin(&mut self, block: u64) {
        self.block = block;
    }

    /// The keys of the tasks that run.
    pub(super) fn running(&self) -> impl Iterator<Item = &K> {
        self.running.keys()
    }

    /// Whether a task for this key runs.
    pub(super) fn is_running(&self, key: &K) -> bool {
        self.running.contains_key(key)
    }

    /// The number of failures of this key since its last success.
    pub(super) fn failures(&self, key: &K) -> u32 {
        self.failures.get(key).map_or(0, |failures| failures.count)
    }

    /// Whether a task for this key may start: none runs, and the last one did not fail too recently or
    /// permanently.
    pub(super) fn is_due(&self, key: &K) -> bool {
        let retry_at = self.failures.get(key).map(|failures| failures.retry_at);
        !self.is_running(key) && retry_at.is_none_or(|at| self.block >= at)
    }

    /// Starts a task, unless one for this key runs.
    pub(super) fn start<F>(&mut self, key: K, task: impl FnOnce(Cancel) -> F)
    where
        F: Future<Output = Result<T, TaskError>> + Send + 'static,
    {
        if self.is_running(&key) {
            return;
        }
        let cancel = Cancel::default();
        self.running.insert(key, cancel.clone());
        let task = AssertUnwindSafe(task(cancel.clone())).catch_unwind();
        self.set.spawn(async move {
            let begun = Instant::now();
            let result = task.await.unwrap_or_else(|panicked| {
                let reason = one_line(message(panicked.as_ref()));
                Err(TaskError::Failed(format!("it panicked: {reason}")))
            });
            Ended {
                key,
                result,
                was_cancelled: cancel.is_cancelled(),
                seconds: begun.elapsed().as_secs_f64(),
            }
        });
    }

    /// Waits for the next task to end. Never ends while none runs.
    pub(super) async fn next(&mut self) -> Ended<K, T> {
        loop {
            match self.set.join_next().await {
                Some(Ok(ended)) => {
                    self.note(&ended);
                    return ended;
                }
                // Panics are caught, and nothing is aborted before this is dropped.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    fn note(&mut self, ended: &Ended<K, T>) {
        self.running.remove(&ended.key);
        let pause = match &ended.result {
            Err(TaskError::Stopped) => return,
            Err(_) if ended.was_cancelled => return,
            Ok(_) => {
                self.failures.remove(&ended.key);
                return;
            }
            Err(TaskError::Later(_) | TaskError::Unread { .. }) => 1,
            Err(TaskError::Failed(_)) => {
                let failures = self.failures.entry(ended.key).or_default();
                failures.count = failures.count.saturating_add(1);
                let pause = 1u64.checked_shl(failures.count).unwrap_or(LONGEST_PAUSE);
                pause.min(LONGEST_PAUSE)
            }
            Err(TaskError::Permanent(_)) => u64::MAX,
        };
        let failures = self.failures.entry(ended.key).or_default();
        failures.retry_at = self.block.saturating_add(pause);
    }

    /// Cancels a task, and forgets its failures.
    pub(super) fn cancel(&mut self, key: &K) {
        if let Some(cancel) = self.running.get(key) {
            cancel.cancel();
        }
        self.failures.remove(key);
    }
}

impl<K, T> Tasks<K, T> {
    /// Cancels all tasks.
    pub(super) fn cancel_all(&self) {
        self.running.values().for_each(Cancel::cancel);
    }
}

impl<K, T> Drop for Tasks<K, T> {
    /// Waiting tasks are dropped with the set; computations see that they were cancelled.
    fn drop(&mut self) {
        self.cancel_all();
    }
}

/// Runs `compute` on a thread for blocking work. A panic continues in the task that waits for it.
pub(super) async fn blocking<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(compute).await {
        Ok(computed) => computed,
        Err(error) => match error.try_into_panic() {
            Ok(panicked) => std::panic::resume_unwind(panicked),
            // The runtime shuts down, and drops the task that waits.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: u8 = 1;

    fn failed() -> TaskError {
        TaskError::Failed("out of memory".into())
    }

    /// Starts a task with this result in each of `blocks` turns in which it is due. Returns these turns.
    async fn tries(blocks: u64, result: Result<(), TaskError>) -> Vec<u64> {
        let mut tasks = Tasks::new();
        let mut tried = Vec::new();
        for block in 0..blocks {
            tasks.begin(block);
            if tasks.is_due(&KEY) {
                let result = result.clone();
                tasks.start(KEY, |_| async move { result });
                tasks.next().await;
                tried.push(block);
            }
        }
        tried
    }

    #[tokio::test]
    async fn a_task_that_fails_is_tried_less_and_less_often() {
        assert_eq!(tries(60, Err(failed())).await, [0, 2, 6, 14, 30, 46]);
    }

    #[tokio::test]
    async fn a_task_with_which_nothing_is_wrong_is_tried_at_each_block() {
        let later = TaskError::Later("busy".into());
        assert_eq!(tries(3, Err(later)).await, [0, 1, 2]);
    }

    #[tokio::test]
    async fn a_task_that_always_fails_is_tried_once() {
        let permanent = TaskError::Permanent("the prompt has no tokens".into());
        assert_eq!(tries(60, Err(permanent)).await, [0]);
    }

    #[tokio::test]
    async fn a_success_ends_the_count_of_failures() {
        let mut tasks = Tasks::new();
        for (block, result, count) in [(0, Err(failed()), 1), (2, Err(failed()), 2), (6, Ok(()), 0)]
        {
            tasks.begin(block);
            assert!(tasks.is_due(&KEY), "{block}");
            tasks.start(KEY, |_| async move { result });
            assert!(!tasks.is_due(&KEY), "it runs");
            tasks.next().await;
            assert_eq!(tasks.failures(&KEY), count);
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_its_task_alone() {
        let mut tasks = Tasks::new();
        let panics = |message: &'static str| -> Result<(), TaskError> { panic!("{message}") };
        tasks.start(1, |_| async move { panics("oh\u{1b}") });
        tasks.start(2, |_| async move { blocking(move || panics("ah")).await });
        tasks.start(3, |_| async { Ok(()) });
        let mut results = BTreeMap::new();
        for _ in 0..3 {
            let ended = tasks.next().await;
            results.insert(ended.key, ended.result);
        }
        let panicked = |said: &str| Err(TaskError::Failed(format!("it panicked: {said}")));
        let expected = [
            (1, panicked("oh\u{fffd}")),
            (2, panicked("ah")),
            (3, Ok(())),
        ];
        assert_eq!(results, expected.into());
        assert_eq!(tasks.running().count(), 0);
    }

    async fn until_cancelled(cancel: Cancel) -> Result<(), TaskError> {
        while !cancel.is_cancelled() {
            tokio::task::yield_now().await;
        }
        Err(failed())
    }

    #[tokio::test]
    async fn the_failure_of_what_was_cancelled_does_not_count() {
        let mut tasks = Tasks::new();
        tasks.start(KEY, until_cancelled);
        tasks.cancel(&KEY);
        let ended = tasks.next().await;
        assert!(ended.was_cancelled);
        assert!(tasks.is_due(&KEY));
    }

    #[tokio::test]
    async fn what_computes_is_cancelled_when_its_receiver_is_dropped() {
        let mut tasks = Tasks::<u8, ()>::new();
        let (sender, given) = tokio::sync::oneshot::channel();
        tasks.start(KEY, |cancel| async move {
            let _ = sender.send(cancel);
            std::future::pending().await
        });
        let cancel = given.await.expect("it was begun");
        drop(tasks);
        assert!(cancel.is_cancelled());
    }
}
