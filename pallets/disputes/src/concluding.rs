//! The end of a line and of a game.

use crate::{
    Agenda, Config, Event, GameId, GameTurn, Games, Lines, OpenGameOf, OpenLineOf, Pallet,
    WeightInfo,
};
use frame_support::weights::Weight;
use noema_claims::Decision;
use noema_disputes::{Fault, GameEnd, GameStage, LineEnd};
use noema_interfaces::{Claims as _, Disputes as _, Referee as _};
use noema_protocol::ClaimId;

impl<T: Config> Pallet<T> {
    /// Ends a line in which nothing was shown, and its game where it has ended with that. The caller has the game as it
    /// is afterwards.
    pub(crate) fn lose_line(
        id: GameId,
        open: OpenGameOf<T>,
        challenger: T::AccountId,
        line: OpenLineOf<T>,
        end: LineEnd,
    ) {
        Self::remove_line(id, &challenger, &line);
        if let Some(bond) = &line.bond {
            Self::forfeit_bond(&open.game, id, bond);
        }
        let (claim, leaf) = id;
        Self::deposit_event(Event::LineEnded {
            claim,
            leaf,
            challenger,
            end,
        });
        match open.game.end() {
            Some(_) => Self::conclude_upheld(id, open),
            None => Games::<T>::insert(claim, leaf, open),
        }
    }

    /// Ends a line without any loss.
    pub(crate) fn release_line(id: GameId, challenger: &T::AccountId, line: &OpenLineOf<T>) {
        Self::remove_line(id, challenger, line);
        if let Some(bond) = &line.bond {
            Self::release_bond(bond);
        }
    }

    fn remove_line(id: GameId, challenger: &T::AccountId, line: &OpenLineOf<T>) {
        Lines::<T>::remove(id, challenger);
        Agenda::<T>::remove(line.turn, &GameTurn::Line(id, challenger.clone()));
        Self::pay_off(&line.owes, line.tokens);
    }

    /// Carries out that no challenger has shown anything wrong.
    pub(crate) fn conclude_upheld(id: GameId, open: OpenGameOf<T>) {
        let winners = Self::parts_of_claimant(&open.game);
        Self::conclude(id, open, GameEnd::Upheld, None);
        T::Disputes::conclude(id.0, id.1, Decision::True, &winners);
    }

    /// Carries out that the claim falls. `by` has shown the fault, and is paid for that where it has a line: an account
    /// that has nothing at stake may have copied the proof. The other lines end in their turns: there can be many.
    pub(crate) fn conclude_fallen(
        id: GameId,
        open: OpenGameOf<T>,
        fault: Fault,
        by: Option<T::AccountId>,
        is_paid: bool,
    ) {
        let winner = by.as_ref().filter(|_| is_paid);
        let winners = winner.map(|winner| Self::parts_of_winner(&open.game, winner));
        if fault == Fault::NoTrace {
            Self::pay_off(&open.game.terms.claimant, open.game.terms.tokens);
        }
        Self::conclude(id, open, GameEnd::Fallen(fault), by);
        T::Disputes::conclude(id.0, id.1, Decision::False, &winners.unwrap_or_default());
    }

    /// Ends a line of a game that another referee decides, without any loss, and lets that begin with the last one.
    /// Returns the weight.
    pub(crate) fn leave_game(
        id: GameId,
        mut open: OpenGameOf<T>,
        challenger: &T::AccountId,
        line: &OpenLineOf<T>,
    ) -> Weight {
        Self::release_line(id, challenger, line);
        let (claim, leaf) = id;
        if !open.game.leave() {
            Games::<T>::insert(claim, leaf, open);
            return T::WeightInfo::turn();
        }
        Self::conclude(id, open, GameEnd::HandedOver, None);
        if let Some(claim) = T::Claims::claim(claim) {
            T::Fallback::open(&claim, leaf);
        }
        Self::conclude_weight()
    }

    fn conclude(id: GameId, open: OpenGameOf<T>, end: GameEnd, by: Option<T::AccountId>) {
        Self::remove_game(id, &open);
        let (claim, leaf) = id;
        Self::deposit_event(Event::Concluded {
            claim,
            leaf,
            end,
            by,
        });
    }

    /// Drops a game that no longer needs a decision: no party to it loses anything.
    pub(crate) fn drop_game(id: GameId, open: &OpenGameOf<T>) {
        if let GameStage::Opening { .. } = open.game.stage {
            Self::pay_off(&open.game.terms.claimant, open.game.terms.tokens);
        }
        Self::remove_game(id, open);
        let (claim, leaf) = id;
        Self::deposit_event(Event::Dropped { claim, leaf });
    }

    fn remove_game(id: GameId, open: &OpenGameOf<T>) {
        Games::<T>::remove(id.0, id.1);
        if let Some(turn) = open.turn {
            Agenda::<T>::remove(turn, &GameTurn::Game(id));
        }
    }

    /// Whether a claim has ended. Its games are dropped in their next turns.
    pub(crate) fn has_ended(claim: ClaimId) -> bool {
        T::Claims::claim(claim).is_none_or(|claim| claim.outcome().is_some())
    }
}
