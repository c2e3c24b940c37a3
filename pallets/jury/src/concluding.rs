//! The end of a dispute: the decision is carried out, or the dispute is dropped.

use crate::{AppealEnd, Config, Event, HoldReason, OpenDisputeOf, Pallet, WeightInfo};
use frame_support::{
    traits::{
        fungible::MutateHold,
        tokens::{Fortitude, Precision},
    },
    weights::Weight,
};
use noema_claims::Decision;
use noema_economics::Balance;
use noema_interfaces::{Claims as _, Disputes as _, Operators};
use noema_protocol::ClaimId;

impl<T: Config> Pallet<T> {
    /// Carries out the decision.
    pub(crate) fn conclude(open: OpenDisputeOf<T>, decision: Decision) {
        let dispute = open.dispute;
        let (claim, leaf) = (dispute.claim, dispute.leaf);
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

    /// Whether a claim has ended. Its disputes are dropped in their next turns, each by itself: a claim can have many,
    /// and each has many jurors to release.
    pub(crate) fn has_ended(claim: ClaimId) -> bool {
        T::Claims::claim(claim).is_none_or(|claim| claim.outcome().is_some())
    }

    /// Drops a dispute that no longer needs a decision: no party to it loses anything. Returns the weight.
    pub(crate) fn drop_dispute(open: OpenDisputeOf<T>) -> Weight {
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
        let jurors = u32::try_from(dispute.jurors().count());
        T::WeightInfo::drop_dispute(jurors.unwrap_or(u32::MAX))
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
