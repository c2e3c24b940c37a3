//! Turns: the steps of disputes in each block.
//!
//! An open dispute waits in one of two places. For randomness it is in a queue that is only read from its
//! head. For a deadline, or for the block after all jurors have done their step, it has one turn in the
//! agenda. Where a block has no time for all due turns, the next one continues; deadlines stay as they are,
//! so no call is accepted for longer.

use crate::{
    Agenda, Backlogs, Config, DisputeOf, DisputePlace, DisputeProgress, DisputeStage, Event,
    Instance, Jury, KnownValue, LeafId, OpenDisputeOf, OpenDisputes, Pallet, Queue, QueueSpan,
    WeightInfo,
};
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_agenda::{charge_recorded_proof, Costs};
use noema_claims::{BacklogChange, RelayBlock, MAX_JUROR_SEATS};
use noema_interfaces::{Claims as _, Operators as _, RelayRandomness as _};
use sp_core::H256;

impl<T: Config> Pallet<T> {
    /// The present block.
    pub(crate) fn now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number()
    }

    /// Takes the turns due in block `now` and draws the juries whose randomness is available, as far as
    /// budgets and weight reach.
    pub(crate) fn poll(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
        if meter.try_consume(T::WeightInfo::poll_base()).is_err() {
            return;
        }
        let relay = T::Claims::relay_block();
        Self::take_turns(now, relay, meter);
        Self::draw_waiting(now, relay, meter);
    }

    fn take_turns(now: BlockNumberFor<T>, relay: RelayBlock, meter: &mut WeightMeter) {
        let costs = Costs {
            heaviest: Self::heaviest_turn(),
            skip: T::WeightInfo::skip_block(),
        };
        Agenda::<T>::take_turns(now, meter, costs, T::MaxTurnsPerBlock::get(), |leaf| {
            Self::take_turn(leaf, now, relay)
        });
    }

    /// One turn of the agenda. Returns its weight.
    pub(crate) fn take_turn(leaf: LeafId, now: BlockNumberFor<T>, relay: RelayBlock) -> Weight {
        let Some(mut open) = OpenDisputes::<T>::get(leaf.0, leaf.1) else {
            return T::WeightInfo::look();
        };
        if Self::has_ended(leaf.0) {
            return Self::drop_dispute(open);
        }
        let progress = open.dispute.advance(now, relay);
        Self::carry_out(open, progress, now)
    }

    /// Records which values of the beacon are known before the block brings its own.
    pub(crate) fn note_known(known: Option<RelayBlock>) {
        if KnownValue::<T>::get() != known {
            KnownValue::<T>::set(known);
        }
    }

    /// Draws for the disputes at the head of the queue whose randomness is available, in a block that brought
    /// a fresh value. Those that do not fit wait for the next fresh value: this one is public from now on.
    fn draw_waiting(now: BlockNumberFor<T>, relay: RelayBlock, meter: &mut WeightMeter) {
        let (first, end) = QueueSpan::<T>::get();
        if first == end {
            return;
        }
        let beacon = T::Claims::beacon();
        if beacon.latest() == KnownValue::<T>::get() {
            return;
        }
        let (mut start, mut draws) = (first, 0u32);
        for _ in 0..T::MaxTurnsPerBlock::get() {
            let is_over = start == end || draws >= T::MaxDrawsPerBlock::get();
            if is_over || !meter.can_consume(Self::heaviest_draw()) {
                break;
            }
            // No step leaves a position empty; one that is must not stop the queue.
            let Some((open, unknown_since)) = Self::queued(start) else {
                meter.consume(T::WeightInfo::look());
                Queue::<T>::remove(start);
                start = start.saturating_add(1);
                continue;
            };
            let freshness = open.dispute.terms.freshness;
            let Some(randomness) = beacon.for_check(unknown_since, freshness) else {
                meter.consume(T::WeightInfo::look());
                break;
            };
            Queue::<T>::remove(start);
            start = start.saturating_add(1);
            draws = draws.saturating_add(1);
            charge_recorded_proof(meter, |meter| {
                meter.consume(Self::seat_jury(open, randomness, now, relay));
            });
        }
        // A dispute that continues to its second jury has moved the end.
        QueueSpan::<T>::mutate(|(head, _)| *head = start);
    }

    /// The dispute at a position of the queue, and the relay chain block that its randomness has to be
    /// younger than.
    pub(crate) fn queued(position: u64) -> Option<(OpenDisputeOf<T>, RelayBlock)> {
        let (claim, leaf) = Queue::<T>::get(position)?;
        let open = OpenDisputes::<T>::get(claim, leaf)?;
        match open.dispute.stage {
            DisputeStage::Undrawn { unknown_since } => Some((open, unknown_since)),
            _ => None,
        }
    }

    /// Draws and seats the jury that a dispute waits for. Returns the weight.
    pub(crate) fn seat_jury(
        mut open: OpenDisputeOf<T>,
        randomness: H256,
        now: BlockNumberFor<T>,
        relay: RelayBlock,
    ) -> Weight {
        let dispute = &mut open.dispute;
        let claim = T::Claims::claim(dispute.claim);
        let Some(claim) = claim.filter(|claim| claim.outcome().is_none()) else {
            return T::WeightInfo::look().saturating_add(Self::drop_dispute(open));
        };
        let seats = Self::jury_size(dispute.instance);
        let (jury, tries) = Self::draw_jury(dispute, &claim, randomness, seats);
        // A juror executes one leaf after the other, so the backlog of the slowest one comes first.
        let backlogs = jury.jurors().iter().map(|juror| {
            T::Operators::check_backlog(&juror.account)
                .saturating_add(Backlogs::<T>::get(&juror.account))
        });
        let backlog = backlogs.max().unwrap_or(0);
        let tokens = backlog.saturating_add(dispute.terms.leaf_tokens);
        let window = claim.terms.rules.windows.commit_window(tokens);
        let (progress, excused) = dispute.seat(jury, window, now, relay);
        for juror in excused.iter().flat_map(Jury::jurors) {
            Self::restore_lock(dispute, &juror.account);
        }
        Self::draw_weight(seats, tries).saturating_add(Self::carry_out(open, progress, now))
    }

    /// The weight of concluding a dispute of that many jurors, where the claim ends with it.
    fn conclude_weight(jurors: u32) -> Weight {
        T::WeightInfo::conclude(jurors).saturating_add(T::EndedWeight::get())
    }

    /// The weight of drawing and seating a jury, with that many tries for all its seats.
    fn draw_weight(seats: u32, tries: u32) -> Weight {
        T::WeightInfo::draw_jury(seats).saturating_add(T::WeightInfo::draw(tries))
    }

    /// The highest weight of a turn of the agenda: one that concludes.
    pub(crate) fn heaviest_turn() -> Weight {
        let seats = T::FirstJury::get().saturating_add(T::SecondJury::get());
        T::WeightInfo::advance()
            .max(Self::conclude_weight(seats))
            .max(T::WeightInfo::drop_dispute(seats))
    }

    /// The highest weight of drawing a jury: the second one, where the verdict of the first stands.
    pub(crate) fn heaviest_draw() -> Weight {
        let seats = T::SecondJury::get();
        let dropping = T::WeightInfo::drop_dispute(T::FirstJury::get());
        let concluding = Self::conclude_weight(T::FirstJury::get()).max(dropping);
        Self::draw_weight(seats, Self::most_tries(seats))
            .saturating_add(T::WeightInfo::advance().max(concluding))
    }

    /// Emits the event of a block's effect, and enters the next turn. Returns the weight.
    fn carry_out(
        mut open: OpenDisputeOf<T>,
        progress: DisputeProgress,
        now: BlockNumberFor<T>,
    ) -> Weight {
        let dispute = &open.dispute;
        let (claim, leaf) = (dispute.claim, dispute.leaf);
        let event = match (progress, dispute.stage) {
            (DisputeProgress::Concluded(decision), _) => {
                let seats = dispute
                    .first
                    .filled()
                    .saturating_add(dispute.second.filled());
                Self::conclude(open, decision);
                return Self::conclude_weight(seats);
            }
            (DisputeProgress::CommitOpened, DisputeStage::Committing { until }) => {
                Some(Event::JuryDrawn {
                    claim,
                    leaf,
                    instance: dispute.instance,
                    jurors: dispute
                        .sitting()
                        .jurors()
                        .iter()
                        .map(|juror| (juror.account.clone(), juror.seats))
                        .collect(),
                    until,
                })
            }
            (DisputeProgress::RevealOpened, DisputeStage::Revealing { until }) => {
                Some(Event::RevealOpened { claim, leaf, until })
            }
            (DisputeProgress::AppealOpened(verdict), DisputeStage::Appealable { until }) => {
                Some(Event::AppealOpened {
                    claim,
                    leaf,
                    verdict,
                    until,
                })
            }
            (DisputeProgress::SecondJuryOpened, _) => Some(Event::SecondJuryOpened { claim, leaf }),
            _ => None,
        };
        if let Some(event) = event {
            Self::deposit_event(event);
        }
        // The turn or position that brought the dispute here is already removed.
        open.place = Self::enter(&open.dispute, now);
        Self::store((claim, leaf), Some(open));
        T::WeightInfo::advance()
    }

    /// Stores a dispute that a call changed, in the place where it now waits.
    pub(crate) fn file(mut open: OpenDisputeOf<T>, now: BlockNumberFor<T>) {
        let dispute = &open.dispute;
        let due = dispute.due(now).map(DisputePlace::Agenda);
        if due != Some(open.place) {
            Self::leave((dispute.claim, dispute.leaf), open.place);
            open.place = Self::enter(&open.dispute, now);
        }
        Self::store((open.dispute.claim, open.dispute.leaf), Some(open));
    }

    /// Stores a dispute, or removes it, and updates the backlogs of its jurors.
    pub(crate) fn store((claim, leaf): LeafId, open: Option<OpenDisputeOf<T>>) {
        let before = OpenDisputes::<T>::get(claim, leaf);
        let before = before.iter().flat_map(Self::executing);
        let after = open.iter().flat_map(Self::executing);
        for change in BacklogChange::between(before, after) {
            Backlogs::<T>::mutate_exists(&change.account, |backlog| change.apply(backlog));
        }
        OpenDisputes::<T>::set(claim, leaf, open);
    }

    /// The jurors that still have to execute the leaf of a dispute, with the leaf's tokens.
    fn executing(open: &OpenDisputeOf<T>) -> impl Iterator<Item = (T::AccountId, u64)> + '_ {
        let jurors = open.dispute.executing();
        jurors.map(|juror| (juror.account.clone(), open.dispute.terms.leaf_tokens))
    }

    /// Enters a dispute in the place where it waits: the agenda, or the end of the queue.
    pub(crate) fn enter(
        dispute: &DisputeOf<T>,
        now: BlockNumberFor<T>,
    ) -> DisputePlace<BlockNumberFor<T>> {
        let leaf = (dispute.claim, dispute.leaf);
        match dispute.due(now) {
            Some(due) => DisputePlace::Agenda(Agenda::<T>::insert(now, due, &leaf)),
            None => DisputePlace::Queue(QueueSpan::<T>::mutate(|(_, end)| {
                let position = *end;
                Queue::<T>::insert(position, leaf);
                *end = end.saturating_add(1);
                position
            })),
        }
    }

    /// Removes a dispute from the place where it waits.
    pub(crate) fn leave(leaf: LeafId, place: DisputePlace<BlockNumberFor<T>>) {
        match place {
            DisputePlace::Queue(position) => Queue::<T>::remove(position),
            DisputePlace::Agenda(block) => Agenda::<T>::remove(block, &leaf),
        }
    }

    /// Refuses a runtime whose constants cannot keep the guarantees of this pallet.
    pub(crate) fn check_constants() {
        let (first, second) = (
            Self::jury_size(Instance::First),
            Self::jury_size(Instance::Second),
        );
        assert!(first > 0, "the first jury has a juror");
        assert!(first < second, "the second jury is larger than the first");
        assert!(second <= crate::MAX_JURORS, "a jury fits in storage");
        let seats = first.saturating_add(second);
        assert!(
            seats <= MAX_JUROR_SEATS,
            "stakes pay the jurors of both juries"
        );
        // Leaving a block takes a step, and a turn another: with one step a block, the agenda could not catch
        // up.
        assert!(T::MaxTurnsPerBlock::get() > 1, "a block takes turns");
        assert!(T::MaxDrawsPerBlock::get() > 0, "a block draws a jury");
        let block = T::BlockWeights::get().max_block;
        let step = Self::heaviest_turn().max(Self::heaviest_draw());
        let step = T::WeightInfo::poll_base().saturating_add(step);
        assert!(
            step.all_lte(block.saturating_div(2)),
            "a step takes half of a block at most: {step:?} of {block:?}"
        );
    }
}
