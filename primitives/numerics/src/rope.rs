//! Rotary position embedding from the checkpoint's frozen table, in the half-split pairing.
//!
//! Shapes: vectors `[batch][heads][d]` in units of 2^-16, rotated in place; table
//! `[position][d / 2]` of (cosine, sine) in units of 2^-30.
//!
//! # Formula
//! With x clamped to |x| ≤ 2^26 and i below d/2:
//! ```text
//! y[i]       = clamp(round_half_up((x[i] * cos - x[i + d/2] * sin) / 2^30), ±2^27)
//! y[i + d/2] = clamp(round_half_up((x[i + d/2] * cos + x[i] * sin) / 2^30), ±2^27)
//! ```
//! # Bounds
//! |x * cos| ≤ 2^26 * 2^31, the sum of two at most 2^58. A table of cosines and sines times an attention
//! factor a < 2 gives |y| ≤ a * sqrt(2) * 2^26, so the outer clamp acts only on tables with a > sqrt(2).
//!
//! # Error
//! Half a unit over the exact rotation by the table's entries.

use crate::{fixed::round_shift, model::RopeTable};

/// Largest magnitude of a query, key or value before rotation: 2^26, that is 1024.0.
pub const PROJECTION_LIMIT: i32 = 1 << 26;
/// Largest magnitude of a query or key in attention, rotated or not.
pub const ROTATED_LIMIT: i32 = 1 << 27;

/// Rotates rows of `width` elements (whole heads), the first of which is at position `start`.
///
/// # Panics
/// When the table does not cover a position.
pub fn rope(table: &RopeTable<'_>, start: usize, width: usize, rows: &mut [i32]) {
    for (offset, row) in rows.chunks_exact_mut(width).enumerate() {
        for head in row.chunks_exact_mut(table.half() * 2) {
            rotate(table.row(start + offset), head);
        }
    }
}

/// Rotates one head by the (cosine, sine) of its pairs.
pub fn rotate(angles: impl Iterator<Item = (i32, i32)>, head: &mut [i32]) {
    let (low, high) = head.split_at_mut(head.len() / 2);
    for ((a, b), (cos, sin)) in low.iter_mut().zip(high).zip(angles) {
        let (x, y) = (clamp_projection(*a), clamp_projection(*b));
        let (x, y, cos, sin) = (i64::from(x), i64::from(y), i64::from(cos), i64::from(sin));
        *a = saturate_rotated(round_shift(x * cos - y * sin, 30));
        *b = saturate_rotated(round_shift(y * cos + x * sin, 30));
    }
}

/// Clamps a query or key, as attention and the cache take it: those that no rotation has clamped can be larger.
pub fn clamp_rotated(x: i32) -> i32 {
    x.clamp(-ROTATED_LIMIT, ROTATED_LIMIT)
}

/// Clamps a projected query, key or value.
pub fn clamp_projection(x: i32) -> i32 {
    x.clamp(-PROJECTION_LIMIT, PROJECTION_LIMIT)
}

fn saturate_rotated(x: i64) -> i32 {
    x.clamp(i64::from(-ROTATED_LIMIT), i64::from(ROTATED_LIMIT)) as i32
}
