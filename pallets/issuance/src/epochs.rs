//! Closing the epoch that is over, and removing expired ones.

use crate::{
    types::sum, Books, ClosedEpoch, Config, CurrentEpoch, Epochs, Event, IssuanceTerms,
    OldestEpoch, Pallet, RunningWork, Terms, WeightInfo, WorkDone,
};
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate},
        Get,
    },
    weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_economics::{split, Balance, Schedule};
use sp_runtime::traits::Saturating;

impl<T: Config> Pallet<T> {
    /// Fixes the terms: the present issuance is the genesis supply.
    pub(crate) fn start(epoch_length: BlockNumberFor<T>) {
        let schedule = Schedule::within(T::Pool::get(), T::EpochsPerEra::get());
        Terms::<T>::put(IssuanceTerms {
            genesis_supply: T::Currency::total_issuance(),
            pool: T::Pool::get(),
            initial_subsidy: schedule.initial,
            epochs_per_era: schedule.epochs_per_era,
            epoch_length,
        });
    }

    /// The first block of an epoch.
    pub(crate) fn first_block(
        terms: &IssuanceTerms<BlockNumberFor<T>>,
        epoch: u32,
    ) -> BlockNumberFor<T> {
        terms
            .epoch_length
            .saturating_mul(BlockNumberFor::<T>::from(epoch))
    }

    /// Closes the running epoch if block `now` is after it. One epoch a block: where block numbers jump, the
    /// following blocks close the others.
    pub(crate) fn close_if_over(now: BlockNumberFor<T>) -> Weight {
        let epoch = CurrentEpoch::<T>::get();
        match Terms::<T>::get() {
            Some(terms) if now >= Self::first_block(&terms, epoch.saturating_add(1)) => {
                Self::close(&terms, epoch);
                T::WeightInfo::close_epoch()
            }
            _ => T::WeightInfo::keep_epoch(),
        }
    }

    fn close(terms: &IssuanceTerms<BlockNumberFor<T>>, epoch: u32) {
        let subsidy = terms.schedule().subsidy(epoch);
        let work = RunningWork::<T>::take();
        let split = split(subsidy, &work, &T::Shares::get());
        let treasury = Self::mint_to_treasury(split.treasury);
        Books::<T>::mutate(|books| books.close(subsidy, &split, treasury));
        let closed = ClosedEpoch {
            work,
            pools: split.pools,
            ..Default::default()
        };
        if closed != ClosedEpoch::default() {
            Epochs::<T>::insert(epoch, closed);
        }
        CurrentEpoch::<T>::put(epoch.saturating_add(1));
        Self::deposit_event(Event::EpochClosed {
            epoch,
            subsidy,
            work,
            pools: split.pools,
            treasury,
            unminted: subsidy
                .saturating_sub(sum(&split.pools))
                .saturating_sub(treasury),
        });
    }

    /// Mints for the treasury; nothing where its account does not exist and the amount is too small to create
    /// it.
    fn mint_to_treasury(amount: Balance) -> Balance {
        if amount == 0 {
            return 0;
        }
        T::Currency::mint_into(&T::TreasuryAccount::get(), amount).unwrap_or(0)
    }

    /// Whether the rewards of `epoch` can no longer be claimed.
    pub(crate) fn is_expired(epoch: u32) -> bool {
        let age = CurrentEpoch::<T>::get().saturating_sub(epoch);
        age > T::ClaimWindow::get()
    }

    /// Removes the records of expired epochs, as far as `limit` allows. The last record of an epoch settles
    /// it: the treasury gets the rounding remainder, and the rewards of unclaimed work are never minted.
    /// [`Config::Recent`] may keep work of the epoch for longer, which is worth nothing any more.
    pub(crate) fn expire(limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit);
        if meter.try_consume(T::WeightInfo::expire_base()).is_err() {
            return meter.consumed();
        }
        let first = OldestEpoch::<T>::get();
        let mut oldest = first;
        while Self::is_expired(oldest) && Self::expire_epoch(oldest, &mut meter) {
            oldest = oldest.saturating_add(1);
        }
        if oldest != first {
            OldestEpoch::<T>::put(oldest);
        }
        meter.consumed()
    }

    /// Whether the epoch is settled and all its records are removed.
    fn expire_epoch(epoch: u32, meter: &mut WeightMeter) -> bool {
        if meter.try_consume(T::WeightInfo::expire_epoch()).is_err() {
            return false;
        }
        let Some(closed) = Epochs::<T>::get(epoch) else {
            return true;
        };
        let mut records = WorkDone::<T>::drain_prefix(epoch);
        loop {
            if meter.try_consume(T::WeightInfo::expire_record()).is_err() {
                return false;
            }
            if records.next().is_none() {
                break;
            }
        }
        Self::settle(epoch, &closed);
        true
    }

    fn settle(epoch: u32, closed: &ClosedEpoch) {
        let left = closed.left();
        let treasury = Self::mint_to_treasury(left.saturating_sub(closed.unclaimed()));
        let unminted = left.saturating_sub(treasury);
        Books::<T>::mutate(|books| {
            books.pay(treasury);
            books.forgo(unminted);
        });
        Epochs::<T>::remove(epoch);
        Self::deposit_event(Event::EpochExpired {
            epoch,
            claimed: closed.claimed,
            treasury,
            unminted,
        });
    }
}
