//! The processor as an [`Executor`]: threads, a cache for each open sequence, and the weights in place.

use super::{
    kernels::CpuKernels,
    member::Member,
    pass::{Pass, Scratch},
};
use crate::{validate_prefix, Executor, ExecutorError, ModelSource, Output, Segment, Sequence};
use noema_numerics::{Architecture, KvCache};
use std::{num::NonZero, sync::Arc, thread::available_parallelism};

/// Name of the processor in messages.
const DEVICE: &str = "The processor";

/// Limits on the resources of an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuOptions {
    /// Threads; one for each core if not given.
    pub threads: Option<usize>,
    /// Most bytes of the caches of all open sequences together.
    pub cache_bytes: u64,
}

impl Default for CpuOptions {
    fn default() -> Self {
        Self {
            threads: None,
            cache_bytes: 2 << 30,
        }
    }
}

/// Executes on the cores of this machine.
pub struct CpuExecutor {
    source: Arc<dyn ModelSource>,
    architecture: Architecture,
    kernels: CpuKernels,
    cache_bytes: u64,
    cached_bytes: u64,
    open: Vec<Member>,
    next: u64,
    scratch: Scratch,
}

impl CpuExecutor {
    /// Creates an executor of the model that `source` lends.
    ///
    /// # Errors
    /// When the weights do not fit the architecture, or no threads can be started.
    pub fn new(source: Arc<dyn ModelSource>, options: CpuOptions) -> Result<Self, ExecutorError> {
        let architecture = *source.model()?.architecture();
        let threads = options.threads.filter(|&threads| threads > 0);
        let threads = threads.unwrap_or_else(|| available_parallelism().map_or(1, NonZero::get));
        let kernels = CpuKernels::with_threads(threads)
            .map_err(|error| ExecutorError::Threads(error.to_string()))?;
        Ok(Self {
            source,
            architecture,
            kernels,
            cache_bytes: options.cache_bytes,
            cached_bytes: 0,
            open: Vec::new(),
            next: 0,
            scratch: Scratch::default(),
        })
    }

    fn index(&self, sequence: Sequence) -> Option<usize> {
        self.open
            .iter()
            .position(|member| member.sequence == sequence)
    }

    /// Moves the members that `segments` name to the front, in their order, once all segments are known to be
    /// valid.
    fn gather(&mut self, segments: &[Segment<'_>]) -> Result<(), ExecutorError> {
        for (place, segment) in segments.iter().enumerate() {
            let index = self
                .index(segment.sequence)
                .filter(|&index| index >= place)
                .ok_or(ExecutorError::Sequence)?;
            let cache = &self.open[index].cache;
            segment.validate(
                self.architecture.vocabulary,
                (cache.length(), cache.limit()),
            )?;
            self.open.swap(place, index);
        }
        Ok(())
    }
}

impl Executor for CpuExecutor {
    fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn open(&mut self, positions: usize) -> Result<Sequence, ExecutorError> {
        let positions = u32::try_from(positions).unwrap_or(u32::MAX);
        let needed = KvCache::bytes(&self.architecture, positions);
        let available = self.cache_bytes.saturating_sub(self.cached_bytes);
        if needed > available {
            return Err(ExecutorError::OutOfMemory {
                device: DEVICE.into(),
                what: "the keys and values of a sequence",
                needed,
                available,
            });
        }
        let sequence = Sequence(self.next);
        self.next += 1;
        self.cached_bytes += needed;
        self.open.push(Member {
            sequence,
            cache: KvCache::new(&self.architecture, positions),
            bytes: needed,
        });
        Ok(sequence)
    }

    fn copy_prefix(
        &mut self,
        from: Sequence,
        to: Sequence,
        positions: usize,
    ) -> Result<(), ExecutorError> {
        let both = self.index(from).zip(self.index(to));
        let (from, to) = both.ok_or(ExecutorError::Sequence)?;
        let cached = self.open[from].cache.length();
        validate_prefix(positions, cached, self.open[to].cache.limit())?;
        match self.open.get_disjoint_mut([from, to]) {
            Ok([from, to]) => to.cache.copy_prefix(&from.cache, positions),
            // Copied onto itself: only the prefix remains.
            Err(_) => self.open[to].cache.truncate(positions),
        }
        Ok(())
    }

    fn close(&mut self, sequence: Sequence) {
        if let Some(index) = self.index(sequence) {
            let member = self.open.swap_remove(index);
            self.cached_bytes -= member.bytes;
        }
    }

    fn run(&mut self, segments: &[Segment<'_>], output: &mut Output) -> Result<(), ExecutorError> {
        self.gather(segments)?;
        let model = self.source.model()?;
        let mut pass = Pass {
            model: &model,
            kernels: &self.kernels,
            members: &mut self.open[..segments.len()],
            scratch: &mut self.scratch,
            watch: None,
        };
        pass.run(segments, output);
        Ok(())
    }
}
