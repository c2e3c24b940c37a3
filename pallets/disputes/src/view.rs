//! The view functions that are more than a read of the storage.

use crate::{Config, GameInfo, GameInfoOf, Games, Lines, MoveDue, MoveStep, Pallet};
use alloc::vec::Vec;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_disputes::{GameStage, Side};
use noema_protocol::ClaimId;
use sp_runtime::traits::Saturating;

impl<T: Config> Pallet<T> {
    pub(crate) fn info_of(claim: ClaimId, leaf: u32) -> Option<GameInfoOf<T>> {
        let game = Games::<T>::get(claim, leaf)?.game;
        let lines = Lines::<T>::iter_prefix((claim, leaf))
            .map(|(challenger, open)| {
                let until = game.until(&open.line);
                (challenger, open.line, until)
            })
            .collect();
        let (_, bond) = Self::line_cost(&game);
        Some(GameInfo {
            game,
            lines,
            time: Self::now(),
            bond,
        })
    }

    pub(crate) fn moves_of(account: T::AccountId) -> Vec<MoveDue<T::AccountId, BlockNumberFor<T>>> {
        let player = Self::player(&account);
        let mut dues = Vec::new();
        for (claim, leaf, open) in Games::<T>::iter() {
            let game = open.game;
            if Self::has_ended(claim) {
                continue;
            }
            let mut add = |step, until: BlockNumberFor<T>| {
                if Self::now() <= until {
                    dues.push(MoveDue {
                        claim,
                        leaf,
                        checkpoint: game.terms.subject.checkpoint,
                        step,
                        blocks: until.saturating_sub(Self::now()),
                    });
                }
            };
            let is_claimant = game.terms.claimant == player;
            if let (GameStage::Opening { until }, true) = (game.stage, is_claimant) {
                add(MoveStep::Open, until);
            }
            for (challenger, open) in Lines::<T>::iter_prefix((claim, leaf)) {
                let node = open.line.node.map(|(node, _)| node);
                let step = match (open.line.turn.side, node) {
                    (Side::Claimant, Some(node)) if is_claimant => MoveStep::Show(node, challenger),
                    (Side::Challenger, node) if challenger == player => {
                        MoveStep::PointOrProve(node)
                    }
                    _ => continue,
                };
                if let Some(until) = game.until(&open.line) {
                    add(step, until);
                }
            }
        }
        dues.sort_by_key(|due| (due.blocks, due.claim, due.leaf));
        dues
    }
}
