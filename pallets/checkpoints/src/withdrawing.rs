//! Withdrawing checkpoints and removing their records.

use crate::{
    Canonical, CheckpointOf, Checkpoints, Config, Error, Event, Families, HoldReason, Holders,
    Pallet, Status,
};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{fungible::hold::Mutate, tokens::Precision, EnsureOrigin},
};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
use noema_protocol::CheckpointId;
use sp_runtime::traits::BadOrigin;

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

    /// `publisher` is `None` where the origin may decide about the checkpoints of others.
    pub(crate) fn do_withdraw_checkpoint(
        publisher: Option<T::AccountId>,
        checkpoint: CheckpointId,
    ) -> DispatchResult {
        let mut record = Self::published_by(publisher.as_ref(), checkpoint)?;
        ensure!(record.status == Status::Active, Error::<T>::Withdrawn);
        let canonical = Canonical::<T>::get(record.family);
        ensure!(canonical != Some(checkpoint), Error::<T>::IsCanonical);
        record.status = Status::Withdrawn;
        Checkpoints::<T>::insert(checkpoint, record);
        Holders::<T>::remove(checkpoint);
        let forced = publisher.is_none();
        Self::deposit_event(Event::CheckpointWithdrawn { checkpoint, forced });
        Ok(())
    }

    /// `publisher` is `None` where the origin may decide about the checkpoints of others.
    pub(crate) fn do_remove_checkpoint(
        publisher: Option<T::AccountId>,
        checkpoint: CheckpointId,
    ) -> DispatchResult {
        let record = Self::published_by(publisher.as_ref(), checkpoint)?;
        ensure!(record.status == Status::Withdrawn, Error::<T>::StillActive);
        ensure!(record.children == 0, Error::<T>::HasDescendants);
        Self::erase_checkpoint(checkpoint, record)
    }

    /// Removes a record without children and releases its deposit.
    pub(crate) fn erase_checkpoint(
        checkpoint: CheckpointId,
        record: CheckpointOf<T>,
    ) -> DispatchResult {
        if let Some(publisher) = record.publisher {
            let reason = HoldReason::CheckpointDeposit.into();
            T::Currency::release(&reason, &publisher, record.deposit, Precision::Exact)?;
        }
        Families::<T>::mutate(record.family, |family| {
            if let Some(family) = family {
                family.checkpoints = family.checkpoints.saturating_sub(1);
            }
        });
        if let Some(parent) = record.parent {
            Checkpoints::<T>::mutate(parent, |parent| {
                if let Some(parent) = parent {
                    parent.children = parent.children.saturating_sub(1);
                }
            });
        }
        Holders::<T>::remove(checkpoint);
        Checkpoints::<T>::remove(checkpoint);
        Self::deposit_event(Event::CheckpointRemoved { checkpoint });
        Ok(())
    }

    fn published_by(
        publisher: Option<&T::AccountId>,
        checkpoint: CheckpointId,
    ) -> Result<CheckpointOf<T>, Error<T>> {
        let record = Checkpoints::<T>::get(checkpoint).ok_or(Error::<T>::UnknownCheckpoint)?;
        let theirs = publisher.is_none_or(|publisher| record.publisher.as_ref() == Some(publisher));
        ensure!(theirs, Error::<T>::NotPublisher);
        Ok(record)
    }
}
