//! How often an answer is checked, so that cheating costs more than it can win.
//!
//! A worker that invents an answer instead of computing it wins at most the price of the answer,
//! the *gain* `g`, and loses the *stake* `s` if the answer is checked, which happens with
//! probability `p`; an undetected cheat keeps `g`, a detected one loses `s` and is not paid. So
//!
//! ```text
//! cost to cheat = p·s − (1 − p)·g
//! ```
//!
//! and the rate is the smallest with `p·s ≥ margin·g`. The probability is that of a check by at
//! least one honest validator; the margin is what is left for checks that find nobody honest.

use crate::Balance;
use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Permill, Rounding};

/// Fixes the rate of spot checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplingRule {
    /// The expected loss of a cheat over its gain, in percent; at least 100 for cheating never to
    /// pay.
    pub margin_percent: u32,
    /// The rate however large the stake is.
    pub floor: Permill,
}

impl SamplingRule {
    /// The probability with which an answer is checked: the least `p` of whole millionths with
    /// `p · stake ≥ margin · gain`, but no less than the floor and no more than 1.
    ///
    /// `gain` is the price of the answer, `stake` what a conviction would take from the worker's
    /// bond. At a margin of 100 percent or more [`cost_to_cheat`] is not negative at this rate, even
    /// where it is capped at 1.
    pub fn rate(&self, gain: Balance, stake: Balance) -> Permill {
        const ONE: u128 = 1_000_000;
        // percent to millionths
        let margin = Balance::from(self.margin_percent).saturating_mul(10_000);
        let least = match (gain, stake) {
            (0, _) => 0,
            (_, 0) => ONE,
            (gain, stake) => {
                multiply_by_rational_with_rounding(gain, margin, stake, Rounding::Up).unwrap_or(ONE)
            }
        };
        let parts = u32::try_from(least.min(ONE)).unwrap_or(1_000_000);
        Permill::from_parts(parts).max(self.floor)
    }
}

/// What cheating costs on average: the expected loss less the expected gain, negative where
/// cheating pays.
///
/// `rate` is the probability of a check. Both terms are rounded against the chain, so the result
/// is at most the exact value and less than 2 units below it; it saturates at the range of `i128`.
pub fn cost_to_cheat(gain: Balance, stake: Balance, rate: Permill) -> i128 {
    let undetected = Permill::from_parts(1_000_000u32.saturating_sub(rate.deconstruct()));
    let loss = rate.mul_floor(stake);
    let win = undetected.mul_ceil(gain);
    let (sign, magnitude) = if loss >= win {
        (1, loss.saturating_sub(win))
    } else {
        (-1, win.saturating_sub(loss))
    };
    i128::try_from(magnitude)
        .unwrap_or(i128::MAX)
        .saturating_mul(sign)
}
