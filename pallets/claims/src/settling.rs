//! The end of a claim: the division of the payer's money and of the stakes.

use crate::{Challenger, Config, Event, HoldReason, KeptOf, Pallet, Stake};
use alloc::vec::Vec;
use frame_support::traits::{
    fungible::MutateHold,
    tokens::{Fortitude, Precision, Restriction},
};
use noema_claims::{juror_share, ClaimOutcome, SeatState, Settlement, StakeSplit};
use noema_economics::{Balance, NetPayment};
use noema_interfaces::{Claims as _, Earning, OnClaimEnded, Operators, WorkCredit};
use noema_protocol::{ClaimId, Job, Offence, Work};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
    /// Divides all assets that a claim binds. Every lock and every hold behind it ends here. Returns for how many
    /// operators work of an earlier epoch was entered.
    pub(crate) fn settle(
        kept: &mut KeptOf<T>,
        outcome: ClaimOutcome,
        payees: &[T::AccountId],
    ) -> u32 {
        let claim = &kept.claim;
        let (id, terms) = (claim.id, &claim.terms);
        let settlement = claim.settle(outcome);
        let disputed = Self::close_disputes(id, outcome);
        if let Some(split) = &settlement.slash {
            let fee = juror_share(split.burned, payees.len(), claim.juror_fee());
            let shares = Self::shares(split, &disputed, payees, fee);
            let offence = Offence::FalseAnswer;
            T::Operators::slash(&terms.claimant, kept.job, offence, terms.stake, &shares);
            if let ClaimOutcome::Fallen(fault) = outcome {
                for validator in &settlement.false_confirmations {
                    let job = Job::Check(id, fault.leaf());
                    let stake = claim.seat_stake();
                    T::Operators::slash(validator, job, Offence::FalseCheck, stake, &[]);
                }
            }
        }
        let is_paid = Self::pay(kept, &settlement);
        if settlement.slash.is_none() {
            Self::charge_demands(claim);
        }
        let entered = Self::end_jobs(kept, &settlement, is_paid);
        let checks = &settlement.validators;
        Self::deposit_event(Event::Ended {
            claim: id,
            outcome,
            paid: settlement.claimant.paid,
            checks: checks
                .iter()
                .map(|(validator, payment)| (validator.clone(), payment.paid))
                .collect(),
            refunded: Self::refund_of(kept, &settlement),
            burned: checks
                .iter()
                .fold(settlement.claimant.burned, |sum, (_, payment)| {
                    sum.saturating_add(payment.burned)
                }),
        });
        T::OnEnded::ended(kept.job, id, outcome, &settlement);
        entered
    }

    /// Removes every dispute over the claim and releases the stakes of its challengers. Returns the challengers of
    /// the leaf by which the claim fell. The referee drops what it has of these disputes later.
    pub(crate) fn close_disputes(
        id: ClaimId,
        outcome: ClaimOutcome,
    ) -> Vec<Challenger<T::AccountId>> {
        let mut winners = Vec::new();
        // A claim does not end otherwise while a dispute over it is open.
        let ClaimOutcome::Fallen(fault) = outcome else {
            return winners;
        };
        for (leaf, challengers) in crate::Disputes::<T>::drain_prefix(id) {
            Self::give_back(&challengers);
            if leaf == fault.leaf() {
                winners.extend(challengers);
            }
        }
        winners
    }

    /// The beneficiaries of the claimant's stake: the challengers, validators that confirmed other leaves,
    /// and those paid for the dispute. The rest burns.
    ///
    /// Challengers share equally. But where validators that were drawn for the leaf are among them, only
    /// these share: otherwise a claimant that sees them drawn could challenge itself to take their part.
    fn shares(
        split: &StakeSplit<T::AccountId>,
        challengers: &[Challenger<T::AccountId>],
        payees: &[T::AccountId],
        fee: Balance,
    ) -> Vec<(T::AccountId, Balance)> {
        let is_seated = |challenger: &&Challenger<T::AccountId>| challenger.stake == Stake::Seat;
        let has_seated = challengers.iter().any(|challenger| is_seated(&challenger));
        let challengers: Vec<_> = challengers
            .iter()
            .filter(|challenger| !has_seated || is_seated(challenger))
            .collect();
        let count = Balance::try_from(challengers.len()).unwrap_or(Balance::MAX);
        let each = split.challengers.checked_div(count).unwrap_or(0);
        let challengers = challengers.into_iter().map(|challenger| {
            let account = match &challenger.stake {
                Stake::Seat => &challenger.account,
                Stake::Hold { from, .. } => from,
            };
            (account.clone(), each)
        });
        let payees = payees.iter().map(|payee| (payee.clone(), fee));
        challengers
            .chain(split.validators.iter().cloned())
            .chain(payees)
            .collect()
    }

    /// Moves the payments of operators out of the hold of the payer, and releases the rest. Returns whether there
    /// are any.
    fn pay(kept: &KeptOf<T>, settlement: &Settlement<T::AccountId>) -> bool {
        let payer = &kept.claim.terms.payer;
        let checks = settlement.validators.iter().map(|(_, payment)| payment);
        let (paid, burned) = core::iter::once(&settlement.claimant)
            .chain(checks)
            .filter(|payment| payment.paid > 0)
            .fold((0, 0), |(paid, burned): (Balance, Balance), payment| {
                (
                    paid.saturating_add(payment.paid),
                    burned.saturating_add(payment.burned),
                )
            });
        let is_paid = paid > 0 && Self::move_payment(payer, paid, burned);
        Self::release(payer, Self::refund_of(kept, settlement));
        is_paid
    }

    /// Ends the locks of the claimant and of its validators, and credits them where their payments were moved.
    /// Returns for how many of them work of an earlier epoch was entered.
    fn end_jobs(kept: &KeptOf<T>, settlement: &Settlement<T::AccountId>, is_paid: bool) -> u32 {
        let credit = |kind, work, payment: NetPayment| {
            (is_paid && payment.paid > 0).then(|| WorkCredit {
                job: kept.job,
                kind,
                amount: payment.paid,
                work,
                done: u64::try_from(payment.burned).unwrap_or(u64::MAX),
            })
        };
        let claim = &kept.claim;
        let answer = credit(Earning::Answer, Work::Inference, settlement.claimant);
        let mut entered = u32::from(Self::end_job(&claim.terms.claimant, kept.job, answer));
        // A settlement pays the seats that confirmed a leaf, in their order, or none.
        let mut payments = settlement.validators.iter();
        for seat in claim.seats.iter() {
            let check = match seat.state {
                SeatState::Silent | SeatState::Refuted => continue,
                SeatState::Confirmed => payments
                    .next()
                    .and_then(|(_, payment)| credit(Earning::Check, Work::Check, *payment)),
                SeatState::Seated | SeatState::Committed(_) | SeatState::Challenged => None,
            };
            let job = Job::Check(claim.id, seat.leaf);
            entered = entered.saturating_add(Self::end_job(&seat.validator, job, check).into());
        }
        entered
    }

    /// Ends the lock of an operator, and credits it. Returns whether work of an earlier epoch was entered.
    fn end_job(operator: &T::AccountId, lock: Job, credit: Option<WorkCredit<Balance>>) -> bool {
        match credit {
            Some(credit) => T::Operators::release_paid(operator, lock, credit),
            None => {
                T::Operators::release(operator, lock);
                false
            }
        }
    }

    /// The amount that goes back to the payer.
    fn refund_of(kept: &KeptOf<T>, settlement: &Settlement<T::AccountId>) -> Balance {
        settlement.payer.saturating_add(kept.surplus)
    }

    /// Moves the payments of operators into their purse and burns the rest. Returns whether the move
    /// succeeded.
    fn move_payment(payer: &T::AccountId, paid: Balance, burned: Balance) -> bool {
        let (reason, precision) = (HoldReason::Payment, Precision::Exact);
        if Self::move_to_purse(reason, payer, paid, precision).is_err() {
            frame_support::defensive!("the payment is on hold, and the purse exists");
            return false;
        }
        if burned > 0 {
            let reason = reason.into();
            let _ = T::Currency::burn_held(&reason, payer, burned, precision, Fortitude::Force);
        }
        true
    }

    /// Moves an amount on hold of an account into the purse of the operators. Returns the moved amount.
    pub(crate) fn move_to_purse(
        reason: HoldReason,
        from: &T::AccountId,
        amount: Balance,
        precision: Precision,
    ) -> Result<Balance, DispatchError> {
        T::Currency::transfer_on_hold(
            &reason.into(),
            from,
            &T::Operators::purse(),
            amount,
            precision,
            Restriction::Free,
            Fortitude::Force,
        )
    }
}
