//! An executor in whose passes a test has a hand.

use noema_executor::{Executor, ExecutorError, Output, Segment, Sequence};
use noema_numerics::Architecture;

/// What happens instead of pass `n`, or before it.
pub type Hook = Box<dyn FnMut(usize, &[Segment<'_>]) -> Result<(), ExecutorError> + Send>;

pub struct Hooked<E> {
    inner: E,
    passes: usize,
    hook: Hook,
}

impl<E: Executor> Hooked<E> {
    pub fn boxed(
        inner: E,
        hook: impl FnMut(usize, &[Segment<'_>]) -> Result<(), ExecutorError> + Send + 'static,
    ) -> Box<dyn Executor>
    where
        E: 'static,
    {
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
        (self.hook)(pass, segments)?;
        self.inner.run(segments, output)
    }
}
