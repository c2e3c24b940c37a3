//! Stretching the mean: n updates in different directions have a mean that is √n times shorter than they are,
//! so more trainers would make a round move less. The mean is made as long as the median of the updates, but
//! is stretched at most by the factor that orthogonal updates need.
//!
//! # Formula
//! m is the median of the updates' squared [norms](crate::norm), n that of their mean, rounded to
//! integers, before it is stretched, and w_i are their weights:
//! ```text
//! a = ⌊2^64 ⌊m / 2^b⌋ / ⌊n / 2^b⌋⌋        b: bits of the larger beyond 64
//! c = ⌊2^64 (Σ w_i)² / Σ w_i²⌋            what it is for orthogonal updates that are as long as the median
//! g = max(2^32, ⌊√min(a, c)⌋)             c alone where ⌊n / 2^b⌋ is 0
//! ```
//! One update, or several equal ones, are left unchanged.
//!
//! # Bounds
//! (Σ w)² < 2^64, so 2^64 (Σ w)² fits a u128. By Cauchy's inequality c ≤ 2^64 · 1,024, so g ≤ 2^37.

use crate::{norm, MAX_UPDATES};

/// The factor that multiplies the mean, in units of 2^-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch(u64);

// The bound g ≤ 2^37 depends on this.
const _: () = assert!(MAX_UPDATES <= 1 << 10);

impl Stretch {
    /// Leaves the mean unchanged.
    pub const ONE: Self = Self(1 << 32);
    /// The largest that any weights allow, and a little more.
    const MAX: Self = Self(1 << 37);

    /// The factor of these units; `None` if no weights allow it.
    pub fn from_units(units: u64) -> Option<Self> {
        (Self::ONE.0..=Self::MAX.0)
            .contains(&units)
            .then_some(Self(units))
    }

    /// Its units of 2^-32.
    pub const fn units(self) -> u64 {
        self.0
    }

    /// The largest factor that the weights allow.
    pub fn most(weights: impl Iterator<Item = u32>) -> Self {
        let (mut total, mut squares) = (0u128, 0u128);
        for weight in weights {
            let weight = u128::from(weight);
            total += weight;
            squares += weight * weight;
        }
        let square = ((total * total) << 64).checked_div(squares);
        Self::root(square.unwrap_or(0))
    }

    /// The factor that stretches a mean of squared norm `n` to `m`, at most `self`.
    pub fn from(self, n: u128, m: u128) -> Self {
        match norm::ratio(m, n) {
            None => self,
            Some(square) => Self(Self::root(square).0.min(self.0)),
        }
    }

    /// `sum / weight` stretched, to nearest with halves away from zero, within an i32; 0 for weight 0.
    pub fn mean(self, sum: i64, weight: u32) -> i32 {
        let numerator = u128::from(sum.unsigned_abs()) * u128::from(self.0);
        let denominator = u128::from(weight) << 32;
        let doubled = (2 * numerator + denominator).checked_div(2 * denominator);
        let magnitude = i32::try_from(doubled.unwrap_or(0)).unwrap_or(i32::MAX);
        if sum < 0 {
            -magnitude
        } else {
            magnitude
        }
    }

    /// The root of `square`, which is in units of 2^-64, and at least 1.
    fn root(square: u128) -> Self {
        Self(u64::try_from(square.isqrt()).map_or(u64::MAX, |root| root.max(Self::ONE.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn halves_go_away_from_zero_and_what_is_beyond_an_i32_stays_at_its_end() {
        let means = [(3, 2), (-3, 2), (5, 3), (-1, 4), (0, 7), (9, 0)];
        let means = means.map(|(sum, weight)| Stretch::ONE.mean(sum, weight));
        assert_eq!(means, [2, -2, 2, 0, 0, 0]);
        let twice = Stretch::most([1; 4].into_iter());
        assert_eq!(twice.mean(-7, 4), -4);
        assert_eq!(twice.mean(i64::from(i32::MAX), 1), i32::MAX);
        assert_eq!(twice.mean(i64::MIN + 1, 1), -i32::MAX);
    }

    proptest! {
        #[test]
        fn the_mean_gets_the_norm_of_the_median_as_far_as_weights_allow(
            n in 0u128..1 << 106,
            m in 0u128..1 << 106,
            weights in vec(1u32..1 << 16, 1..MAX_UPDATES),
        ) {
            let total: f64 = weights.iter().copied().map(f64::from).sum();
            let squares: f64 = weights.iter().map(|&weight| f64::from(weight).powi(2)).sum();
            let most = total / squares.sqrt();
            let expected = (m as f64 / n as f64).sqrt().min(most).max(1.0);
            let stretch = Stretch::most(weights.into_iter()).from(n, m);
            let found = stretch.0 as f64 / 4_294_967_296.0;
            // 0 / 0 is undefined; a mean of zero moves nothing.
            prop_assert!(m == 0 || (found - expected).abs() < 1e-8 * expected, "{} {}", found, expected);
            prop_assert!(stretch.0 <= 1 << 37);
        }

        #[test]
        fn one_update_is_left_as_it_is(n in 0u128..1 << 106, m in 0u128..1 << 106, weight in 1u32..) {
            prop_assert_eq!(Stretch::most([weight].into_iter()).from(n, m), Stretch::ONE);
        }
    }
}
