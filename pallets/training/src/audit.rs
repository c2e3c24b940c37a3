//! The invariants that hold after every block, and the audit that checks them.

use crate::{
    AuditFailure, AuditReport, Closed, Config, Families, NextRound, Pallet, Programmes, Rounds,
};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use noema_protocol::RoundId;

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
