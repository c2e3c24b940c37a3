// Mantissas of `noema_numerics::blocks`, four at a time.

// A value with the bit length of the largest magnitude of the four.
fn bits_of(v: vec4<i32>) -> u32 {
    return magnitude(v.x) | magnitude(v.y) | magnitude(v.z) | magnitude(v.w);
}

// The bytes of four mantissas: the high ones and the low ones.
fn pack_mantissas(a: vec4<i32>) -> vec2<u32> {
    let low = (a << vec4<u32>(24u)) >> vec4<u32>(24u);
    let high = (a - low) >> vec4<u32>(8u);
    let h = vec4<u32>(high) & vec4<u32>(0xffu);
    let l = vec4<u32>(low) & vec4<u32>(0xffu);
    return vec2<u32>(
        h.x | (h.y << 8u) | (h.z << 16u) | (h.w << 24u),
        l.x | (l.y << 8u) | (l.z << 16u) | (l.w << 24u),
    );
}

fn mantissas_of(v: vec4<i32>, shift: u32) -> vec4<i32> {
    return vec4<i32>(
        round_shift_32(v.x, shift),
        round_shift_32(v.y, shift),
        round_shift_32(v.z, shift),
        round_shift_32(v.w, shift),
    );
}
