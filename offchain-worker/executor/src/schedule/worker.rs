//! The scheduler's thread: who is in the next pass, with how many positions.

use super::{
    guarded::Guarded, job::Job, prefix::Prefix, queue::Queue, Fallback, Observer, PassReport,
    ScheduleError, ScheduleOptions,
};
use crate::{Executor, ExecutorError, Output, Segment, Sequence};
use noema_numerics::Room;
use std::{sync::Arc, time::Instant};

/// Everything that the thread owns.
pub(super) struct Worker {
    executor: Guarded,
    fallback: Option<Fallback>,
    observer: Option<Observer>,
    options: ScheduleOptions,
    queue: Arc<Queue>,
    /// The requests that are being executed, in the order in which they were admitted.
    active: Vec<Active>,
    prefix: Prefix,
    output: Output,
}

/// A request with a cache.
struct Active {
    job: Job,
    sequence: Sequence,
    /// Positions that the cache holds.
    cached: usize,
    /// Whether the beginning of its prompt has been kept.
    kept: bool,
}

/// Closes the queue when the thread ends, however it ends.
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
            prefix: Prefix::new(options.prefix),
            output: Output::default(),
        }
    }

    /// Executes requests until the queue is closed.
    pub(super) fn run(mut self) {
        let _closing = Closing(self.queue.clone());
        while !self.queue.is_stopped() {
            if self.active.is_empty() {
                // The logits of a large pass are not kept for as long as nobody asks.
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

    /// Lets go of the requests of which `is_over` is true, in their order.
    fn release(&mut self, is_over: impl Fn(&Job) -> bool) {
        for over in self.active.extract_if(.., |active| is_over(&active.job)) {
            self.executor.close(over.sequence);
            over.job.finish();
        }
    }

    /// Gives caches to those who wait, as long as there is room. Nobody overtakes: a large request
    /// would wait for ever.
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

    /// A cache for `positions`, for which the kept prefix makes room if need be.
    fn open(&mut self, positions: usize) -> Result<Sequence, ExecutorError> {
        match self.executor.open(positions) {
            Err(ExecutorError::OutOfMemory { .. }) if self.prefix.release(&mut self.executor) => {
                self.executor.open(positions)
            }
            opened => opened,
        }
    }

    /// Runs one pass and tells every request what it gave.
    fn pass(&mut self) -> Result<(), ExecutorError> {
        let begun = Instant::now();
        let plan = plan(
            &self.active,
            &self.options,
            self.executor.architecture().vocabulary,
        );
        if plan.segments.is_empty() {
            return Ok(());
        }
        self.executor.run(&plan.segments, &mut self.output)?;
        let (sequences, positions) = (plan.segments.len(), plan.positions());
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

    /// Goes on without what failed: on the fallback, or by telling every request why not.
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
                tracing::warn!("going on with the fallback executor");
                std::mem::replace(&mut self.executor, Guarded::new(executor)).discard();
                self.prefix.forget();
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

/// What a pass is to execute.
struct Plan<'a> {
    segments: Vec<Segment<'a>>,
    /// Which of the active requests each segment is of.
    indices: Vec<usize>,
}

/// What a request has from a pass.
struct TookPart {
    index: usize,
    /// Positions that its cache holds afterwards.
    cached: usize,
    /// Rows of the output that are its.
    rows: usize,
}

impl Plan<'_> {
    fn positions(&self) -> usize {
        let lengths = self.segments.iter().map(|segment| segment.tokens.len());
        lengths.sum()
    }

    fn took_part(&self) -> Vec<TookPart> {
        let parts = self.indices.iter().zip(&self.segments);
        parts
            .map(|(&index, segment)| TookPart {
                index,
                cached: segment.start + segment.tokens.len(),
                rows: segment.wanted.len(),
            })
            .collect()
    }
}

/// Every answer's next token, and equal parts of the remaining positions for the others; what one
/// does not need is left to those behind it.
fn plan<'a>(active: &'a [Active], options: &ScheduleOptions, vocabulary: u32) -> Plan<'a> {
    let is_decoding = |active: &&Active| active.job.is_decoding(active.cached);
    let decoding = active.iter().filter(is_decoding).count();
    let mut others = active.len() - decoding;
    let positions = match decoding {
        0 => options.positions_alone,
        _ => options.positions,
    };
    let logits = vocabulary as usize * size_of::<i32>();
    let mut room = Room {
        positions: positions.max(1),
        rows: (options.logits_bytes / logits).max(1),
    };
    let mut plan = Plan {
        segments: Vec::with_capacity(active.len()),
        indices: Vec::with_capacity(active.len()),
    };
    for (index, active) in active.iter().enumerate() {
        let decodes = is_decoding(&active);
        let share = match decodes {
            true => Room {
                positions: 1,
                rows: 1,
            },
            false => Room {
                positions: room.positions.div_ceil(others),
                rows: room.rows.div_ceil(others),
            },
        };
        let step = active.job.step(active.cached, share);
        if !decodes {
            others -= 1;
            if let Some(step) = &step {
                room.positions -= step.tokens.len();
                room.rows -= step.wanted.len();
            }
        }
        if let Some(step) = step {
            plan.indices.push(index);
            plan.segments.push(Segment {
                sequence: active.sequence,
                start: step.start,
                tokens: step.tokens,
                wanted: step.wanted,
            });
        }
    }
    plan
}
