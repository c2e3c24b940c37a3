//! Executed traces are those of the definition, step by step, and any part of them is found again.

pub(crate) mod support;

use super::{ExecutedTrace, TraceFailure, TraceProgress};
use crate::{Cancel, CpuKernels};
use noema_numerics::{
    seeded::TestModel, testing::Random, Architecture, ExpertMixture, LayerPattern, Sampling,
    Variant,
};
use noema_protocol::{
    hashing::merkle_leaf,
    merkle::{self, Place},
};
use noema_trace::{leaf, StepJudgement, StepKind, TokensOf, TraceShape, TracedExecution};
use sp_core::H256;
use std::collections::{BTreeMap, BTreeSet};
use support::{sampling, World};

/// The ways to sample, with every combination of searches.
const SAMPLINGS: [Sampling; 6] = [
    Sampling::GREEDY,
    sampling(1_000, 0, 1_000),
    sampling(800, 40, 950),
    sampling(3_000, 3, 1_000),
    sampling(1_500, 0, 700),
    sampling(10_000, 200, 0),
];

/// Vectors, reductions and vocabularies of more than one part; heads that do not all attend together, and have no
/// vector kernel.
const WIDE: Architecture = Architecture {
    layers: 1,
    hidden: 2_080,
    heads: 6,
    kv_heads: 2,
    head_dim: 512,
    feed_forward: 4_128,
    vocabulary: 4_101,
    tied_head: false,
    variant: Variant {
        projection_biases: true,
        head_norms: true,
        post_norms: true,
        gelu: true,
        ..Variant::LLAMA
    },
    ..TestModel::TINY
};

fn place(row: u32, index: u64) -> Place {
    Place { row, index }
}

/// Compares every leaf.
fn assert_is_defined(world: &World, kernels: &CpuKernels) {
    let trace = world.trace(kernels, 1 << 20, BTreeMap::new());
    let leaves = world.leaves();
    assert_eq!(trace.kept.row(), 0);
    world.with_shape(|shape| {
        assert_eq!(trace.steps(), shape.steps());
        for (step, leaf) in (0..).zip(&leaves) {
            if trace.kept.node(place(0, step)) != Some(merkle_leaf(leaf)) {
                let at = shape.place(step).expect("a step");
                panic!(
                    "step {step}, {:?} at {at:?}: {:?}",
                    shape.kind(&at),
                    world.execution
                );
            }
        }
    });
    assert_eq!(trace.root(), merkle::root(leaves.iter().map(merkle_leaf)));
}

#[test]
fn every_sampling_has_the_trace_of_the_definition() {
    let kernels = CpuKernels::with_threads(2).expect("a thread");
    for sampling in SAMPLINGS {
        assert_is_defined(&World::answer(TestModel::TINY, 5, 9, sampling), &kernels);
    }
}

#[test]
fn every_variant_has_the_trace_of_the_definition() {
    let kernels = CpuKernels::with_threads(2).expect("a thread");
    for architecture in TestModel::VARIANTS.iter().chain(TestModel::MIXTURES) {
        assert_is_defined(&World::answer(*architecture, 70, 4, SAMPLINGS[2]), &kernels);
        assert_is_defined(&World::text(*architecture, 70), &kernels);
    }
}

/// Reductions and mixtures of more than one part, and parts of the input that are cut in the middle of a leaf.
#[test]
fn wide_experts_have_the_trace_of_the_definition() {
    let kernels = CpuKernels::with_threads(2).expect("a thread");
    for (hidden, chosen, width) in [(2_080, 3, 2_112), (3_104, 2, 96), (64, 5, 32)] {
        let wide = Architecture {
            layers: 1,
            hidden,
            feed_forward: width,
            variant: Variant {
                experts: Some(ExpertMixture {
                    count: 5,
                    chosen,
                    width,
                    renormalised: chosen != 2,
                    layers: LayerPattern::ALL,
                }),
                ..Variant::LLAMA
            },
            ..TestModel::TINY
        };
        assert_is_defined(&World::answer(wide, 3, 2, SAMPLINGS[2]), &kernels);
        assert_is_defined(&World::text(wide, 3), &kernels);
    }
}

#[test]
fn every_instruction_set_cuts_wide_layers_as_the_definition() {
    let world = World::answer(WIDE, 2, 2, SAMPLINGS[2]);
    for kernels in CpuKernels::variants() {
        assert_is_defined(&world, &kernels);
    }
    assert_is_defined(&World::text(WIDE, 3), &CpuKernels::default());
}

#[test]
fn positions_of_several_batches_have_the_trace_of_the_definition() {
    let long = Architecture {
        layers: 1,
        context_length: 1_024,
        ..TestModel::TINY
    };
    let kernels = CpuKernels::with_threads(2).expect("a thread");
    assert_is_defined(&World::answer(long, 600, 3, SAMPLINGS[1]), &kernels);
}

/// What the definition computes for a false statement is computed too: other tokens, and some that do not exist.
#[test]
fn a_false_statement_has_the_trace_of_the_definition() {
    let kernels = CpuKernels::with_threads(1).expect("no other thread");
    for (given, answer) in [(None, Some(3)), (Some(128), None), (None, Some(u32::MAX))] {
        let mut world = World::answer(TestModel::TINY, 5, 4, SAMPLINGS[2]);
        let TracedExecution::Answer(mut stated) = world.execution else {
            panic!("an answer")
        };
        world.given[2] = given.unwrap_or(world.given[2]);
        world.answer[1] = answer.unwrap_or(world.answer[1]);
        stated.prompt = TokensOf::new(&world.given);
        stated.answer = TokensOf::new(&world.answer);
        world.execution = TracedExecution::Answer(stated);
        assert_is_defined(&world, &kernels);
        let mut trace = world.trace(&kernels, 100, BTreeMap::new());
        assert_eq!(trace.outcome(&Cancel::default()), Ok(false));
    }
}

#[test]
fn any_part_is_found_again() {
    let kernels = CpuKernels::with_threads(2).expect("a thread");
    let (mut random, cancel) = (Random::new(11), Cancel::default());
    for world in worlds() {
        let leaves = world.leaves();
        let mut trace = world.trace(&kernels, 40, BTreeMap::new());
        let height = merkle::height(trace.steps());
        assert!(merkle::row_width(trace.steps(), trace.kept.row()) <= 40);
        let mut rows = vec![leaves.iter().map(merkle_leaf).collect::<Vec<H256>>()];
        while rows[rows.len() - 1].len() > 1 {
            rows.push(merkle::row_above(&rows[rows.len() - 1]));
        }
        assert_eq!(trace.outcome(&cancel), Ok(true));
        for _ in 0..40 {
            let row = random.below(u64::from(height) + 1) as u32;
            let index = random.below(rows[row as usize].len() as u64);
            let bits = random.below(12) as u32;
            let found = trace.row(place(row, index), bits, &cancel);
            let below = row.saturating_sub(bits);
            let first = (index << (row - below)) as usize;
            let end = (((index + 1) << (row - below)) as usize).min(rows[below as usize].len());
            assert_eq!(
                found,
                Ok(rows[below as usize][first..end].to_vec()),
                "{row} {index} {bits}"
            );
            let path = trace.path(place(row, index), &cancel).expect("a node");
            let shown = [(index, rows[row as usize][index as usize])];
            let width = rows[row as usize].len() as u64;
            assert_eq!(merkle::root_of(width, &shown, &path), Some(trace.root()));
        }
        for step in [0, trace.steps() - 1, random.below(trace.steps())] {
            assert_eq!(trace.leaf(step, &cancel), Ok(leaves[step as usize]));
        }
        let none = trace.row(place(0, trace.steps()), 0, &cancel);
        assert!(matches!(none, Err(TraceFailure::NoPlace(_))));
        let none = trace.evidence(trace.steps(), &cancel);
        assert!(matches!(none, Err(TraceFailure::NoPlace(_))));
    }
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
        World::answer(TestModel::TINY, 35, 3, SAMPLINGS[2]),
        World::answer(TestModel::EVERY_DIFFERENCE, 34, 2, Sampling::GREEDY),
        World::text(gated, 5),
        World::answer(TestModel::EXPERTS, 4, 3, SAMPLINGS[2]),
        World::text(TestModel::SOME_EXPERTS, 5),
    ]
}

/// Some steps of each kind: the first, the last and any.
fn some_steps(shape: &TraceShape<'_>, random: &mut Random) -> Vec<u64> {
    let mut kinds: BTreeMap<StepKind, Vec<u64>> = BTreeMap::new();
    for step in 0..shape.steps() {
        let place = shape.place(step).expect("a step");
        kinds
            .entry(shape.kind(&place).expect("a kind"))
            .or_default()
            .push(step);
    }
    let some = kinds.values().flat_map(|steps| {
        let any = steps[random.below(steps.len() as u64) as usize];
        [steps[0], any, steps[steps.len() - 1]]
    });
    some.collect()
}

#[test]
fn evidence_of_every_kind_is_accepted() {
    let kernels = CpuKernels::with_threads(2).expect("a thread");
    let (mut random, cancel) = (Random::new(12), Cancel::default());
    let mut seen = BTreeSet::new();
    for world in worlds() {
        let leaves = world.leaves();
        let mut trace = world.trace(&kernels, 64, BTreeMap::new());
        for step in world.with_shape(|shape| some_steps(shape, &mut random)) {
            let evidence = trace.evidence(step, &cancel).expect("a step");
            world.with_shape(|shape| {
                let place = shape.place(step).expect("a step");
                let executed = shape.execute(trace.root(), step, &evidence);
                assert_eq!(executed, Ok(leaves[step as usize]), "{place:?}");
                seen.extend(shape.kind(&place));
            });
        }
    }
    assert!(
        StepKind::ALL.iter().all(|kind| seen.contains(kind)),
        "{seen:?}"
    );
}

#[test]
fn a_false_trace_is_shown_by_its_false_step() {
    let kernels = CpuKernels::with_threads(1).expect("no other thread");
    let (mut random, cancel) = (Random::new(13), Cancel::default());
    let world = World::answer(TestModel::TINY, 35, 3, SAMPLINGS[2]);
    let leaves = world.leaves();
    let honest = world.trace(&kernels, 64, BTreeMap::new()).root();
    for step in world.with_shape(|shape| some_steps(shape, &mut random)) {
        let mut trace = world.trace(&kernels, 64, BTreeMap::from([(step, vec![9; 3])]));
        assert_ne!(trace.root(), honest);
        let claimed = trace.leaf(step, &cancel).expect("a step");
        assert_eq!(claimed, leaf(&[9; 3]));
        assert_eq!(
            trace.row(place(0, step), 0, &cancel),
            Ok(vec![merkle_leaf(&claimed)])
        );
        let evidence = trace.evidence(step, &cancel).expect("a step");
        world.with_shape(|shape| {
            let judged = shape.judge(trace.root(), step, &evidence, claimed);
            let leaf = leaves[step as usize];
            assert_eq!(judged, Ok(StepJudgement::Wrong { leaf }));
        });
    }
}

#[test]
fn progress_is_shown_and_stopped() {
    let world = World::text(TestModel::TINY, 70);
    let kernels = CpuKernels::with_threads(1).expect("no other thread");
    let mut seen = Vec::new();
    let cancel = Cancel::default();
    let mut progress = |progress: TraceProgress| seen.push(progress);
    ExecutedTrace::new(world.subject(), kernels.clone(), &mut progress, &cancel).expect("a trace");
    let positions = 69;
    assert_eq!(
        seen.last(),
        Some(&TraceProgress {
            done: positions,
            positions
        })
    );
    cancel.cancel();
    let mut trace = world.trace(&kernels, 8, BTreeMap::new());
    assert_eq!(trace.leaf(0, &cancel), Err(TraceFailure::Cancelled));
    let trace = ExecutedTrace::new(world.subject(), kernels, &mut |_| (), &cancel);
    assert_eq!(trace.err(), Some(TraceFailure::Cancelled));
}

#[test]
fn other_tokens_than_those_of_the_statement_are_refused() {
    let world = World::text(TestModel::TINY, 5);
    let mut subject = world.subject();
    subject.given.pop();
    let kernels = CpuKernels::with_threads(1).expect("no other thread");
    let trace = ExecutedTrace::new(subject, kernels, &mut |_| (), &Cancel::default());
    let refused = TraceFailure::Tokens {
        stated: 5,
        found: 4,
    };
    assert_eq!(trace.err(), Some(refused));
}

#[test]
fn tiles_are_proven_by_a_tree_with_few_kept_rows() {
    let world = World::text(TestModel::TINY, 3);
    assert_eq!(world.subject().weights.root(), Ok(world.weights_root));
}
