//! Turns: the steps of claims in each block.
//!
//! An open claim either waits for randomness, in a queue that is only read from its head, or has one turn in
//! the agenda, or waits for a dispute. Where a block has no time for all due turns, the next one continues;
//! deadlines stay as they are, so no call is accepted for longer. Draws and turns have a weight budget of their
//! own.

use crate::{
    ClaimOf, Claims, Config, Error, Event, FirstNew, FirstOfMany, KeptOf, LatestValues, NextClaim,
    Pallet, RecentValues, Turns, Undrawn, UndrawnSpan, WeightInfo,
};
use alloc::vec::Vec;
use core::{marker::PhantomData, ops::Range};
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_agenda::{charge_recorded_proof, Costs};
use noema_claims::{
    BacklogChange, Beacon, ClaimEffect, ClaimStage, DrawRandomness, RelayBlock, SeatState,
    Validators, ValueHistory, MAX_DEMANDS, MAX_DRAWN_LEAVES, MAX_SEATS,
};
use noema_economics::Balance;
use noema_interfaces::{BlockRandomness, Burden, Candidate, Operators, Referee, MAX_TRIES};
use noema_protocol::{CheckpointId, ClaimId, Job, Offence, Role};
use sp_core::H256;
use sp_runtime::traits::Saturating;

/// The result of storing a claim after a step.
pub(crate) struct Step {
    /// Whether the claim's turn changed.
    pub(crate) changes_turn: bool,
    /// For how many operators work of an earlier epoch was entered.
    pub(crate) entered: u32,
}

/// What validators had to execute for a claim before a step.
pub(crate) struct Before<AccountId> {
    /// The number of its seats.
    seats: usize,
    /// The validators that still had to execute a leaf, with the leaf's tokens.
    executing: Vec<(AccountId, u64)>,
}

/// What the draws of a block depend on.
pub(crate) struct Draws<T: Config> {
    pub(crate) now: BlockNumberFor<T>,
    pub(crate) relay: RelayBlock,
    pub(crate) beacon: Beacon,
    pub(crate) history: ValueHistory,
}

/// The roster of validators of the present term.
struct Roster<T: Config> {
    claim: ClaimId,
    checkpoint: CheckpointId,
    stake: Balance,
    leaf_tokens: u64,
    /// The weight of the draws.
    weight: Weight,
    pallet: PhantomData<T>,
}

impl<T: Config> Validators<T::AccountId> for Roster<T> {
    fn draw(
        &mut self,
        randomness: H256,
        leaf: u32,
        wanted: u32,
        suits: &dyn Fn(&T::AccountId) -> bool,
    ) -> Vec<T::AccountId> {
        let job = Job::Check(self.claim, leaf);
        let selection = T::Operators::draw(
            Role::Validator,
            &self.checkpoint,
            randomness,
            wanted,
            |candidate| {
                suits(&candidate.controller)
                    && Pallet::<T>::engage(candidate, job, self.stake, self.leaf_tokens)
            },
        );
        let draw = match selection.absent {
            0 => T::WeightInfo::draw(selection.tries),
            _ => Pallet::<T>::heaviest_selection(selection.tries),
        };
        self.weight = self.weight.saturating_add(draw);
        let candidates = selection.candidates.into_iter();
        candidates.map(|candidate| candidate.controller).collect()
    }

    fn backlog(&self, validator: &T::AccountId) -> u64 {
        T::Operators::check_backlog(validator).saturating_add(T::Referee::backlog(validator))
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    /// Puts a claim that is drawn for again at the end of the queue for randomness.
    pub(crate) fn await_randomness(id: ClaimId) {
        UndrawnSpan::<T>::mutate(|(_, end)| {
            Undrawn::<T>::insert(*end, id);
            *end = end.saturating_add(1);
        });
    }

    /// The highest weight of a turn of the agenda.
    fn heaviest_turn() -> Weight {
        let paid = u64::from(MAX_SEATS).saturating_add(1);
        Self::end_weight(MAX_SEATS, MAX_DEMANDS, MAX_DRAWN_LEAVES)
            .saturating_add(T::EnterWeight::get().saturating_mul(paid))
            .max(T::WeightInfo::advance(MAX_SEATS))
    }

    /// The weight of the end of a claim with that many seats, open disputes, and drawn leaves that were demanded,
    /// beside that of entering work. Each leaf in dispute is demanded, or is the only one.
    fn end_weight(seats: u32, disputes: u32, demands: u32) -> Weight {
        T::WeightInfo::settle(seats)
            .saturating_add(T::WeightInfo::close_disputes(disputes))
            .saturating_add(T::WeightInfo::charge_demands(demands))
            .saturating_add(T::EndedWeight::get())
    }

    /// The highest weight of a draw with that many tries for one leaf.
    fn heaviest_selection(tries: u32) -> Weight {
        T::WeightInfo::draw(tries).max(T::WeightInfo::draw_absent(tries))
    }

    /// The highest weight of a draw for a claim of that many leaves. The claim can end instead, where a leaf
    /// that was demanded is withheld.
    fn heaviest_draw(leaves: u32) -> Weight {
        let leaves = leaves.min(MAX_DRAWN_LEAVES);
        let draws = Self::heaviest_selection(MAX_TRIES).saturating_mul(leaves.into());
        T::WeightInfo::begin_check(MAX_SEATS)
            .saturating_add(draws)
            .max(Self::heaviest_turn())
    }

    /// The highest weight of one step of a block.
    pub(crate) fn heaviest_step() -> Weight {
        Self::heaviest_draw(MAX_DRAWN_LEAVES).saturating_add(Self::place_weight())
    }

    /// The weight of reading a place of the queue and leaving it.
    fn place_weight() -> Weight {
        T::DbWeight::get().reads_writes(1, 1)
    }

    /// Takes the randomness of block `now` and the due turns, as far as budget and weight reach.
    pub(crate) fn take_turns(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        if meter.try_consume(T::WeightInfo::poll_base()).is_err() {
            return;
        }
        let relay = T::Randomness::relay_block();
        // Draws leave half of the budget to deadlines; deadlines leave the unused part to draws of the next
        // block.
        let budget = T::PollBudget::get().min(meter.remaining());
        let mut turns = WeightMeter::with_limit(budget);
        if let Some(value) = T::Randomness::random(b"claims") {
            let draws = Self::note_value(now, relay, value);
            // Only in a block that brings a value: the remaining claims are drawn with a value that is
            // younger than this block.
            let mut half = WeightMeter::with_limit(budget.saturating_div(2));
            Self::draw_waiting(&draws, &mut half);
            turns.consume(half.consumed());
        }
        let costs = Costs {
            heaviest: Self::heaviest_turn(),
            skip: T::WeightInfo::skip_block(),
        };
        Turns::<T>::take_turns(now, &mut turns, costs, u32::MAX, |id| {
            Self::take_turn(id, now, relay)
        });
        meter.consume(turns.consumed());
    }

    /// Records the value of relay chain block `relay`, which block `now` brings.
    pub(crate) fn note_value(now: BlockNumberFor<T>, relay: RelayBlock, value: H256) -> Draws<T> {
        let beacon = LatestValues::<T>::mutate(|beacon| {
            beacon.push(relay, value);
            *beacon
        });
        let history = RecentValues::<T>::mutate(|history| {
            history.push(relay, value);
            history.clone()
        });
        Draws {
            now,
            relay,
            beacon,
            history,
        }
    }

    /// Draws for the waiting claims whose randomness is available: those that are drawn for again, then the new
    /// ones of one leaf, and then those of many, which wait for longer.
    pub(crate) fn draw_waiting(draws: &Draws<T>, meter: &mut WeightMeter) {
        let (first, end) = UndrawnSpan::<T>::get();
        let start = Self::draw_in_order(
            first..end,
            Self::place_weight(),
            draws,
            meter,
            |_| true,
            |position, is_left| match is_left {
                true => Undrawn::<T>::take(position),
                false => Undrawn::<T>::get(position),
            },
        );
        if start != first {
            // A claim for which no validator was found waits at the end of the queue again.
            UndrawnSpan::<T>::mutate(|span| span.0 = start);
        }
        let (first, end) = (FirstNew::<T>::get().0, NextClaim::<T>::get().0);
        let start = Self::draw_new(first..end, draws, meter, |claim| !claim.has_many_leaves());
        if start != first {
            FirstNew::<T>::put(ClaimId(start));
        }
        let first = FirstOfMany::<T>::get().0;
        let start = Self::draw_new(first..end, draws, meter, |claim| claim.has_many_leaves());
        if start != first {
            FirstOfMany::<T>::put(ClaimId(start));
        }
    }

    /// Draws for the new claims with these numbers that `suits` accepts, as [`Self::draw_in_order`] does. The places of
    /// new claims are their numbers, which are not stored.
    pub(crate) fn draw_new(
        numbers: Range<u64>,
        draws: &Draws<T>,
        meter: &mut WeightMeter,
        suits: impl Fn(&ClaimOf<T>) -> bool,
    ) -> u64 {
        let place = Weight::zero();
        Self::draw_in_order(numbers, place, draws, meter, suits, |number, _| {
            Some(ClaimId(number))
        })
    }

    /// Draws for claims in the order in which they began to wait, as far as randomness and `meter` reach.
    /// `claim_at` is the claim at one of `positions`; with `true`, the position is left. `place` is the weight of
    /// both. Claims that `suits` refuses are passed over. Returns the first position that is not left.
    fn draw_in_order(
        positions: Range<u64>,
        place: Weight,
        draws: &Draws<T>,
        meter: &mut WeightMeter,
        suits: impl Fn(&ClaimOf<T>) -> bool,
        claim_at: impl Fn(u64, bool) -> Option<ClaimId>,
    ) -> u64 {
        let Range { mut start, end } = positions;
        let look = T::WeightInfo::look().saturating_add(place);
        let mut is_done = false;
        while !is_done && start < end && meter.can_consume(look) {
            is_done = charge_recorded_proof(meter, |meter| {
                // A claim that fell while it waited keeps its place until then.
                let kept = claim_at(start, false)
                    .and_then(Claims::<T>::get)
                    .filter(|kept| kept.claim.stage == ClaimStage::Undrawn && suits(&kept.claim));
                let Some(kept) = kept else {
                    claim_at(start, true);
                    start = start.saturating_add(1);
                    meter.consume(look);
                    return false;
                };
                let claim = &kept.claim;
                let heaviest = Self::heaviest_draw(claim.terms.leaves).saturating_add(place);
                let randomness = claim
                    .draw_randomness(&draws.beacon, &draws.history)
                    .filter(|_| meter.can_consume(heaviest));
                if randomness.is_none() {
                    meter.consume(look);
                    return true;
                }
                claim_at(start, true);
                start = start.saturating_add(1);
                let weight = Self::advance(kept, draws.now, draws.relay, randomness);
                meter.consume(weight.saturating_add(place));
                false
            });
        }
        start
    }

    /// One turn of the agenda. Returns its weight.
    pub(crate) fn take_turn(id: ClaimId, now: BlockNumberFor<T>, relay: RelayBlock) -> Weight {
        let Some(mut kept) = Claims::<T>::get(id) else {
            // Beside the claim, the cursor and the turn are read, and the turn is removed.
            return T::WeightInfo::look().saturating_add(T::DbWeight::get().reads_writes(2, 1));
        };
        kept.turn = None;
        Self::advance(kept, now, relay, None)
    }

    /// Advances a claim. `randomness` is that of its draw for the head of a queue, `None` for a turn of the agenda: in
    /// the queues claims are drawn for in order, and only in a block that brings a value. Returns the weight.
    fn advance(
        mut kept: KeptOf<T>,
        now: BlockNumberFor<T>,
        relay: RelayBlock,
        randomness: Option<DrawRandomness>,
    ) -> Weight {
        let is_head = randomness.is_some();
        let mut roster = Roster::<T> {
            claim: kept.claim.id,
            checkpoint: kept.claim.terms.checkpoint,
            stake: kept.claim.seat_stake(),
            leaf_tokens: kept.claim.terms.leaf_tokens,
            weight: Weight::zero(),
            pallet: PhantomData,
        };
        let is_queued = kept.claim.stage == ClaimStage::Undrawn && !is_head;
        let before = Self::before(&kept.claim);
        let disputes = kept.claim.disputes;
        let effects = kept.claim.advance(now, relay, randomness, &mut roster);
        let seats = u32::try_from(kept.claim.seats.len()).unwrap_or(u32::MAX);
        let ends = effects
            .iter()
            .any(|effect| matches!(effect, ClaimEffect::Ended(_)));
        let weight = if ends {
            let demands = u32::try_from(kept.claim.demands.len()).unwrap_or(u32::MAX);
            Self::end_weight(seats, disputes, demands.min(MAX_DRAWN_LEAVES))
        } else if is_head {
            // No seat of a claim that waits for randomness can become silent.
            T::WeightInfo::begin_check(seats).saturating_add(roster.weight)
        } else if effects.is_empty() {
            // The turn was early. It is read and removed, and the next one entered.
            T::WeightInfo::begin_check(0)
                .saturating_add(T::DbWeight::get().reads_writes(1, 1))
                .saturating_add(roster.weight)
        } else {
            T::WeightInfo::advance(seats).saturating_add(roster.weight)
        };
        let step = Self::file_step(kept, &before, is_queued, effects, &[], now);
        weight.saturating_add(T::EnterWeight::get().saturating_mul(step.entered.into()))
    }

    /// Stores a claim after a step, and carries out its effects. `before` is what validators had to execute before
    /// the step. A claim that waits for randomness enters the queue, unless it `is_queued`. `payees` are
    /// paid for the dispute by which the claim falls, where there was one.
    pub(crate) fn file_step(
        mut kept: KeptOf<T>,
        before: &Before<T::AccountId>,
        is_queued: bool,
        effects: Vec<ClaimEffect<T::AccountId>>,
        payees: &[T::AccountId],
        now: BlockNumberFor<T>,
    ) -> Step {
        if kept.claim.stage == ClaimStage::Undrawn && !is_queued {
            Self::await_randomness(kept.claim.id);
        }
        let entered = Self::carry_out(&mut kept, effects, payees);
        Step {
            changes_turn: Self::file(kept, before, now),
            entered,
        }
    }

    pub(crate) fn load(id: ClaimId) -> Result<KeptOf<T>, Error<T>> {
        Claims::<T>::get(id).ok_or(Error::<T>::UnknownClaim)
    }

    /// Enters the next turn of a claim, and stores it. Returns whether its turn changed.
    pub(crate) fn file(
        mut kept: KeptOf<T>,
        before: &Before<T::AccountId>,
        now: BlockNumberFor<T>,
    ) -> bool {
        let id = kept.claim.id;
        let due = kept.claim.due(now);
        let changes = due != kept.turn && !Self::keeps_turn(&kept, due, now);
        if changes {
            if let Some(turn) = kept.turn {
                Turns::<T>::remove(turn, &id);
            }
            kept.turn = due.map(|due| Turns::<T>::insert(now, due, &id));
        }
        Self::end_executions(before, &kept.claim);
        Claims::<T>::insert(id, kept);
        changes
    }

    /// Locks the stake of a validator that is drawn for a leaf of `tokens` tokens, and adds these to its backlog.
    /// Returns false where too little of its bond is free.
    pub(crate) fn engage(
        candidate: &Candidate<T::AccountId, Balance>,
        job: Job,
        stake: Balance,
        tokens: u64,
    ) -> bool {
        let burden = Burden::Check { tokens };
        T::Operators::lock_drawn(candidate, job, stake, burden).is_ok()
    }

    /// What validators have to execute for a claim before a step.
    pub(crate) fn before(claim: &ClaimOf<T>) -> Before<T::AccountId> {
        let seats = claim.seats.len();
        Before {
            seats,
            executing: Self::executing(claim, seats).collect(),
        }
    }

    /// Takes the leaves that validators have to execute no longer off their backlogs. Seats that only the claim
    /// `after` has are left out: their leaves were added with their locks.
    fn end_executions(before: &Before<T::AccountId>, after: &ClaimOf<T>) {
        let executing = before.executing.iter().cloned();
        let changes = BacklogChange::between(executing, Self::executing(after, before.seats));
        for change in changes {
            T::Operators::change_check_backlog(&change.account, |backlog| {
                change.applied_to(backlog)
            });
        }
    }

    /// The latest block for the turn of a claim that is due at `due`. While validators reveal, a claim may keep the
    /// turn that it has for its commitments: moving it would cost two writes, and most reveals follow the last
    /// commitment at once. So silence is found later than it could, by the window for a commitment to the leaf at
    /// most, and never later than the silence of a validator that did not commit.
    pub(crate) fn latest_turn(claim: &ClaimOf<T>, due: BlockNumberFor<T>) -> BlockNumberFor<T> {
        match claim.stage {
            ClaimStage::Revealing { .. } if claim.demands.is_empty() => {
                let windows = &claim.terms.rules.windows;
                due.saturating_add(windows.commit_window(claim.terms.leaf_tokens))
            }
            _ => due,
        }
    }

    /// Whether a claim that is due at `due` keeps its turn. A turn that is early enters the next one.
    fn keeps_turn(
        kept: &KeptOf<T>,
        due: Option<BlockNumberFor<T>>,
        now: BlockNumberFor<T>,
    ) -> bool {
        let is_revealing = matches!(kept.claim.stage, ClaimStage::Revealing { .. });
        match (kept.turn, due) {
            (Some(turn), Some(due)) if is_revealing => {
                turn > now && turn <= Self::latest_turn(&kept.claim, due)
            }
            _ => false,
        }
    }

    /// Stores a claim of which a validator has done its part, in its next stage where that was the last part.
    /// `before` is what validators had to execute before. Returns the stage, and whether the claim's turn changed.
    pub(crate) fn file_part(
        mut kept: KeptOf<T>,
        before: &Before<T::AccountId>,
    ) -> (ClaimStage<BlockNumberFor<T>>, bool) {
        let now = Self::now();
        let is_queued = kept.claim.stage == ClaimStage::Undrawn;
        let effects = kept
            .claim
            .end_stage_if_done(now, T::Randomness::relay_block());
        let stage = kept.claim.stage;
        let step = Self::file_step(kept, before, is_queued, effects, &[], now);
        (stage, step.changes_turn)
    }

    /// The validators on the first `count` seats of a claim that still have to execute a leaf, with the leaf's
    /// tokens.
    fn executing(
        claim: &ClaimOf<T>,
        count: usize,
    ) -> impl Iterator<Item = (T::AccountId, u64)> + '_ {
        let open = claim.outcome().is_none();
        let seats = claim.seats.iter().take(count);
        let seats = seats.filter(move |seat| open && seat.state == SeatState::Seated);
        seats.map(|seat| (seat.validator.clone(), claim.terms.leaf_tokens))
    }

    /// Carries out the effects of a claim's step outside of the claim. `payees` are paid for the dispute by which
    /// the claim falls, where there was one. Returns for how many operators work of an earlier epoch was entered.
    fn carry_out(
        kept: &mut KeptOf<T>,
        effects: Vec<ClaimEffect<T::AccountId>>,
        payees: &[T::AccountId],
    ) -> u32 {
        let claim = kept.claim.id;
        let mut entered = 0;
        for effect in effects {
            match effect {
                ClaimEffect::Waived => Self::deposit_event(Event::CheckWaived { claim }),
                ClaimEffect::Drawn(seats) => {
                    Self::deposit_event(Event::CheckDrawn { claim, seats });
                }
                ClaimEffect::RevealOpened => Self::deposit_event(Event::RevealOpened { claim }),
                ClaimEffect::ChallengeOpened(verification) => {
                    Self::deposit_event(Event::ChallengeOpened {
                        claim,
                        verification,
                    });
                }
                ClaimEffect::Silent(validator, leaf) => {
                    let job = Job::Check(claim, leaf);
                    let stake = kept.claim.seat_stake();
                    T::Operators::slash(&validator, job, Offence::MissedCheck, stake, &[]);
                    T::Operators::release(&validator, job);
                }
                ClaimEffect::Ended(outcome) => entered = Self::settle(kept, outcome, payees),
            }
        }
        entered
    }
}
