//! A line of a game: one challenger's way down the trace, with the clocks of both sides.
//!
//! Each challenger has a line of its own. Another account can neither lead it to a place where nothing is wrong, nor
//! let its time pass.

use crate::{Fault, GameError, GameRules, Place};
use noema_protocol::{apply, sent, stored};
use sp_arithmetic::traits::{AtLeast32BitUnsigned, Zero};
use sp_core::H256;

/// A side of a game.
#[apply(sent)]
#[derive(Copy)]
pub enum Side {
    /// The claimant, whose trace is on trial.
    Claimant,
    /// The challenger.
    Challenger,
}

/// The side that has to move, and its time.
#[apply(sent)]
#[derive(Copy)]
pub struct LineTurn<BlockNumber> {
    /// The side.
    pub side: Side,
    /// When its turn began; before the trace was opened, it waits for that.
    pub since: BlockNumber,
    /// The time for the work of its move, which is not taken from its clock.
    pub allowance: BlockNumber,
}

/// A challenger's way down the trace.
#[apply(stored)]
#[derive(Copy)]
pub struct Line<BlockNumber> {
    /// The side that has to move.
    pub turn: LineTurn<BlockNumber>,
    /// The time that the claimant has spent of its clock.
    pub claimant_spent: BlockNumber,
    /// The time that the challenger has spent of its clock.
    pub challenger_spent: BlockNumber,
    /// The node to which the challenger pointed last, with its hash: the claimant has shown the row below it, or has
    /// to.
    pub node: Option<(Place, H256)>,
}

/// How a line ended while its game went on, or was upheld.
#[apply(sent)]
#[derive(Copy)]
pub enum LineEnd {
    /// The challenger did not move in time.
    Late,
    /// The challenger's proof shows nothing wrong.
    WrongProof(GameError),
}

/// What came of a proof.
#[apply(sent)]
#[derive(Copy)]
pub enum Proven {
    /// The trace is wrong: the claim falls.
    Fallen(Fault),
    /// It is not shown to be wrong: the line is over.
    Refuted(GameError),
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> Line<BlockNumber> {
    /// A line that begins at `now`, with the turn of the challenger, which has to build traces of `due_tokens` tokens.
    pub(crate) fn new(rules: &GameRules<BlockNumber>, now: BlockNumber, due_tokens: u64) -> Self {
        Self {
            turn: LineTurn {
                side: Side::Challenger,
                since: now,
                allowance: rules.work(due_tokens),
            },
            claimant_spent: Zero::zero(),
            challenger_spent: Zero::zero(),
            node: None,
        }
    }

    /// The time that a side has spent of its clock.
    pub(crate) fn spent(&self, side: Side) -> BlockNumber {
        match side {
            Side::Claimant => self.claimant_spent,
            Side::Challenger => self.challenger_spent,
        }
    }

    /// Passes the turn to the other side at `now`, with `allowance` for its work. The side that moved has spent `used`
    /// of its clock.
    pub(crate) fn pass(&mut self, used: BlockNumber, now: BlockNumber, allowance: BlockNumber) {
        let (spent, side) = match self.turn.side {
            Side::Claimant => (&mut self.claimant_spent, Side::Challenger),
            Side::Challenger => (&mut self.challenger_spent, Side::Claimant),
        };
        *spent = spent.saturating_add(used);
        self.turn = LineTurn {
            side,
            since: now,
            allowance,
        };
    }
}
