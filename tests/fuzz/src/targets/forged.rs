//! Steps of which all inputs are arbitrary, under roots that prove them: each is executed, or an input is found to be
//! impossible. The claimant chooses its trace, so the referee meets all of this.

use crate::input::Input;
use noema_numerics::{
    testing::TestModel, tile::TILE_BYTES, Architecture, End, ExpertMixture, LayerPattern, Network,
    Sampling, Variant,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf, tokens_hash_of, tokens_node},
    merkle,
};
use noema_trace::{
    leaf, AnswerExecution, EvidenceRefusal, StepEvidence, StepKind, StepPlace, StepSource,
    TextExecution, TokenList, TokensOf, TraceShape, TracedCheckpoint, TracedExecution,
};
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::OnceLock,
};

/// Layers of which each is cut in all ways that there are.
const WIDE: Architecture = Architecture {
    layers: 2,
    hidden: 2_112,
    heads: 8,
    kv_heads: 2,
    head_dim: 64,
    feed_forward: 4_160,
    vocabulary: 5_000,
    context_length: 4_096,
    norm_epsilon_q32: u32::MAX,
    tied_head: true,
    variant: Variant {
        projection_biases: true,
        head_norms: true,
        ..Variant::LLAMA
    },
};

/// The same of a mixture of experts.
const MIXTURE: Architecture = Architecture {
    feed_forward: 2_080,
    variant: Variant {
        experts: Some(ExpertMixture {
            count: 20,
            chosen: 3,
            width: 2_080,
            renormalised: false,
            layers: LayerPattern::ALL,
        }),
        ..Variant::LLAMA
    },
    ..WIDE
};

const ARCHITECTURES: [&Architecture; 3] = [&WIDE, &MIXTURE, &TestModel::GEMMA];
const GIVEN: u32 = 140;
const ANSWER: u32 = 100;

/// Outputs of steps by their numbers.
struct Outputs(BTreeMap<u64, Vec<u8>>);

impl StepSource for Outputs {
    fn output(&self, step: u64) -> Option<&[u8]> {
        self.0.get(&step).map(Vec::as_slice)
    }

    fn tiles(&self, _: Range<u64>) -> Option<&[u8]> {
        None
    }

    fn token(&self, _: TokenList, _: u32) -> Option<u32> {
        None
    }
}

/// What is executed, and all that a forger chooses.
#[derive(Clone, Copy)]
struct Case {
    architecture: usize,
    is_text: bool,
    exponents: i8,
    token: u32,
}

impl Case {
    fn read(input: &mut Input<'_>) -> Self {
        Self {
            architecture: usize::from(input.u8()) % ARCHITECTURES.len(),
            is_text: input.u8() & 1 == 1,
            exponents: input.u8().cast_signed(),
            token: input.u32(),
        }
    }

    fn network(&self) -> Network {
        Network::new(ARCHITECTURES[self.architecture]).expect("a network")
    }

    fn with_shape<T>(
        &self,
        weights_root: H256,
        tokens: H256,
        with: impl FnOnce(&TraceShape<'_>) -> T,
    ) -> T {
        let checkpoint = TracedCheckpoint {
            architecture: ARCHITECTURES[self.architecture],
            exponents: &vec![self.exponents; self.network().tensors().len()],
            weights_root,
            stops: &[3],
        };
        let of = |count| TokensOf {
            count,
            hash: tokens,
        };
        let execution = match self.is_text {
            true => TracedExecution::Text(TextExecution {
                tokens: of(GIVEN),
                loss: 0,
            }),
            false => TracedExecution::Answer(AnswerExecution {
                prompt: of(GIVEN),
                answer: of(ANSWER),
                end: End::StopToken,
                sampling: Sampling {
                    temperature_milli: 800,
                    top_k: 40,
                    top_p_milli: 950,
                },
                seed: [0; 32],
                max_tokens: ANSWER,
                hidden_root: H256::zero(),
            }),
        };
        with(&TraceShape::new(checkpoint, execution).expect("a shape"))
    }

    /// Of the last position, a step of each kind at each end of its stage and in the middle.
    fn steps(&self) -> &'static [u64] {
        static STEPS: OnceLock<BTreeMap<(usize, bool), Vec<u64>>> = OnceLock::new();
        let all = STEPS.get_or_init(|| {
            let architectures = 0..ARCHITECTURES.len();
            let cases = architectures.flat_map(|architecture| {
                [true, false].map(|is_text| Case {
                    architecture,
                    is_text,
                    exponents: 0,
                    token: 0,
                })
            });
            let steps = cases.map(|case| {
                let steps = case.with_shape(H256::zero(), H256::zero(), distinct_steps);
                ((case.architecture, case.is_text), steps)
            });
            steps.collect()
        });
        &all[&(self.architecture, self.is_text)]
    }
}

fn distinct_steps(shape: &TraceShape<'_>) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    let steps = shape.steps_at(shape.positions() - 1).filter(|step| {
        let place = shape.place(*step).expect("a step");
        let next = StepPlace {
            piece: place.piece + 1,
            ..place
        };
        seen.insert((
            shape.kind(&place),
            shape.kind(&next).is_none(),
            place.piece == 0,
        ))
    });
    steps.collect()
}

/// Evidence of arbitrary bytes, with the roots that prove it.
struct Forged {
    evidence: StepEvidence,
    root: H256,
    weights_root: H256,
    tokens: H256,
}

fn forge(case: &Case, shape: &TraceShape<'_>, step: u64, mut fill: impl FnMut() -> u8) -> Forged {
    let place = shape.place(step).expect("a step");
    let needs = shape.needs(&place, None).expect("its needs");
    let outputs = needs.steps.iter().map(|step| {
        let place = shape.place(*step).expect("a step");
        let bytes = shape.output_bytes(&place).expect("a step");
        (*step, (0..bytes).map(|_| fill()).collect())
    });
    let outputs = Outputs(outputs.collect());
    let selected = match shape.kind(&place) {
        Some(StepKind::Experts) => shape.selected(&place, &outputs),
        _ => Some(case.token),
    };
    let needs = shape.needs(&place, selected).expect("its needs");
    let filler = |count: usize| vec![H256::repeat_byte(1); count];
    let tiles = (needs.tiles.end - needs.tiles.start) as usize;
    let mut evidence = StepEvidence {
        outputs: outputs.0.values().flatten().copied().collect(),
        nodes: filler(needs.nodes.len()),
        tokens: Vec::new(),
        token_nodes: filler(needs.token_nodes.len()),
        tiles: (0..tiles * TILE_BYTES).map(|_| fill()).collect(),
        tile_nodes: filler(needs.tile_nodes.len()),
    };
    let shown = outputs.0.iter();
    let shown: Vec<_> = shown
        .map(|(step, output)| (*step, merkle_leaf(&leaf(output))))
        .collect();
    let root = merkle::root_of(shape.steps(), &shown, &evidence.nodes);
    let tiles = evidence.tiles.chunks(TILE_BYTES).map(blake2_256);
    let tiles: Vec<_> = needs.tiles.clone().zip(tiles).collect();
    let weights_root = merkle::root_of(case.network().tiles(), &tiles, &evidence.tile_nodes);
    let tokens = needs.tokens.map(|run| {
        evidence.tokens = vec![case.token; run.tokens.len()];
        let count = match run.list {
            TokenList::Answer => ANSWER,
            TokenList::Given => GIVEN,
        };
        let shown = [(run.leaf, tokens_node(&evidence.tokens))];
        let root = merkle::root_of(count.div_ceil(512).into(), &shown, &evidence.token_nodes);
        tokens_hash_of(count.into(), root.expect("a root"))
    });
    Forged {
        root: root.unwrap_or_default(),
        weights_root: weights_root.unwrap_or_default(),
        tokens: tokens.unwrap_or_default(),
        evidence,
    }
}

pub(super) fn run(bytes: &[u8]) -> String {
    let mut input = Input(bytes);
    let case = Case::read(&mut input);
    let step = *input.choose(case.steps());
    let pattern = match input.rest() {
        [] => &[0],
        rest => rest,
    };
    let mut bytes = pattern.iter().copied().cycle();
    let fill = || bytes.next().unwrap_or(0);
    let zero = H256::zero();
    let forged = case.with_shape(zero, zero, |shape| forge(&case, shape, step, fill));
    case.with_shape(forged.weights_root, forged.tokens, |shape| {
        let kind = shape.place(step).and_then(|place| shape.kind(&place));
        let kind = kind.expect("a step");
        match shape.execute(forged.root, step, &forged.evidence) {
            Ok(_) => format!("{kind}: executed"),
            Err(EvidenceRefusal::ImpossibleInput) => format!("{kind}: impossible"),
            Err(refusal) => panic!("{kind}: {refusal:?}"),
        }
    })
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for architecture in 0..ARCHITECTURES.len() as u8 {
        for is_text in [0, 1] {
            for (exponents, token) in [(i8::MIN, 0), (0, 4_999), (i8::MAX, u32::MAX)] {
                let mut head = vec![architecture, is_text, exponents.cast_unsigned()];
                head.extend(u32::to_le_bytes(token));
                let count = Case::read(&mut Input(&head)).steps().len();
                for byte in [0, 1, 0x7f, 0x80, 0xff] {
                    for step in 0..count as u8 {
                        seeds.push([&head[..], &[step, byte]].concat());
                    }
                }
            }
        }
    }
    seeds
}
