//! The expected cost of cheating.
//!
//! A worker that invents an answer instead of computing it wins at most the price of the answer, the
//! *gain* `g`. With probability `p` the answer is checked, and then it loses the *stake* `s` and is not
//! paid; an undetected cheat keeps `g`. So
//!
//! ```text
//! cost to cheat = p·s − (1 − p)·g
//! ```
//!
//! `noema-claims` decides how often answers are checked, so that this is not negative.

use crate::Balance;
use sp_arithmetic::Permill;

/// The expected cost of cheating: the expected loss less the expected gain, negative where cheating pays.
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
