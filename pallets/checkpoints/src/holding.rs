//! Announcing and retracting that an operator holds the weights of a checkpoint.

use crate::{Config, Error, Event, Holders, Holding, HoldingOf, Pallet};
use alloc::vec::Vec;
use frame_support::{ensure, pallet_prelude::DispatchResult};
use noema_interfaces::Operators;
use noema_protocol::CheckpointId;
use sp_core::H256;
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
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
}
