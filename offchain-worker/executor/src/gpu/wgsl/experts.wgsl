// `noema_numerics::experts`: the products of one or two stacks of experts. Each position reads the matrices of its own
// experts.
//
// A workgroup computes one row group of one expert for one position; its threads are four quads of rows by LANES
// lanes, which divide the blocks. Workgroups x and z are the row group of the output, y the position.

struct Params {
    // Blocks that an expert reads, and those of a row of the input.
    blocks: u32,
    row_blocks: u32,
    // Whether each place has its own part of the input.
    own_inputs: u32,
    // Row groups of an expert.
    expert_groups: u32,
    // Experts, and those that a position takes.
    count: u32,
    chosen: u32,
    // Stacks: one or two.
    stacks: u32,
    // Row groups that this buffer holds.
    first_group: u32,
    groups: u32,
    // Exponents of the weights of each stack, less the fraction of the input, plus that of the output.
    exponent: i32,
    second_exponent: i32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> mantissas: array<vec4<u32>>;
@group(1) @binding(2) var<storage, read> shifts: array<u32>;
@group(1) @binding(3) var<storage, read> weights: array<vec4<u32>>;
// Of each row the indices of the chosen experts, then their weights.
@group(1) @binding(4) var<storage, read> routes: array<i32>;
// Of each row and stack, a part for each chosen expert.
@group(1) @binding(5) var<storage, read_write> output: array<i32>;

const LANES = 16u;
const THREADS = 64u;

var<workgroup> partial_low: array<vec4<u32>, THREADS>;
var<workgroup> partial_high: array<vec4<u32>, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let output_group = group.z * 65535u + group.x;
    let stack_groups = params.chosen * params.expert_groups;
    let output_groups = params.stacks * stack_groups;
    if output_group >= output_groups {
        return;
    }
    let position = group.y;
    let stack = output_group / stack_groups;
    let place = output_group % stack_groups / params.expert_groups;
    let route = routes[position * 2u * params.chosen + place];
    let expert = u32(clamp(route, 0, i32(params.count) - 1));
    let of_expert = output_group % params.expert_groups;
    let row_group = (stack * params.count + expert) * params.expert_groups + of_expert;
    if row_group < params.first_group || row_group - params.first_group >= params.groups {
        return;
    }

    let input_row = window.first + position;
    let first_block = select(0u, place * params.blocks, params.own_inputs != 0u);
    let inputs = input_row * params.row_blocks + first_block;
    let input_shifts = input_row * (params.row_blocks + 1u);
    let quad = thread % 4u;
    var sums: Sums;
    for (var block = thread / 4u; block < params.blocks; block += LANES) {
        let tile = ((row_group - params.first_group) * params.blocks + block) * TILE_VECTORS;
        let at = tile + quad;
        let from_input = (inputs + block) * 4u;
        var high = vec4<i32>();
        var low = vec4<i32>();
        for (var two = 0u; two < 4u; two += 1u) {
            let a = mantissas[from_input + two];
            let w = weights[at + two * 8u];
            let v = weights[at + two * 8u + 4u];
            high += dot4(w, a.x) + dot4(v, a.z);
            low += dot4(w, a.y) + dot4(v, a.w);
        }
        let shift = shifts[input_shifts + first_block + block];
        accumulate(&sums, high * 256 + low, scales_of(tile, quad), shift);
    }
    partial_low[thread] = sums.low;
    partial_high[thread] = sums.high;
    workgroupBarrier();

    // One thread for each row adds up the lanes: exact in any order.
    if thread < 16u {
        var sum = vec2<u32>(0u, 0u);
        for (var lane = 0u; lane < LANES; lane += 1u) {
            let source = lane * 4u + thread / 4u;
            let four = thread % 4u;
            sum = add64(sum, vec2<u32>(partial_low[source][four], partial_high[source][four]));
        }
        let base = i32(shifts[input_shifts + params.row_blocks]);
        let exponent = select(params.exponent, params.second_exponent, stack == 1u);
        let at = (position * output_groups + output_group) * 16u + thread;
        output[at] = scale_saturate(sum, exponent + base);
    }
}
