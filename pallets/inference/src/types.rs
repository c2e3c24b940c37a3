//! What the pallet stores, and what it tells whoever asks.

use crate::Config;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    BoundedVec, CloneNoBound, DebugNoBound, DefaultNoBound, EqNoBound, PartialEqNoBound,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_economics::Permill;
use noema_protocol::{
    interfaces::{ModelLimits, Prices},
    CheckpointId, Receipt, RequestId, SamplingParameters, Verdict,
};
use scale_info::TypeInfo;
use sp_core::H256;

pub use noema_economics::Balance;

/// Where a request stands. Every phase but the last two ends by itself.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Phase<BlockNumber> {
    /// No worker has it; the next block's randomness draws one.
    Waiting,
    /// A worker computes the answer.
    Answering {
        /// The last block in which the answer is accepted.
        deadline: BlockNumber,
    },
    /// The answer is recorded; the next block's randomness decides whether it is checked.
    Answered {
        /// The block by which that must have been decided.
        draw_by: BlockNumber,
    },
    /// Validators re-execute the answer.
    Checking,
    /// Any live validator may object; without an objection the request is settled.
    Objectable {
        /// The last block in which an objection is accepted.
        deadline: BlockNumber,
    },
    /// The answer was contradicted; the dispute resolver decides.
    Disputed {
        /// The block in which an undecided dispute is closed as inconclusive.
        deadline: BlockNumber,
    },
    /// Final: the worker was paid.
    Settled,
    /// Final: the requester got the whole escrow back.
    Refunded {
        /// Why.
        reason: RefundReason,
    },
}

impl<BlockNumber> Phase<BlockNumber> {
    /// Whether nothing can happen to the request any more.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Settled | Self::Refunded { .. })
    }
}

/// Why a requester got the whole escrow back.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum RefundReason {
    /// The requester cancelled before a worker had the request.
    Cancelled,
    /// Until the request expired, no worker was there for this checkpoint at this price.
    NoWorker,
    /// As many workers as may try let their deadlines pass.
    NoAnswer,
    /// The checkpoint was withdrawn before a worker had the request.
    CheckpointWithdrawn,
    /// The answer was drawn for a check, and no validator gave a verdict in time.
    NoVerdict,
    /// The answer lost a dispute.
    FalseAnswer,
    /// A dispute about the answer could not be decided.
    Inconclusive,
}

/// A worker's turn at a request.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Assignment<AccountId, BlockNumber> {
    /// The controller of the worker.
    pub worker: AccountId,
    /// Its prices when it was drawn: later changes do not touch this request.
    pub prices: Prices<Balance>,
    /// The price of the longest answer, at these prices.
    pub answer_max: Balance,
    /// Set aside for the validators that check the answer.
    pub check_fee: Balance,
    /// The sampling seed to answer with.
    pub seed: H256,
    /// The last block in which the answer is accepted.
    pub deadline: BlockNumber,
}

/// A payment out of an escrow.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Payment<AccountId> {
    /// Who was paid.
    pub to: AccountId,
    /// How much.
    pub amount: Balance,
}

/// Where an escrow went: the three parts together are the escrow.
#[derive(
    CloneNoBound,
    DebugNoBound,
    PartialEqNoBound,
    EqNoBound,
    DefaultNoBound,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[scale_info(skip_type_params(T))]
pub struct Payments<T: Config> {
    /// To the worker.
    pub worker: Balance,
    /// To the validators that checked the answer.
    pub checks: BoundedVec<Payment<T::AccountId>, T::MaxSeats>,
    /// Back to the requester.
    pub refunded: Balance,
}

/// A request, from escrow to settlement.
#[derive(
    CloneNoBound,
    DebugNoBound,
    PartialEqNoBound,
    EqNoBound,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[scale_info(skip_type_params(T))]
pub struct Request<T: Config> {
    /// Who asks and pays.
    pub requester: T::AccountId,
    /// The checkpoint that is to answer.
    pub checkpoint: CheckpointId,
    /// The checkpoint's bounds when it was asked.
    pub limits: ModelLimits,
    /// How tokens are chosen.
    pub parameters: SamplingParameters,
    /// Hash of the prompt, as in the receipt.
    pub prompt_hash: H256,
    /// Length of the prompt.
    pub prompt_bytes: u32,
    /// The most the requester pays.
    pub price_limit: Balance,
    /// What is still on hold: the price limit until the request is final, then zero.
    pub escrow: Balance,
    /// The block of the request.
    pub requested_at: BlockNumberFor<T>,
    /// The block in which the request is refunded if it still waits for a worker.
    pub expires_at: BlockNumberFor<T>,
    /// Where it stands.
    pub phase: Phase<BlockNumberFor<T>>,
    /// The block in which it is looked at next; `None` once it is final.
    pub due: Option<BlockNumberFor<T>>,
    /// The worker that has it or had it last.
    pub assignment: Option<Assignment<T::AccountId, BlockNumberFor<T>>>,
    /// Workers that let their deadline pass.
    pub missed: BoundedVec<T::AccountId, T::MaxAttempts>,
    /// Where the escrow went, once the request is final.
    pub payments: Option<Payments<T>>,
}

/// A recorded answer.
#[derive(
    CloneNoBound,
    DebugNoBound,
    PartialEqNoBound,
    EqNoBound,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[scale_info(skip_type_params(T))]
pub struct Answer<T: Config> {
    /// The answer as text, UTF-8.
    pub text: BoundedVec<u8, T::MaxTextBytes>,
    /// The answer as token ids.
    pub tokens: BoundedVec<u32, T::MaxOutputTokens>,
    /// What the worker states about it.
    pub receipt: Receipt,
    /// The block of the answer.
    pub answered_at: BlockNumberFor<T>,
}

/// What a validator said of an answer.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Opinion {
    /// The verdict.
    pub verdict: Verdict,
    /// The digest that its re-execution yielded.
    pub digest: H256,
}

/// Why a validator has a say.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Part {
    /// Drawn for a spot check.
    Check,
    /// Objected on its own account.
    Objection,
    /// Drawn for the committee that decides a dispute.
    Committee,
}

/// How a validator's part ended.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Standing {
    /// It still has to commit or reveal.
    Sitting,
    /// It did not commit or did not reveal in time.
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

/// A validator's part in a request.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Seat<AccountId> {
    /// The controller of the validator.
    pub validator: AccountId,
    /// Its bond when it was drawn: the weight of its vote.
    pub bond: Balance,
    /// Why it has a say.
    pub part: Part,
    /// What it committed to.
    pub commitment: Option<H256>,
    /// What it revealed.
    pub opinion: Option<Opinion>,
    /// How its part ended.
    pub standing: Standing,
}

/// Where the drawn validators stand.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Stage<BlockNumber> {
    /// Nobody is sitting.
    #[default]
    Idle,
    /// Commitments are accepted.
    Committing {
        /// The last block in which they are.
        deadline: BlockNumber,
    },
    /// Everybody committed or the time was over: reveals are accepted.
    Revealing {
        /// The last block in which they are.
        deadline: BlockNumber,
    },
}

/// The validators' part in a request.
#[derive(
    CloneNoBound,
    DebugNoBound,
    PartialEqNoBound,
    EqNoBound,
    DefaultNoBound,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[scale_info(skip_type_params(T))]
pub struct Check<T: Config> {
    /// The probability with which the answer was drawn for a check.
    pub rate: Permill,
    /// How often validators were drawn for the check, or looked for in vain.
    pub draws: u32,
    /// While a draw waits for a block with randomness: the block in which it is given up.
    pub draw_by: Option<BlockNumberFor<T>>,
    /// Where those now sitting stand.
    pub stage: Stage<BlockNumberFor<T>>,
    /// Everybody who has or had a say.
    pub seats: BoundedVec<Seat<T::AccountId>, T::MaxSeats>,
}

/// A final request that waits to be pruned.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Finished<BlockNumber> {
    /// The request.
    pub request: RequestId,
    /// The block in which it became final.
    pub at: BlockNumber,
}

/// What a contradicted answer comes to.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Outcome {
    /// Re-execution yields this; whoever said otherwise lost.
    Decided(Opinion),
    /// It could not be told.
    Inconclusive,
}

/// Everything known of a request.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RequestState<AccountId, BlockNumber> {
    /// Who asked.
    pub requester: AccountId,
    /// The checkpoint asked for.
    pub checkpoint: CheckpointId,
    /// The prompt, UTF-8.
    pub prompt: Vec<u8>,
    /// How tokens are chosen.
    pub parameters: SamplingParameters,
    /// The most the requester pays.
    pub price_limit: Balance,
    /// What is still on hold.
    pub escrow: Balance,
    /// The block of the request.
    pub requested_at: BlockNumber,
    /// The block in which it is refunded if it still waits for a worker.
    pub expires_at: BlockNumber,
    /// Where it stands.
    pub phase: Phase<BlockNumber>,
    /// The block in which it is looked at next.
    pub due: Option<BlockNumber>,
    /// The worker that has it or had it last, its prices and the seed.
    pub assignment: Option<Assignment<AccountId, BlockNumber>>,
    /// Workers that let their deadline pass.
    pub missed: Vec<AccountId>,
    /// The answer's text, UTF-8; empty before there is one.
    pub text: Vec<u8>,
    /// The answer's tokens.
    pub tokens: Vec<u32>,
    /// The answer's receipt.
    pub receipt: Option<Receipt>,
    /// The block of the answer.
    pub answered_at: Option<BlockNumber>,
    /// The probability with which the answer was drawn for a check.
    pub check_rate: Permill,
    /// Where the validators now sitting stand.
    pub stage: Stage<BlockNumber>,
    /// Every validator that has or had a say, and what it said.
    pub seats: Vec<Seat<AccountId>>,
    /// What the worker was paid.
    pub worker_paid: Balance,
    /// What the validators were paid for the check.
    pub checks_paid: Vec<Payment<AccountId>>,
    /// What the requester got back.
    pub refunded: Balance,
}

/// What a worker would charge for a request.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Offer<AccountId> {
    /// The controller of the worker.
    pub worker: AccountId,
    /// For the longest answer that the parameters allow.
    pub answer_max: Balance,
    /// Set aside for the validators that check the answer; refunded if none does.
    pub check_fee: Balance,
    /// The price limit from which this worker may be drawn: the two above.
    pub total: Balance,
    /// What cheating on this request would come to for this worker.
    pub deterrent: Deterrent,
}

/// The price limits to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PriceList<AccountId> {
    /// The lowest limit with which a worker may be drawn; `None` while no worker is there.
    pub lowest: Option<Balance>,
    /// The limit with which half of the workers may be drawn.
    pub typical: Option<Balance>,
    /// What each worker would charge, the cheapest first.
    pub offers: Vec<Offer<AccountId>>,
}

/// What cheating would cost a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Deterrent {
    /// What it could win: the prices of all its requests that are not settled yet.
    pub gain: Balance,
    /// What a lost dispute takes from its bond.
    pub stake: Balance,
    /// The probability of a check.
    pub check_rate: Permill,
    /// The expected loss less the expected gain; negative where cheating pays.
    pub cost: i128,
}

/// What an operator has to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Task {
    /// Answer, and call `submit_result`.
    Answer,
    /// Re-execute, and call `commit_verdict`.
    Commit,
    /// Call `reveal_verdict` with what was committed.
    Reveal,
}

/// Something an operator has to do, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PendingJob<BlockNumber> {
    /// The request.
    pub request: RequestId,
    /// The checkpoint to execute.
    pub checkpoint: CheckpointId,
    /// What to do.
    pub task: Task,
    /// The last block in which it is accepted.
    pub deadline: BlockNumber,
}

/// What is wrong with the books.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum AuditError<AccountId> {
    /// A requester's hold is not the sum of its escrows.
    HoldDiffers {
        /// The requester.
        requester: AccountId,
        /// The sum of its escrows.
        escrows: Balance,
        /// What is on hold.
        held: Balance,
    },
    /// A final request has an escrow or a turn in the agenda, or lacks its payments.
    NotClosed {
        /// The request.
        request: RequestId,
    },
    /// The payments of a final request do not sum up to its price limit.
    PaymentsDiffer {
        /// The request.
        request: RequestId,
    },
    /// A request that is not final lacks its turn in the agenda, or a part that its phase needs.
    Incomplete {
        /// The request.
        request: RequestId,
    },
    /// The agenda has an entry that no request points to, or one in the past.
    StrayTurn {
        /// The request of the entry.
        request: RequestId,
    },
    /// The number of requests that are not final is not the one recorded.
    LiveDiffers {
        /// As counted.
        counted: u32,
        /// As recorded.
        recorded: u32,
    },
    /// The record of who is engaged differs from the requests.
    EngagementDiffers {
        /// The request.
        request: RequestId,
    },
    /// What a worker could win is not the sum over its requests.
    ExposureDiffers {
        /// The worker.
        worker: AccountId,
    },
    /// The queue of final requests has a gap or an entry that is not final.
    QueueDiffers {
        /// The position in the queue.
        position: u64,
    },
    /// There is a prompt, an answer or a check without its request.
    Orphaned {
        /// The request that is missing.
        request: RequestId,
    },
}

impl<AccountId> AuditError<AccountId> {
    /// What is wrong, in one sentence.
    pub const fn summary(&self) -> &'static str {
        match self {
            Self::HoldDiffers { .. } => "a requester's hold is not the sum of its escrows",
            Self::NotClosed { .. } => "a final request is not closed",
            Self::PaymentsDiffer { .. } => "a final request's payments are not its price limit",
            Self::Incomplete { .. } => "a request lacks a part that its phase needs",
            Self::StrayTurn { .. } => "the agenda has an entry that no request points to",
            Self::LiveDiffers { .. } => "the number of live requests is not the recorded one",
            Self::EngagementDiffers { .. } => "the engagements differ from the requests",
            Self::ExposureDiffers { .. } => "a worker's exposure is not the sum of its requests",
            Self::QueueDiffers { .. } => "the queue of final requests has a gap",
            Self::Orphaned { .. } => "a prompt, an answer or a check lacks its request",
        }
    }
}
