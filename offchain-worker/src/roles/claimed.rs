//! The claims of an operator for its rewards.

use std::collections::BTreeMap;

/// The claims since the current epoch began.
#[derive(Default)]
pub(super) struct Claims {
    /// The block from which there may be a reward to claim.
    pub(super) look_at: u64,
    /// The epochs that were claimed, with their rewards.
    pub(super) claimed: BTreeMap<u32, u128>,
}
