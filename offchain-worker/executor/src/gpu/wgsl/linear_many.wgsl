// Many positions: a workgroup computes 64 rows of 32 positions, block after block out of workgroup
// memory; a thread four rows of four positions. Workgroup x is the positions, y and z the rows.

const THREADS = 128u;

// Vector `16 * w + r`: inputs `4 * w ..` of rows `4 * r ..`.
var<workgroup> shared_weights: array<vec4<u32>, 128>;
// Pair `32 * w + p`: the high and low bytes of mantissas `4 * w ..` of position p.
var<workgroup> shared_inputs: array<vec2<u32>, 256>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let first_group = (group.z * 65535u + group.y) * 4u;
    let first_position = group.x * 32u;
    let blocks = params.blocks;

    // This thread loads a vector of weights and a vector of activations of each block.
    let load_group = min(first_group + thread / 32u, params.groups - 1u);
    let load_weights = load_group * blocks * TILE_VECTORS + thread % 32u;
    let store_weights = (thread % 32u) / 4u * 16u + thread / 32u * 4u + thread % 4u;
    let load_position = thread / 4u;
    let load_row = window.first + min(first_position + load_position, window.count - 1u);
    let load_inputs = load_row * blocks * 4u + thread % 4u;
    let store_inputs = thread % 4u * 64u + load_position;

    // The outputs of this thread.
    let quad = thread % 16u;
    let tile_group = min(first_group + quad / 4u, params.groups - 1u);
    let positions = thread / 16u * 4u;
    let last = window.count - 1u;
    let shifts0 = (window.first + min(first_position + positions, last)) * (blocks + 1u);
    let shifts1 = (window.first + min(first_position + positions + 1u, last)) * (blocks + 1u);
    let shifts2 = (window.first + min(first_position + positions + 2u, last)) * (blocks + 1u);
    let shifts3 = (window.first + min(first_position + positions + 3u, last)) * (blocks + 1u);
    var s0: Sums;
    var s1: Sums;
    var s2: Sums;
    var s3: Sums;
    for (var block = 0u; block < blocks; block += 1u) {
        workgroupBarrier();
        shared_weights[store_weights] = weights[load_weights + block * TILE_VECTORS];
        let four = mantissas[load_inputs + block * 4u];
        shared_inputs[store_inputs] = four.xy;
        shared_inputs[store_inputs + 32u] = four.zw;
        workgroupBarrier();

        var h0 = vec4<i32>();
        var h1 = vec4<i32>();
        var h2 = vec4<i32>();
        var h3 = vec4<i32>();
        var l0 = vec4<i32>();
        var l1 = vec4<i32>();
        var l2 = vec4<i32>();
        var l3 = vec4<i32>();
        for (var word = 0u; word < 8u; word += 1u) {
            let w = shared_weights[word * 16u + quad];
            let at = word * 32u + positions;
            let a0 = shared_inputs[at];
            let a1 = shared_inputs[at + 1u];
            let a2 = shared_inputs[at + 2u];
            let a3 = shared_inputs[at + 3u];
            h0 += dot4(w, a0.x);
            l0 += dot4(w, a0.y);
            h1 += dot4(w, a1.x);
            l1 += dot4(w, a1.y);
            h2 += dot4(w, a2.x);
            l2 += dot4(w, a2.y);
            h3 += dot4(w, a3.x);
            l3 += dot4(w, a3.y);
        }
        let scales = scales_of((tile_group * blocks + block) * TILE_VECTORS, quad % 4u);
        accumulate(&s0, h0 * 256 + l0, scales, shifts[shifts0 + block]);
        accumulate(&s1, h1 * 256 + l1, scales, shifts[shifts1 + block]);
        accumulate(&s2, h2 * 256 + l2, scales, shifts[shifts2 + block]);
        accumulate(&s3, h3 * 256 + l3, scales, shifts[shifts3 + block]);
    }
    if first_group + quad / 4u >= params.groups {
        return;
    }
    let row = (params.first_group + first_group) * 16u + quad * 4u;
    let position = first_position + positions;
    write_four(position, row, s0);
    write_four(position + 1u, row, s1);
    write_four(position + 2u, row, s2);
    write_four(position + 3u, row, s3);
}

fn write_four(position: u32, row: u32, sums: Sums) {
    write_output(position, row, vec2<u32>(sums.low.x, sums.high.x));
    write_output(position, row + 1u, vec2<u32>(sums.low.y, sums.high.y));
    write_output(position, row + 2u, vec2<u32>(sums.low.z, sums.high.z));
    write_output(position, row + 3u, vec2<u32>(sums.low.w, sums.high.w));
}
