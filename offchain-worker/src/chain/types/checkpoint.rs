//! Families and checkpoints.

// The derives bring a path into scope that structs do not use.
#![allow(unused_imports)]

use super::{both_ways, from_chain};
use noema_checkpoint::{Architecture, LayerPattern, Variant};
use noema_protocol::{CheckpointId, FamilyId};
use serde::Serialize;
use sp_core::H256;
use std::collections::BTreeSet;
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
        /// Epsilon of every RMS norm, in units of 2^-32.
        pub norm_epsilon_q32: u32,
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
        /// What a sublayer adds to the residual stream is normed before.
        PostNorms,
        /// The feed-forward layer is gated by GELU instead of SiLU.
        Gelu,
        /// The embedding is multiplied by the square root of its width.
        ScaledEmbedding,
        /// The layers with a window have a table of rotations of their own.
        WindowedRope,
        /// Some layers have experts.
        Experts(WireExperts),
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

both_ways! {
    /// The experts that some layers have instead of one feed-forward layer.
    #[derive(Copy)]
    pub struct WireExperts {
        /// Experts of a layer.
        pub count: u32,
        /// Experts that a position takes.
        pub chosen: u32,
        /// Width of an expert.
        pub width: u32,
        /// Whether the weights of a position's experts add up to 1.
        pub renormalised: bool,
        /// The layers.
        pub layers: WireLayerPattern,
    }
}

impl WireArchitecture {
    /// In what `other` differs, by the names of a manifest.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let Self {
            layers,
            hidden,
            heads,
            kv_heads,
            head_dim,
            feed_forward,
            vocabulary,
            context_length,
            norm_epsilon_q32,
            tied_head,
            variant,
        } = self;
        let fields = [
            ("layers", *layers == other.layers),
            ("hidden", *hidden == other.hidden),
            ("heads", *heads == other.heads),
            ("kv_heads", *kv_heads == other.kv_heads),
            ("head_dim", *head_dim == other.head_dim),
            ("feed_forward", *feed_forward == other.feed_forward),
            ("vocabulary", *vocabulary == other.vocabulary),
            ("context_length", *context_length == other.context_length),
            (
                "norm_epsilon_q32",
                *norm_epsilon_q32 == other.norm_epsilon_q32,
            ),
            ("tied_head", *tied_head == other.tied_head),
        ];
        let fields = fields.into_iter().filter(|(_, is_same)| !is_same);
        let sides = [(variant, &other.variant), (&other.variant, variant)];
        let features = sides.into_iter().flat_map(|(one, two)| {
            let only = one.iter().filter(move |feature| !two.contains(feature));
            only.map(WireFeature::name)
        });
        // One that both have with other numbers is in both lists.
        let features = features.collect::<BTreeSet<_>>();
        fields
            .map(|(name, _)| name.to_owned())
            .chain(features.iter().map(|name| format!("variant.{name}")))
            .collect()
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
            Self::PostNorms => "post_norms",
            Self::Gelu => "gelu",
            Self::ScaledEmbedding => "scaled_embedding",
            Self::WindowedRope => "windowed_rope",
            Self::Experts(_) => "experts",
        }
    }

    fn all_of(variant: &Variant) -> Vec<Self> {
        let Variant {
            projection_biases,
            head_norms,
            unrotated,
            window,
            post_norms,
            gelu,
            scaled_embedding,
            windowed_rope,
            experts,
        } = *variant;
        let window = window.map(|window| WireWindow {
            positions: window.positions,
            layers: window.layers.into(),
        });
        let experts = experts.map(|experts| WireExperts {
            count: experts.count,
            chosen: experts.chosen,
            width: experts.width,
            renormalised: experts.renormalised,
            layers: experts.layers.into(),
        });
        let features = [
            projection_biases.then_some(Self::ProjectionBiases),
            head_norms.then_some(Self::HeadNorms),
            unrotated.map(|layers| Self::Unrotated(layers.into())),
            window.map(Self::Window),
            post_norms.then_some(Self::PostNorms),
            gelu.then_some(Self::Gelu),
            scaled_embedding.then_some(Self::ScaledEmbedding),
            windowed_rope.then_some(Self::WindowedRope),
            experts.map(Self::Experts),
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
            norm_epsilon_q32: architecture.norm_epsilon_q32,
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

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;
    use noema_checkpoint::AttentionWindow;
    use scale_info::{MetaType, PortableRegistry, Registry};

    const LLAMA: Architecture = Architecture {
        layers: 4,
        hidden: 64,
        heads: 4,
        kv_heads: 2,
        head_dim: 32,
        feed_forward: 96,
        vocabulary: 264,
        context_length: 1_024,
        norm_epsilon_q32: 42_950,
        tied_head: true,
        variant: Variant::LLAMA,
    };

    fn windowed(positions: u32) -> Architecture {
        Architecture {
            variant: Variant {
                head_norms: true,
                unrotated: Some(LayerPattern::Every(4)),
                window: Some(AttentionWindow {
                    positions,
                    layers: LayerPattern::ExceptEvery(2),
                }),
                ..Variant::LLAMA
            },
            ..LLAMA
        }
    }

    #[test]
    fn the_differences_of_a_variant_are_listed_in_their_order() {
        assert!(WireArchitecture::from(&LLAMA).variant.is_empty());
        let window = WireWindow {
            positions: 512,
            layers: WireLayerPattern::ExceptEvery(2),
        };
        assert_eq!(
            WireArchitecture::from(&windowed(512)).variant,
            [
                WireFeature::HeadNorms,
                WireFeature::Unrotated(WireLayerPattern::Every(4)),
                WireFeature::Window(window),
            ]
        );
    }

    #[test]
    fn a_variant_has_the_encoding_of_the_runtime() {
        let mut registry = Registry::new();
        let id = registry.register_type(&MetaType::new::<Variant>()).id;
        let types = PortableRegistry::from(registry);
        let gemma = Variant {
            post_norms: true,
            gelu: true,
            scaled_embedding: true,
            windowed_rope: true,
            ..windowed(512).variant
        };
        for variant in [Variant::LLAMA, windowed(512).variant, gemma] {
            let features = WireFeature::all_of(&variant);
            let bytes = features.encode_as_type(id, &types).expect("is encoded");
            assert_eq!(bytes, variant.encode());
            let decoded = Vec::<WireFeature>::decode_as_type(&mut &bytes[..], id, &types);
            assert_eq!(decoded.expect("is decoded"), features);
        }
    }

    #[test]
    fn architectures_differ_by_the_names_of_a_manifest() {
        let differences = |one: &Architecture, other: &Architecture| {
            WireArchitecture::from(one).differences(&other.into())
        };
        assert!(differences(&windowed(512), &windowed(512)).is_empty());
        assert_eq!(
            differences(&windowed(512), &windowed(511)),
            ["variant.window"]
        );
        let longer = Architecture {
            context_length: 2_048,
            norm_epsilon_q32: 4_295,
            ..LLAMA
        };
        let expected = [
            "context_length",
            "norm_epsilon_q32",
            "variant.head_norms",
            "variant.unrotated",
            "variant.window",
        ];
        assert_eq!(differences(&longer, &windowed(512)), expected);
        assert_eq!(differences(&windowed(512), &longer), expected);
    }
}
