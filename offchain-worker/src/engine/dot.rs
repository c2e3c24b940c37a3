//! Exact sums of one row group: the inner loop of every linear layer.
//!
//! For 16 output rows and `P` positions,
//! ```text
//! sums[p][row] = sum over blocks b of (sum over k of q[row][k] * a[p][k]) * s[row] << shift[p][b]
//! ```
//! |q| ≤ 2^7 and |a| ≤ 2^14, so a block's inner sum stays within 2^26 (an i32 holds it), times a
//! u16 scale within 2^42, shifted by at most 11 within 2^53, and over at most 1024 blocks within
//! 2^63. Integer sums do not depend on their order, so every variant gives the same bits; the tests
//! hold each against the portable one.
//!
//! The compiler does not find the 16-bit multiply-add in plain code (it reached a tenth of the
//! speed), hence the intrinsics.

use super::panel::{unpack_four, Panel};
use noema_numerics::tile::{self, Tile, TILE_QUANTS, TILE_ROWS};

/// Sums of one row group for `P` positions.
pub(crate) type Sums<const P: usize> = [[i64; TILE_ROWS]; P];

/// An instruction set that the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Any machine.
    Portable,
    /// x86 with AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// x86 with AVX-512 and its 16-bit dot product.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// Every level that this machine can run, slowest first.
    pub(crate) fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                levels.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
            {
                levels.push(Self::Avx512);
            }
        }
        levels
    }

    /// The fastest level that this machine can run.
    pub(crate) fn best() -> Self {
        Self::available().pop().unwrap_or(Self::Portable)
    }
}

/// Sums of `group` for the positions of `panels`, one panel per tile.
pub(crate) fn row_group<const P: usize>(
    level: Level,
    group: &[Tile],
    panels: &[Panel<P>],
    sums: &mut Sums<P>,
) {
    match level {
        Level::Portable => portable(group, panels, sums),
        // SAFETY: `Level::available` offers the level only where the features are present.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::avx2(group, panels, sums) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86::avx512(group, panels, sums) },
    }
}

fn portable<const P: usize>(group: &[Tile], panels: &[Panel<P>], sums: &mut Sums<P>) {
    *sums = [[0; TILE_ROWS]; P];
    for (tile, panel) in group.iter().zip(panels) {
        let scales = tile::scales(tile);
        for (p, sums) in sums.iter_mut().enumerate() {
            let mut dots = [0i32; TILE_ROWS];
            let columns = tile[..TILE_QUANTS].as_chunks::<{ TILE_ROWS * 4 }>().0;
            for (column, words) in columns.iter().zip(&panel.words) {
                let a = unpack_four(words[p]).map(i32::from);
                for (dot, q) in dots.iter_mut().zip(column.as_chunks::<4>().0) {
                    let q = q.map(|q| i32::from(i8::from_le_bytes([q])));
                    *dot += q[0] * a[0] + q[1] * a[1] + q[2] * a[2] + q[3] * a[3];
                }
            }
            for ((sum, dot), scale) in sums.iter_mut().zip(dots).zip(scales) {
                *sum += (i64::from(dot) * i64::from(scale)) << panel.shifts[p];
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Panel, Sums, Tile, TILE_QUANTS};
    use std::arch::x86_64::*;

    // The vectors below hold a tile row by row in 64-bit lanes: four quants of a row, widened to
    // 16 bits. A multiply-add leaves two partial sums of a row in its lane; adding the upper half
    // onto the lower completes it there, and the lane is wide enough for scale, shift and total.

    /// Thirty-two quants (8 rows × 4), widened.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn quants_512(bytes: &[u8; 32]) -> __m512i {
        // SAFETY: reads 32 bytes, which `bytes` holds; no alignment is required.
        _mm512_cvtepi8_epi16(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) })
    }

    /// Eight scales, widened to 64 bits.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn scales_512(bytes: &[u8; 16]) -> __m512i {
        // SAFETY: reads 16 bytes, which `bytes` holds; no alignment is required.
        _mm512_cvtepu16_epi64(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub(super) fn avx512<const P: usize>(group: &[Tile], panels: &[Panel<P>], sums: &mut Sums<P>) {
        let zero = _mm512_setzero_si512();
        let mut totals = [[zero; 2]; P];
        for (tile, panel) in group.iter().zip(panels) {
            let (quants, scales) = tile.split_at(TILE_QUANTS);
            let quants = quants.as_chunks::<32>().0;
            let scales = scales.as_chunks::<16>().0;
            let mut dots = [[zero; 2]; P];
            for (j, words) in panel.words.iter().enumerate() {
                let first = quants_512(&quants[2 * j]);
                let last = quants_512(&quants[2 * j + 1]);
                for p in 0..P {
                    let a = _mm512_set1_epi64(words[p]);
                    dots[p][0] = _mm512_dpwssd_epi32(dots[p][0], first, a);
                    dots[p][1] = _mm512_dpwssd_epi32(dots[p][1], last, a);
                }
            }
            let scales = [scales_512(&scales[0]), scales_512(&scales[1])];
            for p in 0..P {
                let shift = _mm_cvtsi64_si128(panel.shifts[p]);
                for h in 0..2 {
                    let halves = dots[p][h];
                    let dot = _mm512_add_epi32(halves, _mm512_srli_epi64::<32>(halves));
                    let scaled = _mm512_sll_epi64(_mm512_mul_epi32(dot, scales[h]), shift);
                    totals[p][h] = _mm512_add_epi64(totals[p][h], scaled);
                }
            }
        }
        for (sums, totals) in sums.iter_mut().zip(totals) {
            let sums = sums.as_chunks_mut::<8>().0;
            for (sums, total) in sums.iter_mut().zip(totals) {
                // SAFETY: writes 64 bytes, which eight sums hold; no alignment is required.
                unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), total) };
            }
        }
    }

    /// Sixteen quants (4 rows × 4), widened.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn quants_256(bytes: &[u8; 16]) -> __m256i {
        // SAFETY: reads 16 bytes, which `bytes` holds; no alignment is required.
        _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
    }

    /// Four scales, widened to 64 bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn scales_256(bytes: &[u8; 8]) -> __m256i {
        _mm256_cvtepu16_epi64(_mm_cvtsi64_si128(i64::from_le_bytes(*bytes)))
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn avx2<const P: usize>(group: &[Tile], panels: &[Panel<P>], sums: &mut Sums<P>) {
        let zero = _mm256_setzero_si256();
        let mut totals = [[zero; 4]; P];
        for (tile, panel) in group.iter().zip(panels) {
            let (quants, scales) = tile.split_at(TILE_QUANTS);
            let quants = quants.as_chunks::<16>().0;
            let scales = scales.as_chunks::<8>().0;
            let mut dots = [[zero; 4]; P];
            for (j, words) in panel.words.iter().enumerate() {
                for p in 0..P {
                    let a = _mm256_set1_epi64x(words[p]);
                    for h in 0..4 {
                        let q = quants_256(&quants[4 * j + h]);
                        dots[p][h] = _mm256_add_epi32(dots[p][h], _mm256_madd_epi16(q, a));
                    }
                }
            }
            for p in 0..P {
                let shift = _mm_cvtsi64_si128(panel.shifts[p]);
                for h in 0..4 {
                    let halves = dots[p][h];
                    let dot = _mm256_add_epi32(halves, _mm256_srli_epi64::<32>(halves));
                    let scaled = _mm256_mul_epi32(dot, scales_256(&scales[h]));
                    totals[p][h] = _mm256_add_epi64(totals[p][h], _mm256_sll_epi64(scaled, shift));
                }
            }
        }
        for (sums, totals) in sums.iter_mut().zip(totals) {
            let sums = sums.as_chunks_mut::<4>().0;
            for (sums, total) in sums.iter_mut().zip(totals) {
                // SAFETY: writes 32 bytes, which four sums hold; no alignment is required.
                unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), total) };
            }
        }
    }
}
