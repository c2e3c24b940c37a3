//! The types of the pallet's storage and interfaces.

use crate::Config;
use frame_support::{traits::fungible::Inspect, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use noema_interfaces::Trained;
use noema_protocol::{apply, sent, stored, CheckpointId, FamilyId, ModelLimits};
use sp_core::H256;

pub use noema_numerics::{AttentionWindow, ExpertMixture, LayerPattern, Variant};

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

/// The network of a model: a decoder-only transformer with grouped-query attention, by its dimensions, the epsilon of
/// its norms, and how it differs from Llama 2.
#[apply(sent)]
#[derive(Copy)]
pub struct Architecture {
    /// Transformer blocks.
    pub layers: u32,
    /// Width of the residual stream.
    pub hidden: u32,
    /// Query heads.
    pub heads: u32,
    /// Key and value heads; each serves the same number of query heads.
    pub kv_heads: u32,
    /// Width of one head.
    pub head_dim: u32,
    /// Width of the feed-forward layer.
    pub feed_forward: u32,
    /// Number of token ids.
    pub vocabulary: u32,
    /// Longest prompt and answer together, in tokens.
    pub context_length: u32,
    /// Epsilon of every RMS norm, in units of 2^-32.
    pub norm_epsilon_q32: u32,
    /// Whether the output head is the token embedding.
    pub tied_head: bool,
    /// How the network differs from that of Llama 2: the list of its differences, each at most once and in their
    /// order, or it is not decoded.
    pub variant: Variant,
}

impl Architecture {
    /// Whether a model can have this network: no dimension is zero, query heads divide evenly among key and value
    /// heads, a head has an even width to rotate, and the variant applies to the layers and their width.
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
            && self.variant.validate(self.layers).is_ok()
            && self
                .variant
                .validate_feed_forward(self.feed_forward)
                .is_ok()
    }

    /// The limits of a request to a checkpoint with these dimensions and `tokens`. The variant changes none of them:
    /// with a window of attention, too, the cache keeps all positions.
    pub const fn limits(&self, tokens: TokenBounds) -> ModelLimits {
        ModelLimits {
            context_length: self.context_length,
            vocabulary: self.vocabulary,
            tokens_per_byte: tokens.tokens_per_byte,
            template_tokens: tokens.template_tokens,
        }
    }
}

/// The bounds of the tokens of a prompt, as the manifest states them.
#[apply(sent)]
#[derive(Copy)]
pub struct TokenBounds {
    /// Most tokens that one byte of a prompt's text can become.
    pub tokens_per_byte: u32,
    /// Most tokens that the frame adds to those of the prompt's text.
    pub template_tokens: u32,
}

/// The common properties of the checkpoints of a family.
#[apply(stored)]
pub struct Family<AccountId, Balance, Name> {
    /// Its display name, in UTF-8.
    pub name: Name,
    /// The network of the model.
    pub architecture: Architecture,
    /// The hash of the tokenizer file.
    pub tokenizer_hash: H256,
    /// The version of the integer arithmetic that defines every answer.
    pub numerics_version: u32,
    /// The version of the rules by which a prompt becomes tokens and tokens become text.
    pub text_layer: u32,
    /// The account that paid the deposit.
    pub owner: AccountId,
    /// The amount held from the owner.
    pub deposit: Balance,
    /// Recorded checkpoints, withdrawn ones included.
    pub checkpoints: u32,
}

/// A set of weights and its origin.
#[apply(stored)]
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
    /// The bounds that it puts on a request: those of its family's architecture, and those of the tokens of a
    /// prompt.
    pub limits: ModelLimits,
    /// The licence's SPDX identifier or name, in UTF-8.
    pub licence: Licence,
    /// The origin of the weights.
    pub provenance: Provenance,
    /// The account that paid the deposit; `None` for a checkpoint that a round of training made, which has no
    /// owner.
    pub publisher: Option<AccountId>,
    /// The amount held from the publisher.
    pub deposit: Balance,
    /// Whether requests may name it.
    pub status: Status,
    /// Whether it is, or ever was, canonical. Only such checkpoints have descendants, so the record of any
    /// other can be replaced.
    pub was_canonical: bool,
    /// The block of its registration.
    pub registered_at: BlockNumber,
}

/// The identity of the weights.
#[apply(sent)]
#[derive(Copy)]
pub struct Weights {
    /// The Merkle root over the tiles.
    pub root: H256,
    /// The size of all tiles.
    pub bytes: u64,
}

/// An operator that announced to have the weights of a checkpoint, and the name of its files.
#[apply(stored)]
pub struct Holding<AccountId> {
    /// The operator's controller.
    pub holder: AccountId,
    /// The hash under which it shares the checkpoint's files. It only names the transfer: the manifest and
    /// the weights root decide whether the received files are the checkpoint.
    pub blob: H256,
}

/// The origin of a checkpoint's weights.
#[apply(stored)]
#[derive(Copy)]
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
#[apply(stored)]
#[derive(Copy)]
pub enum Status {
    /// They may.
    Active,
    /// They no longer may.
    Withdrawn,
}
