//! What other pallets may ask.

use crate::{Canonical, Checkpoints, Config, Error, Families, Pallet, Provenance, Status, Weights};
use frame_support::{defensive, ensure, storage::with_storage_layer};
use noema_protocol::{
    interfaces::{self, ModelLimits, Trained},
    CheckpointId, FamilyId,
};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

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

    fn canonical_of(checkpoint: &CheckpointId) -> Option<CheckpointId> {
        Canonical::<T>::get(Checkpoints::<T>::get(checkpoint)?.family)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_active(checkpoint: CheckpointId, limits: ModelLimits) {
        crate::benchmarking::activate::<T>(checkpoint, limits);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn set_canonical_of(checkpoint: CheckpointId, canonical: CheckpointId) {
        if let Some(record) = Checkpoints::<T>::get(checkpoint) {
            Canonical::<T>::insert(record.family, canonical);
        }
    }
}

impl<T: Config> interfaces::Lineage<T::AccountId> for Pallet<T> {
    type Error = DispatchError;

    fn canonical(family: FamilyId) -> Option<CheckpointId> {
        Canonical::<T>::get(family)
    }

    fn holders(checkpoint: &CheckpointId) -> u32 {
        u32::try_from(Self::bonded_holders(*checkpoint).len()).unwrap_or(u32::MAX)
    }

    fn extend(
        parent: CheckpointId,
        checkpoint: CheckpointId,
        weights_root: H256,
        trained: Trained,
    ) -> DispatchResult {
        with_storage_layer(|| {
            let origin = Checkpoints::<T>::get(parent).ok_or(Error::<T>::UnknownParent)?;
            ensure!(checkpoint != parent, Error::<T>::AlreadyRegistered);
            if let Some(squatter) = Checkpoints::<T>::get(checkpoint) {
                let is_canonical = Canonical::<T>::get(squatter.family) == Some(checkpoint);
                ensure!(!is_canonical, Error::<T>::IsCanonical);
                ensure!(squatter.children == 0, Error::<T>::HasDescendants);
                Self::erase_checkpoint(checkpoint, squatter)?;
            }
            let weights = Weights {
                root: weights_root,
                bytes: origin.weights.bytes,
            };
            Self::record_checkpoint(
                checkpoint,
                origin.family,
                Some(parent),
                weights,
                origin.licence,
                Provenance::Trained(trained),
                None,
            )?;
            Ok(())
        })
    }

    fn promote(family: FamilyId, checkpoint: CheckpointId) -> DispatchResult {
        Self::do_set_canonical(family, checkpoint)
    }

    fn discard(checkpoint: CheckpointId) {
        let Some(record) = Checkpoints::<T>::get(checkpoint) else {
            return;
        };
        let is_canonical = Canonical::<T>::get(record.family) == Some(checkpoint);
        if is_canonical || record.children > 0 || record.publisher.is_some() {
            return;
        }
        if Self::erase_checkpoint(checkpoint, record).is_err() {
            defensive!("a checkpoint without a deposit is erased");
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn with_canonical(checkpoint: CheckpointId) -> FamilyId {
        let limits = ModelLimits {
            context_length: 1_024,
            vocabulary: 1_024,
        };
        crate::benchmarking::activate::<T>(checkpoint, limits);
        let family = Checkpoints::<T>::get(checkpoint).map_or(FamilyId(0), |record| record.family);
        Canonical::<T>::insert(family, checkpoint);
        family
    }
}
