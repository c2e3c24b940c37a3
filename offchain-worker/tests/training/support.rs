//! Models and data for the training tests.

pub(crate) use crate::world::{options, World};

use noema_executor::Device;
use noema_worker::training::{Contribution, Parent, Step, Trainer, TrainingError, TrainingOptions};
use std::{ops::ControlFlow, path::Path};

impl World {
    pub(crate) fn parent(&self) -> Parent {
        Parent::read(&self.checkpoint()).expect("is read")
    }

    /// The sequences of a shard.
    pub(crate) fn sequences(&self, shard: usize) -> Vec<Vec<u32>> {
        let shard = self.dataset.shard(shard).expect("is valid");
        shard.sequences().map(<[u32]>::to_vec).collect()
    }
}

pub(crate) fn trainer(parent: Parent, options: TrainingOptions, state: Option<&Path>) -> Trainer {
    Trainer::new(parent, options, &Device::cpu(None), state).expect("options are valid")
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
    trainer: &mut Trainer,
    sequences: &[Vec<u32>],
    stop: impl Fn(&Step) -> bool,
) -> Result<Contribution, TrainingError> {
    let sequences: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
    trainer.run(&sequences, &mut |step| {
        if stop(step) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}

pub(crate) fn run(trainer: &mut Trainer, sequences: &[Vec<u32>]) -> Contribution {
    run_until(trainer, sequences, |_| false).expect("trains")
}
