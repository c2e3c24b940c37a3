//! The calls, after their origin is checked.

use crate::{
    Architecture, BalanceOf, Canonical, Checkpoint, CheckpointOf, Checkpoints, Config, Error,
    Event, Families, Family, FamilyNames, HoldReason, Holders, Holding, NextFamily, Pallet,
    Provenance, Status, TokenBounds, Weights,
};
use frame_support::{
    ensure,
    pallet_prelude::DispatchResult,
    traits::{fungible::hold::Mutate, tokens::Precision, Get},
    BoundedVec,
};
use noema_protocol::{CheckpointId, FamilyId};
use sp_core::H256;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register_family(
        owner: T::AccountId,
        name: BoundedVec<u8, T::MaxName>,
        architecture: Architecture,
        tokenizer_hash: H256,
        numerics_version: u32,
    ) -> DispatchResult {
        ensure!(Self::is_text(&name), Error::<T>::NameNotText);
        ensure!(
            !FamilyNames::<T>::contains_key(&name),
            Error::<T>::NameTaken
        );
        ensure!(
            architecture.is_possible(),
            Error::<T>::ArchitectureImpossible
        );
        let family = NextFamily::<T>::try_mutate(|next| {
            let family = *next;
            next.0 = family.0.checked_add(1).ok_or(Error::<T>::CountOverflow)?;
            Ok::<_, Error<T>>(family)
        })?;
        let deposit = T::FamilyDeposit::get();
        T::Currency::hold(&HoldReason::FamilyDeposit.into(), &owner, deposit)?;
        FamilyNames::<T>::insert(&name, family);
        let record = Family {
            name: name.clone(),
            architecture,
            tokenizer_hash,
            numerics_version,
            owner: owner.clone(),
            deposit,
            checkpoints: 0,
        };
        Families::<T>::insert(family, record);
        Self::deposit_event(Event::FamilyRegistered {
            family,
            name,
            owner,
        });
        Ok(())
    }

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
            tokens,
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
        tokens: TokenBounds,
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
            tokens,
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

    pub(crate) fn do_remove_family(owner: T::AccountId, family: FamilyId) -> DispatchResult {
        let record = Families::<T>::get(family).ok_or(Error::<T>::UnknownFamily)?;
        ensure!(record.owner == owner, Error::<T>::NotOwner);
        ensure!(record.checkpoints == 0, Error::<T>::FamilyInUse);
        let reason = HoldReason::FamilyDeposit.into();
        T::Currency::release(&reason, &owner, record.deposit, Precision::Exact)?;
        FamilyNames::<T>::remove(record.name);
        Families::<T>::remove(family);
        Self::deposit_event(Event::FamilyRemoved { family });
        Ok(())
    }

    pub(crate) fn do_set_canonical(family: FamilyId, checkpoint: CheckpointId) -> DispatchResult {
        ensure!(
            Families::<T>::contains_key(family),
            Error::<T>::UnknownFamily
        );
        let mut record = Self::active_record(checkpoint)?;
        ensure!(record.family == family, Error::<T>::OfOtherFamily);
        let previous = Canonical::<T>::get(family);
        ensure!(previous != Some(checkpoint), Error::<T>::IsCanonical);
        Canonical::<T>::insert(family, checkpoint);
        record.was_canonical = true;
        Checkpoints::<T>::insert(checkpoint, record);
        Self::deposit_event(Event::CanonicalSet {
            family,
            previous,
            checkpoint,
        });
        Ok(())
    }

    pub(crate) fn do_announce_holding(
        who: T::AccountId,
        checkpoint: CheckpointId,
        blob: H256,
    ) -> DispatchResult {
        let holder = Self::operator_of(who);
        ensure!(Self::is_bonded(&holder), Error::<T>::NotAnOperator);
        Self::active_record(checkpoint)?;
        Holders::<T>::try_mutate(checkpoint, |holders| {
            if let Some(listed) = holders.iter_mut().find(|other| other.holder == holder) {
                ensure!(listed.blob != blob, Error::<T>::AlreadyHolding);
                listed.blob = blob;
                return Ok(());
            }
            if holders.is_full() {
                holders.retain(|other| Self::is_bonded(&other.holder));
            }
            let holding = Holding {
                holder: holder.clone(),
                blob,
            };
            holders
                .try_push(holding)
                .map_err(|_| Error::<T>::HoldersFull)
        })?;
        Self::deposit_event(Event::HoldingAnnounced {
            checkpoint,
            holder,
            blob,
        });
        Ok(())
    }

    pub(crate) fn do_retract_holding(
        who: T::AccountId,
        checkpoint: CheckpointId,
    ) -> DispatchResult {
        let holder = Self::operator_of(who);
        Holders::<T>::try_mutate_exists(checkpoint, |slot| {
            let mut holders = slot.take().unwrap_or_default();
            let index = holders.iter().position(|other| other.holder == holder);
            holders.remove(index.ok_or(Error::<T>::NotHolding)?);
            *slot = Some(holders).filter(|holders| !holders.is_empty());
            Ok::<_, Error<T>>(())
        })?;
        Self::deposit_event(Event::HoldingRetracted { checkpoint, holder });
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

    fn published_by(
        publisher: Option<&T::AccountId>,
        checkpoint: CheckpointId,
    ) -> Result<CheckpointOf<T>, Error<T>> {
        let record = Checkpoints::<T>::get(checkpoint).ok_or(Error::<T>::UnknownCheckpoint)?;
        let theirs = publisher.is_none_or(|publisher| record.publisher.as_ref() == Some(publisher));
        ensure!(theirs, Error::<T>::NotPublisher);
        Ok(record)
    }

    fn is_text(bytes: &[u8]) -> bool {
        !bytes.is_empty() && core::str::from_utf8(bytes).is_ok()
    }
}
