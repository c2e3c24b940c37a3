//! Linear layer: int8 weights times block-quantised activations, exact until one final rounding.
//!
//! Shapes: weights `[rows][columns]`, input `[batch][columns]`, output `[batch][rows]`.
//!
//! # Formula
//! For one output row of one input vector, over the blocks `b` of 32 columns:
//! ```text
//! acc_b = Σ_k q[k] * a[k]                                exact, i32
//! T     = Σ_b (acc_b * s_b) << (shift_b - base)          exact, i64
//! y     = saturate_i32(round_half_up(T * 2^(E + base - input fraction + output fraction)))
//! ```
//! `base = max(0, max_b(shift_b) - 11)`. Any smaller or larger base that keeps `T` an integer
//! names the same real number, so the result does not depend on it.
//!
//! # Bounds
//! |q| ≤ 2^7, |a| ≤ 2^14: |acc_b| ≤ 32 * 2^21 = 2^26. s < 2^16: |acc_b * s_b| < 2^42. Exponents
//! span at most 11 bits: each term < 2^53. At most 1,024 blocks (32,768 columns): |T| < 2^63.
//!
//! # Error
//! Half a unit of the output over the exact product of the quantised operands, and saturation.

use crate::{
    blocks::SHIFT_SPAN,
    fixed::{scale_saturate, scale_saturate_wide},
    model::Linear,
    tile::{self, Tile, TILE_COLUMNS, TILE_QUANTS, TILE_ROWS},
    BlocksRef,
};

/// Input vectors that share one pass over a row group's tiles.
const BATCH: usize = 16;

/// Base of the exact sums over a vector with these shifts.
pub fn base_shift(shifts: &[u8]) -> u32 {
    let widest = shifts.iter().copied().max().unwrap_or(0);
    u32::from(widest).saturating_sub(SHIFT_SPAN)
}

/// Exponent that takes an exact sum `T` to units of `2^-output_fraction`.
pub fn output_exponent(weights: &Linear<'_>, base: u32, input: i32, output: i32) -> i32 {
    weights.exponent() + base as i32 - input + output
}

/// Multiplies every vector of `input` by `weights` into `output`, row-major `[batch][rows]`, in
/// units of `2^-fraction`.
///
/// # Panics
/// When the shapes do not fit.
pub fn linear(weights: &Linear<'_>, input: BlocksRef<'_>, fraction: i32, output: &mut [i32]) {
    let rows = weights.rows();
    assert_eq!(input.columns(), weights.columns(), "inputs of the layer");
    assert_eq!(output.len(), input.rows() * rows, "outputs of the layer");
    for start in (0..input.rows()).step_by(BATCH) {
        let batch = input.slice(start..input.rows().min(start + BATCH));
        let output = &mut output[start * rows..][..batch.rows() * rows];
        for group in 0..weights.groups() {
            row_group(weights, group, batch, fraction, output);
        }
    }
}

/// The 16 outputs of row group `group` for each of at most [`BATCH`] vectors.
fn row_group(
    weights: &Linear<'_>,
    group: usize,
    input: BlocksRef<'_>,
    fraction: i32,
    output: &mut [i32],
) {
    let blocks = input.columns() / TILE_COLUMNS;
    let mut base = [0; BATCH];
    for (vector, base) in base.iter_mut().enumerate().take(input.rows()) {
        *base = base_shift(input.row(vector).1);
    }
    let mut sums = [[0i64; TILE_ROWS]; BATCH];
    for (block, tile) in weights.group(group).iter().enumerate() {
        let quants = widen(tile);
        let scales = tile::scales(tile);
        for (vector, sums) in sums.iter_mut().enumerate().take(input.rows()) {
            let at = vector * blocks + block;
            let mantissas = &input.mantissas().as_chunks::<TILE_COLUMNS>().0[at];
            let shift = u32::from(input.shifts()[at]) - base[vector];
            let products = dot(&quants, mantissas);
            for ((sum, product), scale) in sums.iter_mut().zip(products).zip(scales) {
                let term = i64::from(product).wrapping_mul(i64::from(scale)) << shift;
                *sum = sum.wrapping_add(term);
            }
        }
    }
    let rows = weights.rows();
    let first = group * TILE_ROWS;
    let count = TILE_ROWS.min(rows - first);
    for (vector, sums) in sums.iter().enumerate().take(input.rows()) {
        let exponent = output_exponent(weights, base[vector], input.fraction(), fraction);
        let output = &mut output[vector * rows + first..][..count];
        for (y, &sum) in output.iter_mut().zip(sums) {
            *y = scale_saturate(sum, exponent);
        }
    }
}

/// Adds the part of `T` that some consecutive blocks of the reduction contribute to each of the 16 rows of a row group:
/// `tiles` are the row group's, along the blocks; `mantissas` and `shifts` the input's.
///
/// The sum has base zero and is exact in 128 bits, so the parts of a reduction can be added in any order, each without
/// the exponents of the others: it names the same real number as `T * 2^base`.
pub fn add_products(
    tiles: &[Tile],
    mantissas: &[i16],
    shifts: &[u8],
    sums: &mut [i128; TILE_ROWS],
) {
    let blocks = tiles
        .iter()
        .zip(mantissas.as_chunks::<TILE_COLUMNS>().0)
        .zip(shifts);
    for ((tile, mantissas), shift) in blocks {
        let products = dot(&widen(tile), mantissas);
        // 42 bits, and shifts are at most 18.
        let shift = u32::from(*shift).min(64);
        for ((sum, product), scale) in sums.iter_mut().zip(products).zip(tile::scales(tile)) {
            let term = i128::from(i64::from(product).wrapping_mul(i64::from(scale))) << shift;
            *sum = sum.wrapping_add(term);
        }
    }
}

/// The output of a row from its whole sum with base zero; see [`output_exponent`], with a base of zero.
pub const fn round_sum(sum: i128, exponent: i32) -> i32 {
    scale_saturate_wide(sum, exponent)
}

/// Quants of a tile as i16, in stored order.
fn widen(tile: &Tile) -> [i16; TILE_QUANTS] {
    let mut quants = [0; TILE_QUANTS];
    for (wide, &byte) in quants.iter_mut().zip(tile) {
        *wide = i16::from(byte as i8);
    }
    quants
}

/// `Σ_k q[row][k] * a[k]` for the 16 rows of a tile.
///
/// Two partial sums a row, each over pairs of neighbouring inputs, with the inputs repeated for every row: in
/// this form the compiler emits packed multiply-adds.
fn dot(quants: &[i16; TILE_QUANTS], mantissas: &[i16; TILE_COLUMNS]) -> [i32; TILE_ROWS] {
    let mut pairs = [0i32; TILE_ROWS * 2];
    let words = quants.as_chunks::<{ TILE_ROWS * 4 }>().0;
    for (word, inputs) in words.iter().zip(mantissas.as_chunks::<4>().0) {
        let mut repeated = [0; TILE_ROWS * 4];
        repeated.as_chunks_mut().0.fill(*inputs);
        for (i, pair) in pairs.iter_mut().enumerate() {
            let at = 2 * i;
            *pair = pair.wrapping_add(pair_product(
                [word[at], word[at + 1]],
                [repeated[at], repeated[at + 1]],
            ));
        }
    }
    core::array::from_fn(|row| pairs[row * 2] + pairs[row * 2 + 1])
}

/// `q · a` of two elements. Like every sum of a block it stays below 2^26 and cannot wrap. Wrapping
/// operations avoid the overflow checks, which would prevent vectorisation.
pub(crate) fn pair_product(q: [i16; 2], a: [i16; 2]) -> i32 {
    let product = |i: usize| i32::from(q[i]).wrapping_mul(i32::from(a[i]));
    product(0).wrapping_add(product(1))
}
