// The rows of a dispatch: a part of a pass, chosen by a dynamic offset. A uniform buffer, so that compilers
// can prove that values derived from it are the same for a whole workgroup.

struct Window {
    // Rows of this window.
    count: u32,
    // Index of its first row among the rows of the input.
    first: u32,
    // Elements of the scores' buffer between one head and the next.
    score_stride: u32,
    reserved: u32,
    // Of a chunk: token, position, first page of the cache, slab of the cache.
    // Of a gathering norm: x is the row to read.
    rows: array<vec4<u32>, 512>,
}

@group(0) @binding(0) var<uniform> window: Window;
