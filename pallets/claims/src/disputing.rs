//! Challenges, and the effects of the referee's decision.

use crate::{Challenger, Config, Error, Event, HoldReason, Pallet, Stake, MAX_SEATED_CHALLENGERS};
use alloc::vec::Vec;
use frame_support::{
    ensure,
    traits::{
        fungible::MutateHold,
        tokens::{Fortitude, Precision},
        Get,
    },
    weights::Weight,
};
use noema_claims::{juror_share, lost_challenge, ClaimStage, Decision};
use noema_economics::Balance;
use noema_interfaces::{BlockRandomness, Earning, Operators, Referee};
use noema_protocol::{ClaimId, Job, Offence};
use sp_runtime::DispatchResult;

type ClaimOf<T> = crate::ClaimOf<T>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_challenge(who: T::AccountId, id: ClaimId, leaf: u32) -> DispatchResult {
        let mut kept = Self::load(id)?;
        let before = Self::before(&kept.claim);
        let challenger = T::Operators::controller_of(&who).unwrap_or_else(|| who.clone());
        let mut recorded = crate::Disputes::<T>::get(id, leaf);
        let joins = !recorded.is_empty();
        ensure!(
            !recorded.iter().any(|other| other.account == challenger),
            Error::<T>::AlreadyChallenged
        );
        let is_seated = kept.claim.has_open_seat(&challenger, leaf, Self::now());
        kept.claim
            .challenge(&challenger, leaf, joins, Self::now())
            .map_err(Error::<T>::from)?;
        let stake = if is_seated {
            Stake::Seat
        } else {
            let held = recorded
                .iter()
                .filter(|other| other.stake != Stake::Seat)
                .count();
            let room = T::MaxChallengers::get().saturating_sub(MAX_SEATED_CHALLENGERS);
            ensure!(
                u32::try_from(held).is_ok_and(|held| held < room),
                Error::<T>::ChallengersFull
            );
            let amount = Self::challenge_bond(&kept.claim);
            T::Currency::hold(&HoldReason::Challenge.into(), &who, amount)
                .map_err(|_| Error::<T>::FundsTooLow)?;
            Stake::Hold { from: who, amount }
        };
        let entry = Challenger {
            account: challenger.clone(),
            stake,
        };
        recorded
            .try_push(entry)
            .map_err(|_| Error::<T>::ChallengersFull)?;
        crate::Disputes::<T>::insert(id, leaf, recorded);
        Self::deposit_event(Event::Challenged {
            claim: id,
            leaf,
            challenger: challenger.clone(),
        });
        let claim = kept.claim.clone();
        Self::file_part(kept, &before);
        // A leaf that is not on chain has to be posted first: a referee has to read it.
        if claim.is_on_chain(leaf) {
            match joins {
                true => T::Referee::joined(&claim, leaf, &challenger),
                false => T::Referee::open(&claim, leaf),
            }
        }
        Ok(())
    }

    /// Carries out the decision on a dispute. `payees` are paid the fee of a juror, as often as each is in the list.
    pub(crate) fn do_conclude(id: ClaimId, leaf: u32, decision: Decision, payees: &[T::AccountId]) {
        let Ok(mut kept) = Self::load(id) else { return };
        if !crate::Disputes::<T>::contains_key(id, leaf) {
            return;
        }
        let relay = T::Randomness::relay_block();
        let is_true = decision == Decision::True;
        let is_queued = kept.claim.stage == ClaimStage::Undrawn;
        let before = Self::before(&kept.claim);
        let Ok(effects) = kept.claim.conclude_dispute(leaf, decision, relay) else {
            return;
        };
        Self::deposit_event(Event::DisputeConcluded {
            claim: id,
            leaf,
            decision,
        });
        let payees = if decision == Decision::False {
            // The challengers' share is part of the settlement, which removes the dispute.
            payees
        } else {
            let challengers = crate::Disputes::<T>::take(id, leaf);
            Self::forfeit(&kept.claim, kept.job, leaf, &challengers, is_true, payees);
            &[]
        };
        Self::file_step(kept, &before, is_queued, effects, payees, Self::now());
    }

    /// The highest weight with which a referee takes a dispute with so many challengers.
    pub(crate) fn referee_weight(challengers: u32) -> Weight {
        let entries = u64::from(challengers).saturating_add(1);
        T::ChallengerWeight::get().saturating_mul(entries)
    }

    /// The stake of an account that was not drawn: as much as the claimant's, so that a false challenge costs
    /// as much as a false claim.
    pub(crate) fn challenge_bond(claim: &ClaimOf<T>) -> Balance {
        claim.terms.rules.challenge_bond.max(claim.terms.stake)
    }

    /// Releases the stakes of challengers that were right, or whose dispute was not decided.
    pub(crate) fn give_back(challengers: &[Challenger<T::AccountId>]) {
        for challenger in challengers {
            if let Stake::Hold { from, amount } = &challenger.stake {
                let reason = HoldReason::Challenge.into();
                let _ = T::Currency::release(&reason, from, *amount, Precision::BestEffort);
            }
        }
    }

    /// Takes the stakes of challengers. The claimant gets the cost of the dispute where the leaf is true, and
    /// `payees` the fee of a juror as often as each is in the list, in equal parts where the stakes do not suffice; the rest burns.
    fn forfeit(
        claim: &ClaimOf<T>,
        job: Job,
        leaf: u32,
        challengers: &[Challenger<T::AccountId>],
        is_true: bool,
        payees: &[T::AccountId],
    ) {
        let fee = claim.juror_fee();
        // The amount that each seat of a juror still gets.
        let mut unpaid = fee;
        for challenger in challengers {
            let staked = match &challenger.stake {
                Stake::Seat => claim.seat_stake(),
                Stake::Hold { amount, .. } => *amount,
            };
            let mut shares = Vec::new();
            let mut left = staked;
            if is_true {
                let split = lost_challenge(staked, fee);
                shares.push((claim.terms.claimant.clone(), split.to_claimant));
                left = split.burned;
            }
            let each = juror_share(left, payees.len(), unpaid);
            unpaid = unpaid.saturating_sub(each);
            if each > 0 {
                shares.extend(payees.iter().map(|payee| (payee.clone(), each)));
            }
            match &challenger.stake {
                Stake::Seat => {
                    let seat = Job::Check(claim.id, leaf);
                    let offence = Offence::FalseChallenge;
                    let account = &challenger.account;
                    T::Operators::slash(account, seat, offence, staked, &shares);
                    T::Operators::release(account, seat);
                }
                Stake::Hold { from, amount } => Self::spend_bond(from, *amount, job, &shares),
            }
        }
    }

    /// Pays operators out of the bond of a challenge, in order and as far as it reaches, and burns the rest.
    fn spend_bond(
        from: &T::AccountId,
        amount: Balance,
        job: Job,
        shares: &[(T::AccountId, Balance)],
    ) {
        let (reason, precision) = (HoldReason::Challenge, Precision::BestEffort);
        let mut left = amount;
        for (operator, share) in shares {
            let share = left.min(*share);
            let paid = Self::move_to_purse(reason, from, share, precision).unwrap_or(0);
            left = left.saturating_sub(paid);
            if paid > 0 {
                T::Operators::credit(operator, job, Earning::Dispute, paid);
            }
        }
        let reason = reason.into();
        let _ = T::Currency::burn_held(&reason, from, left, precision, Fortitude::Force);
    }
}
