//! The subsidy: the pools of an epoch, and the rewards of an account.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{from_chain, Balance, BlockNumber};
use noema_protocol::interfaces::PerWork;
use serde::Serialize;
use subxt::ext::scale_decode::DecodeAsType;

from_chain! {
    /// [`PerWork`] on the wire, for amounts of any kind.
    pub struct WirePerWork {
        /// For answers.
        pub inference: u128,
        /// For checks.
        pub check: u128,
        /// For training.
        pub training: u128,
    }
}

impl From<WirePerWork> for PerWork<u128> {
    fn from(values: WirePerWork) -> Self {
        Self {
            inference: values.inference,
            check: values.check,
            training: values.training,
        }
    }
}

impl WirePerWork {
    /// The values as amounts of an account's work.
    pub fn amounts(&self) -> PerWork<u64> {
        let amount = |value| u64::try_from(value).unwrap_or(u64::MAX);
        PerWork {
            inference: amount(self.inference),
            check: amount(self.check),
            training: amount(self.training),
        }
    }
}

from_chain! {
    /// The rewards of an account.
    pub struct PendingReward {
        /// The total that it can claim now.
        pub total: Balance,
        /// The same by epoch, the oldest first.
        pub epochs: Vec<Claimable>,
        /// Its work in the current epoch.
        pub running: WirePerWork,
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
        pub work: WirePerWork,
    }
}

from_chain! {
    /// An epoch that ended.
    pub struct ClosedEpoch {
        /// All work that was done in it.
        pub work: WirePerWork,
        /// The pools that the operators share for it.
        pub pools: WirePerWork,
    }
}
