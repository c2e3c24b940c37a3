//! One trainer, one round.

use crate::support::{options, run, run_until, trainer, World};
use noema_checkpoint::H256;
use noema_executor::{Device, DeviceOptions};
use noema_training::{bits, evaluate, TrainingError, TrainingLoop, TrainingOptions};
use noema_update::{Limits, Update};
use std::sync::Arc;

#[test]
fn a_round_lowers_the_loss_and_yields_an_update() {
    let world = World::new();
    let (parent, sequences) = (world.parent(), world.sequences(0));
    let mut trainer = trainer(parent.clone(), options(), None);
    let contribution = run(&mut trainer, &sequences);
    assert_eq!(contribution.steps, 12);
    assert!(
        contribution.loss_after < contribution.loss_before - 0.5,
        "{} -> {}",
        contribution.loss_before,
        contribution.loss_after
    );
    assert_eq!(
        contribution.hash,
        H256(blake3::hash(&contribution.bytes).into())
    );
    let update = Update::open(
        &contribution.bytes,
        parent.trainable(),
        parent.id(),
        Limits::default(),
    )
    .expect("is of this parent");
    assert!(update.check().expect("is well-formed").entries > 0);
    let dense = trainer.trained_weights() * 4;
    assert!(contribution.bytes.len() as u64 * 20 < dense);
}

#[test]
fn the_float_loss_is_close_to_the_integer_loss() {
    let world = World::new();
    let sequences = world.sequences(0);
    let contribution = run(&mut trainer(world.parent(), options(), None), &sequences);
    let integer = evaluate(
        Arc::new(world.parent()),
        &Device::cpu(None),
        sequences.iter().map(Vec::as_slice),
    );
    let integer = bits(&integer.expect("is evaluated"));
    assert!(
        (contribution.loss_before - integer).abs() < 0.01,
        "{} {integer}",
        contribution.loss_before
    );
}

#[test]
fn without_a_step_nothing_has_changed() {
    let world = World::new();
    let mut trainer = trainer(world.parent(), options(), None);
    let changes = trainer.changes().expect("are finite");
    assert_eq!(changes.len(), world.parent().specs().len());
    assert!(changes.iter().flat_map(|(_, own)| own).all(|c| *c == 0));
}

#[test]
fn the_seed_decides_the_update() {
    let world = World::new();
    let sequences = world.sequences(0);
    let update = |seed| {
        let options = TrainingOptions { seed, ..options() };
        run(&mut trainer(world.parent(), options, None), &sequences).bytes
    };
    assert_eq!(update(1), update(1));
    assert_ne!(update(1), update(2));
}

#[test]
fn only_the_tensors_that_are_named_change() {
    let world = World::new();
    let options = TrainingOptions {
        tensors: vec!["layers.0.gate".into(), "*norm".into()],
        ..options()
    };
    let parent = world.parent();
    let mut trainer = trainer(parent.clone(), options, None);
    let contribution = run(&mut trainer, &world.sequences(0));
    assert!(contribution.loss_after < contribution.loss_before);
    let update = Update::open(
        &contribution.bytes,
        parent.trainable(),
        parent.id(),
        Limits::default(),
    )
    .expect("is of this parent");
    let names: Vec<String> = update
        .tensors()
        .map(|index| parent.specs()[usize::from(index)].name())
        .collect();
    assert_eq!(
        names,
        [
            "layers.0.attention_norm",
            "layers.0.feed_forward_norm",
            "layers.0.gate",
            "final_norm"
        ]
    );
}

/// Gradients of parts are added up: the number of sequences that go through together changes only rounding.
#[test]
fn a_step_in_parts_is_the_same_step() {
    let world = World::new();
    let sequences = world.sequences(0);
    let [whole, parts] = [4, 1].map(|together| {
        let options = TrainingOptions {
            together,
            ..options()
        };
        run(&mut trainer(world.parent(), options, None), &sequences).loss_after
    });
    assert!((whole - parts).abs() < 1e-3, "{whole} {parts}");
}

#[test]
fn a_graphics_processor_learns_as_much() {
    let mut all = Device::all(None, None);
    let Some(gpu) = all.drain(..).find(|device| device.adapter().is_some()) else {
        return;
    };
    let world = World::new();
    let sequences = world.sequences(0);
    let processor = DeviceOptions {
        choice: noema_executor::DeviceChoice::Cpu,
        ..Default::default()
    };
    let processor = processor.select().expect("is there");
    let [ours, theirs] = [processor, gpu].map(|device| {
        let trainer = TrainingLoop::new(world.parent(), options(), &device, None);
        run(&mut trainer.expect("opens"), &sequences).loss_after
    });
    assert!((ours - theirs).abs() < 0.05, "{ours} {theirs}");
}

#[test]
fn data_that_does_not_fit_the_model_is_refused() {
    let world = World::new();
    let mut trainer = trainer(world.parent(), options(), None);
    let mut refused = |sequences: &[Vec<u32>]| {
        run_until(&mut trainer, sequences, |_| false).expect_err("refused")
    };
    assert!(matches!(refused(&[]), TrainingError::NoSequences));
    for length in [1, 33] {
        let error = refused(&[vec![1; length]]);
        assert!(matches!(
            error,
            TrainingError::SequenceLength { context: 32, .. }
        ));
    }
    let error = refused(&[vec![1, 288]]);
    assert!(matches!(
        error,
        TrainingError::TokenBeyondVocabulary {
            token: 288,
            vocabulary: 288
        }
    ));
    let error = refused(&[vec![1, 2], vec![1, 2, 3]]);
    assert!(matches!(
        error,
        TrainingError::SequenceLengths { first: 2, other: 3 }
    ));
}
