//! Slashing bonds.

use crate::{BalanceOf, Config, Event, HoldReason, Locks, OperatorOf, Operators, Pallet, Presence};
use frame_support::traits::{
    fungible::hold::Mutate,
    tokens::{Fortitude, Precision, Restriction},
    Get,
};
use noema_interfaces::Earning;
use noema_protocol::{Job, Offence};
use sp_runtime::traits::{Saturating, Zero};

impl<T: Config> Pallet<T> {
    /// Takes up to `amount` from the part of a bond that is locked behind a job, pays `shares` from it and
    /// burns the rest. Marks the operator absent. Returns the amount taken.
    pub(crate) fn do_slash(
        controller: &T::AccountId,
        job: Job,
        offence: Offence,
        amount: BalanceOf<T>,
        shares: &[(T::AccountId, BalanceOf<T>)],
    ) -> BalanceOf<T> {
        let Some(mut operator) = Operators::<T>::get(controller) else {
            return Zero::zero();
        };
        let locked = Locks::<T>::get(controller, job).unwrap_or_else(Zero::zero);
        let amount = amount.min(locked);
        let before = operator.bond;
        let was_absent = operator.is_absent();
        let paid = Self::pay_from_bond(controller, job, &mut operator, amount, shares);
        let burned = Self::burn_from_bond(controller, &mut operator, amount.saturating_sub(paid));
        let taken = paid.saturating_add(burned);
        let bond = operator.bond;
        operator.unlock(&job, taken);
        operator.presence = Presence::AbsentSince(Self::now());
        operator.ledger.slashed = operator.ledger.slashed.saturating_add(taken);
        Operators::<T>::insert(controller, operator);
        Locks::<T>::mutate_exists(controller, job, |lock| {
            if let Some(locked) = lock {
                *locked = locked.saturating_sub(taken);
            }
        });
        if !was_absent {
            let controller = controller.clone();
            Self::deposit_event(Event::MarkedAbsent { controller });
        }
        if taken.is_zero() {
            return taken;
        }
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

    /// Burns up to `amount` of the part of a bond that is locked behind a job, which is no offence. Returns the burned
    /// amount.
    pub(crate) fn do_spend(
        controller: &T::AccountId,
        job: Job,
        amount: BalanceOf<T>,
    ) -> BalanceOf<T> {
        let Some(mut operator) = Operators::<T>::get(controller) else {
            return Zero::zero();
        };
        let locked = Locks::<T>::get(controller, job).unwrap_or_else(Zero::zero);
        let burned = Self::burn_from_bond(controller, &mut operator, amount.min(locked));
        if burned.is_zero() {
            return burned;
        }
        let bond = operator.bond;
        operator.unlock(&job, burned);
        Operators::<T>::insert(controller, operator);
        Locks::<T>::insert(controller, job, locked.saturating_sub(burned));
        Self::deposit_event(Event::Spent {
            controller: controller.clone(),
            job,
            amount: burned,
            bond,
        });
        burned
    }

    /// Pays each of `shares` from the bond, as far as `amount` reaches. A share of the operator itself is not
    /// paid, nor one that would leave its account below the existential deposit.
    fn pay_from_bond(
        controller: &T::AccountId,
        job: Job,
        operator: &mut OperatorOf<T>,
        amount: BalanceOf<T>,
        shares: &[(T::AccountId, BalanceOf<T>)],
    ) -> BalanceOf<T> {
        let mut paid = BalanceOf::<T>::zero();
        for (beneficiary, share) in shares.iter().filter(|(who, _)| who != controller) {
            let left = amount.saturating_sub(paid).min(operator.bond);
            let is_operator = Operators::<T>::contains_key(beneficiary);
            let to = if is_operator {
                Self::purse_account()
            } else {
                beneficiary.clone()
            };
            let moved = T::Currency::transfer_on_hold(
                &HoldReason::Bond.into(),
                controller,
                &to,
                left.min(*share),
                Precision::BestEffort,
                Restriction::Free,
                Fortitude::Force,
            )
            .unwrap_or_else(|_| Zero::zero());
            operator.bond = operator.bond.saturating_sub(moved);
            paid = paid.saturating_add(moved);
            if is_operator && !moved.is_zero() {
                <Self as noema_interfaces::Operators<_, _>>::credit(
                    beneficiary,
                    job,
                    Earning::Dispute,
                    moved,
                );
            }
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
