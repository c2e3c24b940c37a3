//! What is recorded of a request.

use crate::{Balance, Config, RequestRules};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::{
    traits::Get, BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_claims::{RelayBlock, Rules, Verification};
use noema_protocol::{
    interfaces::{ModelLimits, Prices},
    request::text_bound,
    CheckpointId, ClaimId, Receipt, RequestId, SamplingParameters,
};
use scale_info::TypeInfo;
use sp_core::H256;

/// A request, from the call that made it until it is pruned. Prompt and answer are stored apart.
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
    /// The account that asked, and pays.
    pub requester: T::AccountId,
    /// The checkpoint that is asked.
    pub checkpoint: CheckpointId,
    /// The bounds of the checkpoint.
    pub limits: ModelLimits,
    /// How tokens are chosen.
    pub parameters: SamplingParameters,
    /// Hash of the prompt.
    pub prompt_hash: H256,
    /// Bytes of the prompt.
    pub prompt_bytes: u32,
    /// The most that the requester pays to worker and validators.
    pub price_limit: Balance,
    /// What was burned for its storage.
    pub storage_burned: Balance,
    /// The rules of requests, as they were when it was made.
    pub rules: RequestRules,
    /// The rules of claims, as they were when it was made.
    pub claim_rules: Rules<BlockNumberFor<T>>,
    /// The block in which it was made.
    pub requested_at: BlockNumberFor<T>,
    /// The first block in which it may be refunded because no worker is there that could answer it.
    pub expires_at: BlockNumberFor<T>,
    /// Randomness that draws its worker has to be younger than this relay chain block.
    pub unknown_since: RelayBlock,
    /// How often in a row the workers of a draw passed it over since it expired: 1 for each draw in which
    /// those that would take it have too little of their bonds left, and 8 for each in which all charge
    /// more. A draw that meets a busy one that would take it begins the count anew. It is refunded at
    /// [`MOST_UNSTAKED_PASSES`](crate::MOST_UNSTAKED_PASSES).
    pub passes: u32,
    /// How many workers let their deadline pass.
    pub attempts: u32,
    /// Where it stands.
    pub phase: Phase<BlockNumberFor<T>>,
    /// The worker that has it, or that answered it.
    pub assignment: Option<Assignment<T::AccountId, BlockNumberFor<T>>>,
    /// What its worker stated about the answer.
    pub statement: Option<Statement<BlockNumberFor<T>>>,
    /// Where the money went so far.
    pub payments: Payments,
    /// The block in which it ended.
    pub ended_at: Option<BlockNumberFor<T>>,
}

/// Where a request stands.
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
    /// It waits for a worker, in the queue of its checkpoint.
    Waiting,
    /// A worker has it.
    Answering {
        /// The last block in which the answer is accepted.
        deadline: BlockNumber,
    },
    /// It is answered, and the answer is a claim.
    Claimed {
        /// The claim.
        claim: ClaimId,
    },
    /// It is over: the answer is final, and everything is paid.
    Settled {
        /// The claim.
        claim: ClaimId,
        /// What the checks of the claim showed.
        verification: Verification,
    },
    /// It is over: the requester has the price limit back.
    Refunded {
        /// Why.
        reason: RefundReason,
    },
}

impl<BlockNumber> Phase<BlockNumber> {
    /// Whether the request is over.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Settled { .. } | Self::Refunded { .. })
    }
}

/// Why a requester has the price limit back.
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
    /// The requester took the request back.
    Cancelled,
    /// No worker was there, or each that was charges more than the price limit or has too little of its
    /// bond left to stake.
    NoWorker,
    /// As many workers as may try let their deadline pass, or one did and no other was there.
    NoAnswer,
    /// The checkpoint was withdrawn.
    CheckpointWithdrawn,
    /// The claim fell: the answer is not what the checkpoint yields, or that could not be decided.
    FalseAnswer,
    /// The answer was drawn for a check, and no validator confirmed it.
    Unconfirmed,
}

/// A place in a queue: the number of the request with its highest byte first, so that the order of the
/// keys in storage is the order in which requests were made. A request whose worker missed the deadline
/// comes back to the place that it had, before all that were made after it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Place([u8; 8]);

impl Place {
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

/// A worker's part in a request.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Assignment<AccountId, BlockNumber> {
    /// The controller of the worker.
    pub worker: AccountId,
    /// What it charges.
    pub prices: Prices<Balance>,
    /// The price of the longest answer that the parameters allow.
    pub answer_max: Balance,
    /// What is set aside for checks.
    pub check_fee: Balance,
    /// What is locked of its bond.
    pub stake: Balance,
    /// The sampling seed to answer with.
    pub seed: H256,
    /// The block in which it was drawn.
    pub assigned_at: BlockNumber,
    /// The last block in which the answer is accepted.
    pub deadline: BlockNumber,
}

/// What a worker stated about its answer, as far as the request does not say it already.
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
pub struct Statement<BlockNumber> {
    /// The claim that the answer is.
    pub claim: ClaimId,
    /// Hash of the tokens and the text.
    pub output_hash: H256,
    /// Tokens of the prompt, chat template included.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// The Merkle root over the hashes of its hidden states.
    pub hidden_root: H256,
    /// The price of the answer, before a part is burned.
    pub payment: Balance,
    /// The block of the answer.
    pub answered_at: BlockNumber,
}

/// Where the price limit of a request went. Of one that is over the four together are the price limit,
/// exactly.
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
pub struct Payments {
    /// To the worker.
    pub worker: Balance,
    /// To all validators together.
    pub validators: Balance,
    /// Destroyed.
    pub burned: Balance,
    /// Back to the requester.
    pub refunded: Balance,
}

impl Payments {
    /// The four together.
    pub const fn total(&self) -> Balance {
        self.worker
            .saturating_add(self.validators)
            .saturating_add(self.burned)
            .saturating_add(self.refunded)
    }
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Payment<AccountId> {
    /// To whom.
    pub to: AccountId,
    /// How much, in the smallest unit of the token.
    pub amount: Balance,
}

/// The requests that a worker has and has not answered.
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
pub struct Load {
    /// How many.
    pub open: u32,
    /// The most tokens that their answers may have.
    pub tokens: u32,
    /// Bytes of their prompts.
    pub prompt_bytes: u32,
}

impl Load {
    /// With one request more.
    pub const fn with(&self, tokens: u32, prompt_bytes: u32) -> Self {
        Self {
            open: self.open.saturating_add(1),
            tokens: self.tokens.saturating_add(tokens),
            prompt_bytes: self.prompt_bytes.saturating_add(prompt_bytes),
        }
    }

    /// With one request less.
    pub const fn without(&self, tokens: u32, prompt_bytes: u32) -> Self {
        Self {
            open: self.open.saturating_sub(1),
            tokens: self.tokens.saturating_sub(tokens),
            prompt_bytes: self.prompt_bytes.saturating_sub(prompt_bytes),
        }
    }
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
    pub tokens: BoundedVec<u32, T::MaxOutputTokens>,
    /// Its text, UTF-8.
    pub text: BoundedVec<u8, TextBound<T>>,
}

/// The most bytes of text that the longest answer may have.
pub struct TextBound<T>(PhantomData<T>);

impl<T: Config> Get<u32> for TextBound<T> {
    fn get() -> u32 {
        text_bound(T::MaxOutputTokens::get())
    }
}

/// What is removed of a request that is over.
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
pub enum Pruning {
    /// Its prompt and answer.
    Bodies(RequestId),
    /// Its record.
    Record(RequestId),
}

impl<T: Config> Request<T> {
    /// The most tokens that its answer may have.
    pub fn max_tokens(&self) -> u32 {
        self.parameters.max_tokens.into()
    }

    /// The most tokens that its prompt may be, chat template included.
    pub const fn max_prompt_tokens(&self) -> u32 {
        self.prompt_bytes
            .saturating_mul(self.limits.tokens_per_byte)
            .saturating_add(self.limits.template_tokens)
    }

    /// The receipt that its worker gave, if it is answered.
    pub fn receipt(&self, id: RequestId) -> Option<Receipt> {
        let (assignment, statement) = self.assignment.as_ref().zip(self.statement)?;
        Some(Receipt {
            request: id,
            checkpoint: self.checkpoint,
            prompt_hash: self.prompt_hash,
            parameters: self.parameters,
            seed: assignment.seed,
            output_hash: statement.output_hash,
            prompt_tokens: statement.prompt_tokens,
            output_tokens: statement.output_tokens,
            hidden_root: statement.hidden_root,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_the_order_of_requests() {
        let place = |request| Place::of(RequestId(request));
        let order = [place(8), place(255), place(256), Place::LAST];
        assert!(order.is_sorted());
        assert!(order.map(|place| place.encode()).is_sorted(), "as keys");
        assert_eq!(place(256).request(), RequestId(256));
    }

    #[test]
    fn a_load_is_what_was_added_to_it() {
        let load = Load::default().with(16, 100).with(8, 3);
        assert_eq!((load.open, load.tokens, load.prompt_bytes), (2, 24, 103));
        assert_eq!(load.without(16, 100).without(8, 3), Load::default());
    }
}
