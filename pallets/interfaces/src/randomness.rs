//! The randomness that draws use.

use noema_claims::{Beacon, RelayBlock};
use sp_core::H256;

/// Randomness of the current block that was unpredictable when the previous block was built.
pub trait BlockRandomness {
    /// The number of the relay chain block on which this block is built.
    fn relay_block() -> u32;

    /// 32 bytes bound to `subject`; `None` where this block carries no randomness, in which case no draw may
    /// be made.
    fn random(subject: &[u8]) -> Option<H256>;
}

/// The randomness of the relay chain, for draws that wait for fresh values.
pub trait RelayRandomness {
    /// The relay chain block on which the present block is built.
    fn relay_block() -> RelayBlock;

    /// The latest values of the relay chain's randomness.
    fn beacon() -> Beacon;
}
