//! A trainer that is stopped and continues.

use crate::support::{divergent, options, run, run_until, trainer, World};
use noema_checkpoint::{CheckpointId, H256};
use noema_executor::Device;
use noema_training::{
    TrainableCheckpoint, TrainedUpdate, TrainingError, TrainingLoop, TrainingOptions,
};
use noema_update::{Limits, Update};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The checkpoint that `contribution` alone makes of `parent`.
fn successor(parent: &TrainableCheckpoint, contribution: &TrainedUpdate) -> TrainableCheckpoint {
    let bytes = &contribution.bytes;
    let update = Update::open(bytes, parent.trainable(), parent.id(), Limits::default());
    let updates = [(update.expect("is of this parent"), 1)];
    let changed = parent.with(&updates).expect("can be applied");
    use noema_float::FloatWeights;
    TrainableCheckpoint::new(
        CheckpointId(H256(*blake3::hash(changed.weights()).as_bytes())),
        parent.architecture(),
        parent.exponents(),
        changed.weights().to_vec(),
        changed.masters().to_vec(),
    )
    .expect("is of the same shape")
}

/// Two rounds without interruption.
fn uninterrupted(world: &World) -> [TrainedUpdate; 2] {
    let parent = world.parent();
    let mut trainer = trainer(parent.clone(), options(), None);
    let first = run(&mut trainer, &world.sequences(0));
    let next = trainer.next_round(successor(&parent, &first));
    next.expect("is of the same family");
    [first, run(&mut trainer, &world.sequences(1))]
}

/// Stops after `step`, as a trainer does on request, and forgets everything but the file.
fn stop_after(step: u32, parent: &TrainableCheckpoint, world: &World, shard: usize, state: &Path) {
    let mut trainer = trainer(parent.clone(), options(), Some(state));
    let stopped = run_until(&mut trainer, &world.sequences(shard), |s| s.done == step);
    assert!(matches!(stopped, Err(TrainingError::Stopped { step: s }) if s == step));
}

/// A world, and the place for a trainer's state.
fn with_state() -> (World, PathBuf) {
    let world = World::new();
    let state = world.file("trainer.state");
    (world, state)
}

/// A world, and the state of a trainer that stopped after three steps.
fn stopped() -> (World, PathBuf) {
    let (world, state) = with_state();
    stop_after(3, &world.parent(), &world, 0, &state);
    (world, state)
}

/// Why a trainer with these options does not continue from a state.
fn refusal(world: &World, options: TrainingOptions, state: &Path) -> Option<TrainingError> {
    TrainingLoop::new(world.parent(), options, &Device::cpu(None), Some(state)).err()
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

    // The next round needs the optimiser's moments, the number of steps before, and the residual.
    let next = successor(&parent, &first);
    stop_after(5, &next, &world, 1, &state);
    let mut resumed = trainer(next, options(), Some(&state));
    assert_eq!(run(&mut resumed, &world.sequences(1)), second);
}

/// The state on disk is the last one saved: every fifth step.
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
    let (world, state) = with_state();
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
    let (world, state) = stopped();
    let other = TrainingOptions {
        seed: 1,
        ..options()
    };
    let error = refusal(&world, other, &state).expect("is refused");
    assert!(matches!(error, TrainingError::OtherState { .. }));
    let message = error.to_string();
    assert!(
        message.contains("other options: --seed was 0 and is 1. "),
        "{message}"
    );
    assert!(message.contains("or remove"), "{message}");
    let mut resumed = trainer(world.parent(), options(), Some(&state));
    let error = run_until(&mut resumed, &world.sequences(1), |_| false);
    let error = error.expect_err("is refused");
    assert!(matches!(error, TrainingError::OtherData { .. }));
}

/// They affect memory, and how much is repeated after a kill; neither is a reason to start over.
#[test]
fn a_state_goes_on_with_less_memory_and_another_save_interval() {
    let (world, state) = stopped();
    let other = TrainingOptions {
        together: 1,
        save_every: 1,
        ..options()
    };
    assert_eq!(trainer(world.parent(), other, Some(&state)).steps_done(), 3);
}

#[test]
fn a_state_from_before_a_divergence_does_not_block_other_options() {
    let (world, state) = with_state();
    let sequences = world.sequences(0);
    let mut diverging = trainer(world.parent(), divergent(), Some(&state));
    let diverged = run_until(&mut diverging, &sequences, |_| false).expect_err("diverges");
    assert!(
        matches!(diverged, TrainingError::Diverged { .. }),
        "{diverged}"
    );
    assert!(state.exists(), "steps before it were saved");
    let sane = TrainingOptions {
        learning_rate: 1e-3,
        ..options()
    };
    let mut anew = trainer(world.parent(), sane.clone(), Some(&state));
    assert_eq!(anew.steps_done(), 0);
    let begun = run(&mut anew, &sequences);
    let without_state = run(&mut trainer(world.parent(), sane, None), &sequences);
    assert_eq!(begun, without_state);
}

/// The state on disk is finite: with the same options, training continues up to the step where it diverged.
#[test]
fn a_state_from_before_a_divergence_is_one_to_go_on_from() {
    let (world, state) = with_state();
    let sequences = world.sequences(0);
    let diverge = || {
        let mut trainer = trainer(world.parent(), divergent(), Some(&state));
        let before = trainer.steps_done();
        match run_until(&mut trainer, &sequences, |_| false) {
            Err(TrainingError::Diverged { step }) => (before, step),
            other => panic!("{other:?}"),
        }
    };
    let (first, second) = (diverge(), diverge());
    assert_eq!(first.0, 0);
    assert!(second.0 > 0);
    assert_eq!(second.1, first.1);
}

/// The entries are the chain's rule for a round, and may change between two.
#[test]
fn other_entries_begin_another_round() {
    let (world, state) = with_state();
    let entries = |entries| TrainingOptions {
        entries,
        ..options()
    };
    let sequences = world.sequences(0);
    let mut before = trainer(world.parent(), entries(64), Some(&state));
    run(&mut before, &sequences);
    let resumed = trainer(world.parent(), entries(32), Some(&state));
    assert_eq!((resumed.entries(), resumed.steps_done()), (32, 0));
}

#[test]
fn a_damaged_state_is_refused() {
    let (world, state) = stopped();
    let sound = fs::read(&state).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&state, bytes).unwrap();
        let refusal = refusal(&world, options(), &state);
        matches!(refusal, Some(TrainingError::DamagedState { .. }))
    };
    for at in [0, 4, 12, 40, sound.len() / 2, sound.len() - 1] {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        assert!(refused(&damaged), "byte {at}");
    }
    for length in [0, 16, 31, sound.len() - 1] {
        assert!(refused(&sound[..length]), "{length} bytes");
    }
    let longer = [sound.as_slice(), &[0; 64]].concat();
    assert!(refused(&longer));
    assert!(!refused(&sound));
}

#[test]
fn a_state_of_another_version_is_refused() {
    let (world, state) = with_state();
    fs::write(&state, b"NTRS\x01\0\0\0, and then a state").unwrap();
    let error = refusal(&world, options(), &state).expect("is refused");
    assert!(matches!(
        error,
        TrainingError::StateVersion {
            found: 1,
            supported: 2,
            ..
        }
    ));
    let message = error.to_string();
    assert!(message.contains("or remove"), "{message}");
}

/// The same state is the same file, and other programs can open it.
#[test]
fn a_state_is_a_file_of_named_tensors() {
    let world = World::new();
    let [first, second] = ["first.state", "second.state"].map(|name| {
        let state = world.file(name);
        stop_after(3, &world.parent(), &world, 0, &state);
        fs::read(state).unwrap()
    });
    assert!(first == second);
    let tensors = safetensors::SafeTensors::deserialize(&first).expect("is safetensors");
    for part in ["values", "first_moment", "second_moment", "residual"] {
        let name = format!("layers.0.gate.{part}");
        assert!(tensors.tensor(&name).is_ok(), "{name}");
    }
}
