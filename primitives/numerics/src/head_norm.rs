//! RMS norm of each head: `y = x * g / sqrt(mean(x²) + ε)`, in place.
//!
//! Shapes: vectors `[batch][heads][d]` in units of 2^-16, replaced by their norm in the same units; gains `[d]`,
//! which the heads share.
//!
//! # Formula
//! As [`crate::norm`] up to the normalised vector, with n = d and ε in the units of the square, which are 2^-32:
//! ```text
//! V = max(1, Σ x'² + ⌊d * ε / 2^(2h)⌋)
//! x̂ = as there                                          normalised, in units of 2^-22
//! y = saturate_i32(round_half_up(x̂ * g * 2^(E + 16 - 22)))
//! ```
//! A gain is `g * 2^E`.
//!
//! # Bounds
//! Those of [`crate::norm`]: d ≤ 512 gives |x̂| ≤ sqrt(d) * 2^22 < 2^27 and |x̂ * g| < 2^58.
//!
//! # Error
//! Relative 2^-28, half a unit of x̂ (2^-23) scaled by the gain, and half a unit of y. Where h > 0 (|x| ≥ 256.0)
//! x itself is rounded by 2^-24 of its maximum.

use crate::{fixed::scale_saturate, model::Gains, norm::Normaliser, units::ATTENTION_FRACTION};

/// Fraction bits of an epsilon beyond those of a squared input.
const EPSILON_DROP: u32 = 32 - 2 * ATTENTION_FRACTION as u32;

/// Normalises each run of as many elements as there are gains.
pub fn head_norm(gains: &Gains<'_>, epsilon_q32: u32, rows: &mut [i32]) {
    let width = gains.values().len();
    if width == 0 {
        return;
    }
    for head in rows.chunks_exact_mut(width) {
        norm_head(gains, epsilon_q32, head);
    }
}

/// Normalises one head.
fn norm_head(gains: &Gains<'_>, epsilon_q32: u32, head: &mut [i32]) {
    let normaliser = Normaliser::new(head, epsilon_q32, EPSILON_DROP);
    let exponent = output_exponent(gains);
    for (x, g) in head.iter_mut().zip(gains.values()) {
        *x = scale_saturate(normaliser.normalise(*x) * i64::from(g), exponent);
    }
}

/// Exponent that takes the product of a normalised element and a gain to units of 2^-16.
pub fn output_exponent(gains: &Gains<'_>) -> i32 {
    gains.exponent() + ATTENTION_FRACTION - crate::norm::NORMAL_FRACTION
}
