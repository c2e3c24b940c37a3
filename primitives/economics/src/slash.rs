//! What a conviction or silence costs, and where it goes.

use crate::{divide, Balance};
use sp_arithmetic::Permill;

/// Where a slashed amount goes: `to_winners + burned` is `slashed`, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlashSplit {
    /// Taken from the bond.
    pub slashed: Balance,
    /// To each of the winners.
    pub per_winner: Balance,
    /// To all of them together.
    pub to_winners: Balance,
    /// Destroyed, the remainder of the division included.
    pub burned: Balance,
}

/// Takes `fraction` of `bond`, rounded up, and gives `winners_share` of that to `winners` in equal
/// parts; the rest burns. A fraction above zero of a bond above zero takes at least one unit.
///
/// The share should stay below one: whoever convicts their own second operator must still lose.
pub fn slash_split(
    bond: Balance,
    fraction: Permill,
    winners_share: Permill,
    winners: u32,
) -> SlashSplit {
    let slashed = fraction.mul_ceil(bond).min(bond);
    let shares = divide(winners_share.mul_floor(slashed).min(slashed), winners);
    SlashSplit {
        slashed,
        per_winner: shares.each,
        to_winners: shares.total,
        burned: slashed.saturating_sub(shares.total),
    }
}

/// What staying silent costs: `fraction` of `bond`, rounded up, at most `cap`.
///
/// All of it burns: nobody may profit from another's silence.
pub fn silence_penalty(bond: Balance, fraction: Permill, cap: Balance) -> Balance {
    fraction.mul_ceil(bond).min(bond).min(cap)
}
