//! Speed of a graphics device on a seeded model with the shape of SmolLM2-135M, compared with the speed at
//! which it copies memory: `cargo bench --profile dev -p noema-executor --bench gpu [-- <index>]`.
//!
//! Decoding a token takes at least the time to read every weight once. Results are compared with those of the
//! processor before anything is timed.

use noema_executor::{
    gpu::{adapter, adapters, AdapterChoice, AdapterKind, GpuDevice, GpuOptions},
    CpuKernels, Executor as _, GpuExecutor, Output, Segment, Sequence,
};
use noema_numerics::{
    layout, testing::TestModel, Architecture, Blocks, ForwardPass as _, Transformer,
};
use std::time::{Duration, Instant};

const SHAPE: Architecture = TestModel::SMOLLM2_135M;

/// Median seconds of `work`, after one run to warm up.
fn measure(mut work: impl FnMut()) -> f64 {
    work();
    let mut times = Vec::new();
    let begun = Instant::now();
    while times.is_empty() || begun.elapsed() < Duration::from_secs(1) {
        let start = Instant::now();
        work();
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn tokens(count: u32) -> Vec<u32> {
    (0..count).map(|i| i * 7_919 % SHAPE.vocabulary).collect()
}

/// One segment that requests its last token.
fn segment(sequence: Sequence, start: usize, tokens: &[u32]) -> Segment<'_> {
    Segment {
        sequence,
        start,
        tokens,
        wanted: tokens.len() - 1..tokens.len(),
    }
}

/// The results of a prompt and a token after it equal the processor's.
fn compare(gpu: &mut GpuExecutor, model: &TestModel) {
    let mut cpu = Transformer::new(model.model(), CpuKernels::default(), 64);
    let sequence = gpu.open(64).expect("room");
    let prompt = tokens(20);
    let (mut hidden, mut logits, mut output) = (Blocks::default(), Vec::new(), Output::default());
    for (start, part) in [(0, &prompt[..19]), (19, &prompt[19..])] {
        hidden.clear();
        let last = part.len() - 1..part.len();
        cpu.forward(start, part, last, &mut hidden).expect("fits");
        cpu.logits(hidden.view(), &mut logits);
        gpu.run(&[segment(sequence, start, part)], &mut output)
            .expect("fits");
        assert!(output.hidden == hidden, "hidden vectors differ");
        assert!(output.logits == logits, "logits differ");
    }
    gpu.close(sequence);
    println!("equals the processor's results");
}

fn main() {
    // `cargo test` also runs this target, but without this argument.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    for a in adapters() {
        println!(
            "{}: {} ({}), {}, {}, buffers of {} MiB, bindings of {} MiB{}",
            a.index,
            a.name,
            a.kind,
            a.backend,
            a.driver,
            a.largest_buffer >> 20,
            a.largest_binding >> 20,
            a.unusable.map(|why| format!(", {why}")).unwrap_or_default(),
        );
    }
    let index = std::env::args().find_map(|argument| argument.parse().ok());
    let choice = index.map_or(AdapterChoice::Best { software: true }, AdapterChoice::Index);
    let start = Instant::now();
    let (adapter, device) = match adapter(choice).and_then(|a| Ok((GpuDevice::open(&a)?, a))) {
        Ok((device, adapter)) => (adapter, device),
        Err(error) => return println!("{error}"),
    };
    // A software adapter takes half a minute for the longest prompt.
    let software = adapter.kind == AdapterKind::Software;
    let opened = start.elapsed();
    let model = TestModel::seeded(SHAPE, 1);
    let start = Instant::now();
    let mut gpu =
        GpuExecutor::new(&device, &model.model(), GpuOptions::default()).expect("room for 143 MB");
    println!(
        "{}: opened in {:.2} s, model uploaded in {:.2} s, {} MiB",
        device.name(),
        opened.as_secs_f64(),
        start.elapsed().as_secs_f64(),
        gpu.memory() >> 20
    );
    let bandwidth = device.copy_bandwidth().expect("a device");
    println!("copies {:.1} GB/s", bandwidth / 1e9);
    compare(&mut gpu, &model);

    // All but the rotation table; the head is the embedding.
    let weights = layout::weights_bytes(&SHAPE).expect("a valid shape") as f64;
    let mut output = Output::default();
    let prompt = tokens(256);
    for count in if software {
        &[1, 4][..]
    } else {
        &[1, 2, 4, 8, 32]
    } {
        let count = *count;
        let sequences: Vec<Sequence> = (0..count).map(|_| gpu.open(512).expect("room")).collect();
        let prompts: Vec<_> = sequences
            .iter()
            .map(|&sequence| segment(sequence, 0, &prompt[..128]))
            .collect();
        gpu.run(&prompts, &mut output).expect("fits");
        let step: Vec<_> = sequences
            .iter()
            .map(|&sequence| segment(sequence, 128, &prompt[128..129]))
            .collect();
        let seconds = measure(|| gpu.run(&step, &mut output).expect("fits"));
        println!(
            "decode, {count:>2} sequences {:>10.1} tokens/s  ({:.2} ms a step, weights at {:.1} GB/s, {:.0} % of copying)",
            count as f64 / seconds,
            seconds * 1e3,
            weights / seconds / 1e9,
            100.0 * weights / seconds / bandwidth,
        );
        sequences
            .into_iter()
            .for_each(|sequence| gpu.close(sequence));
    }
    for length in if software {
        &[32, 128][..]
    } else {
        &[32, 256, 1_000]
    } {
        let length = *length;
        let sequence = gpu.open(1_024).expect("room");
        let prompt = tokens(length);
        let prompt = [segment(sequence, 0, &prompt)];
        let seconds = measure(|| gpu.run(&prompt, &mut output).expect("fits"));
        println!(
            "prefill, {length:>4} positions {:>9.1} tokens/s  ({:.1} ms)",
            f64::from(length) / seconds,
            seconds * 1e3
        );
        gpu.close(sequence);
    }
}
