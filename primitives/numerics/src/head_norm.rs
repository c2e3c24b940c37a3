//! RMS norm of each head: `y = x * g / sqrt(mean(x²) + ε)`, in place. A whole vector may be one head.
//!
//! Shapes: vectors `[batch][heads][d]` in units of 2^-f, replaced by their norm in the same units; gains `[d]`,
//! which the heads share. f is 16 for queries and keys, and 14 for what is added to the residual stream.
//!
//! # Formula
//! As [`crate::norm`] up to the normalised vector, with n = d and ε in the units of the square:
//! ```text
//! V = max(1, Σ x'² + ⌊d * ε / 2^(2h + 32 - 2f)⌋)
//! x̂ = as there                                          normalised, in units of 2^-22
//! y = saturate_i32(round_half_up(x̂ * g * 2^(E + f - 22)))
//! ```
//! A gain is `g * 2^E`.
//!
//! # Bounds
//! Those of [`crate::norm`]: d ≤ 2^15 gives |x̂| ≤ sqrt(d) * 2^22 < 2^30 and |x̂ * g| < 2^61; |x̂| < 2^27 of a head of
//! queries or keys, whose d is at most 512.
//!
//! # Error
//! Relative 2^-28, half a unit of x̂ (2^-23) scaled by the gain, and half a unit of y. Where h > 0 (|x| ≥ 2^(24 - f))
//! x itself is rounded by 2^-24 of its maximum.

use crate::{
    fixed::scale_saturate,
    model::Gains,
    norm::{Normaliser, NORMAL_FRACTION},
};

/// Fraction bits of an epsilon beyond those of a squared element in units of `2^-fraction`.
pub const fn epsilon_drop(fraction: i32) -> u32 {
    32u32.saturating_sub(2 * fraction.unsigned_abs())
}

/// Normalises each run of as many elements as there are gains, in units of `2^-fraction`, at most 16.
pub fn head_norm(gains: &Gains<'_>, epsilon_q32: u32, fraction: i32, rows: &mut [i32]) {
    let width = gains.values().len();
    if width == 0 {
        return;
    }
    for head in rows.chunks_exact_mut(width) {
        norm_head(gains, epsilon_q32, fraction, head);
    }
}

/// Normalises one head.
pub fn norm_head(gains: &Gains<'_>, epsilon_q32: u32, fraction: i32, head: &mut [i32]) {
    let normaliser = Normaliser::new(head, epsilon_q32, epsilon_drop(fraction));
    let exponent = output_exponent(gains, fraction);
    for (x, g) in head.iter_mut().zip(gains.values()) {
        *x = scale(&normaliser, *x, g, exponent);
    }
}

/// One element of the norm, from the gain `g`; see [`output_exponent`].
pub const fn scale(normaliser: &Normaliser, x: i32, g: i32, exponent: i32) -> i32 {
    // At most 61 bits; it could only wrap for sums that are not those of the vector.
    let product = normaliser.normalise(x).wrapping_mul(g as i64);
    scale_saturate(product, exponent)
}

/// Exponent that takes the product of a normalised element and a gain to units of `2^-fraction`.
pub fn output_exponent(gains: &Gains<'_>, fraction: i32) -> i32 {
    gains.exponent() + fraction - NORMAL_FRACTION
}
