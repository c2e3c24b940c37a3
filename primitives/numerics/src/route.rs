//! Routing: the experts that a position takes, and the weight of each.
//!
//! Shapes: scores `[batch][n]` in units of 2^-20, one for each expert; output `[batch][2k]`: the indices of k
//! experts, then their weights in units of 2^-24.
//!
//! # Formula
//! The experts are put in order by (score descending, index ascending), and the first k are chosen:
//! ```text
//! e_i = exp2(-round_half_up((l_max - l_i) * log2(e) / 2^4))    units of 2^-30; l_max is the largest score
//! D   = Σ e_i                                  over the chosen experts, if renormalised, and else over all
//! u   = bit length of D - 31                   d = round_half_up(D / 2^u)
//! w_i = round_half_up(⌊e_i * 2^30 / d⌋ / 2^(u + 6))            units of 2^-24
//! ```
//! (log2(e) in units of 2^-30, so the first shift is 30 + 20 - 16 = 34.)
//!
//! # Bounds
//! l_max - l_i < 2^32, times log2(e) below 2^63; the exponent is below 2^29. e_i ≤ 2^30, and that of the first
//! chosen expert is 2^30. At most 512 experts: 2^30 ≤ D ≤ 2^39, so u ≤ 9, 2^30 ≤ d ≤ 2^31 and the quotient is at
//! most 2^30. w_i ≤ 2^24.
//!
//! # Error
//! e_i: relative 2^-17 from rounding its exponent, and 2^-19. w_i: relative 2^-15, and half a unit.

use crate::{
    exp2::{exp2, EXPONENT_FRACTION, LOG2_E_Q30, POWER_FRACTION},
    fixed::round_shift,
};

/// Fraction bits of scores.
pub const SCORE_FRACTION: i32 = 20;
/// Fraction bits of an expert's weight.
pub const WEIGHT_FRACTION: u32 = 24;

/// Routes every row of `count` scores to `chosen` experts.
///
/// # Panics
/// When the shapes do not fit, or there are not as many experts.
pub fn route(scores: &[i32], count: usize, chosen: usize, renormalised: bool, output: &mut [i32]) {
    let rows = scores.chunks_exact(count);
    for (scores, output) in rows.zip(output.chunks_exact_mut(2 * chosen)) {
        route_row(scores, renormalised, output);
    }
}

/// Routes one row of scores to half as many experts as `output` has elements.
///
/// # Panics
/// When there are not as many experts.
pub fn route_row(scores: &[i32], renormalised: bool, output: &mut [i32]) {
    let (experts, weights) = output.split_at_mut(output.len() / 2);
    assert!(experts.len() <= scores.len(), "experts to choose from");
    for slot in 0..experts.len() {
        let (before, rest) = experts.split_at_mut(slot);
        let left = (0..)
            .zip(scores)
            .filter(|(expert, _)| !before.contains(expert));
        // The first of equal ones: only a larger score replaces the best.
        let best = left.reduce(|best, other| if other.1 > best.1 { other } else { best });
        if let (Some((expert, _)), Some(place)) = (best, rest.first_mut()) {
            *place = expert;
        }
    }
    let score = |expert: i32| scores[expert as usize];
    let Some(largest) = experts.first().map(|&expert| score(expert)) else {
        return;
    };
    let sum: u64 = match renormalised {
        true => experts
            .iter()
            .map(|&expert| u64::from(power(largest, score(expert))))
            .sum(),
        false => scores
            .iter()
            .map(|&score| u64::from(power(largest, score)))
            .sum(),
    };
    for (weight, &expert) in weights.iter_mut().zip(&*experts) {
        *weight = self::weight(power(largest, score(expert)), sum);
    }
}

/// `e^(score - largest)` in units of 2^-30, of scores in units of 2^-20.
fn power(largest: i32, score: i32) -> u32 {
    const DROP: u32 = POWER_FRACTION + SCORE_FRACTION as u32 - EXPONENT_FRACTION;
    let below = i64::from(largest) - i64::from(score);
    exp2(-round_shift(below * LOG2_E_Q30, DROP) as i32)
}

/// The share of `power` in `sum`, in units of 2^-24.
fn weight(power: u32, sum: u64) -> i32 {
    let drop = (u64::BITS - sum.leading_zeros()).saturating_sub(POWER_FRACTION + 1);
    let divisor = round_shift(sum as i64, drop);
    let share = (i64::from(power) << POWER_FRACTION) / divisor;
    round_shift(share, drop + POWER_FRACTION - WEIGHT_FRACTION) as i32
}
