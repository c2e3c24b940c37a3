//! The invariants that hold after every block, and the audit that checks them. Reads all storage: for a view
//! function and `try_state`, never for a block.

use crate::{
    AgendaCursor, Backlogs, Config, GameId, GameTurn, Games, HoldReason, Lines, OpenGameOf, Pallet,
    Turns,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use noema_disputes::{GameEnd, GameStage, Side};
use noema_economics::Balance;
use noema_interfaces::Disputes as _;
use noema_protocol::{apply, encoded, ClaimId};

/// The inconsistencies that an audit can find.
#[apply(encoded)]
pub enum AuditFailure<AccountId> {
    /// The claims pallet knows no such dispute.
    NotChallenged {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    },
    /// The game is recorded under another leaf, or is over and still recorded, or counts a wrong number of lines.
    GameDiffers {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    },
    /// The account that owes the next move of a line is not the one whose turn it is.
    LineDiffers {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
        /// The challenger.
        challenger: AccountId,
    },
    /// A game or a line has no turn, or a turn other than the recorded one.
    TurnDiffers {
        /// The claim.
        claim: ClaimId,
        /// The leaf.
        leaf: u32,
    },
    /// The amount on hold of an account differs from the bonds of its lines.
    HoldDiffers {
        /// The account.
        account: AccountId,
        /// The sum of its bonds.
        bonds: Balance,
        /// The amount on hold.
        held: Balance,
    },
    /// The recorded backlogs differ from the moves that accounts owe.
    BacklogsDiffer,
}

impl<AccountId> AuditFailure<AccountId> {
    /// The inconsistency as a sentence.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotChallenged { .. } => "the claims pallet knows no such dispute",
            Self::GameDiffers { .. } => {
                "a game is recorded in the wrong place, or counts wrong lines"
            }
            Self::LineDiffers { .. } => {
                "a line names another account than the one that has to move"
            }
            Self::TurnDiffers { .. } => "the agenda differs from the games and lines",
            Self::HoldDiffers { .. } => "the bonds of an account's lines are not on hold",
            Self::BacklogsDiffer => "the backlogs of accounts differ from the moves that they owe",
        }
    }
}

type Audit<T> = Result<(), AuditFailure<<T as frame_system::Config>::AccountId>>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_audit() -> Audit<T> {
        for (claim, leaf, open) in Games::<T>::iter() {
            Self::audit_game((claim, leaf), &open)?;
        }
        Self::audit_lines()?;
        Self::audit_turns()?;
        Self::audit_bonds()?;
        Self::audit_backlogs()
    }

    fn audit_game(id: GameId, open: &OpenGameOf<T>) -> Audit<T> {
        let (claim, leaf) = id;
        let game = &open.game;
        let subject = &game.terms.subject;
        let lines = Lines::<T>::iter_prefix(id).count();
        ensure!(
            (subject.claim, subject.leaf) == id
                && game.end().is_none_or(|end| end == GameEnd::HandedOver)
                && u32::try_from(lines) == Ok(game.lines),
            AuditFailure::GameDiffers { claim, leaf }
        );
        // The game over a claim that has ended waits for the turn in which it is dropped.
        ensure!(
            Self::has_ended(claim) || !T::Disputes::challengers(claim, leaf).is_empty(),
            AuditFailure::NotChallenged { claim, leaf }
        );
        // Where the turn of a game is over, those of its lines go on.
        let waits = match open.turn {
            Some(turn) => Turns::<T>::contains_key(turn, GameTurn::<T::AccountId>::Game(id)),
            None => game.lines > 0 && !matches!(game.stage, GameStage::Opening { .. }),
        };
        ensure!(waits, AuditFailure::TurnDiffers { claim, leaf });
        Ok(())
    }

    fn audit_lines() -> Audit<T> {
        for ((claim, leaf), challenger, open) in Lines::<T>::iter() {
            let turn = GameTurn::Line((claim, leaf), challenger.clone());
            ensure!(
                Turns::<T>::contains_key(open.turn, turn) && open.turn >= AgendaCursor::<T>::get(),
                AuditFailure::TurnDiffers { claim, leaf }
            );
            let game = Games::<T>::get(claim, leaf).map(|open| open.game);
            let is_owed = game.is_none_or(|game| match open.line.turn.side {
                Side::Claimant => open.owes == game.terms.claimant,
                Side::Challenger => open.owes == challenger,
            });
            let differs = AuditFailure::LineDiffers {
                claim,
                leaf,
                challenger,
            };
            ensure!(is_owed, differs);
        }
        Ok(())
    }

    fn audit_turns() -> Audit<T> {
        for (time, turn) in Turns::<T>::iter_keys() {
            let ((claim, leaf), is_named) = match turn {
                GameTurn::Game(id) => {
                    let open = Games::<T>::get(id.0, id.1);
                    (id, open.is_some_and(|open| open.turn == Some(time)))
                }
                GameTurn::Line(id, challenger) => {
                    let open = Lines::<T>::get(id, challenger);
                    (id, open.is_some_and(|open| open.turn == time))
                }
            };
            ensure!(is_named, AuditFailure::TurnDiffers { claim, leaf });
        }
        Ok(())
    }

    fn audit_bonds() -> Audit<T> {
        let mut bonds = BTreeMap::<T::AccountId, Balance>::new();
        for bond in Lines::<T>::iter_values().filter_map(|open| open.bond) {
            let sum = bonds.entry(bond.from).or_default();
            *sum = sum.saturating_add(bond.amount);
        }
        for (account, bonds) in bonds {
            let held = T::Currency::balance_on_hold(&HoldReason::Line.into(), &account);
            let differs = AuditFailure::HoldDiffers {
                account,
                bonds,
                held,
            };
            ensure!(held == bonds, differs);
        }
        Ok(())
    }

    fn audit_backlogs() -> Audit<T> {
        let mut counted = BTreeMap::<T::AccountId, u64>::new();
        let mut owe = |account, tokens| {
            let backlog = counted.entry(account).or_default();
            *backlog = backlog.saturating_add(tokens);
        };
        for open in Games::<T>::iter_values() {
            if let GameStage::Opening { .. } = open.game.stage {
                owe(open.game.terms.claimant, open.game.terms.tokens);
            }
        }
        Lines::<T>::iter_values().for_each(|open| owe(open.owes, open.tokens));
        counted.retain(|_, backlog| *backlog > 0);
        let recorded: BTreeMap<_, _> = Backlogs::<T>::iter().collect();
        ensure!(counted == recorded, AuditFailure::BacklogsDiffer);
        Ok(())
    }
}
