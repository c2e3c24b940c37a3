//! Token embedding: a row of the embedding tensor as fixed point.
//!
//! # Formula
//! `x[k] = saturate_i32(round_half_up(q[k] * s * 2^(E + 14)))`, in units of 2^-14, with the scale
//! of the row's block.
//!
//! # Bounds and error
//! |q * s| ≤ 2^23. Half a unit over the stored weight.

use crate::{fixed::scale_saturate, model::Linear, units::RESIDUAL_FRACTION};

/// Writes the embedding of `token` to `output`.
///
/// # Panics
/// When there is no such row or `output` is not one row.
pub fn embedding(table: &Linear<'_>, token: usize, output: &mut [i32]) {
    assert!(token < table.rows(), "a row of the embedding");
    assert_eq!(output.len(), table.columns(), "one row");
    let exponent = table.exponent() + RESIDUAL_FRACTION;
    for (column, x) in output.iter_mut().enumerate() {
        let (q, s) = table.weight(token, column);
        *x = scale_saturate(i64::from(q) * i64::from(s), exponent);
    }
}
