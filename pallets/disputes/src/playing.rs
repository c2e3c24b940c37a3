//! The moves of a game.

use crate::{
    Config, Error, Event, EvidenceOf, GameId, Games, Lines, OpenGameOf, OpenLineOf, Pallet,
    StatementOf, MAX_EVIDENCE_BYTES,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{dispatch::Pays, ensure, pallet_prelude::DispatchResult};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{verify_leaf, ClaimStage};
use noema_disputes::{GameError, Place, Proven, Side, StepJudge, StepProof, Tree};
use noema_interfaces::{Claims as _, Operators};
use noema_protocol::ClaimId;
use sp_core::H256;
use sp_runtime::DispatchError;

/// A line as a move changes it, with its game; nothing is stored yet.
pub(crate) struct Moved<T: Config> {
    /// The account that moves.
    pub(crate) player: T::AccountId,
    /// The game.
    pub(crate) open: OpenGameOf<T>,
    /// The lines that change, each with its challenger.
    pub(crate) lines: Vec<(T::AccountId, OpenLineOf<T>)>,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_open(
        key: T::AccountId,
        claim: ClaimId,
        leaf: u32,
        statement: &StatementOf<T>,
        path: &[H256],
        root: H256,
        siblings: &[H256],
    ) -> DispatchResult {
        let (open, trace) = Self::opened(&key, claim, leaf, statement, path, root, siblings)?;
        Self::pay_off(&open.game.terms.claimant, open.game.terms.tokens);
        Games::<T>::insert(claim, leaf, open);
        Self::deposit_event(match trace {
            Some(trace) => Event::Opened { claim, leaf, trace },
            None => Event::NoSteps { claim, leaf },
        });
        Ok(())
    }

    pub(crate) fn do_join(who: T::AccountId, claim: ClaimId, leaf: u32) -> DispatchResult {
        let mut open = Self::load(claim, leaf)?;
        let player = Self::player(&who);
        ensure!(player != open.game.terms.claimant, Error::<T>::OwnClaim);
        let id = (claim, leaf);
        ensure!(
            !Lines::<T>::contains_key(id, &player),
            Error::<T>::AlreadyJoined
        );
        let is_in_time = Self::now() <= open.game.joins_until || Self::is_challengeable(claim);
        ensure!(is_in_time, Error::<T>::TooLate);
        let bond = Self::hold_bond(&open.game, who)?;
        Self::add_line(id, &mut open, player, Some(bond))?;
        Games::<T>::insert(claim, leaf, open);
        Ok(())
    }

    pub(crate) fn do_point(
        who: T::AccountId,
        claim: ClaimId,
        leaf: u32,
        node: (Place, H256),
        siblings: &[H256],
    ) -> DispatchResult {
        let moved = Self::pointed(&who, claim, leaf, node, siblings)?;
        let claimant = moved.open.game.terms.claimant.clone();
        for (challenger, line) in moved.lines {
            let until = moved.open.game.until(&line.line).unwrap_or_default();
            Self::pass(
                &moved.open,
                (claim, leaf),
                &challenger,
                line,
                claimant.clone(),
            );
            Self::deposit_event(Event::Pointed {
                claim,
                leaf,
                challenger,
                node: node.0,
                until,
            });
        }
        Ok(())
    }

    pub(crate) fn do_show(
        key: T::AccountId,
        claim: ClaimId,
        leaf: u32,
        challengers: &[T::AccountId],
        row: &[H256],
    ) -> DispatchResult {
        let moved = Self::shown(&key, claim, leaf, challengers, row)?;
        let shown = moved.lines.first().and_then(|(_, line)| line.line.node);
        for (challenger, line) in moved.lines {
            let owes = challenger.clone();
            Self::pass(&moved.open, (claim, leaf), &challenger, line, owes);
        }
        Games::<T>::insert(claim, leaf, moved.open);
        if let Some((node, _)) = shown {
            Self::deposit_event(Event::Shown {
                claim,
                leaf,
                node,
                challengers: challengers.to_vec(),
            });
        }
        Ok(())
    }

    /// Returns whether the caller pays the fee.
    pub(crate) fn do_prove(
        who: T::AccountId,
        claim: ClaimId,
        leaf: u32,
        statement: &StatementOf<T>,
        proof: &StepProof<EvidenceOf<T>>,
    ) -> Result<Pays, DispatchError> {
        Self::check_size(proof)?;
        let mut open = Self::load(claim, leaf)?;
        let (id, player, now) = ((claim, leaf), Self::player(&who), Self::now());
        let line = Lines::<T>::get(id, &player);
        let game = &mut open.game;
        let in_turn = line.as_ref().and_then(|line| {
            let proven = game.prove_in::<T::Judge>(&line.line, statement, proof, now);
            proven.ok()
        });
        match (in_turn, line) {
            (Some(Proven::Refuted(error)), Some(line)) => {
                Self::lose_line(
                    id,
                    open,
                    player,
                    line,
                    noema_disputes::LineEnd::WrongProof(error),
                );
                Ok(Pays::Yes)
            }
            (Some(Proven::Fallen(fault)), Some(line)) => {
                Self::release_line(id, &player, &line);
                Self::conclude_fallen(id, open, fault, Some(player), true);
                Ok(Pays::No)
            }
            (_, line) => {
                // Not the move of a line: nothing is at stake but the fee.
                let fault = game
                    .prove::<T::Judge>(statement, proof)
                    .map_err(Error::<T>::from)?;
                Self::conclude_fallen(id, open, fault, Some(player), line.is_some());
                Ok(Pays::No)
            }
        }
    }

    /// The account that plays for a signer: an operator's controller for its hot key.
    pub(crate) fn player(who: &T::AccountId) -> T::AccountId {
        T::Operators::controller_of(who).unwrap_or_else(|| who.clone())
    }

    /// The game with the claimant's trace, or without one where the judge has no steps for the statement: that is handed
    /// over. Nothing is stored.
    pub(crate) fn opened(
        key: &T::AccountId,
        claim: ClaimId,
        leaf: u32,
        statement: &StatementOf<T>,
        path: &[H256],
        root: H256,
        siblings: &[H256],
    ) -> Result<(OpenGameOf<T>, Option<Tree>), Error<T>> {
        let mut open = Self::load_as_claimant(key, claim, leaf)?;
        let terms = T::Claims::claim(claim)
            .ok_or(Error::<T>::NotDisputed)?
            .terms;
        ensure!(
            verify_leaf(
                terms.root,
                terms.leaves,
                leaf,
                T::Judge::leaf(statement),
                path
            ),
            Error::<T>::NotInClaim
        );
        let now = Self::now();
        let trace = match open.game.open::<T::Judge>(statement, root, siblings, now) {
            Err(GameError::NoSteps) => {
                open.game.hand_over();
                None
            }
            opened => Some(opened?),
        };
        Ok((open, trace))
    }

    /// The line of a challenger that points to a node; nothing is stored.
    pub(crate) fn pointed(
        who: &T::AccountId,
        claim: ClaimId,
        leaf: u32,
        node: (Place, H256),
        siblings: &[H256],
    ) -> Result<Moved<T>, Error<T>> {
        let open = Self::load(claim, leaf)?;
        let player = Self::player(who);
        let mut line = Self::load_line((claim, leaf), &player)?;
        let terms = &open.game.terms;
        let due = Self::backlog_with(&terms.claimant, terms.tokens);
        open.game
            .point(&mut line.line, node, siblings, Self::now(), due)?;
        Ok(Moved {
            lines: [(player.clone(), line)].into(),
            player,
            open,
        })
    }

    /// The lines to which the claimant shows a row; nothing is stored.
    pub(crate) fn shown(
        key: &T::AccountId,
        claim: ClaimId,
        leaf: u32,
        challengers: &[T::AccountId],
        row: &[H256],
    ) -> Result<Moved<T>, Error<T>> {
        let mut open = Self::load_as_claimant(key, claim, leaf)?;
        let mut lines = Vec::<(T::AccountId, OpenLineOf<T>)>::new();
        for challenger in challengers {
            let mut line = Self::load_line((claim, leaf), challenger)?;
            let is_other = lines
                .iter()
                .any(|(other, shown)| other == challenger || shown.line.node != line.line.node);
            ensure!(!is_other, Error::<T>::OtherNode);
            let due = Self::backlog_with(challenger, line.tokens);
            open.game.show(&mut line.line, row, Self::now(), due)?;
            lines.push((challenger.clone(), line));
        }
        ensure!(!lines.is_empty(), Error::<T>::OtherNode);
        Ok(Moved {
            player: open.game.terms.claimant.clone(),
            open,
            lines,
        })
    }

    /// The line of a challenger that may prove now, whether or not its proof shows anything: that is found out when the
    /// proof is executed, once for each line.
    pub(crate) fn proving(
        who: &T::AccountId,
        claim: ClaimId,
        leaf: u32,
        proof: &StepProof<EvidenceOf<T>>,
    ) -> Result<Moved<T>, Error<T>> {
        Self::check_size(proof)?;
        let open = Self::load(claim, leaf)?;
        let player = Self::player(who);
        let line = Self::load_line((claim, leaf), &player)?;
        let until = open.game.until(&line.line).ok_or(Error::<T>::NotOpen)?;
        ensure!(
            line.line.turn.side == Side::Challenger,
            Error::<T>::OtherSide
        );
        ensure!(Self::now() <= until, Error::<T>::TooLate);
        Ok(Moved {
            lines: [(player.clone(), line)].into(),
            player,
            open,
        })
    }

    fn check_size(proof: &StepProof<EvidenceOf<T>>) -> Result<(), Error<T>> {
        ensure!(
            proof.evidence.encoded_size() <= MAX_EVIDENCE_BYTES,
            Error::<T>::EvidenceTooLong
        );
        Ok(())
    }

    /// The game over a leaf of a claim that has not ended. That of one that has ended is only dropped.
    pub(crate) fn load(claim: ClaimId, leaf: u32) -> Result<OpenGameOf<T>, Error<T>> {
        let open = Games::<T>::get(claim, leaf).ok_or(Error::<T>::NotDisputed)?;
        ensure!(!Self::has_ended(claim), Error::<T>::NotDisputed);
        Ok(open)
    }

    fn load_as_claimant(
        key: &T::AccountId,
        claim: ClaimId,
        leaf: u32,
    ) -> Result<OpenGameOf<T>, Error<T>> {
        let claimant = T::Operators::controller_of(key).ok_or(Error::<T>::NotAnOperator)?;
        let open = Self::load(claim, leaf)?;
        ensure!(
            open.game.terms.claimant == claimant,
            Error::<T>::NotClaimant
        );
        Ok(open)
    }

    fn load_line(id: GameId, challenger: &T::AccountId) -> Result<OpenLineOf<T>, Error<T>> {
        Lines::<T>::get(id, challenger).ok_or(Error::<T>::NoLine)
    }

    /// Whether any account may still challenge a leaf of the claim.
    fn is_challengeable(claim: ClaimId) -> bool {
        let block: BlockNumberFor<T> = frame_system::Pallet::<T>::block_number();
        T::Claims::claim(claim).is_some_and(|claim| match claim.stage {
            ClaimStage::Challengeable { until, .. } => block <= until,
            ClaimStage::Ended(_) => false,
            _ => true,
        })
    }
}
