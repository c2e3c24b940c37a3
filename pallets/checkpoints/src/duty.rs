//! Which calls are duties of hot keys, and until when.

use crate::{Call, Config, Error, Holders, Pallet};
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::Operators;
use noema_protocol::CheckpointId;
use pallet_duties::{AsDuty, Duty, STANDING};
use sp_runtime::{traits::Saturating, DispatchError};

impl<T: Config> AsDuty<T::AccountId, BlockNumberFor<T>> for Call<T> {
    fn as_duty(
        &self,
        key: &T::AccountId,
        _signed_at: BlockNumberFor<T>,
    ) -> Option<Result<Duty<BlockNumberFor<T>>, DispatchError>> {
        match self {
            Call::announce_holding { checkpoint, .. } => {
                Some(Pallet::<T>::announcement_duty(key, *checkpoint))
            }
            _ => None,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// An announcement is a duty where it is new: of the hot key of an operator that is not yet among the
    /// holders of the active checkpoint, while the list has room.
    fn announcement_duty(
        key: &T::AccountId,
        checkpoint: CheckpointId,
    ) -> Result<Duty<BlockNumberFor<T>>, DispatchError> {
        let controller = T::Operators::controller_of(key).ok_or(Error::<T>::NotAnOperator)?;
        ensure!(Self::is_bonded(&controller), Error::<T>::NotAnOperator);
        Self::active_record(checkpoint)?;
        let holders = Holders::<T>::get(checkpoint);
        let is_listed = holders.iter().any(|other| other.holder == controller);
        ensure!(!is_listed, Error::<T>::AlreadyHolding);
        ensure!(!holders.is_full(), Error::<T>::HoldersFull);
        let until = frame_system::Pallet::<T>::block_number().saturating_add(STANDING.into());
        Ok(Duty::new(
            "checkpoints/holding",
            (checkpoint, controller),
            until,
        ))
    }
}
