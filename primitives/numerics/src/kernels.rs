//! The interface for executors that implement the operators faster.

use crate::{
    add, attention, blocks,
    cache::{KvCache, LayerCache},
    experts::{self, Experts},
    geglu, head_norm, linear, mix,
    model::{Gains, Linear, RopeTable},
    norm, rope, route, swiglu, Blocks, BlocksRef,
};

/// The operators of a layer, each over a batch of positions.
///
/// The provided methods are the definition. An executor overrides those it makes faster, and must return the
/// same bits: golden vectors and [`crate::testing`] compare them. Shapes must be valid; a method panics
/// otherwise.
pub trait Kernels {
    /// See [`mod@crate::linear`]. `output` is row-major `[batch][rows]`.
    fn linear(
        &self,
        weights: &Linear<'_>,
        input: BlocksRef<'_>,
        fraction: i32,
        output: &mut [i32],
    ) {
        linear::linear(weights, input, fraction, output);
    }

    /// See [`mod@crate::norm`].
    fn norm(&self, gains: &Gains<'_>, epsilon_q32: u32, input: &[i32], output: &mut Blocks) {
        norm::norm(gains, epsilon_q32, input, output);
    }

    /// See [`mod@crate::head_norm`]: normalises the heads of `rows` in place, in units of `2^-fraction`.
    fn head_norm(&self, gains: &Gains<'_>, epsilon_q32: u32, fraction: i32, rows: &mut [i32]) {
        head_norm::head_norm(gains, epsilon_q32, fraction, rows);
    }

    /// See [`mod@crate::rope`].
    fn rope(&self, table: &RopeTable<'_>, start: usize, width: usize, rows: &mut [i32]) {
        rope::rope(table, start, width, rows);
    }

    /// See [`KvCache::store`].
    fn store(&self, cache: &mut KvCache, layer: usize, start: usize, keys: &[i32], values: &[i32]) {
        cache.store(layer, start, keys, values);
    }

    /// See [`mod@crate::attention`].
    fn attention(
        &self,
        cache: LayerCache<'_>,
        heads: usize,
        window: Option<u32>,
        start: usize,
        queries: &[i32],
        output: &mut [i32],
    ) {
        attention::attention(cache, heads, window, start, queries, output);
    }

    /// See [`mod@crate::swiglu`].
    fn swiglu(&self, gate: &[i32], up: &[i32], columns: usize, output: &mut Blocks) {
        swiglu::swiglu(gate, up, columns, output);
    }

    /// See [`mod@crate::geglu`].
    fn geglu(&self, gate: &[i32], up: &[i32], columns: usize, output: &mut Blocks) {
        geglu::geglu(gate, up, columns, output);
    }

    /// See [`mod@crate::blocks`]: quantises rows of `columns` elements into `output`, which is
    /// replaced.
    fn quantise(&self, values: &[i32], columns: usize, fraction: i32, output: &mut Blocks) {
        blocks::quantise_rows(values, columns, fraction, output);
    }

    /// See [`mod@crate::route`]: `output` is row-major `[batch][2 * chosen]`.
    fn route(
        &self,
        scores: &[i32],
        count: usize,
        chosen: usize,
        renormalised: bool,
        output: &mut [i32],
    ) {
        route::route(scores, count, chosen, renormalised, output);
    }

    /// See [`mod@crate::experts`]: `output` is row-major `[batch][chosen][rows]`.
    fn experts(
        &self,
        weights: &Experts<'_>,
        chosen: usize,
        routes: &[i32],
        input: BlocksRef<'_>,
        fraction: i32,
        output: &mut [i32],
    ) {
        experts::experts(weights, chosen, routes, input, fraction, output);
    }

    /// See [`mod@crate::mix`]: `input` is row-major `[batch][chosen][columns]`.
    fn mix(
        &self,
        chosen: usize,
        routes: &[i32],
        input: &[i32],
        columns: usize,
        output: &mut [i32],
    ) {
        mix::mix(chosen, routes, input, columns, output);
    }

    /// See [`mod@crate::add`].
    fn add(&self, delta: &[i32], values: &mut [i32]) {
        add::add(delta, values);
    }
}

/// The reference: every operator as defined, on one thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scalar;

impl Kernels for Scalar {}

impl<K: Kernels + ?Sized> Kernels for &K {
    fn linear(
        &self,
        weights: &Linear<'_>,
        input: BlocksRef<'_>,
        fraction: i32,
        output: &mut [i32],
    ) {
        (**self).linear(weights, input, fraction, output);
    }

    fn norm(&self, gains: &Gains<'_>, epsilon_q32: u32, input: &[i32], output: &mut Blocks) {
        (**self).norm(gains, epsilon_q32, input, output);
    }

    fn head_norm(&self, gains: &Gains<'_>, epsilon_q32: u32, fraction: i32, rows: &mut [i32]) {
        (**self).head_norm(gains, epsilon_q32, fraction, rows);
    }

    fn rope(&self, table: &RopeTable<'_>, start: usize, width: usize, rows: &mut [i32]) {
        (**self).rope(table, start, width, rows);
    }

    fn store(&self, cache: &mut KvCache, layer: usize, start: usize, keys: &[i32], values: &[i32]) {
        (**self).store(cache, layer, start, keys, values);
    }

    fn attention(
        &self,
        cache: LayerCache<'_>,
        heads: usize,
        window: Option<u32>,
        start: usize,
        queries: &[i32],
        output: &mut [i32],
    ) {
        (**self).attention(cache, heads, window, start, queries, output);
    }

    fn swiglu(&self, gate: &[i32], up: &[i32], columns: usize, output: &mut Blocks) {
        (**self).swiglu(gate, up, columns, output);
    }

    fn geglu(&self, gate: &[i32], up: &[i32], columns: usize, output: &mut Blocks) {
        (**self).geglu(gate, up, columns, output);
    }

    fn quantise(&self, values: &[i32], columns: usize, fraction: i32, output: &mut Blocks) {
        (**self).quantise(values, columns, fraction, output);
    }

    fn route(
        &self,
        scores: &[i32],
        count: usize,
        chosen: usize,
        renormalised: bool,
        output: &mut [i32],
    ) {
        (**self).route(scores, count, chosen, renormalised, output);
    }

    fn experts(
        &self,
        weights: &Experts<'_>,
        chosen: usize,
        routes: &[i32],
        input: BlocksRef<'_>,
        fraction: i32,
        output: &mut [i32],
    ) {
        (**self).experts(weights, chosen, routes, input, fraction, output);
    }

    fn mix(
        &self,
        chosen: usize,
        routes: &[i32],
        input: &[i32],
        columns: usize,
        output: &mut [i32],
    ) {
        (**self).mix(chosen, routes, input, columns, output);
    }

    fn add(&self, delta: &[i32], values: &mut [i32]) {
        (**self).add(delta, values);
    }
}
