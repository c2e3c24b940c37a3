//! The invariants that hold after every block, and the audit that checks them. Reads all storage: for a view
//! function and `try_state`, never for a block.

use crate::{
    types::sum, Books, Config, CurrentEpoch, Epochs, IssuanceBooks, OldestEpoch, Pallet,
    RunningWork, Terms, WorkDone,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::Inspect};
use noema_economics::Balance;
use noema_interfaces::KeepWork;
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
    /// The rewards for the unclaimed work of an epoch exceed the part of its pools that is left.
    EpochOverdrawn,
    /// The work of an epoch differs from the sum of its records and the claimed work.
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
            Self::WorkDiffers => "an epoch's work differs from the sum of its records",
            Self::StrayRecord => "work is recorded for an epoch that cannot be claimed",
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Result<AuditReport, AuditFailure> {
        let books = Books::<T>::get();
        Self::audit_books(&books)?;
        Self::audit_epochs(&books)?;
        let (records, work) = Self::audit_records()?;
        Self::audit_work(&work)?;
        Ok(AuditReport {
            minted: books.minted,
            pending: books.pending,
            records,
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
        for (_, closed) in Epochs::<T>::iter() {
            let within = closed.claimed.checked_add(closed.unclaimed());
            ensure!(
                within.is_some_and(|within| within <= sum(&closed.pools)),
                AuditFailure::EpochOverdrawn
            );
            pending = pending.saturating_add(closed.left());
        }
        ensure!(pending == books.pending, AuditFailure::PendingDiffers);
        Ok(())
    }

    /// Returns the number of records, and the sum of the work in them by epoch.
    fn audit_records() -> Result<(u32, BTreeMap<u32, PerWork<u128>>), AuditFailure> {
        let current = CurrentEpoch::<T>::get();
        let mut work = BTreeMap::<u32, PerWork<u128>>::new();
        let mut records: u32 = 0;
        // Work of an expired epoch may be kept until the account does other work, or leaves.
        let recent = T::Recent::all_recent()
            .into_iter()
            .filter(|(_, recent)| recent.amounts != PerWork::default())
            .filter(|(_, recent)| !Self::is_expired(recent.epoch))
            .map(|(_, recent)| (recent.epoch, recent.amounts));
        let entered = WorkDone::<T>::iter().map(|(epoch, _, amounts)| (epoch, amounts));
        for (epoch, amounts) in entered.chain(recent) {
            records = records.saturating_add(1);
            let known = epoch >= OldestEpoch::<T>::get() && Epochs::<T>::contains_key(epoch);
            ensure!(epoch == current || known, AuditFailure::StrayRecord);
            let all = work.entry(epoch).or_default();
            *all =
                PerWork::from_fn(|kind| all.get(kind).saturating_add((*amounts.get(kind)).into()));
        }
        Ok((records, work))
    }

    /// The work of each epoch is that of its records, and that of claims. The records of an expired epoch may be
    /// removed in part.
    fn audit_work(recorded: &BTreeMap<u32, PerWork<u128>>) -> Result<(), AuditFailure> {
        let of = |epoch| recorded.get(&epoch).copied().unwrap_or_default();
        ensure!(
            of(CurrentEpoch::<T>::get()) == RunningWork::<T>::get(),
            AuditFailure::WorkDiffers
        );
        for (epoch, closed) in Epochs::<T>::iter() {
            let agrees = Self::is_expired(epoch) || of(epoch) == closed.unclaimed_work();
            ensure!(agrees, AuditFailure::WorkDiffers);
        }
        Ok(())
    }
}
