//! Evidence of steps: the true leaf of each, falsified ones, and evidence that is none.

use crate::support::{nodes, World};
use noema_numerics::{
    testing::{Random, TestModel},
    tile::TILE_BYTES,
    Architecture, End, Network, Sampling, Variant,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf, tokens_hash_of, tokens_node},
    merkle,
};
use noema_trace::{
    leaf, AnswerExecution, EvidenceRefusal, StepEvidence, StepJudgement, StepKind, TextExecution,
    TokenList, TokensOf, TraceShape, TracedCheckpoint, TracedExecution,
};
use proptest::prelude::*;
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};

const SAMPLING: Sampling = Sampling {
    temperature_milli: 800,
    top_k: 40,
    top_p_milli: 950,
};

fn root(leaves: &[H256]) -> H256 {
    merkle::root(leaves.iter().map(merkle_leaf))
}

fn worlds() -> [World; 3] {
    let gated = Architecture {
        variant: Variant {
            gelu: true,
            post_norms: true,
            ..Variant::LLAMA
        },
        ..TestModel::TINY
    };
    [
        World::answer(TestModel::TINY, 35, 3, SAMPLING),
        World::answer(TestModel::EVERY_DIFFERENCE, 34, 2, Sampling::GREEDY),
        World::text(gated, 5),
    ]
}

/// Evidence of each step that `wanted` selects by its number and its kind.
fn evidence_of(
    world: &World,
    shape: &TraceShape<'_>,
    leaves: &[H256],
    wanted: impl Fn(u64, StepKind) -> bool,
    mut with: impl FnMut(u64, StepKind, StepEvidence),
) {
    let mut tracer = world.tracer(shape);
    for step in 0..shape.steps() {
        let kind = shape
            .kind(&shape.place(step).expect("a step"))
            .expect("a kind");
        if wanted(step, kind) {
            let mut evidence = tracer.evidence(step).expect("its inputs");
            world.prove(shape, leaves, step, &mut evidence);
            with(step, kind, evidence);
        }
        tracer.advance().expect("a step");
    }
}

#[test]
fn every_step_has_the_leaf_that_its_evidence_yields_and_no_other() {
    let mut seen = BTreeSet::new();
    for world in worlds() {
        let shape = world.shape();
        let leaves = world.leaves(&shape);
        let root = root(&leaves);
        let met = std::cell::RefCell::new(BTreeMap::new());
        let wanted = |_, kind| {
            let mut met = met.borrow_mut();
            let times: &mut u32 = met.entry(kind).or_default();
            *times += 1;
            *times <= 3 || times.is_multiple_of(100)
        };
        evidence_of(&world, &shape, &leaves, wanted, |step, kind, evidence| {
            let claimed = leaves[step as usize];
            let judged = shape.judge(root, step, &evidence, claimed);
            assert_eq!(judged, Ok(StepJudgement::Right), "{kind} {step}");
            let judged = shape.judge(root, step, &evidence, H256::zero());
            assert_eq!(judged, Ok(StepJudgement::Wrong { leaf: claimed }));
            let place = shape.place(step).expect("a step");
            let at = place.position.min(world.given.len() as u32 - 1);
            let token = Some(world.given[at as usize]);
            let needs = shape.needs(&place, token).expect("its needs");
            assert!(codec::Encode::encoded_size(&evidence) <= needs.evidence_bytes() + 64);
            seen.insert(kind);
        });
    }
    assert!(
        StepKind::ALL.iter().all(|kind| seen.contains(kind)),
        "{seen:?}"
    );
}

#[test]
fn a_falsified_output_is_shown_by_one_step() {
    let mut random = Random::new(3);
    for world in worlds() {
        let shape = world.shape();
        let honest = world.leaves(&shape);
        for _ in 0..40 {
            let step = random.below(shape.steps());
            let place = shape.place(step).expect("a step");
            let mut output = vec![0; shape.output_bytes(&place).expect("a step")];
            output.fill_with(|| random.bits() as u8);
            let mut leaves = Vec::new();
            let mut tracer = world.tracer(&shape);
            tracer.replace(step, output);
            // The claimant goes on from what it falsified as far as that can be.
            tracer.leaves(shape.steps(), |_, leaf| leaves.push(leaf));
            leaves.resize(shape.steps() as usize, H256::zero());
            let first = honest
                .iter()
                .zip(&leaves)
                .position(|(own, claimed)| own != claimed);
            let Some(first) = first else { continue };
            assert_eq!(first as u64, step);
            let mut tracer = world.tracer(&shape);
            tracer.leaves(step, |_, _| ());
            let mut evidence = tracer.evidence(step).expect("its inputs");
            world.prove(&shape, &leaves, step, &mut evidence);
            let judged = shape.judge(root(&leaves), step, &evidence, leaves[first]);
            assert_eq!(
                judged,
                Ok(StepJudgement::Wrong {
                    leaf: honest[first]
                })
            );
        }
    }
}

#[test]
fn changed_evidence_is_refused() {
    for world in worlds() {
        let shape = world.shape();
        let leaves = world.leaves(&shape);
        let root = root(&leaves);
        let mut seen = BTreeSet::new();
        let fresh = std::cell::RefCell::new(&mut seen);
        let wanted = |_, kind| fresh.borrow_mut().insert(kind);
        evidence_of(&world, &shape, &leaves, wanted, |step, kind, evidence| {
            let refused = |change: &dyn Fn(&mut StepEvidence)| {
                let mut other = evidence.clone();
                change(&mut other);
                other == evidence || shape.execute(root, step, &other).is_err()
            };
            let flip =
                |bytes: &mut Vec<u8>| bytes.last_mut().into_iter().for_each(|byte| *byte ^= 1);
            assert!(refused(&|e| flip(&mut e.outputs)), "{kind}");
            assert!(refused(&|e| flip(&mut e.tiles)), "{kind}");
            assert!(
                refused(&|e| e.tokens.last_mut().into_iter().for_each(|t| *t ^= 1)),
                "{kind}"
            );
            assert!(refused(&|e| e.outputs.push(0)), "{kind}");
            assert!(refused(&|e| e.tiles.extend([0; TILE_BYTES])), "{kind}");
            assert!(refused(&|e| e.tiles.push(0)), "{kind}");
            assert!(refused(&|e| e.tokens.push(0)), "{kind}");
            let lists: [fn(&mut StepEvidence) -> &mut Vec<H256>; 3] = [
                |evidence| &mut evidence.nodes,
                |evidence| &mut evidence.token_nodes,
                |evidence| &mut evidence.tile_nodes,
            ];
            for list in lists {
                assert!(refused(&|e| list(e).push(H256::zero())), "{kind}");
                assert!(
                    refused(&|e| {
                        list(e).pop();
                    }),
                    "{kind}"
                );
                assert!(refused(&|e| list(e).reverse()), "{kind}");
            }
            assert!(
                shape.execute(H256::zero(), step, &evidence).is_err()
                    || evidence.outputs.is_empty()
            );
            let other = shape.execute(root, step + 1, &evidence);
            assert!(
                other.is_err() || other != Ok(leaves[step as usize]),
                "{kind}"
            );
        });
    }
}

#[test]
fn there_is_no_step_after_the_last() {
    let world = World::text(TestModel::TINY, 3);
    let shape = world.shape();
    let executed = shape.execute(H256::zero(), shape.steps(), &StepEvidence::default());
    assert_eq!(executed, Err(EvidenceRefusal::NoStep));
}

/// Evidence of any bytes for a step, with roots that prove it.
struct Forged {
    evidence: StepEvidence,
    root: H256,
    weights_root: H256,
    tokens: H256,
}

fn forge(shape: &TraceShape<'_>, step: u64, token: u32, fill: &mut impl FnMut() -> u8) -> Forged {
    let place = shape.place(step).expect("a step");
    let needs = shape.needs(&place, Some(token)).expect("its needs");
    let mut bytes = |count: usize| -> Vec<u8> { (0..count).map(|_| fill()).collect() };
    let mut evidence = StepEvidence {
        outputs: bytes(needs.bytes),
        tiles: bytes((needs.tiles.end - needs.tiles.start) as usize * TILE_BYTES),
        ..StepEvidence::default()
    };
    let filler = |count: usize| vec![H256::repeat_byte(1); count];
    evidence.nodes = filler(needs.nodes.len());
    evidence.token_nodes = filler(needs.token_nodes.len());
    evidence.tile_nodes = filler(needs.tile_nodes.len());
    let mut rest = evidence.outputs.as_slice();
    let outputs = needs.steps.iter().map(|step| {
        let place = shape.place(*step).expect("a step");
        let (output, others) = rest.split_at(shape.output_bytes(&place).expect("a step"));
        rest = others;
        (*step, merkle_leaf(&leaf(output)))
    });
    let outputs: Vec<_> = outputs.collect();
    let root = merkle::root_of(shape.steps(), &outputs, &evidence.nodes);
    let tiles = evidence.tiles.chunks(TILE_BYTES).map(blake2_256);
    let tiles: Vec<_> = needs.tiles.clone().zip(tiles).collect();
    let width = Network::new(&ARCHITECTURE).expect("a network").tiles();
    let weights_root = merkle::root_of(width, &tiles, &evidence.tile_nodes);
    let tokens = needs.tokens.map(|run| {
        evidence.tokens = vec![token; run.tokens.len()];
        let shown = [(run.leaf, tokens_node(&evidence.tokens))];
        let count = if run.list == TokenList::Answer {
            ANSWER
        } else {
            GIVEN
        };
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

/// A shape with all that a step can meet.
const ARCHITECTURE: Architecture = Architecture {
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
const GIVEN: u32 = 700;
const ANSWER: u32 = 600;

fn forged_shape<T>(
    exponents: i8,
    is_text: bool,
    roots: (H256, H256),
    with: impl FnOnce(&TraceShape<'_>) -> T,
) -> T {
    let count = Network::new(&ARCHITECTURE)
        .expect("a network")
        .tensors()
        .len();
    let checkpoint = TracedCheckpoint {
        architecture: &ARCHITECTURE,
        exponents: &vec![exponents; count],
        weights_root: roots.0,
        stops: &[3],
    };
    let tokens = |count| TokensOf {
        count,
        hash: roots.1,
    };
    let execution = match is_text {
        true => TracedExecution::Text(TextExecution {
            tokens: tokens(GIVEN),
            loss: 0,
        }),
        false => TracedExecution::Answer(AnswerExecution {
            prompt: tokens(GIVEN),
            answer: tokens(ANSWER),
            end: End::StopToken,
            sampling: SAMPLING,
            seed: [0; 32],
            max_tokens: ANSWER,
            hidden_root: H256::zero(),
        }),
    };
    with(&TraceShape::new(checkpoint, execution).expect("a shape"))
}

/// The first step of each kind from a place on.
fn steps_of_kinds(shape: &TraceShape<'_>, from: u64) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    let ends = [0, 1_u64, 40].map(|back| shape.steps() - 1 - back.min(shape.steps() - 1));
    let last = shape.steps_at(shape.positions() - 1);
    let steps = (0..last.end - last.start)
        .map(|offset| last.start + (from + offset) % (last.end - last.start));
    let steps = steps.chain(ends).filter(|step| {
        let place = shape.place(*step).expect("a step");
        let last_of_stage = shape
            .kind(&noema_trace::StepPlace {
                piece: place.piece + 1,
                ..place
            })
            .is_none();
        seen.insert((shape.kind(&place), last_of_stage, place.piece == 0))
    });
    steps.collect()
}

fn executes_any(exponents: i8, is_text: bool, token: u32, from: u64, mut fill: impl FnMut() -> u8) {
    let zero = (H256::zero(), H256::zero());
    let steps = forged_shape(exponents, is_text, zero, |shape| {
        steps_of_kinds(shape, from)
    });
    for step in steps {
        let forged = forged_shape(exponents, is_text, zero, |shape| {
            forge(shape, step, token, &mut fill)
        });
        let roots = (forged.weights_root, forged.tokens);
        forged_shape(exponents, is_text, roots, |shape| {
            let executed = shape.execute(forged.root, step, &forged.evidence);
            let kind = shape.place(step).and_then(|place| shape.kind(&place));
            let fits = matches!(executed, Ok(_) | Err(EvidenceRefusal::ImpossibleInput));
            assert!(fits, "{kind:?}: {executed:?}");
        });
    }
}

#[test]
fn extreme_inputs_are_executed_or_refused() {
    for byte in [0, 1, 0x7f, 0x80, 0xff] {
        for (exponents, token) in [(i8::MIN, 0), (0, 4_999), (i8::MAX, u32::MAX)] {
            executes_any(exponents, false, token, 0, || byte);
            executes_any(exponents, true, token, 0, || byte);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_inputs_are_executed_or_refused(
        seed in any::<u64>(),
        (exponents, is_text, token) in (any::<i8>(), any::<bool>(), 0..6_000u32),
        sparse in 0..5u8,
    ) {
        let mut random = Random::new(seed);
        let from = random.below(1 << 20);
        executes_any(exponents, is_text, token, from, || {
            // Mostly small numbers, or any.
            match random.below(8) < u64::from(sparse) {
                true => 0,
                false => random.bits() as u8,
            }
        });
    }

    #[test]
    fn any_evidence_is_refused_or_yields_the_leaf(
        step in 0..4_000u64,
        outputs in prop::collection::vec(any::<u8>(), 0..300),
        tokens in prop::collection::vec(any::<u32>(), 0..5),
        counts in (0..4usize, 0..4usize, 0..4usize),
    ) {
        let world = World::text(TestModel::TINY, 4);
        let shape = world.shape();
        let filler = |count: usize| vec![H256::zero(); count];
        let evidence = StepEvidence {
            tiles: outputs.clone(),
            outputs,
            nodes: filler(counts.0),
            tokens,
            token_nodes: filler(counts.1),
            tile_nodes: filler(counts.2),
        };
        prop_assert!(shape.execute(H256::zero(), step, &evidence).is_err());
    }
}

/// A part of the tree is computed from the leaves of its steps alone, and a row of nodes is that of the tree.
#[test]
fn a_part_of_the_tree_follows_from_its_steps() {
    let world = World::answer(TestModel::TINY, 3, 3, SAMPLING);
    let shape = world.shape();
    let leaves = world.leaves(&shape);
    let row = 6;
    let width = merkle::row_width(shape.steps(), row);
    let places: Vec<_> = (0..width)
        .map(|index| merkle::Place { row, index })
        .collect();
    let whole = nodes(leaves.iter().map(merkle_leaf), &places);
    assert_eq!(merkle::root(whole.iter().copied()), root(&leaves));
    for place in places {
        let first = place.index << row;
        let mut part = merkle::Collector::new(shape.steps(), first, &[place]);
        let mut tracer = world.tracer(&shape);
        assert!(tracer.leaves(first, |_, _| ()));
        let end = (first + (1 << row)).min(shape.steps());
        assert!(tracer.leaves(end, |_, leaf| part.push(merkle_leaf(&leaf))));
        assert_eq!(part.finish(), Some(vec![whole[place.index as usize]]));
    }
}
