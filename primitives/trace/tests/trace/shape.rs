//! Numbers and places of steps, and the bytes of their evidence.

use crate::support::World;
use noema_numerics::{
    testing::TestModel, Architecture, End, ExpertMixture, LayerPattern, Network, Sampling, Variant,
};
use noema_trace::{
    AnswerExecution, StepKind, StepPlace, TextExecution, TokensOf, TraceError, TraceShape,
    TracedCheckpoint, TracedExecution, MAX_EVIDENCE_BYTES,
};
use sp_core::H256;
use std::collections::BTreeMap;

const SAMPLING: Sampling = Sampling {
    temperature_milli: 800,
    top_k: 40,
    top_p_milli: 950,
};

const SMOLLM2: Architecture = Architecture {
    context_length: 32_768,
    ..TestModel::SMOLLM2_135M
};

/// Qwen 2.5 72B, with the norms of heads of Qwen 3, and norms and gates of Gemma 3.
const QWEN_72B: Architecture = Architecture {
    feed_forward: 29_568,
    vocabulary: 152_064,
    variant: Variant {
        projection_biases: true,
        head_norms: true,
        gelu: true,
        post_norms: true,
        ..Variant::LLAMA
    },
    ..TestModel::LLAMA_70B
};

const fn experts(count: u32, chosen: u32, width: u32) -> Variant {
    Variant {
        head_norms: true,
        experts: Some(ExpertMixture {
            count,
            chosen,
            width,
            renormalised: true,
            layers: LayerPattern::ALL,
        }),
        ..Variant::LLAMA
    }
}

/// Qwen 3 30B-A3B.
const QWEN_30B_A3B: Architecture = Architecture {
    layers: 48,
    hidden: 2_048,
    heads: 32,
    kv_heads: 4,
    head_dim: 128,
    feed_forward: 768,
    vocabulary: 151_936,
    tied_head: false,
    variant: experts(128, 8, 768),
    ..TestModel::LLAMA_1B
};

/// Qwen 3 235B-A22B.
const QWEN_235B_A22B: Architecture = Architecture {
    layers: 94,
    hidden: 4_096,
    heads: 64,
    feed_forward: 1_536,
    variant: experts(128, 8, 1_536),
    ..QWEN_30B_A3B
};

/// Mixtral 8x22B.
const MIXTRAL_8X22B: Architecture = Architecture {
    layers: 56,
    hidden: 6_144,
    heads: 48,
    kv_heads: 8,
    feed_forward: 16_384,
    vocabulary: 32_768,
    variant: experts(8, 2, 16_384),
    ..QWEN_30B_A3B
};

/// The most experts that an architecture can have, and the most that a position can take.
const MOST_EXPERTS: Architecture = Architecture {
    hidden: 8_192,
    feed_forward: 1_024,
    variant: experts(512, 32, 1_024),
    ..QWEN_30B_A3B
};

/// As many, and as narrow as they can be.
const NARROW_EXPERTS: Architecture = Architecture {
    feed_forward: 32,
    variant: experts(512, 32, 32),
    ..MOST_EXPERTS
};

fn of(count: u32) -> TokensOf {
    TokensOf {
        count,
        hash: H256::zero(),
    }
}

fn answer(prompt: u32, answer: u32) -> TracedExecution {
    TracedExecution::Answer(AnswerExecution {
        prompt: of(prompt),
        answer: of(answer),
        end: End::MaxTokens,
        sampling: SAMPLING,
        seed: [0; 32],
        max_tokens: answer,
        hidden_root: H256::zero(),
    })
}

fn text(count: u32) -> TracedExecution {
    TracedExecution::Text(TextExecution {
        tokens: of(count),
        loss: 0,
    })
}

/// Calls `with` with the shape of an execution.
fn shape<T>(
    architecture: &Architecture,
    execution: TracedExecution,
    with: impl FnOnce(&TraceShape<'_>) -> T,
) -> T {
    let network = Network::new(architecture).expect("a network");
    let exponents = vec![-30; network.tensors().len()];
    let checkpoint = TracedCheckpoint {
        architecture,
        exponents: &exponents,
        weights_root: H256::zero(),
        stops: &[],
    };
    with(&TraceShape::new(checkpoint, execution).expect("a shape"))
}

#[test]
fn numbers_count_the_steps_of_all_positions() {
    for architecture in TestModel::VARIANTS.iter().chain(TestModel::MIXTURES) {
        for execution in [answer(67, 5), answer(1, 1), text(70)] {
            shape(architecture, execution, |shape| {
                let mut next = 0;
                for position in 0..shape.positions() {
                    assert_eq!(shape.steps_at(position).start, next);
                    let last = StepPlace {
                        position,
                        operation: 0,
                        stage: 0,
                        piece: 0,
                    };
                    assert_eq!(shape.number(&last), Some(next));
                    for step in shape.steps_at(position) {
                        let place = shape.place(step).expect("a step");
                        assert_eq!(place.position, position);
                        assert_eq!(shape.number(&place), Some(step));
                        assert!(shape.kind(&place).is_some());
                    }
                    next = shape.steps_at(position).end;
                }
                assert_eq!(shape.steps(), next);
                assert_eq!(shape.place(next), None);
                assert_eq!(
                    shape.kind(&shape.place(next - 1).expect("a step")),
                    Some(StepKind::Outcome)
                );
            });
        }
    }
}

#[test]
fn a_step_reads_only_earlier_ones() {
    for architecture in TestModel::VARIANTS.iter().chain(TestModel::MIXTURES) {
        for execution in [answer(67, 3), text(40)] {
            shape(architecture, execution, |shape| {
                for step in 0..shape.steps() {
                    let place = shape.place(step).expect("a step");
                    let needs = shape.needs(&place, Some(0)).expect("its needs");
                    assert!(needs.steps.iter().all(|read| *read < step), "{place:?}");
                    let own = matches!(
                        shape.kind(&place),
                        Some(StepKind::Embedding | StepKind::Tokens)
                    );
                    assert!(own || !needs.steps.is_empty(), "{place:?}");
                }
            });
        }
    }
}

#[test]
fn there_is_no_trace_of_what_cannot_be_executed() {
    let tiny = TestModel::TINY;
    let exponents = vec![0; Network::new(&tiny).expect("a network").tensors().len()];
    let refused = |exponents: &[i8], execution| {
        let checkpoint = TracedCheckpoint {
            architecture: &tiny,
            exponents,
            weights_root: H256::zero(),
            stops: &[],
        };
        TraceShape::new(checkpoint, execution).err()
    };
    assert_eq!(refused(&exponents, answer(250, 6)), None);
    for execution in [
        answer(0, 1),
        answer(1, 0),
        answer(250, 7),
        answer(257, 1),
        text(1),
        text(0),
        text(258),
    ] {
        assert_eq!(refused(&exponents, execution), Some(TraceError::Counts));
    }
    let mut long = World::answer(tiny, 3, 3, SAMPLING).execution;
    if let TracedExecution::Answer(answer) = &mut long {
        answer.max_tokens = 2;
    }
    assert_eq!(refused(&exponents, long), Some(TraceError::Counts));
    let missing = refused(&exponents[1..], answer(1, 1));
    assert!(matches!(missing, Some(TraceError::Exponents { .. })));
    let none = Architecture { layers: 0, ..tiny };
    let checkpoint = TracedCheckpoint {
        architecture: &none,
        exponents: &exponents,
        weights_root: H256::zero(),
        stops: &[],
    };
    let refused = TraceShape::new(checkpoint, answer(1, 1));
    assert!(matches!(refused, Err(TraceError::Architecture(_))));
}

/// Steps of every operation of the first and the last layer, at the ends and in the middle of its pieces.
fn samples(shape: &TraceShape<'_>) -> Vec<u64> {
    let mut found = Vec::new();
    let last = shape.positions() - 1;
    for position in [0, 1, 31, 32, 511, 4_095, 32_045, last / 2, last - 1, last] {
        if position > last {
            continue;
        }
        let mut place = StepPlace {
            position,
            operation: 0,
            stage: 0,
            piece: 0,
        };
        while shape.kind(&place).is_some() {
            while shape.kind(&place).is_some() {
                let here = |piece| shape.number(&StepPlace { piece, ..place });
                let mut pieces = 1u64;
                while here(2 * pieces).is_some() {
                    pieces *= 2;
                }
                let mut piece = pieces;
                while here(piece).is_some() {
                    piece += (pieces / 64).max(1);
                }
                let ends = [0, 1, 2, 7, pieces / 2, pieces - 1, pieces];
                let near = piece.saturating_sub(pieces / 64 + 2)..=piece;
                found.extend(ends.into_iter().chain(near.take(6)).filter_map(here));
                place.stage += 1;
            }
            place.stage = 0;
            place.operation += 1;
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn evidence_of_every_kind_is_small_enough() {
    let mut largest: BTreeMap<StepKind, (usize, usize, usize)> = BTreeMap::new();
    for (name, architecture) in [
        ("135M", &SMOLLM2),
        ("1B", &TestModel::LLAMA_1B),
        ("8B", &TestModel::LLAMA_8B),
        ("70B", &TestModel::LLAMA_70B),
        ("72B", &QWEN_72B),
        ("30B-A3B", &QWEN_30B_A3B),
        ("235B-A22B", &QWEN_235B_A22B),
        ("8x22B", &MIXTRAL_8X22B),
        ("most experts", &MOST_EXPERTS),
        ("narrow experts", &NARROW_EXPERTS),
    ] {
        for execution in [answer(30_000, 2_768), text(32_768)] {
            shape(architecture, execution, |shape| {
                let token = architecture.vocabulary / 2;
                for step in samples(shape) {
                    let place = shape.place(step).expect("a step");
                    let kind = shape.kind(&place).expect("a kind");
                    let selected = match kind {
                        StepKind::Experts => 1,
                        _ => token,
                    };
                    let needs = shape.needs(&place, Some(selected)).expect("its needs");
                    let bytes = needs.evidence_bytes();
                    assert!(
                        bytes <= MAX_EVIDENCE_BYTES,
                        "{name} {kind} at {place:?}: {bytes}"
                    );
                    let output = shape.output_bytes(&place).expect("a step");
                    let most = largest.entry(kind).or_default();
                    *most = (
                        most.0.max(needs.bytes),
                        most.1.max(output),
                        most.2.max(bytes),
                    );
                }
            });
        }
    }
    let kinds: Vec<StepKind> = largest.keys().copied().collect();
    assert_eq!(kinds, StepKind::ALL);
    let computed = largest.iter().map(|(kind, (inputs, output, bytes))| {
        let numbers = [inputs, output, bytes].map(|count| thousands(*count));
        println!("| {kind} | {} |", numbers.join(" | "));
        (kind.name().to_string(), numbers)
    });
    let computed: Vec<_> = computed.collect();
    // The table of the documentation, after its heads.
    let document = include_str!("../../../../docs/referee.md");
    let (_, kinds) = document.split_once("### Kinds").expect("a section");
    let (kinds, _) = kinds.split_once("\n#").expect("another section");
    let rows = kinds.lines().filter_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        match cells[..] {
            ["", kind, _, _, inputs, output, bytes, ""] => Some((
                kind.to_string(),
                [inputs, output, bytes].map(str::to_string),
            )),
            _ => None,
        }
    });
    let documented: Vec<_> = rows.skip(2).collect();
    assert_eq!(documented, computed);
}

/// A number with a comma before each three digits.
fn thousands(number: usize) -> String {
    match number / 1_000 {
        0 => number.to_string(),
        more => format!("{},{:03}", thousands(more), number % 1_000),
    }
}

#[test]
fn few_rows_lead_to_any_step() {
    let count = |architecture, prompt, length| {
        shape(architecture, answer(prompt, length), |shape| {
            (
                shape.steps(),
                shape.rows_shown(9),
                shape.rows_shown(10),
                shape.rows_shown(11),
            )
        })
    };
    for (name, architecture) in [
        ("135M", &SMOLLM2),
        ("1B", &TestModel::LLAMA_1B),
        ("8B", &TestModel::LLAMA_8B),
        ("70B", &TestModel::LLAMA_70B),
    ] {
        for (prompt, length) in [(30, 100), (30, 1_000), (500, 1_000), (31_768, 1_000)] {
            let counted = count(architecture, prompt, length);
            println!("| {name} | {prompt} | {length} | {counted:?} |");
        }
    }
    assert_eq!(count(&SMOLLM2, 30, 100).2, 2);
    assert_eq!(count(&SMOLLM2, 30, 1_000).2, 3);
    assert_eq!(count(&TestModel::LLAMA_8B, 30, 1_000).2, 3);
    assert_eq!(count(&TestModel::LLAMA_70B, 30, 1_000).3, 3);
    assert!(count(&TestModel::LLAMA_70B, 31_768, 1_000).0 < 1 << 48);
}
