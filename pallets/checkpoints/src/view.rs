//! The view functions that are more than a read of the storage.

use crate::{Checkpoints, Config, Pallet};
use alloc::vec::Vec;
use core::iter;
use frame_support::traits::Get;
use noema_protocol::CheckpointId;
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
    pub(crate) fn walk_lineage(checkpoint: CheckpointId) -> Vec<CheckpointId> {
        let parent_of = |id: &CheckpointId| Checkpoints::<T>::get(id)?.parent;
        let start = Checkpoints::<T>::contains_key(checkpoint).then_some(checkpoint);
        let most = T::MaxLineage::get().saturated_into();
        iter::successors(start, parent_of).take(most).collect()
    }
}
