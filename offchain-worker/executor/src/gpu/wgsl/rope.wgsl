// `noema_numerics::rope` and the storing of `noema_numerics::cache`. Workgroup x is a head of the
// queries, then of the keys, then of the values; y is the row. Queries are rotated in place; keys
// are rotated and stored, values stored. A layer may do without the rotation.

struct Params {
    heads: u32,
    kv_heads: u32,
    // Elements of a head.
    dim: u32,
    // Positions of the rotation table that this buffer holds.
    first_position: u32,
    positions: u32,
    // The bound slab of caches.
    slab: u32,
    // Whether the layer rotates; if not, this holds no table, and all positions.
    rotates: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read_write> projected: array<i32>;
@group(1) @binding(2) var<storage, read> angles: array<vec2<i32>>;
// Atomic because consecutive positions share words of values.
@group(1) @binding(3) var<storage, read_write> cache: array<atomic<u32>>;

const THREADS = 64u;
const PROJECTION_LIMIT = 1 << 26u;
const ROTATED_LIMIT = 1 << 27u;

var<workgroup> vector: array<i32, 512>;
var<workgroup> largest: array<atomic<u32>, 16>;

fn clamp_projection(x: i32) -> i32 {
    return clamp(x, -PROJECTION_LIMIT, PROJECTION_LIMIT);
}

// x * a + y * b, rounded and clamped.
fn rotated(x: i32, a: i32, y: i32, b: i32) -> i32 {
    let sum = add64(mul_i32(x, a), mul_i32(y, b));
    return clamp(saturate_i32(round_shift(sum, 30u)), -ROTATED_LIMIT, ROTATED_LIMIT);
}

// The pair i of a head that starts at `at`, rotated.
fn rotate(at: u32, i: u32, position: u32) -> vec2<i32> {
    let half = params.dim / 2u;
    let angle = angles[(position - params.first_position) * half + i];
    let x = clamp_projection(projected[at + i]);
    let y = clamp_projection(projected[at + half + i]);
    // -y * sin as y negated: |y| ≤ 2^26, so that it cannot overflow.
    return vec2<i32>(rotated(x, angle.x, -y, angle.y), rotated(y, angle.x, x, angle.y));
}

// ⌊(2v + s) / 2s⌋; |v| ≤ 2^27.
fn quantised(v: i32, s: u32) -> u32 {
    let n = 2 * v + i32(s);
    let d = 2 * i32(s);
    let q = n / d;
    return u32(select(q, q - 1, n - q * d < 0)) & 0xffu;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let row = window.rows[group.y];
    let position = row.y;
    let table_row = position - params.first_position; // wraps, and is then not below
    if table_row >= params.positions || row.w != params.slab {
        return;
    }
    let dim = params.dim;
    let half = dim / 2u;
    let unit = group.x;
    let at = ((window.first + group.y) * (params.heads + 2u * params.kv_heads) + unit) * dim;
    if unit < params.heads {
        if params.rotates == 0u {
            return;
        }
        for (var i = thread; i < half; i += THREADS) {
            let pair = rotate(at, i, position);
            projected[at + i] = pair.x;
            projected[at + half + i] = pair.y;
        }
        return;
    }

    let is_key = unit < params.heads + params.kv_heads;
    let head = (unit - params.heads) % params.kv_heads;
    if thread < dim / 32u {
        atomicStore(&largest[thread], 0u);
    }
    if is_key && params.rotates != 0u {
        for (var i = thread; i < half; i += THREADS) {
            let pair = rotate(at, i, position);
            vector[i] = pair.x;
            vector[half + i] = pair.y;
        }
    } else {
        var limit = PROJECTION_LIMIT;
        if is_key {
            limit = ROTATED_LIMIT;
        }
        for (var i = thread; i < dim; i += THREADS) {
            vector[i] = clamp(projected[at + i], -limit, limit);
        }
    }
    workgroupBarrier();
    for (var i = thread; i < dim; i += THREADS) {
        atomicMax(&largest[i / 32u], magnitude(vector[i]));
    }
    workgroupBarrier();

    let start = page_word(row.z + position / PAGE, params.kv_heads, head, dim);
    let offset = position % PAGE;
    if thread < dim / 32u {
        let scales = start + select(17u, 16u, is_key) * dim;
        atomicStore(&cache[scales + thread * PAGE + offset], scale_of(thread));
    }
    if is_key {
        for (var word = thread; word < dim / 4u; word += THREADS) {
            let s = scale_of(word / 8u);
            let quants = quantised(vector[word * 4u], s)
                | (quantised(vector[word * 4u + 1u], s) << 8u)
                | (quantised(vector[word * 4u + 2u], s) << 16u)
                | (quantised(vector[word * 4u + 3u], s) << 24u);
            atomicStore(&cache[start + (word / 4u * PAGE + offset) * 4u + word % 4u], quants);
        }
    } else {
        let shift = offset % 4u * 8u;
        for (var i = thread; i < dim; i += THREADS) {
            let quant = quantised(vector[i], scale_of(i / 32u));
            let word = start + 8u * dim + i * 8u + offset / 4u;
            atomicAnd(&cache[word], ~(0xffu << shift));
            atomicOr(&cache[word], quant << shift);
        }
    }
}

// max(1, ⌈max|v| / 127⌉) of a block.
fn scale_of(block: u32) -> u32 {
    return max(1u, (atomicLoad(&largest[block]) + 126u) / 127u);
}
