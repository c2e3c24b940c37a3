//! The processor as an [`Executor`]: threads, a cache for each open sequence, and the weights
//! where they are.

use super::{
    kernels::CpuKernels,
    pass::{Pass, Scratch},
};
use crate::{Executor, ExecutorError, ModelSource, Output, Segment, Sequence};
use noema_numerics::{Architecture, ForwardError, KvCache};
use std::{num::NonZero, sync::Arc, thread::available_parallelism};

/// What the processor is called in messages.
const DEVICE: &str = "The processor";

/// What an executor may take of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuOptions {
    /// Threads; one for each core if not given.
    pub threads: Option<usize>,
    /// Most bytes that the caches of all open sequences take together.
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

/// An open sequence.
pub(super) struct Member {
    sequence: Sequence,
    pub(super) cache: KvCache,
    bytes: u64,
}

impl CpuExecutor {
    /// An executor of the model that `source` lends.
    ///
    /// # Errors
    /// When the weights do not fit the architecture, or there are no threads to be had.
    pub fn new(source: Arc<dyn ModelSource>, options: CpuOptions) -> Result<Self, ExecutorError> {
        let architecture = *source.model()?.architecture();
        let threads = options
            .threads
            .map_or_else(available_parallelism, |threads| {
                NonZero::new(threads).map_or_else(available_parallelism, Ok)
            });
        let threads = threads.map_or(1, NonZero::get);
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

    /// Brings the members that `segments` name to the front, in their order, once all of these are
    /// known to be valid.
    fn gather(&mut self, segments: &[Segment<'_>]) -> Result<(), ExecutorError> {
        for (place, segment) in segments.iter().enumerate() {
            let index = self
                .index(segment.sequence)
                .filter(|&index| index >= place)
                .ok_or(ExecutorError::Sequence)?;
            validate(&self.open[index].cache, segment, &self.architecture)?;
            self.open.swap(place, index);
        }
        Ok(())
    }
}

/// Refuses what `noema_numerics::Transformer` refuses.
fn validate(
    cache: &KvCache,
    segment: &Segment<'_>,
    architecture: &Architecture,
) -> Result<(), ForwardError> {
    let (start, count) = (segment.start, segment.tokens.len());
    let (cached, capacity) = (cache.length(), cache.limit());
    if start > cached {
        return Err(ForwardError::PositionNotCached { start, cached });
    }
    if count > capacity - start {
        return Err(ForwardError::ContextFull {
            needed: start.saturating_add(count),
            capacity,
        });
    }
    let wanted = &segment.wanted;
    if wanted.start > wanted.end || wanted.end > count {
        return Err(ForwardError::WantedOutOfRange {
            start: wanted.start,
            end: wanted.end,
            tokens: count,
        });
    }
    let vocabulary = architecture.vocabulary;
    let unknown = |&token: &u32| token >= vocabulary;
    match segment.tokens.iter().position(unknown) {
        Some(index) => Err(ForwardError::TokenOutOfRange {
            index,
            token: segment.tokens[index],
            vocabulary,
        }),
        None => Ok(()),
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
        if positions > cached {
            return Err(ForwardError::PositionNotCached {
                start: positions,
                cached,
            }
            .into());
        }
        let capacity = self.open[to].cache.limit();
        if positions > capacity {
            return Err(ForwardError::ContextFull {
                needed: positions,
                capacity,
            }
            .into());
        }
        match self.open.get_disjoint_mut([from, to]) {
            Ok([from, to]) => to.cache.copy_prefix(&from.cache, positions),
            // Onto itself: what is left is the prefix.
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
        };
        pass.run(segments, output);
        Ok(())
    }
}
