//! The interface to other pallets.

use crate::{
    BalanceOf, CandidateOf, Config, Event, Keys, Locks, Operators, Pallet, Served, Serving,
};
use alloc::vec::Vec;
use noema_interfaces::{
    Burden, Earning, KeepWork, Load, RecentWork, RecordWork, Selection, WorkCredit,
};
use noema_protocol::{CheckpointId, Job, Offence, Role};
use sp_core::H256;
use sp_runtime::{traits::Bounded, DispatchError};

impl<T: Config> noema_interfaces::Operators<T::AccountId, BalanceOf<T>> for Pallet<T> {
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

    fn candidate_for(
        role: Role,
        checkpoint: &CheckpointId,
        controller: &T::AccountId,
    ) -> Option<CandidateOf<T>> {
        Self::present_in(role, *checkpoint, controller)
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
        Self::lock_up_to(controller, job, amount, Bounded::max_value(), Burden::None)
    }

    fn lock_drawn(
        candidate: &CandidateOf<T>,
        job: Job,
        amount: BalanceOf<T>,
        burden: Burden,
    ) -> Result<(), DispatchError> {
        Self::lock_up_to(&candidate.controller, job, amount, candidate.bond, burden)
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
                operator.release(&job, amount);
            }
        });
    }

    fn change_load(controller: &T::AccountId, change: impl FnOnce(Load) -> Load) {
        Operators::<T>::mutate(controller, |operator| {
            if let Some(operator) = operator {
                operator.load = change(operator.load);
            }
        });
    }

    fn loads() -> Vec<(T::AccountId, Load)> {
        Operators::<T>::iter()
            .map(|(controller, operator)| (controller, operator.load))
            .collect()
    }

    fn check_backlog(controller: &T::AccountId) -> u64 {
        Operators::<T>::get(controller).map_or(0, |operator| operator.check_backlog)
    }

    fn change_check_backlog(controller: &T::AccountId, change: impl FnOnce(u64) -> u64) {
        Operators::<T>::mutate(controller, |operator| {
            if let Some(operator) = operator {
                operator.check_backlog = change(operator.check_backlog);
            }
        });
    }

    fn check_backlogs() -> Vec<(T::AccountId, u64)> {
        Operators::<T>::iter()
            .map(|(controller, operator)| (controller, operator.check_backlog))
            .collect()
    }

    fn slash(
        controller: &T::AccountId,
        job: Job,
        offence: Offence,
        amount: BalanceOf<T>,
        shares: &[(T::AccountId, BalanceOf<T>)],
    ) -> BalanceOf<T> {
        Self::do_slash(controller, job, offence, amount, shares)
    }

    fn spend(controller: &T::AccountId, job: Job, amount: BalanceOf<T>) -> BalanceOf<T> {
        Self::do_spend(controller, job, amount)
    }

    fn purse() -> T::AccountId {
        Self::purse_account()
    }

    fn credit(controller: &T::AccountId, job: Job, kind: Earning, amount: BalanceOf<T>) {
        Operators::<T>::mutate(controller, |operator| {
            if let Some(operator) = operator {
                operator.ledger.credit(kind, amount);
            }
        });
        let controller = controller.clone();
        Self::deposit_event(Event::Earned {
            controller,
            job,
            kind,
            amount,
        });
    }

    fn release_paid(
        controller: &T::AccountId,
        lock: Job,
        credit: WorkCredit<BalanceOf<T>>,
    ) -> bool {
        let WorkCredit {
            job,
            kind,
            amount,
            work,
            done,
        } = credit;
        let locked = Locks::<T>::take(controller, lock);
        let is_entered = Operators::<T>::mutate(controller, |operator| match operator {
            Some(operator) => {
                if let Some(locked) = locked {
                    operator.release(&lock, locked);
                }
                operator.ledger.credit(kind, amount);
                T::Work::record_recent(&mut operator.work, work, controller, done)
            }
            None => {
                T::Work::record(work, controller, done);
                false
            }
        });
        let controller = controller.clone();
        Self::deposit_event(Event::Earned {
            controller,
            job,
            kind,
            amount,
        });
        is_entered
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn shared_keys() -> Vec<Vec<u8>> {
        let own = crate::TermLength::<T>::hashed_key().to_vec();
        let of_work = T::Work::shared_keys().into_iter();
        core::iter::once(own).chain(of_work).collect()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn keys_of(controller: &T::AccountId, key: &T::AccountId) -> Vec<Vec<u8>> {
        [
            Operators::<T>::hashed_key_for(controller),
            Keys::<T>::hashed_key_for(key),
        ]
        .into()
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

impl<T: Config> KeepWork<T::AccountId> for Pallet<T> {
    fn recent(who: &T::AccountId) -> RecentWork {
        Operators::<T>::get(who)
            .map(|operator| operator.work)
            .unwrap_or_default()
    }

    fn forget(who: &T::AccountId, epoch: u32) {
        let Some(mut operator) = Operators::<T>::get(who) else {
            return;
        };
        if operator.work.epoch == epoch && operator.work != RecentWork::default() {
            operator.work = RecentWork::default();
            Operators::<T>::insert(who, operator);
        }
    }

    fn all_recent() -> Vec<(T::AccountId, RecentWork)> {
        Operators::<T>::iter()
            .map(|(controller, operator)| (controller, operator.work))
            .collect()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn keep(who: &T::AccountId, recent: RecentWork) {
        let key: T::AccountId = frame_benchmarking::account("key of", 0, 0);
        let checkpoint = CheckpointId(H256::zero());
        crate::benchmarking::register::<T>(who, &key, Role::Trainer, &checkpoint);
        Operators::<T>::mutate(who, |operator| {
            if let Some(operator) = operator {
                operator.work = recent;
            }
        });
    }
}
