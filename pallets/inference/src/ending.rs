//! The end of a request.

use crate::{
    Balance, Config, Event, Pallet, Payment, Payments, RefundReason, Request, RequestPhase,
    Requests,
};
use noema_claims::{ClaimOutcome, Settlement};
use noema_interfaces::Claims;
use noema_protocol::{ClaimId, Job, RequestId};

impl<T: Config> Pallet<T> {
    /// Ends the request of a claim that is over.
    pub(crate) fn end(
        job: Job,
        claim: ClaimId,
        outcome: ClaimOutcome,
        settlement: &Settlement<T::AccountId>,
    ) {
        let Job::Request(id) = job else { return };
        let request = Requests::<T>::get(id)
            .filter(|request| request.phase == RequestPhase::Claimed { claim })
            .and_then(|request| Some((request.assignment.clone()?.worker, request)));
        let Some((worker, mut request)) = request else {
            frame_support::defensive!("the claim is of no request in the phase Claimed");
            return;
        };
        let surplus = request.price_limit.saturating_sub(Self::owed(&request));
        request.payments = Self::payments(surplus, settlement);
        let verification = match outcome {
            ClaimOutcome::Final(verification) => verification,
            ClaimOutcome::Unconfirmed => {
                return Self::close_refunded(id, request, RefundReason::Unconfirmed)
            }
            ClaimOutcome::Fallen(_) => {
                return Self::close_refunded(id, request, RefundReason::FalseAnswer)
            }
        };
        request.phase = RequestPhase::Settled {
            claim,
            verification,
        };
        let fees = settlement.validators.iter();
        Self::deposit_event(Event::Settled {
            request: id,
            requester: request.requester.clone(),
            worker,
            verification,
            worker_paid: request.payments.worker,
            validators_paid: fees
                .map(|(to, fee)| Payment {
                    to: to.clone(),
                    amount: fee.paid,
                })
                .collect(),
            burned: request.payments.burned,
            refunded: request.payments.refunded,
        });
        Self::finish(id, request);
    }

    /// The most that the claim of an answer may cost the requester.
    pub(crate) fn owed(request: &Request<T>) -> Balance {
        let parts = request.assignment.as_ref().zip(request.statement);
        parts.map_or(0, |(assignment, statement)| {
            statement.payment.saturating_add(assignment.check_fee)
        })
    }

    /// The payments of a request whose claim could not cost `surplus` of the price limit.
    fn payments(surplus: Balance, settlement: &Settlement<T::AccountId>) -> Payments {
        let paid = &settlement.claimant;
        let mut payments = Payments {
            worker: paid.paid,
            validators: 0,
            burned: paid.burned,
            refunded: surplus.saturating_add(settlement.payer),
        };
        for (_, fee) in &settlement.validators {
            payments.validators = payments.validators.saturating_add(fee.paid);
            payments.burned = payments.burned.saturating_add(fee.burned);
        }
        payments
    }

    /// Refunds the whole price limit of a request that no worker has.
    pub(crate) fn refund(id: RequestId, mut request: Request<T>, reason: RefundReason) {
        Self::stop_waiting(id, &request);
        request.payments.refunded = T::Claims::release(&request.requester, request.price_limit);
        Self::close_refunded(id, request, reason);
    }

    /// Refunds a request for which no worker is available.
    pub(crate) fn refund_unserved(id: RequestId, request: Request<T>) {
        let reason = match request.attempts {
            0 => RefundReason::NoWorker,
            _ => RefundReason::NoAnswer,
        };
        Self::refund(id, request, reason);
    }

    fn close_refunded(id: RequestId, mut request: Request<T>, reason: RefundReason) {
        request.phase = RequestPhase::Refunded { reason };
        Self::deposit_event(Event::Refunded {
            request: id,
            requester: request.requester.clone(),
            amount: request.payments.refunded,
            reason,
        });
        Self::finish(id, request);
    }

    /// Ends a request. From now on it waits for its removal.
    fn finish(id: RequestId, mut request: Request<T>) {
        request.ended_at = Some(frame_system::Pallet::<T>::block_number());
        Requests::<T>::insert(id, request);
    }
}
