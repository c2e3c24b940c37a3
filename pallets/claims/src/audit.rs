//! The invariants that hold after every block, and the audit that checks them. Reads all storage: for a view
//! function and `try_state`, never for a block.

use crate::{
    Agenda, Claims, Config, Disputes, FirstNew, FirstOfMany, HoldReason, KeptOf, Pallet, Stake,
    Undrawn, UndrawnSpan,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::fungible::InspectHold};
use noema_claims::{ClaimStage, Seat, SeatState};
use noema_economics::Balance;
use noema_interfaces::Operators;
use noema_protocol::{apply, encoded, ClaimId, Job};

/// The inconsistencies that an audit can find.
#[apply(encoded)]
pub enum AuditFailure<AccountId> {
    /// A payer has less on hold than for its open claims.
    HoldTooLow {
        /// The payer.
        payer: AccountId,
        /// The most that they may cost, and what goes back with their ends.
        owed: Balance,
        /// The amount on hold.
        held: Balance,
    },
    /// The amount on hold of an account for challenges differs from its stakes.
    BondsDiffer {
        /// The account.
        account: AccountId,
    },
    /// The amount locked behind a claim or a check differs from its stake.
    LockDiffers {
        /// The claim.
        claim: ClaimId,
    },
    /// A claim has no turn although one is due, or a turn other than the recorded one.
    TurnDiffers {
        /// The claim.
        claim: ClaimId,
    },
    /// A claim that waits for randomness is not in the queue.
    NotQueued {
        /// The claim.
        claim: ClaimId,
    },
    /// The recorded backlogs of validators differ from the sum of their seats.
    BacklogsDiffer,
    /// A claim counts a number of disputes that differs from the recorded ones.
    DisputesDiffer {
        /// The claim.
        claim: ClaimId,
    },
}

impl<AccountId> AuditFailure<AccountId> {
    /// The inconsistency as a sentence.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::HoldTooLow { .. } => "a payer has less on hold than for its claims",
            Self::BondsDiffer { .. } => "the bonds of challenges differ from the amounts on hold",
            Self::LockDiffers { .. } => "a lock differs from the stake of its claim or check",
            Self::TurnDiffers { .. } => "the agenda differs from the claims",
            Self::NotQueued { .. } => "a claim that waits for randomness is not in the queue",
            Self::BacklogsDiffer => "the backlogs of validators differ from their seats",
            Self::DisputesDiffer { .. } => "a claim counts a wrong number of disputes",
        }
    }
}

type Audit<T> = Result<(), AuditFailure<<T as frame_system::Config>::AccountId>>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Audit<T> {
        for (_, kept) in Claims::<T>::iter() {
            Self::audit_locks(&kept)?;
            Self::audit_turn(&kept)?;
            Self::audit_disputes(&kept)?;
        }
        Self::audit_backlogs()?;
        Self::audit_holds()?;
        Self::audit_bonds()?;
        Self::audit_agenda()
    }

    fn audit_locks(kept: &KeptOf<T>) -> Audit<T> {
        let (claim, terms) = (&kept.claim, &kept.claim.terms);
        if claim.outcome().is_some() {
            return Ok(());
        }
        let differs = AuditFailure::LockDiffers { claim: claim.id };
        let locked = |operator, job| T::Operators::locked(operator, job);
        ensure!(
            locked(&terms.claimant, kept.job) == Some(terms.stake),
            differs.clone(),
        );
        claim.seats.iter().try_for_each(|seat| {
            let expected = match seat.state {
                SeatState::Silent | SeatState::Refuted => None,
                _ => Some(claim.seat_stake()),
            };
            let job = Job::Check(claim.id, seat.leaf);
            ensure!(locked(&seat.validator, job) == expected, differs.clone());
            Ok(())
        })
    }

    fn audit_turn(kept: &KeptOf<T>) -> Audit<T> {
        let claim = &kept.claim;
        let is_entered = kept
            .turn
            .is_none_or(|turn| Agenda::<T>::contains_key(turn, claim.id));
        let is_in_time = match (kept.turn, claim.due(Self::now())) {
            (Some(turn), Some(due)) => turn <= Self::latest_turn(claim, due),
            (turn, due) => turn == due,
        };
        let differs = AuditFailure::TurnDiffers { claim: claim.id };
        ensure!(is_entered && is_in_time, differs);
        let (start, end) = UndrawnSpan::<T>::get();
        let first_new = match claim.has_many_leaves() {
            true => FirstOfMany::<T>::get(),
            false => FirstNew::<T>::get(),
        };
        let is_queued = || {
            claim.id >= first_new
                || (start..end).any(|position| Undrawn::<T>::get(position) == Some(claim.id))
        };
        ensure!(
            claim.stage != ClaimStage::Undrawn || is_queued(),
            AuditFailure::NotQueued { claim: claim.id },
        );
        Ok(())
    }

    fn audit_disputes(kept: &KeptOf<T>) -> Audit<T> {
        let claim = &kept.claim;
        let count = Disputes::<T>::iter_prefix(claim.id).count();
        let expected = match claim.outcome() {
            Some(_) => 0,
            None => claim.disputes,
        };
        ensure!(
            u32::try_from(count) == Ok(expected),
            AuditFailure::DisputesDiffer { claim: claim.id },
        );
        Ok(())
    }

    fn audit_backlogs() -> Audit<T> {
        let mut counted = BTreeMap::<T::AccountId, u64>::new();
        for (_, kept) in Claims::<T>::iter() {
            let claim = kept.claim;
            let is_over = claim.outcome().is_some();
            let open = |seat: &&Seat<T::AccountId>| seat.state == SeatState::Seated && !is_over;
            for seat in claim.seats.iter().filter(open) {
                let sum = counted.entry(seat.validator.clone()).or_default();
                *sum = sum.saturating_add(claim.terms.leaf_tokens);
            }
        }
        let recorded: BTreeMap<_, _> = T::Operators::check_backlogs()
            .into_iter()
            .filter(|(_, tokens)| *tokens > 0)
            .collect();
        ensure!(counted == recorded, AuditFailure::BacklogsDiffer);
        Ok(())
    }

    /// The most that the open claims of each payer may cost, and what goes back with their ends.
    pub(crate) fn owed_by_payers() -> BTreeMap<T::AccountId, Balance> {
        let mut owed = BTreeMap::<T::AccountId, Balance>::new();
        for (_, kept) in Claims::<T>::iter() {
            let (claim, terms) = (&kept.claim, &kept.claim.terms);
            if claim.outcome().is_none() {
                let sum = owed.entry(terms.payer.clone()).or_default();
                let most = terms.payment.saturating_add(terms.check_fee);
                *sum = sum.saturating_add(most).saturating_add(kept.surplus);
            }
        }
        owed
    }

    fn audit_holds() -> Audit<T> {
        let owed = Self::owed_by_payers();
        owed.into_iter().try_for_each(|(payer, owed)| {
            let held = T::Currency::balance_on_hold(&HoldReason::Payment.into(), &payer);
            let too_low = AuditFailure::HoldTooLow { payer, owed, held };
            ensure!(held >= owed, too_low);
            Ok(())
        })
    }

    fn audit_bonds() -> Audit<T> {
        let mut staked = BTreeMap::<T::AccountId, Balance>::new();
        for (_, _, challengers) in Disputes::<T>::iter() {
            for challenger in challengers {
                if let Stake::Hold { from, amount } = challenger.stake {
                    let sum = staked.entry(from).or_default();
                    *sum = sum.saturating_add(amount);
                }
            }
        }
        staked.into_iter().try_for_each(|(account, staked)| {
            let held = T::Currency::balance_on_hold(&HoldReason::Challenge.into(), &account);
            ensure!(held == staked, AuditFailure::BondsDiffer { account });
            Ok(())
        })
    }

    fn audit_agenda() -> Audit<T> {
        let mut seen = BTreeSet::new();
        for (block, claim, ()) in Agenda::<T>::iter() {
            let is_pointed_to =
                Claims::<T>::get(claim).is_some_and(|kept| kept.turn == Some(block));
            ensure!(
                is_pointed_to && seen.insert(claim),
                AuditFailure::TurnDiffers { claim },
            );
        }
        Ok(())
    }
}
