//! The positions of a trace, executed in batches.

use super::{
    kernels::CpuKernels,
    member::Member,
    pass::{Pass, Scratch},
    steps::Recorder,
};
use crate::{
    trace::{Carried, Joiner},
    ModelSource, Output, Segment, Sequence,
};
use noema_numerics::{Architecture, KvCache, ModelError, Network};
use noema_trace::TraceShape;
use std::{ops::Range, sync::Arc};

/// Most positions of a batch.
const MOST: usize = 128;
/// Bytes of the values of a batch.
const BATCH_BYTES: usize = 64 << 20;

/// Executes the positions of a trace, and keeps their keys and values.
pub(crate) struct TraceWalk {
    source: Arc<dyn ModelSource>,
    kernels: CpuKernels,
    member: [Member; 1],
    scratch: Scratch,
    output: Output,
    /// Positions of a batch.
    batch: usize,
}

impl TraceWalk {
    /// Of a trace of so many positions.
    pub(crate) fn new(
        source: Arc<dyn ModelSource>,
        kernels: CpuKernels,
        positions: u32,
    ) -> Result<Self, ModelError> {
        let model = source.model()?;
        let (architecture, batch) = (*model.architecture(), batch(model.network()));
        drop(model);
        Ok(Self {
            member: [member(&architecture, positions)],
            source,
            kernels,
            scratch: Scratch::default(),
            output: Output::default(),
            batch,
        })
    }

    /// Executes the first of `positions`, as many as go together, and gives what `joiner` wants to it. Those before must
    /// have been executed. Returns the position after the last.
    pub(crate) fn batch(
        &mut self,
        shape: &TraceShape<'_>,
        [given, answer]: [&[u32]; 2],
        positions: Range<u32>,
        joiner: &mut Joiner<'_>,
        carried: &mut Carried,
    ) -> Result<u32, ModelError> {
        let model = self.source.model()?;
        let start = positions.start as usize;
        let end = (positions.end as usize).min(start + self.batch);
        let tokens = given.iter().chain(answer).copied();
        let tokens: Vec<u32> = tokens.skip(start).take(end - start).collect();
        let mut recorder = Recorder::new(
            (shape, &model, &self.kernels),
            [given, answer],
            start as u32..end as u32,
            joiner,
            carried,
        );
        let segment = Segment {
            sequence: self.member[0].sequence,
            start,
            tokens: &tokens,
            wanted: recorder.with_logits(),
        };
        let executed = self.member[0].cache.length();
        let mut pass = Pass {
            model: &model,
            kernels: &self.kernels,
            members: &mut self.member,
            scratch: &mut self.scratch,
            watch: Some(&mut recorder),
        };
        pass.run(&[segment], &mut self.output);
        recorder.after_logits(&self.output.logits);
        recorder.finish(joiner);
        // Those after the batch are still what they were.
        self.member[0].cache.extend_to(executed.max(end));
        Ok(end as u32)
    }
}

fn member(architecture: &Architecture, positions: u32) -> Member {
    Member {
        sequence: Sequence(0),
        cache: KvCache::new(architecture, positions),
        bytes: KvCache::bytes(architecture, positions),
    }
}

/// Positions that are executed together: a value has four bytes an element.
fn batch(network: &Network) -> usize {
    let elements: usize = network
        .values()
        .iter()
        .map(|value| value.width as usize)
        .sum();
    (BATCH_BYTES / (elements * 4)).clamp(1, MOST)
}
