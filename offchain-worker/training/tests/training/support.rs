//! Models and data for the training tests.

pub(crate) use crate::world::{options, World};

use noema_executor::Device;
use noema_training::{
    TrainableCheckpoint, TrainedUpdate, TrainingError, TrainingLoop, TrainingOptions, TrainingStep,
};
use std::{ops::ControlFlow, path::Path};

impl World {
    pub(crate) fn parent(&self) -> TrainableCheckpoint {
        TrainableCheckpoint::read(&self.checkpoint()).expect("is read")
    }

    /// The sequences of a shard.
    pub(crate) fn sequences(&self, shard: usize) -> Vec<Vec<u32>> {
        let shard = self.dataset.shard(shard).expect("is valid");
        shard.sequences().map(<[u32]>::to_vec).collect()
    }
}

pub(crate) fn trainer(
    parent: TrainableCheckpoint,
    options: TrainingOptions,
    state: Option<&Path>,
) -> TrainingLoop {
    TrainingLoop::new(parent, options, &Device::cpu(None), state).expect("options are valid")
}

/// Options with which the loss is soon not finite: a step makes weights nine times as large.
pub(crate) fn divergent() -> TrainingOptions {
    TrainingOptions {
        learning_rate: 1.0,
        weight_decay: 10.0,
        warmup: 0,
        steps: 60,
        save_every: 1,
        ..options()
    }
}

/// Trains until the round is over, or until `stop` returns true.
pub(crate) fn run_until(
    trainer: &mut TrainingLoop,
    sequences: &[Vec<u32>],
    stop: impl Fn(&TrainingStep) -> bool,
) -> Result<TrainedUpdate, TrainingError> {
    let sequences: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
    trainer.run(&sequences, &mut |step| {
        if stop(step) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}

pub(crate) fn run(trainer: &mut TrainingLoop, sequences: &[Vec<u32>]) -> TrainedUpdate {
    run_until(trainer, sequences, |_| false).expect("trains")
}
