//! Attention of one query head at one position: `noema_numerics::attention`, step by step over whole arrays
//! of positions, so that the compiler can vectorise it. For the same reason, sums that are known not to
//! overflow are written as wrapping ones.
//!
//! Formula, names and bounds are those of the definition. `B` is the number of blocks of 32 in a
//! head.

use super::{
    dot,
    level::{Level, Work},
    rows::{self, exp2, ratio, round_shift, saturate, Reciprocal},
};
use noema_numerics::{
    attention::score_scale,
    blocks::{MANTISSA_BITS, SHIFT_SPAN},
    cache::HeadCache,
    linear::base_shift,
    rope::ROTATED_LIMIT,
    BLOCK,
};
use std::ops::Range;

/// Fraction bits of the scaled query: the definition's 2^-20, of which 16 remain in a logit.
const QUERY_FRACTION: u32 = 20;
/// Bits of the position weights before they are block-quantised.
const WEIGHT_BITS: u32 = 30;

/// Buffers for any number of positions, grown as needed.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    dots: Vec<i32>,
    logits: Vec<i32>,
    powers: Vec<u32>,
    products: Vec<u64>,
    weights: Vec<i32>,
    weight_mantissas: Vec<i16>,
    weight_shifts: Vec<u8>,
}

/// Whether there is a kernel for heads of this width.
pub(crate) fn supports(head_dim: usize) -> bool {
    head_dim.is_multiple_of(BLOCK) && matches!(head_dim / BLOCK, 1..=4 | 8)
}

/// Attends with `query` over the positions `seen` of a key/value head.
///
/// # Panics
/// For a width of head that has no kernel.
pub(crate) fn head(
    level: Level,
    scratch: &mut Scratch,
    query: &[i32],
    keys: HeadCache<'_>,
    values: HeadCache<'_>,
    seen: Range<usize>,
    output: &mut [i32],
) {
    macro_rules! run {
        ($($blocks:literal)*) => {
            match query.len() / BLOCK {
                $($blocks => level.run(Head::<$blocks> {
                    level,
                    scratch,
                    query,
                    keys,
                    values,
                    seen,
                    output,
                }),)*
                blocks => panic!("a head of {blocks} blocks has no kernel"),
            }
        };
    }
    run!(1 2 3 4 8);
}

/// `z_t` of the first `padded` positions of a key head, whole blocks of them.
///
/// # Panics
/// For a width of head that has no kernel.
pub(crate) fn logits<'a>(
    level: Level,
    scratch: &'a mut Scratch,
    query: &[i32],
    keys: HeadCache<'_>,
    padded: usize,
) -> &'a [i32] {
    macro_rules! run {
        ($($blocks:literal)*) => {
            match query.len() / BLOCK {
                $($blocks => level.run(Logits::<$blocks> {
                    level,
                    scratch: &mut *scratch,
                    query,
                    keys,
                    padded,
                }),)*
                blocks => panic!("a head of {blocks} blocks has no kernel"),
            }
        };
    }
    run!(1 2 3 4 8);
    &scratch.logits
}

/// `Σ_t weights[t] * v_t` for each element of block `part` of the values of 32 positions.
///
/// # Panics
/// For a width of head that has no kernel, and other numbers of positions.
pub(crate) fn products(
    level: Level,
    weights: &[i16; BLOCK],
    values: &[i8],
    part: usize,
) -> [i32; BLOCK] {
    macro_rules! run {
        ($($blocks:literal)*) => {
            match values.len() / BLOCK / BLOCK {
                $($blocks => {
                    let rows = values.as_chunks::<BLOCK>().0.as_chunks::<$blocks>().0;
                    let rows = rows.first_chunk().expect("the values of 32 positions");
                    dot::weighted_sum(level, weights, rows, part)
                })*
                blocks => panic!("a head of {blocks} blocks has no kernel"),
            }
        };
    }
    run!(1 2 3 4 8)
}

/// The logits of a query head of `B` blocks.
struct Logits<'a, const B: usize> {
    level: Level,
    scratch: &'a mut Scratch,
    query: &'a [i32],
    keys: HeadCache<'a>,
    padded: usize,
}

impl<const B: usize> Work for Logits<'_, B> {
    #[inline(always)]
    fn run(self) {
        score::<B>(self.level, self.scratch, self.query, self.keys, self.padded);
    }
}

/// A query head of `B` blocks at one position.
struct Head<'a, const B: usize> {
    level: Level,
    scratch: &'a mut Scratch,
    query: &'a [i32],
    keys: HeadCache<'a>,
    values: HeadCache<'a>,
    seen: Range<usize>,
    output: &'a mut [i32],
}

impl<const B: usize> Work for Head<'_, B> {
    #[inline(always)]
    fn run(self) {
        let Self {
            level,
            scratch: s,
            query,
            keys,
            values,
            seen,
            output,
        } = self;
        // Whole blocks of positions, for which the cache has room: loops over the others would end with some
        // positions one by one. Those that are not seen weigh nothing below.
        let padded = seen.end.next_multiple_of(BLOCK);
        score::<B>(level, s, query, keys, padded);

        let logits = &s.logits[seen.clone()];
        let largest = logits.iter().fold(i32::MIN, |largest, &z| largest.max(z));
        s.powers.resize(padded, 0);
        let logits = s.logits.as_chunks::<BLOCK>().0.iter();
        for (block, logits) in s.powers.as_chunks_mut::<BLOCK>().0.iter_mut().zip(logits) {
            // Of its own, so that the compiler knows that it is not the table of powers.
            let mut powers = [0; BLOCK];
            for (power, logit) in powers.iter_mut().zip(logits) {
                *power = exp2(logit.saturating_sub(largest));
            }
            *block = powers;
        }
        s.powers[..seen.start].fill(0);
        s.powers[seen.end..].fill(0);
        let sum = s
            .powers
            .iter()
            .fold(0u64, |sum, &e| sum.wrapping_add(u64::from(e)));
        let divisor = Reciprocal::new(sum);

        s.products.resize(padded, 0);
        s.weights.resize(padded, 0);
        s.weight_mantissas.resize(padded, 0);
        s.weight_shifts.resize(padded / BLOCK, 0);
        let rows = values.quants.as_chunks::<BLOCK>().0.as_chunks::<B>().0;
        for (block, output) in output.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let exponent = weigh(s, values.scales.as_chunks::<B>().0, block);
            let base = base_shift(&s.weight_shifts);
            let mut sums = [0i64; BLOCK];
            let chunks = s.weight_mantissas.as_chunks::<BLOCK>().0.iter();
            for ((weights, rows), &shift) in chunks
                .zip(rows.as_chunks::<BLOCK>().0)
                .zip(&s.weight_shifts)
            {
                let products = dot::weighted_sum(level, weights, rows, block);
                let shift = u32::from(shift) - base;
                for (sum, product) in sums.iter_mut().zip(products) {
                    *sum = i64::from(product).wrapping_shl(shift).wrapping_add(*sum);
                }
            }
            let exponent = exponent + base;
            for (out, sum) in output.iter_mut().zip(sums) {
                *out = ratio(sum, exponent, divisor);
            }
        }
    }
}

/// Writes `z_t` of the first `padded` positions, whole blocks of them, to the scratch.
#[inline(always)]
fn score<const B: usize>(
    level: Level,
    s: &mut Scratch,
    query: &[i32],
    keys: HeadCache<'_>,
    padded: usize,
) {
    let scale = const { score_scale(B * BLOCK) };
    let blocks = query.as_chunks::<BLOCK>().0.as_chunks::<B>().0;
    // Arrays, of which the compiler knows that they do not overlap.
    let mut scaled = *blocks.first().expect("a head of B blocks");
    for q in scaled.as_flattened_mut() {
        let clamped = (*q).clamp(-ROTATED_LIMIT, ROTATED_LIMIT);
        let product = i64::from(clamped).wrapping_mul(scale);
        *q = saturate(round_shift(product, 31 + 16 - QUERY_FRACTION));
    }
    let (mut query, mut shifts) = ([[0; BLOCK]; B], [0; B]);
    rows::quantise(scaled.as_flattened(), query.as_flattened_mut(), &mut shifts);
    let base = base_shift(&shifts);
    let shifts = shifts.map(|shift| u32::from(shift) - base);

    s.dots.resize(padded * B, 0);
    dot::block_dots(
        level,
        &query,
        &keys.quants.as_chunks().0[..padded * B],
        &mut s.dots,
    );
    let drop = QUERY_FRACTION - base;
    s.logits.resize(padded, 0);
    let rows = s
        .dots
        .as_chunks::<B>()
        .0
        .iter()
        .zip(keys.scales.as_chunks::<B>().0);
    for (logit, (dots, scales)) in s.logits.iter_mut().zip(rows) {
        let mut sum = 0;
        for b in 0..B {
            // A scale is below 2^21: two signed 32-bit factors have an instruction of their own.
            let product = i64::from(dots[b]).wrapping_mul(i64::from(scales[b] as i32));
            sum = product.wrapping_shl(shifts[b]).wrapping_add(sum);
        }
        *logit = saturate(round_shift(sum, drop));
    }
}

/// Writes `e_t * s_t / 2^u` as blocks to the scratch, and returns `u`.
#[inline(always)]
fn weigh<const B: usize>(s: &mut Scratch, scales: &[[u32; B]], block: usize) -> u32 {
    let mut largest = 0;
    for ((product, &power), scales) in s.products.iter_mut().zip(&s.powers).zip(scales) {
        *product = u64::from(power).wrapping_mul(u64::from(scales[block]));
        largest = largest.max(*product);
    }
    let exponent = (u64::BITS - largest.leading_zeros()).saturating_sub(WEIGHT_BITS);
    let half = (1u64 << exponent) >> 1;
    for (weight, product) in s.weights.iter_mut().zip(&s.products) {
        *weight = product.wrapping_add(half).wrapping_shr(exponent) as i32;
    }

    let mut widest = 0;
    let chunks = s.weights.as_chunks::<BLOCK>().0;
    for (shift, chunk) in s.weight_shifts.iter_mut().zip(chunks) {
        let bits = u32::BITS - chunk.iter().fold(0, |bits, w| bits | w).leading_zeros();
        *shift = bits.saturating_sub(MANTISSA_BITS) as u8;
        widest = widest.max(*shift);
    }
    let least = widest.saturating_sub(SHIFT_SPAN as u8);
    let mantissas = s.weight_mantissas.as_chunks_mut::<BLOCK>().0.iter_mut();
    for ((mantissas, chunk), shift) in mantissas.zip(chunks).zip(&mut s.weight_shifts) {
        *shift = (*shift).max(least);
        let half = (1 << *shift) >> 1;
        for (mantissa, weight) in mantissas.iter_mut().zip(chunk) {
            *mantissa = weight.wrapping_add(half).wrapping_shr(u32::from(*shift)) as i16;
        }
    }
    exponent
}
