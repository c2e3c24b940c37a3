// Exact sums of products of tiles and activations, which the kernels of linear layers share. Their weights are in
// the storage buffer `weights`: tiles of 16 rows by 32 inputs in their stored layout, read as 34 vectors of four words:
// vector `4 * w + r` holds inputs `4 * w ..` of rows `4 * r ..`, vectors 32 and 33 the sixteen scales.

const TILE_VECTORS = 34u;

// Four 64-bit sums, one for each of four rows.
struct Sums {
    low: vec4<u32>,
    high: vec4<u32>,
}

// Products of four rows' words with one word of activations.
fn dot4(w: vec4<u32>, a: u32) -> vec4<i32> {
    return vec4<i32>(
        dot4I8Packed(w.x, a),
        dot4I8Packed(w.y, a),
        dot4I8Packed(w.z, a),
        dot4I8Packed(w.w, a),
    );
}

// Adds `product * (scale << shift)` to each sum. |product| ≤ 2^26, scale < 2^16 and shift ≤ 11, so a shifted
// scale has 27 bits and every partial product below fits 32 bits.
fn accumulate(sums: ptr<function, Sums>, product: vec4<i32>, scales: vec4<u32>, shift: u32) {
    let factor = scales << vec4<u32>(shift);
    let fl = factor & vec4<u32>(0xffffu);
    let fh = factor >> vec4<u32>(16u);
    let pl = vec4<u32>(product) & vec4<u32>(0xffffu);
    let ph = product >> vec4<u32>(16u);
    let low = pl * fl;
    let mid = ph * vec4<i32>(fl) + vec4<i32>(pl * fh);
    let shifted = vec4<u32>(mid) << vec4<u32>(16u);
    let term = low + shifted;
    let upper = vec4<u32>(ph * vec4<i32>(fh) + (mid >> vec4<u32>(16u)))
        + select(vec4<u32>(0u), vec4<u32>(1u), term < low);
    let sum = (*sums).low + term;
    (*sums).high += upper + select(vec4<u32>(0u), vec4<u32>(1u), sum < term);
    (*sums).low = sum;
}

// Scales of rows `4 * quad ..` of the tile that starts at vector `tile`.
fn scales_of(tile: u32, quad: u32) -> vec4<u32> {
    let eight = weights[tile + 32u + quad / 2u];
    let two = select(eight.xy, eight.zw, quad % 2u == 1u);
    return vec4<u32>(two.x & 0xffffu, two.x >> 16u, two.y & 0xffffu, two.y >> 16u);
}
