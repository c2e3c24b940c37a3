//! RMS norm: `y = x * g / sqrt(mean(x²) + ε)`, straight into activation blocks.
//!
//! Shapes: input `[batch][n]` in units of 2^-14, gains `[n]`, output `[batch][n]` blocks.
//!
//! # Formula
//! ```text
//! h   = max(0, bit length of max|x| - 24)        x' = round_half_up(x / 2^h)
//! V   = max(1, Σ x'² + ⌊n * ε / 2^(2h + 4)⌋)     exact, u64; ε in units of 2^-32, x² of 2^-28
//! e   = ⌊leading zeros of V / 2⌋                 t  = ⌊sqrt(V * 4^e)⌋
//! e_n = ⌊leading zeros of n (as u64) / 2⌋        t_n = ⌊sqrt(n * 4^e_n)⌋
//! r   = ⌊t_n * 2^31 / t⌋                         sqrt(n / V) = r * 2^(e - e_n - 31)
//! x̂   = round_half_up(x' * r / 2^(9 + e_n - e))  normalised, in units of 2^-22
//! y   = saturate_i32(round_half_up(x̂ * g / 2^30))
//! ```
//! A gain is `g * 2^E` with |g| < 2^30, so y is in units of `2^(30 + E - 22)`: the fraction of the
//! output blocks is `-8 - E`, whatever the input.
//!
//! # Bounds
//! |x'| ≤ 2^24 and n ≤ 2^15: Σ x'² ≤ 2^63, n * ε < 2^47, V < 2^64. t and t_n lie in 2^31..2^32, r
//! in 2^30 ..= 2^32, |x' * r| ≤ 2^56. 32 ≤ n ≤ 2^15 makes e_n 24 to 29 and e at most 31, so the
//! shift of x̂ is 2 to 38. |x'| ≤ sqrt(V) gives |x̂| ≤ sqrt(n) * 2^22 < 2^30 and |x̂ * g| ≤ 2^61;
//! y saturates only for gains outside the range an importer writes.
//!
//! # Error
//! Relative 2^-28 of r, half a unit of x̂ (2^-23) scaled by the gain and half a unit of y (2^-23
//! of the largest gain). Where h > 0 (|x| ≥ 1024.0) x itself is rounded by 2^-24 of its maximum.

use crate::{
    blocks::range,
    fixed::{round_shift, round_shift_32, saturate},
    model::Gains,
    units::RESIDUAL_FRACTION,
    Blocks,
};
use alloc::vec;

/// Fraction bits of an epsilon beyond those of a squared input.
const EPSILON_DROP: u32 = 32 - 2 * RESIDUAL_FRACTION as u32;
/// Fraction bits of the normalised vector before the gain.
pub(crate) const NORMAL_FRACTION: i32 = 22;

/// Normalises each row of `input` and quantises it into `output`, which is replaced.
///
/// # Panics
/// When `input` is not whole rows of as many elements as there are gains.
pub fn norm(gains: &Gains<'_>, epsilon_q32: u32, input: &[i32], output: &mut Blocks) {
    let n = gains.values().len();
    assert!(input.len().is_multiple_of(n), "rows of {n} elements");
    output.reset(input.len() / n, n, fraction(gains));
    let mut scaled = vec![0; n];
    for (row, input) in input.chunks_exact(n).enumerate() {
        norm_row(gains, epsilon_q32, input, &mut scaled);
        output.set_row(row, &scaled);
    }
}

/// Fraction bits of a norm's output.
pub fn fraction(gains: &Gains<'_>) -> i32 {
    NORMAL_FRACTION - 30 - gains.exponent()
}

/// Normalises one vector, before quantisation, in units of `2^-fraction(gains)`.
pub fn norm_row(gains: &Gains<'_>, epsilon_q32: u32, input: &[i32], output: &mut [i32]) {
    let normaliser = Normaliser::new(input, epsilon_q32, EPSILON_DROP);
    for ((y, &x), g) in output.iter_mut().zip(input).zip(gains.values()) {
        *y = scale(&normaliser, x, g);
    }
}

/// One element of a norm's output before quantisation, from the gain `g`.
pub const fn scale(normaliser: &Normaliser, x: i32, g: i32) -> i32 {
    // At most 61 bits; it could only wrap for sums that are not those of the vector.
    let product = normaliser.normalise(x).wrapping_mul(g as i64);
    saturate(round_shift(product, 30))
}

/// `Σ x'²` over some elements of a vector with this [`range`]: that of a vector is the sum of its parts.
pub fn squares(values: &[i32], range: u32) -> u64 {
    let h = drop_of(range);
    values.iter().fold(0, |sum: u64, &x| {
        let x = u64::from(round_shift_32(x, h).unsigned_abs());
        sum.wrapping_add(x * x)
    })
}

/// `h`.
const fn drop_of(range: u32) -> u32 {
    range.saturating_sub(24)
}

/// What each element of a vector is scaled by: h, r and the shift of x̂.
#[derive(Clone, Copy, Debug)]
pub struct Normaliser {
    h: u32,
    r: i64,
    shift: u32,
}

impl Normaliser {
    /// Of a vector of 1 to 2^15 elements. `drop` are the fraction bits of the epsilon beyond those of a squared
    /// element.
    pub(crate) fn new(input: &[i32], epsilon_q32: u32, drop: u32) -> Self {
        let range = range(input);
        let squares = squares(input, range);
        Self::of_sums(input.len(), range, squares, epsilon_q32, drop)
    }

    /// Of a vector of `n` elements, 32 to 2^15, with this [`range`] and these [`squares`]. `drop` are the fraction bits
    /// of the epsilon beyond those of a squared element: [`crate::head_norm::epsilon_drop`].
    pub fn of_sums(n: usize, range: u32, squares: u64, epsilon_q32: u32, drop: u32) -> Self {
        let h = drop_of(range.min(u32::BITS));
        let n = n as u64;
        let epsilon = (n * u64::from(epsilon_q32)) >> (2 * h + drop);
        let v = squares.saturating_add(epsilon).max(1);
        let (r, exponent) = inverse_root(n, v);
        Self {
            h,
            r: r as i64,
            // `exponent` is e - e_n - 31, between -38 - 22 and -2 - 22.
            shift: (-exponent - NORMAL_FRACTION) as u32,
        }
    }

    /// x̂ in units of 2^-22.
    pub const fn normalise(&self, x: i32) -> i64 {
        round_shift(round_shift_32(x, self.h) as i64 * self.r, self.shift)
    }
}

/// `(r, exponent)` with `sqrt(n / v) ≈ r * 2^exponent`, for n in `1..=2^15` and v at least 1.
fn inverse_root(n: u64, v: u64) -> (u64, i32) {
    let e = v.leading_zeros() / 2;
    let e_n = n.leading_zeros() / 2;
    let t = (v << (2 * e)).isqrt();
    let t_n = (n << (2 * e_n)).isqrt();
    ((t_n << 31) / t, e as i32 - e_n as i32 - 31)
}
