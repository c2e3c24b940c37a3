//! The sums with NEON: 16-bit multiply-adds on any 64-bit Arm processor, byte dot products where available.
//!
//! `sdot` adds four products of signed bytes to a 32-bit lane. A tile's quants are stored in the order it
//! needs: 16 bytes are four inputs of each of four rows. Mantissas are split into two bytes, so there are two
//! accumulators, combined at the end of a block. Stable Rust has no intrinsic for it, hence the assembly.

use super::{Layer, Words, TOGETHER, WORDS_TOGETHER};
use crate::cpu::panel::{Panel, Panels};
use noema_numerics::{
    tile::{Tile, TILE_QUANTS, TILE_ROWS},
    BlocksRef, BLOCK,
};
use std::{
    arch::{aarch64::*, asm},
    ops::Range,
};

/// Rows in a vector of quants.
const ROWS: usize = 4;
/// Vectors for all rows.
const VECTORS: usize = TILE_ROWS / ROWS;

/// Exact sums of 16 rows, in order.
type Sums = [int64x2_t; TILE_ROWS / 2];

/// # Safety
/// No other thread computes the same groups at the same time.
#[target_feature(enable = "neon")]
pub(super) unsafe fn compute_words(
    layer: &Layer<'_>,
    x: BlocksRef<'_>,
    bases: &[u32],
    groups: Range<usize>,
) {
    for group in groups {
        let tiles = layer.tiles(group);
        for first in (0..x.rows()).step_by(WORDS_TOGETHER) {
            let words = Words::new(x, bases, first);
            for p in 0..WORDS_TOGETHER.min(x.rows() - first) {
                let mut totals = [vdupq_n_s64(0); TILE_ROWS / 2];
                for (block, tile) in tiles.iter().enumerate() {
                    let dots = word_dots(tile, &words.mantissas[p][block]);
                    add_scaled(&mut totals, dots, tile, 1 << words.shift(p, block));
                }
                // SAFETY: no other thread uses the group.
                unsafe { layer.set((first + p, group), &stored(totals), words.bases[p]) };
            }
        }
    }
}

/// # Safety
/// The byte dot product is present, and no other thread computes the same groups at the same time.
#[target_feature(enable = "neon,dotprod")]
pub(super) unsafe fn compute_bytes<const P: usize>(
    layer: &Layer<'_>,
    panels: &Panels<P>,
    groups: Range<usize>,
) {
    const { assert!(P == 1 || P == TOGETHER) };
    for group in groups {
        let tiles = layer.tiles(group);
        for position in 0..panels.positions() {
            let mut totals = [vdupq_n_s64(0); TILE_ROWS / 2];
            for (tile, panel) in tiles.iter().zip(panels.group(position / P)) {
                let dots = byte_dots(tile, panel, position % P);
                let power = 1 << panel.shifts[position % P];
                add_scaled(&mut totals, dots, tile, power);
            }
            // SAFETY: no other thread uses the group.
            unsafe { layer.set((position, group), &stored(totals), panels.base(position)) };
        }
    }
}

/// `Σ_k q[row][k] * a[k]` for each row.
#[inline]
#[target_feature(enable = "neon")]
fn word_dots(tile: &Tile, mantissas: &[i16; BLOCK]) -> [int32x4_t; VECTORS] {
    // Four partial sums of each row, over inputs four apart.
    let mut parts = [vdupq_n_s32(0); TILE_ROWS];
    let words = tile[..TILE_QUANTS].as_chunks::<{ TILE_ROWS * 4 }>().0;
    for (word, a) in words.iter().zip(mantissas.as_chunks::<4>().0) {
        // SAFETY: reads 8 bytes, which `a` holds.
        let a = unsafe { vld1_s16(a.as_ptr()) };
        let a_twice = vcombine_s16(a, a);
        for (quants, parts) in word.as_chunks().0.iter().zip(parts.as_chunks_mut::<2>().0) {
            let quants: &[u8; 8] = quants;
            // SAFETY: reads 8 bytes, which `quants` holds.
            let quants = vmovl_s8(unsafe { vld1_s8(quants.as_ptr().cast()) });
            parts[0] = vmlal_s16(parts[0], vget_low_s16(quants), a);
            parts[1] = vmlal_high_s16(parts[1], quants, a_twice);
        }
    }
    let mut dots = [vdupq_n_s32(0); VECTORS];
    for (dots, parts) in dots.iter_mut().zip(parts.as_chunks::<ROWS>().0) {
        *dots = vpaddq_s32(
            vpaddq_s32(parts[0], parts[1]),
            vpaddq_s32(parts[2], parts[3]),
        );
    }
    dots
}

/// The same for position `p` of a panel.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn byte_dots<const P: usize>(tile: &Tile, panel: &Panel<P>, p: usize) -> [int32x4_t; VECTORS] {
    let mut high = [vdupq_n_s32(0); VECTORS];
    let mut low = high;
    let words = tile[..TILE_QUANTS].as_chunks::<{ TILE_ROWS * 4 }>().0;
    let highs = panel.high[p].as_chunks::<4>().0.iter();
    let bytes = highs.zip(panel.low[p].as_chunks::<4>().0);
    for (word, (h, l)) in words.iter().zip(bytes) {
        let (h, l) = (repeated(h), repeated(l));
        let vectors = word.as_chunks::<16>().0.iter();
        for (quants, (high, low)) in vectors.zip(high.iter_mut().zip(&mut low)) {
            // SAFETY: reads 16 bytes, which `quants` holds.
            let quants = unsafe { vld1q_s8(quants.as_ptr().cast()) };
            *high = sdot(*high, quants, h);
            *low = sdot(*low, quants, l);
        }
    }
    for (high, low) in high.iter_mut().zip(low) {
        *high = vaddq_s32(vshlq_n_s32::<8>(*high), low);
    }
    high
}

/// Four bytes in every lane.
#[inline]
#[target_feature(enable = "neon")]
fn repeated(bytes: &[i8; 4]) -> int8x16_t {
    vreinterpretq_s8_s32(vdupq_n_s32(i32::from_le_bytes(
        bytes.map(|byte| byte as u8),
    )))
}

/// `sum + Σ a[i] * b[i]` over the four bytes of each lane.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: one arithmetic instruction, which the features of this function include.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum,
            a = in(vreg) a,
            b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// Adds `dots * scales * power` to `totals`; a scale times a power is below 2^27.
#[inline]
#[target_feature(enable = "neon")]
fn add_scaled(totals: &mut Sums, dots: [int32x4_t; VECTORS], tile: &Tile, power: i32) {
    let scales = tile[TILE_QUANTS..].as_chunks::<8>().0.iter();
    for ((totals, dots), scales) in totals
        .as_chunks_mut::<2>()
        .0
        .iter_mut()
        .zip(dots)
        .zip(scales)
    {
        // SAFETY: reads 8 bytes, which `scales` holds, as four little-endian numbers.
        let scales = unsafe { vreinterpret_u16_u8(vld1_u8(scales.as_ptr())) };
        let scales = vmulq_n_s32(vreinterpretq_s32_u32(vmovl_u16(scales)), power);
        let first = vmull_s32(vget_low_s32(dots), vget_low_s32(scales));
        let last = vmull_high_s32(dots, scales);
        totals[0] = vaddq_s64(totals[0], first);
        totals[1] = vaddq_s64(totals[1], last);
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn stored(totals: Sums) -> [i64; TILE_ROWS] {
    let mut sums = [0; TILE_ROWS];
    for (sums, total) in sums.as_chunks_mut::<2>().0.iter_mut().zip(totals) {
        // SAFETY: writes 16 bytes, which two sums hold.
        unsafe { vst1q_s64(sums.as_mut_ptr(), total) };
    }
    sums
}
