// Every function of `int64.wgsl`, on each of a list of operands.

struct Operands {
    a: vec2<u32>,
    b: vec2<u32>,
    shift: u32,
    reserved: u32,
}

struct Params {
    count: u32,
}

const FUNCTIONS = 21u;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> operands: array<Operands>;
@group(1) @binding(2) var<storage, read_write> results: array<vec2<u32>>;
@group(1) @binding(3) var<storage, read> powers: array<u32>;

fn of_u32(value: u32) -> vec2<u32> {
    return vec2<u32>(value, 0u);
}

fn of_i32(value: i32) -> vec2<u32> {
    return vec2<u32>(u32(value), 0u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.count {
        return;
    }
    let o = operands[id.x];
    let x = i32(o.a.x);
    let y = i32(o.b.x);
    let divisor = max(o.b.x, 1u);
    let at = id.x * FUNCTIONS;
    results[at] = add64(o.a, o.b);
    results[at + 1u] = sub64(o.a, o.b);
    results[at + 2u] = negate64(o.a);
    results[at + 3u] = mul_u32(o.a.x, o.b.x);
    results[at + 4u] = mul_i32(x, y);
    results[at + 5u] = mul_i32_u32(x, o.b.x);
    results[at + 6u] = shl64(o.a, o.shift % 64u);
    results[at + 7u] = shr_u64(o.a, o.shift % 64u);
    results[at + 8u] = shr_i64(o.a, o.shift % 64u);
    results[at + 9u] = round_shift(o.a, o.shift);
    results[at + 10u] = of_i32(round_shift_32(x, o.shift % 32u));
    results[at + 11u] = of_i32(saturate_i32(o.a));
    results[at + 12u] = of_i32(scale_saturate(o.a, i32(o.shift) - 70));
    results[at + 13u] = of_i32(saturating_add(x, y));
    results[at + 14u] = of_u32(div_u64(vec2<u32>(o.a.x, o.a.y % divisor), divisor));
    results[at + 15u] = of_u32(isqrt_u64(o.a));
    results[at + 16u] = of_u32(bit_length_u64(o.a));
    results[at + 17u] = of_u32(select(0u, 1u, less_u64(o.a, o.b)));
    results[at + 18u] = of_i32(dot4I8Packed(o.a.x, o.b.x));
    results[at + 19u] = of_u32(exp2_power(min(x, 0)));
    results[at + 20u] = of_u32(magnitude(x));
}
