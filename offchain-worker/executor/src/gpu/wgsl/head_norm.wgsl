// `noema_numerics::head_norm`: a workgroup normalises one head (x) of one row (y), in place.

struct Params {
    // Of a row, in words of four elements: all, those before the first head, and those of a head.
    words: u32,
    first: u32,
    head_words: u32,
    // d * epsilon in units of 2^-32.
    epsilon_low: u32,
    epsilon_high: u32,
    // t_n and e_n of the definition, which depend on the width of a head only.
    length_root: u32,
    length_exponent: u32,
    // E + f - 22, which takes a product to the units of the output.
    output_exponent: i32,
    // Fraction bits of the epsilon beyond those of a squared element.
    epsilon_drop: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
// Each thread reads only what it wrote itself.
@group(1) @binding(1) var<storage, read_write> values: array<vec4<i32>>;
@group(1) @binding(2) var<storage, read> gains: array<vec4<i32>>;

const THREADS = 32u;

var<workgroup> input_bits: atomic<u32>;
var<workgroup> squares_low: atomic<u32>;
var<workgroup> squares_high: atomic<u32>;
var<workgroup> inverse: u32;
var<workgroup> drop: u32;

fn square(x: i32, h: u32) -> U64 {
    let value = magnitude(round_shift_32(x, h));
    return mul_u32(value, value);
}

// |x̂| < 2^30 fits the low half.
fn normalise(x: i32, g: i32, h: u32, r: u32, shift: u32) -> i32 {
    let value = i32(round_shift(mul_i32_u32(round_shift_32(x, h), r), shift).x);
    return scale_saturate(mul_i32(value, g), params.output_exponent);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let words = params.head_words;
    let at = (window.first + group.y) * params.words + params.first + group.x * words;
    if thread == 0u {
        atomicStore(&input_bits, 0u);
        atomicStore(&squares_low, 0u);
        atomicStore(&squares_high, 0u);
    }
    workgroupBarrier();

    var bits = 0u;
    for (var word = thread; word < words; word += THREADS) {
        bits |= bits_of(values[at + word]);
    }
    atomicOr(&input_bits, bits);
    workgroupBarrier();
    let h = saturating_sub(bit_length(atomicLoad(&input_bits)), 24u);

    var sum = vec2<u32>(0u, 0u);
    for (var word = thread; word < words; word += THREADS) {
        let x = values[at + word];
        sum = add64(sum, add64(square(x.x, h), square(x.y, h)));
        sum = add64(sum, add64(square(x.z, h), square(x.w, h)));
    }
    // Exact in any order: every carry out of the low half is seen by exactly one thread.
    let before = atomicAdd(&squares_low, sum.x);
    atomicAdd(&squares_high, sum.y + select(0u, 1u, before + sum.x < before));
    workgroupBarrier();

    if thread == 0u {
        let squares = vec2<u32>(atomicLoad(&squares_low), atomicLoad(&squares_high));
        let epsilon = vec2<u32>(params.epsilon_low, params.epsilon_high);
        var v = add64(squares, shr_u64(epsilon, 2u * h + params.epsilon_drop));
        if v.x == 0u && v.y == 0u {
            v.x = 1u;
        }
        let e = (64u - bit_length_u64(v)) / 2u;
        let t = isqrt_u64(shl64(v, 2u * e));
        inverse = div_u64(shl64(vec2<u32>(params.length_root, 0u), 31u), t);
        drop = 9u + params.length_exponent - e;
    }
    workgroupBarrier();

    let r = inverse;
    let shift = drop;
    for (var word = thread; word < words; word += THREADS) {
        let x = values[at + word];
        let g = gains[word];
        values[at + word] = vec4<i32>(
            normalise(x.x, g.x, h, r, shift),
            normalise(x.y, g.y, h, r, shift),
            normalise(x.z, g.z, h, r, shift),
            normalise(x.w, g.w, h, r, shift),
        );
    }
}
