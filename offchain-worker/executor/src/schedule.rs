//! Many requests on one executor.
//!
//! ```text
//! answer(), check()  ── bounded queue ──>  scheduler's thread  ── passes ──>  executor
//!   on any thread         first come,        the requests of a pass,           caches, weights
//!                         first admitted     with how many positions
//! ```
//! A request joins at the next pass and leaves when it is done. Every answer that is being generated has its
//! next token in every pass, as long as passes do not take too long; prompts and checks have a bounded number
//! of positions beside them, so that neither waits for the other. The request that was admitted first goes
//! first, since its deadline comes first. The answer, or the finding of a check, does not depend on any of
//! this: it is the result of `noema_numerics::generate` and `check`.
//!
//! An executor that is lost, or is found to compute wrong numbers, is replaced by the fallback. Requests
//! continue there from the tokens they had, or from the beginning if these cannot be trusted.

mod active;
mod budget;
mod guarded;
mod job;
mod kept;
mod plan;
mod prefix;
mod queue;
mod worker;

use crate::{Executor, ExecutorError};
use guarded::Guarded;
use job::{Event, Job, Work};
use noema_numerics::{
    Architecture, Checked, Checking, ForwardError, Generated, Generation, GenerationParameters,
};
use queue::Queue;
use std::{
    ops::ControlFlow,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc, Arc,
    },
    thread::JoinHandle,
    time::Duration,
};
use worker::Worker;

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The prompt has no answer.
    #[error("The prompt cannot be executed: {0}.")]
    Refused(#[from] ForwardError),
    /// The queue is full; nothing is wrong with this request.
    #[error("{waiting} requests are waiting already. Ask again later.")]
    Busy {
        /// Requests that are waiting.
        waiting: usize,
    },
    /// The request does not fit even if no other is executed.
    #[error("The request is too large for its device. {0}")]
    TooLarge(ExecutorError),
    /// The executor failed, and there is no fallback.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// The check was cancelled.
    #[error("The check was cancelled.")]
    Cancelled,
    /// The scheduler has stopped.
    #[error("The scheduler has stopped.")]
    Stopped,
}

/// How requests share an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduleOptions {
    /// Most requests that are executed together.
    pub sequences: usize,
    /// Most requests that wait for execution, at least 1.
    pub waiting: usize,
    /// Positions of prompts and checks in a pass that includes answers.
    pub positions: usize,
    /// Positions of prompts and checks in a pass without answers.
    pub positions_alone: usize,
    /// Longest time of a pass that includes answers. After a longer one, passes have fewer positions, down to
    /// the next token of the answer that was admitted first.
    pub pass: Duration,
    /// Most bytes of the logits of checks in a pass.
    pub logits_bytes: usize,
    /// Positions of the latest prompt whose keys and values are kept, so that the next prompt can reuse their
    /// common beginning; 0 to keep none.
    pub prefix: usize,
}

impl Default for ScheduleOptions {
    fn default() -> Self {
        Self {
            // The room of a worker, as many for checks, and as many answers of sessions as for both together.
            sequences: 64,
            waiting: 64,
            positions: 64,
            positions_alone: 256,
            // Ten tokens a second, the least that the chain's rules ask of a worker.
            pass: Duration::from_millis(100),
            logits_bytes: 8 << 20,
            prefix: 256,
        }
    }
}

/// Statistics of a pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PassReport {
    /// Requests that took part.
    pub sequences: usize,
    /// Positions that were executed.
    pub positions: usize,
    /// Requests that wait.
    pub waiting: usize,
    /// Its duration in seconds.
    pub seconds: f64,
}

/// Called after every pass.
pub type Observer = Box<dyn Fn(&PassReport) + Send>;

/// Starts the executor, of the same model, that replaces a lost one.
pub type Fallback = Box<dyn FnOnce() -> Result<Box<dyn Executor>, ExecutorError> + Send>;

/// Cancels requests, from any thread.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Cancels every request that has this handle or a clone of it.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Shares cancellation with other parts of a program: a flag that turns true.
impl From<Arc<AtomicBool>> for Cancel {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}

/// Whose requests reuse keys and values of one another, and of no other owner: a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(pub u64);

/// Executes requests together, on a thread of its own that ends when this is dropped.
pub struct Scheduler {
    architecture: Architecture,
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Scheduler {
    /// Starts a scheduler on `executor`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        executor: Box<dyn Executor>,
        fallback: Option<Fallback>,
        observer: Option<Observer>,
        options: ScheduleOptions,
    ) -> Result<Self, ScheduleError> {
        let architecture = *executor.architecture();
        let queue = Arc::new(Queue::new(options.waiting.max(1)));
        let worker = Worker::new(
            Guarded::new(executor),
            fallback,
            observer,
            options,
            queue.clone(),
        );
        let thread = std::thread::Builder::new()
            .name("scheduler".into())
            .spawn(move || worker.run())
            .map_err(|error| ExecutorError::Threads(error.to_string()))?;
        Ok(Self {
            architecture,
            queue,
            thread: Some(thread),
        })
    }

    /// The shape of the model.
    pub const fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Requests that wait to be executed.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Answers `prompt`; returns when the answer has ended. `on_token` is called with each token on this
    /// thread and can cancel, as `cancel` can from other threads: the answer is then a prefix of the full
    /// one, perhaps an empty one.
    ///
    /// If an executor computed wrong numbers, `on_token` may have been called with tokens that are not in the
    /// answer.
    ///
    /// # Errors
    /// When the prompt has no answer, too many requests are waiting, or no executor is left.
    pub fn answer(
        &self,
        prompt: &[u32],
        request: &GenerationParameters<'_>,
        cancel: &Cancel,
        on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<Generated, ScheduleError> {
        let answered = self.generate(None, prompt, request, cancel, on_token);
        answered.map(|(generated, _)| generated)
    }

    /// Answers `prompt` as [`answer`](Self::answer) does. The keys and values that `owner` left before are reused, and
    /// those of this request are kept for its next ones while there is room. Returns how many positions at the
    /// beginning of the prompt were cached, too.
    ///
    /// # Errors
    /// As those of [`answer`](Self::answer).
    pub fn answer_owned(
        &self,
        owner: Owner,
        prompt: &[u32],
        request: &GenerationParameters<'_>,
        cancel: &Cancel,
        on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<(Generated, usize), ScheduleError> {
        self.generate(Some(owner), prompt, request, cancel, on_token)
    }

    fn generate(
        &self,
        owner: Option<Owner>,
        prompt: &[u32],
        request: &GenerationParameters<'_>,
        cancel: &Cancel,
        on_token: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<(Generated, usize), ScheduleError> {
        let generation = Generation::new(&self.architecture, prompt, request)?;
        let stopped = Cancel::default();
        let events = self.submit(Work::Answer(generation), owner, cancel, &stopped)?;
        loop {
            match events.recv() {
                Ok(Event::Token(token)) => {
                    if on_token(token).is_break() {
                        stopped.cancel();
                    }
                }
                Ok(Event::Answered(answer, cached)) => return Ok((answer, cached)),
                Ok(Event::Failed(error)) => return Err(error),
                Ok(Event::Checked(_)) | Err(mpsc::RecvError) => return Err(ScheduleError::Stopped),
            }
        }
    }

    /// Checks `answer` to `prompt`.
    ///
    /// # Errors
    /// As those of [`answer`](Self::answer), and when it is cancelled. A flaw in the answer is not an error.
    pub fn check(
        &self,
        prompt: &[u32],
        answer: &[u32],
        request: &GenerationParameters<'_>,
        cancel: &Cancel,
    ) -> Result<Checked, ScheduleError> {
        let checking = Checking::new(&self.architecture, prompt, answer, request)?;
        if let Some(checked) = checking.finish() {
            return Ok(checked);
        }
        let events = self.submit(Work::Check(checking), None, cancel, &Cancel::default())?;
        match events.recv() {
            Ok(Event::Checked(checked)) => Ok(checked),
            Ok(Event::Failed(error)) => Err(error),
            Ok(Event::Token(_) | Event::Answered(..)) | Err(mpsc::RecvError) => {
                Err(ScheduleError::Stopped)
            }
        }
    }

    fn submit(
        &self,
        work: Work,
        owner: Option<Owner>,
        cancel: &Cancel,
        stopped: &Cancel,
    ) -> Result<mpsc::Receiver<Event>, ScheduleError> {
        let (sender, receiver) = mpsc::channel();
        let cancels = [cancel.clone(), stopped.clone()];
        self.queue.push(Job::new(work, owner, cancels, sender))?;
        Ok(receiver)
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // The result adds nothing: a panic in the thread has been logged and has closed the queue.
            let _ = thread.join();
        }
    }
}
