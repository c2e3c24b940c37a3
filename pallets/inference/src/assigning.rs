//! The assignment of waiting requests to workers.
//!
//! Workers are drawn first, with randomness that is younger than the requests, and each takes the first
//! request of the queue whose price limit covers its price. Where a worker with room takes none of the
//! requests looked at, the search continues after them from block to block, with a cursor, and all requests
//! keep their places. So a worker with room does not idle while a request waits that it could answer, and a
//! request that no worker takes does not stop those behind it.
//!
//! The first request that is made since the last one was served like this waits outside of the queues. Workers are
//! drawn for it alone where no other waits for its checkpoint. So on a chain with few requests none is written into
//! a queue, and none is looked for while the randomness for it is not known.

use crate::{
    queue::{Look, Window},
    workers::{Draw, Handout, Left},
    AssignmentOf, Config, DeadlineAgenda, Event, Pallet, RefundReason, Request, RequestPhase,
    Requests, Unqueued, WeightInfo,
};
use alloc::{vec, vec::Vec};
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::Beacon;
use noema_interfaces::{Checkpoints, MAX_TRIES};
use noema_protocol::{hashing, CheckpointId, RequestId};
use sp_runtime::traits::Saturating;

/// How many requests of a queue one visit looks at.
pub const LOOK_AHEAD: u32 = 32;
/// Most visits to a queue in one block.
pub const MOST_VISITS: u32 = 4;
/// How many passes in a row an expired request gets before it is refunded, where each worker of a draw
/// charges more than its price limit.
pub const MOST_PASSES: u32 = 4;
/// The same where the workers that would take it have room, but too little free bond for the stake: each
/// claim that ends frees a part of a bond, so there is more reason to wait, but not indefinitely.
pub const MOST_UNSTAKED_PASSES: u32 = 32;
/// How many times its expiry a request waits at most, even for busy workers: it pays only once for being
/// looked at in every block.
pub const MOST_EXPIRIES: u32 = 64;
/// The weight of a pass for too high prices, where one for too little free bond counts 1.
const DEAR_PASS: u32 = MOST_UNSTAKED_PASSES / MOST_PASSES;

impl<T: Config> Pallet<T> {
    /// The highest weight of a visit that looks at `requests` requests.
    pub(crate) fn visit_weight(requests: u32) -> Weight {
        // Beside these, a visit changes the number of draws without a worker, and the cursor, and may remove
        // both.
        let bookkeeping = T::DbWeight::get().reads_writes(1, 3);
        T::WeightInfo::visit(requests)
            .max(T::WeightInfo::visit_early())
            .saturating_add(bookkeeping)
            .saturating_add(Self::heaviest_draw(MAX_TRIES))
            .saturating_add(T::WeightInfo::consider(requests).saturating_mul(MAX_TRIES.into()))
            .saturating_add(Self::step_weight().saturating_mul(requests.into()))
    }

    /// The highest weight of a draw of workers with that many tries.
    fn heaviest_draw(tries: u32) -> Weight {
        T::WeightInfo::draw_workers(tries).max(T::WeightInfo::draw_absent(tries))
    }

    /// The highest weight of handling one request after looking at it.
    fn step_weight() -> Weight {
        T::WeightInfo::assign()
            .saturating_add(T::WeightInfo::dequeue())
            .max(T::WeightInfo::refund())
            .max(T::WeightInfo::pass_over())
    }

    /// How many requests the rest of `meter` lets a visit look at.
    pub(crate) fn affordable_look_ahead(meter: &WeightMeter) -> u32 {
        let base = Self::visit_weight(0);
        let each = Self::visit_weight(1).saturating_sub(base);
        let count = meter
            .remaining()
            .checked_sub(&base)
            .and_then(|left| left.checked_div_per_component(&each))
            .unwrap_or(0);
        u32::try_from(count).unwrap_or(u32::MAX).min(LOOK_AHEAD)
    }

    /// Assigns requests that wait for `checkpoint` to workers that have fewer than `room`, in visit number `n` of
    /// block `now`. Returns where another visit in this block would look for further requests that workers might
    /// take, if there are any.
    pub(crate) fn visit(
        checkpoint: CheckpointId,
        n: u32,
        look: Look,
        beacon: &Beacon,
        room: u32,
        now: BlockNumberFor<T>,
        meter: &mut WeightMeter,
    ) -> Option<Look> {
        if n == 0 && Self::is_early(&checkpoint, beacon) {
            meter.consume(T::WeightInfo::visit_early());
            return None;
        }
        let size = Self::affordable_look_ahead(meter);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if !T::Checkpoints::is_active(&checkpoint) {
            return Self::refund_withdrawn(&checkpoint, size, meter);
        }
        let window = Self::window(&checkpoint, look, size);
        meter.consume(T::WeightInfo::visit(window.count()));
        let Window { requests, has_more } = window;
        let randomness = |request: &Request<T>| beacon.for_assignment(request.unknown_since);
        let value = requests
            .iter()
            .find_map(|(_, request)| randomness(request))?;
        let last = requests.last().map(|(id, _)| *id);
        let ready = requests
            .into_iter()
            .filter(|(_, request)| randomness(request).is_some())
            .collect::<Vec<_>>();
        // Where the last request is not ready, none behind it is.
        let has_more = has_more && last == ready.last().map(|(id, _)| *id);
        let draw = Draw {
            randomness: hashing::worker_draw(value, checkpoint, now, n),
            now,
            room,
        };
        let (handout, fruitless) = Self::hand_out(&checkpoint, draw, ready, meter);
        let is_given = !handout.taken.is_empty();
        for (id, request, assignment) in handout.taken {
            meter.consume(T::WeightInfo::assign().saturating_add(T::WeightInfo::dequeue()));
            Self::dequeue(id, &checkpoint);
            Self::assign(id, request, assignment, now);
        }
        let mut is_left = has_more;
        for (id, request, why) in handout.left {
            is_left |= matches!(why, Left::NoRoom | Left::Unmet);
            Self::leave(id, request, why, fruitless, now, meter);
        }
        if !has_more {
            Self::move_cursor(&checkpoint, None, meter);
        } else if handout.has_room {
            Self::move_cursor(&checkpoint, last, meter);
            return Some(Look::BehindCursor);
        }
        if fruitless > 0 {
            Self::forget_if_empty(&checkpoint, meter);
        }
        (is_given && is_left).then_some(Look::AtFront)
    }

    /// Whether the randomness for no request of a queue is known yet, as far as the first one shows: where no worker
    /// had it, all requests behind it are younger, or came back later.
    fn is_early(checkpoint: &CheckpointId, beacon: &Beacon) -> bool {
        Self::first_queued(checkpoint)
            .and_then(Requests::<T>::get)
            .is_some_and(|first| {
                first.attempts == 0 && beacon.for_assignment(first.unknown_since).is_none()
            })
    }

    /// Draws workers for requests of a checkpoint. Returns how many draws in a row met none, too.
    fn hand_out(
        checkpoint: &CheckpointId,
        draw: Draw<BlockNumberFor<T>>,
        requests: Vec<(RequestId, Request<T>)>,
        meter: &mut WeightMeter,
    ) -> (Handout<T>, u32) {
        let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        let handout = Handout::new(checkpoint, draw, requests);
        meter.consume(match handout.absent {
            0 => T::WeightInfo::draw_workers(handout.tries),
            _ => Self::heaviest_draw(handout.tries),
        });
        meter.consume(T::WeightInfo::consider(count).saturating_mul(handout.met.into()));
        let fruitless = Self::note_draw(checkpoint, handout.met, meter);
        (handout, fruitless)
    }

    /// The highest weight of [`Self::serve_unqueued`].
    pub(crate) fn unqueued_weight() -> Weight {
        // Beside these, it changes the number of draws without a worker, and may remove it.
        let bookkeeping = T::DbWeight::get().reads_writes(1, 2);
        T::WeightInfo::look()
            .saturating_add(T::WeightInfo::visit_unqueued())
            .saturating_add(bookkeeping)
            .saturating_add(Self::heaviest_draw(MAX_TRIES))
            .saturating_add(T::WeightInfo::consider(1).saturating_mul(MAX_TRIES.into()))
            .saturating_add(
                T::WeightInfo::pass_over()
                    .saturating_add(T::WeightInfo::enqueue())
                    .max(T::WeightInfo::assign())
                    .max(T::WeightInfo::refund()),
            )
    }

    /// Serves the request that waits without a place in a queue, once the randomness for it is known: draws
    /// workers for it where no other request waits, and puts it into the queue of its checkpoint otherwise, so that
    /// it does not take room of workers before requests that have waited for longer.
    /// Returns the request where it waits on after a draw: the caller puts it into the queue of its checkpoint.
    pub(crate) fn serve_unqueued(
        beacon: &Beacon,
        room: u32,
        now: BlockNumberFor<T>,
        meter: &mut WeightMeter,
    ) -> Option<(RequestId, CheckpointId)> {
        let id = Unqueued::<T>::get()?;
        if !meter.can_consume(Self::unqueued_weight()) {
            return None;
        }
        meter.consume(T::WeightInfo::look());
        let Some(request) = Requests::<T>::get(id) else {
            frame_support::defensive!("a request that waits has a record");
            Unqueued::<T>::kill();
            return None;
        };
        let value = beacon.for_assignment(request.unknown_since)?;
        meter.consume(T::WeightInfo::visit_unqueued());
        let checkpoint = request.checkpoint;
        if !T::Checkpoints::is_active(&checkpoint) {
            meter.consume(T::WeightInfo::refund());
            Self::refund(id, request, RefundReason::CheckpointWithdrawn);
            return None;
        }
        Unqueued::<T>::kill();
        if Self::has_queues() {
            meter.consume(T::WeightInfo::enqueue());
            Self::enqueue(id, &checkpoint);
            return None;
        }
        let draw = Draw {
            randomness: hashing::worker_draw(value, checkpoint, now, 0),
            now,
            room,
        };
        let (handout, fruitless) = Self::hand_out(&checkpoint, draw, vec![(id, request)], meter);
        for (id, request, assignment) in handout.taken {
            meter.consume(T::WeightInfo::assign());
            Self::assign(id, request, assignment, now);
        }
        let mut left = None;
        for (id, request, why) in handout.left {
            if Self::leave(id, request, why, fruitless, now, meter) {
                meter.consume(T::WeightInfo::enqueue());
                left = Some((id, checkpoint));
            } else {
                Self::forget_if_empty(&checkpoint, meter);
            }
        }
        left
    }

    /// Leaves a request waiting that no worker took, or refunds it where it has expired without a worker for
    /// it: `fruitless` draws in a row met no worker. Returns whether it waits on.
    pub(crate) fn leave(
        id: RequestId,
        mut request: Request<T>,
        why: Left,
        fruitless: u32,
        now: BlockNumberFor<T>,
        meter: &mut WeightMeter,
    ) -> bool {
        let has_expired = request.expires_at <= now;
        let before = request.passes;
        request.passes = match why {
            Left::Unmet => before,
            Left::NoRoom => 0,
            Left::TooDear if has_expired => before.saturating_add(DEAR_PASS),
            Left::NothingToStake if has_expired => before.saturating_add(1),
            Left::TooDear | Left::NothingToStake => before,
        };
        let is_unmet = why == Left::Unmet && fruitless >= request.rules.expiry;
        let longest = request.rules.expiry.saturating_mul(MOST_EXPIRIES);
        let is_too_old = request.requested_at.saturating_add(longest.into()) <= now;
        if has_expired && (is_unmet || is_too_old || request.passes >= MOST_UNSTAKED_PASSES) {
            meter.consume(T::WeightInfo::refund());
            Self::refund_unserved(id, request);
            return false;
        }
        if request.passes != before {
            meter.consume(T::WeightInfo::pass_over());
            Requests::<T>::insert(id, request);
        }
        true
    }

    /// Refunds the first requests, `size` at most, for a checkpoint that was withdrawn. Returns where the
    /// others are, if there are more.
    fn refund_withdrawn(
        checkpoint: &CheckpointId,
        size: usize,
        meter: &mut WeightMeter,
    ) -> Option<Look> {
        Self::move_cursor(checkpoint, None, meter);
        let window = Self::window(checkpoint, Look::AtFront, size);
        meter.consume(T::WeightInfo::visit(window.count()));
        for (id, request) in window.requests {
            meter.consume(T::WeightInfo::refund());
            Self::refund(id, request, RefundReason::CheckpointWithdrawn);
        }
        if !window.has_more {
            Self::forget_if_empty(checkpoint, meter);
        }
        window.has_more.then_some(Look::AtFront)
    }

    /// Assigns a request that has no place in a queue any more to a worker.
    pub(crate) fn assign(
        id: RequestId,
        mut request: Request<T>,
        assignment: AssignmentOf<T>,
        now: BlockNumberFor<T>,
    ) {
        let deadline = assignment.deadline;
        request.phase = RequestPhase::Answering { deadline };
        DeadlineAgenda::<T>::insert(now, Self::miss_at(deadline), &id);
        Self::deposit_event(Event::Assigned {
            request: id,
            worker: assignment.worker.clone(),
            seed: assignment.seed,
            stake: assignment.stake,
            deadline,
        });
        request.assignment = Some(assignment);
        Requests::<T>::insert(id, request);
    }
}
