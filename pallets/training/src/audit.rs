//! The invariants that hold after every block, and the audit that checks them. Reads all storage: for a view
//! function and `try_state`, never for a block.

use crate::{Closed, Config, Families, NextRound, Pallet, Programmes, Rounds};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use noema_protocol::{apply, encoded, RoundId};

/// The counts of an audit.
#[apply(encoded)]
#[derive(Copy)]
pub struct AuditReport {
    /// Running programmes.
    pub programmes: u32,
    /// Open rounds.
    pub open: u32,
    /// Closed rounds that are still readable.
    pub closed: u32,
}

/// The inconsistencies that an audit can find.
#[apply(encoded)]
#[derive(Copy)]
pub enum AuditFailure {
    /// The list of families differs from that of the programmes.
    FamiliesDiffer,
    /// A programme's round is not an open one of its family.
    RoundNotOpen,
    /// A round belongs to no programme and to no list of closed rounds.
    RoundLost,
    /// A list of closed rounds names one that is open, missing or of another family.
    ClosedDiffer,
    /// A round's number is not below that of the next round.
    RoundNotCounted,
}

impl AuditFailure {
    /// The inconsistency as a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FamiliesDiffer => "the list of families differs from that of the programmes",
            Self::RoundNotOpen => "a programme's round is not an open one of its family",
            Self::RoundLost => "a round belongs to no programme and no list",
            Self::ClosedDiffer => "a list of closed rounds is wrong",
            Self::RoundNotCounted => "a round's number is not below that of the next round",
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Result<AuditReport, AuditFailure> {
        let listed: BTreeSet<_> = Families::<T>::get().into_iter().collect();
        let running: BTreeSet<_> = Programmes::<T>::iter_keys().collect();
        ensure!(listed == running, AuditFailure::FamiliesDiffer);
        let mut known = BTreeSet::<RoundId>::new();
        let mut report = AuditReport {
            programmes: 0,
            open: 0,
            closed: 0,
        };
        for (family, programme) in Programmes::<T>::iter() {
            report.programmes = report.programmes.saturating_add(1);
            if let Some(id) = programme.round {
                let is_open = Rounds::<T>::get(id)
                    .is_some_and(|round| round.family == family && round.outcome().is_none());
                ensure!(is_open, AuditFailure::RoundNotOpen);
                known.insert(id);
                report.open = report.open.saturating_add(1);
            }
        }
        for (family, closed) in Closed::<T>::iter() {
            for id in closed {
                let is_closed = Rounds::<T>::get(id)
                    .is_some_and(|round| round.family == family && round.outcome().is_some());
                ensure!(is_closed && known.insert(id), AuditFailure::ClosedDiffer);
                report.closed = report.closed.saturating_add(1);
            }
        }
        for id in Rounds::<T>::iter_keys() {
            ensure!(known.contains(&id), AuditFailure::RoundLost);
            ensure!(id < NextRound::<T>::get(), AuditFailure::RoundNotCounted);
        }
        Ok(report)
    }
}
