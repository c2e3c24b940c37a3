//! The invariants that hold after every block, and the audit that checks them. Reads all storage: for a view
//! function and `try_state`, never for a block.

use crate::{
    BalanceOf, Canonical, CheckpointOf, Checkpoints, Config, Families, FamilyNames, HoldReason,
    Holders, NextFamily, Pallet, Status,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::hold::Inspect};
use noema_protocol::{apply, encoded, CheckpointId, FamilyId};
use sp_runtime::traits::{CheckedAdd, Zero};

/// The counts of an audit.
#[apply(encoded)]
#[derive(Copy)]
pub struct AuditReport<Balance> {
    /// Recorded families.
    pub families: u32,
    /// Recorded checkpoints.
    pub checkpoints: u32,
    /// The sum of all deposits.
    pub deposits: Balance,
}

/// The inconsistencies that an audit can find.
#[apply(encoded)]
#[derive(Copy)]
pub enum AuditFailure {
    /// The deposits recorded for an account differ from the amount on hold from it.
    DepositNotHeld,
    /// The sum of the deposits exceeds what a balance can hold.
    DepositsOverflow,
    /// A family's number is not below that of the next family.
    FamilyNotCounted,
    /// A family's name is not indexed under it, or the index of names contains a name of no family.
    NameNotIndexed,
    /// The count of a family or a parent differs from the number of its checkpoints.
    WrongCount,
    /// A checkpoint's family or parent is not recorded, or the parent is of another family.
    BrokenLineage,
    /// A checkpoint's generation does not follow its parent's.
    WrongGeneration,
    /// A checkpoint was made from one that was never canonical.
    ParentNeverCanonical,
    /// A canonical checkpoint is not an active one of its family, or not marked as canonical.
    CanonicalNotActive,
    /// There is a list of holders of a checkpoint that is not active, or one that names an operator twice.
    WrongHolders,
    /// A checkpoint has no room for a prompt and an answer.
    NoRoom,
    /// The limits of a checkpoint are not those of its family's architecture.
    LimitsDiffer,
}

impl AuditFailure {
    /// The inconsistency as a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DepositNotHeld => "recorded deposits differ from the amount on hold",
            Self::DepositsOverflow => "the deposits together exceed what a balance can hold",
            Self::FamilyNotCounted => "a family's number is not below that of the next family",
            Self::NameNotIndexed => "a family's name is not indexed under it",
            Self::WrongCount => "checkpoints are miscounted",
            Self::BrokenLineage => "a checkpoint's family or parent is missing or another's",
            Self::WrongGeneration => "a generation does not follow the parent's",
            Self::ParentNeverCanonical => "a checkpoint was made from one that was never canonical",
            Self::CanonicalNotActive => "a canonical checkpoint is not active in its family",
            Self::WrongHolders => "a list of holders is stale or names an operator twice",
            Self::NoRoom => "a checkpoint has no room for a prompt and an answer",
            Self::LimitsDiffer => "a checkpoint's limits are not those of its family",
        }
    }
}

/// Deposits by account.
type Deposits<T> = BTreeMap<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Result<AuditReport<BalanceOf<T>>, AuditFailure> {
        let mut in_family = BTreeMap::<FamilyId, u32>::new();
        let mut children = BTreeMap::<CheckpointId, u32>::new();
        let mut deposits = Deposits::<T>::new();
        let mut checkpoints = 0u32;
        for (_, record) in Checkpoints::<T>::iter() {
            Self::audit_record(&record)?;
            count(&mut in_family, record.family);
            if let Some(parent) = record.parent {
                count(&mut children, parent);
            }
            if let Some(publisher) = record.publisher {
                add::<T>(&mut deposits, publisher, record.deposit)?;
            }
            checkpoints = checkpoints.saturating_add(1);
        }
        for (checkpoint, record) in Checkpoints::<T>::iter() {
            let counted = children.get(&checkpoint).copied().unwrap_or(0);
            ensure!(record.children == counted, AuditFailure::WrongCount);
        }
        let of_checkpoints = Self::audit_deposits(&deposits, HoldReason::CheckpointDeposit)?;
        let (families, of_families) = Self::audit_families(&in_family)?;
        Self::audit_active()?;
        let deposits = of_checkpoints
            .checked_add(&of_families)
            .ok_or(AuditFailure::DepositsOverflow)?;
        Ok(AuditReport {
            families,
            checkpoints,
            deposits,
        })
    }

    fn audit_record(record: &CheckpointOf<T>) -> Result<(), AuditFailure> {
        let family = Families::<T>::get(record.family).ok_or(AuditFailure::BrokenLineage)?;
        ensure!(record.limits.leave_room(), AuditFailure::NoRoom);
        let architecture = &family.architecture;
        ensure!(
            record.limits.context_length == architecture.context_length
                && record.limits.vocabulary == architecture.vocabulary,
            AuditFailure::LimitsDiffer
        );
        let expected = match record.parent {
            Some(parent) => {
                let parent = Checkpoints::<T>::get(parent)
                    .filter(|parent| parent.family == record.family)
                    .ok_or(AuditFailure::BrokenLineage)?;
                ensure!(parent.was_canonical, AuditFailure::ParentNeverCanonical);
                parent.generation.checked_add(1)
            }
            None => Some(0),
        };
        ensure!(
            expected == Some(record.generation),
            AuditFailure::WrongGeneration
        );
        Ok(())
    }

    fn audit_families(
        in_family: &BTreeMap<FamilyId, u32>,
    ) -> Result<(u32, BalanceOf<T>), AuditFailure> {
        let mut deposits = Deposits::<T>::new();
        let mut families = 0u32;
        for (family, record) in Families::<T>::iter() {
            ensure!(
                family < NextFamily::<T>::get(),
                AuditFailure::FamilyNotCounted
            );
            let named = FamilyNames::<T>::get(&record.name);
            ensure!(named == Some(family), AuditFailure::NameNotIndexed);
            let counted = in_family.get(&family).copied().unwrap_or(0);
            ensure!(record.checkpoints == counted, AuditFailure::WrongCount);
            add::<T>(&mut deposits, record.owner, record.deposit)?;
            families = families.saturating_add(1);
        }
        let names = FamilyNames::<T>::iter().count();
        ensure!(
            usize::try_from(families) == Ok(names),
            AuditFailure::NameNotIndexed
        );
        Ok((
            families,
            Self::audit_deposits(&deposits, HoldReason::FamilyDeposit)?,
        ))
    }

    /// Compares the deposits of each account with the amount on hold from it and returns their sum.
    fn audit_deposits(
        deposits: &Deposits<T>,
        reason: HoldReason,
    ) -> Result<BalanceOf<T>, AuditFailure> {
        let reason = reason.into();
        let mut sum = BalanceOf::<T>::zero();
        for (who, deposit) in deposits {
            let held = T::Currency::balance_on_hold(&reason, who);
            ensure!(held == *deposit, AuditFailure::DepositNotHeld);
            sum = sum
                .checked_add(deposit)
                .ok_or(AuditFailure::DepositsOverflow)?;
        }
        Ok(sum)
    }

    fn audit_active() -> Result<(), AuditFailure> {
        let active = |checkpoint: &CheckpointId| {
            Checkpoints::<T>::get(checkpoint).filter(|record| record.status == Status::Active)
        };
        for (family, checkpoint) in Canonical::<T>::iter() {
            let is_noted = active(&checkpoint)
                .is_some_and(|record| record.family == family && record.was_canonical);
            ensure!(is_noted, AuditFailure::CanonicalNotActive);
        }
        for (checkpoint, holders) in Holders::<T>::iter() {
            ensure!(active(&checkpoint).is_some(), AuditFailure::WrongHolders);
            let mut rest = holders.iter();
            while let Some(holder) = rest.next() {
                let again = rest
                    .as_slice()
                    .iter()
                    .any(|other| other.holder == holder.holder);
                ensure!(!again, AuditFailure::WrongHolders);
            }
        }
        Ok(())
    }
}

fn count<Key: Ord>(counts: &mut BTreeMap<Key, u32>, key: Key) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}

fn add<T: Config>(
    deposits: &mut Deposits<T>,
    who: T::AccountId,
    amount: BalanceOf<T>,
) -> Result<(), AuditFailure> {
    let sum = deposits.entry(who).or_insert_with(Zero::zero);
    *sum = sum
        .checked_add(&amount)
        .ok_or(AuditFailure::DepositsOverflow)?;
    Ok(())
}
