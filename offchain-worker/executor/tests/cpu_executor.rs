//! Several sequences in one pass have the same bits as each alone.

mod support;

use noema_executor::{Executor, ExecutorError, Output, Segment, Sequence};
use noema_numerics::{
    testing::{Random, TestModel},
    Architecture, Blocks, ForwardError, ForwardPass as _, KvCache, Scalar, Transformer,
};
use proptest::prelude::*;
use std::sync::Arc;
use support::{cpu, lend, tokens};

const PLENTY: u64 = 1 << 30;
const PASSES: usize = 12;

/// Hidden vectors and logits of every position, by the definition.
fn alone(source: &TestModel, tokens: &[u32]) -> (Blocks, Vec<i32>) {
    let mut transformer = Transformer::new(source.model(), Scalar, u32::MAX);
    let (mut hidden, mut logits) = (Blocks::default(), Vec::new());
    transformer
        .forward(0, tokens, 0..tokens.len(), &mut hidden)
        .expect("fits");
    transformer.logits(hidden.view(), &mut logits);
    (hidden, logits)
}

struct Reader {
    sequence: Sequence,
    tokens: Vec<u32>,
    expected: (Blocks, Vec<i32>),
    cached: usize,
}

/// Passes of random mixtures; some positions are executed again, some copied from the first sequence.
fn mix(source: &Arc<TestModel>, seed: u64, lengths: &[usize]) {
    let mut random = Random::new(seed);
    let vocabulary = source.architecture.vocabulary;
    let mut executor = cpu(source, PLENTY);
    let common: Vec<u32> = tokens(seed, 40).iter().map(|t| t % vocabulary).collect();
    let mut readers: Vec<Reader> = lengths
        .iter()
        .enumerate()
        .map(|(index, &length)| {
            let own = tokens(seed ^ index as u64, length);
            let tokens: Vec<u32> = common
                .iter()
                .copied()
                .chain(own.into_iter().map(|t| t % vocabulary))
                .collect();
            Reader {
                sequence: executor.open(tokens.len()).expect("fits"),
                expected: alone(source, &tokens),
                tokens,
                cached: 0,
            }
        })
        .collect();
    let mut output = Output::default();
    for _ in 0..PASSES {
        if readers.len() > 1 && readers[0].cached >= 40 && random.below(3) == 0 {
            let to = 1 + random.below(readers.len() as u64 - 1) as usize;
            let positions = random.below(41) as usize;
            executor
                .copy_prefix(readers[0].sequence, readers[to].sequence, positions)
                .expect("is cached");
            readers[to].cached = positions;
        }
        let mut segments = Vec::new();
        let mut expected = (Blocks::default(), Vec::new());
        let mut cached = Vec::new();
        for (index, reader) in readers.iter().enumerate() {
            if random.below(3) == 0 {
                continue;
            }
            let start = match random.below(4) {
                0 => random.below(reader.cached as u64 + 1) as usize,
                _ => reader.cached,
            };
            let left = reader.tokens.len() - start;
            let count = match random.below(3) {
                0 => left.min(1),
                _ => random.below(left as u64 + 1) as usize,
            };
            let from = random.below(count as u64 + 1) as usize;
            let to = from + random.below((count - from) as u64 + 1) as usize;
            let rows = start + from..start + to;
            if !rows.is_empty() {
                let width = vocabulary as usize;
                expected
                    .0
                    .append(reader.expected.0.view().slice(rows.clone()));
                expected
                    .1
                    .extend(&reader.expected.1[rows.start * width..rows.end * width]);
            }
            segments.push(Segment {
                sequence: reader.sequence,
                start,
                tokens: &reader.tokens[start..start + count],
                wanted: from..to,
            });
            cached.push((index, start + count));
        }
        executor.run(&segments, &mut output).expect("runs");
        assert_eq!(output.hidden.rows(), expected.0.rows());
        if expected.0.rows() > 0 {
            assert_eq!(output.hidden, expected.0);
        }
        assert_eq!(output.logits, expected.1);
        for (index, cached) in cached {
            readers[index].cached = cached;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_mixture_has_the_bits_of_each_alone(
        seed: u64,
        lengths in prop::collection::vec(0usize..150, 1..7),
    ) {
        mix(&lend(seed), seed, &lengths);
    }
}

#[test]
fn every_variant_mixes_alike() {
    let variants = TestModel::VARIANTS.iter().chain(TestModel::MIXTURES);
    for architecture in variants.chain([&TestModel::GEMMA_EXPERTS]) {
        let source = Arc::new(TestModel::seeded(*architecture, 5));
        mix(&source, 5, &[150, 1, 60, 30]);
    }
}

#[test]
fn an_untied_head_and_wider_heads_mix_alike() {
    let architecture = Architecture {
        heads: 4,
        kv_heads: 2,
        head_dim: 64,
        vocabulary: 121,
        tied_head: false,
        ..TestModel::TINY
    };
    let source = Arc::new(TestModel::seeded(architecture, 7));
    mix(&source, 3, &[150, 1, 60, 30]);
}

fn segment(sequence: Sequence, start: usize, tokens: &[u32]) -> Segment<'_> {
    Segment {
        sequence,
        start,
        tokens,
        wanted: 0..tokens.len(),
    }
}

#[test]
fn a_refused_segment_leaves_the_others_as_they_were() {
    let mut executor = cpu(&lend(1), PLENTY);
    let (one, other) = (
        executor.open(40).expect("fits"),
        executor.open(40).expect("fits"),
    );
    let mut output = Output::default();
    executor
        .run(&[segment(one, 0, &[1; 10])], &mut output)
        .expect("runs");
    let fine = [2; 5];
    let mut refused = |bad: Segment<'_>| {
        let error = executor
            .run(&[segment(one, 4, &fine), bad], &mut output)
            .expect_err("is refused");
        assert!(error.to_string().len() > 20);
        // All ten positions are still there.
        executor
            .run(&[segment(one, 10, &[1])], &mut output)
            .expect("runs");
        error
    };
    let wanted = |wanted| Segment {
        sequence: other,
        start: 0,
        tokens: &[1],
        wanted,
    };
    assert_eq!(
        refused(segment(other, 0, &[5, 128])),
        ForwardError::TokenOutOfRange {
            index: 1,
            token: 128,
            vocabulary: 128
        }
        .into()
    );
    assert_eq!(
        refused(segment(other, 0, &[1; 41])),
        ForwardError::ContextFull {
            needed: 41,
            capacity: 40
        }
        .into()
    );
    assert_eq!(
        refused(segment(other, usize::MAX, &[1])),
        ForwardError::PositionNotCached {
            start: usize::MAX,
            cached: 0
        }
        .into()
    );
    assert_eq!(
        refused(wanted(0..2)),
        ForwardError::WantedOutOfRange {
            start: 0,
            end: 2,
            tokens: 1
        }
        .into()
    );
    assert_eq!(refused(segment(one, 0, &[1])), ExecutorError::Sequence);
    let third = {
        let mut elsewhere = cpu(&lend(1), PLENTY);
        (0..3).map(|_| elsewhere.open(1).expect("fits")).last()
    };
    let third = third.expect("three sequences");
    assert_eq!(refused(segment(third, 0, &[1])), ExecutorError::Sequence);
}

#[test]
fn caches_stay_within_the_memory_they_are_given() {
    let source = lend(1);
    let bytes = KvCache::bytes(&source.architecture, 64);
    let mut executor = cpu(&source, 2 * bytes);
    let first = executor.open(64).expect("fits");
    executor.open(33).expect("takes whole blocks of positions");
    let Err(ExecutorError::OutOfMemory {
        needed, available, ..
    }) = executor.open(1)
    else {
        panic!("there is no room");
    };
    assert!(needed > 0 && available == 0);
    executor.close(first);
    executor.close(first);
    executor.open(64).expect("fits again");
}

#[test]
fn a_cache_is_as_large_as_it_says() {
    let architecture = TestModel::TINY;
    // 2 layers, 1 head of 32: keys and values of 32 bytes and a scale of 4.
    assert_eq!(KvCache::bytes(&architecture, 32), 32 * 2 * 2 * 36);
    assert_eq!(
        KvCache::bytes(&architecture, 33),
        2 * KvCache::bytes(&architecture, 32)
    );
    assert_eq!(
        KvCache::bytes(&architecture, u32::MAX),
        KvCache::bytes(&architecture, 256)
    );
}

#[test]
fn a_prefix_is_copied_only_where_it_is_and_fits() {
    let mut executor = cpu(&lend(1), PLENTY);
    let (from, to) = (
        executor.open(40).expect("fits"),
        executor.open(8).expect("fits"),
    );
    let mut output = Output::default();
    executor
        .run(&[segment(from, 0, &[1; 10])], &mut output)
        .expect("runs");
    assert_eq!(
        executor.copy_prefix(from, to, 11),
        Err(ForwardError::PositionNotCached {
            start: 11,
            cached: 10
        }
        .into())
    );
    assert_eq!(
        executor.copy_prefix(from, to, 9),
        Err(ForwardError::ContextFull {
            needed: 9,
            capacity: 8
        }
        .into())
    );
    assert_eq!(executor.copy_prefix(from, from, 10), Ok(()));
    executor.close(from);
    assert_eq!(
        executor.copy_prefix(from, to, 1),
        Err(ExecutorError::Sequence)
    );
}
