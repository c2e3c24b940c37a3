//! The pallet as a referee: opening and concluding disputes.

use crate::{
    AppealEnd, Backlogs, Config, Dispute, DisputeTerms, Event, HoldReason, OpenDispute,
    OpenDisputeOf, OpenDisputes, Pallet,
};
use frame_support::traits::{
    fungible::MutateHold,
    tokens::{Fortitude, Precision},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{Claim, Decision, Disputes as _, Referee, RelayRandomness as _};
use noema_economics::Balance;
use noema_protocol::{interfaces::Operators, ClaimId};

impl<T: Config> Referee<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    fn open(claim: &Claim<T::AccountId, BlockNumberFor<T>>, leaf: u32) {
        let id = claim.id;
        if OpenDisputes::<T>::contains_key(id, leaf) {
            frame_support::defensive!("equal challenges share a dispute");
            return;
        }
        let terms = DisputeTerms::of(claim);
        let dispute = Dispute::new(id, leaf, terms, T::Claims::relay_block());
        let place = Self::enter(&dispute, Self::now());
        OpenDisputes::<T>::insert(id, leaf, OpenDispute { dispute, place });
        Self::deposit_event(Event::Opened {
            claim: id,
            leaf,
            checkpoint: terms.checkpoint,
            appeal_bond: terms.appeal_bond,
        });
    }

    fn close(claim: ClaimId, leaf: u32) {
        // None is open where the dispute is the one that was just concluded.
        if let Some(open) = OpenDisputes::<T>::get(claim, leaf) {
            Self::leave((claim, leaf), open.place);
            Self::drop_dispute(open);
        }
    }

    fn backlog(validator: &T::AccountId) -> u64 {
        Backlogs::<T>::get(validator)
    }
}

impl<T: Config> Pallet<T> {
    /// Carries out the decision.
    pub(crate) fn conclude(open: OpenDisputeOf<T>, decision: Decision) {
        let dispute = open.dispute;
        let (claim, leaf) = (dispute.claim, dispute.leaf);
        // First, as the claims pallet may close the other disputes over the claim.
        Self::store((claim, leaf), None);
        let judgement = dispute.judge(decision);
        let job = Self::job(&dispute);
        for loss in &judgement.losses {
            // The slash is burned: the losing side of the dispute pays the jurors, so that no juror gains by
            // another's fault.
            let stake = Self::stake(&dispute, loss.seats);
            T::Operators::slash(&loss.account, job, loss.offence, stake, &[]);
        }
        for juror in dispute.jurors() {
            T::Operators::release(&juror.account, job);
        }
        let appeal = judgement.appeal.map(|(appeal, end)| {
            match end {
                AppealEnd::Won | AppealEnd::Unheard => Self::release_bond(&appeal.by, appeal.bond),
                AppealEnd::Lost => Self::burn_bond(&appeal.by, appeal.bond),
            }
            end
        });
        Self::deposit_event(Event::Concluded {
            claim,
            leaf,
            decision,
            appeal,
        });
        T::Disputes::conclude(claim, leaf, decision, &judgement.right);
    }

    /// Drops a dispute that no longer needs a decision: no party to it loses anything.
    pub(crate) fn drop_dispute(open: OpenDisputeOf<T>) {
        let dispute = open.dispute;
        let (claim, leaf) = (dispute.claim, dispute.leaf);
        Self::store((claim, leaf), None);
        for juror in dispute.jurors() {
            T::Operators::release(&juror.account, Self::job(&dispute));
        }
        if let Some(appeal) = &dispute.appeal {
            Self::release_bond(&appeal.by, appeal.bond);
        }
        Self::deposit_event(Event::Dropped { claim, leaf });
    }

    fn release_bond(who: &T::AccountId, amount: Balance) {
        let reason = HoldReason::Appeal.into();
        let released = T::Currency::release(&reason, who, amount, Precision::BestEffort);
        frame_support::defensive_assert!(released == Ok(amount), "the bond is on hold");
    }

    fn burn_bond(who: &T::AccountId, amount: Balance) {
        let (reason, precision) = (HoldReason::Appeal.into(), Precision::BestEffort);
        let burned = T::Currency::burn_held(&reason, who, amount, precision, Fortitude::Force);
        frame_support::defensive_assert!(burned == Ok(amount), "the bond is on hold");
    }
}
