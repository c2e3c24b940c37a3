//! The loss of a text: how many bits a model needs for it, in integers.
//!
//! # Formula
//! Of target `t` under logits `l` in units of 2^-16, with `l_max` the largest:
//! ```text
//! z_j  = ⌊(l_max - l_j) * log2(e) / 2^30⌋        units of 2^-16, log2(e) in units of 2^-30
//! W    = Σ_j exp2(-z_j)                          exact; units of 2^-30
//! loss = z_t + log2(W) - 30 * 2^16               units of 2^-16 bit
//! ```
//! The weights are those with which [`crate::sampling`] draws at temperature 1, so the loss is
//! `-log2` of the probability of the token there. A token too unlikely to be drawn still has a loss.
//!
//! The loss of a sequence is the sum over its tokens but the first, each under the logits of the
//! position before it.
//!
//! # Bounds
//! `l_max` has weight 2^30 and there are at most 2^20 tokens: 2^30 ≤ W ≤ 2^50, so the logarithm adds
//! 0 to 20 bits. z < 2^32.6; a loss is below 2^33, that of 2^17 tokens below 2^50.
//!
//! # Error
//! With V tokens, at most 2 + V / 22,700 units of 2^-16 bit over the real-valued cross-entropy of
//! the same logits: rounding of `z` less than one unit either way (it falls for the target and
//! rises in the sum), interpolation of `exp2` 0.2, the logarithm half a unit and 2^-13, and half a
//! unit of 2^-30 for each weight. For V = 49,152 that is 4.2 units, 0.00007 bits.

use crate::exp2::{exp2, LOG2_E_Q30, POWER_FRACTION};

/// Fraction bits of a logarithm and of a loss.
pub const LOSS_FRACTION: u32 = 16;

/// `log2(x)` in units of 2^-16, for x of at least 1; 0 counts as 1.
///
/// # Formula
/// With `m` the highest 32 bits of x as a number in `1..2`, 17 times: `m = m²`; if m ≥ 2 the next
/// bit of the fraction is one and `m = m / 2`, else it is zero. Both are cut to 31 fraction bits.
/// The 17 bits are rounded to 16 with halves up.
///
/// # Error
/// Half a unit and, from cutting, 2^-13 units.
pub const fn log2(x: u64) -> u32 {
    let x = if x == 0 { 1 } else { x };
    let whole = x.ilog2();
    // In units of 2^-31.
    let mut m = (x << x.leading_zeros()) >> 32;
    let mut fraction = 0;
    let mut bit = 0;
    while bit <= LOSS_FRACTION {
        let square = (m * m) >> 31;
        let carry = square >> 32;
        m = square >> carry;
        fraction = fraction << 1 | carry as u32;
        bit += 1;
    }
    (whole << LOSS_FRACTION) + fraction.div_ceil(2)
}

/// The loss of token `target` under `logits`, in units of 2^-16 bit; `None` if there is no such
/// token.
pub fn loss(logits: &[i32], target: u32) -> Option<u64> {
    let own = *logits.get(usize::try_from(target).ok()?)?;
    let largest = logits.iter().fold(i32::MIN, |largest, &l| largest.max(l));
    let sum = weights(largest, logits);
    Some(of_sum(octaves_below(largest, own), sum))
}

/// `W` over some of the logits: that of all is the sum of its parts.
pub fn weights(largest: i32, logits: &[i32]) -> u64 {
    let weights = logits.iter().map(|&logit| {
        let octaves = octaves_below(largest, logit);
        i32::try_from(octaves).map_or(0, |octaves| u64::from(exp2(-octaves)))
    });
    weights.sum()
}

/// The loss of a target that is `octaves` [below](octaves_below) the largest logit, from `W`.
pub const fn of_sum(octaves: u64, sum: u64) -> u64 {
    // W is at least 2^30, so its logarithm at least 30.
    let above = log2(sum).saturating_sub(POWER_FRACTION << LOSS_FRACTION);
    octaves.saturating_add(above as u64)
}

/// `z`: how far `logit` is below `largest`, as a base-two exponent in units of 2^-16.
pub fn octaves_below(largest: i32, logit: i32) -> u64 {
    let below = (i64::from(largest) - i64::from(logit)).unsigned_abs();
    (below * LOG2_E_Q30.unsigned_abs()) >> 30
}

/// The loss of some tokens together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Loss {
    /// Sum of their losses, in units of 2^-16 bit.
    pub sum: u64,
    /// The number of tokens.
    pub tokens: u32,
}

impl Loss {
    /// Adds the loss of `targets`, each under its row of row-major `logits`, `[targets][V]`, as a pass over
    /// the positions before them returns them.
    ///
    /// Returns `None`, and adds nothing, unless there is one row for each target, and each target
    /// has a logit.
    pub fn add(&mut self, targets: &[u32], logits: &[i32]) -> Option<()> {
        if targets.is_empty() {
            return logits.is_empty().then_some(());
        }
        let vocabulary = logits.len() / targets.len();
        if vocabulary == 0 || vocabulary * targets.len() != logits.len() {
            return None;
        }
        let rows = logits.chunks_exact(vocabulary);
        let mut sum = self.sum;
        for (logits, &target) in rows.zip(targets) {
            sum = sum.checked_add(loss(logits, target)?)?;
        }
        let tokens = u32::try_from(targets.len()).ok()?;
        self.tokens = self.tokens.checked_add(tokens)?;
        self.sum = sum;
        Some(())
    }
}
