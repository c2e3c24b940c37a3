// Few positions: bound by the reading of weights, so every weight is read once for POSITIONS positions at a
// time, by as many threads as possible.
//
// A workgroup computes one row group; its threads are four quads of rows by LANES lanes, which divide the
// blocks. Workgroups x and z are the row group, y the positions.

const LANES = 16u;
const THREADS = 64u;

var<workgroup> partial_low: array<vec4<u32>, THREADS * POSITIONS>;
var<workgroup> partial_high: array<vec4<u32>, THREADS * POSITIONS>;

// Adds the products of four rows' block with one position's.
fn multiply(
    sums: ptr<function, Sums>,
    w: array<vec4<u32>, 8>,
    scales: vec4<u32>,
    position: u32,
    block: u32,
) {
    let row = window.first + min(position, window.count - 1u);
    let at = (row * params.blocks + block) * 4u;
    let a = mantissas[at];
    let b = mantissas[at + 1u];
    let c = mantissas[at + 2u];
    let d = mantissas[at + 3u];
    let high = dot4(w[0], a.x) + dot4(w[1], a.z) + dot4(w[2], b.x) + dot4(w[3], b.z)
        + dot4(w[4], c.x) + dot4(w[5], c.z) + dot4(w[6], d.x) + dot4(w[7], d.z);
    let low = dot4(w[0], a.y) + dot4(w[1], a.w) + dot4(w[2], b.y) + dot4(w[3], b.w)
        + dot4(w[4], c.y) + dot4(w[5], c.w) + dot4(w[6], d.y) + dot4(w[7], d.w);
    let shift = shifts[row * (params.blocks + 1u) + block];
    accumulate(sums, high * 256 + low, scales, shift);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let row_group = group.z * 65535u + group.x;
    if row_group >= params.groups {
        return;
    }
    let position = group.y * POSITIONS;
    let quad = thread % 4u;
    let lane = thread / 4u;
    var s0: Sums;
    var s1: Sums;
    var s2: Sums;
    var s3: Sums;
    for (var block = lane; block < params.blocks; block += LANES) {
        let tile = (row_group * params.blocks + block) * TILE_VECTORS;
        let at = tile + quad;
        let w = array<vec4<u32>, 8>(
            weights[at],
            weights[at + 4u],
            weights[at + 8u],
            weights[at + 12u],
            weights[at + 16u],
            weights[at + 20u],
            weights[at + 24u],
            weights[at + 28u],
        );
        let scales = scales_of(tile, quad);
        multiply(&s0, w, scales, position, block);
        if POSITIONS > 1u {
            multiply(&s1, w, scales, position + 1u, block);
            multiply(&s2, w, scales, position + 2u, block);
            multiply(&s3, w, scales, position + 3u, block);
        }
    }
    partial_low[thread] = s0.low;
    partial_high[thread] = s0.high;
    if POSITIONS > 1u {
        partial_low[(1u * THREADS + thread) % (THREADS * POSITIONS)] = s1.low;
        partial_high[(1u * THREADS + thread) % (THREADS * POSITIONS)] = s1.high;
        partial_low[(2u * THREADS + thread) % (THREADS * POSITIONS)] = s2.low;
        partial_high[(2u * THREADS + thread) % (THREADS * POSITIONS)] = s2.high;
        partial_low[(3u * THREADS + thread) % (THREADS * POSITIONS)] = s3.low;
        partial_high[(3u * THREADS + thread) % (THREADS * POSITIONS)] = s3.high;
    }
    workgroupBarrier();

    // One thread for each row and position adds up the lanes: exact in any order.
    if thread < 16u * POSITIONS {
        let row = thread % 16u;
        let p = thread / 16u;
        var sum = vec2<u32>(0u, 0u);
        for (var other = 0u; other < LANES; other += 1u) {
            let source = p * THREADS + other * 4u + row / 4u;
            sum = add64(sum, vec2<u32>(partial_low[source][row % 4u], partial_high[source][row % 4u]));
        }
        write_output(position + p, (params.first_group + row_group) * 16u + row, sum);
    }
}
