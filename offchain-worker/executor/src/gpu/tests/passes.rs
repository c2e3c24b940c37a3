//! Whole passes against the transformer of the definition.

use super::device;
use crate::{
    gpu::{GpuDevice, GpuExecutor, GpuOptions},
    Executor, Output, Segment, Sequence,
};
use noema_numerics::{
    testing::{Random, TestModel},
    Architecture, Blocks, ForwardPass as _, Scalar, Transformer,
};

/// The definition's results for every position of `tokens`.
struct Reference {
    tokens: Vec<u32>,
    hidden: Blocks,
    logits: Vec<i32>,
}

impl Reference {
    fn new(model: &TestModel, length: usize, seed: u64) -> Self {
        let a = &model.architecture;
        let mut random = Random::new(seed);
        let tokens: Vec<u32> = (0..length)
            .map(|_| random.below(u64::from(a.vocabulary)) as u32)
            .collect();
        let mut transformer = Transformer::new(model.model(), Scalar, a.context_length);
        let (mut hidden, mut logits) = (Blocks::default(), Vec::new());
        transformer
            .forward(0, &tokens, 0..length, &mut hidden)
            .expect("fits");
        transformer.logits(hidden.view(), &mut logits);
        Self {
            tokens,
            hidden,
            logits,
        }
    }

    /// Row `row` of `output` is position `position`.
    fn check(&self, output: &Output, row: usize, position: usize) {
        let vocabulary = self.logits.len() / self.tokens.len();
        let (found, expected) = (output.hidden.view(), self.hidden.view());
        assert_eq!(found.fraction(), expected.fraction());
        assert_eq!(
            found.row(row),
            expected.row(position),
            "hidden at {position}"
        );
        let found = &output.logits[row * vocabulary..][..vocabulary];
        let expected = &self.logits[position * vocabulary..][..vocabulary];
        assert!(found == expected, "logits at {position}");
    }
}

const UNTIED: Architecture = Architecture {
    layers: 3,
    hidden: 96,
    heads: 4,
    kv_heads: 2,
    head_dim: 64,
    feed_forward: 160,
    vocabulary: 131,
    context_length: 150,
    tied_head: false,
    ..TestModel::TINY
};

/// Vectors of more words than a workgroup has threads, and a head of an odd number of blocks.
const WIDE: Architecture = Architecture {
    layers: 1,
    hidden: 1_056,
    heads: 3,
    kv_heads: 3,
    head_dim: 160,
    feed_forward: 1_088,
    vocabulary: 257,
    context_length: 64,
    ..TestModel::TINY
};

fn executor(device: &GpuDevice, model: &TestModel, rows: Option<usize>) -> GpuExecutor {
    let options = GpuOptions {
        rows,
        ..GpuOptions::default()
    };
    GpuExecutor::new(device, &model.model(), options).expect("room")
}

/// Runs the sequences to their ends in passes of random segments, and checks every position.
fn mixture(gpu: &mut GpuExecutor, references: &[Reference], random: &mut Random) {
    let sequences: Vec<Sequence> = references
        .iter()
        .map(|reference| gpu.open(reference.tokens.len()).expect("room"))
        .collect();
    let mut done = vec![0; references.len()];
    let mut output = Output::default();
    while done
        .iter()
        .zip(references)
        .any(|(d, r)| *d < r.tokens.len())
    {
        let mut segments = Vec::new();
        let mut checks = Vec::new();
        for (index, reference) in references.iter().enumerate() {
            // Some continue, some begin a little earlier, some wait.
            let start = done[index] - random.below(3).min(done[index] as u64) as usize;
            let left = reference.tokens.len() - start;
            if left == 0 || random.below(4) == 0 {
                continue;
            }
            let most = [1, 3, 40, 200][random.below(4) as usize];
            let count = 1 + random.below(left.min(most) as u64) as usize;
            let from = random.below(count as u64 + 1) as usize;
            let to = from + random.below((count - from) as u64 + 1) as usize;
            segments.push(Segment {
                sequence: sequences[index],
                start,
                tokens: &reference.tokens[start..start + count],
                wanted: from..to,
            });
            checks.extend((from..to).map(|i| (reference, start + i)));
            done[index] = start + count;
        }
        gpu.run(&segments, &mut output).expect("fits");
        assert_eq!(output.hidden.rows(), checks.len());
        for (row, (reference, position)) in checks.into_iter().enumerate() {
            reference.check(&output, row, position);
        }
    }
    for sequence in sequences {
        gpu.close(sequence);
    }
}

#[test]
fn any_mixture_of_segments_gives_the_bits_of_the_definition() {
    let Some(device) = device() else { return };
    let mut random = Random::new(3);
    let variants = TestModel::VARIANTS.iter().chain(TestModel::MIXTURES);
    let variants = variants
        .chain([&TestModel::GEMMA_EXPERTS])
        .map(|variant| (*variant, 150));
    let plain = [(TestModel::TINY, 150), (UNTIED, 100), (WIDE, 40)];
    for (architecture, length) in plain.into_iter().chain(variants) {
        let model = TestModel::seeded(architecture, 11);
        let references: Vec<Reference> = (0..4)
            .map(|i| Reference::new(&model, length - i * 7, i as u64))
            .collect();
        for rows in [None, Some(7)] {
            let mut gpu = executor(device, &model, rows);
            mixture(&mut gpu, &references, &mut random);
        }
    }
}

#[test]
fn tensors_and_caches_may_be_cut_into_parts() {
    let Some(device) = device() else { return };
    let mut device = device.clone();
    // Room for one row group of the widest matrix at a time, and for few positions in a slab.
    device.gpu = device.gpu.narrow(24 << 10);
    for architecture in [UNTIED, TestModel::SOME_EXPERTS] {
        let model = TestModel::seeded(architecture, 4);
        let references: Vec<Reference> =
            (0..3).map(|i| Reference::new(&model, 20 + i, 40)).collect();
        let mut gpu = executor(&device, &model, Some(8));
        mixture(&mut gpu, &references, &mut Random::new(5));
    }
}

#[test]
fn any_bytes_are_a_model() {
    let Some(device) = device() else { return };
    let mut random = Random::new(17);
    for architecture in [
        TestModel::TINY,
        UNTIED,
        TestModel::EVERY_DIFFERENCE,
        TestModel::GEMMA,
        TestModel::SOME_EXPERTS,
        TestModel::GEMMA_EXPERTS,
    ] {
        for _ in 0..6 {
            let mut model = TestModel::seeded(architecture, 1);
            // Random values, or large ones where they should be small and the other way round.
            let narrow = random.below(8);
            for byte in &mut model.weights {
                *byte = (random.bits() as i8 >> narrow).cast_unsigned();
            }
            for exponent in &mut model.exponents {
                *exponent = (random.bits() as i8) >> random.below(4);
            }
            let reference = Reference::new(&model, 40, 2);
            let mut gpu = executor(device, &model, None);
            mixture(&mut gpu, &[reference], &mut random);
        }
    }
}

#[test]
fn a_prefix_is_copied_within_a_slab_and_between_slabs() {
    let Some(device) = device() else { return };
    let model = TestModel::tiny(8);
    let reference = Reference::new(&model, 120, 1);
    let tokens = &reference.tokens;
    let mut gpu = executor(device, &model, None);
    let mut output = Output::default();
    let from = gpu.open(120).expect("room");
    let everything = [Segment {
        sequence: from,
        start: 0,
        tokens: &tokens[..100],
        wanted: 0..0,
    }];
    gpu.run(&everything, &mut output).expect("fits");
    // The first slab has room for the first sequence, the second for two such.
    let others: Vec<Sequence> = (0..3).map(|_| gpu.open(120).expect("room")).collect();
    for (&to, positions) in others.iter().zip([100, 65, 1]) {
        gpu.copy_prefix(from, to, positions).expect("both are open");
        gpu.copy_prefix(to, others[1], positions)
            .expect("both are open");
        let rest = |sequence| Segment {
            sequence,
            start: positions,
            tokens: &tokens[positions..],
            wanted: 120 - positions - 1..120 - positions,
        };
        gpu.run(&[rest(to)], &mut output).expect("fits");
        reference.check(&output, 0, 119);
        if to != others[1] {
            gpu.run(&[rest(others[1])], &mut output).expect("fits");
            reference.check(&output, 0, 119);
        }
    }
}

#[test]
fn memory_is_given_back() {
    let Some(device) = device() else { return };
    let model = TestModel::tiny(8);
    let mut gpu = executor(device, &model, None);
    let first = gpu.open(100).expect("room");
    let before = gpu.memory();
    let more: Vec<Sequence> = (0..5).map(|_| gpu.open(200).expect("room")).collect();
    assert!(gpu.memory() > before);
    more.into_iter().for_each(|sequence| gpu.close(sequence));
    assert_eq!(gpu.memory(), before);
    gpu.close(first);
}
