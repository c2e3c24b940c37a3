//! What the chain's metadata describes, as this program understands it.
//!
//! Every type is read by the *names* that the metadata gives its fields and variants, never by
//! position. A field that moved or was added changes nothing; one that is missing or means
//! something else is an error that names it.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use noema_protocol::{CheckpointId, Receipt, RequestId, SamplingParameters};
use serde::Serialize;
use sp_core::H256;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsType;

/// An amount of the native token, in its smallest unit.
pub type Balance = u128;
/// A block's number as the runtime stores it.
pub type BlockNumber = u32;

macro_rules! from_chain {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        $vis struct $name { $($body)* }
    };
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        #[serde(rename_all = "snake_case", rename_all_fields = "snake_case")]
        $vis enum $name { $($body)* }
    };
}

macro_rules! both_ways {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, DecodeAsType, EncodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        #[encode_as_type(crate_path = "subxt::ext::scale_encode")]
        $vis struct $name { $($body)* }
    };
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, DecodeAsType, EncodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        #[encode_as_type(crate_path = "subxt::ext::scale_encode")]
        #[serde(rename_all = "snake_case")]
        $vis enum $name { $($body)* }
    };
}

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

both_ways! {
    /// What an operator does with the checkpoints it serves.
    pub struct WireRoles {
        /// Answers requests.
        pub worker: bool,
        /// Re-executes answers.
        pub validator: bool,
    }
}

both_ways! {
    /// What a worker charges.
    pub struct WirePrices {
        /// Per byte of the prompt.
        pub per_prompt_byte: Balance,
        /// Per token of the answer.
        pub per_output_token: Balance,
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
    }
}

fn as_text<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
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

from_chain! {
    /// What a worker would charge for a request.
    pub struct Offer {
        /// The worker's controller.
        pub worker: AccountId32,
        /// For the longest answer.
        pub answer_max: Balance,
        /// Set aside for a check.
        pub check_fee: Balance,
        /// Both together.
        pub total: Balance,
    }
}

from_chain! {
    /// The price limits to choose from.
    pub struct PriceList {
        /// The lowest with which a worker may be drawn.
        pub lowest: Option<Balance>,
        /// The one with which half of the workers may be drawn.
        pub typical: Option<Balance>,
        /// What each worker would charge.
        pub offers: Vec<Offer>,
    }
}

from_chain! {
    /// What is told of an operator.
    pub struct OperatorInfo {
        /// What is recorded.
        pub operator: OperatorRecord,
        /// The checkpoints it serves.
        pub serves: Vec<H256>,
        /// Why it is not drawn now; `None` if it is.
        pub idle: Option<Idle>,
    }
}

from_chain! {
    /// A bonded operator.
    pub struct OperatorRecord {
        /// The hot key that submits for it.
        pub key: AccountId32,
        /// What it does.
        pub roles: WireRoles,
        /// What it charges as a worker.
        pub prices: WirePrices,
        /// What can be slashed.
        pub bond: Balance,
        /// Open jobs that it is tied to.
        pub engagements: u32,
        /// The block of its last sign of life.
        pub heartbeat: BlockNumber,
        /// The block from which it may withdraw its bond, if it is leaving.
        pub withdrawable_at: Option<BlockNumber>,
    }
}

from_chain! {
    /// Why an operator is not drawn.
    pub enum Idle {
        /// It is leaving.
        Leaving,
        /// Its bond is below the least bond.
        Suspended,
        /// Its last heartbeat is too old.
        Silent,
        /// It is tied to as many jobs as it may be.
        FullyEngaged,
    }
}

impl Idle {
    /// The reason in words, and the way out.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Leaving => "it is leaving",
            Self::Suspended => {
                "its bond is below the least bond; add to it with operators.bondExtra"
            }
            Self::Silent => {
                "it gave no sign of life for too long; start `noema-worker run` with its key"
            }
            Self::FullyEngaged => "it has as many open jobs as it may have",
        }
    }
}

from_chain! {
    /// What an operator earned and lost since it registered.
    pub struct EarningsLedger {
        /// Paid for answers.
        pub answers: Balance,
        /// Paid for checks.
        pub checks: Balance,
        /// Paid from the bonds of those who lost disputes.
        pub disputes: Balance,
        /// Lost from the bond.
        pub slashed: Balance,
        /// The latest entries, oldest first.
        pub recent: Vec<EarningsEntry>,
    }
}

from_chain! {
    /// One payment or loss.
    pub struct EarningsEntry {
        /// The block in which it happened.
        pub at: BlockNumber,
        /// The request that it was for.
        pub request: u64,
        /// Why it happened.
        pub reason: Reason,
        /// How much it was.
        pub amount: Balance,
    }
}

from_chain! {
    /// Why an operator was paid or lost from its bond.
    pub enum Reason {
        /// It was paid.
        Earned(Earning),
        /// It lost.
        Lost(Offence),
    }
}

from_chain! {
    /// Why an operator was paid.
    pub enum Earning {
        /// For an answer that was settled.
        Answer,
        /// For a check that stood.
        Check,
        /// From the bond of the party that lost a dispute.
        Dispute,
    }
}

from_chain! {
    /// Why an operator lost part of its bond.
    pub enum Offence {
        /// The deadline of an answer passed.
        MissedDeadline,
        /// A verdict was not committed or not revealed in time.
        MissedVerdict,
        /// An answer was called valid without executing.
        UnexecutedVerdict,
        /// An answer lost a dispute.
        FalseAnswer,
        /// A verdict or objection lost a dispute.
        FalseVerdict,
    }
}

both_ways! {
    /// The dimensions of a model, as the chain records them.
    pub struct WireArchitecture {
        /// Transformer blocks.
        pub layers: u32,
        /// Width of the residual stream.
        pub hidden: u32,
        /// Query heads.
        pub heads: u32,
        /// Key and value heads.
        pub kv_heads: u32,
        /// Width of one head.
        pub head_dim: u32,
        /// Width of the feed-forward layer.
        pub feed_forward: u32,
        /// Number of token ids.
        pub vocabulary: u32,
        /// Longest prompt and answer together, in tokens.
        pub context_length: u32,
        /// Whether the output head is the token embedding.
        pub tied_head: bool,
    }
}

impl From<&noema_checkpoint::Architecture> for WireArchitecture {
    fn from(architecture: &noema_checkpoint::Architecture) -> Self {
        Self {
            layers: architecture.layers,
            hidden: architecture.hidden,
            heads: architecture.heads,
            kv_heads: architecture.kv_heads,
            head_dim: architecture.head_dim,
            feed_forward: architecture.feed_forward,
            vocabulary: architecture.vocabulary,
            context_length: architecture.context_length,
            tied_head: architecture.tied_head,
        }
    }
}

from_chain! {
    /// What the checkpoints of a family share.
    pub struct FamilyRecord {
        /// What people call it, UTF-8.
        pub name: Vec<u8>,
        /// The dimensions of the model.
        pub architecture: WireArchitecture,
        /// The hash of the tokenizer.
        pub tokenizer_hash: H256,
        /// The version of the integer arithmetic.
        pub numerics_version: u32,
    }
}

from_chain! {
    /// A registered checkpoint.
    pub struct CheckpointRecord {
        /// Its family.
        pub family: u32,
        /// The checkpoint it was made from.
        pub parent: Option<H256>,
        /// The weights.
        pub weights: WeightsRecord,
        /// Whether requests may name it.
        pub status: Status,
    }
}

from_chain! {
    /// What identifies the weights.
    pub struct WeightsRecord {
        /// The Merkle root over the tiles.
        pub root: H256,
        /// The size of all tiles.
        pub bytes: u64,
    }
}

from_chain! {
    /// Whether requests may name a checkpoint.
    pub enum Status {
        /// They may.
        Active,
        /// They may no more.
        Withdrawn,
    }
}
