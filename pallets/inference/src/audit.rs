//! Whether the books agree with each other. Reads everything: for a view function and
//! `try_state`, never for a block.

use crate::{
    Agenda, Answers, Balance, Checks, Config, Exposure, FinishedQueue, FinishedSpan, HoldReason,
    LiveRequests, Pallet, Phase, Prompts, Request, Requests,
};
use alloc::collections::{BTreeMap, BTreeSet};
use codec::{Decode, Encode};
use frame_support::traits::fungible::InspectHold;
use noema_protocol::{interfaces::Operators, Job, RequestId};
use scale_info::TypeInfo;

/// What is wrong with the books.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum AuditError<AccountId> {
    /// A requester's hold is not the sum of its escrows.
    HoldDiffers {
        /// The requester.
        requester: AccountId,
        /// The sum of its escrows.
        escrows: Balance,
        /// What is on hold.
        held: Balance,
    },
    /// A final request has an escrow or a turn in the agenda, or lacks its payments.
    NotClosed {
        /// The request.
        request: RequestId,
    },
    /// The payments of a final request do not sum up to its price limit.
    PaymentsDiffer {
        /// The request.
        request: RequestId,
    },
    /// A request that is not final lacks its turn in the agenda, or a part that its phase needs.
    Incomplete {
        /// The request.
        request: RequestId,
    },
    /// The agenda has an entry that no request points to, or one in the past.
    StrayTurn {
        /// The request of the entry.
        request: RequestId,
    },
    /// The number of requests that are not final is not the one recorded.
    LiveDiffers {
        /// As counted.
        counted: u32,
        /// As recorded.
        recorded: u32,
    },
    /// The record of who is engaged differs from the requests.
    EngagementDiffers {
        /// The request.
        request: RequestId,
    },
    /// What a worker could win is not the sum over its requests.
    ExposureDiffers {
        /// The worker.
        worker: AccountId,
    },
    /// The queue of final requests has a gap or an entry that is not final.
    QueueDiffers {
        /// The position in the queue.
        position: u64,
    },
    /// There is a prompt, an answer or a check without its request.
    Orphaned {
        /// The request that is missing.
        request: RequestId,
    },
}

impl<AccountId> AuditError<AccountId> {
    /// What is wrong, in one sentence.
    pub const fn summary(&self) -> &'static str {
        match self {
            Self::HoldDiffers { .. } => "a requester's hold is not the sum of its escrows",
            Self::NotClosed { .. } => "a final request is not closed",
            Self::PaymentsDiffer { .. } => "a final request's payments are not its price limit",
            Self::Incomplete { .. } => "a request lacks a part that its phase needs",
            Self::StrayTurn { .. } => "the agenda has an entry that no request points to",
            Self::LiveDiffers { .. } => "the number of live requests is not the recorded one",
            Self::EngagementDiffers { .. } => "the engagements differ from the requests",
            Self::ExposureDiffers { .. } => "a worker's exposure is not the sum of its requests",
            Self::QueueDiffers { .. } => "the queue of final requests has a gap",
            Self::Orphaned { .. } => "a prompt, an answer or a check lacks its request",
        }
    }
}

type Audit<T> = Result<(), AuditError<<T as frame_system::Config>::AccountId>>;

fn check<E>(holds: bool, error: E) -> Result<(), E> {
    if holds {
        Ok(())
    } else {
        Err(error)
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Audit<T> {
        Self::audit_requests()?;
        Self::audit_holds()?;
        Self::audit_agenda()?;
        Self::audit_engagements()?;
        Self::audit_queue()?;
        Self::audit_orphans()
    }

    fn audit_requests() -> Audit<T> {
        let mut counted: u32 = 0;
        for (id, request) in Requests::<T>::iter() {
            if request.phase.is_final() {
                Self::audit_closed(id, &request)?;
            } else {
                counted = counted.saturating_add(1);
                Self::audit_open(id, &request)?;
            }
        }
        let recorded = LiveRequests::<T>::get();
        check(
            counted == recorded,
            AuditError::LiveDiffers { counted, recorded },
        )
    }

    fn audit_closed(id: RequestId, request: &Request<T>) -> Audit<T> {
        let not_closed = AuditError::NotClosed { request: id };
        check(request.escrow == 0 && request.due.is_none(), not_closed)?;
        let payments = request
            .payments
            .as_ref()
            .ok_or(AuditError::NotClosed { request: id })?;
        let to_checkers = payments.checks.iter().fold(0, |sum: Balance, payment| {
            sum.saturating_add(payment.amount)
        });
        let total = payments
            .worker
            .saturating_add(to_checkers)
            .saturating_add(payments.refunded)
            .saturating_add(payments.burned);
        check(
            total == request.price_limit,
            AuditError::PaymentsDiffer { request: id },
        )
    }

    fn audit_open(id: RequestId, request: &Request<T>) -> Audit<T> {
        let has_turn = request
            .due
            .is_some_and(|due| Agenda::<T>::get(due).contains(&id));
        let has_worker = request.assignment.is_some();
        let has_answer = Answers::<T>::contains_key(id);
        let has_parts = match request.phase {
            Phase::Waiting => !has_worker && !has_answer,
            Phase::Answering { .. } => has_worker && !has_answer,
            _ => has_worker && has_answer,
        };
        let is_whole = has_turn
            && has_parts
            && request.payments.is_none()
            && request.escrow == request.price_limit;
        check(is_whole, AuditError::Incomplete { request: id })
    }

    fn audit_holds() -> Audit<T> {
        let mut escrows = BTreeMap::<T::AccountId, Balance>::new();
        for (_, request) in Requests::<T>::iter() {
            let sum = escrows.entry(request.requester).or_default();
            *sum = sum.saturating_add(request.escrow);
        }
        for (requester, escrows) in escrows {
            let held = T::Currency::balance_on_hold(&HoldReason::Escrow.into(), &requester);
            let differs = AuditError::HoldDiffers {
                requester,
                escrows,
                held,
            };
            check(escrows == held, differs)?;
        }
        Ok(())
    }

    fn audit_agenda() -> Audit<T> {
        let now = frame_system::Pallet::<T>::block_number();
        let mut seen = BTreeSet::new();
        for (block, turns) in Agenda::<T>::iter() {
            for id in turns {
                let is_pointed_to =
                    Requests::<T>::get(id).is_some_and(|request| request.due == Some(block));
                check(
                    is_pointed_to && block >= now && seen.insert(id),
                    AuditError::StrayTurn { request: id },
                )?;
            }
        }
        Ok(())
    }

    fn audit_engagements() -> Audit<T> {
        let mut expected = BTreeSet::new();
        let mut exposure = BTreeMap::<T::AccountId, Balance>::new();
        for (id, request) in Requests::<T>::iter() {
            if request.phase.is_final() {
                continue;
            }
            if let Some(assignment) = request.assignment {
                let gain = exposure.entry(assignment.worker.clone()).or_default();
                *gain = gain.saturating_add(assignment.answer_max);
                expected.insert((assignment.worker, id));
            }
            for seat in Checks::<T>::get(id).unwrap_or_default().seats {
                expected.insert((seat.validator, id));
            }
        }
        for (operator, request) in &expected {
            let is_locked = T::Operators::locked(operator, (*request).into()).is_some();
            check(
                is_locked,
                AuditError::EngagementDiffers { request: *request },
            )?;
        }
        let operators: BTreeSet<_> = expected.iter().map(|(operator, _)| operator).collect();
        for operator in operators {
            for job in T::Operators::jobs(operator) {
                let Job::Request(request) = job else { continue };
                let is_expected = expected.contains(&(operator.clone(), request));
                check(is_expected, AuditError::EngagementDiffers { request })?;
            }
        }
        for (worker, recorded) in Exposure::<T>::iter() {
            let expected = exposure.remove(&worker).unwrap_or_default();
            check(expected == recorded, AuditError::ExposureDiffers { worker })?;
        }
        match exposure.into_iter().find(|(_, gain)| *gain > 0) {
            Some((worker, _)) => Err(AuditError::ExposureDiffers { worker }),
            None => Ok(()),
        }
    }

    fn audit_queue() -> Audit<T> {
        let (start, end) = FinishedSpan::<T>::get();
        let mut queued = 0usize;
        for position in start..end {
            let is_final = FinishedQueue::<T>::get(position)
                .and_then(|finished| Requests::<T>::get(finished.request))
                .is_some_and(|request| request.phase.is_final());
            check(is_final, AuditError::QueueDiffers { position })?;
            queued = queued.saturating_add(1);
        }
        let is_complete = FinishedQueue::<T>::iter_keys().count() == queued;
        check(is_complete, AuditError::QueueDiffers { position: end })
    }

    fn audit_orphans() -> Audit<T> {
        let ids = Prompts::<T>::iter_keys()
            .chain(Answers::<T>::iter_keys())
            .chain(Checks::<T>::iter_keys());
        for request in ids {
            check(
                Requests::<T>::contains_key(request),
                AuditError::Orphaned { request },
            )?;
        }
        Ok(())
    }
}
