//! Serving checkpoints: the prices, the beginning and the end, and the return from an absence.

use crate::{
    BalanceOf, Config, Error, Event, Idle, Keys, OperatorOf, Pallet, Presence, Served, Serving,
};
use frame_support::{ensure, pallet_prelude::DispatchResult, traits::Get};
use noema_interfaces::Checkpoints;
use noema_protocol::{CheckpointId, Prices};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_prices(
        controller: T::AccountId,
        prices: Prices<BalanceOf<T>>,
    ) -> DispatchResult {
        let now = Self::term();
        Self::try_mutate(&controller, |operator| {
            ensure!(operator.roles.worker, Error::<T>::NotAWorker);
            operator.prices.set(now, prices);
            Ok(())
        })?;
        Self::deposit_event(Event::PricesSet {
            controller,
            prices,
            from: now.notice(),
        });
        Ok(())
    }

    pub(crate) fn do_serve(controller: T::AccountId, checkpoint: CheckpointId) -> DispatchResult {
        let operator = Self::registered(&controller)?;
        ensure!(operator.withdrawable_at.is_none(), Error::<T>::Leaving);
        ensure!(
            T::Checkpoints::is_active(&checkpoint),
            Error::<T>::CheckpointNotActive
        );
        Served::<T>::try_mutate(&controller, |served| -> DispatchResult {
            let position = Serving::position(served, &checkpoint);
            ensure!(position.is_none(), Error::<T>::AlreadyServing);
            let mut serving = Serving::new(checkpoint);
            // An operator that cannot be drawn now enters the roster when it resumes.
            if Self::is_fit(&operator) {
                Self::enrol(&operator, &mut serving)?;
            }
            served
                .try_push(serving)
                .map_err(|_| Error::<T>::TooManyServed)?;
            Ok(())
        })?;
        Self::deposit_event(Event::ServingStarted {
            controller,
            checkpoint,
            from: Self::term().notice(),
        });
        Ok(())
    }

    pub(crate) fn do_stop_serving(
        controller: T::AccountId,
        checkpoint: CheckpointId,
    ) -> DispatchResult {
        let operator = Self::registered(&controller)?;
        let serving = Served::<T>::try_mutate_exists(&controller, |slot| {
            let mut served = slot.take().unwrap_or_default();
            let position = Serving::position(&served, &checkpoint);
            let serving = served.remove(position.ok_or(Error::<T>::NotServing)?);
            *slot = Some(served).filter(|served| !served.is_empty());
            Ok::<_, Error<T>>(serving)
        })?;
        Self::dismiss(&operator, &serving);
        Self::deposit_event(Event::ServingStopped {
            controller,
            checkpoint,
            from: Self::term().notice(),
        });
        Ok(())
    }

    pub(crate) fn do_follow_canonical(
        key: T::AccountId,
        checkpoint: CheckpointId,
    ) -> DispatchResult {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        let canonical = T::Checkpoints::canonical_of(&checkpoint);
        let canonical = canonical.filter(|canonical| *canonical != checkpoint);
        let canonical = canonical.ok_or(Error::<T>::NoSuccessor)?;
        Self::do_stop_serving(controller.clone(), checkpoint)?;
        let served = Served::<T>::get(&controller);
        if Serving::position(&served, &canonical).is_some() {
            return Ok(());
        }
        Self::do_serve(controller, canonical)
    }

    pub(crate) fn do_resume(key: T::AccountId) -> DispatchResult {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        let from = Self::term().notice();
        let operator = Self::try_mutate(&controller, |operator| {
            Self::check_return(operator)?;
            operator.presence = Presence::From(from);
            Ok(operator.clone())
        })?;
        Self::reweigh(&controller, &operator)?;
        Self::deposit_event(Event::Resumed { controller, from });
        Ok(())
    }

    /// Refuses an operator that may not resume.
    pub(crate) fn check_return(operator: &OperatorOf<T>) -> Result<(), Error<T>> {
        ensure!(operator.is_absent(), Error::<T>::NotAbsent);
        ensure!(operator.withdrawable_at.is_none(), Error::<T>::Leaving);
        ensure!(operator.bond >= T::MinBond::get(), Error::<T>::BondTooSmall);
        Ok(())
    }

    /// Whether an operator belongs in rosters: bonded with at least the least bond, not leaving, not
    /// absent.
    pub(crate) fn is_fit(operator: &OperatorOf<T>) -> bool {
        matches!(Self::idle(operator), None | Some(Idle::Returning))
    }

    /// The reason for which an operator is not drawn in the present term.
    pub(crate) fn idle(operator: &OperatorOf<T>) -> Option<Idle> {
        if operator.withdrawable_at.is_some() {
            Some(Idle::Leaving)
        } else if operator.bond < T::MinBond::get() {
            Some(Idle::Suspended)
        } else if operator.is_absent() {
            Some(Idle::Absent)
        } else if !operator.is_present(Self::term()) {
            Some(Idle::Returning)
        } else {
            None
        }
    }
}
