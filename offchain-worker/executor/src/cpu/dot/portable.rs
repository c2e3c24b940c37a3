//! The sums in plain Rust.

use super::{Layer, Words, WORDS_TOGETHER};
use noema_numerics::{
    tile::{self, TILE_QUANTS, TILE_ROWS},
    BlocksRef, BLOCK,
};
use std::ops::Range;

/// # Safety
/// No other thread computes the same groups at the same time.
pub(super) unsafe fn compute(
    layer: &Layer<'_>,
    x: BlocksRef<'_>,
    bases: &[u32],
    groups: Range<usize>,
) {
    for group in groups {
        let tiles = layer.tiles(group);
        for first in (0..x.rows()).step_by(WORDS_TOGETHER) {
            let words = Words::new(x, bases, first);
            let mut sums = [[0i64; TILE_ROWS]; WORDS_TOGETHER];
            let count = WORDS_TOGETHER.min(x.rows() - first);
            for (block, tile) in tiles.iter().enumerate() {
                let scales = tile::scales(tile);
                for (p, sums) in sums.iter_mut().enumerate().take(count) {
                    let mut dots = [0i32; TILE_ROWS];
                    let columns = tile[..TILE_QUANTS].as_chunks::<{ TILE_ROWS * 4 }>().0;
                    let mantissas = words.mantissas[p][block].as_chunks::<4>().0;
                    for (column, a) in columns.iter().zip(mantissas) {
                        let a = a.map(i32::from);
                        for (dot, q) in dots.iter_mut().zip(column.as_chunks::<4>().0) {
                            let q = q.map(|q| i32::from(i8::from_le_bytes([q])));
                            *dot += q[0] * a[0] + q[1] * a[1] + q[2] * a[2] + q[3] * a[3];
                        }
                    }
                    let shift = words.shift(p, block);
                    for ((sum, dot), scale) in sums.iter_mut().zip(dots).zip(scales) {
                        *sum += (i64::from(dot) * i64::from(scale)) << shift;
                    }
                }
            }
            for (p, sums) in sums.iter().enumerate().take(count) {
                // SAFETY: no other thread uses the group.
                unsafe { layer.set((first + p, group), sums, words.bases[p]) };
            }
        }
    }
}

pub(super) fn block_dots<const B: usize>(
    query: &[[i16; BLOCK]; B],
    keys: &[[i8; BLOCK]],
    dots: &mut [i32],
) {
    for (i, (dot, key)) in dots.iter_mut().zip(keys).enumerate() {
        let products = query[i % B].iter().zip(key);
        *dot = products.map(|(&q, &k)| i32::from(q) * i32::from(k)).sum();
    }
}

pub(super) fn weighted_sum<const B: usize>(
    weights: &[i16; BLOCK],
    rows: &[[[i8; BLOCK]; B]; BLOCK],
    block: usize,
) -> [i32; BLOCK] {
    let mut sums = [0; BLOCK];
    for (&weight, row) in weights.iter().zip(rows) {
        for (sum, &v) in sums.iter_mut().zip(&row[block]) {
            *sum += i32::from(weight) * i32::from(v);
        }
    }
    sums
}
