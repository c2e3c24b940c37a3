//! The removal of requests that are over.
//!
//! Prompts and answers are removed in the order of requests, and so are records. So nothing is stored or removed
//! for the removal of a single request. A request that is open for longer than prompts and answers stay is
//! *late*: the others pass it, and late ones are visited in turn. So no request keeps a later one in storage for
//! longer than that.

use crate::{
    Answers, Config, Event, LateRequests, NextRequestId, Pallet, Prompts, Pruning, PruningState,
    Request, RequestPart, RequestRules, Requests, WeightInfo,
};
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_agenda::charge_recorded_proof;
use noema_interfaces::Claims;
use noema_protocol::RequestId;
use sp_runtime::traits::Saturating;

/// Most late requests visited in one block.
const MOST_LATE: u32 = 16;

impl RequestPart {
    /// The blocks for which it stays in storage after the end, at least.
    const fn retention(self, rules: &RequestRules) -> u32 {
        match self {
            Self::Bodies => rules.body_retention,
            Self::Record => rules.retention,
        }
    }

    fn weight<T: Config>(self) -> Weight {
        match self {
            Self::Bodies => T::WeightInfo::prune_bodies(),
            Self::Record => T::WeightInfo::prune_record(),
        }
    }
}

/// The result of removing a part of a request if that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is gone.
    Gone,
    /// It stays, as it is not due.
    Stays,
    /// It stays, as its request is late.
    Late,
}

impl<T: Config> Pallet<T> {
    /// The weight of the heaviest removal: that of a part of a late request.
    pub(crate) fn pruning_weight() -> Weight {
        let heaviest =
            Self::late_removal(RequestPart::Bodies).max(Self::late_removal(RequestPart::Record));
        T::WeightInfo::visit_late().saturating_add(heaviest)
    }

    /// What removing a part of a late request weighs beyond the visit: it changes the list, too.
    fn late_removal(part: RequestPart) -> Weight {
        part.weight::<T>()
            .saturating_add(T::DbWeight::get().writes(1))
    }

    /// Removes what is due in block `now`, as far as `meter` reaches. The base of a poll pays for finding that
    /// nothing is, and for noting what was removed.
    pub(crate) fn prune_due(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        let before = PruningState::<T>::get();
        let mut state = before;
        Self::visit_late_requests(&mut state, now, meter);
        let end = NextRequestId::<T>::get();
        let first = state.bodies;
        let (bodies, late) = Self::prune_in_order(RequestPart::Bodies, first, end, now, meter);
        // A record tells when prompt and answer are due, so it goes after them.
        let first = state.records;
        let (records, _) = Self::prune_in_order(RequestPart::Record, first, bodies, now, meter);
        state = Pruning {
            bodies,
            records,
            late: state.late.saturating_add(late),
            ..state
        };
        if state != before {
            PruningState::<T>::put(state);
        }
    }

    /// Removes `part` of requests from `first` on, up to the first one of which it stays, and of none from `end`
    /// on. Returns the request at which it stopped, and how many late ones it passed.
    fn prune_in_order(
        part: RequestPart,
        first: RequestId,
        end: RequestId,
        now: BlockNumberFor<T>,
        meter: &mut WeightMeter,
    ) -> (RequestId, u32) {
        let weight = part.weight::<T>();
        let mut next = first;
        let mut late = 0u32;
        while next < end && meter.can_consume(weight) {
            let removal = charge_recorded_proof(meter, |meter| {
                let removal = Self::prune(part, next, now);
                if removal != Removal::Stays {
                    meter.consume(weight);
                }
                removal
            });
            match removal {
                Removal::Gone => {}
                Removal::Stays => break,
                Removal::Late => late = late.saturating_add(1),
            }
            next = RequestId(next.0.saturating_add(1));
        }
        (next, late)
    }

    /// Removes `part` of a request if that is due, and lists the request if it is late.
    pub(crate) fn prune(part: RequestPart, id: RequestId, now: BlockNumberFor<T>) -> Removal {
        let Some(request) = Requests::<T>::get(id) else {
            return Removal::Gone;
        };
        if request.is_late(now) {
            if part == RequestPart::Bodies {
                LateRequests::<T>::insert(id, part);
            }
            return Removal::Late;
        }
        match Self::prune_if_due(part, id, &request, now) {
            true => Removal::Gone,
            false => Removal::Stays,
        }
    }

    /// Visits late requests after the one that was visited last, and removes what is due of them.
    fn visit_late_requests(state: &mut Pruning, now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        for _ in 0..state.late.min(MOST_LATE) {
            if !meter.can_consume(Self::pruning_weight()) {
                return;
            }
            charge_recorded_proof(meter, |meter| Self::visit_late(state, now, meter));
        }
    }

    /// Visits the next late request.
    pub(crate) fn visit_late(state: &mut Pruning, now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        meter.consume(T::WeightInfo::visit_late());
        let key = LateRequests::<T>::hashed_key_for(state.visited);
        let first = || LateRequests::<T>::iter().next();
        let next = LateRequests::<T>::iter_from(key).next().or_else(first);
        let Some((id, part)) = next else {
            frame_support::defensive!("there are fewer late requests than counted");
            state.late = 0;
            return;
        };
        state.visited = id;
        let is_gone = match Requests::<T>::get(id) {
            Some(request) => Self::prune_if_due(part, id, &request, now),
            None => true,
        };
        if !is_gone {
            return;
        }
        meter.consume(Self::late_removal(part));
        match part {
            RequestPart::Bodies => LateRequests::<T>::insert(id, RequestPart::Record),
            RequestPart::Record => {
                LateRequests::<T>::remove(id);
                state.late = state.late.saturating_sub(1);
            }
        }
    }

    /// Removes `part` of a request if that is due. Returns whether it is gone.
    fn prune_if_due(
        part: RequestPart,
        id: RequestId,
        request: &Request<T>,
        now: BlockNumberFor<T>,
    ) -> bool {
        let retention = part.retention(&request.rules);
        let is_due = request
            .ended_at
            .is_some_and(|ended_at| ended_at.saturating_add(retention.into()) <= now);
        if is_due {
            match part {
                RequestPart::Bodies => Self::prune_bodies(id, request),
                RequestPart::Record => Self::prune_record(id),
            }
        }
        is_due
    }

    /// Removes prompt and answer, and the record of the claim.
    fn prune_bodies(id: RequestId, request: &Request<T>) {
        Prompts::<T>::remove(id);
        Answers::<T>::remove(id);
        if let Some(statement) = request.statement {
            T::Claims::prune(statement.claim);
        }
    }

    /// Removes the record.
    fn prune_record(id: RequestId) {
        Requests::<T>::remove(id);
        Self::deposit_event(Event::Pruned { request: id });
    }
}
