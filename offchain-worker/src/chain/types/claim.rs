//! Claims, their checks and disputes.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{from_chain, Balance, BlockNumber};
use noema_claims::{ClaimStage, SeatState};
use noema_protocol::{CheckpointId, ClaimId, Job};
use serde::Serialize;
use sp_core::H256;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;

from_chain! {
    /// The step that the chain expects of a validator or a juror.
    pub enum DueStep {
        /// The commitment.
        Commit,
        /// The reveal.
        Reveal,
    }
}

from_chain! {
    /// A check in which a step of an operator is due.
    pub struct CheckDue {
        /// The claim.
        pub claim: ClaimId,
        /// The leaf.
        pub leaf: u32,
        /// The job that was claimed.
        pub job: Job,
        /// The checkpoint to execute.
        pub checkpoint: CheckpointId,
        /// The step that is due.
        pub step: DueStep,
        /// The last block in which it is accepted.
        pub until: BlockNumber,
        /// Determines the position in the answer whose hidden state has to be shown.
        pub point: u64,
    }
}

from_chain! {
    /// A dispute in which a step of an operator is due.
    pub struct VerdictDue {
        /// The claim.
        pub claim: ClaimId,
        /// The leaf.
        pub leaf: u32,
        /// The checkpoint to execute.
        pub checkpoint: CheckpointId,
        /// The step that is due.
        pub step: DueStep,
        /// The last block in which it is accepted.
        pub until: BlockNumber,
    }
}

from_chain! {
    /// A claim, with its job and its disputes.
    pub struct ClaimInfo {
        /// The claim.
        pub claim: ClaimRecord,
        /// The job that was claimed.
        pub job: Job,
        /// The open disputes: the leaf of each, and its challengers.
        pub disputes: Vec<(u32, Vec<AccountId32>)>,
    }
}

from_chain! {
    /// A claim.
    pub struct ClaimRecord {
        /// Its terms.
        pub terms: ClaimTerms,
        /// The block of the claim.
        pub made_at: BlockNumber,
        /// Its stage.
        pub stage: ClaimStage<BlockNumber>,
        /// The leaves that were drawn for a check.
        pub drawn: Vec<u32>,
        /// The number of draws of validators.
        pub draws: u32,
        /// The validators that were drawn.
        pub seats: Vec<Seat>,
        /// The leaves that the claimant has to post, or has posted.
        pub demands: Vec<Demand>,
    }
}

from_chain! {
    /// A leaf that the claimant has to post, or has posted.
    pub struct Demand {
        /// The leaf.
        pub leaf: u32,
        /// The last block in which it may be posted.
        pub until: BlockNumber,
        /// Whether it is posted.
        pub is_posted: bool,
    }
}

from_chain! {
    /// The terms of a claim, fixed when it was made.
    pub struct ClaimTerms {
        /// The operator that makes the claim.
        pub claimant: AccountId32,
        /// The account that pays.
        pub payer: AccountId32,
        /// The Merkle root over the hashes of the receipts.
        pub root: H256,
        /// The number of receipts.
        pub leaves: u32,
        /// The claimant's payment when the claim is final, before a part is burned.
        pub payment: Balance,
        /// The amount set aside for checks.
        pub check_fee: Balance,
        /// The part of the claimant's bond that is locked.
        pub stake: Balance,
    }
}

from_chain! {
    /// A validator that was drawn for a leaf.
    pub struct Seat {
        /// The validator's controller.
        pub validator: AccountId32,
        /// The leaf.
        pub leaf: u32,
        /// Its state.
        pub state: SeatState,
    }
}
