//! The invariants that hold after every block, and the audit that checks them. Reads all storage: for a view
//! function and `try_state`, never for a block.

use crate::{
    is_chosen, BalanceOf, Config, Controllers, Devices, Endpoints, HoldReason, Keys, Locks,
    OperatorOf, Operators, Pallet, RosterPages, Rosters, Served, Serving,
};
use frame_support::{
    ensure,
    traits::fungible::{hold::Inspect as _, Inspect},
};
use noema_protocol::{apply, encoded};
use noema_terms::RosterEntry;
use sp_runtime::traits::{CheckedAdd, Saturating, Zero};

/// The counts of an audit.
#[apply(encoded)]
#[derive(Copy)]
pub struct AuditReport<Balance> {
    /// Registered operators.
    pub operators: u32,
    /// The sum of their bonds.
    pub bonded: Balance,
    /// The sum of their locks.
    pub locked: Balance,
    /// The sum of their withdrawable credits.
    pub payable: Balance,
}

/// The inconsistencies that an audit can find.
#[apply(encoded)]
#[derive(Copy)]
pub enum AuditFailure {
    /// A recorded bond differs from the amount on hold.
    BondIsNotHeld,
    /// The bonds together exceed what a balance can hold.
    BondsOverflow,
    /// An operator's key is not indexed under it.
    KeyNotIndexed,
    /// A key is indexed under an operator that does not use it.
    KeyWithoutOperator,
    /// A key has no reference that lets it sign without funds.
    KeyNotSufficient,
    /// An index names no operator, or one with another index.
    IndexDiffers,
    /// An operator is not in the slot of a roster that is recorded for it.
    SlotDiffers,
    /// An operator has a weight in a roster of a checkpoint that it does not serve.
    WeightWithoutServing,
    /// A page's recorded sum of weights is wrong.
    SumDiffers,
    /// A page belongs to no roster.
    StrayPage,
    /// There is a record of an account that is no operator.
    RecordWithoutOperator,
    /// The locks of an operator do not add up to its recorded sum.
    LocksDiffer,
    /// An operator has more locked than its bond.
    OverLocked,
    /// The purse holds less than what operators can withdraw.
    PurseTooSmall,
}

impl AuditFailure {
    /// The inconsistency as a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BondIsNotHeld => "a recorded bond differs from the amount on hold",
            Self::BondsOverflow => "the bonds together exceed what a balance can hold",
            Self::KeyNotIndexed => "an operator's key is not indexed under it",
            Self::KeyWithoutOperator => "a key is indexed under an operator that does not use it",
            Self::KeyNotSufficient => "a key cannot sign without funds",
            Self::IndexDiffers => "an index does not name its operator",
            Self::SlotDiffers => "an operator is not in the roster slot recorded for it",
            Self::WeightWithoutServing => "a roster names an operator that does not serve",
            Self::SumDiffers => "a page's recorded sum of weights is wrong",
            Self::StrayPage => "a page belongs to no roster",
            Self::RecordWithoutOperator => "there is a record of an account that is no operator",
            Self::LocksDiffer => "the locks of an operator do not add up",
            Self::OverLocked => "an operator has more locked than its bond",
            Self::PurseTooSmall => "the purse holds less than operators can withdraw",
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Result<AuditReport<BalanceOf<T>>, AuditFailure> {
        let mut report = AuditReport {
            operators: 0,
            bonded: BalanceOf::<T>::zero(),
            locked: BalanceOf::<T>::zero(),
            payable: BalanceOf::<T>::zero(),
        };
        for (controller, operator) in Operators::<T>::iter() {
            Self::audit_operator(&controller, &operator)?;
            Self::audit_serving(&controller, &operator)?;
            report.operators = report.operators.saturating_add(1);
            report.locked = report.locked.saturating_add(operator.locked);
            report.payable = report.payable.saturating_add(operator.ledger.payable);
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
        for (index, controller) in Controllers::<T>::iter() {
            let operator = Operators::<T>::get(controller);
            let has_it = operator.is_some_and(|operator| operator.index == index);
            ensure!(has_it, AuditFailure::IndexDiffers);
        }
        Self::audit_rosters()?;
        let recorded = Served::<T>::iter_keys()
            .chain(Devices::<T>::iter_keys())
            .chain(Endpoints::<T>::iter_keys())
            .chain(Locks::<T>::iter_keys().map(|(controller, _)| controller));
        for controller in recorded {
            let known = Operators::<T>::contains_key(controller);
            ensure!(known, AuditFailure::RecordWithoutOperator);
        }
        let needed = report
            .payable
            .saturating_add(T::Currency::minimum_balance());
        let purse = T::Currency::balance(&Self::purse_account());
        ensure!(purse >= needed, AuditFailure::PurseTooSmall);
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
        let of_index = Controllers::<T>::get(operator.index);
        ensure!(
            of_index.as_ref() == Some(controller),
            AuditFailure::IndexDiffers
        );
        let sufficients = frame_system::Pallet::<T>::sufficients(&operator.key);
        ensure!(sufficients > 0, AuditFailure::KeyNotSufficient);
        ensure!(operator.locked <= operator.bond, AuditFailure::OverLocked);
        let mut locked = BalanceOf::<T>::zero();
        let mut chosen = BalanceOf::<T>::zero();
        let mut locks = 0u32;
        for (job, amount) in Locks::<T>::iter_prefix(controller) {
            locked = locked.saturating_add(amount);
            locks = locks.saturating_add(1);
            if is_chosen(&job) {
                chosen = chosen.saturating_add(amount);
            }
        }
        ensure!(
            (locked, chosen, locks) == (operator.locked, operator.chosen, operator.locks),
            AuditFailure::LocksDiffer
        );
        Ok(())
    }

    /// An operator that can be drawn has a weight in the slots that are recorded for it.
    fn audit_serving(
        controller: &T::AccountId,
        operator: &OperatorOf<T>,
    ) -> Result<(), AuditFailure> {
        if !Self::is_fit(operator) {
            return Ok(());
        }
        for serving in Served::<T>::get(controller) {
            for role in operator.roles.serving() {
                let slot = serving.slot(role).ok_or(AuditFailure::SlotDiffers)?;
                let page = RosterPages::<T>::get((serving.checkpoint, role, slot.page));
                let entry = page.entries().get(usize::from(slot.entry));
                let stands = |entry: &RosterEntry| {
                    entry.operator == operator.index && *entry.weight.latest() > 0
                };
                ensure!(entry.is_some_and(stands), AuditFailure::SlotDiffers);
            }
        }
        Ok(())
    }

    fn audit_rosters() -> Result<(), AuditFailure> {
        for (checkpoint, role, number) in RosterPages::<T>::iter_keys() {
            let pages = Rosters::<T>::get(checkpoint, role).pages().len();
            ensure!(usize::from(number) < pages, AuditFailure::StrayPage);
        }
        let now = Self::term();
        for (checkpoint, role, roster) in Rosters::<T>::iter() {
            for (number, summary) in (0u16..).zip(roster.pages()) {
                let page = RosterPages::<T>::get((checkpoint, role, number));
                for term in now.to_notice() {
                    let weights = page.entries().iter().map(|entry| *entry.weight.at(term));
                    let sum = weights.fold(0, u64::saturating_add);
                    ensure!(sum == *summary.weight.at(term), AuditFailure::SumDiffers);
                }
                for entry in page.entries() {
                    let serves = Controllers::<T>::get(entry.operator).is_some_and(|controller| {
                        let served = Served::<T>::get(controller);
                        Serving::position(&served, &checkpoint).is_some()
                    });
                    ensure!(
                        serves || *entry.weight.latest() == 0,
                        AuditFailure::WeightWithoutServing
                    );
                }
            }
        }
        Ok(())
    }
}
