//! Functions that several calls and views share.

use crate::{Checkpoints, Config, Holders, HoldingOf, Pallet};
use alloc::vec::Vec;
use core::iter;
use frame_support::traits::{EnsureOrigin, Get};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
use noema_protocol::{interfaces::Operators, CheckpointId};
use sp_runtime::{
    traits::{BadOrigin, Zero},
    SaturatedConversion,
};

impl<T: Config> Pallet<T> {
    /// The signed account, or `None` for an origin that may decide about the checkpoints of others.
    pub(crate) fn publisher_or_force(
        origin: OriginFor<T>,
    ) -> Result<Option<T::AccountId>, BadOrigin> {
        match T::ForceOrigin::try_origin(origin) {
            Ok(_) => Ok(None),
            Err(origin) => ensure_signed(origin).map(Some),
        }
    }

    /// The operator that `who` submits for; `who` itself if it is no hot key.
    pub(crate) fn operator_of(who: T::AccountId) -> T::AccountId {
        T::Operators::controller_of(&who).unwrap_or(who)
    }

    pub(crate) fn is_bonded(controller: &T::AccountId) -> bool {
        !T::Operators::bond(controller).is_zero()
    }

    pub(crate) fn bonded_holders(checkpoint: CheckpointId) -> Vec<HoldingOf<T>> {
        let holders = Holders::<T>::get(checkpoint).into_iter();
        holders
            .filter(|other| Self::is_bonded(&other.holder))
            .collect()
    }

    pub(crate) fn walk_lineage(checkpoint: CheckpointId) -> Vec<CheckpointId> {
        let parent_of = |id: &CheckpointId| Checkpoints::<T>::get(id)?.parent;
        let start = Checkpoints::<T>::contains_key(checkpoint).then_some(checkpoint);
        let most = T::MaxLineage::get().saturated_into();
        iter::successors(start, parent_of).take(most).collect()
    }
}
