// `noema_numerics::linear`: the shared part of its kernels.

struct Params {
    // Blocks of an input.
    blocks: u32,
    // Rows of the whole matrix: elements of an output vector.
    rows: u32,
    // Row groups that this buffer holds.
    first_group: u32,
    groups: u32,
    // Row groups from which on the second and the third exponent apply: matrices that share their input are
    // one matrix here.
    second: u32,
    third: u32,
    // Exponents of the weights, less the fraction of the input, plus that of the output.
    exponent: i32,
    second_exponent: i32,
    third_exponent: i32,
    // Whether the product is added to the output's old value, saturating.
    add: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> mantissas: array<vec4<u32>>;
@group(1) @binding(2) var<storage, read> shifts: array<u32>;
@group(1) @binding(3) var<storage, read> weights: array<vec4<u32>>;
@group(1) @binding(4) var<storage, read_write> output: array<i32>;

fn exponent_of(row_group: u32) -> i32 {
    var exponent = params.exponent;
    if row_group >= params.second {
        exponent = params.second_exponent;
    }
    if row_group >= params.third {
        exponent = params.third_exponent;
    }
    return exponent;
}

// Rounds the sum of an input vector at a row, and writes or adds it.
fn write_output(position: u32, row: u32, sum: I64) {
    if position >= window.count || row >= params.rows {
        return;
    }
    let base = shifts[(window.first + position) * (params.blocks + 1u) + params.blocks];
    let value = scale_saturate(sum, exponent_of(row / 16u) + i32(base));
    let at = position * params.rows + row;
    if params.add != 0u {
        output[at] = saturating_add(output[at], value);
    } else {
        output[at] = value;
    }
}
