//! Causal grouped-query attention over the int8 key/value cache.
//!
//! Shapes: queries `[batch][heads][d]` in units of 2^-16; the row at offset `i` is
//! position `start + i` and sees positions `0..=start + i`, or the last of these within a window. Output `[batch][heads][d]` in units of
//! 2^-16. Query head `h` reads key/value head `h / (heads / kv_heads)`.
//!
//! # Formula
//! For one query head at one position `p`:
//! ```text
//! C     = ⌊sqrt(log2(e)² / d)⌋ in units of 2^-31               softmax in base two
//! q'    = Blocks(round_half_up(clamp(q, ±2^27) * C / 2^27))    units of 2^-20
//! z_t   = saturate_i32(round_half_up(Σ_b (q'_b · k_tb) * s_tb * 2^shift_b / 2^20))    2^-16
//! e_t   = exp2(z_t - max_t z_t)                                units of 2^-30
//! D     = Σ_t e_t
//! ```
//! and for each block `b` of 32 elements of the value, over aligned blocks `c` of 32 positions
//! (positions that p does not see count as zero):
//! ```text
//! w_t   = e_t * s_tb                                           exact
//! u     = max(0, bit length of max_t w_t - 30)
//! a     = Blocks(round_half_up(w / 2^u))                       blocks along the positions
//! N     = Σ_c (a_c · v_cb) << (shift_c - base)                 exact, i64
//! out   = round(N * 2^(u + base) / D)                          see [`ratio`]
//! ```
//! The sum over positions is thereby the same operator as a linear layer with scales of one: 16-bit mantissas
//! times int8, blocks of 32, one exponent a block. Blocks of positions start at absolute multiples of 32, so
//! the result does not depend on how positions are split into calls, and blocks of which no position is seen add
//! nothing.
//!
//! # Bounds
//! Only queries that are not rotated exceed 2^27, and are clamped. |q| ≤ 2^27 and d ≥ 32 give C < 2^29.04 and |q'| < 2^29.04, so the shifts of q' are at most 16.
//! A score's sum is at most 16 blocks * 32 * 2^7 * 2^14 * s (2^20.02) * 2^11 < 2^62. e_t ≤ 2^30,
//! s_tb ≤ 2^19.02, w_t ≤ 2^49.02, u ≤ 20; w' ≤ 2^30, shifts of a at most 17, N at most
//! 2^26 * 2^11 * 2^12 blocks = 2^49. 2^30 ≤ D ≤ 2^47, as the largest e_t is 2^30 and there are at
//! most 2^17 positions.
//!
//! # Error
//! Against attention over the exact q, k, v: z by half a unit (2^-17) plus the block error of q'
//! and the cache's error of k; e_t relative 2^-19; the weights of positions by 2^-14 of the
//! largest in their block of 32 or 2^-25 of the largest of all; the cache's error of v, which
//! dominates.

use crate::{
    blocks,
    cache::{HeadCache, LayerCache},
    exp2::exp2,
    fixed::{round_shift, saturate},
    linear::{base_shift, pair_product},
    rope::clamp_rotated,
    BLOCK,
};
use alloc::vec::Vec;
use core::ops::Range;

/// log2(e)² in units of 2^-62.
const LOG2_E_SQUARED_Q62: u64 = 9_598_620_228_892_020_987;
/// Fraction bits of the scaled query.
pub const QUERY_FRACTION: u32 = 20;
/// Bits of the position weights before they are block-quantised.
pub const WEIGHT_BITS: u32 = 30;

/// `log2(e) / sqrt(head_dim)` in units of 2^-31: scales scores to base-two logits.
pub const fn score_scale(head_dim: usize) -> i64 {
    (LOG2_E_SQUARED_Q62 / head_dim as u64).isqrt() as i64
}

/// A query element, clamped and scaled to base-two logits, in units of 2^-20.
pub fn scale_query(q: i32, score_scale: i64) -> i32 {
    saturate(round_shift(
        i64::from(clamp_rotated(q)) * score_scale,
        31 + 16 - QUERY_FRACTION,
    ))
}

/// A base-two logit in units of 2^-16 from the exact sum of a score with base `base`.
pub const fn logit(sum: i64, base: u32) -> i32 {
    saturate(round_shift(sum, QUERY_FRACTION - base))
}

/// The reciprocal of a sum of weights, ready for [`ratio`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reciprocal {
    factor: i64,
    shift: u32,
}

impl Reciprocal {
    /// Of `sum` in `2^30..=2^47`: `factor = ⌊2^61 / round_half_up(sum / 2^k)⌋` with `k` such that
    /// the divisor has 31 bits.
    pub const fn new(sum: u64) -> Self {
        let k = 33 - sum.leading_zeros();
        let divisor = round_shift(sum as i64, k);
        Self {
            factor: (1 << 61) / divisor,
            shift: 61 + k,
        }
    }
}

/// `n * 2^exponent / D` for |n| ≤ 2^49 and an exponent up to 26, rounded to nearest.
///
/// ```text
/// x = max(0, bit length of |n| - 31)
/// ratio = saturate_i32(round_half_up(round_half_up(n / 2^x) * factor / 2^(shift - x - exponent)))
/// ```
/// |n / 2^x| ≤ 2^31 and factor ≤ 2^31 keep the product within 2^62; the last shift is at least
/// 17. Error: relative 2^-29, then half a unit.
pub const fn ratio(n: i64, exponent: u32, divisor: Reciprocal) -> i32 {
    let bits = 64 - n.unsigned_abs().leading_zeros();
    let x = bits.saturating_sub(31);
    let product = round_shift(n, x) * divisor.factor;
    saturate(round_shift(product, divisor.shift - x - exponent))
}

/// Attends with every query of every position; see the module.
///
/// # Panics
/// When the shapes do not fit or a position is outside the cache.
pub fn attention(
    cache: LayerCache<'_>,
    heads: usize,
    window: Option<u32>,
    start: usize,
    queries: &[i32],
    output: &mut [i32],
) {
    assert_eq!(queries.len(), output.len(), "one output per query element");
    let head_dim = cache.head_dim();
    let width = heads * head_dim;
    let heads_per_kv = heads / cache.heads();
    let mut scratch = Scratch::default();
    let rows = queries
        .chunks_exact(width)
        .zip(output.chunks_exact_mut(width));
    for (offset, (queries, output)) in rows.enumerate() {
        let seen = seen(window, start + offset);
        // Whole blocks of positions, from the first that is seen.
        let first = seen.start / BLOCK * BLOCK;
        let vectors = queries
            .chunks_exact(head_dim)
            .zip(output.chunks_exact_mut(head_dim));
        for (head, (query, output)) in vectors.enumerate() {
            let kv = head / heads_per_kv;
            let keys = cache.keys(kv).after(first, head_dim);
            let values = cache.values(kv).after(first, head_dim);
            let within = seen.start - first..seen.end - first;
            let sum = scratch.softmax(query, keys, within);
            scratch.mix(values, head_dim, Reciprocal::new(sum), output);
        }
    }
}

/// The positions that `position` sees: all up to itself, or the last of these within a window.
pub fn seen(window: Option<u32>, position: usize) -> Range<usize> {
    let end = position + 1;
    let most = window.map_or(usize::MAX, |positions| positions as usize);
    end.saturating_sub(most)..end
}

/// The query of one head at one position, as blocks.
#[derive(Clone, Debug, Default)]
pub struct Query {
    scaled: Vec<i32>,
    mantissas: Vec<i16>,
    shifts: Vec<u8>,
    base: u32,
}

impl Query {
    /// `q'` of a query.
    pub fn new(query: &[i32]) -> Self {
        let mut blocks = Self::default();
        blocks.set(query);
        blocks
    }

    /// Replaces it; keeps the buffers.
    fn set(&mut self, query: &[i32]) {
        let scale = score_scale(query.len().max(1));
        self.scaled.clear();
        self.scaled
            .extend(query.iter().map(|&q| scale_query(q, scale)));
        self.mantissas.resize(query.len(), 0);
        self.shifts.resize(query.len() / BLOCK, 0);
        blocks::quantise(&self.scaled, &mut self.mantissas, &mut self.shifts);
        self.base = base_shift(&self.shifts);
    }

    /// `z_t` of a key: quants by element, scales by block.
    pub fn logit(&self, key: &[i8], scales: &[u32]) -> i32 {
        let mut sum = 0i64;
        for (((q, k), scale), shift) in self
            .mantissas
            .as_chunks::<BLOCK>()
            .0
            .iter()
            .zip(key.as_chunks::<BLOCK>().0)
            .zip(scales)
            .zip(&self.shifts)
        {
            let product = i64::from(dot(q, k)) * i64::from(*scale);
            sum += product << (u32::from(*shift) - self.base);
        }
        logit(sum, self.base)
    }
}

/// `e_t` of a position whose logit is `z`, if the largest is `largest`.
pub fn power(z: i32, largest: i32) -> u32 {
    exp2(z.saturating_sub(largest))
}

/// How the weights `w_t` of a query's positions are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightScale {
    /// `u`.
    pub exponent: u32,
    /// Bit length of the largest weight after scaling.
    range: u32,
}

impl WeightScale {
    /// For weights of which `largest` is the largest. Rounding keeps their order, so it is the largest after
    /// scaling, too.
    pub const fn new(largest: u64) -> Self {
        let exponent = (u64::BITS - largest.leading_zeros()).saturating_sub(WEIGHT_BITS);
        let scaled = round_shift(largest as i64, exponent) as i32;
        Self {
            exponent,
            range: crate::fixed::bit_length(scaled.unsigned_abs()),
        }
    }

    /// `w / 2^u`.
    pub const fn scale(self, weight: u64) -> i32 {
        round_shift(weight as i64, self.exponent) as i32
    }

    /// The exponent of the sums of [`mix`], by which [`ratio`] multiplies them.
    pub const fn sum_exponent(self) -> u32 {
        self.exponent + blocks::least_shift(self.range)
    }
}

/// Adds to `N` of one block of values what one block of positions contributes: `(a_c · v_cb) << (shift_c - base)`.
/// `weights` are scaled, and `values` are the quants of these positions, in order.
pub fn mix<'a>(
    weights: &[i32; BLOCK],
    scale: WeightScale,
    values: impl Iterator<Item = &'a [i8; BLOCK]>,
    sums: &mut [i64; BLOCK],
) {
    let (mut mantissas, mut shifts) = ([0; BLOCK], [0; 1]);
    blocks::quantise_part(weights, scale.range, &mut mantissas, &mut shifts);
    let mut products = [0i32; BLOCK];
    for (&weight, row) in mantissas.iter().zip(values) {
        for (product, &v) in products.iter_mut().zip(row) {
            // Below 2^26, as every sum of a block.
            *product = product.wrapping_add(i32::from(weight).wrapping_mul(i32::from(v)));
        }
    }
    let shift = u32::from(shifts[0]).saturating_sub(blocks::least_shift(scale.range));
    for (sum, product) in sums.iter_mut().zip(products) {
        *sum = sum.wrapping_add(i64::from(product) << shift);
    }
}

/// Buffers of one query head at one position.
#[derive(Default)]
struct Scratch {
    query: Query,
    logits: Vec<i32>,
    powers: Vec<u32>,
    weights: Vec<i32>,
}

impl Scratch {
    /// Writes `e_t` of the positions `seen` to `powers`, zero of those before, and returns their sum.
    fn softmax(&mut self, query: &[i32], keys: HeadCache<'_>, seen: Range<usize>) -> u64 {
        self.query.set(query);
        self.logits.clear();
        let rows = keys
            .quants
            .chunks_exact(query.len())
            .zip(keys.scales.chunks_exact(query.len() / BLOCK));
        let logits = rows
            .take(seen.end)
            .map(|(key, scales)| self.query.logit(key, scales));
        self.logits.extend(logits);

        let logits = &self.logits[seen.start..];
        let largest = logits.iter().copied().max().unwrap_or(0);
        self.powers.clear();
        self.powers.resize(seen.start, 0);
        self.powers
            .extend(logits.iter().map(|&z| power(z, largest)));
        self.powers.iter().map(|&e| u64::from(e)).sum()
    }

    /// Averages the values by `powers`.
    fn mix(
        &mut self,
        values: HeadCache<'_>,
        head_dim: usize,
        divisor: Reciprocal,
        output: &mut [i32],
    ) {
        let blocks = head_dim / BLOCK;
        let padded = self.powers.len().next_multiple_of(BLOCK);
        self.weights.resize(padded, 0);
        for (block, output) in output.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let scale = self.weigh(values.scales, blocks, block);
            let mut sums = [0i64; BLOCK];
            for (chunk, weights) in self.weights.as_chunks::<BLOCK>().0.iter().enumerate() {
                let rows = &values.quants[chunk * BLOCK * head_dim..][..BLOCK * head_dim];
                let rows = rows.chunks_exact(head_dim);
                let rows = rows.map(|row| &row.as_chunks::<BLOCK>().0[block]);
                mix(weights, scale, rows, &mut sums);
            }
            for (out, sum) in output.iter_mut().zip(sums) {
                *out = ratio(sum, scale.sum_exponent(), divisor);
            }
        }
    }

    /// Writes `e_t * s_t / 2^u` to `weights`, zero after the last position, and returns how they are scaled.
    fn weigh(&mut self, scales: &[u32], blocks: usize, block: usize) -> WeightScale {
        let scales = || scales.iter().skip(block).step_by(blocks);
        let product = |(&e, &s): (&u32, &u32)| u64::from(e) * u64::from(s);
        let largest = self
            .powers
            .iter()
            .zip(scales())
            .map(product)
            .max()
            .unwrap_or(0);
        let scale = WeightScale::new(largest);
        self.weights.fill(0);
        for (weight, pair) in self
            .weights
            .iter_mut()
            .zip(self.powers.iter().zip(scales()))
        {
            *weight = scale.scale(product(pair));
        }
        scale
    }
}

/// `Σ q[i] * k[i]` over one block.
fn dot(q: &[i16; BLOCK], k: &[i8; BLOCK]) -> i32 {
    let k = k.map(i16::from);
    let mut sum = 0i32;
    for i in 0..BLOCK / 2 {
        let at = 2 * i;
        sum = sum.wrapping_add(pair_product([q[at], q[at + 1]], [k[at], k[at + 1]]));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_rounded_to_nearest_over_its_whole_range() {
        for (n, exponent, sum) in [
            (1i64 << 49, 26, 1u64 << 47),
            (-(1 << 49), 0, 1 << 30),
            ((1 << 47) - 12_345, 20, (1 << 46) + 987_654_321),
            (-7, 26, (1 << 31) - 1),
            (0, 0, 1 << 30),
        ] {
            let exact = n as f64 * f64::powi(2.0, exponent as i32) / sum as f64;
            let got = f64::from(ratio(n, exponent, Reciprocal::new(sum)));
            let clamped = exact.clamp(f64::from(i32::MIN), f64::from(i32::MAX));
            let bound = 0.5 + clamped.abs() * f64::powi(2.0, -29);
            assert!(
                (got - clamped).abs() <= bound,
                "{n} {exponent} {sum}: {got} {exact}"
            );
        }
    }

    #[test]
    fn the_score_scale_is_log2_e_over_the_root_of_the_width() {
        for width in [32usize, 64, 128, 512] {
            let exact = core::f64::consts::LOG2_E / (width as f64).sqrt() * f64::powi(2.0, 31);
            assert!((score_scale(width) as f64 - exact).abs() <= 1.5);
        }
    }
}
