//! Whole traces against the definition, `noema_update::apply`.

use crate::support::{model, update, World, PARENT};
use noema_aggregate::{AggregateError, AggregateExecution, AggregateResult, AggregateShape};
use noema_numerics::testing::Random;
use noema_update::{Encoder, Limits, Trainable, Update};
use proptest::prelude::*;
use sp_core::H256;

fn is_true(world: &World, result: AggregateResult) -> bool {
    let shape = world.shape_of(result);
    world.leaves(&shape).last() == Some(&AggregateShape::outcome())
}

/// Checks that a trace ends as true with the result of the definition, and with no other.
fn agrees(world: &World) {
    assert!(is_true(world, world.result), "{:?}", world.result);
    let others = match world.result {
        AggregateResult::Malformed => vec![AggregateResult::Checkpoint {
            weights_root: H256::zero(),
            masters_root: H256::zero(),
        }],
        AggregateResult::Overlap { most, exceeds } => vec![AggregateResult::Overlap {
            most,
            exceeds: !exceeds,
        }],
        AggregateResult::Checkpoint {
            weights_root,
            masters_root,
        } => vec![
            AggregateResult::Malformed,
            AggregateResult::Checkpoint {
                weights_root: H256::zero(),
                masters_root,
            },
            AggregateResult::Checkpoint {
                weights_root,
                masters_root: H256::zero(),
            },
        ],
    };
    for other in others {
        assert!(!is_true(world, other), "{other:?}");
    }
}

fn aggregate(trained: bool, files: Vec<(Vec<u8>, u32)>) -> World {
    let world = World::new(model(5), trained, files);
    agrees(&world);
    world
}

fn trainable() -> Trainable {
    Trainable::new(&model(5).architecture).expect("an architecture")
}

fn one(changes: &[(u64, i32)]) -> Vec<u8> {
    let trainable = trainable();
    let mut encoder = Encoder::new(&trainable, PARENT, 64).expect("a bound");
    encoder.exact(2, changes).expect("changes");
    encoder.finish()
}

#[test]
fn one_update_yields_the_checkpoint_of_the_definition() {
    for trained in [false, true] {
        let file = update(&trainable(), 64, 16, &mut Random::new(1));
        let world = aggregate(trained, vec![(file, 1)]);
        assert!(matches!(world.result, AggregateResult::Checkpoint { .. }));
    }
}

#[test]
fn an_update_without_changes_changes_nothing() {
    let empty = Encoder::new(&trainable(), PARENT, 64)
        .expect("a bound")
        .finish();
    aggregate(true, vec![(empty.clone(), 3)]);
    aggregate(false, vec![(empty, 1), (one(&[(4, 1_000)]), 2)]);
}

#[test]
fn copies_and_opposites_are_averaged_as_the_definition_does() {
    let (up, down) = (one(&[(4, 900), (70, -900)]), one(&[(4, -900), (70, 900)]));
    aggregate(false, vec![(up.clone(), 1); 5]);
    aggregate(true, vec![(up.clone(), 1), (down.clone(), 1)]);
    aggregate(true, vec![(up, 9), (down, 1)]);
}

#[test]
fn large_changes_are_clipped_and_clamped_as_the_definition_does() {
    let largest = (1 << 30) - 1;
    let huge = one(&[(0, largest), (1, -largest), (2, 2 * largest)]);
    aggregate(true, vec![(huge.clone(), u32::MAX)]);
    aggregate(false, vec![(huge.clone(), 1), (one(&[(1, 1)]), 1)]);
    aggregate(
        false,
        vec![(huge, 1), (one(&[(1, 1)]), 1), (one(&[(3, 2)]), 1 << 30)],
    );
}

#[test]
fn every_entry_of_a_chunk_may_change() {
    let tensor = trainable().tensors()[2];
    let all = (0..4_096).filter(|at| !tensor.is_padding(*at));
    let changes: Vec<(u64, i32)> = all.map(|at| (at, 700 - 1_400 * (at % 2) as i32)).collect();
    let trainable = trainable();
    let mut encoder = Encoder::new(&trainable, PARENT, 4_096).expect("a bound");
    encoder.exact(2, &changes).expect("changes");
    let dense = encoder.finish();
    aggregate(true, vec![(dense, 7), (one(&[(9, 500)]), 3)]);
}

#[test]
fn a_malformed_update_yields_nothing() {
    let valid = one(&[(4, 900)]);
    let mut longer = valid.clone();
    longer.push(0);
    let mut other_parent = valid.clone();
    other_parent[6] ^= 1;
    let mut unknown_tensor = valid.clone();
    unknown_tensor[42] = 200;
    for bytes in [
        vec![],
        vec![0],
        b"NUPD".to_vec(),
        longer,
        other_parent,
        unknown_tensor,
        valid[..valid.len() - 1].to_vec(),
    ] {
        let world = aggregate(false, vec![(valid.clone(), 1), (bytes, 1)]);
        assert_eq!(world.result, AggregateResult::Malformed);
    }
}

#[test]
fn an_update_with_more_entries_than_are_allowed_is_malformed() {
    let mut world = World::new(model(5), false, vec![(one(&[(4, 900)]), 1)]);
    let checkpoint = world.result;
    world.entries = 64;
    assert!(is_true(&world, checkpoint));
    world.entries = 63;
    assert!(is_true(&world, AggregateResult::Malformed));
    assert!(!is_true(&world, checkpoint));
}

#[test]
fn statements_that_are_false_without_a_game_have_no_trace() {
    let world = World::new(model(5), false, vec![(one(&[(4, 900)]), 1)]);
    let with = |updates: &[_]| {
        let execution = AggregateExecution {
            updates,
            entries: 64,
            result: AggregateResult::Malformed,
        };
        AggregateShape::new(world.parent(), execution).map(|_| ())
    };
    let weighing = |weight| noema_aggregate::AggregatedUpdate {
        weight,
        ..world.updates[0]
    };
    assert_eq!(with(&[]), Err(AggregateError::Updates(0)));
    let overlap = AggregateExecution {
        updates: &[weighing(1); 3],
        entries: 64,
        result: AggregateResult::Overlap {
            most: 0,
            exceeds: true,
        },
    };
    let refused = AggregateShape::new(world.parent(), overlap).map(|_| ());
    assert_eq!(refused, Err(AggregateError::Updates(3)));
    let many = vec![weighing(1); 1_025];
    assert_eq!(with(&many), Err(AggregateError::Updates(1_025)));
    assert_eq!(with(&[weighing(0)]), Err(AggregateError::Weights));
    let heavy = [weighing(u32::MAX), weighing(1)];
    assert_eq!(with(&heavy), Err(AggregateError::Weights));
    let parent = noema_aggregate::TrainedParent {
        exponents: &[],
        ..world.parent()
    };
    let execution = AggregateExecution {
        updates: &world.updates,
        entries: 64,
        result: world.result,
    };
    let refused = AggregateShape::new(parent, execution).map(|_| ());
    assert!(matches!(
        refused,
        Err(AggregateError::Exponents { found: 0, .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn traces_end_with_the_result_of_the_definition(
        count in 1..11usize,
        trained: bool,
        seed in any::<u64>(),
    ) {
        agrees(&World::random(count, trained, seed));
    }

    #[test]
    fn overlaps_are_those_of_the_definition(seed in any::<u64>()) {
        agrees(&World::overlap(seed));
    }

    #[test]
    fn damaged_updates_are_judged_as_the_definition_does(
        seed in any::<u64>(),
        flips in prop::collection::vec((any::<u32>(), 0..8u32), 1..3),
        cut in 0..4usize,
    ) {
        let trainable = trainable();
        let mut random = Random::new(seed);
        let mut file = update(&trainable, 1 << random.below(7), 10, &mut random);
        for (at, bit) in flips {
            let at = at as usize % file.len();
            file[at] ^= 1 << bit;
        }
        file.truncate(file.len() - cut);
        let limits = Limits::with_entries(4_096);
        let opened = Update::open(&file, &trainable, PARENT, limits);
        let well_formed = opened.and_then(|update| update.check()).is_ok();
        let world = World::new(model(5), false, vec![(file, 1)]);
        prop_assert_eq!(well_formed, world.result != AggregateResult::Malformed);
        prop_assert!(is_true(&world, world.result));
        let none = AggregateResult::Checkpoint {
            weights_root: H256::zero(),
            masters_root: H256::zero(),
        };
        prop_assert!(well_formed || !is_true(&world, none));
    }
}
