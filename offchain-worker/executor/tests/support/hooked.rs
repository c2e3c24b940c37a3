//! An executor whose passes run through a hook of the test.

use noema_executor::{Executor, ExecutorError, Output, Segment, Sequence};
use noema_numerics::Architecture;

/// Runs pass `n` on the wrapped executor, or something else instead.
pub trait Hook<E>:
    FnMut(usize, &mut E, &[Segment<'_>], &mut Output) -> Result<(), ExecutorError> + Send
{
}

impl<E, F> Hook<E> for F where
    F: FnMut(usize, &mut E, &[Segment<'_>], &mut Output) -> Result<(), ExecutorError> + Send
{
}

pub struct Hooked<E> {
    inner: E,
    passes: usize,
    hook: Box<dyn Hook<E>>,
}

impl<E: Executor + 'static> Hooked<E> {
    pub fn boxed(
        inner: E,
        hook: impl FnMut(usize, &mut E, &[Segment<'_>], &mut Output) -> Result<(), ExecutorError>
            + Send
            + 'static,
    ) -> Box<dyn Executor> {
        Box::new(Self {
            inner,
            passes: 0,
            hook: Box::new(hook),
        })
    }
}

impl<E: Executor> Executor for Hooked<E> {
    fn architecture(&self) -> &Architecture {
        self.inner.architecture()
    }

    fn open(&mut self, positions: usize) -> Result<Sequence, ExecutorError> {
        self.inner.open(positions)
    }

    fn copy_prefix(
        &mut self,
        from: Sequence,
        to: Sequence,
        positions: usize,
    ) -> Result<(), ExecutorError> {
        self.inner.copy_prefix(from, to, positions)
    }

    fn close(&mut self, sequence: Sequence) {
        self.inner.close(sequence);
    }

    fn run(&mut self, segments: &[Segment<'_>], output: &mut Output) -> Result<(), ExecutorError> {
        let pass = self.passes;
        self.passes += 1;
        (self.hook)(pass, &mut self.inner, segments, output)
    }
}
