//! What anybody may read without knowing the storage.

use crate::{
    Answers, Checks, Config, Deterrent, Engagements, Offer, Pallet, PendingJob, Phase, PriceList,
    Prompts, RequestState, Requests, Stage, Standing, Task,
};
use alloc::vec::Vec;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{
    interfaces::{Checkpoints, Operators},
    CheckpointId, RequestId, SamplingParameters,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn price_list(
        checkpoint: &CheckpointId,
        prompt_bytes: u32,
        parameters: &SamplingParameters,
    ) -> Option<PriceList<T::AccountId>> {
        T::Checkpoints::active(checkpoint)?;
        let mut offers: Vec<_> = Self::offers(checkpoint, prompt_bytes, parameters)
            .into_iter()
            .map(|(worker, quote)| Offer {
                deterrent: Self::deterrent(&worker.controller, quote.answer_max),
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
        })
    }

    pub(crate) fn deterrent_of(id: RequestId) -> Option<Deterrent> {
        let request = Requests::<T>::get(id)?;
        let more = if request.phase.is_final() {
            request.assignment.as_ref()?.answer_max
        } else {
            0
        };
        Some(Self::deterrent(&request.assignment?.worker, more))
    }

    pub(crate) fn jobs_of(operator: T::AccountId) -> Vec<PendingJob<BlockNumberFor<T>>> {
        let controller = T::Operators::controller_of(&operator).unwrap_or(operator);
        let mut jobs: Vec<_> = Engagements::<T>::iter_key_prefix(&controller)
            .filter_map(|id| Self::job_of(&controller, id))
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
