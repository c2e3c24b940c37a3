//! Biases: a vector of the checkpoint, added to every vector of a batch.
//!
//! Shapes: vectors `[batch][n]` in units of `2^-fraction`, changed in place; biases `[n]`.
//!
//! # Formula
//! A bias is `g * 2^E`, stored as the gains of a norm are:
//! ```text
//! b = saturate_i32(round_half_up(g * 2^(E + fraction)))
//! y = x ⊕ b                                              saturating
//! ```
//! # Error
//! Half a unit, and saturation.

use crate::{fixed::scale_saturate, model::Gains};
use alloc::vec::Vec;

/// Adds the biases to each row, in units of `2^-fraction`.
pub fn bias(biases: &Gains<'_>, fraction: i32, rows: &mut [i32]) {
    let biases: Vec<i32> = in_units(biases, fraction).collect();
    if biases.is_empty() {
        return;
    }
    for row in rows.chunks_exact_mut(biases.len()) {
        for (x, &b) in row.iter_mut().zip(&biases) {
            *x = x.saturating_add(b);
        }
    }
}

/// The biases in units of `2^-fraction`.
pub fn in_units<'a>(
    biases: &Gains<'a>,
    fraction: i32,
) -> impl ExactSizeIterator<Item = i32> + use<'a> {
    let exponent = biases.exponent() + fraction;
    let values = biases.values();
    values.map(move |g| scale_saturate(i64::from(g), exponent))
}
