//! The sums with AVX-512 and its byte dot product (VNNI).
//!
//! `vpdpbusd` adds four products of unsigned by signed bytes to a 32-bit lane. A tile's quants are stored in
//! the order it needs: 64 bytes are four inputs of each of 16 rows. They become unsigned by adding 128, which
//! adds 128 times the sum of the mantissas to every dot product: the accumulators start below zero by as
//! much. Mantissas are split into two bytes, so there are two accumulators, combined at the end of a block.

use super::{
    avx2::{bytes_256, store_256},
    narrow, pair, prefetch, Layer, Outputs, PREFETCH_BYTES, TOGETHER,
};
use crate::cpu::panel::{Panel, Panels};
use noema_numerics::{
    tile::{Tile, TILE_QUANTS, TILE_ROWS},
    BLOCK,
};
use std::{arch::x86_64::*, ops::Range};

/// Vectors of quants in a tile.
const VECTORS: usize = TILE_QUANTS / 64;

/// Exact sums of 16 rows in 64-bit lanes: the even rows, then the odd ones.
pub(super) type Sums = [__m512i; 2];

/// Scales of 16 rows as factors of 64-bit lanes, whose upper halves do not matter: the even rows, then the
/// odd ones.
pub(super) type Factors = [__m512i; 2];

/// # Safety
/// The features below are present, and no other thread computes the same groups at the same time.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) unsafe fn compute_one(layer: &Layer<'_>, panels: &Panels<1>, groups: Range<usize>) {
    for group in groups {
        let mut totals = [_mm512_setzero_si512(); 2];
        for (tile, panel) in layer.tiles(group).iter().zip(panels.group(0)) {
            prefetch(tile, PREFETCH_BYTES);
            let dots = tile_dots(&unsigned_quants(tile), panel, 0);
            add_scaled(&mut totals, dots, shifted(factors(tile), panel.shifts[0]));
        }
        // SAFETY: no other thread uses the group.
        unsafe { store(layer, (0, group), totals, panels.base(0)) };
    }
}

/// # Safety
/// The features below are present, and no other thread computes the same groups at the same time.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) unsafe fn compute_many(
    layer: &Layer<'_>,
    panels: &Panels<TOGETHER>,
    groups: Range<usize>,
) {
    for group in groups {
        for first in (0..panels.positions()).step_by(TOGETHER) {
            let count = TOGETHER.min(panels.positions() - first);
            // SAFETY: no other thread uses the group.
            unsafe {
                match count {
                    1 => row_group::<1>(layer, panels, (first, group)),
                    2 => row_group::<2>(layer, panels, (first, group)),
                    3 | 4 => row_group::<4>(layer, panels, (first, group)),
                    _ => row_group::<TOGETHER>(layer, panels, (first, group)),
                }
            }
        }
    }
}

/// The outputs of a row group for `N` positions from `first` on; those past the last position are dropped.
///
/// # Safety
/// No other thread computes the same group at the same time.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn row_group<const N: usize>(
    layer: &Layer<'_>,
    panels: &Panels<TOGETHER>,
    (first, group): (usize, usize),
) {
    let mut totals = [[_mm512_setzero_si512(); 2]; N];
    let tiles = layer.tiles(group).iter();
    for (tile, panel) in tiles.zip(panels.group(first / TOGETHER)) {
        if first == 0 {
            prefetch(tile, PREFETCH_BYTES);
        }
        let (quants, factors) = (unsigned_quants(tile), factors(tile));
        for_each_position!(AT < N, {
            let dots = tile_dots(&quants, panel, AT);
            add_scaled(&mut totals[AT], dots, shifted(factors, panel.shifts[AT]));
        });
    }
    // SAFETY: guaranteed by the caller.
    unsafe { set(layer, panels, (first, group), &totals) };
}

/// Sets the outputs of a row group for the positions from `first` on, as many as exist.
///
/// # Safety
/// No other thread computes the same group at the same time.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
pub(super) unsafe fn set(
    layer: &Layer<'_>,
    panels: &Panels<TOGETHER>,
    (first, group): (usize, usize),
    totals: &[Sums],
) {
    for (position, sums) in (first..panels.positions()).zip(totals) {
        // SAFETY: no other thread uses the group.
        unsafe { store(layer, (position, group), *sums, panels.base(position)) };
    }
}

/// Takes the sums of a row group at a position: outputs with a mask instead of a length, which would be a call.
///
/// # Safety
/// No other thread computes the same group at the same time.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn store(layer: &Layer<'_>, (position, group): (usize, usize), sums: Sums, base: u32) {
    let Outputs::Rounded(outputs) = &layer.outputs else {
        // SAFETY: guaranteed by the caller.
        return unsafe { layer.set((position, group), &in_order(sums), base) };
    };
    let (target, count) = outputs.part(position, group);
    let outputs = finish(sums, layer.exponent + base as i32);
    let mask = u16::MAX >> (TILE_ROWS - count);
    // SAFETY: writes the first `count` elements, which are outputs of this group. No other thread uses them.
    unsafe { _mm512_mask_storeu_epi32(target, mask, outputs) };
}

/// The quants of a tile plus 128.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn unsigned_quants(tile: &Tile) -> [__m512i; VECTORS] {
    let flip = _mm512_set1_epi8(-128);
    let mut vectors = [flip; VECTORS];
    for (vector, quants) in vectors.iter_mut().zip(tile.as_chunks::<64>().0) {
        // SAFETY: reads 64 bytes, which `quants` holds; no alignment is required.
        let quants = unsafe { _mm512_loadu_si512(quants.as_ptr().cast()) };
        *vector = _mm512_xor_si512(quants, flip);
    }
    vectors
}

/// `Σ_k q[row][k] * a[k]` for each row and position `p` of a panel.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn tile_dots<const P: usize>(quants: &[__m512i; VECTORS], panel: &Panel<P>, p: usize) -> __m512i {
    let mut low = _mm512_set1_epi32(panel.offsets[p]);
    let mut high = _mm512_setzero_si512();
    let highs = panel.high[p].as_chunks::<4>().0.iter();
    for (quants, (h, l)) in quants
        .iter()
        .zip(highs.zip(panel.low[p].as_chunks::<4>().0))
    {
        high = _mm512_dpbusd_epi32(high, *quants, _mm512_set1_epi32(word(h)));
        low = _mm512_dpbusd_epi32(low, *quants, _mm512_set1_epi32(word(l)));
    }
    join(high, low)
}

/// `256 * high + low`. By a shuffle, since multiplications keep the only port for wide shifts busy.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn join(high: __m512i, low: __m512i) -> __m512i {
    const NOTHING: i8 = -128;
    let order = _mm512_broadcast_i32x4(_mm_setr_epi8(
        NOTHING, 0, 1, 2, NOTHING, 4, 5, 6, NOTHING, 8, 9, 10, NOTHING, 12, 13, 14,
    ));
    _mm512_add_epi32(_mm512_shuffle_epi8(high, order), low)
}

/// Four bytes as one 32-bit lane.
#[inline(always)]
fn word(bytes: &[i8; 4]) -> i32 {
    i32::from_le_bytes(bytes.map(|byte| byte as u8))
}

/// The scales of a tile.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn factors(tile: &Tile) -> Factors {
    let bytes: &[u8; 2 * TILE_ROWS] = tile.last_chunk().expect("a tile's scales");
    // SAFETY: reads 32 bytes, which `bytes` holds; no alignment is required.
    let scales = _mm512_cvtepu16_epi32(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) });
    [scales, odd_lanes(scales)]
}

/// `factors * 2^shift`, below 2^27.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn shifted(factors: Factors, shift: u32) -> Factors {
    let shift = _mm512_set1_epi32(shift as i32);
    factors.map(|lanes| _mm512_sllv_epi32(lanes, shift))
}

/// The odd 32-bit lanes, moved to the even ones.
#[inline]
#[target_feature(enable = "avx512f")]
fn odd_lanes(lanes: __m512i) -> __m512i {
    _mm512_shuffle_epi32::<0b11_11_01_01>(lanes)
}

/// Adds `dots * factors` to `totals`.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn add_scaled(totals: &mut Sums, dots: __m512i, factors: Factors) {
    // A 64-bit multiplication reads the lower half of each lane: the even rows.
    let even = _mm512_mul_epi32(dots, factors[0]);
    let odd = _mm512_mul_epi32(odd_lanes(dots), factors[1]);
    totals[0] = _mm512_add_epi64(totals[0], even);
    totals[1] = _mm512_add_epi64(totals[1], odd);
}

/// `sums * 2^exponent`, rounded to nearest with halves up, as the nearest i32 row by row.
#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn finish(sums: Sums, exponent: i32) -> __m512i {
    if (-62..=-1).contains(&exponent) {
        let drop = _mm512_set1_epi64(i64::from(exponent.unsigned_abs()));
        let [even, odd] = sums.map(|sum| {
            let one = _mm512_set1_epi64(1);
            let half = _mm512_srlv_epi64(sum, _mm512_sub_epi64(drop, one));
            let rounded =
                _mm512_add_epi64(_mm512_srav_epi64(sum, drop), _mm512_and_si512(half, one));
            _mm512_castsi256_si512(_mm512_cvtsepi64_epi32(rounded))
        });
        let order = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        return _mm512_permutex2var_epi32(even, order, odd);
    }
    let outputs = finish_rare(sums, exponent);
    // SAFETY: reads 64 bytes, which `outputs` holds; no alignment is required.
    unsafe { _mm512_loadu_si512(outputs.as_ptr().cast()) }
}

/// [`finish`] for exponents that do not occur in real models.
#[cold]
#[inline(never)]
#[target_feature(enable = "avx512f")]
fn finish_rare(sums: Sums, exponent: i32) -> [i32; TILE_ROWS] {
    narrow(&in_order(sums), exponent)
}

/// The sums row by row.
#[inline]
#[target_feature(enable = "avx512f")]
fn in_order(sums: Sums) -> [i64; TILE_ROWS] {
    let mut halves = [[0i64; TILE_ROWS / 2]; 2];
    for (half, sums) in halves.iter_mut().zip(sums) {
        // SAFETY: writes 64 bytes, which `half` holds; no alignment is required.
        unsafe { _mm512_storeu_si512(half.as_mut_ptr().cast(), sums) };
    }
    std::array::from_fn(|row| halves[row % 2][row / 2])
}

/// A block of mantissas.
#[inline]
#[target_feature(enable = "avx512f")]
fn mantissas_512(block: &[i16; BLOCK]) -> __m512i {
    // SAFETY: reads 64 bytes, which `block` holds; no alignment is required.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

/// Sums of the lanes of four vectors, side by side in each 128-bit lane; the four 128-bit lanes still have to
/// be added up.
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
pub(super) fn block_dots<const B: usize>(
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
pub(super) fn weighted_sum<const B: usize>(
    weights: &[i16; BLOCK],
    rows: &[[[i8; BLOCK]; B]; BLOCK],
    block: usize,
) -> [i32; BLOCK] {
    // Two positions at a time: their values side by side form a pair of a multiply-add.
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
