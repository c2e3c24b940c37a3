//! Runs the integer transformer of [`noema_numerics`] on the devices of a machine, for several
//! sequences at once, bit for bit as defined.
//!
//! An [`Executor`] holds one model on one device, and a key/value cache for each open sequence. A
//! [pass](Executor::run) takes any mixture of work: a prompt of hundreds of positions, a whole answer to be
//! checked, one more token of ten answers. Which work shares a pass affects only speed: integers do not
//! depend on the shape of a batch.
//!
//! - [`cpu`]: any processor, with its widest instructions.
//! - [`gpu`]: any graphics device with Vulkan, Metal or DirectX 12.
//!
//! An [`ExecutedTrace`] is the trace of what was executed, for a dispute.
//!
//! A [`Scheduler`] lets many requests share the passes of one executor. A [`Device`] is chosen by
//! [`DeviceOptions`] and is used only after it has passed the [self-test](self_test).

pub mod cpu;
mod device;
mod error;
pub mod gpu;
pub mod schedule;
pub mod self_test;
mod source;
pub mod trace;

pub use cpu::{CpuExecutor, CpuKernels, CpuOptions};
pub use device::{Device, DeviceChoice, DeviceClass, DeviceOptions};
pub use error::ExecutorError;
pub use gpu::GpuExecutor;
pub use schedule::{Cancel, Owner, ScheduleError, ScheduleOptions, Scheduler};
pub use source::ModelSource;
pub use trace::{ExecutedTrace, TraceFailure, TraceProgress, TraceSubject, WeightsTree};

use noema_numerics::{transformer::validate, Architecture, Blocks, ForwardError};
use std::ops::Range;

/// One model on one device.
///
/// The methods are called by one thread at a time. A pass that fails leaves the caches of the
/// sequences that took part at the length they had before.
pub trait Executor: Send {
    /// The shape of the model.
    fn architecture(&self) -> &Architecture;

    /// Reserves a cache for `positions`, at most the model's context.
    ///
    /// # Errors
    /// [`ExecutorError::OutOfMemory`] when the device has no room for it beside the open ones.
    fn open(&mut self, positions: usize) -> Result<Sequence, ExecutorError>;

    /// Copies the first `positions` cached positions of `from` to `to`, as if `to` had executed the same
    /// tokens; everything that `to` had cached is replaced.
    fn copy_prefix(
        &mut self,
        from: Sequence,
        to: Sequence,
        positions: usize,
    ) -> Result<(), ExecutorError>;

    /// Frees the cache of `sequence`. An unknown one is ignored.
    fn close(&mut self, sequence: Sequence);

    /// Runs every segment, in one pass, and replaces `output` by the results they request, in their order. No
    /// two segments belong to the same sequence.
    fn run(&mut self, segments: &[Segment<'_>], output: &mut Output) -> Result<(), ExecutorError>;
}

/// A sequence of tokens whose keys and values an executor keeps. An executor never uses a value twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence(pub(crate) u64);

/// Consecutive positions of one sequence.
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// The sequence.
    pub sequence: Sequence,
    /// Position of the first token, at most the number of cached ones; everything cached from here on is
    /// replaced.
    pub start: usize,
    /// The tokens, at least one.
    pub tokens: &'a [u32],
    /// Indices of the tokens whose hidden vectors and logits are requested.
    pub wanted: Range<usize>,
}

impl Segment<'_> {
    /// Refuses what `noema_numerics::Transformer` refuses, for a cache with `length` valid positions and room
    /// for `capacity`.
    fn validate(&self, vocabulary: u32, cache: (usize, usize)) -> Result<(), ForwardError> {
        validate(vocabulary, cache, self.start, self.tokens, &self.wanted)
    }
}

/// Refuses to copy `positions` if only `cached` exist, or only `capacity` fit.
fn validate_prefix(positions: usize, cached: usize, capacity: usize) -> Result<(), ForwardError> {
    if positions > cached {
        return Err(ForwardError::PositionNotCached {
            start: positions,
            cached,
        });
    }
    if positions > capacity {
        return Err(ForwardError::ContextFull {
            needed: positions,
            capacity,
        });
    }
    Ok(())
}

/// The output of a pass: one row for each requested token, segment by segment.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// Final hidden vectors, the input of the output head.
    pub hidden: Blocks,
    /// Logits, row-major `[row][vocabulary]`, in units of
    /// `2^-`[`LOGIT_FRACTION`](noema_numerics::transformer::LOGIT_FRACTION).
    pub logits: Vec<i32>,
}
