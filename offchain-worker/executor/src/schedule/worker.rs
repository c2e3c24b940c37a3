//! The scheduler's thread: it selects the requests of the next pass, and their positions.

use super::{
    active::Active, budget::Budget, guarded::Guarded, job::Job, plan::Plan, prefix::Prefix,
    queue::Queue, Fallback, Observer, PassReport, ScheduleError, ScheduleOptions,
};
use crate::{Executor, ExecutorError, Output, Sequence};
use std::{sync::Arc, time::Instant};

/// The state of the thread.
pub(super) struct Worker {
    executor: Guarded,
    fallback: Option<Fallback>,
    observer: Option<Observer>,
    options: ScheduleOptions,
    queue: Arc<Queue>,
    /// The requests being executed, in the order of their admission.
    active: Vec<Active>,
    budget: Budget,
    prefix: Prefix,
    output: Output,
}

/// Closes the queue when the thread ends, also after a panic.
struct Closing(Arc<Queue>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Worker {
    pub(super) fn new(
        executor: Guarded,
        fallback: Option<Fallback>,
        observer: Option<Observer>,
        options: ScheduleOptions,
        queue: Arc<Queue>,
    ) -> Self {
        Self {
            executor,
            fallback,
            observer,
            options,
            queue,
            active: Vec::new(),
            budget: budget(&options),
            prefix: Prefix::new(options.prefix),
            output: Output::default(),
        }
    }

    /// Executes requests until the queue is closed.
    pub(super) fn run(mut self) {
        let _closing = Closing(self.queue.clone());
        while !self.queue.is_stopped() {
            if self.active.is_empty() {
                // Frees the logits of a large pass while there are no requests.
                self.output = Output::default();
                if !self.queue.wait() {
                    break;
                }
            }
            self.queue.release_cancelled();
            if let Err(error) = self.admit().and_then(|()| self.pass()) {
                self.fail_over(error);
            }
            self.release(|job| job.is_cancelled() || job.is_done());
        }
        for active in self.active.drain(..) {
            active.job.fail(ScheduleError::Stopped);
        }
    }

    /// Ends the requests for which `is_over` is true, in their order.
    fn release(&mut self, is_over: impl Fn(&Job) -> bool) {
        for over in self.active.extract_if(.., |active| is_over(&active.job)) {
            self.executor.close(over.sequence);
            over.job.finish();
        }
    }

    /// Opens caches for waiting requests as long as there is room. No request overtakes another: a large one
    /// would otherwise wait for ever.
    fn admit(&mut self) -> Result<(), ExecutorError> {
        while self.active.len() < self.options.sequences.max(1) {
            let Some(job) = self.queue.pop() else {
                break;
            };
            let sequence = match self.open(job.positions()) {
                Ok(sequence) => sequence,
                Err(ExecutorError::OutOfMemory { .. }) if !self.active.is_empty() => {
                    self.queue.push_front(job);
                    break;
                }
                Err(error @ ExecutorError::OutOfMemory { .. }) => {
                    job.fail(ScheduleError::TooLarge(error));
                    continue;
                }
                Err(error) => {
                    self.queue.push_front(job);
                    return Err(error);
                }
            };
            self.active.push(Active {
                job,
                sequence,
                cached: 0,
                kept: false,
            });
            if let Some(active) = self.active.last_mut() {
                active.cached =
                    self.prefix
                        .reuse(&mut self.executor, active.job.tokens(), sequence)?;
            }
        }
        Ok(())
    }

    /// Opens a cache for `positions`; frees the kept prefix if it needs the room.
    fn open(&mut self, positions: usize) -> Result<Sequence, ExecutorError> {
        match self.executor.open(positions) {
            Err(ExecutorError::OutOfMemory { .. }) if self.prefix.release(&mut self.executor) => {
                self.executor.open(positions)
            }
            opened => opened,
        }
    }

    /// Runs one pass and distributes its results.
    fn pass(&mut self) -> Result<(), ExecutorError> {
        let begun = Instant::now();
        let plan = Plan::new(
            &self.active,
            &self.options,
            &self.budget,
            self.executor.architecture().vocabulary,
        );
        if plan.segments.is_empty() {
            return Ok(());
        }
        self.executor.run(&plan.segments, &mut self.output)?;
        let (sequences, positions) = (plan.segments.len(), plan.positions());
        if plan.decodes {
            self.budget.adapt(positions, begun.elapsed().as_secs_f64());
        }
        let took_part = plan.took_part();

        let (vocabulary, mut row) = (self.executor.architecture().vocabulary as usize, 0);
        for part in took_part {
            let active = &mut self.active[part.index];
            active.cached = part.cached;
            let rows = row..row + part.rows;
            let logits = &self.output.logits[rows.start * vocabulary..rows.end * vocabulary];
            row = rows.end;
            let hidden = self.output.hidden.view().slice(rows);
            active.job.feed(hidden, logits);
            let prompt = active.job.prompt();
            if !active.kept && active.cached >= self.prefix.length(prompt.len()) {
                active.kept = true;
                self.prefix
                    .keep(&mut self.executor, prompt, active.sequence)?;
            }
        }
        if let Some(observer) = &self.observer {
            observer(&PassReport {
                sequences,
                positions,
                waiting: self.queue.waiting(),
                seconds: begun.elapsed().as_secs_f64(),
            });
        }
        Ok(())
    }

    /// Continues without the failed executor: on the fallback, or by failing every request with the reason.
    fn fail_over(&mut self, error: ExecutorError) {
        let wrong = matches!(error, ExecutorError::WrongNumbers { .. });
        let lost = wrong || matches!(error, ExecutorError::DeviceLost { .. });
        let full = matches!(error, ExecutorError::OutOfMemory { .. });
        tracing::error!(%error, requests = self.active.len(), "the executor failed");
        let fallback = match lost || full {
            true => self.fallback.take(),
            false => None,
        };
        let error = match fallback.map(|start| start()) {
            Some(Ok(executor)) => {
                tracing::warn!("continuing with the fallback executor");
                std::mem::replace(&mut self.executor, Guarded::new(executor)).discard();
                self.prefix.forget();
                self.budget = budget(&self.options);
                // The first admitted goes first again.
                while let Some(Active { mut job, .. }) = self.active.pop() {
                    if wrong {
                        job.restart();
                    }
                    self.queue.push_front(job);
                }
                return;
            }
            Some(Err(another)) => {
                tracing::error!(error = %another, "the fallback executor cannot be started");
                error
            }
            None => error,
        };
        for active in self.active.drain(..) {
            self.executor.close(active.sequence);
            active.job.fail(error.clone().into());
        }
        if lost {
            self.prefix.forget();
            self.queue.condemn(error);
        }
    }
}

/// The budget of an executor that was not used yet.
fn budget(options: &ScheduleOptions) -> Budget {
    Budget::new(
        options.sequences.saturating_add(options.positions),
        options.pass,
    )
}
