//! The types of the pallet's storage and interfaces.

use crate::{Balance, Config, Deadlines, NextDeadlines, RequestRules};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::{
    traits::Get, BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{ClaimRules, ClaimStage, RelayBlock, Verification};
use noema_economics::Permill;
use noema_protocol::{
    apply, encoded, request::text_bound, sent, stored, CheckpointId, ClaimId, ModelLimits, Prices,
    Receipt, RequestId, SamplingParameters,
};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::traits::Saturating;

/// An assignment of the runtime.
pub(crate) type AssignmentOf<T> =
    Assignment<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// The agenda of missed deadlines.
pub(crate) type DeadlineAgenda<T> = noema_agenda::Agenda<Deadlines<T>, NextDeadlines<T>>;

/// A request, from the call that made it until it is pruned. Prompt and answer are stored separately.
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
    /// The requester.
    pub requester: T::AccountId,
    /// The requested checkpoint.
    pub checkpoint: CheckpointId,
    /// The bounds of the checkpoint.
    pub limits: ModelLimits,
    /// The sampling parameters.
    pub parameters: SamplingParameters,
    /// Hash of the prompt.
    pub prompt_hash: H256,
    /// Bytes of the prompt.
    pub prompt_bytes: u32,
    /// The most that the requester pays to worker and validators.
    pub price_limit: Balance,
    /// The amount burned for its storage.
    pub storage_burned: Balance,
    /// The rules of requests at its creation.
    pub rules: RequestRules,
    /// The rules of claims at its creation.
    pub claim_rules: ClaimRules<BlockNumberFor<T>>,
    /// The block of its creation.
    pub requested_at: BlockNumberFor<T>,
    /// The first block in which it may be refunded because no worker is available that could answer it.
    pub expires_at: BlockNumberFor<T>,
    /// The randomness that draws its worker has to be younger than this relay chain block.
    pub unknown_since: RelayBlock,
    /// How many draws in a row passed it over since it expired: 1 for each draw in which the workers that
    /// would take it have too little free bond, and 8 for each in which all charge more. A draw that meets a
    /// busy worker that would take it restarts the count. It is refunded at
    /// [`MOST_UNSTAKED_PASSES`](crate::MOST_UNSTAKED_PASSES).
    pub passes: u32,
    /// How many workers missed their deadline.
    pub attempts: u32,
    /// Its phase.
    pub phase: RequestPhase<BlockNumberFor<T>>,
    /// The worker that has it, or that answered it.
    pub assignment: Option<Assignment<T::AccountId, BlockNumberFor<T>>>,
    /// The statement of its worker on the answer.
    pub statement: Option<Statement<BlockNumberFor<T>>>,
    /// The payments so far.
    pub payments: Payments,
    /// The block in which it ended.
    pub ended_at: Option<BlockNumberFor<T>>,
}

/// The phase of a request.
#[apply(sent)]
#[derive(Copy)]
pub enum RequestPhase<BlockNumber> {
    /// It waits for a worker, in the queue of its checkpoint.
    Waiting,
    /// A worker has it.
    Answering {
        /// The last block in which the answer is accepted.
        deadline: BlockNumber,
    },
    /// The answer is submitted and is a claim.
    Claimed {
        /// The claim.
        claim: ClaimId,
    },
    /// The request is over: the answer is final, and all payments are made.
    Settled {
        /// The claim.
        claim: ClaimId,
        /// The result of the checks of the claim.
        verification: Verification,
    },
    /// The request is over: the price limit was refunded to the requester.
    Refunded {
        /// The reason.
        reason: RefundReason,
    },
}

impl<BlockNumber> RequestPhase<BlockNumber> {
    /// Whether the request is over.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Settled { .. } | Self::Refunded { .. })
    }
}

/// The reason for a refund.
#[apply(sent)]
#[derive(Copy)]
pub enum RefundReason {
    /// The requester cancelled the request.
    Cancelled,
    /// No worker was available, or each one charges more than the price limit or has too little free bond for
    /// the stake.
    NoWorker,
    /// As many workers as may try missed their deadlines, or one did and no other was available.
    NoAnswer,
    /// The checkpoint was withdrawn.
    CheckpointWithdrawn,
    /// The claim fell: the answer is not what the checkpoint yields, or that could not be decided.
    FalseAnswer,
    /// The answer was drawn for a check, and no validator confirmed it.
    Unconfirmed,
}

/// A place in a queue: the number of the request with its highest byte first, so that the order of the keys
/// in storage is the order in which requests were made. A request whose worker missed the deadline returns to
/// its former place, before all later requests.
#[apply(sent)]
#[derive(Copy, PartialOrd, Ord)]
pub struct QueueKey([u8; 8]);

impl QueueKey {
    /// The place after all others.
    pub(crate) const LAST: Self = Self([u8::MAX; 8]);

    /// The place of a request.
    pub const fn of(request: RequestId) -> Self {
        Self(request.0.to_be_bytes())
    }

    /// The request.
    pub const fn request(&self) -> RequestId {
        RequestId(u64::from_be_bytes(self.0))
    }
}

/// What visits to the queue of a checkpoint leave to later ones.
#[apply(stored)]
#[derive(Copy, Default)]
pub struct QueueSearch {
    /// The request up to which the queue was searched for workers that have room and take none of those before
    /// it; `None` where the next search begins with the first request.
    pub cursor: Option<RequestId>,
    /// How many draws in a row met no worker, not even a busy one.
    pub fruitless: u32,
}

/// A part of a request that is removed at one time.
#[apply(stored)]
#[derive(Copy)]
pub enum RequestPart {
    /// Its prompt and answer, and the record of its claim.
    Bodies,
    /// Its record.
    Record,
}

/// How far requests are pruned, in the order of their numbers. Late ones are passed, and visited in turn.
#[apply(stored)]
#[derive(Copy, Default)]
pub struct Pruning {
    /// The first request whose prompt and answer are not removed.
    pub bodies: RequestId,
    /// The first request whose record is not removed.
    pub records: RequestId,
    /// How many late requests are kept.
    pub late: u32,
    /// The late request that was visited last.
    pub visited: RequestId,
}

/// The assignment of a request to a worker.
#[apply(sent)]
pub struct Assignment<AccountId, BlockNumber> {
    /// The controller of the worker.
    pub worker: AccountId,
    /// Its prices.
    pub prices: Prices<Balance>,
    /// The price of the longest answer that the parameters allow.
    pub answer_max: Balance,
    /// The amount set aside for checks.
    pub check_fee: Balance,
    /// The amount locked of its bond.
    pub stake: Balance,
    /// The sampling seed to answer with.
    pub seed: H256,
    /// The block of the draw.
    pub assigned_at: BlockNumber,
    /// The last block in which the answer is accepted.
    pub deadline: BlockNumber,
}

/// The statement of a worker on its answer: the parts of the receipt that the request does not contain.
#[apply(sent)]
#[derive(Copy)]
pub struct Statement<BlockNumber> {
    /// The claim of the answer.
    pub claim: ClaimId,
    /// Hash of the tokens and the text.
    pub answer_hash: H256,
    /// Tokens of the prompt, its frame included.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub answer_tokens: u32,
    /// The hidden root.
    pub hidden_root: H256,
    /// The price of the answer, before a part is burned.
    pub payment: Balance,
    /// The block of the answer.
    pub answered_at: BlockNumber,
}

/// The payments from the price limit of a request. Once the request is over, the four add up to the price
/// limit, exactly.
#[apply(sent)]
#[derive(Copy, Default)]
pub struct Payments {
    /// Paid to the worker.
    pub worker: Balance,
    /// Paid to all validators together.
    pub validators: Balance,
    /// Burned.
    pub burned: Balance,
    /// Refunded to the requester.
    pub refunded: Balance,
}

impl Payments {
    /// The sum of the four.
    pub const fn total(&self) -> Balance {
        self.worker
            .saturating_add(self.validators)
            .saturating_add(self.burned)
            .saturating_add(self.refunded)
    }
}

/// A payment.
#[apply(encoded)]
#[derive(DecodeWithMemTracking)]
pub struct Payment<AccountId> {
    /// The account paid.
    pub to: AccountId,
    /// The amount, in the smallest unit of the token.
    pub amount: Balance,
}

/// An answer.
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
    /// Its tokens, a closing stop token included.
    pub tokens: BoundedVec<u32, T::MaxAnswerTokens>,
    /// Its text, UTF-8.
    pub text: BoundedVec<u8, TextBound<T>>,
}

/// The most bytes of text that the longest answer may have.
pub struct TextBound<T>(PhantomData<T>);

impl<T: Config> Get<u32> for TextBound<T> {
    fn get() -> u32 {
        text_bound(T::MaxAnswerTokens::get())
    }
}

impl<T: Config> Request<T> {
    /// Whether it is or was open for longer than its prompt and answer stay.
    pub(crate) fn is_late(&self, now: BlockNumberFor<T>) -> bool {
        let last = self
            .requested_at
            .saturating_add(self.rules.body_retention.into());
        self.ended_at.unwrap_or(now) > last
    }

    /// The most tokens that its answer may have.
    pub fn max_tokens(&self) -> u32 {
        self.parameters.max_tokens.into()
    }

    /// The most tokens that its prompt may have, its frame included.
    pub const fn max_prompt_tokens(&self) -> u64 {
        self.limits.prompt_tokens(self.prompt_bytes)
    }

    /// The receipt of its worker, if it is answered.
    pub fn receipt(&self, id: RequestId) -> Option<Receipt> {
        let (assignment, statement) = self.assignment.as_ref().zip(self.statement)?;
        Some(Receipt {
            request: id,
            checkpoint: self.checkpoint,
            prompt_hash: self.prompt_hash,
            parameters: self.parameters,
            seed: assignment.seed,
            answer_hash: statement.answer_hash,
            prompt_tokens: statement.prompt_tokens,
            answer_tokens: statement.answer_tokens,
            hidden_root: statement.hidden_root,
        })
    }
}

/// All data on a request.
#[apply(encoded)]
pub struct RequestState<AccountId, BlockNumber> {
    /// The requester.
    pub requester: AccountId,
    /// The requested checkpoint.
    pub checkpoint: CheckpointId,
    /// The prompt, UTF-8; empty once it was removed.
    pub prompt: Vec<u8>,
    /// The sampling parameters.
    pub parameters: SamplingParameters,
    /// The most that the requester pays to worker and validators.
    pub price_limit: Balance,
    /// The amount burned for storage.
    pub storage_burned: Balance,
    /// The block of its creation.
    pub requested_at: BlockNumber,
    /// The first block in which it may be refunded because no worker is available.
    pub expires_at: BlockNumber,
    /// The rules of requests with which it was made.
    pub rules: RequestRules,
    /// The rules of claims with which it was made.
    pub claim_rules: ClaimRules<BlockNumber>,
    /// Its phase.
    pub phase: RequestPhase<BlockNumber>,
    /// How many requests are before it in the queue, if it waits in one.
    pub position: Option<u32>,
    /// How many workers missed their deadline.
    pub attempts: u32,
    /// The worker that has it or answered it, with its prices, stake, seed and deadline.
    pub assignment: Option<Assignment<AccountId, BlockNumber>>,
    /// The answer's tokens; empty before there is an answer, and once it was removed.
    pub tokens: Vec<u32>,
    /// The answer's text, UTF-8; empty as the tokens are.
    pub text: Vec<u8>,
    /// The answer's receipt.
    pub receipt: Option<Receipt>,
    /// The price of the answer, before a part is burned.
    pub payment: Option<Balance>,
    /// The block of the answer.
    pub answered_at: Option<BlockNumber>,
    /// The claim of the answer.
    pub claim: Option<ClaimId>,
    /// The stage of the claim, until it is pruned.
    pub claim_stage: Option<ClaimStage<BlockNumber>>,
    /// The payments so far.
    pub payments: Payments,
    /// The block in which it ended.
    pub ended_at: Option<BlockNumber>,
}

/// The offer of a worker for a request.
#[apply(encoded)]
pub struct Offer<AccountId> {
    /// The controller of the worker.
    pub worker: AccountId,
    /// The price of the longest answer that the parameters allow.
    pub answer_max: Balance,
    /// The amount set aside for checks; the unspent part is refunded.
    pub check_fee: Balance,
    /// The price limit from which this worker may have the request: the sum of the two above.
    pub total: Balance,
    /// How many requests the worker has now.
    pub open: u32,
    /// The worker's gain and loss from cheating on this request.
    pub deterrent: Deterrent,
}

/// Price limits to choose from.
#[apply(encoded)]
pub struct PriceList<AccountId> {
    /// The lowest limit that a worker accepts; `None` where no worker is available.
    pub lowest: Option<Balance>,
    /// The limit that half of the workers accept.
    pub typical: Option<Balance>,
    /// The amount burned for storage, in addition to the price limit.
    pub storage: Balance,
    /// Whether prompt and answer fit into the context of the checkpoint.
    pub fits: bool,
    /// The offers of the workers, the cheapest first. A worker whose bond is smaller than its stake would be
    /// is left out.
    pub offers: Vec<Offer<AccountId>>,
}

/// The gain and loss of a worker that cheats.
#[apply(encoded)]
#[derive(Copy)]
pub struct Deterrent {
    /// Its gain: the price of the answer.
    pub gain: Balance,
    /// Its loss where the claim falls.
    pub stake: Balance,
    /// The probability of a check.
    pub check_rate: Permill,
    /// The expected loss less the expected gain; negative where cheating pays.
    pub cost: i128,
}

/// The requests that wait for a checkpoint.
#[apply(encoded)]
#[derive(Copy)]
pub struct QueueState<BlockNumber> {
    /// Their number.
    pub waiting: u32,
    /// The first of them, which is the oldest.
    pub first: Option<RequestId>,
    /// The block of its creation.
    pub oldest: Option<BlockNumber>,
    /// How many draws in a row met no worker, not even a busy one.
    pub fruitless: u32,
}

/// A request that an operator has to answer.
#[apply(encoded)]
#[derive(Copy)]
pub struct OpenAnswer<BlockNumber> {
    /// The request.
    pub request: RequestId,
    /// The requested checkpoint.
    pub checkpoint: CheckpointId,
    /// The last block in which the answer is accepted.
    pub deadline: BlockNumber,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_the_order_of_requests() {
        let place = |request| QueueKey::of(RequestId(request));
        let order = [place(8), place(255), place(256), QueueKey::LAST];
        assert!(order.is_sorted());
        assert!(order.map(|place| place.encode()).is_sorted(), "as keys");
        assert_eq!(place(256).request(), RequestId(256));
    }
}
