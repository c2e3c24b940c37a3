//! The view functions that are more than a read of the storage.

use crate::{
    Books, Claimable, Config, CurrentEpoch, Epochs, Pallet, PendingReward, RunningEpoch,
    RunningWork, ScheduledEpoch, Supply, Terms,
};
use frame_support::traits::{fungible::Inspect, Get};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_economics::{split, Balance};
use noema_protocol::PerWork;
use sp_runtime::traits::{One, Saturating};

impl<T: Config> Pallet<T> {
    pub(crate) fn reward_of(account: &T::AccountId) -> PendingReward<BlockNumberFor<T>> {
        let current = CurrentEpoch::<T>::get();
        let oldest = current.saturating_sub(T::ClaimWindow::get());
        let epochs: alloc::vec::Vec<_> = (oldest..current)
            .filter_map(|epoch| Self::claimable_of(account, epoch))
            .collect();
        PendingReward {
            total: epochs.iter().fold(0 as Balance, |sum, claimable| {
                sum.saturating_add(claimable.reward)
            }),
            epochs,
            running: Self::work_of(account, current),
        }
    }

    fn claimable_of(account: &T::AccountId, epoch: u32) -> Option<Claimable<BlockNumberFor<T>>> {
        let terms = Terms::<T>::get()?;
        let work = Self::work_of(account, epoch);
        if work == PerWork::default() {
            return None;
        }
        let closed = Epochs::<T>::get(epoch)?;
        let expires = epoch
            .saturating_add(T::ClaimWindow::get())
            .saturating_add(1);
        Some(Claimable {
            epoch,
            work,
            all_work: closed.work,
            pools: closed.pools,
            reward: closed.reward(&work),
            claimable_to: Self::first_block(&terms, expires).saturating_sub(One::one()),
        })
    }

    pub(crate) fn scheduled(epoch: u32) -> Option<ScheduledEpoch<BlockNumberFor<T>>> {
        let terms = Terms::<T>::get()?;
        let schedule = terms.schedule();
        let subsidy = schedule.subsidy(epoch);
        // As if each kind had enough work to get its full part.
        let most = split(subsidy, &PerWork::from_fn(|_| u128::MAX), &T::Shares::get());
        Some(ScheduledEpoch {
            era: schedule.era(epoch),
            starts_at: Self::first_block(&terms, epoch),
            ends_at: Self::first_block(&terms, epoch.saturating_add(1)).saturating_sub(One::one()),
            subsidy,
            shares: most.pools,
            treasury: most.treasury,
            before: schedule.before(epoch),
        })
    }

    pub(crate) fn running() -> Option<RunningEpoch<BlockNumberFor<T>>> {
        let number = CurrentEpoch::<T>::get();
        Some(RunningEpoch {
            number,
            scheduled: Self::scheduled(number)?,
            work: RunningWork::<T>::get(),
        })
    }

    pub(crate) fn supply_now() -> Option<Supply> {
        let terms = Terms::<T>::get()?;
        let books = Books::<T>::get();
        Some(Supply {
            genesis: terms.genesis_supply,
            cap: terms.cap(),
            total: T::Currency::total_issuance(),
            scheduled: books.scheduled,
            minted: books.minted,
            pending: books.pending,
            unminted: books.unminted,
        })
    }
}
