//! What the pallet stores.

use crate::{Config, Rates, Windows};
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

/// Where an escrow went: the four parts together are the escrow.
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
    /// Destroyed: a part of each payment.
    pub burned: Balance,
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
    /// The windows when it was made: governance changes only those of later requests.
    pub windows: Windows,
    /// The rates when it was made.
    pub rates: Rates,
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
