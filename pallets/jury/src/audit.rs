//! The invariants that hold after every block, and the audit that checks them. Reads all storage: for a view
//! function and `try_state`, never for a block.

use crate::{
    AgendaCursor, Backlogs, Config, DisputePlace, DisputeStage, HoldReason, LeafId, OpenDispute,
    OpenDisputeOf, OpenDisputes, Pallet, Queue, QueueSpan, Turns,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use noema_economics::Balance;
use noema_interfaces::{Disputes as _, Operators};
use noema_protocol::{apply, encoded, ClaimId};
use sp_runtime::traits::{One, Saturating};

/// The inconsistencies that an audit can find.
#[apply(encoded)]
pub enum AuditFailure<AccountId> {
    /// The claims pallet knows no such dispute.
    NotChallenged {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    },
    /// The dispute is recorded under another leaf, or is concluded and still recorded.
    Misplaced {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    },
    /// The dispute does not wait in the place that it names, or its place does not match its stage.
    NotWaiting {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    },
    /// The lock behind the dispute is not a stake for each seat of a juror.
    NotLocked {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The juror.
        juror: AccountId,
    },
    /// An account has less on hold than the bonds of its appeals.
    HoldDiffers {
        /// The account.
        account: AccountId,
        /// The sum of its bonds.
        bonds: Balance,
        /// The amount on hold.
        held: Balance,
    },
    /// The recorded backlogs of jurors differ from the sum of their seats.
    BacklogsDiffer,
    /// The agenda or the queue has an entry that no dispute names.
    StrayEntry {
        /// The claim of the entry.
        claim: ClaimId,
        /// The leaf of the entry.
        leaf: u32,
    },
}

impl<AccountId> AuditFailure<AccountId> {
    /// The inconsistency as a sentence.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotChallenged { .. } => "the claims pallet knows no such dispute",
            Self::Misplaced { .. } => "a dispute is recorded in the wrong place",
            Self::NotWaiting { .. } => "a dispute does not wait in the place that it names",
            Self::NotLocked { .. } => "a stake is not locked for each seat of a juror",
            Self::HoldDiffers { .. } => "the bonds of an account's appeals are not on hold",
            Self::BacklogsDiffer => "the backlogs of jurors differ from their seats",
            Self::StrayEntry { .. } => "an entry of the agenda or the queue belongs to no dispute",
        }
    }
}

type Audit<T> = Result<(), AuditFailure<<T as frame_system::Config>::AccountId>>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Audit<T> {
        for (claim, leaf, open) in OpenDisputes::<T>::iter() {
            Self::audit_dispute((claim, leaf), &open)?;
        }
        Self::audit_bonds()?;
        Self::audit_entries()?;
        Self::audit_backlogs()
    }

    fn audit_dispute((claim, leaf): LeafId, open: &OpenDisputeOf<T>) -> Audit<T> {
        let OpenDispute { dispute, place } = open;
        let is_here = dispute.claim == claim && dispute.leaf == leaf;
        ensure!(
            is_here && !matches!(dispute.stage, DisputeStage::Concluded(_)),
            AuditFailure::Misplaced { claim, leaf }
        );
        // The dispute over a claim that has ended waits for the turn in which it is dropped.
        ensure!(
            Self::has_ended(claim) || !T::Disputes::challengers(claim, leaf).is_empty(),
            AuditFailure::NotChallenged { claim, leaf }
        );
        // In the agenda for the block after the deadline, or earlier where all jurors have done their step.
        let waits = match (*place, dispute.stage) {
            (DisputePlace::Queue(position), DisputeStage::Undrawn { .. }) => {
                let (start, end) = QueueSpan::<T>::get();
                (start..end).contains(&position) && Queue::<T>::get(position) == Some((claim, leaf))
            }
            (
                DisputePlace::Agenda(block),
                DisputeStage::Committing { until }
                | DisputeStage::Revealing { until }
                | DisputeStage::Appealable { until },
            ) => {
                Turns::<T>::contains_key(block, (claim, leaf))
                    && block >= AgendaCursor::<T>::get()
                    && block <= until.saturating_add(One::one())
            }
            _ => false,
        };
        ensure!(waits, AuditFailure::NotWaiting { claim, leaf });
        let job = Self::job(dispute);
        match dispute.jurors().find(|juror| {
            let stake = Self::stake(dispute, dispute.seats_of(&juror.account));
            T::Operators::locked(&juror.account, job) != Some(stake)
        }) {
            Some(juror) => Err(AuditFailure::NotLocked {
                claim,
                leaf,
                juror: juror.account.clone(),
            }),
            None => Ok(()),
        }
    }

    fn audit_backlogs() -> Audit<T> {
        let mut counted = BTreeMap::<T::AccountId, u64>::new();
        for OpenDispute { dispute, .. } in OpenDisputes::<T>::iter_values() {
            for juror in dispute.executing() {
                let backlog = counted.entry(juror.account.clone()).or_default();
                *backlog = backlog.saturating_add(dispute.terms.leaf_tokens);
            }
        }
        counted.retain(|_, backlog| *backlog > 0);
        let recorded: BTreeMap<_, _> = Backlogs::<T>::iter().collect();
        ensure!(counted == recorded, AuditFailure::BacklogsDiffer);
        Ok(())
    }

    fn audit_bonds() -> Audit<T> {
        let mut bonds = BTreeMap::<T::AccountId, Balance>::new();
        let appeals = OpenDisputes::<T>::iter_values().filter_map(|open| open.dispute.appeal);
        for appeal in appeals {
            let sum = bonds.entry(appeal.by).or_default();
            *sum = sum.saturating_add(appeal.bond);
        }
        for (account, bonds) in bonds {
            let held = T::Currency::balance_on_hold(&HoldReason::Appeal.into(), &account);
            let differs = AuditFailure::HoldDiffers {
                account,
                bonds,
                held,
            };
            ensure!(held == bonds, differs);
        }
        Ok(())
    }

    fn audit_entries() -> Audit<T> {
        let turns =
            Turns::<T>::iter_keys().map(|(block, leaf)| (leaf, DisputePlace::Agenda(block)));
        let queue =
            Queue::<T>::iter().map(|(position, leaf)| (leaf, DisputePlace::Queue(position)));
        for ((claim, leaf), place) in turns.chain(queue) {
            let is_named =
                OpenDisputes::<T>::get(claim, leaf).is_some_and(|open| open.place == place);
            ensure!(is_named, AuditFailure::StrayEntry { claim, leaf });
        }
        Ok(())
    }
}
