//! Rounding, saturation and scaling of integers: the arithmetic that every operator shares.

/// `value / 2^shift`, rounded to nearest with halves up. Any shift is defined: from 64 on the
/// result is 0.
pub const fn round_shift(value: i64, shift: u32) -> i64 {
    match shift {
        0 => value,
        1..=63 => (value >> shift) + ((value >> (shift - 1)) & 1),
        _ => 0,
    }
}

/// As [`round_shift`] for 32 bits; from 32 on the result is 0.
pub const fn round_shift_32(value: i32, shift: u32) -> i32 {
    match shift {
        0 => value,
        1..=31 => (value >> shift) + ((value >> (shift - 1)) & 1),
        _ => 0,
    }
}

/// The nearest i32.
pub const fn saturate(value: i64) -> i32 {
    if value > i32::MAX as i64 {
        i32::MAX
    } else if value < i32::MIN as i64 {
        i32::MIN
    } else {
        value as i32
    }
}

/// `value * 2^exponent`, rounded to nearest with halves up, saturated to i32.
pub const fn scale_saturate(value: i64, exponent: i32) -> i32 {
    if exponent <= 0 {
        return saturate(round_shift(value, exponent.unsigned_abs()));
    }
    // Saturating first does not change the result: a value outside i32 only grows. It leaves room for 31
    // bits.
    let value = saturate(value) as i64;
    let shift = if exponent > 31 { 31 } else { exponent };
    saturate(value << shift)
}

/// As [`scale_saturate`], for the exact sum of a reduction that is computed in parts.
pub const fn scale_saturate_wide(value: i128, exponent: i32) -> i32 {
    if exponent > 0 {
        return scale_saturate(clamp_wide(value), exponent);
    }
    let rounded = match exponent.unsigned_abs() {
        0 => value,
        shift @ 1..=127 => (value >> shift) + ((value >> (shift - 1)) & 1),
        _ => 0,
    };
    saturate(clamp_wide(rounded))
}

/// The nearest i64.
const fn clamp_wide(value: i128) -> i64 {
    if value > i64::MAX as i128 {
        i64::MAX
    } else if value < i64::MIN as i128 {
        i64::MIN
    } else {
        value as i64
    }
}

/// Bits of `value` without leading zeros: 0 for 0, 1 for 1, 32 for `u32::MAX`.
pub const fn bit_length(value: u32) -> u32 {
    u32::BITS - value.leading_zeros()
}
