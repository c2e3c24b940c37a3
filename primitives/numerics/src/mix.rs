//! The mixture of experts: the weighted sum of what the experts of a position return.
//!
//! Shapes: routes `[batch][2k]` of [`crate::route`]; input `[batch][k][n]`; output `[batch][n]` in the same units.
//!
//! # Formula
//! With the weights `w` in units of 2^-24:
//! ```text
//! y = saturate_i32(round_half_up(Σ_i clamp(w_i, 0, 2^24) * x_i / 2^24))
//! ```
//! [Routing](crate::route) writes no weight that would be clamped.
//!
//! # Bounds
//! At most 32 experts: |Σ| ≤ 32 * 2^24 * 2^31 = 2^60.
//!
//! # Error
//! Half a unit over the exact sum of the integers.

use crate::{
    fixed::{round_shift, saturate},
    route::WEIGHT_FRACTION,
};

/// The largest weight: 1.
pub const LARGEST_WEIGHT: i32 = 1 << WEIGHT_FRACTION;

/// Mixes the outputs of the `chosen` experts of each position; a row of `output` has `columns` elements.
pub fn mix(chosen: usize, routes: &[i32], input: &[i32], columns: usize, output: &mut [i32]) {
    let rows = routes
        .chunks_exact(2 * chosen)
        .zip(input.chunks_exact(chosen * columns));
    for ((routes, input), output) in rows.zip(output.chunks_exact_mut(columns)) {
        mix_row(routes, input, output);
    }
}

/// Mixes the outputs of the experts of one position.
pub fn mix_row(routes: &[i32], input: &[i32], output: &mut [i32]) {
    let (_, weights) = routes.split_at(routes.len() / 2);
    let columns = output.len();
    for (column, y) in output.iter_mut().enumerate() {
        let terms = weights
            .iter()
            .zip(input.iter().skip(column).step_by(columns));
        let sum: i64 = terms
            .map(|(&w, &x)| i64::from(w.clamp(0, LARGEST_WEIGHT)) * i64::from(x))
            .sum();
        *y = saturate(round_shift(sum, WEIGHT_FRACTION));
    }
}
