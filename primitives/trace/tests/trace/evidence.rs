//! Evidence of steps: the true leaf of each, falsified ones, and evidence that is none.

use crate::support::{nodes, World};
use noema_numerics::{
    testing::{Random, TestModel},
    tile::TILE_BYTES,
    Architecture, Sampling, Variant,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf},
    merkle,
};
use noema_trace::{leaf, EvidenceRefusal, StepEvidence, StepJudgement, StepKind, TraceShape};
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

fn worlds() -> [World; 5] {
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
        World::answer(TestModel::EXPERTS, 4, 3, SAMPLING),
        World::text(TestModel::SOME_EXPERTS, 5),
    ]
}

/// Evidence of each step that `wanted` selects by its number and its kind.
fn evidence_of(
    world: &World,
    shape: &TraceShape<'_>,
    leaves: &[H256],
    wanted: impl Fn(u64, StepKind) -> bool,
    mut with: impl FnMut(u64, StepKind, StepEvidence, Option<u32>),
) {
    let mut tracer = world.tracer(shape);
    for step in 0..shape.steps() {
        let kind = shape
            .kind(&shape.place(step).expect("a step"))
            .expect("a kind");
        if wanted(step, kind) {
            let selected = shape.selected(&shape.place(step).expect("a step"), &tracer);
            let evidence = world.evidence(shape, leaves, step, &tracer);
            with(step, kind, evidence, selected);
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
        evidence_of(
            &world,
            &shape,
            &leaves,
            wanted,
            |step, kind, evidence, selected| {
                let claimed = leaves[step as usize];
                let judged = shape.judge(root, step, &evidence, claimed);
                assert_eq!(judged, Ok(StepJudgement::Right), "{kind} {step}");
                let judged = shape.judge(root, step, &evidence, H256::zero());
                assert_eq!(judged, Ok(StepJudgement::Wrong { leaf: claimed }));
                let place = shape.place(step).expect("a step");
                let needs = shape.needs(&place, selected).expect("its needs");
                assert!(codec::Encode::encoded_size(&evidence) <= needs.evidence_bytes() + 64);
                seen.insert(kind);
            },
        );
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
            let evidence = world.evidence(&shape, &leaves, step, &tracer);
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

/// Of every kind that only a mixture has: each number of the output falsified alone.
#[test]
fn every_falsified_number_of_a_mixture_is_shown() {
    let mut seen = BTreeSet::new();
    for world in [
        World::answer(TestModel::EXPERTS, 3, 2, SAMPLING),
        World::text(TestModel::SOME_EXPERTS, 3),
    ] {
        let shape = world.shape();
        let honest = world.leaves(&shape);
        let kinds = [StepKind::Route, StepKind::Experts, StepKind::MixExperts];
        let wanted = |step: u64, kind| kinds.contains(&kind) && step.is_multiple_of(3);
        let mut steps = Vec::new();
        evidence_of(&world, &shape, &honest, wanted, |step, kind, _, _| {
            seen.insert(kind);
            steps.push(step);
        });
        for step in steps {
            let mut tracer = world.tracer(&shape);
            tracer.leaves(step, |_, _| ());
            let output = match tracer.advance() {
                Some((_, output)) => output.to_vec(),
                None => panic!("step {step} cannot be computed"),
            };
            for number in 0..output.len() / 4 {
                let mut output = output.clone();
                output[number * 4] ^= 1;
                let mut leaves = honest.clone();
                leaves[step as usize] = leaf(&output);
                let evidence = world.evidence(&shape, &leaves, step, &tracer);
                let judged = shape.judge(root(&leaves), step, &evidence, leaves[step as usize]);
                let leaf = honest[step as usize];
                assert_eq!(judged, Ok(StepJudgement::Wrong { leaf }));
            }
        }
    }
    assert_eq!(seen.len(), 3);
}

/// The tiles of an expert are those of the one in the routes: evidence with the tiles of another is refused.
#[test]
fn tiles_of_another_expert_are_refused() {
    let world = World::answer(TestModel::EXPERTS, 3, 1, Sampling::GREEDY);
    let shape = world.shape();
    let leaves = world.leaves(&shape);
    let mut count = 0;
    let wanted = |_, kind| kind == StepKind::Experts;
    evidence_of(
        &world,
        &shape,
        &leaves,
        wanted,
        |step, _, evidence, selected| {
            let place = shape.place(step).expect("a step");
            for expert in (0..8).filter(|expert| Some(*expert) != selected) {
                let needs = shape.needs(&place, Some(expert)).expect("an expert");
                let bytes =
                    needs.tiles.start as usize * TILE_BYTES..needs.tiles.end as usize * TILE_BYTES;
                let hashes = world.model.weights.chunks(TILE_BYTES).map(blake2_256);
                let other = StepEvidence {
                    tiles: world.model.weights[bytes].to_vec(),
                    tile_nodes: nodes(hashes, &needs.tile_nodes),
                    ..evidence.clone()
                };
                let executed = shape.execute(root(&leaves), step, &other);
                assert_eq!(executed, Err(EvidenceRefusal::Tiles));
                count += 1;
            }
            assert_eq!(shape.needs(&place, Some(8)), None);
        },
    );
    assert!(count > 100);
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
        evidence_of(
            &world,
            &shape,
            &leaves,
            wanted,
            |step, kind, evidence, _| {
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
            },
        );
    }
}

#[test]
fn there_is_no_step_after_the_last() {
    let world = World::text(TestModel::TINY, 3);
    let shape = world.shape();
    let executed = shape.execute(H256::zero(), shape.steps(), &StepEvidence::default());
    assert_eq!(executed, Err(EvidenceRefusal::NoStep));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

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
