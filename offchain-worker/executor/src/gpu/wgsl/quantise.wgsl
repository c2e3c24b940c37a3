// `noema_numerics::blocks::quantise_rows`. Workgroup x is the row.

struct Params {
    // Blocks of a row.
    blocks: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(3) var<storage, read> input: array<vec4<i32>>;

@compute @workgroup_size(ROW_THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let blocks = params.blocks;
    let words = blocks * 8u;
    let row = group.x;
    clear_blocks(thread, blocks);
    workgroupBarrier();
    for (var word = thread; word < words; word += ROW_THREADS) {
        note_word(word, input[row * words + word]);
    }
    let base = widest_shift(thread, blocks);
    for (var word = thread; word < words; word += ROW_THREADS) {
        write_word(row, blocks, word, input[row * words + word], base);
    }
}
