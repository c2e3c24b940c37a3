//! Turns: what happens in a game without a move, and its time.
//!
//! All deadlines are in game time, which counts the blocks that had room for a move. Where a block has no time for all
//! due turns, the next one continues; deadlines stay as they are.

use crate::{
    Agenda, Backlogs, Config, Event, GameId, GameTime, GameTurn, Games, LineBond, Lines,
    OpenGameOf, OpenLine, OpenLineOf, Pallet, StepWeight, WeightInfo, MOVE_BYTES,
};
use frame_support::{
    dispatch::DispatchClass,
    traits::Get,
    weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_agenda::Costs;
use noema_disputes::{GameEnd, GameStage, MAX_ROW_BITS};
use sp_runtime::traits::{One, Saturating};

impl<T: Config> Pallet<T> {
    /// The present game time.
    pub(crate) fn now() -> BlockNumberFor<T> {
        GameTime::<T>::get()
    }

    /// Takes the turns that are due, as far as weight and budget reach.
    pub(crate) fn poll(meter: &mut WeightMeter) {
        if meter.try_consume(T::WeightInfo::poll_base()).is_err() {
            return;
        }
        let costs = Costs {
            heaviest: Self::heaviest_turn(),
            skip: T::WeightInfo::skip(),
        };
        let most = T::MaxTurnsPerBlock::get();
        Agenda::<T>::take_turns(Self::now(), meter, costs, most, Self::take_turn);
    }

    /// Counts a block that has room for a further move, and returns the weight of that.
    pub(crate) fn tick(remaining: Weight) -> Weight {
        let weight = T::WeightInfo::tick();
        if !weight.all_lte(remaining) {
            return Weight::zero();
        }
        let room = weight.saturating_add(Self::heaviest_move());
        let bytes = frame_system::Pallet::<T>::block_size().saturating_add(MOVE_BYTES);
        let most = *T::BlockLength::get().max.get(DispatchClass::Operational);
        if room.all_lte(remaining) && bytes <= most {
            GameTime::<T>::mutate(|time| *time = time.saturating_add(One::one()));
        }
        weight
    }

    /// One turn. Returns its weight.
    pub(crate) fn take_turn(turn: GameTurn<T::AccountId>) -> Weight {
        match turn {
            GameTurn::Game(id) => Self::take_game(id),
            GameTurn::Line(id, challenger) => Self::take_line(id, challenger),
        }
    }

    /// The time to open a trace, and to join, is over.
    fn take_game(id: GameId) -> Weight {
        let Some(mut open) = Games::<T>::get(id.0, id.1) else {
            return T::WeightInfo::turn();
        };
        open.turn = None;
        if Self::has_ended(id.0) {
            Self::drop_game(id, &open);
            return T::WeightInfo::turn();
        }
        match open.game.expire(Self::now()) {
            Some(GameEnd::Fallen(fault)) => Self::conclude_fallen(id, open, fault, None, false),
            Some(GameEnd::Upheld) => Self::conclude_upheld(id, open),
            // It waits for the turns of its lines.
            Some(GameEnd::HandedOver) | None => {
                Games::<T>::insert(id.0, id.1, open);
                return T::WeightInfo::turn();
            }
        }
        Self::conclude_weight()
    }

    /// The time of the side that has to move may be over.
    fn take_line(id: GameId, challenger: T::AccountId) -> Weight {
        let Some(line) = Lines::<T>::get(id, &challenger) else {
            return T::WeightInfo::turn();
        };
        let Some(mut open) = Games::<T>::get(id.0, id.1) else {
            Self::release_line(id, &challenger, &line);
            return T::WeightInfo::turn();
        };
        if Self::has_ended(id.0) {
            Self::drop_game(id, &open);
            Self::release_line(id, &challenger, &line);
            return T::WeightInfo::turn();
        }
        if open.game.end() == Some(GameEnd::HandedOver) {
            return Self::leave_game(id, open, &challenger, &line);
        }
        let lost = open.game.expire_line(&line.line, Self::now());
        match (lost, open.game.end()) {
            (Some(end), _) => {
                Self::lose_line(id, open, challenger, line, end);
                Self::conclude_weight()
            }
            (None, Some(GameEnd::Fallen(fault))) => {
                Self::release_line(id, &challenger, &line);
                Self::conclude_fallen(id, open, fault, Some(challenger), true);
                Self::conclude_weight()
            }
            (None, _) => {
                // The trace was not open yet when the turn was entered.
                Self::store_line(&open, id, &challenger, line);
                T::WeightInfo::turn()
            }
        }
    }

    /// Adds the line of a challenger to a game, which the caller stores.
    pub(crate) fn add_line(
        id: GameId,
        open: &mut OpenGameOf<T>,
        challenger: T::AccountId,
        bond: Option<LineBond<T::AccountId>>,
    ) -> Result<(), crate::Error<T>> {
        let tokens = open.game.terms.tokens;
        let due = Self::backlog_with(&challenger, tokens);
        let line = open.game.join(Self::now(), due)?;
        let amount = bond.as_ref().map_or(0, |bond| bond.amount);
        Self::owe(&challenger, tokens);
        let line = OpenLine {
            line,
            bond,
            owes: challenger.clone(),
            tokens,
            turn: Default::default(),
        };
        Self::store_line(open, id, &challenger, line);
        let (claim, leaf) = id;
        Self::deposit_event(Event::Joined {
            claim,
            leaf,
            challenger,
            bond: amount,
        });
        Ok(())
    }

    /// Stores a line in which the other side has to move now: the account `owes`.
    pub(crate) fn pass(
        open: &OpenGameOf<T>,
        id: GameId,
        challenger: &T::AccountId,
        line: OpenLineOf<T>,
        owes: T::AccountId,
    ) {
        Self::pay_off(&line.owes, line.tokens);
        Self::owe(&owes, line.tokens);
        Agenda::<T>::remove(line.turn, &GameTurn::Line(id, challenger.clone()));
        Self::store_line(open, id, challenger, OpenLine { owes, ..line });
    }

    /// Stores a line that has no turn, with the turn after the last block of the side that has to move. Before the
    /// trace is open, that is the turn in which the game ends or the line waits again.
    fn store_line(
        open: &OpenGameOf<T>,
        id: GameId,
        challenger: &T::AccountId,
        mut line: OpenLineOf<T>,
    ) {
        let until = match open.game.stage {
            GameStage::Opening { until } => until,
            _ => open.game.until(&line.line).unwrap_or_default(),
        };
        let at = until.saturating_add(One::one());
        let turn = GameTurn::Line(id, challenger.clone());
        line.turn = Agenda::<T>::insert(Self::now(), at, &turn);
        Lines::<T>::insert(id, challenger, line);
    }

    /// The tokens of the traces that an account has to build, with `tokens` more.
    pub(crate) fn backlog_with(account: &T::AccountId, tokens: u64) -> u64 {
        Backlogs::<T>::get(account).saturating_add(tokens)
    }

    /// Adds to the traces that an account has to build.
    pub(crate) fn owe(account: &T::AccountId, tokens: u64) {
        Backlogs::<T>::mutate(account, |backlog| *backlog = backlog.saturating_add(tokens));
    }

    /// Takes off the traces that an account has to build.
    pub(crate) fn pay_off(account: &T::AccountId, tokens: u64) {
        Backlogs::<T>::mutate_exists(account, |backlog| {
            let left = backlog.unwrap_or(0).saturating_sub(tokens);
            *backlog = (left > 0).then_some(left);
        });
    }

    /// The weight of the end of a game, and of the claim.
    pub(crate) fn conclude_weight() -> Weight {
        T::WeightInfo::conclude().saturating_add(T::EndedWeight::get())
    }

    /// The highest weight of a turn.
    pub(crate) fn heaviest_turn() -> Weight {
        T::WeightInfo::turn().max(Self::conclude_weight())
    }

    /// The weight of a proof with this evidence.
    pub(crate) fn weight_of_proof(evidence: &crate::EvidenceOf<T>) -> Weight {
        T::WeightInfo::prove()
            .saturating_add(T::StepWeight::weigh(evidence))
            .saturating_add(Self::conclude_weight())
    }

    /// The highest weight of a move.
    pub(crate) fn heaviest_move() -> Weight {
        T::WeightInfo::prove()
            .saturating_add(T::StepWeight::heaviest())
            .saturating_add(Self::conclude_weight())
            .max(T::WeightInfo::show(T::MaxAnswered::get()))
            .max(T::WeightInfo::point())
            .max(T::WeightInfo::open_trace())
    }

    /// Refuses a runtime whose constants cannot keep the guarantees of this pallet.
    pub(crate) fn check_constants() {
        let bits = T::RowBits::get();
        assert!(
            (1..=MAX_ROW_BITS).contains(&bits),
            "a row has two nodes at least, and {MAX_ROW_BITS} bits at most: {bits}"
        );
        assert!(T::MaxAnswered::get() > 0, "a row answers a line");
        // Leaving a time takes a step, and a turn another: with one step a block, the agenda could not catch up.
        assert!(T::MaxTurnsPerBlock::get() > 1, "a block takes turns");
        let block = T::BlockWeights::get().max_block;
        let turn = T::WeightInfo::poll_base().saturating_add(Self::heaviest_turn());
        assert!(
            turn.all_lte(block.saturating_div(2)),
            "a turn takes half of a block at most: {turn:?} of {block:?}"
        );
        let heaviest = Self::heaviest_move();
        assert!(
            heaviest.all_lte(block.saturating_div(4)),
            "a move fits in the part of a block that is reserved for duties: {heaviest:?} of {block:?}"
        );
    }
}
