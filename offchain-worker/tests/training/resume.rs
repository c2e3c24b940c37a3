//! A trainer that is stopped, and goes on.

use crate::support::{options, run, run_until, trainer, World};
use noema_checkpoint::{CheckpointId, H256};
use noema_executor::Device;
use noema_update::{Limits, Update};
use noema_worker::training::{Contribution, Parent, Trainer, TrainingError, TrainingOptions};
use std::{fs, path::Path};

/// The checkpoint that `contribution` alone makes of `parent`.
fn successor(parent: &Parent, contribution: &Contribution) -> Parent {
    let bytes = &contribution.bytes;
    let update = Update::open(bytes, parent.trainable(), parent.id(), Limits::default());
    let updates = [(update.expect("is of this parent"), 1)];
    let changed = parent.with(&updates).expect("can be applied");
    use noema_float::FloatWeights;
    Parent::new(
        CheckpointId(H256(*blake3::hash(changed.weights()).as_bytes())),
        parent.architecture(),
        parent.exponents(),
        changed.weights().to_vec(),
        changed.masters().to_vec(),
    )
    .expect("is of the same shape")
}

/// Two rounds without interruption.
fn uninterrupted(world: &World) -> [Contribution; 2] {
    let parent = world.parent();
    let mut trainer = trainer(parent.clone(), options(), None);
    let first = run(&mut trainer, &world.sequences(0));
    let next = trainer.next_round(successor(&parent, &first));
    next.expect("is of the same family");
    [first, run(&mut trainer, &world.sequences(1))]
}

/// Stops after `step`, as a trainer does that is asked to, and forgets everything but the file.
fn stop_after(step: u32, parent: &Parent, world: &World, shard: usize, state: &Path) {
    let mut trainer = trainer(parent.clone(), options(), Some(state));
    let stopped = run_until(&mut trainer, &world.sequences(shard), |s| s.done == step);
    assert!(matches!(stopped, Err(TrainingError::Stopped { step: s }) if s == step));
}

#[test]
fn a_trainer_that_was_stopped_makes_the_same_update() {
    let world = World::new();
    let [first, second] = uninterrupted(&world);
    let state = world.file("trainer.state");
    let parent = world.parent();
    stop_after(3, &parent, &world, 0, &state);
    stop_after(8, &parent, &world, 0, &state);
    let mut resumed = trainer(parent.clone(), options(), Some(&state));
    assert_eq!(resumed.steps_done(), 8);
    assert_eq!(run(&mut resumed, &world.sequences(0)), first);

    // The next round needs the optimiser's moments, the steps before, and what was not sent.
    let next = successor(&parent, &first);
    stop_after(5, &next, &world, 1, &state);
    let mut resumed = trainer(next, options(), Some(&state));
    assert_eq!(run(&mut resumed, &world.sequences(1)), second);
}

/// What is on disk is what was saved last: every fifth step.
#[test]
fn a_trainer_that_was_killed_goes_on_from_its_last_state() {
    let world = World::new();
    let [first, _] = uninterrupted(&world);
    let state = world.file("trainer.state");
    let sequences = world.sequences(0);
    let killed = std::panic::catch_unwind(|| {
        let mut trainer = trainer(world.parent(), options(), Some(&state));
        run_until(&mut trainer, &sequences, |step| {
            assert!(step.done < 8, "killed");
            false
        })
    });
    assert!(killed.is_err());
    let mut resumed = trainer(world.parent(), options(), Some(&state));
    assert_eq!(resumed.steps_done(), 5);
    assert_eq!(run(&mut resumed, &sequences), first);
}

#[test]
fn a_round_that_is_over_is_not_trained_again() {
    let world = World::new();
    let state = world.file("trainer.state");
    let sequences = world.sequences(0);
    let first = run(
        &mut trainer(world.parent(), options(), Some(&state)),
        &sequences,
    );
    let mut again = trainer(world.parent(), options(), Some(&state));
    let steps = std::cell::Cell::new(0);
    let second = run_until(&mut again, &sequences, |_| {
        steps.set(steps.get() + 1);
        false
    });
    assert_eq!((second.expect("is there"), steps.get()), (first, 0));
}

#[test]
fn a_state_of_another_training_is_refused() {
    let world = World::new();
    let state = world.file("trainer.state");
    stop_after(3, &world.parent(), &world, 0, &state);
    let other = TrainingOptions {
        seed: 1,
        ..options()
    };
    let refused = Trainer::new(world.parent(), other, &Device::cpu(None), Some(&state));
    let error = refused.err().expect("is refused");
    assert!(matches!(
        error,
        TrainingError::OtherState {
            what: "options",
            ..
        }
    ));
    let mut resumed = trainer(world.parent(), options(), Some(&state));
    let error = run_until(&mut resumed, &world.sequences(1), |_| false);
    let error = error.expect_err("is refused");
    assert!(matches!(
        error,
        TrainingError::OtherState { what: "data", .. }
    ));
}

#[test]
fn a_damaged_state_is_refused() {
    let world = World::new();
    let state = world.file("trainer.state");
    stop_after(3, &world.parent(), &world, 0, &state);
    let sound = fs::read(&state).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&state, bytes).unwrap();
        let opened = Trainer::new(world.parent(), options(), &Device::cpu(None), Some(&state));
        matches!(opened.err(), Some(TrainingError::DamagedState { .. }))
    };
    for at in [0, 4, 12, 40, sound.len() / 2, sound.len() - 1] {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        assert!(refused(&damaged), "byte {at}");
    }
    for length in [0, 16, 31, sound.len() - 1] {
        assert!(refused(&sound[..length]), "{length} bytes");
    }
    assert!(!refused(&sound));
}
