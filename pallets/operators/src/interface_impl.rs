//! What other pallets may ask and do.

use crate::{
    BalanceOf, Config, Error, Event, HoldReason, Keys, OperatorOf, Operators, Pallet, Reason,
};
use alloc::vec::Vec;
use frame_support::{
    defensive, ensure,
    traits::{
        fungible::hold::Mutate,
        tokens::{Fortitude, Precision, Restriction},
        Get,
    },
};
use noema_protocol::{
    interfaces::{self, Candidate, Earning, Offence, Role},
    CheckpointId, Job,
};
use sp_runtime::{
    traits::{Saturating, Zero},
    DispatchError,
};

impl<T: Config> interfaces::Operators<T::AccountId, BalanceOf<T>> for Pallet<T> {
    type Error = DispatchError;

    fn controller_of(key: &T::AccountId) -> Option<T::AccountId> {
        Keys::<T>::get(key)
    }

    fn candidates(
        role: Role,
        checkpoint: &CheckpointId,
    ) -> Vec<Candidate<T::AccountId, BalanceOf<T>>> {
        Self::live(role, checkpoint)
    }

    fn max_candidates() -> u32 {
        T::MaxServers::get()
    }

    fn live_bond(role: Role, controller: &T::AccountId) -> Option<BalanceOf<T>> {
        let operator = Operators::<T>::get(controller)?;
        let is_live = operator.roles.contains(role) && Self::idle(&operator).is_none();
        is_live.then_some(operator.bond)
    }

    fn bond(controller: &T::AccountId) -> BalanceOf<T> {
        Self::bond_of(controller)
    }

    fn engage(controller: &T::AccountId) -> Result<(), DispatchError> {
        Self::try_mutate(controller, |operator| {
            ensure!(operator.withdrawable_at.is_none(), Error::<T>::Leaving);
            ensure!(
                operator.engagements < T::MaxEngagements::get(),
                Error::<T>::FullyEngaged
            );
            operator.engagements = operator.engagements.saturating_add(1);
            Ok(())
        })
    }

    fn release(controller: &T::AccountId) {
        Operators::<T>::mutate(controller, |operator| {
            let engaged = operator.as_mut().and_then(|operator| {
                operator.engagements = operator.engagements.checked_sub(1)?;
                Some(())
            });
            if engaged.is_none() {
                defensive!("released an operator that was not engaged");
            }
        });
    }

    fn slash(
        controller: &T::AccountId,
        job: Job,
        offence: Offence,
        amount: BalanceOf<T>,
        shares: &[(T::AccountId, BalanceOf<T>)],
    ) -> BalanceOf<T> {
        let Some(mut operator) = Operators::<T>::get(controller) else {
            return Zero::zero();
        };
        let before = operator.bond;
        let paid = Self::pay_from_bond(controller, &mut operator, amount, shares);
        let burned = Self::burn_from_bond(controller, &mut operator, amount.saturating_sub(paid));
        let taken = paid.saturating_add(burned);
        let bond = operator.bond;
        Operators::<T>::insert(controller, operator);
        if taken.is_zero() {
            return taken;
        }
        Self::enter(controller, job, Reason::Lost(offence), taken, |ledger| {
            &mut ledger.slashed
        });
        let controller = controller.clone();
        let suspended = before >= T::MinBond::get() && bond < T::MinBond::get();
        Self::deposit_event(Event::Slashed {
            controller: controller.clone(),
            job,
            offence,
            paid,
            burned,
            bond,
        });
        if suspended {
            Self::deposit_event(Event::Suspended { controller, bond });
        }
        taken
    }

    fn note_earning(controller: &T::AccountId, job: Job, kind: Earning, amount: BalanceOf<T>) {
        if !Operators::<T>::contains_key(controller) {
            return;
        }
        Self::enter(
            controller,
            job,
            Reason::Earned(kind),
            amount,
            |ledger| match kind {
                Earning::Answer => &mut ledger.answers,
                Earning::Check => &mut ledger.checks,
                Earning::Dispute => &mut ledger.disputes,
            },
        );
        let controller = controller.clone();
        Self::deposit_event(Event::Earned {
            controller,
            job,
            kind,
            amount,
        });
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register(
        controller: &T::AccountId,
        key: &T::AccountId,
        role: Role,
        checkpoint: &CheckpointId,
    ) {
        crate::benchmarking::register::<T>(controller, key, role, checkpoint);
    }
}

impl<T: Config> Pallet<T> {
    /// Pays each of `shares` from the bond, as far as `amount` reaches. Not paid are a share of the
    /// operator itself and one whose account would be too poor to exist.
    fn pay_from_bond(
        controller: &T::AccountId,
        operator: &mut OperatorOf<T>,
        amount: BalanceOf<T>,
        shares: &[(T::AccountId, BalanceOf<T>)],
    ) -> BalanceOf<T> {
        let mut paid = BalanceOf::<T>::zero();
        for (beneficiary, share) in shares.iter().filter(|(who, _)| who != controller) {
            let left = amount.saturating_sub(paid).min(operator.bond);
            let moved = T::Currency::transfer_on_hold(
                &HoldReason::Bond.into(),
                controller,
                beneficiary,
                left.min(*share),
                Precision::BestEffort,
                Restriction::Free,
                Fortitude::Force,
            )
            .unwrap_or_else(|_| Zero::zero());
            operator.bond = operator.bond.saturating_sub(moved);
            paid = paid.saturating_add(moved);
        }
        paid
    }

    /// Destroys up to `amount` of the bond.
    fn burn_from_bond(
        controller: &T::AccountId,
        operator: &mut OperatorOf<T>,
        amount: BalanceOf<T>,
    ) -> BalanceOf<T> {
        let burned = T::Currency::burn_held(
            &HoldReason::Bond.into(),
            controller,
            amount.min(operator.bond),
            Precision::BestEffort,
            Fortitude::Force,
        )
        .unwrap_or_else(|_| Zero::zero());
        operator.bond = operator.bond.saturating_sub(burned);
        burned
    }
}
