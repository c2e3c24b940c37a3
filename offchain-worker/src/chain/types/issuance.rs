//! The subsidy: the pools of an epoch, and the rewards of an account.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{from_chain, Balance, BlockNumber};
use noema_protocol::PerWork;
use serde::Serialize;
use subxt::ext::scale_decode::DecodeAsType;

from_chain! {
    /// The rewards of an account.
    pub struct PendingReward {
        /// The total that it can claim now.
        pub total: Balance,
        /// The same by epoch, the oldest first.
        pub epochs: Vec<Claimable>,
        /// Its work in the current epoch.
        pub running: PerWork<u64>,
    }
}

impl PendingReward {
    /// The epochs with a reward above zero: that of little work may be rounded to zero.
    pub fn due(self) -> Vec<Claimable> {
        let mut epochs = self.epochs;
        epochs.retain(|claimable| claimable.reward > 0);
        epochs
    }
}

from_chain! {
    /// The reward that an account can claim for one epoch.
    pub struct Claimable {
        /// The epoch.
        pub epoch: u32,
        /// The reward.
        pub reward: Balance,
        /// The last block in which it can be claimed.
        pub claimable_to: BlockNumber,
    }
}

from_chain! {
    /// The end and the subsidy of an epoch.
    pub struct ScheduledEpoch {
        /// Its last block.
        pub ends_at: BlockNumber,
        /// Its subsidy.
        pub subsidy: Balance,
    }
}

from_chain! {
    /// The current epoch.
    pub struct RunningEpoch {
        /// Its number.
        pub number: u32,
        /// Its end and its subsidy.
        pub scheduled: ScheduledEpoch,
        /// All work that was done in it so far.
        pub work: PerWork<u128>,
    }
}

from_chain! {
    /// An epoch that ended.
    pub struct ClosedEpoch {
        /// All work that was done in it.
        pub work: PerWork<u128>,
        /// The pools that the operators share for it.
        pub pools: PerWork<Balance>,
    }
}
