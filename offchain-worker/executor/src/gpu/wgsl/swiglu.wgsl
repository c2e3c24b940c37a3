// `noema_numerics::swiglu`, or `geglu`, by the function `activated`. Workgroup x is the row; a row of the input is the gates, then the ups.

struct Params {
    // Blocks of a row of gates.
    blocks: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(3) var<storage, read> input: array<vec4<i32>>;
// The products before quantisation; each thread reads only what it wrote itself.
@group(1) @binding(4) var<storage, read_write> products: array<vec4<i32>>;
@group(1) @binding(5) var<storage, read> powers: array<u32>;

const LOG2_E_Q30 = 1549082005u;

// 1 / (1 + e^-x) in units of 2^-30.
fn sigmoid(x: i32) -> u32 {
    // At most 2^28: |x| is at most 2^31, log2(e) below 2^31 units.
    let z = -i32(round_shift(mul_u32(magnitude(x), LOG2_E_Q30), 34u).x);
    let power = exp2_power(z);
    let one = 1u << 30u;
    return div_u64(shl64(vec2<u32>(select(one, power, x < 0), 0u), 30u), one + power);
}

fn gated(gate: i32, up: i32) -> i32 {
    return saturate_i32(round_shift(mul_i32(activated(gate), up), 24u));
}

@compute @workgroup_size(ROW_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let blocks = params.blocks;
    let words = blocks * 8u;
    let row = group.x;
    clear_blocks(thread, blocks);
    workgroupBarrier();
    for (var word = thread; word < words; word += ROW_THREADS) {
        let gate = input[row * 2u * words + word];
        let up = input[(row * 2u + 1u) * words + word];
        let product = vec4<i32>(
            gated(gate.x, up.x),
            gated(gate.y, up.y),
            gated(gate.z, up.z),
            gated(gate.w, up.w),
        );
        products[row * words + word] = product;
        note_word(word, product);
    }
    let base = widest_shift(thread, blocks);
    for (var word = thread; word < words; word += ROW_THREADS) {
        write_word(row, blocks, word, products[row * words + word], base);
    }
}
