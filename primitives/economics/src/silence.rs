//! The slash for silence.

use crate::Balance;
use sp_arithmetic::Permill;

/// The slash for silence: `fraction` of `bond`, rounded up, at most `cap`.
///
/// All of it is burned, so no account profits from another's silence.
pub fn slash_for_silence(bond: Balance, fraction: Permill, cap: Balance) -> Balance {
    fraction.mul_ceil(bond).min(bond).min(cap)
}
