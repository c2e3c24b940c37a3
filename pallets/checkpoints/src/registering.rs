//! Registering checkpoints, with their place in the lineage.

use crate::{
    BalanceOf, Checkpoint, CheckpointOf, Checkpoints, Config, Error, Event, Families, HoldReason,
    Pallet, Provenance, Status, TokenBounds, Weights,
};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{fungible::hold::Mutate, Get},
    BoundedVec,
};
use noema_protocol::{CheckpointId, FamilyId, ModelLimits};

impl<T: Config> Pallet<T> {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn do_register_checkpoint(
        publisher: T::AccountId,
        checkpoint: CheckpointId,
        family: FamilyId,
        parent: Option<CheckpointId>,
        weights: Weights,
        tokens: TokenBounds,
        licence: BoundedVec<u8, T::MaxLicence>,
        provenance: Provenance,
    ) -> DispatchResult {
        ensure!(
            !Checkpoints::<T>::contains_key(checkpoint),
            Error::<T>::AlreadyRegistered
        );
        ensure!(weights.bytes > 0, Error::<T>::NoWeights);
        ensure!(Self::is_text(&licence), Error::<T>::LicenceNotText);
        let shape = Families::<T>::get(family).ok_or(Error::<T>::UnknownFamily)?;
        let limits = shape.architecture.limits(tokens);
        ensure!(limits.leave_room(), Error::<T>::NoRoomForAnswer);
        let deposit = T::CheckpointDeposit::get();
        T::Currency::hold(&HoldReason::CheckpointDeposit.into(), &publisher, deposit)?;
        Self::record_checkpoint(
            checkpoint,
            family,
            parent,
            weights,
            limits,
            licence,
            provenance,
            Some((publisher, deposit)),
        )?;
        Ok(())
    }

    /// Adds a checkpoint to its family and to the children of its parent.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn record_checkpoint(
        checkpoint: CheckpointId,
        family: FamilyId,
        parent: Option<CheckpointId>,
        weights: Weights,
        limits: ModelLimits,
        licence: BoundedVec<u8, T::MaxLicence>,
        provenance: Provenance,
        deposit: Option<(T::AccountId, BalanceOf<T>)>,
    ) -> Result<(), Error<T>> {
        Self::count_checkpoint(family)?;
        let generation = match parent {
            Some(parent) => Self::count_child(family, parent)?,
            None => 0,
        };
        let (publisher, deposit) = deposit.unzip();
        let record = Checkpoint {
            family,
            parent,
            generation,
            children: 0,
            weights,
            limits,
            licence,
            provenance,
            publisher: publisher.clone(),
            deposit: deposit.unwrap_or_default(),
            status: Status::Active,
            was_canonical: false,
            registered_at: frame_system::Pallet::<T>::block_number(),
        };
        Checkpoints::<T>::insert(checkpoint, record);
        Self::deposit_event(Event::CheckpointRegistered {
            checkpoint,
            family,
            parent,
            publisher,
        });
        Ok(())
    }

    fn count_checkpoint(family: FamilyId) -> Result<(), Error<T>> {
        Families::<T>::try_mutate(family, |family| {
            let family = family.as_mut().ok_or(Error::<T>::UnknownFamily)?;
            family.checkpoints = family
                .checkpoints
                .checked_add(1)
                .ok_or(Error::<T>::CountOverflow)?;
            Ok(())
        })
    }

    /// Counts a child of `parent` and returns its generation.
    fn count_child(family: FamilyId, parent: CheckpointId) -> Result<u32, Error<T>> {
        Checkpoints::<T>::try_mutate(parent, |parent| {
            let parent = parent.as_mut().ok_or(Error::<T>::UnknownParent)?;
            ensure!(parent.family == family, Error::<T>::ParentOfOtherFamily);
            ensure!(parent.was_canonical, Error::<T>::ParentNeverCanonical);
            parent.children = parent
                .children
                .checked_add(1)
                .ok_or(Error::<T>::CountOverflow)?;
            parent
                .generation
                .checked_add(1)
                .ok_or(Error::<T>::CountOverflow)
        })
    }

    pub(crate) fn active_record(checkpoint: CheckpointId) -> Result<CheckpointOf<T>, Error<T>> {
        let record = Checkpoints::<T>::get(checkpoint).ok_or(Error::<T>::UnknownCheckpoint)?;
        ensure!(record.status == Status::Active, Error::<T>::Withdrawn);
        Ok(record)
    }
}
