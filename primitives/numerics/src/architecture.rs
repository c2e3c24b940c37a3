//! The shape of a model: every number from which the layout of its weights follows.

#[cfg(feature = "codec")]
mod encoding;
mod variant;

pub use variant::{AttentionWindow, ExpertMixture, LayerPattern, Variant};

use crate::{fixed::round_shift, Network};
use core::fmt;

/// Elements that share one scale or exponent, along the axis a dot product sums over.
pub const BLOCK: usize = 32;

/// Shape of a transformer: Llama 2's, and its [variant](Variant).
///
/// A value that [`validate`](Self::validate) accepts can be laid out and executed without any
/// intermediate result leaving the integer type it is computed in.
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
pub struct Architecture {
    /// Transformer layers, 1 to [`MAX_LAYERS`](Self::MAX_LAYERS).
    pub layers: u32,
    /// Width of the residual stream: a multiple of 32, at most
    /// [`MAX_COLUMNS`](Self::MAX_COLUMNS).
    pub hidden: u32,
    /// Query heads; a multiple of `kv_heads`.
    pub heads: u32,
    /// Key/value heads, each shared by `heads / kv_heads` query heads.
    pub kv_heads: u32,
    /// Width of a head: a multiple of 32, at most [`MAX_HEAD_DIM`](Self::MAX_HEAD_DIM).
    /// `heads * head_dim` is at most [`MAX_COLUMNS`](Self::MAX_COLUMNS).
    pub head_dim: u32,
    /// Width of the gated feed-forward layer: a multiple of 32, at most
    /// [`MAX_COLUMNS`](Self::MAX_COLUMNS). That of an expert if every layer has [experts](Variant::experts).
    pub feed_forward: u32,
    /// Tokens, 1 to [`MAX_VOCABULARY`](Self::MAX_VOCABULARY).
    pub vocabulary: u32,
    /// Positions that the rotation table covers, 1 to [`MAX_CONTEXT`](Self::MAX_CONTEXT).
    pub context_length: u32,
    /// Epsilon of every RMS norm, in units of 2^-32.
    pub norm_epsilon_q32: u32,
    /// Whether the output head is the token embedding.
    pub tied_head: bool,
    /// How the network differs from that of Llama 2.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Variant::is_llama")
    )]
    pub variant: Variant,
}

/// A dimension of an [`Architecture`], as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dimension {
    /// [`Architecture::layers`].
    Layers,
    /// [`Architecture::hidden`].
    Hidden,
    /// [`Architecture::heads`].
    Heads,
    /// [`Architecture::kv_heads`].
    KvHeads,
    /// [`Architecture::head_dim`].
    HeadDim,
    /// `heads * head_dim`, the reduction axis of the attention's output projection.
    AttentionWidth,
    /// [`Architecture::feed_forward`].
    FeedForward,
    /// [`Architecture::vocabulary`].
    Vocabulary,
    /// [`Architecture::context_length`].
    ContextLength,
    /// [`AttentionWindow::positions`].
    Window,
    /// [`ExpertMixture::count`].
    Experts,
    /// [`ExpertMixture::chosen`].
    ChosenExperts,
    /// [`ExpertMixture::width`].
    ExpertWidth,
    /// `chosen * width` of [`ExpertMixture`], the width of a position's experts together.
    ChosenWidth,
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Layers => "layers",
            Self::Hidden => "hidden",
            Self::Heads => "heads",
            Self::KvHeads => "kv_heads",
            Self::HeadDim => "head_dim",
            Self::AttentionWidth => "heads * head_dim",
            Self::FeedForward => "feed_forward",
            Self::Vocabulary => "vocabulary",
            Self::ContextLength => "context_length",
            Self::Window => "window",
            Self::Experts => "experts.count",
            Self::ChosenExperts => "experts.chosen",
            Self::ExpertWidth => "experts.width",
            Self::ChosenWidth => "experts.chosen * experts.width",
        })
    }
}

/// Why an [`Architecture`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// A dimension is zero.
    Zero(Dimension),
    /// A dimension is above the largest for which the arithmetic is proven not to overflow.
    TooLarge {
        /// The dimension.
        dimension: Dimension,
        /// Its value.
        value: u64,
        /// The largest value.
        limit: u64,
    },
    /// A reduction axis does not divide into blocks of 32.
    NotInBlocks {
        /// The dimension.
        dimension: Dimension,
        /// Its value.
        value: u32,
    },
    /// The query heads cannot be shared out evenly over the key/value heads.
    UnevenHeads {
        /// Query heads.
        heads: u32,
        /// Key/value heads.
        kv_heads: u32,
    },
    /// A pattern of layers applies to none of them, or has a shorter form.
    Pattern {
        /// The pattern.
        pattern: LayerPattern,
        /// Layers of the architecture.
        layers: u32,
    },
    /// Layers with a window have a table of rotations of their own, but there are none, or no others.
    WindowedRope,
    /// Every layer has experts, and the width of the dense layers, of which there are none, is not theirs.
    UnusedFeedForward {
        /// [`Architecture::feed_forward`].
        feed_forward: u32,
        /// [`ExpertMixture::width`].
        width: u32,
    },
    /// The weights would hold more tiles than a tile index can address.
    TooManyTiles {
        /// Tiles that the architecture needs.
        tiles: u64,
    },
}

impl fmt::Display for ArchitectureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero(dimension) => write!(f, "the architecture's {dimension} is zero"),
            Self::TooLarge {
                dimension,
                value,
                limit,
            } => write!(
                f,
                "the architecture's {dimension} is {value}; at most {limit} is supported"
            ),
            Self::NotInBlocks { dimension, value } => write!(
                f,
                "the architecture's {dimension} is {value}, which is not a multiple of {BLOCK}"
            ),
            Self::UnevenHeads { heads, kv_heads } => write!(
                f,
                "{heads} query heads cannot be shared evenly by {kv_heads} key/value heads"
            ),
            Self::Pattern { pattern, layers } => write!(
                f,
                "the architecture has {layers} layers, to which the pattern of {pattern} does not apply"
            ),
            Self::WindowedRope => f.write_str(
                "the architecture has a rotation for layers with a window, but not layers with and without one",
            ),
            Self::UnusedFeedForward {
                feed_forward,
                width,
            } => write!(
                f,
                "every layer of the architecture has experts of width {width}, so that its feed_forward must be \
                 the same and not {feed_forward}"
            ),
            Self::TooManyTiles { tiles } => write!(
                f,
                "the weights would need {tiles} tiles; at most {} can be addressed",
                u32::MAX
            ),
        }
    }
}

impl core::error::Error for ArchitectureError {}

impl Architecture {
    /// Most layers.
    pub const MAX_LAYERS: u32 = 1_024;
    /// Longest reduction axis of a linear layer: 1,024 blocks of 32, so that the exact 64-bit sum
    /// of a row cannot overflow (see [`crate::linear`]).
    pub const MAX_COLUMNS: u32 = 32_768;
    /// Widest head: 16 blocks of 32, so that the exact 64-bit sum of a score cannot overflow (see
    /// [`crate::attention`]).
    pub const MAX_HEAD_DIM: u32 = 512;
    /// Most tokens in a vocabulary, so that the sum of sampling weights stays below 2^51.
    pub const MAX_VOCABULARY: u32 = 1 << 20;
    /// Longest context, so that sums over positions stay inside 64 bits (see
    /// [`crate::attention`]).
    pub const MAX_CONTEXT: u32 = 131_072;

    /// Most experts of a layer, so that the sum of their powers stays below 2^40 (see [`crate::route`]).
    pub const MAX_EXPERTS: u32 = 512;
    /// Most experts of a position, so that the sum of their outputs cannot overflow (see [`crate::mix`]).
    pub const MAX_CHOSEN_EXPERTS: u32 = 32;

    /// Refuses a shape that cannot be laid out or whose arithmetic could overflow.
    pub fn validate(&self) -> Result<(), ArchitectureError> {
        Network::new(self).map(drop)
    }

    /// As [`validate`](Self::validate), except for the number of tiles.
    pub(crate) fn validate_dimensions(&self) -> Result<(), ArchitectureError> {
        use Dimension::*;
        within(Layers, self.layers, Self::MAX_LAYERS)?;
        within(Hidden, self.hidden, Self::MAX_COLUMNS)?;
        within(Heads, self.heads, Self::MAX_COLUMNS)?;
        within(KvHeads, self.kv_heads, Self::MAX_COLUMNS)?;
        within(HeadDim, self.head_dim, Self::MAX_HEAD_DIM)?;
        within(FeedForward, self.feed_forward, Self::MAX_COLUMNS)?;
        within(Vocabulary, self.vocabulary, Self::MAX_VOCABULARY)?;
        within(ContextLength, self.context_length, Self::MAX_CONTEXT)?;
        in_blocks(Hidden, self.hidden)?;
        in_blocks(HeadDim, self.head_dim)?;
        in_blocks(FeedForward, self.feed_forward)?;
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(ArchitectureError::UnevenHeads {
                heads: self.heads,
                kv_heads: self.kv_heads,
            });
        }
        self.variant.validate(self.layers)?;
        self.variant.validate_feed_forward(self.feed_forward)?;
        let attention_width = u64::from(self.heads) * u64::from(self.head_dim);
        if attention_width > u64::from(Self::MAX_COLUMNS) {
            return Err(ArchitectureError::TooLarge {
                dimension: AttentionWidth,
                value: attention_width,
                limit: u64::from(Self::MAX_COLUMNS),
            });
        }
        Ok(())
    }

    /// Width of all query heads together.
    pub const fn attention_width(&self) -> usize {
        self.heads as usize * self.head_dim as usize
    }

    /// Width of all key (or value) heads together.
    pub const fn kv_width(&self) -> usize {
        self.kv_heads as usize * self.head_dim as usize
    }

    /// Epsilon of the norms of the residual stream, in units of 2^-32: divided by the width where the stream is, see
    /// [`Variant::scaled_embedding`].
    pub const fn residual_epsilon_q32(&self) -> u32 {
        match self.variant.scaled_embedding {
            true => round_shift(
                ((self.norm_epsilon_q32 as i64) << 1) / self.hidden as i64,
                1,
            ) as u32,
            false => self.norm_epsilon_q32,
        }
    }

    /// Query heads that share one key/value head.
    pub const fn heads_per_kv(&self) -> usize {
        (self.heads / self.kv_heads) as usize
    }
}

fn within(dimension: Dimension, value: u32, limit: u32) -> Result<(), ArchitectureError> {
    if value == 0 {
        return Err(ArchitectureError::Zero(dimension));
    }
    if value > limit {
        return Err(ArchitectureError::TooLarge {
            dimension,
            value: u64::from(value),
            limit: u64::from(limit),
        });
    }
    Ok(())
}

fn in_blocks(dimension: Dimension, value: u32) -> Result<(), ArchitectureError> {
    if !(value as usize).is_multiple_of(BLOCK) {
        return Err(ArchitectureError::NotInBlocks { dimension, value });
    }
    Ok(())
}
