// 64-bit integers from 32-bit halves: x is the low half, y the high one.
//
// The functions mirror `noema_numerics::fixed` and the integer types of Rust, bit for bit. Shifts
// are defined for the amounts that each function states; WGSL takes an amount modulo 32, so every
// amount from 32 on is a separate case.

alias U64 = vec2<u32>;
alias I64 = vec2<u32>; // two's complement

fn add64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn negate64(a: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(~a.x + 1u, ~a.y + select(0u, 1u, a.x == 0u));
}

fn sub64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn less_u64(a: U64, b: U64) -> bool {
    return a.y < b.y || (a.y == b.y && a.x < b.x);
}

// |value|, which is 2^31 for the smallest i32.
fn magnitude(value: i32) -> u32 {
    return select(u32(value), ~u32(value) + 1u, value < 0);
}

// Bits without leading zeros: 0 for 0, 32 for the largest u32.
fn bit_length(value: u32) -> u32 {
    return 32u - countLeadingZeros(value);
}

fn bit_length_u64(value: U64) -> u32 {
    return select(bit_length(value.x), 32u + bit_length(value.y), value.y != 0u);
}

fn saturating_sub(a: u32, b: u32) -> u32 {
    return select(0u, a - b, a > b);
}

fn sign_extend(value: i32) -> I64 {
    return vec2<u32>(u32(value), u32(value >> 31u));
}

// The exact product of two u32.
fn mul_u32(a: u32, b: u32) -> U64 {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let low = al * bl;
    let mid = ah * bl + (low >> 16u); // at most (2^16 - 1)^2 + 2^16 - 1: fits
    let other = al * bh + (mid & 0xffffu);
    return vec2<u32>((other << 16u) | (low & 0xffffu), ah * bh + (mid >> 16u) + (other >> 16u));
}

// The exact product of two i32.
fn mul_i32(a: i32, b: i32) -> I64 {
    let product = mul_u32(u32(a), u32(b));
    return vec2<u32>(
        product.x,
        product.y - select(0u, u32(b), a < 0) - select(0u, u32(a), b < 0),
    );
}

// The exact product of an i32 and a u32.
fn mul_i32_u32(a: i32, b: u32) -> I64 {
    let product = mul_u32(u32(a), b);
    return vec2<u32>(product.x, product.y - select(0u, b, a < 0));
}

// value << shift, for shifts from 0 to 63.
fn shl64(value: vec2<u32>, shift: u32) -> vec2<u32> {
    if shift == 0u {
        return value;
    }
    if shift < 32u {
        return vec2<u32>(value.x << shift, (value.y << shift) | (value.x >> (32u - shift)));
    }
    return vec2<u32>(0u, value.x << (shift - 32u));
}

// value >> shift, for shifts from 0 to 63, filling with zeros.
fn shr_u64(value: U64, shift: u32) -> U64 {
    if shift == 0u {
        return value;
    }
    if shift < 32u {
        return vec2<u32>((value.x >> shift) | (value.y << (32u - shift)), value.y >> shift);
    }
    return vec2<u32>(value.y >> (shift - 32u), 0u);
}

// value >> shift, for shifts from 0 to 63, filling with the sign.
fn shr_i64(value: I64, shift: u32) -> I64 {
    if shift == 0u {
        return value;
    }
    let high = i32(value.y);
    if shift < 32u {
        return vec2<u32>((value.x >> shift) | (value.y << (32u - shift)), u32(high >> shift));
    }
    return vec2<u32>(u32(high >> (shift - 32u)), u32(high >> 31u));
}

// `fixed::round_shift`: to nearest, halves up, any shift.
fn round_shift(value: I64, shift: u32) -> I64 {
    if shift == 0u {
        return value;
    }
    if shift > 63u {
        return vec2<u32>(0u, 0u);
    }
    let half = shr_i64(value, shift - 1u).x & 1u;
    return add64(shr_i64(value, shift), vec2<u32>(half, 0u));
}

// `fixed::round_shift_32` for shifts from 0 to 31.
fn round_shift_32(value: i32, shift: u32) -> i32 {
    let half = (value >> ((shift - 1u) & 31u)) & 1;
    return (value >> shift) + select(half, 0, shift == 0u);
}

// `fixed::saturate`: the nearest i32.
fn saturate_i32(value: I64) -> i32 {
    let fits = value.y == u32(i32(value.x) >> 31u);
    let limit = select(0x7fffffffu, 0x80000000u, i32(value.y) < 0);
    return i32(select(limit, value.x, fits));
}

// `fixed::scale_saturate`: value * 2^exponent, rounded, as the nearest i32.
fn scale_saturate(value: I64, exponent: i32) -> i32 {
    if exponent <= 0 {
        return saturate_i32(round_shift(value, magnitude(exponent)));
    }
    return saturate_i32(shl64(sign_extend(saturate_i32(value)), u32(min(exponent, 31))));
}

fn saturating_add(a: i32, b: i32) -> i32 {
    let sum = i32(u32(a) + u32(b));
    let limit = select(i32(0x7fffffffu), i32(0x80000000u), a < 0);
    return select(sum, limit, ((a ^ sum) & (b ^ sum)) < 0);
}

// The quotient, rounded down, of n by d, for a high half of n below d: it then fits a u32.
// Knuth's algorithm D with digits of 16 bits.
fn div_u64(n: U64, d: u32) -> u32 {
    let normal = countLeadingZeros(d);
    let divisor = d << normal;
    let dividend = shl64(n, normal);
    let dh = divisor >> 16u;
    let dl = divisor & 0xffffu;
    let upper = digit(dividend.y, dividend.x >> 16u, divisor, dh, dl);
    let lower = digit(upper.y, dividend.x & 0xffffu, divisor, dh, dl);
    return (upper.x << 16u) | lower.x;
}

// One digit of `div_u64`: the quotient and the remainder of rest * 2^16 + next, where rest is
// below the divisor.
fn digit(rest: u32, next: u32, divisor: u32, dh: u32, dl: u32) -> vec2<u32> {
    var q = rest / dh;
    var r = rest - q * dh;
    // At most two too large; r stays below 2^16 while a correction is still possible.
    if q > 0xffffu || q * dl > ((r << 16u) | next) {
        q -= 1u;
        r += dh;
        if r < 0x10000u && (q > 0xffffu || q * dl > ((r << 16u) | next)) {
            q -= 1u;
        }
    }
    return vec2<u32>(q, ((rest << 16u) | next) - q * divisor);
}

// The square root, rounded down, digit by digit.
fn isqrt_u64(value: U64) -> u32 {
    var rest = value;
    var root = vec2<u32>(0u, 0u);
    var bit = vec2<u32>(0u, 0x40000000u);
    for (var i = 0u; i < 32u; i += 1u) {
        let trial = add64(root, bit);
        root = shr_u64(root, 1u);
        if !less_u64(rest, trial) {
            rest = sub64(rest, trial);
            root = add64(root, bit);
        }
        bit = shr_u64(bit, 2u);
    }
    return root.x;
}
