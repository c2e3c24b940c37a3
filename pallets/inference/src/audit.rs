//! The invariants that hold after every block, and the audit that checks them. Reads all storage: for a view
//! function and `try_state`, never for a block.

use crate::{
    Answers, AssignmentOf, Balance, Config, DeadlineAgenda, Deadlines, LateRequests, Load, Pallet,
    Prompts, PruningState, Queue, QueueKey, Request, RequestPart, RequestPhase, Requests, Unqueued,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::ensure;
use noema_claims::merkle_root;
use noema_interfaces::{Claims, Operators};
use noema_protocol::{apply, encoded, hashing, ClaimId, Job, RequestId};

/// The inconsistencies that an audit can find.
#[apply(encoded)]
pub enum AuditFailure<AccountId> {
    /// A request lacks a part that its phase needs, or has one that its phase excludes.
    Incomplete {
        /// The request.
        request: RequestId,
    },
    /// The payments of a request that is over do not add up to its price limit, or an open one has payments,
    /// or owes more than its price limit.
    PaymentsDiffer {
        /// The request.
        request: RequestId,
    },
    /// A queue has an entry whose request does not wait there, or the request without a place does not wait.
    StrayPlace {
        /// The request of the entry.
        request: RequestId,
    },
    /// A deadline is on the agenda that its request does not have.
    StrayDeadline {
        /// The request.
        request: RequestId,
    },
    /// The prompt or the record of a request was not removed in order, an answer outlives its prompt, or a late
    /// request is not one.
    PruningDiffers {
        /// The request.
        request: RequestId,
    },
    /// The number of late requests differs from their list.
    LateRequestsDiffer,
    /// The locks on a worker's bond differ from the stakes of its requests.
    StakeDiffers {
        /// The worker.
        worker: AccountId,
        /// The request.
        request: RequestId,
    },
    /// The load of a worker differs from the sum of its requests.
    LoadDiffers {
        /// The worker.
        worker: AccountId,
    },
    /// The claim of a request is unknown, does not match the answer, or outlives prompt and answer.
    ClaimDiffers {
        /// The request.
        request: RequestId,
    },
    /// The claims of a requester have less on hold than the price limits of its answers.
    HoldTooLow {
        /// The requester.
        requester: AccountId,
    },
    /// There is a prompt or an answer without its request.
    Orphaned {
        /// The request that is missing.
        request: RequestId,
    },
}

impl<AccountId> AuditFailure<AccountId> {
    /// The inconsistency as a sentence.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Incomplete { .. } => "a request lacks a part that its phase needs",
            Self::PaymentsDiffer { .. } => "a request's payments do not add up to its price limit",
            Self::StrayPlace { .. } => "a queue has an entry whose request does not wait there",
            Self::StrayDeadline { .. } => {
                "the agenda has a deadline that its request does not have"
            }
            Self::PruningDiffers { .. } => "a request was not pruned in order",
            Self::LateRequestsDiffer => "the number of late requests differs from their list",
            Self::StakeDiffers { .. } => "a worker's locks are not the stakes of its requests",
            Self::LoadDiffers { .. } => "a worker's load differs from the sum of its requests",
            Self::ClaimDiffers { .. } => "a request's claim does not match the answer",
            Self::HoldTooLow { .. } => {
                "a requester's claims have less on hold than the price limits of its answers"
            }
            Self::Orphaned { .. } => "a prompt or an answer lacks its request",
        }
    }
}

type Audit<T> = Result<(), AuditFailure<<T as frame_system::Config>::AccountId>>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Audit<T> {
        for (id, request) in Requests::<T>::iter() {
            Self::audit_parts(id, &request)?;
            Self::audit_deadline(id, &request)?;
            Self::audit_pruning(id, &request)?;
            Self::audit_payments(id, &request)?;
        }
        Self::audit_queues()?;
        Self::audit_deadlines()?;
        Self::audit_late_requests()?;
        Self::audit_workers()?;
        Self::audit_claims()?;
        Self::audit_orphans()
    }

    fn audit_parts(id: RequestId, request: &Request<T>) -> Audit<T> {
        let has_prompt = Prompts::<T>::contains_key(id);
        let has_answer = Answers::<T>::contains_key(id);
        let has_worker = request.assignment.is_some();
        let has_statement = request.statement.is_some();
        let is_open = has_prompt && request.ended_at.is_none();
        let is_whole = match request.phase {
            RequestPhase::Waiting => {
                is_open
                    && !has_answer
                    && !has_worker
                    && Queue::<T>::contains_key(request.checkpoint, QueueKey::of(id))
                        != (Unqueued::<T>::get() == Some(id))
            }
            RequestPhase::Answering { deadline } => {
                let assignment = request.assignment.as_ref();
                is_open
                    && !has_answer
                    && !has_statement
                    && assignment.is_some_and(|assignment| assignment.deadline == deadline)
            }
            RequestPhase::Claimed { .. } => is_open && has_answer && has_worker && has_statement,
            RequestPhase::Settled { .. } => {
                request.ended_at.is_some() && has_worker && has_statement
            }
            RequestPhase::Refunded { .. } => {
                request.ended_at.is_some() && has_worker == has_statement
            }
        };
        ensure!(is_whole, AuditFailure::Incomplete { request: id });
        Ok(())
    }

    fn audit_deadline(id: RequestId, request: &Request<T>) -> Audit<T> {
        let RequestPhase::Answering { deadline } = request.phase else {
            return Ok(());
        };
        let has_turn = DeadlineAgenda::<T>::contains(Self::miss_at(deadline), &id);
        ensure!(has_turn, AuditFailure::Incomplete { request: id });
        Ok(())
    }

    fn audit_pruning(id: RequestId, request: &Request<T>) -> Audit<T> {
        let state = PruningState::<T>::get();
        let has_prompt = Prompts::<T>::contains_key(id);
        let is_expected = match LateRequests::<T>::get(id) {
            None => id >= state.records && has_prompt == (id >= state.bodies),
            Some(part) => {
                let now = frame_system::Pallet::<T>::block_number();
                let is_passed = id < state.bodies && request.is_late(now);
                is_passed && has_prompt == (part == RequestPart::Bodies)
            }
        };
        ensure!(
            is_expected && (has_prompt || !Answers::<T>::contains_key(id)),
            AuditFailure::PruningDiffers { request: id },
        );
        Ok(())
    }

    fn audit_late_requests() -> Audit<T> {
        let mut count = 0u32;
        for request in LateRequests::<T>::iter_keys() {
            let is_kept = Requests::<T>::contains_key(request);
            ensure!(is_kept, AuditFailure::PruningDiffers { request });
            count = count.saturating_add(1);
        }
        ensure!(
            PruningState::<T>::get().late == count,
            AuditFailure::LateRequestsDiffer,
        );
        Ok(())
    }

    fn audit_payments(id: RequestId, request: &Request<T>) -> Audit<T> {
        let total = request.payments.total();
        let agrees = match request.phase {
            RequestPhase::Waiting | RequestPhase::Answering { .. } => total == 0,
            RequestPhase::Claimed { .. } => {
                total == 0 && Self::owed(request) <= request.price_limit
            }
            RequestPhase::Settled { .. } => total == request.price_limit,
            RequestPhase::Refunded { .. } => {
                total == request.price_limit && request.payments.refunded == total
            }
        };
        ensure!(agrees, AuditFailure::PaymentsDiffer { request: id });
        Ok(())
    }

    fn audit_queues() -> Audit<T> {
        for (checkpoint, place) in Queue::<T>::iter_keys() {
            let id = place.request();
            let waits = Requests::<T>::get(id).is_some_and(|request| {
                request.checkpoint == checkpoint && request.phase == RequestPhase::Waiting
            });
            ensure!(waits, AuditFailure::StrayPlace { request: id });
        }
        if let Some(id) = Unqueued::<T>::get() {
            let waits = Requests::<T>::get(id)
                .is_some_and(|request| request.phase == RequestPhase::Waiting);
            ensure!(waits, AuditFailure::StrayPlace { request: id });
        }
        Ok(())
    }

    fn audit_deadlines() -> Audit<T> {
        for (at, id) in Deadlines::<T>::iter_keys() {
            let phase = Requests::<T>::get(id).map(|request| request.phase);
            let is_needed = matches!(phase, Some(RequestPhase::Answering { deadline })
                if Self::miss_at(deadline) == at);
            ensure!(is_needed, AuditFailure::StrayDeadline { request: id });
        }
        Ok(())
    }

    fn audit_workers() -> Audit<T> {
        let mut loads = BTreeMap::<T::AccountId, Load>::new();
        let mut stakes = BTreeMap::<T::AccountId, BTreeSet<RequestId>>::new();
        for (id, request) in Requests::<T>::iter() {
            let Some(assignment) = request.assignment.as_ref() else {
                continue;
            };
            if request.phase.is_final() {
                continue;
            }
            let worker = assignment.worker.clone();
            let locked = T::Operators::locked(&worker, id.into());
            ensure!(
                locked == Some(assignment.stake),
                AuditFailure::StakeDiffers {
                    worker: worker.clone(),
                    request: id,
                },
            );
            if matches!(request.phase, RequestPhase::Answering { .. }) {
                let load = loads.entry(worker.clone()).or_default();
                *load = load.with(request.max_tokens(), request.prompt_bytes);
            }
            stakes.entry(worker).or_default().insert(id);
        }
        for (worker, requests) in stakes {
            for job in T::Operators::jobs(&worker) {
                let Job::Request(request) = job else { continue };
                let worker = worker.clone();
                ensure!(
                    requests.contains(&request),
                    AuditFailure::StakeDiffers { worker, request },
                );
            }
        }
        for (worker, recorded) in T::Operators::loads() {
            let expected = loads.remove(&worker).unwrap_or_default();
            let agrees = expected == recorded;
            ensure!(agrees, AuditFailure::LoadDiffers { worker });
        }
        if let Some((worker, _)) = loads.pop_first() {
            return Err(AuditFailure::LoadDiffers { worker });
        }
        Ok(())
    }

    fn audit_claims() -> Audit<T> {
        let mut owed = BTreeMap::<T::AccountId, Balance>::new();
        for (id, request) in Requests::<T>::iter() {
            if let Some(statement) = request.statement {
                let is_kept = T::Claims::claim(statement.claim).is_some();
                ensure!(
                    is_kept == Prompts::<T>::contains_key(id),
                    AuditFailure::ClaimDiffers { request: id },
                );
            }
            let (RequestPhase::Claimed { claim }, Some(assignment)) =
                (request.phase, request.assignment.as_ref())
            else {
                continue;
            };
            ensure!(
                Self::is_claim_of(claim, id, &request, assignment),
                AuditFailure::ClaimDiffers { request: id },
            );
            let sum = owed.entry(request.requester.clone()).or_default();
            *sum = sum.saturating_add(request.price_limit);
        }
        for (requester, owed) in owed {
            let is_covered = T::Claims::held(&requester) >= owed;
            ensure!(is_covered, AuditFailure::HoldTooLow { requester });
        }
        Ok(())
    }

    fn is_claim_of(
        claim: ClaimId,
        id: RequestId,
        request: &Request<T>,
        assignment: &AssignmentOf<T>,
    ) -> bool {
        let receipt = request.receipt(id);
        let root = receipt.map(|receipt| merkle_root(&[hashing::receipt_hash(&receipt)]));
        T::Claims::claim(claim).is_some_and(|claim| {
            let terms = &claim.terms;
            claim.outcome().is_none()
                && terms.claimant == assignment.worker
                && terms.payer == request.requester
                && terms.checkpoint == request.checkpoint
                && Some(terms.root) == root
                && terms.stake == assignment.stake
                && terms.payment.saturating_add(terms.check_fee) == Self::owed(request)
        })
    }

    fn audit_orphans() -> Audit<T> {
        for request in Prompts::<T>::iter_keys().chain(Answers::<T>::iter_keys()) {
            let is_known = Requests::<T>::contains_key(request);
            ensure!(is_known, AuditFailure::Orphaned { request });
        }
        Ok(())
    }
}
