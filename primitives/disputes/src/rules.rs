//! The time that the sides of a game have.
//!
//! Time is counted in blocks that had room for a move. A chain that stands still, and one whose blocks are full, costs
//! no side anything.

use noema_protocol::{apply, sent};
use sp_arithmetic::traits::{AtLeast32BitUnsigned, UniqueSaturatedInto};

/// How many times as long as answering it takes to build the trace of an answer, at most.
pub const TRACE_COST: u64 = 3;

/// The rules of a game, fixed when it begins.
#[apply(sent)]
#[derive(Copy)]
pub struct GameRules<BlockNumber> {
    /// Blocks for each move, in addition to the time for its work.
    pub per_move: BlockNumber,
    /// Tokens, of prompt and answer together, that a side executes in a block.
    pub tokens_per_block: u32,
    /// How many rows below a node the row is that the claimant shows: 1 to [`MAX_ROW_BITS`](crate::MAX_ROW_BITS).
    pub row_bits: u8,
}

impl<BlockNumber: AtLeast32BitUnsigned + Copy> GameRules<BlockNumber> {
    /// Blocks to build the traces of leaves of `tokens` tokens together.
    pub fn work(&self, tokens: u64) -> BlockNumber {
        let blocks = tokens
            .saturating_mul(TRACE_COST)
            .div_ceil(self.tokens_per_block.max(1).into());
        blocks.unique_saturated_into()
    }

    /// The most rows that a challenger can have shown, one below the other, in a tree of this height.
    pub fn rounds(&self, height: u32) -> u32 {
        height.div_ceil(u32::from(self.row_bits.max(1)))
    }

    /// The time of each side in a tree of this height, in addition to that for work: one move for each round, and
    /// the proof.
    pub fn clock(&self, height: u32) -> BlockNumber {
        let moves = self.rounds(height).saturating_add(1);
        self.per_move.saturating_mul(moves.unique_saturated_into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: GameRules<u32> = GameRules {
        per_move: 10,
        tokens_per_block: 100,
        row_bits: 10,
    };

    #[test]
    fn work_is_that_of_building_a_trace() {
        assert_eq!(
            [0, 1, 33, 34].map(|tokens| RULES.work(tokens)),
            [0, 1, 1, 2]
        );
        assert_eq!(RULES.work(u64::MAX), u32::MAX);
        let none = GameRules {
            tokens_per_block: 0,
            row_bits: 0,
            ..RULES
        };
        assert_eq!((none.work(1), none.rounds(3)), (3, 3));
    }

    #[test]
    fn three_rounds_reach_each_of_a_billion_steps() {
        assert_eq!(
            [0, 1, 10, 11, 30, 31].map(|height| RULES.rounds(height)),
            [0, 1, 1, 2, 3, 4]
        );
        assert_eq!(RULES.clock(30), 40);
        assert_eq!(RULES.clock(0), 10);
    }
}
