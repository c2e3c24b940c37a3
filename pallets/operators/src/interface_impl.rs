//! The interface to other pallets.

use crate::{
    BalanceOf, CandidateOf, Config, Error, Event, HoldReason, Keys, Locks, OperatorOf, Operators,
    Pallet, Presence, Served, Serving,
};
use alloc::vec::Vec;
use frame_support::{
    ensure,
    traits::{
        fungible::hold::Mutate,
        tokens::{Fortitude, Precision, Restriction},
        Get,
    },
};
use noema_protocol::{
    interfaces::{self, Earning, Offence, Role, Selection},
    CheckpointId, Job,
};
use sp_core::H256;
use sp_runtime::{
    traits::{Bounded, CheckedAdd, Saturating, Zero},
    DispatchError,
};

impl<T: Config> interfaces::Operators<T::AccountId, BalanceOf<T>> for Pallet<T> {
    type Error = DispatchError;

    fn controller_of(key: &T::AccountId) -> Option<T::AccountId> {
        Keys::<T>::get(key)
    }

    fn draw(
        role: Role,
        checkpoint: &CheckpointId,
        randomness: H256,
        wanted: u32,
        suits: impl FnMut(&CandidateOf<T>) -> bool,
    ) -> Selection<T::AccountId, BalanceOf<T>> {
        Self::draw_present(role, *checkpoint, randomness, wanted, suits)
    }

    fn roster(role: Role, checkpoint: &CheckpointId) -> Vec<CandidateOf<T>> {
        let present = Self::present(role, checkpoint);
        present
            .into_iter()
            .map(|(candidate, _)| candidate)
            .collect()
    }

    fn serves(role: Role, checkpoint: &CheckpointId, controller: &T::AccountId) -> bool {
        let served = Served::<T>::get(controller);
        Serving::position(&served, checkpoint).is_some()
            && Operators::<T>::get(controller).is_some_and(|operator| operator.roles.contains(role))
    }

    fn live_bond(role: Role, controller: &T::AccountId) -> Option<BalanceOf<T>> {
        let operator = Operators::<T>::get(controller)?;
        let is_live = operator.roles.contains(role) && Self::idle(&operator).is_none();
        is_live.then_some(operator.bond)
    }

    fn bond(controller: &T::AccountId) -> BalanceOf<T> {
        Self::bond_of(controller)
    }

    fn lock(
        controller: &T::AccountId,
        job: Job,
        amount: BalanceOf<T>,
    ) -> Result<(), DispatchError> {
        Self::lock_up_to(controller, job, amount, Bounded::max_value())
    }

    fn lock_drawn(
        candidate: &CandidateOf<T>,
        job: Job,
        amount: BalanceOf<T>,
    ) -> Result<(), DispatchError> {
        Self::lock_up_to(&candidate.controller, job, amount, candidate.bond)
    }

    fn locked(controller: &T::AccountId, job: Job) -> Option<BalanceOf<T>> {
        Locks::<T>::get(controller, job)
    }

    fn jobs(controller: &T::AccountId) -> Vec<Job> {
        Locks::<T>::iter_key_prefix(controller).collect()
    }

    fn release(controller: &T::AccountId, job: Job) {
        let Some(amount) = Locks::<T>::take(controller, job) else {
            return;
        };
        Operators::<T>::mutate(controller, |operator| {
            if let Some(operator) = operator {
                operator.locked = operator.locked.saturating_sub(amount);
                operator.locks = operator.locks.saturating_sub(1);
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
        let locked = Locks::<T>::get(controller, job).unwrap_or_else(Zero::zero);
        let amount = amount.min(locked);
        let before = operator.bond;
        let was_absent = operator.is_absent();
        let paid = Self::pay_from_bond(controller, job, &mut operator, amount, shares);
        let burned = Self::burn_from_bond(controller, &mut operator, amount.saturating_sub(paid));
        let taken = paid.saturating_add(burned);
        let bond = operator.bond;
        operator.locked = operator.locked.saturating_sub(taken);
        operator.presence = Presence::AbsentSince(Self::now());
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
        Self::enter(controller, taken, |ledger| [&mut ledger.slashed]);
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

    fn purse() -> T::AccountId {
        Self::purse_account()
    }

    fn credit(controller: &T::AccountId, job: Job, kind: Earning, amount: BalanceOf<T>) {
        Self::enter(controller, amount, |ledger| {
            let of_kind = match kind {
                Earning::Answer => &mut ledger.answers,
                Earning::Check => &mut ledger.checks,
                Earning::Dispute => &mut ledger.disputes,
            };
            [&mut ledger.payable, of_kind]
        });
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
    /// Locks `amount` behind a job unless all locks together would exceed the bond or `most`.
    fn lock_up_to(
        controller: &T::AccountId,
        job: Job,
        amount: BalanceOf<T>,
        most: BalanceOf<T>,
    ) -> Result<(), DispatchError> {
        Self::try_mutate(controller, |operator| {
            let is_locked = Locks::<T>::contains_key(controller, job);
            ensure!(!is_locked, Error::<T>::AlreadyLocked);
            let locked = operator.locked.checked_add(&amount);
            operator.locked = locked
                .filter(|locked| *locked <= operator.bond.min(most))
                .ok_or(Error::<T>::BondExhausted)?;
            operator.locks = operator.locks.saturating_add(1);
            Locks::<T>::insert(controller, job, amount);
            Ok(())
        })
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
                <Self as interfaces::Operators<_, _>>::credit(
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
