//! Requests, answers and checks.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{as_text, both_ways, from_chain, Balance, BlockNumber, WirePrices};
use noema_protocol::{CheckpointId, Receipt, RequestId, SamplingParameters};
use serde::Serialize;
use sp_core::H256;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsType;

both_ways! {
    /// [`SamplingParameters`] on the wire.
    pub struct Parameters {
        /// Most tokens of the answer.
        pub max_tokens: u16,
        /// Temperature in thousandths.
        pub temperature_milli: u16,
        /// Number of most likely tokens to draw from.
        pub top_k: u16,
        /// Probability mass to draw from, in thousandths.
        pub top_p_milli: u16,
    }
}

impl From<SamplingParameters> for Parameters {
    fn from(parameters: SamplingParameters) -> Self {
        Self {
            max_tokens: parameters.max_tokens,
            temperature_milli: parameters.temperature_milli,
            top_k: parameters.top_k,
            top_p_milli: parameters.top_p_milli,
        }
    }
}

impl From<Parameters> for SamplingParameters {
    fn from(parameters: Parameters) -> Self {
        Self {
            max_tokens: parameters.max_tokens,
            temperature_milli: parameters.temperature_milli,
            top_k: parameters.top_k,
            top_p_milli: parameters.top_p_milli,
        }
    }
}

both_ways! {
    /// [`Receipt`] on the wire.
    pub struct WireReceipt {
        /// The request that is answered.
        pub request: u64,
        /// The checkpoint that answered.
        pub checkpoint: H256,
        /// Hash of the prompt.
        pub prompt_hash: H256,
        /// The parameters as requested.
        pub parameters: Parameters,
        /// The sampling seed.
        pub seed: H256,
        /// Hash of tokens and text.
        pub output_hash: H256,
        /// Tokens of the prompt.
        pub prompt_tokens: u32,
        /// Tokens of the answer.
        pub output_tokens: u32,
        /// Commitment to the trace digest.
        pub trace_commitment: H256,
    }
}

impl From<Receipt> for WireReceipt {
    fn from(receipt: Receipt) -> Self {
        Self {
            request: receipt.request.0,
            checkpoint: receipt.checkpoint.0,
            prompt_hash: receipt.prompt_hash,
            parameters: receipt.parameters.into(),
            seed: receipt.seed,
            output_hash: receipt.output_hash,
            prompt_tokens: receipt.prompt_tokens,
            output_tokens: receipt.output_tokens,
            trace_commitment: receipt.trace_commitment,
        }
    }
}

impl From<WireReceipt> for Receipt {
    fn from(receipt: WireReceipt) -> Self {
        Self {
            request: RequestId(receipt.request),
            checkpoint: CheckpointId(receipt.checkpoint),
            prompt_hash: receipt.prompt_hash,
            parameters: receipt.parameters.into(),
            seed: receipt.seed,
            output_hash: receipt.output_hash,
            prompt_tokens: receipt.prompt_tokens,
            output_tokens: receipt.output_tokens,
            trace_commitment: receipt.trace_commitment,
        }
    }
}

both_ways! {
    /// What a validator says of an answer.
    pub enum WireVerdict {
        /// Everything is what the checkpoint yields.
        Valid,
        /// Something is not.
        Invalid,
    }
}

impl From<noema_protocol::Verdict> for WireVerdict {
    fn from(verdict: noema_protocol::Verdict) -> Self {
        match verdict {
            noema_protocol::Verdict::Valid => Self::Valid,
            noema_protocol::Verdict::Invalid => Self::Invalid,
        }
    }
}

from_chain! {
    /// Where a request stands.
    pub enum Phase {
        /// No worker has it.
        Waiting,
        /// A worker computes the answer.
        Answering {
            /// The last block in which the answer is accepted.
            deadline: BlockNumber,
        },
        /// The answer is recorded.
        Answered {
            /// The block by which it is decided whether it is checked.
            draw_by: BlockNumber,
        },
        /// Validators re-execute the answer.
        Checking,
        /// Any validator may object.
        Objectable {
            /// The last block in which that is possible.
            deadline: BlockNumber,
        },
        /// The answer was contradicted.
        Disputed {
            /// The block in which an undecided dispute is closed.
            deadline: BlockNumber,
        },
        /// Final: the worker was paid.
        Settled,
        /// Final: the requester got everything back.
        Refunded {
            /// Why.
            reason: RefundReason,
        },
    }
}

from_chain! {
    /// Why a requester got the whole escrow back.
    pub enum RefundReason {
        /// The requester cancelled.
        Cancelled,
        /// No worker was there at this price.
        NoWorker,
        /// Too many workers let their deadlines pass.
        NoAnswer,
        /// The checkpoint was withdrawn.
        CheckpointWithdrawn,
        /// No validator gave a verdict in time.
        NoVerdict,
        /// The answer lost a dispute.
        FalseAnswer,
        /// A dispute could not be decided.
        Inconclusive,
    }
}

impl RefundReason {
    /// The reason in words.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Cancelled => "it was cancelled before a worker had it",
            Self::NoWorker => "no worker was there for this checkpoint at this price",
            Self::NoAnswer => "as many workers as may try let their deadlines pass",
            Self::CheckpointWithdrawn => "the checkpoint was withdrawn",
            Self::NoVerdict => "no validator gave a verdict in time",
            Self::FalseAnswer => "the answer lost a dispute",
            Self::Inconclusive => "a dispute about the answer could not be decided",
        }
    }
}

from_chain! {
    /// A worker's turn at a request.
    pub struct Assignment {
        /// The worker's controller.
        pub worker: AccountId32,
        /// Its prices when it was drawn.
        pub prices: WirePrices,
        /// The price of the longest answer.
        pub answer_max: Balance,
        /// Set aside for a check.
        pub check_fee: Balance,
        /// The sampling seed.
        pub seed: H256,
        /// The last block in which the answer is accepted.
        pub deadline: BlockNumber,
    }
}

from_chain! {
    /// A payment out of an escrow.
    pub struct Payment {
        /// Who was paid.
        pub to: AccountId32,
        /// How much.
        pub amount: Balance,
    }
}

from_chain! {
    /// What a validator said of an answer.
    pub struct Opinion {
        /// The verdict.
        pub verdict: WireVerdict,
        /// The digest that its re-execution yielded.
        pub digest: H256,
    }
}

from_chain! {
    /// Why a validator has a say.
    pub enum Part {
        /// Drawn for a spot check.
        Check,
        /// Objected on its own account.
        Objection,
        /// Drawn for the committee of a dispute.
        Committee,
    }
}

from_chain! {
    /// How a validator's part ended.
    pub enum Standing {
        /// It still has to commit or reveal.
        Sitting,
        /// It did not do so in time.
        Silent,
        /// It called the answer valid with a digest that is not the answer's.
        Unexecuted,
        /// It called the answer valid with the answer's digest.
        Upholds,
        /// It called the answer invalid.
        Accuses,
        /// A dispute was decided its way.
        Won,
        /// A dispute was decided against it.
        Lost,
    }
}

from_chain! {
    /// A validator's part in a request.
    pub struct Seat {
        /// The validator's controller.
        pub validator: AccountId32,
        /// Why it has a say.
        pub part: Part,
        /// What it committed to.
        pub commitment: Option<H256>,
        /// What it revealed.
        pub opinion: Option<Opinion>,
        /// How its part ended.
        pub standing: Standing,
    }
}

from_chain! {
    /// Where the drawn validators stand.
    pub enum Stage {
        /// Nobody is sitting.
        Idle,
        /// Commitments are accepted.
        Committing {
            /// The last block in which they are.
            deadline: BlockNumber,
        },
        /// Reveals are accepted.
        Revealing {
            /// The last block in which they are.
            deadline: BlockNumber,
        },
    }
}

from_chain! {
    /// Everything the chain knows of a request.
    pub struct RequestState {
        /// Who asked.
        pub requester: AccountId32,
        /// The checkpoint asked for.
        pub checkpoint: H256,
        /// The prompt, UTF-8.
        #[serde(serialize_with = "as_text")]
        pub prompt: Vec<u8>,
        /// How tokens are chosen.
        pub parameters: Parameters,
        /// The most the requester pays.
        pub price_limit: Balance,
        /// What is still on hold.
        pub escrow: Balance,
        /// The block of the request.
        pub requested_at: BlockNumber,
        /// Where it stands.
        pub phase: Phase,
        /// The worker that has it or had it last.
        pub assignment: Option<Assignment>,
        /// Workers that let their deadlines pass.
        pub missed: Vec<AccountId32>,
        /// The answer's text, UTF-8.
        #[serde(serialize_with = "as_text")]
        pub text: Vec<u8>,
        /// The answer's tokens.
        pub tokens: Vec<u32>,
        /// The answer's receipt.
        pub receipt: Option<WireReceipt>,
        /// The block of the answer.
        pub answered_at: Option<BlockNumber>,
        /// The probability with which the answer was drawn for a check, in millionths.
        pub check_rate: u32,
        /// Where the validators now sitting stand.
        pub stage: Stage,
        /// Every validator that has or had a say.
        pub seats: Vec<Seat>,
        /// What the worker was paid.
        pub worker_paid: Balance,
        /// What the validators were paid.
        pub checks_paid: Vec<Payment>,
        /// What the requester got back.
        pub refunded: Balance,
        /// What was burned of the payments.
        pub burned: Balance,
    }
}

from_chain! {
    /// What an operator has to do now.
    pub enum Task {
        /// Answer.
        Answer,
        /// Re-execute and commit.
        Commit,
        /// Reveal.
        Reveal,
    }
}

from_chain! {
    /// Something an operator has to do, and until when.
    pub struct PendingJob {
        /// The request.
        pub request: u64,
        /// The checkpoint to execute.
        pub checkpoint: H256,
        /// What to do.
        pub task: Task,
        /// The last block in which it is accepted.
        pub deadline: BlockNumber,
    }
}
