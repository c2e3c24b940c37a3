//! The interface to other pallets: the pallet is the referee of claims.

use crate::{Agenda, Backlogs, Config, Event, GameTurn, Games, Lines, OpenGame, Pallet};
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::Claim;
use noema_disputes::{DisputedLeaf, Game, GameRules, GameTerms};
use noema_interfaces::{Disputes as _, Referee};
use sp_runtime::traits::{One, Saturating};

type ClaimOf<T> = Claim<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

impl<T: Config> Referee<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    fn open(claim: &ClaimOf<T>, leaf: u32) {
        let id = (claim.id, leaf);
        if Games::<T>::contains_key(claim.id, leaf) {
            frame_support::defensive!("equal challenges share a dispute");
            return;
        }
        let terms = &claim.terms;
        let windows = &terms.rules.windows;
        let terms = GameTerms {
            claimant: terms.claimant.clone(),
            subject: DisputedLeaf {
                claim: claim.id,
                leaf,
                checkpoint: terms.checkpoint,
            },
            tokens: terms.leaf_tokens,
            rules: GameRules {
                per_move: windows.post_window(),
                tokens_per_block: windows.tokens_per_block,
                row_bits: T::RowBits::get(),
            },
        };
        let due = Self::backlog_with(&terms.claimant, terms.tokens);
        Self::owe(&terms.claimant, terms.tokens);
        let game = Game::new(terms, Self::now(), due);
        let until = game.joins_until;
        Self::deposit_event(Event::Began {
            claim: claim.id,
            leaf,
            checkpoint: claim.terms.checkpoint,
            until,
        });
        let at = until.saturating_add(One::one());
        let turn = Agenda::<T>::insert(Self::now(), at, &GameTurn::Game(id));
        let mut open = OpenGame {
            game,
            turn: Some(turn),
        };
        for challenger in T::Disputes::challengers(claim.id, leaf) {
            // A game that begins is not over.
            let _ = Self::add_line(id, &mut open, challenger, None);
        }
        Games::<T>::insert(claim.id, leaf, open);
    }

    fn joined(claim: &ClaimOf<T>, leaf: u32, challenger: &T::AccountId) {
        let id = (claim.id, leaf);
        // An account that joined with a bond has a line already.
        if Lines::<T>::contains_key(id, challenger) {
            return;
        }
        if let Some(mut open) = Games::<T>::get(claim.id, leaf) {
            // A game that has ended is removed.
            let _ = Self::add_line(id, &mut open, challenger.clone(), None);
            Games::<T>::insert(claim.id, leaf, open);
        }
    }

    fn backlog(validator: &T::AccountId) -> u64 {
        Backlogs::<T>::get(validator)
    }
}
