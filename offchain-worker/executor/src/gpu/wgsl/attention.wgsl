// `noema_numerics::attention`: a workgroup attends with one query head (x) of one row (y) of the
// window, in three sweeps over the positions that it sees: scores, powers, mixture of the values.

struct Params {
    heads: u32,
    kv_heads: u32,
    // Elements of a head.
    dim: u32,
    // C of the definition.
    score_scale: u32,
    // The bound slab of caches.
    slab: u32,
    // The last positions that a position sees.
    window: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> projected: array<vec4<i32>>;
@group(1) @binding(2) var<storage, read> cache: array<vec4<u32>>;
@group(1) @binding(3) var<storage, read> powers: array<u32>;
// Logits, then powers of two: each thread reads only what it wrote itself, except for the mixture.
@group(1) @binding(4) var<storage, read_write> scores: array<i32>;
@group(1) @binding(5) var<storage, read_write> output: array<i32>;

const THREADS = 128u;
const QUERY_LIMIT = 1 << 27u;
// Pages that are mixed at a time: eight threads weigh one.
const CHUNKS = 16u;
// Workgroups of 32 threads that divide the pages while mixing.
const LANES = 4u;

// High and low bytes of the query's mantissas, four to a word; then the shift of each block.
var<workgroup> query: array<vec2<u32>, 128>;
var<workgroup> query_bits: array<atomic<u32>, 16>;
var<workgroup> largest: atomic<i32>;
var<workgroup> sum_low: atomic<u32>;
var<workgroup> sum_high: atomic<u32>;
// The largest product of power and value scale, for each block of the values.
var<workgroup> weight_low: array<atomic<u32>, 16>;
var<workgroup> weight_high: array<atomic<u32>, 16>;
var<workgroup> chunk_bits: array<u32, THREADS>;
var<workgroup> chunk_weights: array<vec2<u32>, THREADS>;
var<workgroup> chunk_shifts: array<u32, CHUNKS>;
var<workgroup> partial: array<vec2<u32>, THREADS>;

fn scaled_query(q: i32) -> i32 {
    let clamped = clamp(q, -QUERY_LIMIT, QUERY_LIMIT);
    return saturate_i32(round_shift(mul_i32_u32(clamped, params.score_scale), 27u));
}

fn block_shift(bits: u32) -> u32 {
    return saturating_sub(bit_length(bits), 14u);
}

fn dot16(k: vec4<u32>, at: u32) -> vec2<i32> {
    let a = query[at];
    let b = query[at + 1u];
    let c = query[at + 2u];
    let d = query[at + 3u];
    return vec2<i32>(
        dot4I8Packed(k.x, a.x) + dot4I8Packed(k.y, b.x)
            + dot4I8Packed(k.z, c.x) + dot4I8Packed(k.w, d.x),
        dot4I8Packed(k.x, a.y) + dot4I8Packed(k.y, b.y)
            + dot4I8Packed(k.z, c.y) + dot4I8Packed(k.w, d.y),
    );
}

fn cached_word(word: u32) -> u32 {
    return cache[word / 4u][word % 4u];
}

// z_t - max z, saturating. The exact difference is at most 0; a positive `d` has overflowed.
fn below_largest(z: i32, most: i32) -> i32 {
    let d = i32(u32(z) - u32(most));
    return select(d, i32(0x80000000u), d > 0);
}

// e * s / 2^u, rounded.
fn position_weight(e: i32, s: u32, u: u32) -> i32 {
    return i32(round_shift(mul_u32(u32(e), s), u).x);
}

// `attention::ratio`.
fn ratio(n: I64, exponent: u32, factor: u32, shift: u32) -> i32 {
    let negative = i32(n.y) < 0;
    let size = select(n, negate64(n), negative);
    let x = saturating_sub(bit_length_u64(size), 31u);
    // At most 2^31 in size, so the sign is kept apart.
    let rounded = round_shift(n, x);
    let below = i32(rounded.y) < 0;
    let product = mul_u32(select(rounded, negate64(rounded), below).x, factor);
    return saturate_i32(round_shift(select(product, negate64(product), below), shift - x - exponent));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let row = window.rows[group.y];
    if row.w != params.slab {
        return;
    }
    let dim = params.dim;
    let blocks = dim / 32u;
    let head = group.x;
    let kv_head = head / (params.heads / params.kv_heads);
    let positions = row.y + 1u;
    let unseen = saturating_sub(positions, params.window);
    let pages = (positions + PAGE - 1u) / PAGE;
    let at = window.first + group.y;
    let scores_at = (group.y * params.heads + head) * window.score_stride;

    // The query as blocks.
    if thread < 16u {
        atomicStore(&query_bits[thread], 0u);
        atomicStore(&weight_low[thread], 0u);
        atomicStore(&weight_high[thread], 0u);
    }
    if thread == 0u {
        atomicStore(&largest, i32(0x80000000u));
        atomicStore(&sum_low, 0u);
        atomicStore(&sum_high, 0u);
    }
    workgroupBarrier();
    var scaled = vec4<i32>();
    let words = dim / 4u;
    if thread < words {
        let q = projected[(at * (params.heads + 2u * params.kv_heads) + head) * words + thread];
        scaled = vec4<i32>(
            scaled_query(q.x),
            scaled_query(q.y),
            scaled_query(q.z),
            scaled_query(q.w),
        );
        atomicOr(&query_bits[thread / 8u], bits_of(scaled));
    }
    workgroupBarrier();
    var widest = 0u;
    for (var b = 0u; b < blocks; b += 1u) {
        widest = max(widest, block_shift(atomicLoad(&query_bits[b])));
    }
    let query_base = saturating_sub(widest, 11u);
    if thread < words {
        let shift = max(block_shift(atomicLoad(&query_bits[thread / 8u])), query_base);
        query[thread] = pack_mantissas(mantissas_of(scaled, shift));
    }
    workgroupBarrier();

    // Scores: one position for each thread.
    var most = i32(0x80000000u);
    for (var t = unseen + thread; t < positions; t += THREADS) {
        let page = page_word(row.z + t / PAGE, params.kv_heads, kv_head, dim);
        let offset = t % PAGE;
        var sum = vec2<u32>(0u, 0u);
        for (var b = 0u; b < blocks; b += 1u) {
            let key = page / 4u + b * 2u * PAGE + offset;
            let products = dot16(cache[key], b * 8u) + dot16(cache[key + PAGE], b * 8u + 4u);
            let scale = cached_word(page + 16u * dim + b * PAGE + offset);
            let shift = max(block_shift(atomicLoad(&query_bits[b])), query_base) - query_base;
            let term = mul_i32_u32(products.x * 256 + products.y, scale);
            sum = add64(sum, shl64(term, shift));
        }
        let z = saturate_i32(round_shift(sum, 20u - query_base));
        scores[scores_at + t] = z;
        most = max(most, z);
    }
    atomicMax(&largest, most);
    workgroupBarrier();
    most = atomicLoad(&largest);

    // Powers and their sum.
    var total = vec2<u32>(0u, 0u);
    for (var t = unseen + thread; t < positions; t += THREADS) {
        let e = exp2_power(below_largest(scores[scores_at + t], most));
        scores[scores_at + t] = i32(e);
        total = add64(total, vec2<u32>(e, 0u));
    }
    // Exact in any order: every carry out of the low half is seen by exactly one thread.
    let before = atomicAdd(&sum_low, total.x);
    atomicAdd(&sum_high, total.y + select(0u, 1u, before + total.x < before));

    // The largest weight of a position, for each block of the values: high halves first.
    for (var b = 0u; b < blocks; b += 1u) {
        var heaviest = vec2<u32>(0u, 0u);
        for (var t = unseen + thread; t < positions; t += THREADS) {
            let page = page_word(row.z + t / PAGE, params.kv_heads, kv_head, dim);
            let scale = cached_word(page + 17u * dim + b * PAGE + t % PAGE);
            let weight = mul_u32(u32(scores[scores_at + t]), scale);
            if less_u64(heaviest, weight) {
                heaviest = weight;
            }
        }
        atomicMax(&weight_high[b], heaviest.y);
        workgroupBarrier();
        if heaviest.y == atomicLoad(&weight_high[b]) {
            atomicMax(&weight_low[b], heaviest.x);
        }
    }
    // The mixture reads powers that other threads wrote.
    storageBarrier();
    workgroupBarrier();

    // `Reciprocal::new`.
    let divisor = vec2<u32>(atomicLoad(&sum_low), atomicLoad(&sum_high));
    let k = bit_length_u64(divisor) - 31u;
    let factor = div_u64(vec2<u32>(0u, 1u << 29u), round_shift(divisor, k).x);

    let element = thread % 32u;
    let lane = thread / 32u;
    for (var b = 0u; b < blocks; b += 1u) {
        let heaviest = vec2<u32>(atomicLoad(&weight_low[b]), atomicLoad(&weight_high[b]));
        let u = saturating_sub(bit_length_u64(heaviest), 30u);
        // Weights grow with the values they are rounded from: the largest weight has the widest shift.
        let base = saturating_sub(block_shift(round_shift(heaviest, u).x), 11u);
        var sum = vec2<u32>(0u, 0u);
        for (var first = unseen / PAGE; first < pages; first += CHUNKS) {
            // Eight threads weigh a page, four positions each.
            let page = first + thread / 8u;
            var weights = vec4<i32>();
            if page < pages {
                let start = page_word(row.z + page, params.kv_heads, kv_head, dim);
                let s = cache[(start + 17u * dim + b * PAGE) / 4u + thread % 8u];
                let t = page * PAGE + thread % 8u * 4u;
                let at_power = scores_at + t;
                if t >= unseen && t < positions {
                    weights.x = position_weight(scores[at_power], s.x, u);
                }
                if t + 1u >= unseen && t + 1u < positions {
                    weights.y = position_weight(scores[at_power + 1u], s.y, u);
                }
                if t + 2u >= unseen && t + 2u < positions {
                    weights.z = position_weight(scores[at_power + 2u], s.z, u);
                }
                if t + 3u >= unseen && t + 3u < positions {
                    weights.w = position_weight(scores[at_power + 3u], s.w, u);
                }
            }
            chunk_bits[thread] = bits_of(weights);
            workgroupBarrier();
            var bits = 0u;
            for (var i = 0u; i < 8u; i += 1u) {
                bits |= chunk_bits[thread / 8u * 8u + i];
            }
            let shift = max(block_shift(bits), base);
            chunk_weights[thread] = pack_mantissas(mantissas_of(weights, shift));
            if thread % 8u == 0u {
                chunk_shifts[thread / 8u] = shift - base;
            }
            workgroupBarrier();

            // A thread mixes one element; four divide the pages.
            for (var c = lane; c < CHUNKS && first + c < pages; c += LANES) {
                let start = page_word(row.z + first + c, params.kv_heads, kv_head, dim);
                let value = start / 4u + 2u * dim + (b * 32u + element) * 2u;
                let products = mix16(cache[value], c * 8u) + mix16(cache[value + 1u], c * 8u + 4u);
                let product = products.x * 256 + products.y;
                sum = add64(sum, shl64(sign_extend(product), chunk_shifts[c]));
            }
            workgroupBarrier();
        }
        partial[thread] = sum;
        workgroupBarrier();
        if thread < 32u {
            for (var other = 1u; other < LANES; other += 1u) {
                sum = add64(sum, partial[other * 32u + thread]);
            }
            output[(at * params.heads + head) * dim + b * 32u + thread] =
                ratio(sum, u + base, factor, 61u + k);
        }
        workgroupBarrier();
    }
}

fn mix16(v: vec4<u32>, at: u32) -> vec2<i32> {
    let a = chunk_weights[at];
    let b = chunk_weights[at + 1u];
    let c = chunk_weights[at + 2u];
    let d = chunk_weights[at + 3u];
    return vec2<i32>(
        dot4I8Packed(v.x, a.x) + dot4I8Packed(v.y, b.x)
            + dot4I8Packed(v.z, c.x) + dot4I8Packed(v.w, d.x),
        dot4I8Packed(v.x, a.y) + dot4I8Packed(v.y, b.y)
            + dot4I8Packed(v.z, c.y) + dot4I8Packed(v.w, d.y),
    );
}
