//! What must hold after every block, for anyone to check.

use crate::{
    AuditFailure, AuditReport, BalanceOf, Config, Devices, Endpoints, HoldReason, Keys, Ledgers,
    OperatorOf, Operators, Pallet, Served, Servers,
};
use frame_support::{
    ensure,
    traits::{fungible::hold::Inspect, Get},
};
use sp_runtime::traits::{CheckedAdd, Zero};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Result<AuditReport<BalanceOf<T>>, AuditFailure> {
        let mut report = AuditReport {
            operators: 0,
            bonded: BalanceOf::<T>::zero(),
        };
        for (controller, operator) in Operators::<T>::iter() {
            Self::audit_operator(&controller, &operator)?;
            report.operators = report.operators.saturating_add(1);
            report.bonded = report
                .bonded
                .checked_add(&operator.bond)
                .ok_or(AuditFailure::BondsOverflow)?;
        }
        for (key, controller) in Keys::<T>::iter() {
            let operator = Operators::<T>::get(controller);
            let uses_it = operator.is_some_and(|operator| operator.key == key);
            ensure!(uses_it, AuditFailure::KeyWithoutOperator);
        }
        Self::audit_lists()?;
        let recorded = Served::<T>::iter_keys()
            .chain(Devices::<T>::iter_keys())
            .chain(Endpoints::<T>::iter_keys())
            .chain(Ledgers::<T>::iter_keys());
        for controller in recorded {
            let known = Operators::<T>::contains_key(controller);
            ensure!(known, AuditFailure::RecordWithoutOperator);
        }
        Ok(report)
    }

    fn audit_operator(
        controller: &T::AccountId,
        operator: &OperatorOf<T>,
    ) -> Result<(), AuditFailure> {
        let held = T::Currency::balance_on_hold(&HoldReason::Bond.into(), controller);
        ensure!(held == operator.bond, AuditFailure::BondIsNotHeld);
        let of_key = Keys::<T>::get(&operator.key);
        ensure!(
            of_key.as_ref() == Some(controller),
            AuditFailure::KeyNotIndexed
        );
        let sufficients = frame_system::Pallet::<T>::sufficients(&operator.key);
        ensure!(sufficients > 0, AuditFailure::KeyNotSufficient);
        let within = operator.engagements <= T::MaxEngagements::get();
        ensure!(within, AuditFailure::OverEngaged);
        for checkpoint in Served::<T>::get(controller) {
            for role in operator.roles.serving() {
                let listed = Servers::<T>::get(checkpoint, role).contains(controller);
                ensure!(listed, AuditFailure::ServerNotListed);
            }
        }
        Ok(())
    }

    fn audit_lists() -> Result<(), AuditFailure> {
        for (checkpoint, role, servers) in Servers::<T>::iter() {
            for (index, server) in servers.iter().enumerate() {
                let serves = Operators::<T>::get(server)
                    .is_some_and(|operator| operator.roles.contains(role))
                    && Served::<T>::get(server).contains(&checkpoint);
                let once = !servers
                    .iter()
                    .skip(index.saturating_add(1))
                    .any(|s| s == server);
                ensure!(serves && once, AuditFailure::ListedWithoutServing);
            }
        }
        Ok(())
    }
}
