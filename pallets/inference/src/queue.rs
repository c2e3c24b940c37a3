//! The queue of each checkpoint: requests that wait for a worker, in order.

use crate::{
    Config, Pallet, Queue, QueueKey, QueueSearch, Request, RequestPhase, Requests, Searches,
    Unqueued,
};
use alloc::vec::Vec;
use frame_support::{traits::Get, weights::WeightMeter};
use noema_protocol::{CheckpointId, RequestId};

/// The part of its queue that a visit looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The first requests, and those behind the cursor if there is one.
    AtFront,
    /// Only those behind the cursor, as this block has already looked at those before it.
    BehindCursor,
}

/// Requests of a queue that a visit looks at together.
pub(crate) struct Window<T: Config> {
    /// The requests, in order.
    pub(crate) requests: Vec<(RequestId, Request<T>)>,
    /// Whether more requests wait behind them.
    pub(crate) has_more: bool,
}

impl<T: Config> Window<T> {
    /// The number of requests looked at.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.requests.len()).unwrap_or(u32::MAX)
    }
}

impl<T: Config> Pallet<T> {
    /// Lets a new request wait, without a place in a queue where no other request does. Returns whether it got a
    /// place.
    pub(crate) fn admit(id: RequestId, checkpoint: &CheckpointId) -> bool {
        let is_queued = Unqueued::<T>::exists();
        if is_queued {
            Self::enqueue(id, checkpoint);
        } else {
            Unqueued::<T>::put(id);
        }
        is_queued
    }

    /// Puts a request into the queue of its checkpoint, at the place of its number.
    pub(crate) fn enqueue(id: RequestId, checkpoint: &CheckpointId) {
        Queue::<T>::insert(checkpoint, QueueKey::of(id), ());
    }

    /// Takes a request out of the queue.
    pub(crate) fn dequeue(id: RequestId, checkpoint: &CheckpointId) {
        Queue::<T>::remove(checkpoint, QueueKey::of(id));
    }

    /// Ends the wait of a request, if it waits.
    pub(crate) fn stop_waiting(id: RequestId, request: &Request<T>) {
        if request.phase != RequestPhase::Waiting {
            return;
        }
        if Unqueued::<T>::get() == Some(id) {
            Unqueued::<T>::kill();
        } else {
            Self::dequeue(id, &request.checkpoint);
        }
    }

    /// The first request in the queue of a checkpoint.
    pub(crate) fn first_queued(checkpoint: &CheckpointId) -> Option<RequestId> {
        Self::queued_after(checkpoint, None).next()
    }

    /// Whether requests wait in the queue of a checkpoint.
    pub(crate) fn has_queue(checkpoint: &CheckpointId) -> bool {
        Self::first_queued(checkpoint).is_some()
    }

    /// Whether requests wait in the queue of any checkpoint.
    pub(crate) fn has_queues() -> bool {
        Self::next_queue(None).is_some()
    }

    /// The requests that wait for a checkpoint, in order: for views.
    pub(crate) fn waiting(checkpoint: &CheckpointId) -> Vec<RequestId> {
        let unqueued = Unqueued::<T>::get().filter(|id| {
            Requests::<T>::get(id).is_some_and(|request| request.checkpoint == *checkpoint)
        });
        let mut waiting: Vec<_> = Self::queued_after(checkpoint, None)
            .chain(unqueued)
            .collect();
        waiting.sort_unstable();
        waiting
    }

    /// Requests of a queue, `size` at most: the first ones, or, where the queue has a cursor, those behind
    /// it, and before them the first ones, up to half of `size`, unless `look` leaves these out.
    pub(crate) fn window(checkpoint: &CheckpointId, look: Look, size: usize) -> Window<T> {
        let cursor = Searches::<T>::get(checkpoint).cursor;
        let mut ids: Vec<_> = match (cursor, look) {
            (Some(cursor), Look::AtFront) => Self::queued_after(checkpoint, None)
                .take_while(|id| *id <= cursor)
                .take(size.saturating_div(2))
                .collect(),
            _ => Vec::new(),
        };
        let mut behind = Self::queued_after(checkpoint, cursor);
        ids.extend(behind.by_ref().take(size.saturating_sub(ids.len())));
        Window {
            requests: ids
                .into_iter()
                .filter_map(|id| Some((id, Requests::<T>::get(id)?)))
                .collect(),
            has_more: behind.next().is_some(),
        }
    }

    /// The requests of a queue in order, those after `after` if it is given.
    fn queued_after(
        checkpoint: &CheckpointId,
        after: Option<RequestId>,
    ) -> impl Iterator<Item = RequestId> {
        let places = match after {
            Some(after) => {
                let key = Queue::<T>::hashed_key_for(checkpoint, QueueKey::of(after));
                Queue::<T>::iter_key_prefix_from(checkpoint, key)
            }
            None => Queue::<T>::iter_key_prefix(checkpoint),
        };
        places.map(|place| place.request())
    }

    /// The next checkpoint that requests wait for: the first after `after` in the order of keys, or else the
    /// first of all.
    pub(crate) fn next_queue(after: Option<CheckpointId>) -> Option<CheckpointId> {
        let first = || Queue::<T>::iter_keys().next();
        let next = after.and_then(|checkpoint| {
            let end = Queue::<T>::hashed_key_for(checkpoint, QueueKey::LAST);
            Queue::<T>::iter_keys_from(end).next()
        });
        next.or_else(first).map(|(checkpoint, _)| checkpoint)
    }

    /// Records a draw for a checkpoint that met `met` workers, busy ones included. Returns how many draws in
    /// a row met none. A change is charged to `meter`.
    pub(crate) fn note_draw(checkpoint: &CheckpointId, met: u32, meter: &mut WeightMeter) -> u32 {
        let before = Searches::<T>::get(checkpoint);
        let fruitless = match met {
            0 => before.fruitless.saturating_add(1),
            _ => 0,
        };
        let after = QueueSearch {
            fruitless,
            ..before
        };
        Self::note_search(checkpoint, before, after, meter);
        fruitless
    }

    /// Moves the cursor of a queue to `last`, where workers with room take none of the requests up to there,
    /// or back to the first request, where none is left behind it. A change is charged to `meter`.
    pub(crate) fn move_cursor(
        checkpoint: &CheckpointId,
        last: Option<RequestId>,
        meter: &mut WeightMeter,
    ) {
        let before = Searches::<T>::get(checkpoint);
        let after = QueueSearch {
            cursor: last,
            ..before
        };
        Self::note_search(checkpoint, before, after, meter);
    }

    fn note_search(
        checkpoint: &CheckpointId,
        before: QueueSearch,
        after: QueueSearch,
        meter: &mut WeightMeter,
    ) {
        if after == before {
            return;
        }
        if after == QueueSearch::default() {
            Searches::<T>::remove(checkpoint);
        } else {
            Searches::<T>::insert(checkpoint, after);
        }
        meter.consume(T::DbWeight::get().writes(1));
    }

    /// Removes the draws and the cursor of a checkpoint's queue if it is empty. Charged to `meter`.
    pub(crate) fn forget_if_empty(checkpoint: &CheckpointId, meter: &mut WeightMeter) {
        meter.consume(T::DbWeight::get().reads(1));
        if !Self::has_queue(checkpoint) {
            Searches::<T>::remove(checkpoint);
            meter.consume(T::DbWeight::get().writes(1));
        }
    }
}
