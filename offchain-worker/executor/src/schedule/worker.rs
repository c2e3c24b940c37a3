//! The scheduler's thread: it selects the requests of the next pass, and their positions.

use super::{
    active::Active,
    budget::Budget,
    guarded::Guarded,
    job::Job,
    kept::{Kept, KeptSequence},
    plan::Plan,
    prefix::Prefix,
    queue::Queue,
    Fallback, Observer, PassReport, ScheduleError, ScheduleOptions,
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
    kept: Kept,
    output: Output,
}

/// A cache for a request, and the positions of its prompt that it holds.
struct Place {
    sequence: Sequence,
    capacity: usize,
    cached: usize,
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
            kept: Kept::default(),
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
            let tokens = over.job.tokens();
            match over.job.owner() {
                Some(owner) if over.cached > 0 => {
                    let held = tokens.iter().take(over.cached).copied().collect();
                    let kept = KeptSequence::new(owner, over.sequence, over.capacity, held);
                    self.kept.put(&mut self.executor, kept);
                }
                _ => self.executor.close(over.sequence),
            }
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
            let place = match self.place(&job) {
                Ok(place) => place,
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
            let is_owned = job.owner().is_some();
            let sequence = place.sequence;
            self.active.push(Active {
                job,
                sequence,
                capacity: place.capacity,
                cached: place.cached,
                // The prompt of an owner is not kept for others.
                kept: is_owned,
            });
            let Some(active) = self.active.last_mut() else {
                continue;
            };
            if is_owned {
                active.job.reused(place.cached);
            } else {
                active.cached =
                    self.prefix
                        .reuse(&mut self.executor, active.job.tokens(), sequence)?;
            }
        }
        Ok(())
    }

    /// A cache for a request: that which its owner left, if its prompt continues it.
    fn place(&mut self, job: &Job) -> Result<Place, ExecutorError> {
        let needed = job.positions();
        let kept = job
            .owner()
            .and_then(|owner| self.kept.take(owner, job.tokens()));
        let Some(kept) = kept else {
            // An owner asks again, with a longer prompt.
            let capacity = match job.owner() {
                Some(_) => self.grown(needed),
                None => needed,
            };
            return self.open(needed, capacity);
        };
        let common = kept.common(job.tokens());
        if kept.capacity >= needed && kept.is_continued(common) {
            return Ok(Place {
                sequence: kept.sequence,
                capacity: kept.capacity,
                cached: common,
            });
        }
        let wanted = self.grown(needed);
        let place = match self.open(needed, wanted) {
            Ok(place) => place,
            Err(ExecutorError::OutOfMemory { .. }) if self.active.is_empty() => {
                // Only what the owner itself left is in the way.
                self.executor.close(kept.sequence);
                return self.open(needed, needed);
            }
            Err(error) => {
                self.kept.put(&mut self.executor, kept);
                return Err(error);
            }
        };
        let copied = self
            .executor
            .copy_prefix(kept.sequence, place.sequence, common);
        if copied.is_ok() && kept.is_continued(common) {
            self.executor.close(kept.sequence);
        } else {
            self.kept.put(&mut self.executor, kept);
        }
        if let Err(error) = copied {
            self.executor.close(place.sequence);
            return Err(error);
        }
        Ok(Place {
            cached: common,
            ..place
        })
    }

    /// Positions for a sequence that now needs `needed` and will be continued.
    fn grown(&self, needed: usize) -> usize {
        let context = self.executor.architecture().context_length as usize;
        needed.next_power_of_two().min(context).max(needed)
    }

    /// Opens a cache for `wanted` positions, or for `needed` if there is no room for more. Frees what is kept for
    /// later requests if it needs the room.
    fn open(&mut self, needed: usize, wanted: usize) -> Result<Place, ExecutorError> {
        let mut capacity = wanted;
        loop {
            match self.executor.open(capacity) {
                Ok(sequence) => {
                    return Ok(Place {
                        sequence,
                        capacity,
                        cached: 0,
                    })
                }
                Err(ExecutorError::OutOfMemory { .. }) if capacity > needed => capacity = needed,
                Err(ExecutorError::OutOfMemory { .. })
                    if self.kept.release(&mut self.executor)
                        || self.prefix.release(&mut self.executor) => {}
                Err(error) => return Err(error),
            }
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
                self.kept.forget();
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
            self.kept.forget();
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
