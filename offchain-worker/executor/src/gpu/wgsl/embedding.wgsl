// `noema_numerics::embedding`. Workgroup y is the row; a thread writes four elements.

struct Params {
    // Blocks of a row.
    blocks: u32,
    // Row groups of the table that this buffer holds.
    first_group: u32,
    groups: u32,
    // Exponent of the weights plus the fraction bits of the residual stream.
    exponent: i32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read_write> output: array<vec4<i32>>;
@group(1) @binding(2) var<storage, read> table: array<u32>;

// Words of a tile: 128 of quants, 8 of scales.
const TILE_WORDS = 136u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let word = group.x * 64u + thread;
    let words = params.blocks * 8u;
    let token = window.rows[group.y].x;
    let at = token / 16u - params.first_group; // wraps, and is then not below
    if word >= words || at >= params.groups {
        return;
    }
    let tile = (at * params.blocks + word / 8u) * TILE_WORDS;
    let row = token % 16u;
    let quants = i32(table[tile + (word % 8u) * 16u + row]);
    let scale = i32((table[tile + 128u + row / 2u] >> (16u * (row % 2u))) & 0xffffu);
    let q = vec4<i32>(quants << 24u, quants << 16u, quants << 8u, quants) >> vec4<u32>(24u);
    let products = q * scale;
    output[group.y * words + word] = vec4<i32>(
        scale_saturate(sign_extend(products.x), params.exponent),
        scale_saturate(sign_extend(products.y), params.exponent),
        scale_saturate(sign_extend(products.z), params.exponent),
        scale_saturate(sign_extend(products.w), params.exponent),
    );
}
