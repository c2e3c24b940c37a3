//! Evidence of steps: the true leaf of each, falsified ones, and evidence that is none.

use crate::support::{model, prove, root, World, PARENT};
use noema_aggregate::{AggregateResult, AggregateShape, AggregateStep};
use noema_numerics::testing::Random;
use noema_trace::{EvidenceRefusal, StepEvidence, StepJudgement, MAX_EVIDENCE_BYTES};
use noema_update::{Encoder, Trainable};
use proptest::prelude::*;
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

fn worlds() -> [World; 4] {
    [
        World::random(6, true, 3),
        World::random(1, false, 4),
        World::random(9, false, 11),
        World::overlap(5),
    ]
}

/// Evidence of some steps of each kind.
fn evidence_of(
    world: &World,
    shape: &AggregateShape<'_>,
    leaves: &[H256],
    often: u32,
    mut with: impl FnMut(u64, AggregateStep, StepEvidence),
) {
    let mut met: BTreeMap<&str, u32> = BTreeMap::new();
    world.trace(shape, |mut tracer| {
        for number in 0..shape.steps() {
            let step = shape.step(number).expect("a step");
            let times = met.entry(step.name()).or_default();
            *times += 1;
            if *times <= 2 || times.is_multiple_of(often) {
                let mut evidence = tracer.evidence(number).expect("its inputs");
                prove(shape, leaves, &step, &mut evidence);
                with(number, step, evidence);
            }
            tracer.advance().expect("a step");
        }
    });
}

#[test]
fn every_step_has_the_leaf_that_its_evidence_yields_and_no_other() {
    let mut seen = BTreeSet::new();
    for world in worlds() {
        let shape = world.shape();
        let leaves = world.leaves(&shape);
        let root = root(&leaves);
        evidence_of(&world, &shape, &leaves, 31, |number, step, evidence| {
            let claimed = leaves[number as usize];
            let judged = shape.judge(root, number, &evidence, claimed);
            assert_eq!(judged, Ok(StepJudgement::Right), "{step:?}");
            let judged = shape.judge(root, number, &evidence, H256::zero());
            assert_eq!(judged, Ok(StepJudgement::Wrong { leaf: claimed }));
            assert!(codec::Encode::encoded_size(&evidence) <= MAX_EVIDENCE_BYTES);
            seen.insert(step.name());
        });
    }
    assert_eq!(seen.len(), 13, "{seen:?}");
}

/// Evidence of one step of an honest trace, but for the nodes of its tree.
fn evidence_at(world: &World, shape: &AggregateShape<'_>, step: u64) -> StepEvidence {
    world.trace(shape, |mut tracer| {
        assert!(tracer.leaves(step, |_, _| ()));
        tracer.evidence(step).expect("its inputs")
    })
}

/// Replaces the output of a step and shows the first leaf that differs to be false.
fn is_caught(
    world: &World,
    shape: &AggregateShape<'_>,
    honest: &[H256],
    step: u64,
    output: Vec<u8>,
) {
    let place = shape.step(step).expect("a step");
    let leaves = world.leaves_with(shape, &[(step, output)]);
    let first = honest
        .iter()
        .zip(&leaves)
        .position(|(own, claimed)| own != claimed);
    let Some(first) = first else { return };
    assert_eq!(first as u64, step);
    let mut evidence = evidence_at(world, shape, step);
    prove(shape, &leaves, &place, &mut evidence);
    let judged = shape.judge(root(&leaves), step, &evidence, leaves[first]);
    let leaf = honest[first];
    assert_eq!(judged, Ok(StepJudgement::Wrong { leaf }), "{place:?}");
}

#[test]
fn a_falsified_output_of_any_kind_is_shown_by_one_step() {
    let mut random = Random::new(3);
    for world in worlds() {
        let shape = world.shape();
        let honest = world.leaves(&shape);
        let mut by_kind: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for number in 0..shape.steps() {
            let step = shape.step(number).expect("a step");
            by_kind.entry(step.name()).or_default().push(number);
        }
        for numbers in by_kind.values() {
            for _ in 0..2 {
                let step = numbers[random.below(numbers.len() as u64) as usize];
                let place = shape.step(step).expect("a step");
                let bytes = shape.output_bytes(&place).expect("a step");
                let any = (0..bytes).map(|_| random.bits() as u8).collect();
                is_caught(&world, &shape, &honest, step, any);
                // One bit of the true output.
                let mut output = world.trace(&shape, |mut tracer| {
                    assert!(tracer.leaves(step, |_, _| ()));
                    tracer.advance().expect("a step").1.to_vec()
                });
                let at = random.below(bytes as u64) as usize;
                output[at] ^= 1 << random.below(8);
                is_caught(&world, &shape, &honest, step, output);
            }
        }
    }
}

#[test]
fn a_false_result_is_shown_at_its_first_false_step() {
    let world = World::random(3, true, 8);
    let AggregateResult::Checkpoint { masters_root, .. } = world.result else {
        panic!("the updates are malformed");
    };
    let lie = AggregateResult::Checkpoint {
        weights_root: H256::repeat_byte(1),
        masters_root,
    };
    let shape = world.shape_of(lie);
    let honest = world.leaves(&shape);
    let last = shape.steps() - 1;
    assert_ne!(honest.last(), Some(&AggregateShape::outcome()));
    is_caught(&world, &shape, &honest, last, vec![1]);
}

#[test]
fn changed_evidence_is_refused() {
    for world in worlds() {
        let shape = world.shape();
        let leaves = world.leaves(&shape);
        let root = root(&leaves);
        evidence_of(
            &world,
            &shape,
            &leaves,
            u32::MAX,
            |number, step, evidence| {
                let refused = |change: &dyn Fn(&mut StepEvidence)| {
                    let mut other = evidence.clone();
                    change(&mut other);
                    other == evidence || shape.execute(root, number, &other).is_err()
                };
                let flip = |bytes: &mut Vec<u8>, first: bool| {
                    let byte = if first {
                        bytes.first_mut()
                    } else {
                        bytes.last_mut()
                    };
                    byte.into_iter().for_each(|byte| *byte ^= 1);
                };
                for first in [false, true] {
                    assert!(refused(&|e| flip(&mut e.outputs, first)), "{step:?}");
                    assert!(refused(&|e| flip(&mut e.tiles, first)), "{step:?}");
                }
                assert!(refused(&|e| e.outputs.push(0)), "{step:?}");
                assert!(refused(&|e| e.tiles.push(0)), "{step:?}");
                assert!(refused(&|e| e.tokens.push(0)), "{step:?}");
                assert!(refused(&|e| e.token_nodes.push(H256::zero())), "{step:?}");
                let lists: [fn(&mut StepEvidence) -> &mut Vec<H256>; 2] = [
                    |evidence| &mut evidence.nodes,
                    |evidence| &mut evidence.tile_nodes,
                ];
                for list in lists {
                    assert!(refused(&|e| list(e).push(H256::zero())), "{step:?}");
                    assert!(
                        refused(&|e| {
                            list(e).pop();
                        }),
                        "{step:?}"
                    );
                    assert!(refused(&|e| list(e).reverse()), "{step:?}");
                }
                let is_refused = shape.execute(H256::zero(), number, &evidence).is_err();
                assert!(is_refused || evidence.outputs.is_empty());
            },
        );
    }
}

#[test]
fn there_is_no_step_after_the_last() {
    let world = World::random(1, false, 4);
    let shape = world.shape();
    let executed = shape.execute(H256::zero(), shape.steps(), &StepEvidence::default());
    assert_eq!(executed, Err(EvidenceRefusal::NoStep));
    assert_eq!(shape.step(u64::MAX), None);
}

/// Evidence with the nodes of a trace that has the outputs that it shows and zeros beside them, and the root of that.
fn proven(
    shape: &AggregateShape<'_>,
    step: &AggregateStep,
    mut evidence: StepEvidence,
) -> (H256, StepEvidence) {
    let mut leaves = vec![H256::zero(); shape.steps() as usize];
    let mut rest = evidence.outputs.as_slice();
    for number in shape.read_numbers(step).expect("a step") {
        let read = shape.step(number).expect("a step");
        let (output, others) = rest.split_at(shape.output_bytes(&read).expect("a step"));
        leaves[number as usize] = noema_trace::leaf(output);
        rest = others;
    }
    prove(shape, &leaves, step, &mut evidence);
    (root(&leaves), evidence)
}

/// The kinds of steps that treat the most: a thousand norms, and chunks in which every weight changes.
#[test]
fn the_largest_steps_take_less_than_ten_milliseconds() {
    let trainable = Trainable::new(&model(5).architecture).expect("an architecture");
    let tensor = trainable.tensors()[2];
    let file = |every: u64| {
        let changes = (0..4_096).step_by(every as usize);
        let changes = changes.filter(|at| !tensor.is_padding(*at));
        let changes: Vec<(u64, i32)> = changes.map(|at| (at, 700)).collect();
        let mut encoder = Encoder::new(&trainable, PARENT, 4_096).expect("a bound");
        encoder.exact(2, &changes).expect("changes");
        encoder.finish()
    };
    let dense = World::new(model(5), true, vec![(file(1), 1); 8]);
    let many = World::new(model(5), true, vec![(file(1_024), 1); 1_024]);
    let tile = tensor.offset_tiles();
    for (world, step) in [
        (&dense, AggregateStep::Sum { tile, part: 1 }),
        (&many, AggregateStep::Norms { update: 1_023 }),
        (&many, AggregateStep::Factor { update: 0 }),
    ] {
        let shape = world.shape();
        let number = shape.number(&step).expect("a step");
        let evidence = evidence_at(world, &shape, number);
        let (root, evidence) = proven(&shape, &step, evidence);
        let times = (0..5).map(|_| {
            let start = Instant::now();
            assert!(shape.execute(root, number, &evidence).is_ok());
            start.elapsed()
        });
        let least = times.min().expect("five times");
        println!("{step:?}: {least:?}");
        assert!(least < Duration::from_millis(10), "{step:?}: {least:?}");
    }
}

/// Executes a step with evidence whose outputs are any bytes of the right length, under roots that prove all of it:
/// nothing panics, and what no step can have written is refused.
fn executes_any(world: &World, step: u64, fill: &mut impl FnMut() -> u8) {
    let shape = world.shape();
    let place = shape.step(step).expect("a step");
    let honest = evidence_at(world, &shape, step);
    let evidence = StepEvidence {
        outputs: honest.outputs.iter().map(|_| fill()).collect(),
        ..honest
    };
    let (root, evidence) = proven(&shape, &place, evidence);
    let executed = shape.execute(root, step, &evidence);
    let fits = matches!(
        executed,
        Ok(_) | Err(EvidenceRefusal::ImpossibleInput | EvidenceRefusal::Tiles)
    );
    assert!(fits, "{place:?}: {executed:?}");
}

#[test]
fn extreme_inputs_are_executed_or_refused() {
    let world = World::random(6, true, 3);
    let shape = world.shape();
    let mut seen = BTreeMap::new();
    for number in 0..shape.steps() {
        let step = shape.step(number).expect("a step");
        let times: &mut u32 = seen.entry(step.name()).or_default();
        *times += 1;
        if *times <= 2 {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                executes_any(&world, number, &mut || byte);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_inputs_are_executed_or_refused(seed in any::<u64>(), sparse in 0..8u64) {
        let world = World::random(6, true, 3);
        let mut random = Random::new(seed);
        let step = random.below(world.shape().steps());
        executes_any(&world, step, &mut || match random.below(8) < sparse {
            true => random.below(2) as u8,
            false => random.bits() as u8,
        });
    }

    #[test]
    fn any_evidence_is_refused(
        step in any::<u64>(),
        outputs in prop::collection::vec(any::<u8>(), 0..300),
        counts in (0..4usize, 0..4usize),
    ) {
        let world = World::random(1, false, 4);
        let shape = world.shape();
        let filler = |count: usize| vec![H256::zero(); count];
        let evidence = StepEvidence {
            tiles: outputs.clone(),
            outputs,
            nodes: filler(counts.0),
            tile_nodes: filler(counts.1),
            ..StepEvidence::default()
        };
        prop_assert!(shape.execute(H256::zero(), step % shape.steps(), &evidence).is_err());
    }
}
