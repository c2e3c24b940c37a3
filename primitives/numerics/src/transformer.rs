//! The transformer: tokens at consecutive positions to final hidden vectors and logits.
//!
//! # Formula
//! ```text
//! x = embedding(token)                                           units of 2^-14
//! for each layer:
//!     q, k, v = linear(norm(x))                                  units of 2^-16, |·| ≤ 2^26
//!     q, k    = rope(q, k)
//!     x       = x ⊕ linear(Blocks(attention(q, cache of k, v)))  units of 2^-14
//!     x       = x ⊕ linear(swiglu(gate, up))                     gate, up = linear(norm(x)), 2^-20
//! hidden = norm(x)
//! logits = linear(hidden)                                        units of 2^-16
//! ```
//! ⊕ is saturating addition. Every step works on each position by itself, except attention, which
//! reads the cache of earlier positions: so any split of positions into calls, and any internal
//! chunk size, gives the same bits.

use crate::{
    embedding::embedding, error::ForwardError, kernels::Kernels, model::Layer,
    swiglu::GATE_FRACTION, Architecture, Blocks, BlocksRef, KvCache, Model,
};
use alloc::vec::Vec;
use core::ops::Range;

pub use crate::units::{ATTENTION_FRACTION, LOGIT_FRACTION, RESIDUAL_FRACTION};

/// Positions that pass through the layers together. Only speed and memory depend on it.
const CHUNK: usize = 128;

/// A transformer on any device, as [`crate::generate`] and [`crate::check`] drive it.
pub trait ForwardPass {
    /// The shape of the model.
    fn architecture(&self) -> &Architecture;

    /// Positions whose keys and values are cached.
    fn cached(&self) -> usize;

    /// Positions that the cache has room for.
    fn capacity(&self) -> usize;

    /// Runs `tokens` at positions `start..` over the cached positions before `start`, which stay valid; the
    /// cache from `start` on is replaced. The final hidden vectors of the tokens with indices `wanted` are
    /// appended to `hidden`.
    fn forward(
        &mut self,
        start: usize,
        tokens: &[u32],
        wanted: Range<usize>,
        hidden: &mut Blocks,
    ) -> Result<(), ForwardError>;

    /// Logits of each hidden vector, row-major `[batch][vocabulary]`, replacing `logits`.
    fn logits(&mut self, hidden: BlocksRef<'_>, logits: &mut Vec<i32>);
}

/// A model with its cache, executed by some [`Kernels`].
#[derive(Debug)]
pub struct Transformer<'m, K> {
    model: Model<'m>,
    kernels: K,
    cache: KvCache,
    scratch: Scratch,
}

/// Buffers of a chunk; allocated once, grown to the largest chunk seen.
#[derive(Debug, Default)]
struct Scratch {
    residual: Vec<i32>,
    normed: Blocks,
    queries: Vec<i32>,
    keys: Vec<i32>,
    values: Vec<i32>,
    mixed: Vec<i32>,
    gate: Vec<i32>,
    up: Vec<i32>,
    product: Blocks,
    delta: Vec<i32>,
}

impl<'m, K: Kernels> Transformer<'m, K> {
    /// A transformer with an empty cache for `capacity` positions, at most the model's context.
    pub fn new(model: Model<'m>, kernels: K, capacity: u32) -> Self {
        let cache = KvCache::new(model.architecture(), capacity);
        Self {
            model,
            kernels,
            cache,
            scratch: Scratch::default(),
        }
    }

    /// The model.
    pub const fn model(&self) -> &Model<'m> {
        &self.model
    }

    /// The cache.
    pub const fn cache(&self) -> &KvCache {
        &self.cache
    }

    /// Removes cached positions from `length` on; the prefix can be reused.
    pub fn truncate(&mut self, length: usize) {
        self.cache.truncate(length);
    }

    /// Runs one chunk through all layers; its residual stream is left in the scratch.
    fn run(&mut self, start: usize, tokens: &[u32]) {
        let hidden = self.model.architecture().hidden as usize;
        let table = self.model.token_embedding();
        let x = sized(&mut self.scratch.residual, tokens.len() * hidden);
        for (row, &token) in x.chunks_exact_mut(hidden).zip(tokens) {
            embedding(&table, token as usize, row);
        }
        for index in 0..self.model.architecture().layers as usize {
            let layer = self.model.layer(index);
            self.attend(index, &layer, start, tokens.len());
            self.feed_forward(&layer, tokens.len());
        }
        self.cache.extend_to(start + tokens.len());
    }

    fn attend(&mut self, index: usize, layer: &Layer<'_>, start: usize, count: usize) {
        let a = *self.model.architecture();
        let (width, kv_width) = (a.attention_width(), a.kv_width());
        let (kernels, s) = (&self.kernels, &mut self.scratch);
        kernels.norm(
            &layer.attention_norm,
            a.norm_epsilon_q32,
            &s.residual,
            &mut s.normed,
        );
        let input = s.normed.view();
        let queries = sized(&mut s.queries, count * width);
        let keys = sized(&mut s.keys, count * kv_width);
        let values = sized(&mut s.values, count * kv_width);
        kernels.linear(&layer.query, input, ATTENTION_FRACTION, queries);
        kernels.linear(&layer.key, input, ATTENTION_FRACTION, keys);
        kernels.linear(&layer.value, input, ATTENTION_FRACTION, values);
        let rope = self.model.rope();
        kernels.rope(&rope, start, width, queries);
        kernels.rope(&rope, start, kv_width, keys);
        kernels.store(&mut self.cache, index, start, keys, values);

        let mixed = sized(&mut s.mixed, count * width);
        let cache = self.cache.layer(index);
        kernels.attention(cache, a.heads as usize, start, queries, mixed);
        kernels.quantise(mixed, width, ATTENTION_FRACTION, &mut s.product);
        let delta = sized(&mut s.delta, s.residual.len());
        kernels.linear(
            &layer.attention_output,
            s.product.view(),
            RESIDUAL_FRACTION,
            delta,
        );
        add(&mut s.residual, delta);
    }

    fn feed_forward(&mut self, layer: &Layer<'_>, count: usize) {
        let a = *self.model.architecture();
        let columns = a.feed_forward as usize;
        let (kernels, s) = (&self.kernels, &mut self.scratch);
        kernels.norm(
            &layer.feed_forward_norm,
            a.norm_epsilon_q32,
            &s.residual,
            &mut s.normed,
        );
        let input = s.normed.view();
        let gate = sized(&mut s.gate, count * columns);
        let up = sized(&mut s.up, count * columns);
        kernels.linear(&layer.gate, input, GATE_FRACTION, gate);
        kernels.linear(&layer.up, input, GATE_FRACTION, up);
        kernels.swiglu(gate, up, columns, &mut s.product);
        let delta = sized(&mut s.delta, s.residual.len());
        kernels.linear(&layer.down, s.product.view(), RESIDUAL_FRACTION, delta);
        add(&mut s.residual, delta);
    }
}

impl<K: Kernels> ForwardPass for Transformer<'_, K> {
    fn architecture(&self) -> &Architecture {
        self.model.architecture()
    }

    fn cached(&self) -> usize {
        self.cache.length()
    }

    fn capacity(&self) -> usize {
        self.cache.limit()
    }

    fn forward(
        &mut self,
        start: usize,
        tokens: &[u32],
        wanted: Range<usize>,
        hidden: &mut Blocks,
    ) -> Result<(), ForwardError> {
        validate(
            self.model.architecture().vocabulary,
            (self.cache.length(), self.capacity()),
            start,
            tokens,
            &wanted,
        )?;
        self.cache.truncate(start);
        let width = self.model.architecture().hidden as usize;
        let epsilon = self.model.architecture().norm_epsilon_q32;
        for (chunk, tokens) in tokens.chunks(CHUNK).enumerate() {
            let first = chunk * CHUNK;
            self.run(start + first, tokens);
            let from = wanted.start.max(first) - first;
            let to = wanted.end.min(first + tokens.len()).saturating_sub(first);
            if from < to {
                let gains = self.model.final_norm();
                let s = &mut self.scratch;
                let rows = &s.residual[from * width..to * width];
                self.kernels.norm(&gains, epsilon, rows, &mut s.normed);
                hidden.append(s.normed.view());
            }
        }
        Ok(())
    }

    fn logits(&mut self, hidden: BlocksRef<'_>, logits: &mut Vec<i32>) {
        let head = self.model.output_head();
        let logits = sized(logits, hidden.rows() * head.rows());
        if !logits.is_empty() {
            self.kernels.linear(&head, hidden, LOGIT_FRACTION, logits);
        }
    }
}

/// Refuses a pass that [`ForwardPass::forward`] does not define, over a cache of which `(length, capacity)`
/// positions are valid and fit. All executors call it, so all refuse the same passes.
pub fn validate(
    vocabulary: u32,
    (cached, capacity): (usize, usize),
    start: usize,
    tokens: &[u32],
    wanted: &Range<usize>,
) -> Result<(), ForwardError> {
    if start > cached {
        return Err(ForwardError::PositionNotCached { start, cached });
    }
    if tokens.len() > capacity.saturating_sub(start) {
        return Err(ForwardError::ContextFull {
            needed: start.saturating_add(tokens.len()),
            capacity,
        });
    }
    if wanted.start > wanted.end || wanted.end > tokens.len() {
        return Err(ForwardError::WantedOutOfRange {
            start: wanted.start,
            end: wanted.end,
            tokens: tokens.len(),
        });
    }
    match tokens.iter().position(|&token| token >= vocabulary) {
        Some(index) => Err(ForwardError::TokenOutOfRange {
            index,
            token: tokens[index],
            vocabulary,
        }),
        None => Ok(()),
    }
}

/// `buffer` with exactly `length` elements; their values are unspecified.
fn sized(buffer: &mut Vec<i32>, length: usize) -> &mut [i32] {
    buffer.resize(length, 0);
    buffer
}

fn add(residual: &mut [i32], delta: &[i32]) {
    for (x, &d) in residual.iter_mut().zip(delta) {
        *x = x.saturating_add(d);
    }
}
