//! Requests and answers.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{as_text, from_chain, Balance, BlockNumber};
use noema_claims::{ClaimStage, Verification};
use noema_protocol::{CheckpointId, ClaimId, Prices, Receipt, RequestId, SamplingParameters};
use serde::Serialize;
use sp_core::H256;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;

from_chain! {
    /// The phase of a request.
    pub enum RequestPhase {
        /// It waits for a worker, in the queue of its checkpoint.
        Waiting,
        /// A worker computes the answer.
        Answering {
            /// The last block in which the answer is accepted.
            deadline: BlockNumber,
        },
        /// It is answered, and the answer is a claim.
        Claimed {
            /// The claim.
            claim: ClaimId,
        },
        /// It is over: the answer is final and paid.
        Settled {
            /// The claim.
            claim: ClaimId,
            /// The result of the checks of the claim.
            verification: Verification,
        },
        /// It is over: the price limit was refunded.
        Refunded {
            /// The reason.
            reason: RefundReason,
        },
    }
}

from_chain! {
    /// The reason for a refund.
    pub enum RefundReason {
        /// The requester cancelled the request.
        Cancelled,
        /// No worker could be drawn at this price.
        NoWorker,
        /// Workers missed their deadlines as often as a request allows.
        NoAnswer,
        /// The checkpoint was withdrawn.
        CheckpointWithdrawn,
        /// The claim fell: the answer is false, or its dispute could not be decided.
        FalseAnswer,
        /// The answer was drawn for a check, and no validator confirmed it.
        Unconfirmed,
    }
}

impl RefundReason {
    /// The reason as text.
    pub const fn describe(&self) -> &'static str {
        match self {
            Self::Cancelled => "it was cancelled before a worker was drawn",
            Self::NoWorker => "no worker for this checkpoint was available at this price",
            Self::NoAnswer => "as many workers as may try let their deadlines pass",
            Self::CheckpointWithdrawn => "the checkpoint was withdrawn",
            Self::FalseAnswer => "the answer lost a dispute, or its dispute could not be decided",
            Self::Unconfirmed => "the answer was drawn for a check, and no validator confirmed it",
        }
    }
}

from_chain! {
    /// A worker's part in a request.
    pub struct Assignment {
        /// The worker's controller.
        pub worker: AccountId32,
        /// Its prices when it was drawn.
        pub prices: Prices<Balance>,
        /// The price of the longest answer.
        pub answer_max: Balance,
        /// The amount set aside for checks.
        pub check_fee: Balance,
        /// The part of its bond that is locked.
        pub stake: Balance,
        /// The sampling seed.
        pub seed: H256,
        /// The block in which it was drawn.
        pub assigned_at: BlockNumber,
        /// The last block in which the answer is accepted.
        pub deadline: BlockNumber,
    }
}

from_chain! {
    /// The payments from the price limit of a request so far.
    pub struct Payments {
        /// The amount paid to the worker.
        pub worker: Balance,
        /// The amount paid to all validators together.
        pub validators: Balance,
        /// The amount burned.
        pub burned: Balance,
        /// The amount refunded to the requester.
        pub refunded: Balance,
    }
}

from_chain! {
    /// The state of a request.
    pub struct RequestState {
        /// The requester.
        pub requester: AccountId32,
        /// The requested checkpoint.
        pub checkpoint: CheckpointId,
        /// The prompt, UTF-8; empty once it is removed.
        #[serde(serialize_with = "as_text")]
        pub prompt: Vec<u8>,
        /// The sampling parameters.
        pub parameters: SamplingParameters,
        /// The most that the requester pays to worker and validators.
        pub price_limit: Balance,
        /// The amount that was burned for storage.
        pub storage_burned: Balance,
        /// The block of the request.
        pub requested_at: BlockNumber,
        /// The first block in which it may be refunded because no worker is available.
        pub expires_at: BlockNumber,
        /// Its phase.
        pub phase: RequestPhase,
        /// The number of requests before it in the queue, if it waits in one.
        pub position: Option<u32>,
        /// The number of workers that missed their deadlines.
        pub attempts: u32,
        /// The worker that was drawn for it or answered it.
        pub assignment: Option<Assignment>,
        /// The answer's text, UTF-8; empty before there is one, and once it is removed.
        #[serde(serialize_with = "as_text")]
        pub text: Vec<u8>,
        /// The answer's tokens; empty whenever the text is.
        pub tokens: Vec<u32>,
        /// The answer's receipt.
        pub receipt: Option<Receipt>,
        /// The price of the answer, before a part is burned.
        pub payment: Option<Balance>,
        /// The block of the answer.
        pub answered_at: Option<BlockNumber>,
        /// The claim of the answer.
        pub claim: Option<ClaimId>,
        /// The stage of the claim, while its record is kept.
        pub claim_stage: Option<ClaimStage<BlockNumber>>,
        /// The payments so far.
        pub payments: Payments,
        /// The block in which it ended.
        pub ended_at: Option<BlockNumber>,
    }
}

from_chain! {
    /// A request that an operator has to answer.
    pub struct OpenAnswer {
        /// The request.
        pub request: RequestId,
        /// The checkpoint to execute.
        pub checkpoint: CheckpointId,
        /// The last block in which the answer is accepted.
        pub deadline: BlockNumber,
    }
}
