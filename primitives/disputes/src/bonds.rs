//! How much is at stake in a game, so that the side that is right is paid for what the game costs it, and no ring of
//! accounts on both sides wins what another part of it loses.

use noema_economics::Balance;
use noema_protocol::{apply, sent};

/// What a game costs a side.
#[apply(sent)]
#[derive(Copy, Default)]
pub struct Effort {
    /// Its moves.
    pub moves: u32,
    /// The tokens that it executes, for building the trace as often as it is needed.
    pub tokens: u64,
    /// The blocks by which the game delays the end of the claim.
    pub blocks: u64,
}

/// What each part of an effort costs, in the smallest unit.
#[apply(sent)]
#[derive(Copy)]
pub struct Tariff {
    /// A move.
    pub per_move: Balance,
    /// A token that is executed.
    pub per_token: Balance,
    /// A block of delay.
    pub per_block: Balance,
}

impl Tariff {
    /// The cost of an effort.
    pub fn cost(&self, effort: &Effort) -> Balance {
        let moves = self.per_move.saturating_mul(effort.moves.into());
        let tokens = self.per_token.saturating_mul(effort.tokens.into());
        let blocks = self.per_block.saturating_mul(effort.blocks.into());
        moves.saturating_add(tokens).saturating_add(blocks)
    }

    /// The bond of an account that can make the other side spend `effort`, at least 2: half of it covers the cost of
    /// the other side, and the other half burns. So it is lost on every side of a ring.
    pub fn bond(&self, effort: &Effort) -> Balance {
        self.cost(effort).max(1).saturating_mul(2)
    }
}

/// How many times `fee` the side that lost with `stake` owes for `cost`: rounded up, and no more than half of the stake
/// has room for, after one fee that is paid in any case.
pub fn parts(cost: Balance, fee: Balance, stake: Balance) -> u32 {
    let Some(needed) = cost
        .checked_add(fee.saturating_sub(1))
        .and_then(|cost| cost.checked_div(fee))
    else {
        return 0;
    };
    let room = (stake / 2).checked_div(fee).unwrap_or(0);
    let parts = needed.min(room.saturating_sub(1));
    u32::try_from(parts).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bond_is_twice_what_the_other_side_spends() {
        let tariff = Tariff {
            per_move: 100,
            per_token: 3,
            per_block: 7,
        };
        let effort = Effort {
            moves: 4,
            tokens: 1_000,
            blocks: 50,
        };
        assert_eq!(tariff.cost(&effort), 3_750);
        assert_eq!(tariff.bond(&effort), 7_500);
        assert_eq!(tariff.bond(&Effort::default()), 2);
    }

    #[test]
    fn parts_cover_the_cost_and_leave_half_of_the_stake() {
        assert_eq!(parts(300, 100, 10_000), 3);
        assert_eq!(parts(301, 100, 10_000), 4);
        assert_eq!(
            parts(3_000, 100, 1_000),
            4,
            "with the fee, half of the stake"
        );
        assert_eq!(parts(300, 0, 1_000), 0);
        assert_eq!(parts(300, 100, 0), 0);
    }

    proptest! {
        #[test]
        fn no_more_than_half_of_a_stake_is_ever_paid(cost: u64, fee in 1u64.., stake: u64) {
            let (cost, fee, stake) = (cost.into(), fee.into(), Balance::from(stake));
            let parts = Balance::from(parts(cost, fee, stake));
            prop_assert!(parts == 0 || (parts + 1) * fee <= stake / 2);
            prop_assert!(parts * fee < cost + fee);
        }
    }
}
