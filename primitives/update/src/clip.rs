//! Norm clipping: no update moves a checkpoint further than the median of those it is averaged with.
//! Without it, an update that is larger than the others would be most of the mean.
//!
//! # Formula
//! `d` are the changes of an update and n is its squared [`norm`]:
//! ```text
//! m  = the median of all n above 0, the lower of two
//! f  = ⌊√⌊2^64 ⌊m / 2^b⌋ / ⌊n / 2^b⌋⌋⌋          where n > m; b: bits of n beyond 64
//!      2^32                                     otherwise
//! d' = sign(d) ⌊(|d| f + 2^31) / 2^32⌋
//! ```
//! (Sun et al., "Can You Really Backdoor Federated Learning?", arXiv 1911.07963, with the median for
//! the bound.)
//!
//! # Bounds
//! f ≤ 2^32 and |d| < 2^31, so |d| f + 2^31 < 2^64.

use crate::{
    error::ApplyError,
    norm::{self, Scale},
    update::Update,
};
use alloc::vec::Vec;

/// The factor that multiplies each change of an update, in units of 2^-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor(u64);

impl Factor {
    const ONE: Self = Self(1 << 32);

    /// The factor of these units; `None` if it is above 1.
    pub fn from_units(units: u64) -> Option<Self> {
        (units <= Self::ONE.0).then_some(Self(units))
    }

    /// Its units of 2^-32.
    pub const fn units(self) -> u64 {
        self.0
    }

    /// The factor that reduces a squared norm of `n` to `m`.
    pub fn new(n: u128, m: u128) -> Self {
        if n <= m {
            return Self::ONE;
        }
        // m < n, so the root is at most 2^32.
        Self(norm::ratio(m, n).unwrap_or(0).isqrt() as u64)
    }

    /// `value` under this factor, to nearest with halves away from zero.
    pub fn of(self, value: i32) -> i32 {
        if self == Self::ONE {
            return value;
        }
        let magnitude = (u64::from(value.unsigned_abs()) * self.0 + (1 << 31)) >> 32;
        // At most |value|.
        if value < 0 {
            -(magnitude as i32)
        } else {
            magnitude as i32
        }
    }
}

/// The limit on how far updates move a checkpoint.
#[derive(Clone, Debug)]
pub(crate) struct Clip {
    /// m
    pub(crate) median: u128,
    /// f of each update.
    pub(crate) factors: Vec<Factor>,
}

impl Clip {
    /// The clipping of `updates`, which are read to their end.
    ///
    /// # Errors
    /// [`ApplyError::Decode`] if an update is malformed.
    pub(crate) fn of(updates: &[(Update<'_>, u32)], scale: &Scale<'_>) -> Result<Self, ApplyError> {
        let mut norms = Vec::with_capacity(updates.len());
        for (index, (update, _)) in updates.iter().enumerate() {
            let mut reader = update.reader();
            let mut norm = 0;
            while let Some(chunk) = reader.next().map_err(|error| ApplyError::Decode {
                update: index,
                error,
            })? {
                let values = chunk.entries.iter().map(|entry| entry.value);
                norm += scale.squared_norm(chunk.place.tensor, values);
            }
            norms.push(norm);
        }
        let median = median(&norms);
        Ok(Self {
            median,
            factors: norms.iter().map(|n| Factor::new(*n, median)).collect(),
        })
    }
}

/// The median of the norms above 0, the lower of two middle ones; 0 of none.
pub fn median(norms: &[u128]) -> u128 {
    let mut norms: Vec<u128> = norms.iter().copied().filter(|norm| *norm > 0).collect();
    norms.sort_unstable();
    let middle = norms.len().saturating_sub(1) / 2;
    norms.get(middle).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_median_is_the_lower_of_two() {
        for (norms, expected) in [
            (vec![], 0),
            (vec![7], 7),
            (vec![9, 4], 4),
            (vec![9, 1, 4], 4),
            (vec![9, 1, 4, 16], 4),
            (vec![0, 9, 0, 7, 0], 7),
        ] {
            assert_eq!(median(&norms), expected);
        }
    }

    #[test]
    fn values_are_rounded_to_nearest_and_halves_away_from_zero() {
        let half = Factor::new(4, 1);
        assert_eq!([3, -3, 4, -4, 1].map(|v| half.of(v)), [2, -2, 2, -2, 1]);
        let thousandth = Factor::new(1_000_000, 1);
        assert_eq!([1_000, -7_400, 499].map(|v| thousandth.of(v)), [1, -7, 0]);
        assert_eq!(Factor::new(5, 5).of(i32::MIN + 1), i32::MIN + 1);
    }

    proptest! {
        #[test]
        fn what_is_clipped_has_the_norm_of_the_median(n in 1u128..1 << 106, m in 0u128..1 << 106) {
            let factor = Factor::new(n, m);
            if n <= m {
                prop_assert_eq!(factor, Factor::ONE);
            } else {
                let expected = (m as f64 / n as f64).sqrt();
                let found = factor.0 as f64 / 4_294_967_296.0;
                prop_assert!((found - expected).abs() < 1e-9, "{} {}", found, expected);
            }
        }

        #[test]
        fn nothing_grows_or_changes_sign(n in 1u128..1 << 106, m: u64, value in -i32::MAX..=i32::MAX) {
            let clipped = Factor::new(n, u128::from(m)).of(value);
            prop_assert!(clipped.unsigned_abs() <= value.unsigned_abs());
            prop_assert!(i64::from(clipped) * i64::from(value) >= 0);
        }
    }
}
