//! A request with all that belongs to it, loaded once, changed, stored once.

use crate::{
    Balance, Check, Checks, Config, Error, Exposure, Finished, FinishedQueue, FinishedSpan,
    LiveRequests, Pallet, Payments, Phase, Request, Requests,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_economics::silence_penalty;
use noema_protocol::{
    interfaces::{Offence, Operators},
    RequestId,
};

pub(crate) struct Case<T: Config> {
    pub(crate) id: RequestId,
    pub(crate) request: Request<T>,
    pub(crate) check: Check<T>,
}

impl<T: Config> Case<T> {
    pub(crate) fn load(id: RequestId) -> Result<Self, Error<T>> {
        let request = Requests::<T>::get(id).ok_or(Error::<T>::RequestUnknown)?;
        Ok(Self {
            id,
            request,
            check: Checks::<T>::get(id).unwrap_or_default(),
        })
    }

    pub(crate) fn store(self) {
        if self.check != Check::default() {
            Checks::<T>::insert(self.id, self.check);
        }
        Requests::<T>::insert(self.id, self.request);
    }

    /// The worker that has the request.
    pub(crate) fn worker(&self) -> Option<&T::AccountId> {
        self.request
            .assignment
            .as_ref()
            .map(|assignment| &assignment.worker)
    }

    /// Makes `block`, or the first after it with room, the request's next turn.
    pub(crate) fn wake_at(&mut self, block: BlockNumberFor<T>) {
        if let Some(due) = self.request.due.take() {
            Pallet::<T>::remove_turn(self.id, due);
        }
        self.request.due = Pallet::<T>::insert_turn(self.id, block);
    }

    /// Locks what a falsehood costs behind the request. An operator has at most one part in a request.
    pub(crate) fn engage(&self, operator: &T::AccountId) -> bool {
        let stake = self
            .request
            .rates
            .falsehood_slash
            .mul_ceil(T::Operators::bond(operator));
        T::Operators::lock(operator, self.id.into(), stake).is_ok()
    }

    fn release(&self, operator: &T::AccountId) {
        T::Operators::release(operator, self.id.into());
    }

    /// Adds what the worker could win with this request to what it could win with others.
    pub(crate) fn expose(&self) {
        if let Some(assignment) = &self.request.assignment {
            Exposure::<T>::mutate(&assignment.worker, |gain| {
                *gain = gain.saturating_add(assignment.answer_max);
            });
        }
    }

    /// Ends the worker's part.
    pub(crate) fn release_worker(&self) {
        let Some(assignment) = &self.request.assignment else {
            return;
        };
        if T::Operators::locked(&assignment.worker, self.id.into()).is_none() {
            return;
        }
        self.release(&assignment.worker);
        Exposure::<T>::mutate_exists(&assignment.worker, |gain| {
            let left: Balance = gain
                .unwrap_or_default()
                .saturating_sub(assignment.answer_max);
            *gain = (left > 0).then_some(left);
        });
    }

    /// The small slash for doing nothing.
    pub(crate) fn slash_silence(&self, operator: &T::AccountId, offence: Offence) {
        let rates = &self.request.rates;
        let bond = T::Operators::bond(operator);
        let amount = silence_penalty(bond, rates.silence_slash, rates.silence_cap);
        T::Operators::slash(operator, self.id.into(), offence, amount, &[]);
    }

    /// Closes the request: nobody is tied to it any more, it has no turn, and its escrow is spent.
    pub(crate) fn finish(&mut self, phase: Phase<BlockNumberFor<T>>, payments: Payments<T>) {
        self.release_worker();
        for seat in &self.check.seats {
            self.release(&seat.validator);
        }
        if let Some(due) = self.request.due.take() {
            Pallet::<T>::remove_turn(self.id, due);
        }
        self.check.stage = Default::default();
        self.request.escrow = 0;
        self.request.payments = Some(payments);
        self.request.phase = phase;
        LiveRequests::<T>::mutate(|live| *live = live.saturating_sub(1));
        FinishedSpan::<T>::mutate(|(_, end)| {
            let finished = Finished {
                request: self.id,
                at: frame_system::Pallet::<T>::block_number(),
            };
            FinishedQueue::<T>::insert(*end, finished);
            *end = end.saturating_add(1);
        });
    }
}
