// `noema_numerics::blocks`: one workgroup of ROW_THREADS threads quantises one vector.
//
// A vector is written as one pair of words for each four mantissas, `a = 256 * high + low` with high and low
// in signed bytes, so that a four-way byte product takes each; and as one word for each block, the shift less
// the vector's base, with the base itself after the last. When it is read back, the shift is the sum of both.
//
// Each thread passes its words to `note_word`, then all call `widest_shift`, then each writes the same words
// with `write_word`.

const ROW_THREADS = 256u;
const MANTISSA_BITS = 14u;
const SHIFT_SPAN = 11u;

@group(1) @binding(1) var<storage, read_write> mantissas: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> shifts: array<u32>;

// One for each of the at most 1,024 blocks of a vector.
var<workgroup> block_bits: array<atomic<u32>, 1024>;
var<workgroup> widest: atomic<u32>;

// Before anything else; a barrier must follow.
fn clear_blocks(thread: u32, blocks: u32) {
    for (var block = thread; block < blocks; block += ROW_THREADS) {
        atomicStore(&block_bits[block], 0u);
    }
    if thread == 0u {
        atomicStore(&widest, 0u);
    }
}

fn note_word(word: u32, v: vec4<i32>) {
    atomicOr(&block_bits[word / 8u], bits_of(v));
}

// The base of the vector, `max(0, widest shift - 11)`, which is also its smallest shift allowed.
fn widest_shift(thread: u32, blocks: u32) -> u32 {
    workgroupBarrier();
    for (var block = thread; block < blocks; block += ROW_THREADS) {
        atomicMax(&widest, block_shift(block));
    }
    workgroupBarrier();
    return saturating_sub(atomicLoad(&widest), SHIFT_SPAN);
}

fn block_shift(block: u32) -> u32 {
    return saturating_sub(bit_length(atomicLoad(&block_bits[block])), MANTISSA_BITS);
}

fn write_word(row: u32, blocks: u32, word: u32, v: vec4<i32>, base: u32) {
    let block = word / 8u;
    let shift = max(block_shift(block), base);
    mantissas[row * blocks * 8u + word] = pack_mantissas(mantissas_of(v, shift));
    if word % 8u == 0u {
        shifts[row * (blocks + 1u) + block] = shift - base;
    }
    if word == 0u {
        shifts[row * (blocks + 1u) + blocks] = base;
    }
}
