//! The invariants that hold after every block, and the audit that checks them. Reads all storage: for a view
//! function and `try_state`, never for a block.

use crate::{
    types::sum, Books, Config, CurrentEpoch, Epochs, IssuanceBooks, OldestEpoch, Pallet,
    RunningWork, Terms, WorkDone,
};
use frame_support::{ensure, traits::fungible::Inspect};
use noema_economics::Balance;
use noema_protocol::{apply, encoded, PerWork};

/// The counts of an audit.
#[apply(encoded)]
#[derive(Copy)]
pub struct AuditReport {
    /// Minted so far.
    pub minted: Balance,
    /// Claimable.
    pub pending: Balance,
    /// Records of work.
    pub records: u32,
}

/// The inconsistencies that an audit can find.
#[apply(encoded)]
#[derive(Copy)]
pub enum AuditFailure {
    /// The issuance never started.
    NotStarted,
    /// The minted, pending and unminted amounts do not add up to the scheduled one.
    BooksDiffer,
    /// The scheduled amount differs from the schedule of the epochs that ended.
    ScheduleDiffers,
    /// More was minted than the pool holds.
    AbovePool,
    /// The total issuance exceeds the sum of genesis supply and minted amount.
    AboveIssued,
    /// The pending amount differs from the part of the pools that is left.
    PendingDiffers,
    /// The rewards of an epoch's records exceed the part of its pools that is left.
    EpochOverdrawn,
    /// The work of the running epoch differs from the sum of its records.
    WorkDiffers,
    /// Work is recorded for an epoch that has expired or has not begun.
    StrayRecord,
}

impl AuditFailure {
    /// The inconsistency as a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "the issuance never started",
            Self::BooksDiffer => "the use of the subsidies does not add up to them",
            Self::ScheduleDiffers => "the scheduled amount differs from the schedule",
            Self::AbovePool => "more was minted than the pool holds",
            Self::AboveIssued => "the total issuance exceeds genesis supply and minted amount",
            Self::PendingDiffers => "the pending amount differs from the rest of the pools",
            Self::EpochOverdrawn => "an epoch's rewards exceed the rest of its pools",
            Self::WorkDiffers => "the running epoch's work differs from the sum of its records",
            Self::StrayRecord => "work is recorded for an epoch that cannot be claimed",
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Result<AuditReport, AuditFailure> {
        let books = Books::<T>::get();
        Self::audit_books(&books)?;
        Self::audit_epochs(&books)?;
        Ok(AuditReport {
            minted: books.minted,
            pending: books.pending,
            records: Self::audit_records()?,
        })
    }

    fn audit_books(books: &IssuanceBooks) -> Result<(), AuditFailure> {
        let terms = Terms::<T>::get().ok_or(AuditFailure::NotStarted)?;
        let accounted = books
            .minted
            .checked_add(books.pending)
            .and_then(|sum| sum.checked_add(books.unminted));
        ensure!(
            accounted == Some(books.scheduled),
            AuditFailure::BooksDiffer
        );
        let expected = terms.schedule().before(CurrentEpoch::<T>::get());
        ensure!(books.scheduled == expected, AuditFailure::ScheduleDiffers);
        ensure!(books.minted <= terms.pool, AuditFailure::AbovePool);
        let issued = terms.genesis_supply.saturating_add(books.minted);
        ensure!(
            T::Currency::total_issuance() <= issued,
            AuditFailure::AboveIssued
        );
        Ok(())
    }

    fn audit_epochs(books: &IssuanceBooks) -> Result<(), AuditFailure> {
        let mut pending: Balance = 0;
        for (epoch, closed) in Epochs::<T>::iter() {
            let due = WorkDone::<T>::iter_prefix_values(epoch)
                .fold(closed.forgone, |due, amounts| {
                    due.saturating_add(closed.reward(&amounts))
                });
            let within = closed.claimed.checked_add(due);
            ensure!(
                within.is_some_and(|within| within <= sum(&closed.pools)),
                AuditFailure::EpochOverdrawn
            );
            pending = pending.saturating_add(closed.left());
        }
        ensure!(pending == books.pending, AuditFailure::PendingDiffers);
        Ok(())
    }

    fn audit_records() -> Result<u32, AuditFailure> {
        let current = CurrentEpoch::<T>::get();
        let mut running = PerWork::<u128>::default();
        let mut records: u32 = 0;
        for (epoch, _, amounts) in WorkDone::<T>::iter() {
            records = records.saturating_add(1);
            if epoch == current {
                running = PerWork::from_fn(|kind| {
                    running
                        .get(kind)
                        .saturating_add((*amounts.get(kind)).into())
                });
            } else {
                let known = epoch >= OldestEpoch::<T>::get() && Epochs::<T>::contains_key(epoch);
                ensure!(known, AuditFailure::StrayRecord);
            }
        }
        ensure!(
            running == RunningWork::<T>::get(),
            AuditFailure::WorkDiffers
        );
        Ok(records)
    }
}
