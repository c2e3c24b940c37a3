//! The number of leaves that are drawn from a claim, such that a false claim costs more than it can win.
//!
//! Leaves are drawn without regard to their prices, so `amount` is the [`crate::ClaimTerms::exposure`] of the
//! claim: the number of its leaves times the price of the dearest. A claim with the stake `S` behind it and a part
//! `f` of false leaves wins `f · amount` at most, whichever leaves are false, unless one of the drawn leaves is. With `k`
//! drawn leaves that happens with probability `q = (1 − f)^k` at most, and with probability `1 − q` the claimant loses
//! `S`. With
//!
//! ```text
//! k = ⌈margin · amount / S⌉
//! ```
//!
//! `S · (1 − q) ≥ margin · q · f · amount` for every `f`: `(1 − f)^k · (1 + k·f) ≤ 1` gives
//! `(1 − q) / q ≥ k · f`. Where `margin · amount / S` is below one, one leaf is drawn with that
//! probability `p`: it finds a false one with probability `p · f`, and
//! `S · p · f = margin · f · amount`.
//!
//! That holds where the claimant cannot discard a draw. [`crate::ValueHistory`] bounds how often it can.

use crate::{ClaimRules, MAX_DRAWN_LEAVES};
use noema_economics::Balance;
use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Permill, Rounding};

/// The number of drawn leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// One leaf with this probability.
    Chance(Permill),
    /// This many different leaves, always; at least one.
    Leaves(u32),
}

/// The number of leaves, of `leaves`, that are drawn from a claim with `stake` behind it, by the rules' margin and
/// floor. `amount` is the price of all leaves, each at the price of the dearest. `None` where the stake is
/// so small that more than [`MAX_DRAWN_LEAVES`] would be needed and the claim has more.
///
/// `amount` and `stake` are in the smallest unit of the token.
pub fn leaves_to_draw<BlockNumber>(
    rules: &ClaimRules<BlockNumber>,
    amount: Balance,
    stake: Balance,
    leaves: u32,
) -> Option<Sample> {
    const ONE: Balance = 1_000_000;
    let margin = Balance::from(rules.margin_percent);
    // The expected number of leaves, in millionths, rounded against the claimant.
    let expected = match (amount, stake) {
        (0, _) => 0,
        (_, 0) => Balance::MAX,
        (amount, stake) => multiply_by_rational_with_rounding(
            amount,
            margin.checked_mul(ONE / 100)?,
            stake,
            Rounding::Up,
        )
        .unwrap_or(Balance::MAX),
    };
    if expected < ONE {
        let chance = Permill::from_parts(u32::try_from(expected).unwrap_or(1_000_000));
        return Some(Sample::Chance(chance.max(rules.min_check_rate)));
    }
    let whole = expected.div_ceil(ONE);
    let drawn = u32::try_from(whole).unwrap_or(u32::MAX).min(leaves.max(1));
    (drawn <= MAX_DRAWN_LEAVES).then_some(Sample::Leaves(drawn))
}
