//! Families and checkpoints.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{both_ways, from_chain};
use noema_checkpoint::{Architecture, LayerPattern, Variant};
use noema_protocol::{CheckpointId, FamilyId};
use serde::Serialize;
use sp_core::H256;
use subxt::config::substrate::AccountId32;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsType;

both_ways! {
    /// The architecture of a model, as the chain records it.
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
        /// The most tokens of prompt and answer together.
        pub context_length: u32,
        /// Whether the output head is the token embedding.
        pub tied_head: bool,
        /// The differences of the network from that of Llama 2, each at most once and in this order.
        pub variant: Vec<WireFeature>,
    }
}

both_ways! {
    /// A difference of a network from that of Llama 2.
    pub enum WireFeature {
        /// The projections to queries, keys and values have biases.
        ProjectionBiases,
        /// Each head of the queries and of the keys is normed.
        HeadNorms,
        /// These layers do not rotate queries and keys.
        Unrotated(WireLayerPattern),
        /// Some layers have a window of attention.
        Window(WireWindow),
    }
}

both_ways! {
    /// Some of the layers of a network.
    pub enum WireLayerPattern {
        /// This layer, counted from 0, and all after it.
        From(u32),
        /// The last of each group of so many layers.
        Every(u32),
        /// All but the last of each group of so many layers.
        ExceptEvery(u32),
    }
}

both_ways! {
    /// The window of attention of some layers.
    #[derive(Copy)]
    pub struct WireWindow {
        /// The last positions that a position sees, itself among them.
        pub positions: u32,
        /// The layers.
        pub layers: WireLayerPattern,
    }
}

impl WireFeature {
    /// Its name in the `variant` of a manifest.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ProjectionBiases => "projection_biases",
            Self::HeadNorms => "head_norms",
            Self::Unrotated(_) => "unrotated",
            Self::Window(_) => "window",
        }
    }

    fn all_of(variant: &Variant) -> Vec<Self> {
        let Variant {
            projection_biases,
            head_norms,
            unrotated,
            window,
        } = *variant;
        let window = window.map(|window| WireWindow {
            positions: window.positions,
            layers: window.layers.into(),
        });
        let features = [
            projection_biases.then_some(Self::ProjectionBiases),
            head_norms.then_some(Self::HeadNorms),
            unrotated.map(|layers| Self::Unrotated(layers.into())),
            window.map(Self::Window),
        ];
        features.into_iter().flatten().collect()
    }
}

impl From<LayerPattern> for WireLayerPattern {
    fn from(pattern: LayerPattern) -> Self {
        match pattern {
            LayerPattern::From(first) => Self::From(first),
            LayerPattern::Every(group) => Self::Every(group),
            LayerPattern::ExceptEvery(group) => Self::ExceptEvery(group),
        }
    }
}

impl From<&Architecture> for WireArchitecture {
    fn from(architecture: &Architecture) -> Self {
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
            variant: WireFeature::all_of(&architecture.variant),
        }
    }
}

both_ways! {
    /// Bounds for the number of tokens of a prompt.
    pub struct WireTokenBounds {
        /// The most tokens that a byte of its text can become.
        pub tokens_per_byte: u32,
        /// The most tokens that the frame adds.
        pub template_tokens: u32,
    }
}

impl From<&noema_checkpoint::Manifest> for WireTokenBounds {
    fn from(manifest: &noema_checkpoint::Manifest) -> Self {
        Self {
            tokens_per_byte: manifest.tokens_per_byte,
            template_tokens: manifest.template_tokens,
        }
    }
}

from_chain! {
    /// The common properties of the checkpoints of a family.
    pub struct FamilyRecord {
        /// Its name, UTF-8.
        pub name: Vec<u8>,
        /// The architecture of the model.
        pub architecture: WireArchitecture,
        /// The hash of the tokenizer.
        pub tokenizer_hash: H256,
        /// The version of the integer arithmetic.
        pub numerics_version: u32,
        /// The version of the text layer.
        pub text_layer: u32,
    }
}

from_chain! {
    /// A registered checkpoint.
    pub struct CheckpointRecord {
        /// Its family.
        pub family: FamilyId,
        /// The checkpoint that it was made from.
        pub parent: Option<CheckpointId>,
        /// The weights.
        pub weights: Weights,
        /// Its token bounds; the chain has those of its architecture there, too.
        pub limits: WireTokenBounds,
        /// Whether requests may name it.
        pub status: Status,
    }
}

both_ways! {
    /// The weights of a checkpoint.
    pub struct Weights {
        /// The Merkle root over the tiles.
        pub root: H256,
        /// The size of all tiles in bytes.
        pub bytes: u64,
    }
}

from_chain! {
    /// An operator that announced to hold the weights of a checkpoint.
    pub struct Holding {
        /// The operator's controller.
        pub holder: AccountId32,
        /// The hash under which the operator shares the files.
        pub blob: H256,
    }
}

from_chain! {
    /// Whether requests may name a checkpoint.
    pub enum Status {
        /// They may.
        Active,
        /// They no longer may.
        Withdrawn,
    }
}
