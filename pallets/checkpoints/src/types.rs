//! What the pallet records.

use crate::Config;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::fungible::Inspect, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_protocol::{
    interfaces::{ModelLimits, Trained},
    CheckpointId, FamilyId,
};
use scale_info::TypeInfo;
use sp_core::H256;

/// The runtime's balance.
pub type BalanceOf<T> =
    <<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;
/// A family of the runtime.
pub type FamilyOf<T> = Family<
    <T as frame_system::Config>::AccountId,
    BalanceOf<T>,
    BoundedVec<u8, <T as Config>::MaxName>,
>;
/// A checkpoint of the runtime.
pub type CheckpointOf<T> = Checkpoint<
    <T as frame_system::Config>::AccountId,
    BalanceOf<T>,
    BlockNumberFor<T>,
    BoundedVec<u8, <T as Config>::MaxLicence>,
>;

/// A holder of the runtime.
pub type HoldingOf<T> = Holding<<T as frame_system::Config>::AccountId>;

/// The dimensions of a decoder-only transformer with grouped-query attention.
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
pub struct Architecture {
    /// Transformer blocks.
    pub layers: u32,
    /// Width of the residual stream.
    pub hidden: u32,
    /// Query heads.
    pub heads: u32,
    /// Key and value heads; each serves as many query heads as any other.
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

impl Architecture {
    /// Whether a model can have these dimensions: none is zero, query heads divide evenly among key
    /// and value heads, and a head has an even width to rotate.
    pub fn is_possible(&self) -> bool {
        let dimensions = [
            self.layers,
            self.hidden,
            self.heads,
            self.kv_heads,
            self.head_dim,
            self.feed_forward,
            self.vocabulary,
            self.context_length,
        ];
        dimensions.iter().all(|dimension| *dimension > 0)
            && self.heads.is_multiple_of(self.kv_heads)
            && self.head_dim.is_multiple_of(2)
    }

    /// What a checkpoint with these dimensions and `tokens` allows a request.
    pub const fn limits(&self, tokens: TokenBounds) -> ModelLimits {
        ModelLimits {
            context_length: self.context_length,
            vocabulary: self.vocabulary,
            tokens_per_byte: tokens.tokens_per_byte,
            template_tokens: tokens.template_tokens,
        }
    }
}

/// How many tokens a prompt can become, as the manifest states.
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
pub struct TokenBounds {
    /// Most tokens that one byte of a prompt's text can become.
    pub tokens_per_byte: u32,
    /// Most tokens that the chat template adds to those of the prompt's text.
    pub template_tokens: u32,
}

/// What the checkpoints of a family share.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Family<AccountId, Balance, Name> {
    /// What people call it, in UTF-8.
    pub name: Name,
    /// The dimensions of the model.
    pub architecture: Architecture,
    /// The hash of the tokenizer file.
    pub tokenizer_hash: H256,
    /// The version of the integer arithmetic that defines every answer.
    pub numerics_version: u32,
    /// Who paid the deposit.
    pub owner: AccountId,
    /// What is held from the owner.
    pub deposit: Balance,
    /// Recorded checkpoints, withdrawn ones included.
    pub checkpoints: u32,
}

/// A set of weights and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Checkpoint<AccountId, Balance, BlockNumber, Licence> {
    /// Its family.
    pub family: FamilyId,
    /// The checkpoint it was made from.
    pub parent: Option<CheckpointId>,
    /// How many ancestors it has.
    pub generation: u32,
    /// Recorded checkpoints that name it as their parent.
    pub children: u32,
    /// The weights.
    pub weights: Weights,
    /// How many tokens a prompt can become.
    pub tokens: TokenBounds,
    /// The licence's SPDX identifier or name, in UTF-8.
    pub licence: Licence,
    /// How the weights came about.
    pub provenance: Provenance,
    /// Who paid the deposit; `None` for a checkpoint that a round of training made, which nobody
    /// owns.
    pub publisher: Option<AccountId>,
    /// What is held from the publisher.
    pub deposit: Balance,
    /// Whether requests may name it.
    pub status: Status,
    /// Whether it is, or ever was, canonical. Others are made from such checkpoints only, so the record of
    /// any other can be replaced.
    pub was_canonical: bool,
    /// The block of its registration.
    pub registered_at: BlockNumber,
}

/// What identifies the weights.
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
pub struct Weights {
    /// The Merkle root over the tiles.
    pub root: H256,
    /// The size of all tiles.
    pub bytes: u64,
}

/// An operator that announced to hold the weights of a checkpoint, and what to ask it for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Holding<AccountId> {
    /// The operator's controller.
    pub holder: AccountId,
    /// The hash under which it shares the checkpoint's files: a name for the transfer and no more.
    /// What arrives is the checkpoint if its manifest and weights root say so.
    pub blob: H256,
}

/// How the weights of a checkpoint came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Provenance {
    /// Converted from a published file.
    Imported {
        /// The hash of that file.
        source_hash: H256,
    },
    /// Trained from the parent.
    Trained(Trained),
}

/// Whether requests may name a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Status {
    /// They may.
    Active,
    /// They may no more.
    Withdrawn,
}

/// What an audit counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AuditReport<Balance> {
    /// Recorded families.
    pub families: u32,
    /// Recorded checkpoints.
    pub checkpoints: u32,
    /// The sum of all deposits.
    pub deposits: Balance,
}

/// What an audit found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum AuditFailure {
    /// The deposits recorded for an account are not what is held from it.
    DepositNotHeld,
    /// The deposits together exceed what a balance can hold.
    DepositsOverflow,
    /// A family's number is not below the next one.
    FamilyNotCounted,
    /// A family's name does not lead back to it, or a name leads to no family.
    NameNotIndexed,
    /// A family or a parent counts other than the checkpoints there are.
    WrongCount,
    /// A checkpoint's family or parent is not recorded, or the parent is of another family.
    BrokenLineage,
    /// A checkpoint's generation does not follow its parent's.
    WrongGeneration,
    /// A checkpoint was made from one that was never canonical.
    ParentNeverCanonical,
    /// A canonical checkpoint is not an active one of its family, or not noted to be canonical.
    CanonicalNotActive,
    /// A list of holders is of a checkpoint that is not active, or names an operator twice.
    WrongHolders,
    /// A checkpoint has no room for a prompt and an answer.
    NoRoom,
}

impl AuditFailure {
    /// The fact as a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DepositNotHeld => "recorded deposits are not what is held",
            Self::DepositsOverflow => "the deposits together exceed what a balance can hold",
            Self::FamilyNotCounted => "a family's number is not below the next one",
            Self::NameNotIndexed => "a family's name does not lead back to it",
            Self::WrongCount => "checkpoints are miscounted",
            Self::BrokenLineage => "a checkpoint's family or parent is missing or another's",
            Self::WrongGeneration => "a generation does not follow the parent's",
            Self::ParentNeverCanonical => "a checkpoint was made from one that was never canonical",
            Self::CanonicalNotActive => "a canonical checkpoint is not active in its family",
            Self::WrongHolders => "a list of holders is stale or names an operator twice",
            Self::NoRoom => "a checkpoint has no room for a prompt and an answer",
        }
    }
}
