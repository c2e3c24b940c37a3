//! Speed of the transformer's operators with each instruction set of this machine, and of whole steps with
//! the fastest one, on a seeded model with the shape of SmolLM2-135M: `cargo bench --profile dev -p
//! noema-executor --bench cpu [-- <part of a name>]`.

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use noema_executor::{cpu::LinearOutput, CpuKernels};
use noema_numerics::{
    layout::TensorRole, testing::TestModel, Architecture, Blocks, ForwardPass, Kernels, KvCache,
    Transformer,
};
use std::{hint::black_box, time::Duration};

const SHAPE: Architecture = TestModel::SMOLLM2_135M;

/// Positions in a batch: answering one request, eight together, and reading a prompt.
const BATCHES: [usize; 3] = [1, 8, 128];

fn value(i: usize) -> i32 {
    (i as i32).wrapping_mul(0x1e37_79b1) >> 10
}

fn values(count: usize) -> Vec<i32> {
    (0..count).map(value).collect()
}

fn tokens(count: u32) -> Vec<u32> {
    (0..count).map(|i| i * 7_919 % SHAPE.vocabulary).collect()
}

/// One layer of the model and a small vocabulary.
fn one_layer() -> TestModel {
    TestModel::seeded(
        Architecture {
            layers: 1,
            vocabulary: 1_024,
            ..SHAPE
        },
        2,
    )
}

/// Runs `bench` for each instruction set and batch; an element is a position.
fn each(
    c: &mut Criterion,
    operator: &str,
    mut bench: impl FnMut(&CpuKernels, usize, &mut dyn FnMut(&mut dyn FnMut())),
) {
    let mut group = c.benchmark_group(operator);
    for cpu in CpuKernels::variants() {
        for batch in BATCHES {
            group.throughput(Throughput::Elements(batch as u64));
            let id = BenchmarkId::new(format!("{cpu:?}"), batch);
            group.bench_function(id, |b| bench(&cpu, batch, &mut |work| b.iter(work)));
        }
    }
    group.finish();
}

fn linear(c: &mut Criterion) {
    let model = one_layer();
    let model = model.model();
    let matrix = |role| model.linear(model.index(role, Some(0)));
    let (gate, up, down) = (
        matrix(TensorRole::Gate),
        matrix(TensorRole::Up),
        matrix(TensorRole::Down),
    );
    let (hidden, inner) = (SHAPE.hidden as usize, SHAPE.feed_forward as usize);
    each(c, "linear, gate and up", |cpu, batch, time| {
        let x = Blocks::quantise(&values(batch * hidden), hidden, 16);
        let mut outputs = [vec![0; batch * inner], vec![0; batch * inner]];
        time(&mut || {
            let [first, second] = &mut outputs;
            let mut layers = [(gate, first), (up, second)].map(|(weights, output)| LinearOutput {
                weights,
                fraction: 20,
                output,
            });
            cpu.linears(&mut layers, black_box(x.view()));
        });
    });
    each(c, "linear, down", |cpu, batch, time| {
        let x = Blocks::quantise(&values(batch * inner), inner, 16);
        let mut y = vec![0; batch * hidden];
        time(&mut || cpu.linear(&down, black_box(x.view()), 14, &mut y));
    });
}

fn attention(c: &mut Criterion) {
    let width = SHAPE.attention_width();
    let architecture = Architecture { layers: 1, ..SHAPE };
    let mut cache = KvCache::new(&architecture, 512);
    let stored = values(512 * SHAPE.kv_width());
    cache.store(0, 0, &stored, &stored);
    each(c, "attention, up to position 512", |cpu, batch, time| {
        let (queries, mut mixed) = (values(batch * width), vec![0; batch * width]);
        let heads = SHAPE.heads as usize;
        time(&mut || {
            cpu.attention(
                cache.layer(0),
                heads,
                None,
                512 - batch,
                black_box(&queries),
                &mut mixed,
            );
        });
    });
}

fn rows(c: &mut Criterion) {
    let model = one_layer();
    let model = model.model();
    let (hidden, inner) = (SHAPE.hidden as usize, SHAPE.feed_forward as usize);
    let gains = model.gains(model.index(TensorRole::AttentionNorm, Some(0)));
    let table = model.rope(model.index(TensorRole::Rope, None));
    let mut output = Blocks::default();
    each(c, "norm", |cpu, batch, time| {
        let x = values(batch * hidden);
        time(&mut || cpu.norm(&gains, SHAPE.norm_epsilon_q32, black_box(&x), &mut output));
    });
    each(c, "swiglu", |cpu, batch, time| {
        let gate = values(batch * inner);
        let up: Vec<i32> = gate.iter().rev().copied().collect();
        time(&mut || cpu.swiglu(black_box(&gate), &up, inner, &mut output));
    });
    each(c, "quantise", |cpu, batch, time| {
        let x = values(batch * hidden);
        time(&mut || cpu.quantise(black_box(&x), hidden, 16, &mut output));
    });
    each(c, "rope", |cpu, batch, time| {
        let mut x = values(batch * hidden);
        time(&mut || cpu.rope(&table, 3, hidden, black_box(&mut x)));
    });
}

/// One token after a prompt of 128, and a prompt of 256 at once.
fn steps(c: &mut Criterion) {
    let model = TestModel::seeded(SHAPE, 1);
    let mut transformer = Transformer::new(model.model(), CpuKernels::default(), 512);
    let (mut hidden, mut logits) = (Blocks::default(), Vec::new());
    let mut group = c.benchmark_group("transformer");
    group.throughput(Throughput::Elements(1));
    transformer
        .forward(0, &tokens(128), 0..0, &mut hidden)
        .expect("fits");
    group.bench_function("one token", |b| {
        b.iter(|| {
            hidden.clear();
            transformer
                .forward(128, &[5], 0..1, &mut hidden)
                .expect("fits");
            transformer.logits(hidden.view(), &mut logits);
        });
    });
    let prompt = tokens(256);
    group.throughput(Throughput::Elements(prompt.len() as u64));
    group.bench_function("prompt of 256", |b| {
        b.iter(|| {
            transformer
                .forward(0, &prompt, 0..0, &mut hidden)
                .expect("fits");
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600));
    targets = linear, attention, rows, steps
}
criterion_main!(benches);
