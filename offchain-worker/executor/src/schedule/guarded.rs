//! An executor whose panics do not end the scheduler.

use crate::{Executor, ExecutorError, Output, Segment, Sequence};
use noema_numerics::Architecture;
use std::{
    any::Any,
    panic::{catch_unwind, AssertUnwindSafe},
};

/// Turns a panic of the executor, which drivers' bindings are known for, into a lost device, and checks the
/// shape of its output.
pub(super) struct Guarded {
    architecture: Architecture,
    executor: Box<dyn Executor>,
}

impl Guarded {
    pub(super) fn new(executor: Box<dyn Executor>) -> Self {
        Self {
            architecture: *executor.architecture(),
            executor,
        }
    }

    /// Drops the executor, ignoring a panic.
    pub(super) fn discard(self) {
        let _ = catch_unwind(AssertUnwindSafe(move || drop(self.executor)));
    }

    fn guard<T>(
        &mut self,
        call: impl FnOnce(&mut dyn Executor) -> Result<T, ExecutorError>,
    ) -> Result<T, ExecutorError> {
        // A broken state is never seen: a lost device is not used again.
        catch_unwind(AssertUnwindSafe(|| call(&mut *self.executor))).unwrap_or_else(|panic| {
            Err(ExecutorError::DeviceLost {
                device: "The executor".into(),
                reason: message(&*panic),
            })
        })
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

impl Executor for Guarded {
    fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn open(&mut self, positions: usize) -> Result<Sequence, ExecutorError> {
        self.guard(|executor| executor.open(positions))
    }

    fn copy_prefix(
        &mut self,
        from: Sequence,
        to: Sequence,
        positions: usize,
    ) -> Result<(), ExecutorError> {
        self.guard(|executor| executor.copy_prefix(from, to, positions))
    }

    fn close(&mut self, sequence: Sequence) {
        // A failure to close shows as a lost device at the next use.
        let _ = self.guard(|executor| {
            executor.close(sequence);
            Ok(())
        });
    }

    fn run(&mut self, segments: &[Segment<'_>], output: &mut Output) -> Result<(), ExecutorError> {
        self.guard(|executor| executor.run(segments, output))?;
        let wanted: usize = segments.iter().map(|segment| segment.wanted.len()).sum();
        let rows = output.hidden.rows();
        let logits = wanted * self.architecture.vocabulary as usize;
        if rows != wanted || output.logits.len() != logits {
            return Err(ExecutorError::WrongNumbers {
                device: "The executor".into(),
                what: format!(
                    "{rows} vectors and {} logits for {wanted} tokens",
                    output.logits.len()
                ),
            });
        }
        Ok(())
    }
}
