//! What other pallets may ask.

use crate::{Checkpoints, Config, Families, Pallet, Status};
use noema_protocol::{
    interfaces::{self, ModelLimits},
    CheckpointId,
};

impl<T: Config> interfaces::Checkpoints for Pallet<T> {
    fn active(checkpoint: &CheckpointId) -> Option<ModelLimits> {
        let record = Checkpoints::<T>::get(checkpoint)?;
        if record.status != Status::Active {
            return None;
        }
        let architecture = Families::<T>::get(record.family)?.architecture;
        Some(ModelLimits {
            context_length: architecture.context_length,
            vocabulary: architecture.vocabulary,
        })
    }

    fn exists(checkpoint: &CheckpointId) -> bool {
        Checkpoints::<T>::contains_key(checkpoint)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_active(checkpoint: CheckpointId, limits: ModelLimits) {
        crate::benchmarking::activate::<T>(checkpoint, limits);
    }
}
