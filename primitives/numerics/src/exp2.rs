//! Powers of two with a fractional exponent, from a table that the compiler computes.
//!
//! # Formula
//! For `z ≤ 0` in units of 2^-16, with `i = ⌊z⌋`, the top 8 fraction bits `j` and the low 8 `f`:
//! ```text
//! m    = table[j] + round_half_up((table[j + 1] - table[j]) * f / 2^8)
//! exp2 = round_half_up(m / 2^-i)                 in units of 2^-30, 0 ..= 2^30
//! ```
//! `table[j] = 2^(j / 256)` in units of 2^-30, by integer square roots.
//!
//! # Bounds
//! `2^30 ≤ m ≤ 2^31`; the difference of neighbours is below 2^22.6, times f below 2^31.
//!
//! # Error
//! Relative 2^-19 from interpolation (`(2^-8)² / 8 * ln(2)²` = 2^-20.06 before rounding), plus
//! half a unit.

/// Fraction bits of an exponent.
pub const EXPONENT_FRACTION: u32 = 16;
/// Fraction bits of a power.
pub const POWER_FRACTION: u32 = 30;
/// 1.0 as a power.
pub const ONE: u32 = 1 << POWER_FRACTION;
/// log2(e) in units of 2^-30: `round(1.4426950408889634 * 2^30)`.
pub const LOG2_E_Q30: i64 = 1_549_082_005;

/// `2^(j / 256)` for j from 0 to 256, in units of 2^-30.
pub static TABLE: [u32; 257] = table();

const fn table() -> [u32; 257] {
    const FRACTION: u32 = 62;
    // roots[j] = 2^(2^-(8 - j)): the factor that bit j of an index contributes.
    let mut roots = [0u128; 8];
    let mut root: u128 = 2 << FRACTION;
    let mut bit = 8;
    while bit > 0 {
        bit -= 1;
        root = (root << FRACTION).isqrt();
        roots[bit] = root;
    }
    let mut table = [0; 257];
    let mut index = 0;
    while index < 256 {
        let mut power: u128 = 1 << FRACTION;
        let mut bit = 0;
        while bit < 8 {
            if (index >> bit) & 1 == 1 {
                power = (power * roots[bit]) >> FRACTION;
            }
            bit += 1;
        }
        let drop = FRACTION - POWER_FRACTION;
        table[index] = ((power + (1 << (drop - 1))) >> drop) as u32;
        index += 1;
    }
    table[256] = ONE << 1;
    table
}

/// `2^z` for `z ≤ 0` in units of 2^-16; in units of 2^-30. A positive `z` counts as 0.
pub fn exp2(z: i32) -> u32 {
    let z = z.min(0);
    let whole = (z >> EXPONENT_FRACTION).unsigned_abs();
    if whole > POWER_FRACTION + 1 {
        return 0;
    }
    let index = ((z >> 8) & 0xff) as usize;
    let step = TABLE[index + 1] - TABLE[index];
    let mantissa = u64::from(TABLE[index] + ((step * (z & 0xff) as u32 + 128) >> 8));
    if whole == 0 {
        mantissa as u32
    } else {
        ((mantissa + (1 << (whole - 1))) >> whole) as u32
    }
}
