//! The sums with AVX2: 16-bit multiply-adds.
//!
//! The vectors below hold a tile row by row in 64-bit lanes: four quants of a row, widened to 16 bits. A
//! multiply-add gives two partial sums of a row in its lane; adding the upper half to the lower completes the
//! sum there, and the lane is wide enough for scale, shift and total.

use super::{pair, prefetch, Layer, Words, PREFETCH_BYTES, WORDS_TOGETHER};
use noema_numerics::{
    tile::{TILE_QUANTS, TILE_ROWS},
    BlocksRef, BLOCK,
};
use std::{arch::x86_64::*, ops::Range};

/// Sixteen quants (4 rows × 4), widened.
#[inline]
#[target_feature(enable = "avx2")]
fn quants(bytes: &[u8; 16]) -> __m256i {
    // SAFETY: reads 16 bytes, which `bytes` holds; no alignment is required.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

/// Four scales, widened to 64 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn scales(bytes: &[u8; 8]) -> __m256i {
    _mm256_cvtepu16_epi64(_mm_cvtsi64_si128(i64::from_le_bytes(*bytes)))
}

/// Four mantissas, repeated.
#[inline]
#[target_feature(enable = "avx2")]
fn mantissas(four: &[i16; 4]) -> __m256i {
    let [a, b, c, d] = four.map(i16::to_le_bytes);
    let word = i64::from_le_bytes([a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]]);
    _mm256_set1_epi64x(word)
}

/// # Safety
/// No other thread computes the same groups at the same time.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn compute(
    layer: &Layer<'_>,
    x: BlocksRef<'_>,
    bases: &[u32],
    groups: Range<usize>,
) {
    for group in groups {
        for first in (0..x.rows()).step_by(WORDS_TOGETHER) {
            let words = Words::new(x, bases, first);
            let count = WORDS_TOGETHER.min(x.rows() - first);
            // SAFETY: no other thread uses the group.
            unsafe {
                if count == 1 {
                    row_group::<1>(layer, &words, first, group);
                } else {
                    row_group::<WORDS_TOGETHER>(layer, &words, first, group);
                }
            }
        }
    }
}

/// The outputs of one row group for the first `P` of `words`; those past the last position are dropped.
///
/// # Safety
/// No other thread computes the same group at the same time.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn row_group<const P: usize>(
    layer: &Layer<'_>,
    words: &Words<'_>,
    first: usize,
    group: usize,
) {
    let zero = _mm256_setzero_si256();
    let mut totals = [[zero; 4]; P];
    for (block, tile) in layer.tiles(group).iter().enumerate() {
        if first == 0 {
            prefetch(tile, PREFETCH_BYTES);
        }
        let (tile_quants, tile_scales) = tile.split_at(TILE_QUANTS);
        let tile_quants = tile_quants.as_chunks::<16>().0;
        let tile_scales = tile_scales.as_chunks::<8>().0;
        let mut dots = [[zero; 4]; P];
        for j in 0..BLOCK / 4 {
            for h in 0..4 {
                let q = quants(&tile_quants[4 * j + h]);
                for (dots, blocks) in dots.iter_mut().zip(&words.mantissas) {
                    let a = mantissas(&blocks[block].as_chunks::<4>().0[j]);
                    dots[h] = _mm256_add_epi32(dots[h], _mm256_madd_epi16(q, a));
                }
            }
        }
        for p in 0..P {
            let shift = _mm_cvtsi64_si128(i64::from(words.shift(p, block)));
            for h in 0..4 {
                let halves = dots[p][h];
                let dot = _mm256_add_epi32(halves, _mm256_srli_epi64::<32>(halves));
                let scaled = _mm256_mul_epi32(dot, scales(&tile_scales[h]));
                totals[p][h] = _mm256_add_epi64(totals[p][h], _mm256_sll_epi64(scaled, shift));
            }
        }
    }
    let count = layer.positions() - first;
    for (p, totals) in totals.into_iter().enumerate().take(count) {
        let mut sums = [0; TILE_ROWS];
        for (sums, total) in sums.as_chunks_mut::<4>().0.iter_mut().zip(totals) {
            // SAFETY: writes 32 bytes, which four sums hold; no alignment is required.
            unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), total) };
        }
        // SAFETY: no other thread uses the group.
        unsafe { layer.set((first + p, group), &sums, words.bases[p]) };
    }
}

/// A block of bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn bytes_256(block: &[i8; BLOCK]) -> __m256i {
    // SAFETY: reads 32 bytes, which `block` holds; no alignment is required.
    unsafe { _mm256_loadu_si256(block.as_ptr().cast()) }
}

/// Writes eight sums.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store_256(out: &mut [i32; 8], value: __m256i) {
    // SAFETY: writes 32 bytes, which `out` holds; no alignment is required.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), value) };
}

#[target_feature(enable = "avx2")]
pub(super) fn block_dots<const B: usize>(
    query: &[[i16; BLOCK]; B],
    keys: &[[i8; BLOCK]],
    dots: &mut [i32],
) {
    let zero = _mm256_setzero_si256();
    let chunks = keys.as_chunks::<8>().0.iter();
    let mut index = 0;
    for (keys, dots) in chunks.zip(dots.as_chunks_mut::<8>().0) {
        let mut products = [zero; 8];
        for (key, product) in keys.iter().zip(&mut products) {
            let (query, key) = (&query[index % B], bytes_256(key));
            let low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(key));
            let high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256::<1>(key));
            // SAFETY: reads 32 bytes each, half of `query`; no alignment is required.
            let (first, last) = unsafe {
                (
                    _mm256_loadu_si256(query[..16].as_ptr().cast()),
                    _mm256_loadu_si256(query[16..].as_ptr().cast()),
                )
            };
            *product =
                _mm256_add_epi32(_mm256_madd_epi16(first, low), _mm256_madd_epi16(last, high));
            index += 1;
        }
        // Each 128-bit lane receives its share of four sums.
        let first = _mm256_hadd_epi32(
            _mm256_hadd_epi32(products[0], products[1]),
            _mm256_hadd_epi32(products[2], products[3]),
        );
        let last = _mm256_hadd_epi32(
            _mm256_hadd_epi32(products[4], products[5]),
            _mm256_hadd_epi32(products[6], products[7]),
        );
        let sums = _mm256_add_epi32(
            _mm256_permute2x128_si256::<0x20>(first, last),
            _mm256_permute2x128_si256::<0x31>(first, last),
        );
        store_256(dots, sums);
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn weighted_sum<const B: usize>(
    weights: &[i16; BLOCK],
    rows: &[[[i8; BLOCK]; B]; BLOCK],
    block: usize,
) -> [i32; BLOCK] {
    let mut sums = [_mm256_setzero_si256(); 4];
    for (weights, rows) in weights
        .as_chunks::<2>()
        .0
        .iter()
        .zip(rows.as_chunks::<2>().0)
    {
        let weights = _mm256_set1_epi32(pair(weights));
        let (first, second) = (bytes_256(&rows[0][block]), bytes_256(&rows[1][block]));
        let low = _mm256_unpacklo_epi8(first, second);
        let high = _mm256_unpackhi_epi8(first, second);
        // Elements 0..8, 8..16, 16..24 and 24..32, as unpacking works in halves of 16 bytes.
        let pairs = [
            _mm256_castsi256_si128(low),
            _mm256_castsi256_si128(high),
            _mm256_extracti128_si256::<1>(low),
            _mm256_extracti128_si256::<1>(high),
        ];
        for (sum, pairs) in sums.iter_mut().zip(pairs) {
            let products = _mm256_madd_epi16(_mm256_cvtepi8_epi16(pairs), weights);
            *sum = _mm256_add_epi32(*sum, products);
        }
    }
    let mut out = [0; BLOCK];
    for (out, sum) in out.as_chunks_mut::<8>().0.iter_mut().zip(sums) {
        store_256(out, sum);
    }
    out
}
