//! The removal of requests that are over.
//!
//! Prompts and answers are removed in the order of requests, and so are records. So nothing is stored or removed
//! for the removal of a single request; but an open request keeps all later ones in storage until it is over.

use crate::{
    Answers, Config, Event, FirstKept, NextRequestId, Pallet, Prompts, Request, RequestRules,
    Requests, WeightInfo,
};
use frame_support::weights::{Weight, WeightMeter};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_agenda::charge_recorded_proof;
use noema_interfaces::Claims;
use noema_protocol::RequestId;
use sp_runtime::traits::Saturating;

/// A part of a request that is removed at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Its prompt and answer, and the record of its claim.
    Bodies,
    /// Its record.
    Record,
}

impl Part {
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

impl<T: Config> Pallet<T> {
    /// The weight of the heaviest removal.
    pub(crate) fn pruning_weight() -> Weight {
        Part::Bodies.weight::<T>().max(Part::Record.weight::<T>())
    }

    /// Removes what is due in block `now`, as far as `meter` reaches. The base of a poll pays for finding that
    /// nothing is, and for noting what was removed.
    pub(crate) fn prune_due(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        let before = FirstKept::<T>::get();
        let (bodies, record) = before;
        let end = NextRequestId::<T>::get();
        let bodies = Self::prune_in_order(Part::Bodies, bodies, end, now, meter);
        // A record tells when prompt and answer are due, so it goes after them.
        let record = Self::prune_in_order(Part::Record, record, bodies, now, meter);
        if (bodies, record) != before {
            FirstKept::<T>::put((bodies, record));
        }
    }

    /// Removes `part` of requests from `first` on, up to the first one of which it stays, and of none from `end`
    /// on. Returns the request at which it stopped.
    fn prune_in_order(
        part: Part,
        first: RequestId,
        end: RequestId,
        now: BlockNumberFor<T>,
        meter: &mut WeightMeter,
    ) -> RequestId {
        let weight = part.weight::<T>();
        let mut next = first;
        while next < end && meter.can_consume(weight) {
            let is_gone = charge_recorded_proof(meter, |meter| {
                let is_gone = Self::prune(part, next, now);
                if is_gone {
                    meter.consume(weight);
                }
                is_gone
            });
            if !is_gone {
                break;
            }
            next = RequestId(next.0.saturating_add(1));
        }
        next
    }

    /// Removes `part` of a request if that is due. Returns whether it is gone.
    pub(crate) fn prune(part: Part, id: RequestId, now: BlockNumberFor<T>) -> bool {
        let Some(request) = Requests::<T>::get(id) else {
            return true;
        };
        let retention = part.retention(&request.rules);
        let is_due = request
            .ended_at
            .is_some_and(|ended_at| ended_at.saturating_add(retention.into()) <= now);
        if is_due {
            match part {
                Part::Bodies => Self::prune_bodies(id, &request),
                Part::Record => Self::prune_record(id),
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
