//! The interface to other pallets.

use crate::{Canonical, Checkpoints, Config, Error, Pallet, Provenance, Status, Weights};
use frame_support::{defensive, ensure, storage::with_storage_layer};
use noema_interfaces::Trained;
use noema_protocol::{CheckpointId, FamilyId, ModelLimits, RoundId};
use sp_core::H256;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> noema_interfaces::Checkpoints for Pallet<T> {
    fn active(checkpoint: &CheckpointId) -> Option<ModelLimits> {
        let record = Checkpoints::<T>::get(checkpoint)?;
        (record.status == Status::Active).then_some(record.limits)
    }

    fn is_active(checkpoint: &CheckpointId) -> bool {
        Checkpoints::<T>::get(checkpoint).is_some_and(|record| record.status == Status::Active)
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

impl<T: Config> noema_interfaces::Lineage<T::AccountId> for Pallet<T> {
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
            if let Some(published) = Checkpoints::<T>::get(checkpoint) {
                let gives_way = published.publisher.is_some() && !published.was_canonical;
                ensure!(gives_way, Error::<T>::AlreadyRegistered);
                Self::erase_checkpoint(checkpoint, published)?;
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
                origin.limits,
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

    fn discard(checkpoint: CheckpointId, round: RoundId) {
        let Some(record) = Checkpoints::<T>::get(checkpoint) else {
            return;
        };
        let is_of_round =
            matches!(record.provenance, Provenance::Trained(trained) if trained.round == round);
        if !is_of_round || record.was_canonical {
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
            tokens_per_byte: 1,
            template_tokens: 0,
        };
        crate::benchmarking::activate::<T>(checkpoint, limits);
        let family = Checkpoints::<T>::mutate(checkpoint, |record| {
            let record = record.as_mut()?;
            record.was_canonical = true;
            Some(record.family)
        })
        .unwrap_or(FamilyId(0));
        Canonical::<T>::insert(family, checkpoint);
        family
    }
}
