//! What silence costs.

use crate::Balance;
use sp_arithmetic::Permill;

/// What staying silent costs: `fraction` of `bond`, rounded up, at most `cap`.
///
/// All of it burns: nobody may profit from another's silence.
pub fn silence_penalty(bond: Balance, fraction: Permill, cap: Balance) -> Balance {
    fraction.mul_ceil(bond).min(bond).min(cap)
}
