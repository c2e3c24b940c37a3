//! The poll of each block: due turns, and then the queues.

use crate::{
    assigning::{LOOK_AHEAD, MOST_VISITS},
    queue::Look,
    Config, DeadlineAgenda, LastVisited, Pallet, WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{traits::Get, weights::WeightMeter};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_agenda::{charge_recorded_proof, Costs};
use noema_claims::Beacon;
use noema_interfaces::RelayRandomness;
use noema_protocol::CheckpointId;

/// Most queues visited in one block. The next block continues with the remaining ones.
pub const MOST_QUEUES: u32 = 64;

impl<T: Config> Pallet<T> {
    /// Takes the turns due in block `now` and assigns waiting requests to workers, as far as
    /// [`Config::PollBudget`] and `meter` allow. The rest is left to the next block.
    pub(crate) fn poll(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        let limit = meter.remaining().min(T::PollBudget::get());
        let mut own = WeightMeter::with_limit(limit);
        if own.try_consume(T::WeightInfo::poll_base()).is_ok() {
            Self::take_due(now, &mut own);
            Self::serve_queues(now, &mut own);
        }
        meter.consume(own.consumed());
    }

    /// Takes missed deadlines and then prunes, with half of the rest of `meter`, so that the queues do not wait
    /// for that. Pruning comes last, because causing it is cheap.
    fn take_due(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        let mut half = WeightMeter::with_limit(meter.remaining().saturating_div(2));
        let costs = Costs {
            heaviest: T::WeightInfo::miss(),
            skip: T::WeightInfo::skip_block(),
        };
        DeadlineAgenda::<T>::take_turns(now, &mut half, costs, u32::MAX, |id| {
            Self::miss(id, now);
            T::WeightInfo::miss()
        });
        Self::prune_due(now, &mut half);
        meter.consume(half.consumed());
    }

    /// Serves the request without a place in a queue, and then the queues.
    fn serve_queues(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        let beacon = T::Claims::beacon();
        if beacon.latest().is_none() {
            return;
        }
        let room = T::Rules::get().room;
        let left = charge_recorded_proof(meter, |meter| {
            Self::serve_unqueued(&beacon, room, now, meter)
        });
        Self::visit_queues(&beacon, room, now, meter);
        // Only now, so that this block draws workers for it once.
        if let Some((id, checkpoint)) = left {
            Self::enqueue(id, &checkpoint);
        }
    }

    /// Visits each queue once, and then again those with more requests to assign.
    fn visit_queues(beacon: &Beacon, room: u32, now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        let mut again = Self::visit_each_queue(beacon, room, now, meter);
        for n in 1..MOST_VISITS {
            let queues = core::mem::take(&mut again);
            for (checkpoint, look) in queues {
                if Self::affordable_look_ahead(meter) == 0 {
                    return;
                }
                let next = charge_recorded_proof(meter, |meter| {
                    Self::visit(checkpoint, n, look, beacon, room, now, meter)
                });
                again.extend(next.map(|look| (checkpoint, look)));
            }
        }
    }

    /// Visits each queue once, as far as `meter` reaches. Where that is not far enough, the next block begins
    /// after the last queue visited; otherwise it begins with the second, as the first queues may leave
    /// little of the budget to the others. Returns the queues to visit again.
    ///
    /// Reading the room of workers and finding the first queue are parts of the base; each visit pays for finding
    /// the queue after it.
    fn visit_each_queue(
        beacon: &Beacon,
        room: u32,
        now: BlockNumberFor<T>,
        meter: &mut WeightMeter,
    ) -> Vec<(CheckpointId, Look)> {
        let most = usize::try_from(MOST_QUEUES).unwrap_or(usize::MAX);
        let mut visited = Vec::new();
        let mut again = Vec::new();
        let mut next = Self::next_queue(LastVisited::<T>::get());
        // A visited queue may be empty now, so that the walk reaches another one twice.
        while let Some(checkpoint) = next.filter(|next| !visited.contains(next)) {
            if visited.len() >= most || Self::affordable_look_ahead(meter) == 0 {
                if let Some(last) = visited.last() {
                    LastVisited::<T>::put(last);
                    meter.consume(T::DbWeight::get().writes(1));
                }
                return again;
            }
            let look = charge_recorded_proof(meter, |meter| {
                Self::visit(checkpoint, 0, Look::AtFront, beacon, room, now, meter)
            });
            again.extend(look.map(|look| (checkpoint, look)));
            visited.push(checkpoint);
            next = Self::next_queue(Some(checkpoint));
        }
        if visited.len() > 1 {
            LastVisited::<T>::set(visited.first().copied());
            meter.consume(T::DbWeight::get().writes(1));
        }
        again
    }

    /// Refuses a runtime whose constants cannot keep the guarantees of this pallet.
    pub(crate) fn check_constants() {
        assert_eq!(T::Rules::get().check(), Ok(()), "the rules of requests");
        assert_eq!(T::ClaimRules::get().check(), Ok(()), "the rules of claims");
        assert!(T::MaxPromptBytes::get() > 0, "prompts have bytes");
        assert!(T::MaxAnswerTokens::get() > 0, "answers have tokens");
        let budget = T::PollBudget::get();
        let half = budget
            .saturating_sub(T::WeightInfo::poll_base())
            .saturating_div(2);
        let visit = Self::visit_weight(LOOK_AHEAD).max(Self::unqueued_weight());
        let due = T::WeightInfo::miss().max(Self::pruning_weight());
        assert!(
            visit.all_lte(half) && due.all_lte(half),
            "half of PollBudget has room for a visit of {visit:?}"
        );
        let block = T::BlockWeights::get().max_block;
        assert!(
            budget.all_lte(block.saturating_div(2)),
            "PollBudget leaves half of a block to others: {budget:?} of {block:?}"
        );
    }
}
