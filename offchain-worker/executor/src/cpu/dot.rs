//! Exact integer sums: the inner loops of linear layers and of attention.
//!
//! For a row group of 16 outputs and `P` positions,
//! ```text
//! sums[p][row] = sum over blocks b of (sum over k of q[row][k] * a[p][k]) * s[row] << shift[p][b]
//! ```
//! |q| ≤ 2^7 and |a| ≤ 2^14, so a block's inner sum stays within 2^26 (an i32 holds it), times a
//! u16 scale within 2^42, shifted by at most 11 within 2^53, and over at most 1024 blocks within
//! 2^63. The sums of attention are those of single blocks. Integer sums do not depend on their order, so every variant gives the same bits; the tests
//! hold each against the portable one.
//!
//! The compiler does not find the 16-bit multiply-add in plain code (it reached a tenth of the
//! speed), hence the intrinsics.

use super::panel::{unpack_four, Panel};
use noema_numerics::{
    fixed::scale_saturate,
    tile::{self, Tile, TILE_QUANTS, TILE_ROWS},
    BLOCK,
};

/// Outputs of one row group for `P` positions.
pub(crate) type Outputs<const P: usize> = [[i32; TILE_ROWS]; P];

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
    /// What the instruction set is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "AVX-512",
        }
    }

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

/// `sums[p] * 2^exponents[p]`, rounded and saturated, of `group` for the positions of `panels`, one
/// panel per tile.
pub(crate) fn row_group<const P: usize>(
    level: Level,
    group: &[Tile],
    panels: &[Panel<P>],
    exponents: &[i32; P],
    outputs: &mut Outputs<P>,
) {
    match level {
        Level::Portable => portable(group, panels, exponents, outputs),
        // SAFETY: `Level::available` offers the level only where the features are present.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::avx2(group, panels, exponents, outputs) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86::avx512(group, panels, exponents, outputs) },
    }
}

/// `dots[i] = Σ_k query[i % B][k] * keys[i][k]`.
///
/// # Panics
/// Unless there are as many dots as keys, a multiple of 16.
pub(crate) fn block_dots<const B: usize>(
    level: Level,
    query: &[[i16; BLOCK]; B],
    keys: &[[i8; BLOCK]],
    dots: &mut [i32],
) {
    assert!(keys.len() == dots.len() && keys.len().is_multiple_of(16));
    match level {
        Level::Portable => {
            for (i, (dot, key)) in dots.iter_mut().zip(keys).enumerate() {
                let products = query[i % B].iter().zip(key);
                *dot = products.map(|(&q, &k)| i32::from(q) * i32::from(k)).sum();
            }
        }
        // SAFETY: `Level::available` offers the level only where the features are present.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::block_dots_256(query, keys, dots) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86::block_dots_512(query, keys, dots) },
    }
}

/// `Σ_t weights[t] * rows[t][block][k]` for each `k`.
pub(crate) fn weighted_sum<const B: usize>(
    level: Level,
    weights: &[i16; BLOCK],
    rows: &[[[i8; BLOCK]; B]; BLOCK],
    block: usize,
) -> [i32; BLOCK] {
    match level {
        Level::Portable => {
            let mut sums = [0; BLOCK];
            for (&weight, row) in weights.iter().zip(rows) {
                for (sum, &v) in sums.iter_mut().zip(&row[block]) {
                    *sum += i32::from(weight) * i32::from(v);
                }
            }
            sums
        }
        // SAFETY: `Level::available` offers the level only where the features are present.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::weighted_sum_256(weights, rows, block) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86::weighted_sum_512(weights, rows, block) },
    }
}

/// `sums * 2^exponent`, rounded to nearest with halves up, as the nearest i32. The usual case is
/// written out, so that it becomes vector instructions where it is compiled into such a kernel.
#[inline(always)]
fn narrow(sums: &[i64; TILE_ROWS], exponent: i32, outputs: &mut [i32; TILE_ROWS]) {
    if (-62..=-1).contains(&exponent) {
        let drop = exponent.unsigned_abs();
        for (output, sum) in outputs.iter_mut().zip(sums) {
            let half = sum.wrapping_shr(drop - 1) & 1;
            let rounded = sum.wrapping_shr(drop).wrapping_add(half);
            *output = rounded.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        }
    } else {
        for (output, &sum) in outputs.iter_mut().zip(sums) {
            *output = scale_saturate(sum, exponent);
        }
    }
}

fn portable<const P: usize>(
    group: &[Tile],
    panels: &[Panel<P>],
    exponents: &[i32; P],
    outputs: &mut Outputs<P>,
) {
    let mut sums = [[0; TILE_ROWS]; P];
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
    for ((outputs, sums), &exponent) in outputs.iter_mut().zip(&sums).zip(exponents) {
        narrow(sums, exponent, outputs);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{narrow, Outputs, Panel, Tile, BLOCK, TILE_QUANTS, TILE_ROWS};
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
    pub(super) fn avx512<const P: usize>(
        group: &[Tile],
        panels: &[Panel<P>],
        exponents: &[i32; P],
        outputs: &mut Outputs<P>,
    ) {
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
        for ((outputs, totals), &exponent) in outputs.iter_mut().zip(totals).zip(exponents) {
            let mut sums = [0; TILE_ROWS];
            for (sums, total) in sums.as_chunks_mut::<8>().0.iter_mut().zip(totals) {
                // SAFETY: writes 64 bytes, which eight sums hold; no alignment is required.
                unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), total) };
            }
            narrow(&sums, exponent, outputs);
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
    pub(super) fn avx2<const P: usize>(
        group: &[Tile],
        panels: &[Panel<P>],
        exponents: &[i32; P],
        outputs: &mut Outputs<P>,
    ) {
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
        for ((outputs, totals), &exponent) in outputs.iter_mut().zip(totals).zip(exponents) {
            let mut sums = [0; TILE_ROWS];
            for (sums, total) in sums.as_chunks_mut::<4>().0.iter_mut().zip(totals) {
                // SAFETY: writes 32 bytes, which four sums hold; no alignment is required.
                unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), total) };
            }
            narrow(&sums, exponent, outputs);
        }
    }

    /// A block of mantissas.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn mantissas_512(block: &[i16; BLOCK]) -> __m512i {
        // SAFETY: reads 64 bytes, which `block` holds; no alignment is required.
        unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
    }

    /// A block of bytes.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn bytes_256(block: &[i8; BLOCK]) -> __m256i {
        // SAFETY: reads 32 bytes, which `block` holds; no alignment is required.
        unsafe { _mm256_loadu_si256(block.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store_256(out: &mut [i32; 8], value: __m256i) {
        // SAFETY: writes 32 bytes, which `out` holds; no alignment is required.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), value) };
    }

    /// Sums of the lanes of four vectors, one after the other in each 128-bit lane, of which each
    /// still has to be added to the other three.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sum_four_512(v: [__m512i; 4]) -> __m512i {
        let first = _mm512_add_epi32(
            _mm512_unpacklo_epi32(v[0], v[1]),
            _mm512_unpackhi_epi32(v[0], v[1]),
        );
        let last = _mm512_add_epi32(
            _mm512_unpacklo_epi32(v[2], v[3]),
            _mm512_unpackhi_epi32(v[2], v[3]),
        );
        _mm512_add_epi32(
            _mm512_unpacklo_epi64(first, last),
            _mm512_unpackhi_epi64(first, last),
        )
    }

    /// Adds neighbouring 128-bit lanes: two sums of `a`, then two of `b`.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn add_lanes_512(a: __m512i, b: __m512i) -> __m512i {
        _mm512_add_epi32(
            _mm512_shuffle_i32x4::<0x88>(a, b),
            _mm512_shuffle_i32x4::<0xdd>(a, b),
        )
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub(super) fn block_dots_512<const B: usize>(
        query: &[[i16; BLOCK]; B],
        keys: &[[i8; BLOCK]],
        dots: &mut [i32],
    ) {
        let zero = _mm512_setzero_si512();
        let mut queries = [zero; B];
        for (vector, block) in queries.iter_mut().zip(query) {
            *vector = mantissas_512(block);
        }
        let chunks = keys.as_chunks::<16>().0.iter();
        let mut index = 0;
        for (keys, dots) in chunks.zip(dots.as_chunks_mut::<16>().0) {
            let mut sums = [zero; 4];
            for (keys, sum) in keys.as_chunks::<4>().0.iter().zip(&mut sums) {
                let mut products = [zero; 4];
                for (key, product) in keys.iter().zip(&mut products) {
                    let key = _mm512_cvtepi8_epi16(bytes_256(key));
                    *product = _mm512_madd_epi16(queries[index % B], key);
                    index += 1;
                }
                *sum = sum_four_512(products);
            }
            let sums = add_lanes_512(
                add_lanes_512(sums[0], sums[1]),
                add_lanes_512(sums[2], sums[3]),
            );
            // SAFETY: writes 64 bytes, which `dots` holds; no alignment is required.
            unsafe { _mm512_storeu_si512(dots.as_mut_ptr().cast(), sums) };
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    pub(super) fn weighted_sum_512<const B: usize>(
        weights: &[i16; BLOCK],
        rows: &[[[i8; BLOCK]; B]; BLOCK],
        block: usize,
    ) -> [i32; BLOCK] {
        // Two positions at a time: their values side by side are a pair of a multiply-add.
        let mut low = _mm512_setzero_si512();
        let mut high = low;
        for (weights, rows) in weights
            .as_chunks::<2>()
            .0
            .iter()
            .zip(rows.as_chunks::<2>().0)
        {
            let weights = _mm512_set1_epi32(pair(weights));
            let (first, second) = (bytes_256(&rows[0][block]), bytes_256(&rows[1][block]));
            let pairs = _mm512_cvtepi8_epi16(_mm256_unpacklo_epi8(first, second));
            low = _mm512_dpwssd_epi32(low, pairs, weights);
            let pairs = _mm512_cvtepi8_epi16(_mm256_unpackhi_epi8(first, second));
            high = _mm512_dpwssd_epi32(high, pairs, weights);
        }
        // Unpacking worked in halves of 16 bytes: its low part has elements 0..8 and 16..24.
        let mut sums = [0; BLOCK];
        let parts = sums.as_chunks_mut::<8>().0;
        store_256(&mut parts[0], _mm512_castsi512_si256(low));
        store_256(&mut parts[1], _mm512_castsi512_si256(high));
        store_256(&mut parts[2], _mm512_extracti64x4_epi64::<1>(low));
        store_256(&mut parts[3], _mm512_extracti64x4_epi64::<1>(high));
        sums
    }

    /// Two neighbouring weights as one 32-bit lane.
    fn pair(weights: &[i16; 2]) -> i32 {
        let ([a, b], [c, d]) = (weights[0].to_le_bytes(), weights[1].to_le_bytes());
        i32::from_le_bytes([a, b, c, d])
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn block_dots_256<const B: usize>(
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
            // Each 128-bit lane ends up with its share of four sums.
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
    pub(super) fn weighted_sum_256<const B: usize>(
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
}
