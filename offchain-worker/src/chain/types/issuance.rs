//! The subsidy: what an epoch has, and what an account is due of it.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{from_chain, Balance, BlockNumber};
use noema_protocol::interfaces::PerWork;
use serde::Serialize;
use subxt::ext::scale_decode::DecodeAsType;

from_chain! {
    /// [`PerWork`] on the wire, whatever its numbers count.
    pub struct WirePerWork {
        /// Of answers.
        pub inference: u128,
        /// Of checks.
        pub check: u128,
        /// Of training.
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
    /// The values as the chain counts an account's work.
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
    /// What an account is due.
    pub struct PendingReward {
        /// Everything that it can claim now.
        pub total: Balance,
        /// That, epoch by epoch, the oldest first.
        pub epochs: Vec<Claimable>,
        /// What it did in the epoch that runs.
        pub running: WirePerWork,
    }
}

impl PendingReward {
    /// The epochs of which a claim pays something: work may be worth less than one unit.
    pub fn due(self) -> Vec<Claimable> {
        let mut epochs = self.epochs;
        epochs.retain(|claimable| claimable.reward > 0);
        epochs
    }
}

from_chain! {
    /// What an account can claim of one epoch.
    pub struct Claimable {
        /// The epoch.
        pub epoch: u32,
        /// What the account is due.
        pub reward: Balance,
        /// The last block in which it can be claimed.
        pub claimable_to: BlockNumber,
    }
}

from_chain! {
    /// What an epoch can issue.
    pub struct ScheduledEpoch {
        /// Its last block.
        pub ends_at: BlockNumber,
        /// Its subsidy.
        pub subsidy: Balance,
    }
}

from_chain! {
    /// The epoch that runs.
    pub struct RunningEpoch {
        /// Its number.
        pub number: u32,
        /// What it can issue.
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
        /// What those who did it share.
        pub pools: WirePerWork,
    }
}
