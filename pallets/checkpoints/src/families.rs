//! Families: registering and removing them, and their canonical checkpoints.

use crate::{
    Architecture, Canonical, Checkpoints, Config, Error, Event, Families, Family, FamilyNames,
    HoldReason, NextFamily, Pallet,
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
        text_layer: u32,
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
            text_layer,
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

    pub(crate) fn is_text(bytes: &[u8]) -> bool {
        !bytes.is_empty() && core::str::from_utf8(bytes).is_ok()
    }
}
