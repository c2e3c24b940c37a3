//! Sessions.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{from_chain, Balance, BlockNumber};
use noema_protocol::{CheckpointId, ClaimId, Job};
use noema_sessions::{SessionPrices, Stage};
use serde::Serialize;
use sp_core::H256;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;

from_chain! {
    /// A session, with its claims that have not ended.
    pub struct SessionInfo {
        /// Its record.
        pub session: SessionRecord,
        /// The hash of its terms; `None` before it has a worker and a seed.
        pub terms: Option<H256>,
        /// The part of its hold that no claim took.
        pub left: Balance,
        /// Its claims that have not ended, by their number in the session.
        pub open_claims: Vec<(u32, OpenClaim)>,
    }
}

from_chain! {
    /// A session.
    pub struct SessionRecord {
        /// The account that pays.
        pub payer: AccountId32,
        /// The controller of the worker; `None` until one is drawn.
        pub worker: Option<AccountId32>,
        /// The checkpoint that answers.
        pub checkpoint: CheckpointId,
        /// Its money, what was claimed of it, and its stage.
        pub account: SessionAccount,
    }
}

from_chain! {
    /// The money of a session, what was claimed of it, and its stage.
    pub struct SessionAccount {
        /// The amount that the payer put on hold, top-ups included.
        pub held: Balance,
        /// The amount that claims took.
        pub spent: Balance,
        /// How many answers are claimed.
        pub count: u32,
        /// The price of these.
        pub amount: Balance,
        /// How many claims were made.
        pub claims: u32,
        /// The stage.
        pub stage: Stage<BlockNumber>,
    }
}

from_chain! {
    /// A claim of a session that has not ended.
    pub struct OpenClaim {
        /// The claim.
        pub claim: ClaimId,
        /// The number of the answer that is its first leaf.
        pub first: u32,
        /// The number of its leaves.
        pub leaves: u32,
    }
}

from_chain! {
    /// A worker with which a session can be opened.
    pub struct SessionOffer {
        /// The controller of the worker.
        pub worker: AccountId32,
        /// The prices of a session.
        pub prices: SessionPrices,
        /// The largest claim for which its free bond suffices.
        pub most_claimable: Balance,
    }
}

from_chain! {
    /// A leaf that a claimant has to post.
    pub struct DemandDue {
        /// The claim.
        pub claim: ClaimId,
        /// The leaf.
        pub leaf: u32,
        /// The job that was claimed.
        pub job: Job,
        /// The last block in which a post is accepted.
        pub until: BlockNumber,
    }
}
