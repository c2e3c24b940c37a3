// `noema_numerics::exp2`, its table in the storage buffer `powers`.

// 2^z for z ≤ 0 in units of 2^-16; in units of 2^-30.
fn exp2_power(z: i32) -> u32 {
    let whole = magnitude(z >> 16u);
    if whole > 31u {
        return 0u;
    }
    let index = u32(z >> 8u) & 0xffu;
    let step = powers[index + 1u] - powers[index];
    let mantissa = powers[index] + ((step * (u32(z) & 0xffu) + 128u) >> 8u);
    if whole == 0u {
        return mantissa;
    }
    return (mantissa + (1u << (whole - 1u))) >> whole;
}
