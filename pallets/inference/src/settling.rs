//! The end of a request whose answer stands: who gets what of the escrow.

use crate::{
    case::Case, Answers, Balance, Config, Event, HoldReason, Pallet, Part, Payment, Payments,
    Phase, RefundReason, Standing,
};
use frame_support::traits::{
    fungible::MutateHold,
    tokens::{Fortitude, Precision, Restriction},
};
use noema_economics::settle;
use noema_protocol::{
    interfaces::{Earning, Operators},
    RequestId,
};

impl<T: Config> Pallet<T> {
    /// Pays the worker and the validators that checked, and gives the rest back.
    pub(crate) fn settle(mut case: Case<T>) {
        let answer = Answers::<T>::get(case.id);
        let (Some(answer), Some(assignment)) = (answer, case.request.assignment.clone()) else {
            frame_support::defensive!("what is settled was answered");
            return Self::refund(case, RefundReason::Inconclusive);
        };
        let requester = case.request.requester.clone();
        let checkers = case
            .check
            .seats
            .iter()
            .filter(|seat| seat.part == Part::Check && seat.standing == Standing::Upholds);
        let count = u32::try_from(checkers.clone().count()).unwrap_or(u32::MAX);
        let shares = settle(
            case.request.escrow,
            &assignment.prices,
            case.request.prompt_bytes,
            answer.receipt.output_tokens,
            Some(count),
            assignment.check_fee,
        );

        let mut payments = Payments::<T> {
            worker: Self::pay(
                &requester,
                &assignment.worker,
                case.id,
                Earning::Answer,
                shares.worker,
            ),
            ..Default::default()
        };
        let mut paid = payments.worker;
        for seat in checkers {
            let amount = Self::pay(
                &requester,
                &seat.validator,
                case.id,
                Earning::Check,
                shares.per_checker,
            );
            let payment = Payment {
                to: seat.validator.clone(),
                amount,
            };
            if payments.checks.try_push(payment).is_ok() {
                paid = paid.saturating_add(amount);
            }
        }
        payments.refunded =
            Self::release_escrow(&requester, case.request.escrow.saturating_sub(paid));

        Self::deposit_event(Event::Settled {
            request: case.id,
            requester,
            worker: assignment.worker,
            worker_paid: payments.worker,
            checks_paid: payments.checks.clone().into_inner(),
            refunded: payments.refunded,
        });
        case.finish(Phase::Settled, payments);
        case.store();
    }

    /// Pays an operator out of an escrow. An account that cannot take the amount, because it does
    /// not exist and the amount is below the existential deposit, is paid nothing: the amount goes
    /// back to the requester.
    fn pay(
        requester: &T::AccountId,
        operator: &T::AccountId,
        request: RequestId,
        kind: Earning,
        amount: Balance,
    ) -> Balance {
        if amount == 0 {
            return 0;
        }
        let paid = T::Currency::transfer_on_hold(
            &HoldReason::Escrow.into(),
            requester,
            operator,
            amount,
            Precision::Exact,
            Restriction::Free,
            Fortitude::Force,
        )
        .unwrap_or(0);
        if paid > 0 {
            T::Operators::note_earning(operator, request.into(), kind, paid);
        }
        paid
    }

    /// Gives what is left of an escrow back.
    pub(crate) fn release_escrow(requester: &T::AccountId, amount: Balance) -> Balance {
        T::Currency::release(
            &HoldReason::Escrow.into(),
            requester,
            amount,
            Precision::BestEffort,
        )
        .unwrap_or(0)
    }
}
