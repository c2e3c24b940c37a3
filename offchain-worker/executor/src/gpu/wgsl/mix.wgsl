// `noema_numerics::mix`: four elements (x) of one row (y) a thread.

struct Params {
    // Words of four elements of a row of the output.
    words: u32,
    // Experts of a position.
    chosen: u32,
    // Whether the sum is added to the output's old value, saturating.
    add: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read_write> output: array<vec4<i32>>;
// A part for each of the chosen experts.
@group(1) @binding(2) var<storage, read> input: array<vec4<i32>>;
// Of each row the indices of the chosen experts, then their weights.
@group(1) @binding(3) var<storage, read> routes: array<i32>;

const THREADS = 64u;
const LARGEST_WEIGHT = 16777216;

fn rounded(sum: I64) -> i32 {
    return saturate_i32(round_shift(sum, 24u));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let word = group.x * THREADS + thread;
    if word >= params.words {
        return;
    }
    let row = group.y;
    let chosen = params.chosen;
    var x = vec2<u32>(0u, 0u);
    var y = vec2<u32>(0u, 0u);
    var z = vec2<u32>(0u, 0u);
    var w = vec2<u32>(0u, 0u);
    for (var place = 0u; place < chosen; place += 1u) {
        let weight = u32(clamp(routes[(row * 2u + 1u) * chosen + place], 0, LARGEST_WEIGHT));
        let part = input[(row * chosen + place) * params.words + word];
        x = add64(x, mul_i32_u32(part.x, weight));
        y = add64(y, mul_i32_u32(part.y, weight));
        z = add64(z, mul_i32_u32(part.z, weight));
        w = add64(w, mul_i32_u32(part.w, weight));
    }
    let mixed = vec4<i32>(rounded(x), rounded(y), rounded(z), rounded(w));
    let at = row * params.words + word;
    if params.add == 0u {
        output[at] = mixed;
        return;
    }
    let old = output[at];
    output[at] = vec4<i32>(
        saturating_add(old.x, mixed.x),
        saturating_add(old.y, mixed.y),
        saturating_add(old.z, mixed.z),
        saturating_add(old.w, mixed.w),
    );
}
