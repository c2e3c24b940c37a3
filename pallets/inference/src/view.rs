//! What anybody may read without knowing the storage.

use crate::{
    Answers, Assignment, Balance, Checks, Config, Pallet, Payment, Phase, Prompts, Requests, Seat,
    Stage, Standing,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_economics::Permill;
use noema_protocol::{
    interfaces::{Checkpoints, Operators},
    CheckpointId, Job, Receipt, RequestId, SamplingParameters,
};
use scale_info::TypeInfo;

/// Everything known of a request.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RequestState<AccountId, BlockNumber> {
    /// Who asked.
    pub requester: AccountId,
    /// The checkpoint asked for.
    pub checkpoint: CheckpointId,
    /// The prompt, UTF-8.
    pub prompt: Vec<u8>,
    /// How tokens are chosen.
    pub parameters: SamplingParameters,
    /// The most the requester pays.
    pub price_limit: Balance,
    /// What is still on hold.
    pub escrow: Balance,
    /// The block of the request.
    pub requested_at: BlockNumber,
    /// The block in which it is refunded if it still waits for a worker.
    pub expires_at: BlockNumber,
    /// Where it stands.
    pub phase: Phase<BlockNumber>,
    /// The block in which it is looked at next.
    pub due: Option<BlockNumber>,
    /// The worker that has it or had it last, its prices and the seed.
    pub assignment: Option<Assignment<AccountId, BlockNumber>>,
    /// Workers that let their deadline pass.
    pub missed: Vec<AccountId>,
    /// The answer's text, UTF-8; empty before there is one.
    pub text: Vec<u8>,
    /// The answer's tokens.
    pub tokens: Vec<u32>,
    /// The answer's receipt.
    pub receipt: Option<Receipt>,
    /// The block of the answer.
    pub answered_at: Option<BlockNumber>,
    /// The probability with which the answer was drawn for a check.
    pub check_rate: Permill,
    /// Where the validators now sitting stand.
    pub stage: Stage<BlockNumber>,
    /// Every validator that has or had a say, and what it said.
    pub seats: Vec<Seat<AccountId>>,
    /// What the worker was paid.
    pub worker_paid: Balance,
    /// What the validators were paid for the check.
    pub checks_paid: Vec<Payment<AccountId>>,
    /// What the requester got back.
    pub refunded: Balance,
    /// What was burned of the payments.
    pub burned: Balance,
}

/// What a worker would charge for a request.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Offer<AccountId> {
    /// The controller of the worker.
    pub worker: AccountId,
    /// For the longest answer that the parameters allow.
    pub answer_max: Balance,
    /// Set aside for the validators that check the answer; refunded if none does.
    pub check_fee: Balance,
    /// The price limit from which this worker may be drawn: the two above.
    pub total: Balance,
    /// What cheating on this request would come to for this worker.
    pub deterrent: Deterrent,
}

/// The price limits to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PriceList<AccountId> {
    /// The lowest limit with which a worker may be drawn; `None` while no worker is there.
    pub lowest: Option<Balance>,
    /// The limit with which half of the workers may be drawn.
    pub typical: Option<Balance>,
    /// What each worker would charge, the cheapest first.
    pub offers: Vec<Offer<AccountId>>,
}

/// What cheating would cost a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Deterrent {
    /// What it could win: the prices of all its requests that are not settled yet.
    pub gain: Balance,
    /// What a lost dispute takes from its bond: what is locked behind the request.
    pub stake: Balance,
    /// The probability of a check.
    pub check_rate: Permill,
    /// The expected loss less the expected gain; negative where cheating pays.
    pub cost: i128,
}

/// What an operator has to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Task {
    /// Answer, and call `submit_result`.
    Answer,
    /// Re-execute, and call `commit_verdict`.
    Commit,
    /// Call `reveal_verdict` with what was committed.
    Reveal,
}

/// Something an operator has to do, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PendingJob<BlockNumber> {
    /// The request.
    pub request: RequestId,
    /// The checkpoint to execute.
    pub checkpoint: CheckpointId,
    /// What to do.
    pub task: Task,
    /// The last block in which it is accepted.
    pub deadline: BlockNumber,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn price_list(
        checkpoint: &CheckpointId,
        prompt_bytes: u32,
        parameters: &SamplingParameters,
    ) -> Option<PriceList<T::AccountId>> {
        T::Checkpoints::active(checkpoint)?;
        let rates = T::Rates::get();
        let mut offers: Vec<_> = Self::offers(checkpoint, prompt_bytes, parameters, &rates)
            .into_iter()
            .map(|(worker, quote)| Offer {
                deterrent: Self::deterrent(&worker.controller, None, quote.answer_max, &rates),
                worker: worker.controller,
                answer_max: quote.answer_max,
                check_fee: quote.check_fee,
                total: quote.total,
            })
            .collect();
        offers.sort_by_key(|offer| offer.total);
        let middle = offers.len().saturating_sub(1).checked_div(2).unwrap_or(0);
        Some(PriceList {
            lowest: offers.first().map(|offer| offer.total),
            typical: offers.get(middle).map(|offer| offer.total),
            offers,
        })
    }

    pub(crate) fn state_of(id: RequestId) -> Option<RequestState<T::AccountId, BlockNumberFor<T>>> {
        let request = Requests::<T>::get(id)?;
        let answer = Answers::<T>::get(id);
        let check = Checks::<T>::get(id).unwrap_or_default();
        let payments = request.payments.unwrap_or_default();
        Some(RequestState {
            requester: request.requester,
            checkpoint: request.checkpoint,
            prompt: Prompts::<T>::get(id).unwrap_or_default().into_inner(),
            parameters: request.parameters,
            price_limit: request.price_limit,
            escrow: request.escrow,
            requested_at: request.requested_at,
            expires_at: request.expires_at,
            phase: request.phase,
            due: request.due,
            assignment: request.assignment,
            missed: request.missed.into_inner(),
            receipt: answer.as_ref().map(|answer| answer.receipt),
            answered_at: answer.as_ref().map(|answer| answer.answered_at),
            tokens: answer
                .as_ref()
                .map(|answer| answer.tokens.to_vec())
                .unwrap_or_default(),
            text: answer
                .map(|answer| answer.text.into_inner())
                .unwrap_or_default(),
            check_rate: check.rate,
            stage: check.stage,
            seats: check.seats.into_inner(),
            worker_paid: payments.worker,
            checks_paid: payments.checks.into_inner(),
            refunded: payments.refunded,
            burned: payments.burned,
        })
    }

    pub(crate) fn deterrent_of(id: RequestId) -> Option<Deterrent> {
        let request = Requests::<T>::get(id)?;
        let more = if request.phase.is_final() {
            request.assignment.as_ref()?.answer_max
        } else {
            0
        };
        Some(Self::deterrent(
            &request.assignment?.worker,
            Some(id),
            more,
            &request.rates,
        ))
    }

    pub(crate) fn jobs_of(operator: T::AccountId) -> Vec<PendingJob<BlockNumberFor<T>>> {
        let controller = T::Operators::controller_of(&operator).unwrap_or(operator);
        let mut jobs: Vec<_> = T::Operators::jobs(&controller)
            .into_iter()
            .filter_map(|job| match job {
                Job::Request(id) => Self::job_of(&controller, id),
                Job::Round(_) => None,
            })
            .collect();
        jobs.sort_by_key(|job| (job.deadline, job.request));
        jobs
    }

    fn job_of(controller: &T::AccountId, id: RequestId) -> Option<PendingJob<BlockNumberFor<T>>> {
        let request = Requests::<T>::get(id)?;
        let job = |task, deadline| PendingJob {
            request: id,
            checkpoint: request.checkpoint,
            task,
            deadline,
        };
        if let (Phase::Answering { deadline }, Some(assignment)) =
            (request.phase, &request.assignment)
        {
            return (assignment.worker == *controller).then(|| job(Task::Answer, deadline));
        }
        let check = Checks::<T>::get(id)?;
        let seat = check
            .seats
            .iter()
            .find(|seat| seat.validator == *controller && seat.standing == Standing::Sitting)?;
        match check.stage {
            Stage::Committing { deadline } if seat.commitment.is_none() => {
                Some(job(Task::Commit, deadline))
            }
            Stage::Revealing { deadline }
                if seat.commitment.is_some() && seat.opinion.is_none() =>
            {
                Some(job(Task::Reveal, deadline))
            }
            _ => None,
        }
    }
}
