//! Games of the referee: what a move is made of, and which one is next. Operators, gateways and the command line play
//! with it.
//!
//! A move follows from the chain and from an own trace alone, so it is the same after a restart.

mod account;
mod kept;
mod own;
mod rows;
mod told;

pub use account::{AccountPlayer, GameStanding, PlayFault};
pub use kept::{KeptTraces, TraceSlot};
pub use own::{own_trace, statement, OwnTrace};
pub use rows::ShownRows;
pub use told::{describe, StepInWords};

use crate::roles::ClaimedAnswer;
use crate::store::AccountBytes;
use codec::{Decode, Encode};
use noema_disputes::{Game, GameStage, Line, NoTrace, Place, Side, StepProof, Tree};
use noema_executor::{Cancel, TraceFailure};
use noema_games::{challenger_move, claimant_moves, ChallengerMove, ClaimantMove, PlayError};
use noema_model::engine::Engine;
use noema_protocol::hashing;
use noema_referee::{DeclaredEvidence, SessionStatement};
use noema_session_transport::SessionLeaf;
use sp_core::H256;
use std::fmt;
use std::sync::PoisonError;

/// A game as the chain records it, and who plays in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayedGame {
    /// The disputed leaf.
    pub claimed: ClaimedAnswer,
    /// The game.
    pub game: Game<AccountBytes, u32>,
    /// The lines that are not over.
    pub lines: Vec<(AccountBytes, Line<u32>)>,
    /// Most lines that one row answers.
    pub most_answered: u32,
    /// The account that plays: the controller of an operator, or another account.
    pub player: AccountBytes,
}

/// A move, with everything that its call states.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Move {
    /// The claimant shows the root of its trace.
    Open {
        /// What the leaf states.
        statement: SessionStatement,
        /// The siblings of the leaf, up to the claim's root.
        path: Vec<H256>,
        /// The root of the trace.
        root: H256,
        /// The siblings of the last leaf of the trace.
        siblings: Vec<H256>,
    },
    /// The claimant shows the row below a node.
    Show {
        /// The node.
        node: Place,
        /// The challengers that pointed to it.
        challengers: Vec<AccountBytes>,
        /// The row.
        row: Vec<H256>,
    },
    /// A challenger points to the first node that differs.
    Point {
        /// The node.
        node: Place,
        /// Its hash.
        hash: H256,
        /// Its siblings up to the root.
        siblings: Vec<H256>,
    },
    /// A challenger proves that a step is wrong.
    Prove {
        /// What the leaf states.
        statement: SessionStatement,
        /// The proof.
        proof: StepProof<DeclaredEvidence>,
    },
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { .. } => f.write_str("root of the trace"),
            Self::Show { node, .. } => {
                write!(f, "row below node {} of row {}", node.index, node.row)
            }
            Self::Point { node, .. } => {
                write!(f, "pointer to node {} of row {}", node.index, node.row)
            }
            Self::Prove { proof, .. } => write!(f, "proof about step {}", proof.step),
        }
    }
}

/// Why no move is made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// The own trace is that of the claimant.
    #[error(
        "the trace of the claimant is the own one: the answer is true, and the challenge was not"
    )]
    ClaimIsRight,
    /// Nothing is to be done now.
    #[error("the game expects no move of this account now")]
    NotDue,
    /// There is no move.
    #[error(transparent)]
    Play(#[from] PlayError<TraceFailure>),
    /// What the leaf states has no trace.
    #[error("{}", reason(*.0))]
    NoTrace(NoTrace),
}

/// Why there is no trace.
pub(crate) const fn reason(none: NoTrace) -> &'static str {
    match none {
        NoTrace::False => "the receipt contradicts what the chain knows, so it has no trace",
        NoTrace::NoSteps => "the chain has no steps for this checkpoint: a jury decides",
    }
}

impl MoveError {
    /// Whether another attempt may succeed: it is not its turn yet, rows are read late, or it was cancelled.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::NotDue
                | Self::Play(PlayError::RowUnread(_) | PlayError::Trace(TraceFailure::Cancelled))
        )
    }
}

impl PlayedGame {
    /// The trace of the claimant, once it is open.
    pub const fn tree(&self) -> Option<Tree> {
        match &self.game.stage {
            GameStage::Open { tree, .. } => Some(*tree),
            _ => None,
        }
    }

    /// Whether the player is the claimant.
    pub fn is_claimant(&self) -> bool {
        self.game.terms.claimant == self.player
    }

    /// Whether its next move needs the rows that the claimant showed.
    pub fn needs_rows(&self) -> bool {
        let line = self.line();
        !self.is_claimant() && line.is_some_and(|line| line.node.is_some())
    }

    /// The line of the player.
    pub fn line(&self) -> Option<&Line<u32>> {
        let mut lines = self.lines.iter();
        lines
            .find(|(who, _)| *who == self.player)
            .map(|(_, line)| line)
    }

    /// Distinguishes the move that is due from all others of the game: each is made once. It stays the same while that move
    /// is due, whatever other lines do meanwhile.
    pub fn turn(&self) -> H256 {
        let (claimed, root) = (&self.claimed, self.tree().map(|tree| tree.root()));
        let line = match self.is_claimant() {
            true => self.first_asked(),
            false => self.line().map(|line| (self.player, line.node)),
        };
        let turn = (claimed.claim, claimed.leaf, claimed.root, root, line);
        hashing::blake2_256(&turn.encode())
    }

    /// The move that is due, from the trace in `slot`, which is executed if it is not there. Blocks until that is done: the
    /// execution is not cancelled, so that a side that is asked for another move meanwhile does not begin again.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub fn next_of(
        &self,
        slot: &TraceSlot,
        engine: &Engine,
        leaf: &SessionLeaf,
        rows: &[Vec<H256>],
        cancel: &Cancel,
    ) -> Result<Move, MoveError> {
        if let (GameStage::Opening { .. }, true) = (&self.game.stage, self.is_claimant()) {
            let statement = statement(engine, leaf);
            if own::shown(&statement).is_err_and(|none| none == NoTrace::NoSteps) {
                // The statement alone shows that another referee has to decide.
                return Ok(Move::Open {
                    statement,
                    path: leaf.path.clone(),
                    root: H256::zero(),
                    siblings: Vec::new(),
                });
            }
        }
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let mut own = match kept.take() {
            Some(own) => own,
            None => own_trace(engine, leaf, &Cancel::default())?,
        };
        own.stop_with(cancel);
        let made = self.next(&mut own, leaf, rows);
        *kept = Some(own);
        made
    }

    /// The move that is due, from the trace of the leaf and the rows that the claimant showed.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub fn next(
        &self,
        own: &mut OwnTrace,
        leaf: &SessionLeaf,
        rows: &[Vec<H256>],
    ) -> Result<Move, MoveError> {
        match self.is_claimant() {
            true => self.claimant(own, leaf),
            false => self.challenger(own, rows),
        }
    }

    fn claimant(&self, own: &mut OwnTrace, leaf: &SessionLeaf) -> Result<Move, MoveError> {
        // One at a time: the next turn has the others.
        let asked = self.first_asked();
        let lines = self.lines.iter();
        let together = lines.filter(|(_, line)| asked.is_some_and(|(_, node)| line.node == node));
        let mut lines: Vec<_> = together.copied().collect();
        lines.sort_by_key(|(who, line)| (self.game.until(line), *who));
        let most = usize::try_from(self.most_answered).unwrap_or(usize::MAX);
        let moves = claimant_moves(own, &self.game, &lines, most)?;
        match moves.into_iter().next().ok_or(MoveError::NotDue)? {
            ClaimantMove::Open(opening) => Ok(Move::Open {
                statement: own.statement().clone(),
                path: leaf.path.clone(),
                root: opening.root,
                siblings: opening.siblings,
            }),
            ClaimantMove::Show {
                node,
                challengers,
                row,
            } => Ok(Move::Show {
                node,
                challengers,
                row,
            }),
        }
    }

    /// The line in which the claimant has to move first, and its node.
    fn first_asked(&self) -> Option<(AccountBytes, Option<(Place, H256)>)> {
        let lines = self.lines.iter();
        let asked = lines.filter(|(_, line)| line.turn.side == Side::Claimant);
        let asked = asked.filter(|(_, line)| line.node.is_some());
        let first = asked.min_by_key(|(who, line)| (self.game.until(line), *who));
        first.map(|(who, line)| (*who, line.node))
    }

    fn challenger(&self, own: &mut OwnTrace, rows: &[Vec<H256>]) -> Result<Move, MoveError> {
        let line = self.line().ok_or(MoveError::NotDue)?;
        if self.tree().is_none() || line.turn.side != Side::Challenger {
            return Err(MoveError::NotDue);
        }
        let next = challenger_move(own, &self.game, line, rows)?;
        match next.ok_or(MoveError::ClaimIsRight)? {
            ChallengerMove::Point {
                node,
                hash,
                siblings,
            } => Ok(Move::Point {
                node,
                hash,
                siblings,
            }),
            ChallengerMove::Prove(proof) => {
                let StepProof {
                    step,
                    node,
                    siblings,
                    evidence,
                } = *proof;
                let kind = own.kind(step)?;
                Ok(Move::Prove {
                    statement: own.statement().clone(),
                    proof: StepProof {
                        step,
                        node,
                        siblings,
                        evidence: DeclaredEvidence {
                            kind,
                            inputs: evidence,
                        },
                    },
                })
            }
        }
    }
}
