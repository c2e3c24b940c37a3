//! GeGLU: `y = gelu(gate) * up`, straight into activation blocks, with the approximation of GELU by a hyperbolic
//! tangent (Hendrycks and Gimpel, 2016), which models are trained with.
//!
//! Shapes: `gate` and `up` `[batch][n]` in units of 2^-20, output `[batch][n]` blocks in units of
//! 2^-16.
//!
//! # Formula
//! `gelu(x) = x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2 = x σ(x (A + B x²))` with `A = √(8/π)`, `B = 0.044715 A`:
//! ```text
//! c = clamp(gate, ±2^24)                                       ±16.0
//! s = round_half_up(c² / 2^20)                                 units of 2^-20
//! t = A + round_half_up(s * B / 2^30)                          A in units of 2^-20, B of 2^-30
//! u = round_half_up(c * t / 2^20)                              units of 2^-20
//! h = round_half_up(gate * σ(u) / 2^30)                        gelu(gate), units of 2^-20
//! y = saturate_i32(round_half_up(h * up / 2^24))               units of 2^-16
//! ```
//! with [σ](crate::swiglu::sigmoid) as SwiGLU has it. Beyond ±16 it is exactly one or zero.
//!
//! # Bounds
//! s ≤ 2^28, s * B < 2^55, t < 2^24.4, |c * t| < 2^49 and |u| < 2^28.4; the rest is that of [`crate::swiglu`].
//!
//! # Error
//! u: 2^-19 for each unit of |gate|, and half a unit. h: relative 2^-16 and what the error of u makes of it, plus
//! 2^-30 of the gate and half a unit. y: that of h plus half a unit.

use crate::{
    exp2::POWER_FRACTION,
    fixed::round_shift,
    swiglu::{product, sigmoid, GATE_FRACTION, PRODUCT_FRACTION},
    Blocks,
};
use alloc::vec;

/// Where a gate is clamped before its cube is taken, in units of 2^-20.
pub const LIMIT: i32 = 1 << 24;
/// √(8/π) in units of 2^-20.
pub const LINEAR_Q20: i64 = 1_673_285;
/// 0.044715 √(8/π) in units of 2^-30.
pub const CUBIC_Q30: i64 = 76_616_651;

/// Gates each row of `up` by the same row of `gate` and quantises it into `output`, which is
/// replaced. Rows have `columns` elements.
pub fn geglu(gate: &[i32], up: &[i32], columns: usize, output: &mut Blocks) {
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

/// `gelu(gate) * up`, both in units of 2^-20, in units of 2^-16.
pub fn gated(gate: i32, up: i32) -> i32 {
    product(gelu(gate), up)
}

/// `gelu(x)`, in units of 2^-20.
pub fn gelu(x: i32) -> i32 {
    let share = i64::from(sigmoid(argument(x)));
    round_shift(i64::from(x) * share, POWER_FRACTION) as i32
}

/// The argument of σ for a gate, both in units of 2^-20.
pub fn argument(gate: i32) -> i32 {
    const UNIT: u32 = GATE_FRACTION as u32;
    let c = i64::from(gate.clamp(-LIMIT, LIMIT));
    let square = round_shift(c * c, UNIT);
    let slope = LINEAR_Q20 + round_shift(square * CUBIC_Q30, 30);
    round_shift(c * slope, UNIT) as i32
}
