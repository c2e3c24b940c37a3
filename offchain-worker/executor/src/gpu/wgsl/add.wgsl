// Saturating addition of one vector to another: four elements (x) of one row (y) a thread, in place.

struct Params {
    // Words of four elements of a row.
    words: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read_write> values: array<vec4<i32>>;
@group(1) @binding(2) var<storage, read> deltas: array<vec4<i32>>;

const THREADS = 64u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let word = group.x * THREADS + thread;
    if word >= params.words {
        return;
    }
    let at = (window.first + group.y) * params.words + word;
    let x = values[at];
    let d = deltas[at];
    values[at] = vec4<i32>(
        saturating_add(x.x, d.x),
        saturating_add(x.y, d.y),
        saturating_add(x.z, d.z),
        saturating_add(x.w, d.w),
    );
}
