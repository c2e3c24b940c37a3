//! The differences between the network of an architecture and that of Llama 2.

use super::{in_blocks, within, Architecture, ArchitectureError, Dimension};
use core::fmt;

/// How a network differs from that of Llama 2, which is the [default](Self::LLAMA).
///
/// Its SCALE encoding is the list of the differences that it has, in the order of the fields. Architectures that
/// later versions add extend the list, and leave the encoding of the others as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct Variant {
    /// Whether the projections to queries, keys and values have biases: Qwen 2.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "core::ops::Not::not"))]
    pub projection_biases: bool,
    /// Whether each head of the queries and of the keys is normed before its rotation: Qwen 3.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "core::ops::Not::not"))]
    pub head_norms: bool,
    /// The layers that do not rotate queries and keys: SmolLM3.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub unrotated: Option<LayerPattern>,
    /// The window of attention in some layers: Mistral. Without it, a position sees all before it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub window: Option<AttentionWindow>,
    /// Whether what a sublayer adds to the residual stream is normed before: Gemma 3.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "core::ops::Not::not"))]
    pub post_norms: bool,
    /// Whether the feed-forward layer is gated by GELU instead of SiLU: Gemma 3.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "core::ops::Not::not"))]
    pub gelu: bool,
    /// Whether the embedding is multiplied by the square root of its width d: Gemma 3. The residual stream is kept
    /// divided by √d instead, so that the embedding, which is the output head, too, is not multiplied: the norms of
    /// the stream have ε / d, and the gains of what is added to it are divided by √d, which is the import's work.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "core::ops::Not::not"))]
    pub scaled_embedding: bool,
    /// Whether the layers with a window have a table of rotations of their own: Gemma 3.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "core::ops::Not::not"))]
    pub windowed_rope: bool,
    /// The experts that some layers have instead of one feed-forward layer: Qwen 3 MoE.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub experts: Option<ExpertMixture>,
}

/// The feed-forward layers of some layers, of which each position takes a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "codec",
    derive(
        codec::Encode,
        codec::Decode,
        codec::DecodeWithMemTracking,
        codec::MaxEncodedLen,
        scale_info::TypeInfo
    )
)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct ExpertMixture {
    /// Experts of a layer, 1 to [`MAX_EXPERTS`](Architecture::MAX_EXPERTS).
    pub count: u32,
    /// Experts that a position takes, at most all and at most
    /// [`MAX_CHOSEN_EXPERTS`](Architecture::MAX_CHOSEN_EXPERTS).
    pub chosen: u32,
    /// Width of an expert: a multiple of 32. `chosen * width` is at most
    /// [`MAX_COLUMNS`](Architecture::MAX_COLUMNS).
    pub width: u32,
    /// Whether the weights of a position's experts add up to 1, instead of those of all experts.
    pub renormalised: bool,
    /// The layers that have experts.
    pub layers: LayerPattern,
}

impl ExpertMixture {
    /// Refuses numbers for which the arithmetic is not proven.
    fn validate(&self) -> Result<(), ArchitectureError> {
        within(Dimension::Experts, self.count, Architecture::MAX_EXPERTS)?;
        let most = self.count.min(Architecture::MAX_CHOSEN_EXPERTS);
        within(Dimension::ChosenExperts, self.chosen, most)?;
        within(
            Dimension::ExpertWidth,
            self.width,
            Architecture::MAX_COLUMNS,
        )?;
        in_blocks(Dimension::ExpertWidth, self.width)?;
        within(
            Dimension::ChosenWidth,
            self.chosen.saturating_mul(self.width),
            Architecture::MAX_COLUMNS,
        )
    }
}

/// The positions that some layers attend to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "codec",
    derive(
        codec::Encode,
        codec::Decode,
        codec::DecodeWithMemTracking,
        codec::MaxEncodedLen,
        scale_info::TypeInfo
    )
)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct AttentionWindow {
    /// The last positions that a position sees, itself among them, at least 1.
    pub positions: u32,
    /// The layers.
    pub layers: LayerPattern,
}

/// Some of the layers of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "codec",
    derive(
        codec::Encode,
        codec::Decode,
        codec::DecodeWithMemTracking,
        codec::MaxEncodedLen,
        scale_info::TypeInfo
    )
)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum LayerPattern {
    /// This layer, counted from 0, and all after it.
    #[cfg_attr(feature = "codec", codec(index = 0))]
    From(u32),
    /// The last of each group of so many layers, at least 2.
    #[cfg_attr(feature = "codec", codec(index = 1))]
    Every(u32),
    /// All but the last of each group of so many layers, at least 2.
    #[cfg_attr(feature = "codec", codec(index = 2))]
    ExceptEvery(u32),
}

impl LayerPattern {
    /// All layers.
    pub const ALL: Self = Self::From(0);

    /// Whether `layer`, counted from 0, is one of them.
    pub const fn contains(self, layer: u32) -> bool {
        match self {
            Self::From(first) => layer >= first,
            Self::Every(group) => is_last(layer, group),
            Self::ExceptEvery(group) => !is_last(layer, group),
        }
    }

    /// Refuses a pattern that selects the same of `layers` layers as another, or none.
    const fn validate(self, layers: u32) -> Result<(), ArchitectureError> {
        let applies = match self {
            Self::From(first) => first < layers,
            Self::Every(group) | Self::ExceptEvery(group) => group >= 2 && group <= layers,
        };
        match applies {
            true => Ok(()),
            false => Err(ArchitectureError::Pattern {
                pattern: self,
                layers,
            }),
        }
    }
}

/// Whether `layer` is the last of its group.
const fn is_last(layer: u32, group: u32) -> bool {
    (layer as u64 + 1).is_multiple_of(group as u64)
}

impl fmt::Display for LayerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(first) => write!(f, "the layers from {first} on"),
            Self::Every(group) => write!(f, "the last of every {group} layers"),
            Self::ExceptEvery(group) => write!(f, "all but the last of every {group} layers"),
        }
    }
}

impl Variant {
    /// Llama 2 and 3.
    pub const LLAMA: Self = Self {
        projection_biases: false,
        head_norms: false,
        unrotated: None,
        window: None,
        post_norms: false,
        gelu: false,
        scaled_embedding: false,
        windowed_rope: false,
        experts: None,
    };

    /// Whether `layer` rotates queries and keys.
    pub fn rotates(&self, layer: u32) -> bool {
        !self
            .unrotated
            .is_some_and(|pattern| pattern.contains(layer))
    }

    /// The last positions that a position sees in `layer`, if not all.
    pub fn window(&self, layer: u32) -> Option<u32> {
        let window = self.window?;
        window.layers.contains(layer).then_some(window.positions)
    }

    /// The experts of `layer`, if it has any.
    pub fn experts(&self, layer: u32) -> Option<ExpertMixture> {
        self.experts
            .filter(|experts| experts.layers.contains(layer))
    }

    /// Refuses an empty window, experts for which the arithmetic is not proven, patterns that do not apply to
    /// `layers` layers, and a table of rotations for windows that no layer, or each, has.
    ///
    /// # Errors
    /// [`ArchitectureError::Zero`], [`ArchitectureError::TooLarge`], [`ArchitectureError::NotInBlocks`],
    /// [`ArchitectureError::Pattern`] and [`ArchitectureError::WindowedRope`].
    pub fn validate(&self, layers: u32) -> Result<(), ArchitectureError> {
        if self.window.is_some_and(|window| window.positions == 0) {
            return Err(ArchitectureError::Zero(Dimension::Window));
        }
        if let Some(experts) = self.experts {
            experts.validate()?;
        }
        let windowed = self.window.map(|window| window.layers);
        if self.windowed_rope && windowed.is_none_or(|layers| layers == LayerPattern::ALL) {
            return Err(ArchitectureError::WindowedRope);
        }
        let sparse = self.experts.map(|experts| experts.layers);
        let mut patterns = self.unrotated.into_iter().chain(windowed).chain(sparse);
        patterns.try_for_each(|pattern| pattern.validate(layers))
    }

    /// Refuses a width of dense layers other than that of the experts where every layer has experts: equal networks
    /// have equal architectures. The variant is [valid](Self::validate).
    ///
    /// # Errors
    /// [`ArchitectureError::UnusedFeedForward`].
    pub fn validate_feed_forward(&self, feed_forward: u32) -> Result<(), ArchitectureError> {
        // Of valid patterns only this one has all layers.
        let everywhere = self
            .experts
            .filter(|experts| experts.layers == LayerPattern::ALL);
        match everywhere {
            Some(ExpertMixture { width, .. }) if width != feed_forward => {
                Err(ArchitectureError::UnusedFeedForward {
                    feed_forward,
                    width,
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether the network is that of Llama 2.
    pub fn is_llama(&self) -> bool {
        *self == Self::LLAMA
    }
}
