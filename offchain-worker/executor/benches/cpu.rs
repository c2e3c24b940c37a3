//! Speed of the transformer's operators and of a whole step, on a seeded model with the shape of
//! SmolLM2-135M: `cargo bench --profile dev -p noema-executor --bench cpu`.
//!
//! Timed without a benchmark crate: criterion would change the features of crates below burn and
//! have all of that compiled a second time, for every test run.

use noema_executor::CpuKernels;
use noema_numerics::{
    testing::TestModel, Architecture, Blocks, Executor, Kernels, KvCache, Transformer,
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const SHAPE: Architecture = Architecture {
    layers: 30,
    hidden: 576,
    heads: 9,
    kv_heads: 3,
    head_dim: 64,
    feed_forward: 1_536,
    vocabulary: 49_152,
    context_length: 1_024,
    norm_epsilon_q32: 42_950,
    tied_head: true,
};

/// Runs `work` for a second, after one run to warm up, and prints the median as `units` a second.
fn measure(name: &str, units: f64, unit: &str, mut work: impl FnMut()) {
    work();
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.len() < 5 || begun.elapsed() < Duration::from_secs(1) {
        let start = Instant::now();
        work();
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_unstable_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!(
        "{name:<40} {:>12.1} {unit}/s  ({:.3} ms, {} runs)",
        units / median,
        median * 1e3,
        times.len()
    );
}

fn tokens(count: u32) -> Vec<u32> {
    (0..count).map(|i| i * 7_919 % SHAPE.vocabulary).collect()
}

/// One token after a prompt of 128, and a prompt of 256 at once: decoding and checking.
fn steps() {
    let model = TestModel::seeded(SHAPE, 1);
    let mut transformer = Transformer::new(model.model(), CpuKernels::default(), 512);
    let (mut hidden, mut logits) = (Blocks::default(), Vec::new());
    transformer
        .forward(0, &tokens(128), 0..0, &mut hidden)
        .expect("fits");
    measure("decode", 1.0, "tokens", || {
        hidden.clear();
        transformer
            .forward(128, &[5], 0..1, &mut hidden)
            .expect("fits");
        transformer.logits(hidden.view(), &mut logits);
    });
    let prompt = tokens(256);
    measure("prefill", prompt.len() as f64, "tokens", || {
        transformer
            .forward(0, &prompt, 0..0, &mut hidden)
            .expect("fits");
    });
}

/// The operators that take the time, for one position and for many, with each instruction set.
fn operators() {
    let one_layer = Architecture {
        layers: 1,
        vocabulary: 1_024,
        ..SHAPE
    };
    let model = TestModel::seeded(one_layer, 2);
    let model = model.model();
    let gate = model.layer(0).gate;
    let width = SHAPE.attention_width();
    let value = |i: usize| (i as i32).wrapping_mul(0x1e37_79b1) >> 12;
    let mut cache = KvCache::new(&one_layer, 512);
    let stored: Vec<i32> = (0..512 * SHAPE.kv_width()).map(value).collect();
    cache.store(0, 0, &stored, &stored);

    for cpu in CpuKernels::variants() {
        for batch in [1usize, 64] {
            let x: Vec<i32> = (0..batch * width).map(value).collect();
            let blocks = Blocks::quantise(&x, width, 16);
            let mut y = vec![0; batch * gate.rows()];
            let products = (batch * gate.rows() * gate.columns()) as f64;
            let name = format!("{cpu:?} linear, batch {batch}");
            measure(&name, products / 1e9, "G products", || {
                cpu.linear(&gate, black_box(blocks.view()), 20, &mut y);
            });
            let mut mixed = vec![0; batch * width];
            let name = format!("{cpu:?} attention, batch {batch}");
            measure(&name, batch as f64, "positions", || {
                cpu.attention(cache.layer(0), 9, 512 - batch, black_box(&x), &mut mixed);
            });
        }
    }
}

fn main() {
    // Inside the pool, as the engine does: entering it anew for every operator takes time.
    let pool = rayon::ThreadPoolBuilder::new().build().expect("threads");
    pool.install(|| {
        println!("threads: {}", rayon::current_num_threads());
        steps();
        operators();
    });
}
