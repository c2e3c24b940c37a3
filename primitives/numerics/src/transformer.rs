//! The transformer: tokens at consecutive positions to final hidden vectors and logits.
//!
//! # Formula
//! ```text
//! x = embedding(token)                                           units of 2^-14
//! for each layer:
//!     q, k, v = linear(norm(x))                                  units of 2^-16, |·| ≤ 2^26
//!     q, k, v = q ⊕ b_q, k ⊕ b_k, v ⊕ b_v                        where there are biases
//!     q, k    = head_norm(q), head_norm(k)                       where heads are normed
//!     q, k    = rope(q, k)                                       where the layer rotates
//!     x       = x ⊕ linear(Blocks(attention(q, cache of k, v)))  units of 2^-14
//!     x       = x ⊕ linear(swiglu(gate, up))                     gate, up = linear(norm(x)), 2^-20
//!   or, where the layer has experts, of which routes are the best by linear(norm(x)), 2^-20:
//!     x       = x ⊕ mix(experts(swiglu(gates, ups)))             gates, ups = experts(norm(x)), 2^-20
//! hidden = norm(x)
//! logits = linear(hidden)                                        units of 2^-16
//! ```
//! Some networks have GELU in place of SiLU, and norm what they add to x. ⊕ is saturating addition. [`Network`] states the same formula as a list of steps with their values and
//! tensors, which this module follows. Every step works on each position by itself, except attention, which
//! reads the cache of earlier positions: so any split of positions into calls, and any internal
//! chunk size, gives the same bits.

use crate::{
    bias::bias,
    embedding::embedding,
    error::ForwardError,
    kernels::Kernels,
    network::{NetworkOperator, Value},
    Architecture, Blocks, BlocksRef, KvCache, Model, Network,
};
use alloc::{vec, vec::Vec};
use core::{mem, ops::Range};

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

/// The values of a chunk's positions, by index; grown to the largest chunk seen.
#[derive(Debug)]
struct Scratch {
    integers: Vec<Vec<i32>>,
    blocks: Vec<Blocks>,
}

impl Scratch {
    fn new(network: &Network) -> Self {
        let values = network.values().len();
        Self {
            integers: vec![Vec::new(); values],
            blocks: vec![Blocks::default(); values],
        }
    }

    /// Keeps only these rows of `width` elements of `value`.
    fn keep(&mut self, value: Value, width: usize, rows: Range<usize>) {
        let vectors = &mut self.integers[value.index()];
        vectors.truncate(rows.end * width);
        vectors.drain(..rows.start * width);
    }
}

impl<'m, K: Kernels> Transformer<'m, K> {
    /// A transformer with an empty cache for `capacity` positions, at most the model's context.
    pub fn new(model: Model<'m>, kernels: K, capacity: u32) -> Self {
        let cache = KvCache::new(model.architecture(), capacity);
        let scratch = Scratch::new(model.network());
        Self {
            model,
            kernels,
            cache,
            scratch,
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

    /// Runs `steps` over the vectors in the scratch; the first is at position `start`, of the tokens if the
    /// steps begin with them.
    fn run(&mut self, steps: Range<usize>, start: usize, tokens: &[u32]) {
        let Self {
            model,
            kernels,
            cache,
            scratch,
        } = self;
        let network = model.network();
        let Scratch { integers, blocks } = scratch;
        for step in &network.steps()[steps] {
            match step.operator {
                NetworkOperator::Embedding { table, output } => {
                    let (table, width) = (model.linear(table), network.width(output));
                    let rows = sized(&mut integers[output.index()], tokens.len() * width);
                    for (row, &token) in rows.chunks_exact_mut(width).zip(tokens) {
                        embedding(&table, token as usize, row);
                    }
                }
                NetworkOperator::Norm {
                    gains,
                    epsilon_q32,
                    input,
                    output,
                } => kernels.norm(
                    &model.gains(gains),
                    epsilon_q32,
                    &integers[input.index()],
                    &mut blocks[output.index()],
                ),
                NetworkOperator::Linear {
                    weights,
                    input,
                    output,
                } => {
                    let (weights, input) = (model.linear(weights), blocks[input.index()].view());
                    let length = input.rows() * weights.rows();
                    let rows = sized(&mut integers[output.index()], length);
                    kernels.linear(&weights, input, network.fraction(output), rows);
                }
                NetworkOperator::Bias { biases, value } => bias(
                    &model.gains(biases),
                    network.fraction(value),
                    &mut integers[value.index()],
                ),
                NetworkOperator::HeadNorm {
                    gains,
                    epsilon_q32,
                    value,
                } => kernels.head_norm(
                    &model.gains(gains),
                    epsilon_q32,
                    network.fraction(value),
                    &mut integers[value.index()],
                ),
                NetworkOperator::Rope { table, value } => {
                    let (table, width) = (model.rope(table), network.width(value));
                    kernels.rope(&table, start, width, &mut integers[value.index()]);
                }
                NetworkOperator::Store {
                    cache: layer,
                    keys,
                    values,
                } => {
                    let (keys, values) = (&integers[keys.index()], &integers[values.index()]);
                    kernels.store(cache, layer as usize, start, keys, values);
                }
                NetworkOperator::Attention {
                    cache: layer,
                    heads,
                    window,
                    queries,
                    output,
                    ..
                } => {
                    let mut mixed = mem::take(&mut integers[output.index()]);
                    let queries = &integers[queries.index()];
                    let rows = sized(&mut mixed, queries.len());
                    let layer = cache.layer(layer as usize);
                    kernels.attention(layer, heads as usize, window, start, queries, rows);
                    integers[output.index()] = mixed;
                }
                NetworkOperator::Quantise { input, output } => kernels.quantise(
                    &integers[input.index()],
                    network.width(input),
                    network.fraction(input),
                    &mut blocks[output.index()],
                ),
                NetworkOperator::Swiglu { gate, up, output } => kernels.swiglu(
                    &integers[gate.index()],
                    &integers[up.index()],
                    network.width(output),
                    &mut blocks[output.index()],
                ),
                NetworkOperator::Geglu { gate, up, output } => kernels.geglu(
                    &integers[gate.index()],
                    &integers[up.index()],
                    network.width(output),
                    &mut blocks[output.index()],
                ),
                NetworkOperator::Route {
                    renormalised,
                    scores,
                    output,
                } => {
                    let (count, width) = (network.width(scores), network.width(output));
                    let mut routes = mem::take(&mut integers[output.index()]);
                    let scores = &integers[scores.index()];
                    let rows = sized(&mut routes, scores.len() / count * width);
                    kernels.route(scores, count, width / 2, renormalised, rows);
                    integers[output.index()] = routes;
                }
                NetworkOperator::Experts {
                    weights,
                    count,
                    routes,
                    input,
                    output,
                } => {
                    let weights = model.experts(weights, count as usize);
                    let chosen = network.width(routes) / 2;
                    let input = blocks[input.index()].view();
                    let mut products = mem::take(&mut integers[output.index()]);
                    let rows = sized(&mut products, input.rows() * network.width(output));
                    let routes = &integers[routes.index()];
                    let fraction = network.fraction(output);
                    kernels.experts(&weights, chosen, routes, input, fraction, rows);
                    integers[output.index()] = products;
                }
                NetworkOperator::Mix {
                    routes,
                    input,
                    output,
                } => {
                    let (chosen, columns) = (network.width(routes) / 2, network.width(output));
                    let mut mixed = mem::take(&mut integers[output.index()]);
                    let (routes, input) = (&integers[routes.index()], &integers[input.index()]);
                    let rows = sized(&mut mixed, input.len() / chosen);
                    kernels.mix(chosen, routes, input, columns, rows);
                    integers[output.index()] = mixed;
                }
                NetworkOperator::Add { delta, value } => {
                    let mut sum = mem::take(&mut integers[value.index()]);
                    kernels.add(&integers[delta.index()], &mut sum);
                    integers[value.index()] = sum;
                }
            }
        }
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
        let network = self.model.network();
        let sections = network.sections();
        let (residual, result) = (network.residual(), network.hidden());
        let width = network.width(residual);
        for (chunk, tokens) in tokens.chunks(CHUNK).enumerate() {
            let first = chunk * CHUNK;
            let start = start + first;
            self.run(sections.layers.clone(), start, tokens);
            self.cache.extend_to(start + tokens.len());
            let from = wanted.start.max(first) - first;
            let to = wanted.end.min(first + tokens.len()).saturating_sub(first);
            if from < to {
                self.scratch.keep(residual, width, from..to);
                self.run(sections.hidden.clone(), start, &[]);
                hidden.append(self.scratch.blocks[result.index()].view());
            }
        }
        Ok(())
    }

    fn logits(&mut self, hidden: BlocksRef<'_>, logits: &mut Vec<i32>) {
        let network = self.model.network();
        let (input, result) = (network.hidden().index(), network.logits().index());
        let steps = network.sections().logits;
        if hidden.rows() == 0 {
            return logits.clear();
        }
        let blocks = &mut self.scratch.blocks[input];
        blocks.clear();
        blocks.append(hidden);
        mem::swap(logits, &mut self.scratch.integers[result]);
        self.run(steps, 0, &[]);
        mem::swap(logits, &mut self.scratch.integers[result]);
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
