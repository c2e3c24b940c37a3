//! SwiGLU: `y = silu(gate) * up`, straight into activation blocks.
//!
//! Shapes: `gate` and `up` `[batch][n]` in units of 2^-20, output `[batch][n]` blocks in units of
//! 2^-16.
//!
//! # Formula
//! ```text
//! z = -saturate_i32(round_half_up(|gate| * log2(e) / 2^4))     units of 2^-16
//! p = exp2(z)                                                  e^-|gate|, units of 2^-30
//! σ = ⌊2^60 / (2^30 + p)⌋  for gate ≥ 0,  ⌊p * 2^30 / (2^30 + p)⌋  for gate < 0
//! h = round_half_up(gate * σ / 2^30)                           silu(gate), units of 2^-20
//! y = saturate_i32(round_half_up(h * up / 2^24))               units of 2^-16
//! ```
//! (log2(e) in units of 2^-30, so the first shift is 30 + 20 - 16 = 34.)
//!
//! # Bounds
//! |gate| * log2(e) ≤ 2^31 * 2^30.6; σ ≤ 2^30; |gate * σ| ≤ 2^61, |h| ≤ |gate|; |h * up| ≤ 2^62.
//!
//! # Error
//! σ: relative 2^-17 for gate ≥ 0; for gate < 0 relative 2^-16 plus 2^-30. h: that of σ plus half
//! a unit. y: that of h plus half a unit.

use crate::{
    exp2::{exp2, EXPONENT_FRACTION, LOG2_E_Q30, POWER_FRACTION},
    fixed::{round_shift, saturate},
    Blocks,
};
use alloc::vec;

/// Fraction bits of the gate and up projections.
pub const GATE_FRACTION: i32 = 20;
/// Fraction bits of the gated product.
pub const PRODUCT_FRACTION: i32 = 16;

/// Gates each row of `up` by the same row of `gate` and quantises it into `output`, which is
/// replaced. Rows have `columns` elements.
pub fn swiglu(gate: &[i32], up: &[i32], columns: usize, output: &mut Blocks) {
    output.reset(gate.len() / columns, columns, PRODUCT_FRACTION);
    let mut products = vec![0; columns];
    let rows = gate.chunks_exact(columns).zip(up.chunks_exact(columns));
    for (row, (gate, up)) in rows.enumerate() {
        for ((y, &g), &u) in products.iter_mut().zip(gate).zip(up) {
            *y = gated(g, u);
        }
        output.set_row(row, &products);
    }
}

/// `silu(gate) * up`, both in units of 2^-20, in units of 2^-16.
pub fn gated(gate: i32, up: i32) -> i32 {
    product(silu(gate), up)
}

/// The product of two numbers in units of 2^-20, in units of 2^-16.
pub(crate) fn product(activated: i32, up: i32) -> i32 {
    const DROP: u32 = (2 * GATE_FRACTION - PRODUCT_FRACTION) as u32;
    saturate(round_shift(i64::from(activated) * i64::from(up), DROP))
}

/// `x / (1 + e^-x)`, in units of 2^-20.
pub fn silu(x: i32) -> i32 {
    round_shift(i64::from(x) * i64::from(sigmoid(x)), POWER_FRACTION) as i32
}

/// `1 / (1 + e^-x)` in units of 2^-30, for `x` in units of 2^-20.
pub fn sigmoid(x: i32) -> u32 {
    const DROP: u32 = POWER_FRACTION + GATE_FRACTION as u32 - EXPONENT_FRACTION;
    let z = -saturate(round_shift(i64::from(x.unsigned_abs()) * LOG2_E_Q30, DROP));
    let power = u64::from(exp2(z));
    let one = 1u64 << POWER_FRACTION;
    let numerator = if x < 0 { power } else { one };
    ((numerator << POWER_FRACTION) / (one + power)) as u32
}
