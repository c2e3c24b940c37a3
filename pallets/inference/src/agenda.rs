//! Turns: which requests are looked at in which block, and the pruning of those that are final.
//!
//! Every request that is not final has exactly one turn. A block has room for `MaxDuePerBlock`
//! turns and there are at most `MaxLiveRequests` requests, so among enough blocks one after the
//! other there is always room for one more turn: a full block pushes it to the next, and no
//! deadline is ever lost.

use crate::{
    case::Case, schedule, Agenda, Answers, Checks, Config, Event, FinishedQueue, FinishedSpan,
    Largest, Pallet, Phase, Prompts, Requests, WeightInfo,
};
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::RequestId;
use sp_runtime::traits::{One, Saturating};

impl<T: Config> Pallet<T> {
    /// The weight of the turns of block `now`.
    pub(crate) fn agenda_weight(now: BlockNumberFor<T>) -> Weight {
        let turns = Agenda::<T>::decode_len(now).unwrap_or(0);
        let turns = u64::try_from(turns).unwrap_or(u64::MAX);
        T::WeightInfo::agenda_base().saturating_add(Self::turn_weight().saturating_mul(turns))
    }

    /// The weight of the heaviest turn.
    pub(crate) fn turn_weight() -> Weight {
        let seats = T::MaxSeats::get();
        T::WeightInfo::assign()
            .max(T::WeightInfo::draw_panel())
            .max(T::WeightInfo::close_panel(seats))
            .max(T::WeightInfo::settle(seats))
            .max(T::WeightInfo::conclude())
            .saturating_add(T::DbWeight::get().reads(Self::search_span().into()))
    }

    fn search_span() -> u32 {
        schedule::search_span(T::MaxLiveRequests::get(), T::MaxDuePerBlock::get())
    }

    /// Gives a request its turn in `block`, or in the first after it with room.
    pub(crate) fn insert_turn(
        id: RequestId,
        block: BlockNumberFor<T>,
    ) -> Option<BlockNumberFor<T>> {
        let next = frame_system::Pallet::<T>::block_number().saturating_add(One::one());
        let mut block = block.max(next);
        for _ in 0..Self::search_span() {
            if Agenda::<T>::try_append(block, id).is_ok() {
                return Some(block);
            }
            block = block.saturating_add(One::one());
        }
        frame_support::defensive!("there is room: see check_constants");
        None
    }

    /// Takes a request's turn in `block` away.
    pub(crate) fn remove_turn(id: RequestId, block: BlockNumberFor<T>) {
        Agenda::<T>::mutate_exists(block, |turns| {
            let Some(entries) = turns else { return };
            entries.retain(|entry| *entry != id);
            if entries.is_empty() {
                *turns = None;
            }
        });
    }

    /// Looks at every request whose turn it is.
    pub(crate) fn take_turns(now: BlockNumberFor<T>) {
        for id in Agenda::<T>::take(now) {
            Self::take_turn(id, now);
        }
    }

    /// One turn. An entry that no request points to does nothing.
    pub(crate) fn take_turn(id: RequestId, now: BlockNumberFor<T>) {
        let Ok(mut case) = Case::<T>::load(id) else {
            return;
        };
        if case.request.due != Some(now) {
            return;
        }
        case.request.due = None;
        match case.request.phase {
            Phase::Waiting => Self::seek_worker(case, now),
            Phase::Answering { .. } => Self::close_attempt(case, now),
            Phase::Answered { draw_by } => Self::decide_check(case, now, draw_by),
            Phase::Checking => Self::advance_check(case, now),
            Phase::Objectable { .. } => Self::settle(case),
            Phase::Disputed { deadline } => Self::advance_dispute(case, now, deadline),
            Phase::Settled | Phase::Refunded { .. } => {}
        }
    }

    /// Removes final requests that were readable for long enough, as many as `limit` allows.
    pub(crate) fn prune(now: BlockNumberFor<T>, limit: Weight) -> Weight {
        let retention = T::Windows::get().retention;
        let mut meter = WeightMeter::with_limit(limit);
        if meter.try_consume(T::WeightInfo::prune_base()).is_err() {
            return meter.consumed();
        }
        let (mut start, end) = FinishedSpan::<T>::get();
        let first = start;
        while start < end && meter.try_consume(T::WeightInfo::prune()).is_ok() {
            if let Some(finished) = FinishedQueue::<T>::get(start) {
                if finished.at.saturating_add(retention.into()) > now {
                    break;
                }
                FinishedQueue::<T>::remove(start);
                Requests::<T>::remove(finished.request);
                Prompts::<T>::remove(finished.request);
                Answers::<T>::remove(finished.request);
                Checks::<T>::remove(finished.request);
                Self::deposit_event(Event::Pruned {
                    request: finished.request,
                });
            }
            start = start.saturating_add(1);
        }
        if start != first {
            FinishedSpan::<T>::put((start, end));
        }
        meter.consumed()
    }

    /// The largest request that this chain accepts.
    pub fn largest() -> Largest {
        Largest {
            prompt_bytes: T::MaxPromptBytes::get(),
            tokens: T::MaxOutputTokens::get(),
            attempts: T::MaxAttempts::get(),
            draws: T::MaxDraws::get(),
        }
    }

    /// Refuses a runtime whose constants cannot keep what this pallet promises.
    pub(crate) fn check_constants() {
        assert!(T::MaxDuePerBlock::get() > 0, "a block takes turns");
        assert!(T::MaxLiveRequests::get() > 0, "requests can be made");
        assert!(T::MaxAttempts::get() > 0, "a worker may try");
        assert!(T::CheckersPerAnswer::get() > 0, "a check has validators");
        assert!(T::MaxDraws::get() > 0, "validators are drawn");
        assert!(T::CommitteeSize::get() > 0, "a committee has members");
        assert_eq!(T::Windows::get().check(&Self::largest()), Ok(()), "windows");
        assert_eq!(T::Rates::get().check(), Ok(()), "rates");
        let seats = T::CheckersPerAnswer::get()
            .saturating_mul(T::MaxDraws::get())
            .saturating_add(T::CommitteeSize::get())
            .saturating_add(1);
        assert!(
            T::MaxSeats::get() >= seats,
            "MaxSeats has room for every draw, an objection and a committee: {seats}"
        );
        let block = T::BlockWeights::get().max_block;
        let turns = Self::turn_weight().saturating_mul(T::MaxDuePerBlock::get().into());
        assert!(
            turns.all_lte(block.saturating_div(2)),
            "the turns of a block leave half of it to others: {turns:?} of {block:?}"
        );
    }
}
