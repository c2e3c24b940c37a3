//! The end of a request whose answer stands: who gets what of the escrow.

use crate::{
    case::Case, Answers, Balance, Config, Event, HoldReason, Pallet, Part, Payment, Payments,
    Phase, RefundReason, Standing,
};
use frame_support::traits::{
    fungible::MutateHold,
    tokens::{Fortitude, Precision, Restriction},
};
use noema_economics::{burn_part, settle, NetPayment, Permill};
use noema_protocol::{
    interfaces::{Earning, Operators, RecordWork, Work},
    RequestId,
};

/// What an operator is paid for.
#[derive(Clone, Copy)]
struct Service {
    earning: Earning,
    work: Work,
}

impl Service {
    const ANSWER: Self = Self {
        earning: Earning::Answer,
        work: Work::Inference,
    };
    const CHECK: Self = Self {
        earning: Earning::Check,
        work: Work::Check,
    };
}

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

        let answer_paid = Self::pay(
            &requester,
            &assignment.worker,
            case.id,
            Service::ANSWER,
            shares.worker,
            case.request.rates.burned_share,
        );
        let mut payments = Payments::<T> {
            worker: answer_paid.paid,
            burned: answer_paid.burned,
            ..Default::default()
        };
        let mut spent = answer_paid.paid.saturating_add(answer_paid.burned);
        for seat in checkers {
            let check_paid = Self::pay(
                &requester,
                &seat.validator,
                case.id,
                Service::CHECK,
                shares.per_checker,
                case.request.rates.burned_share,
            );
            let payment = Payment {
                to: seat.validator.clone(),
                amount: check_paid.paid,
            };
            if payments.checks.try_push(payment).is_ok() {
                payments.burned = payments.burned.saturating_add(check_paid.burned);
                spent = spent
                    .saturating_add(check_paid.paid)
                    .saturating_add(check_paid.burned);
            }
        }
        payments.refunded =
            Self::release_escrow(&requester, case.request.escrow.saturating_sub(spent));

        Self::deposit_event(Event::Settled {
            request: case.id,
            requester,
            worker: assignment.worker,
            worker_paid: payments.worker,
            checks_paid: payments.checks.clone().into_inner(),
            refunded: payments.refunded,
            burned: payments.burned,
        });
        case.finish(Phase::Settled, payments);
        case.store();
    }

    /// Credits an operator with a payment out of an escrow, burns a part of the payment, and notes the
    /// work by what was burned.
    fn pay(
        requester: &T::AccountId,
        operator: &T::AccountId,
        request: RequestId,
        service: Service,
        amount: Balance,
        burned_share: Permill,
    ) -> NetPayment {
        let due = burn_part(amount, burned_share);
        if due.paid == 0 {
            return NetPayment::default();
        }
        let reason = HoldReason::Escrow.into();
        let paid = T::Currency::transfer_on_hold(
            &reason,
            requester,
            &T::Operators::purse(),
            due.paid,
            Precision::Exact,
            Restriction::Free,
            Fortitude::Force,
        )
        .unwrap_or(0);
        if paid == 0 {
            return NetPayment::default();
        }
        T::Operators::credit(operator, request.into(), service.earning, paid);
        let burned = match due.burned {
            0 => 0,
            burned => T::Currency::burn_held(
                &reason,
                requester,
                burned,
                Precision::Exact,
                Fortitude::Force,
            )
            .unwrap_or(0),
        };
        T::Work::record(
            service.work,
            operator,
            u64::try_from(burned).unwrap_or(u64::MAX),
        );
        NetPayment { paid, burned }
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
