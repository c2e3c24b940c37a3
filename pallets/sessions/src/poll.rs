//! The poll of each block: seeds, and then due turns.

use crate::{Config, FirstUnseeded, NextSession, Pallet, Sessions, Turns, WeightInfo};
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_agenda::{charge_recorded_proof, Costs};
use noema_claims::MAX_DRAWN_LEAVES;
use noema_interfaces::{RelayRandomness, MAX_TRIES};
use noema_protocol::SessionId;
use noema_sessions::{Stage, MOST_CHECKED};

impl<T: Config> Pallet<T> {
    /// Gives seeds and takes the turns due in block `now`, as far as [`Config::PollBudget`] and `meter` allow. The
    /// rest is left to the next block.
    pub(crate) fn poll(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        let limit = meter.remaining().min(T::PollBudget::get());
        let mut own = WeightMeter::with_limit(limit);
        if own.try_consume(T::WeightInfo::poll_base()).is_ok() {
            // Seeds leave half of the budget to turns; turns leave the unused part to seeds of the next block.
            let mut seeds = WeightMeter::with_limit(own.remaining().saturating_div(2));
            Self::seed_waiting(&mut seeds);
            own.consume(seeds.consumed());
            let costs = Costs {
                heaviest: Self::heaviest_turn(),
                skip: T::WeightInfo::skip_block(),
            };
            Turns::<T>::take_turns(now, &mut own, costs, u32::MAX, |turn| {
                Self::take_turn(turn, now)
            });
        }
        meter.consume(own.consumed());
    }

    /// The highest weight of a draw of a worker with that many tries.
    pub(crate) fn heaviest_draw(tries: u32) -> Weight {
        T::WeightInfo::draw_worker(tries).max(T::WeightInfo::draw_absent(tries))
    }

    /// The highest weight of a seed.
    fn heaviest_seed() -> Weight {
        T::WeightInfo::seed().saturating_add(Self::heaviest_draw(MAX_TRIES))
    }

    /// The highest weight of a turn.
    fn heaviest_turn() -> Weight {
        T::WeightInfo::turn()
            .max(T::WeightInfo::prune())
            .max(T::WeightInfo::prune_claim())
    }

    /// Gives seeds to the sessions that wait, in the order in which they were opened, as far as randomness and
    /// `meter` reach.
    pub(crate) fn seed_waiting(meter: &mut WeightMeter) {
        let beacon = T::Claims::beacon();
        let first = FirstUnseeded::<T>::get();
        let (mut next, end) = (first, NextSession::<T>::get());
        let mut is_done = false;
        while !is_done && next < end && meter.can_consume(Self::heaviest_seed()) {
            is_done = charge_recorded_proof(meter, |meter| {
                // A session that was cancelled, or pruned, waits no longer.
                let session = Sessions::<T>::get(next)
                    .filter(|session| matches!(session.account.stage, Stage::Unseeded));
                let Some(session) = session else {
                    meter.consume(T::WeightInfo::look());
                    return false;
                };
                let Some(value) = beacon.for_assignment(session.unknown_since) else {
                    meter.consume(T::WeightInfo::look());
                    return true;
                };
                meter.consume(Self::seed(next, session, value));
                false
            });
            if !is_done {
                next = SessionId(next.0.saturating_add(1));
            }
        }
        if next != first {
            FirstUnseeded::<T>::put(next);
        }
    }

    /// Refuses a runtime whose constants cannot keep the guarantees of this pallet.
    pub(crate) fn check_constants() {
        assert_eq!(T::Rules::get().check(), Ok(()), "the rules of sessions");
        assert!(
            crate::workable(&T::Rules::get(), &T::ClaimRules::get()),
            "sessions can be claimed"
        );
        assert_eq!(
            MOST_CHECKED, MAX_DRAWN_LEAVES,
            "both sides compute the check fee of the chain"
        );
        let budget = T::PollBudget::get();
        let half = budget
            .saturating_sub(T::WeightInfo::poll_base())
            .saturating_div(2);
        let (seed, turn) = (Self::heaviest_seed(), Self::heaviest_turn());
        assert!(
            seed.all_lte(half) && turn.all_lte(half),
            "half of PollBudget has room for a seed of {seed:?}"
        );
        let block = T::BlockWeights::get().max_block;
        assert!(
            budget.all_lte(block.saturating_div(2)),
            "PollBudget leaves half of a block to others: {budget:?} of {block:?}"
        );
    }
}
