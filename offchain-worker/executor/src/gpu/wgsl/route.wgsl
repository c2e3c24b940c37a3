// `noema_numerics::route`. Workgroup x is the row.

struct Params {
    // Experts, and those that a position takes.
    count: u32,
    chosen: u32,
    // Whether the weights add up to 1.
    renormalised: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
// Of each row the indices of the chosen experts, then their weights.
@group(1) @binding(1) var<storage, read_write> output: array<i32>;
@group(1) @binding(2) var<storage, read> input: array<i32>;
@group(1) @binding(3) var<storage, read> powers: array<u32>;

const THREADS = 64u;
const LOG2_E_Q30 = 1549082005u;

// One for each of the at most 512 experts.
var<workgroup> scores: array<i32, 512>;
// Of the at most 32 chosen ones, by rank.
var<workgroup> experts: array<u32, 32>;
var<workgroup> sum_low: atomic<u32>;
var<workgroup> sum_high: atomic<u32>;

// e^(score - largest) in units of 2^-30: the difference is below 2^32, and its exponent below 2^29.
fn power(largest: i32, score: i32) -> u32 {
    let below = u32(largest) - u32(score);
    return exp2_power(-i32(round_shift(mul_u32(below, LOG2_E_Q30), 34u).x));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let count = params.count;
    let chosen = params.chosen;
    let row = group.x;
    if thread == 0u {
        atomicStore(&sum_low, 0u);
        atomicStore(&sum_high, 0u);
    }
    for (var expert = thread; expert < count; expert += THREADS) {
        scores[expert] = input[row * count + expert];
    }
    workgroupBarrier();

    // An expert's rank is the number of those before it: with a larger score, or the same and a lower index.
    for (var expert = thread; expert < count; expert += THREADS) {
        let score = scores[expert];
        var rank = 0u;
        for (var other = 0u; other < count; other += 1u) {
            let is_before = scores[other] > score || (scores[other] == score && other < expert);
            rank += select(0u, 1u, is_before);
        }
        if rank < chosen {
            experts[rank] = expert;
        }
    }
    workgroupBarrier();

    let largest = scores[experts[0]];
    var sum = vec2<u32>(0u, 0u);
    if params.renormalised != 0u {
        for (var place = thread; place < chosen; place += THREADS) {
            sum = add64(sum, vec2<u32>(power(largest, scores[experts[place]]), 0u));
        }
    } else {
        for (var expert = thread; expert < count; expert += THREADS) {
            sum = add64(sum, vec2<u32>(power(largest, scores[expert]), 0u));
        }
    }
    // Exact in any order: every carry out of the low half is seen by exactly one thread.
    let before = atomicAdd(&sum_low, sum.x);
    atomicAdd(&sum_high, sum.y + select(0u, 1u, before + sum.x < before));
    workgroupBarrier();

    let total = vec2<u32>(atomicLoad(&sum_low), atomicLoad(&sum_high));
    let drop = saturating_sub(bit_length_u64(total), 31u);
    let divisor = round_shift(total, drop).x;
    for (var place = thread; place < chosen; place += THREADS) {
        let expert = experts[place];
        let share = div_u64(shl64(vec2<u32>(power(largest, scores[expert]), 0u), 30u), divisor);
        let at = row * 2u * chosen + place;
        output[at] = i32(expert);
        output[at + chosen] = i32(round_shift(vec2<u32>(share, 0u), drop + 6u).x);
    }
}
