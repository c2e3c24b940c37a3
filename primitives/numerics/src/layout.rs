//! The layout of the weights: the canonical list of tensors and their tiles.
//!
//! The weights of a checkpoint are one array of 544-byte tiles and nothing else. Tensors follow
//! each other in this order:
//!
//! 1. `token_embedding`
//! 2. for each layer: `attention_norm`, `query`, `key`, `value`, `attention_output`,
//!    `feed_forward_norm`, `gate`, `up`, `down`
//! 3. `final_norm`, then `output_head` where the head is not tied, then `rope`
//!
//! Each starts at a tile boundary and is padded with zero bytes to a whole number of tiles, so one
//! global tile index addresses any part of any tensor.
//!
//! | kind | content |
//! |---|---|
//! | linear, R rows × K columns | `ceil(R / 16)` row groups of `K / 32` tiles; all tiles of rows 0..16 first; missing rows are zero |
//! | gain, n | n little-endian i32 `g`; gain = `g * 2^E`, largest \|g\| in `2^29..2^30` |
//! | rope, P positions × d/2 | for each position and pair: cosine, sine as little-endian i32 in units of 2^-30 |
//!
//! Query and key rows are in Hugging Face order: element `i` of a head is rotated together with
//! element `i + d/2`.

use crate::{
    tile::{TILE_BYTES, TILE_COLUMNS, TILE_ROWS},
    Architecture, ArchitectureError,
};
use alloc::{format, string::String, vec::Vec};

/// The role of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TensorRole {
    /// Vocabulary × hidden; also the output head where that is tied.
    TokenEmbedding,
    /// Gains of the norm before attention.
    AttentionNorm,
    /// Attention width × hidden.
    Query,
    /// Key/value width × hidden.
    Key,
    /// Key/value width × hidden.
    Value,
    /// Hidden × attention width.
    AttentionOutput,
    /// Gains of the norm before the feed-forward layer.
    FeedForwardNorm,
    /// Feed-forward × hidden, through SiLU.
    Gate,
    /// Feed-forward × hidden.
    Up,
    /// Hidden × feed-forward.
    Down,
    /// Gains of the norm before the output head.
    FinalNorm,
    /// Vocabulary × hidden, where the head is not tied.
    OutputHead,
    /// Cosines and sines of the rotary position embedding.
    Rope,
}

impl TensorRole {
    /// The nine tensors of a layer, in order.
    pub const LAYER: [Self; 9] = [
        Self::AttentionNorm,
        Self::Query,
        Self::Key,
        Self::Value,
        Self::AttentionOutput,
        Self::FeedForwardNorm,
        Self::Gate,
        Self::Up,
        Self::Down,
    ];

    /// Name of the role in snake case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TokenEmbedding => "token_embedding",
            Self::AttentionNorm => "attention_norm",
            Self::Query => "query",
            Self::Key => "key",
            Self::Value => "value",
            Self::AttentionOutput => "attention_output",
            Self::FeedForwardNorm => "feed_forward_norm",
            Self::Gate => "gate",
            Self::Up => "up",
            Self::Down => "down",
            Self::FinalNorm => "final_norm",
            Self::OutputHead => "output_head",
            Self::Rope => "rope",
        }
    }

    /// Shape of the tensor with this role.
    pub const fn kind(self, a: &Architecture) -> TensorKind {
        let attention = a.heads * a.head_dim;
        let kv = a.kv_heads * a.head_dim;
        let (rows, columns) = match self {
            Self::TokenEmbedding | Self::OutputHead => (a.vocabulary, a.hidden),
            Self::Query => (attention, a.hidden),
            Self::Key | Self::Value => (kv, a.hidden),
            Self::AttentionOutput => (a.hidden, attention),
            Self::Gate | Self::Up => (a.feed_forward, a.hidden),
            Self::Down => (a.hidden, a.feed_forward),
            Self::AttentionNorm | Self::FeedForwardNorm | Self::FinalNorm => {
                return TensorKind::Gain { length: a.hidden }
            }
            Self::Rope => {
                return TensorKind::Rope {
                    positions: a.context_length,
                    half: a.head_dim / 2,
                }
            }
        };
        TensorKind::Linear { rows, columns }
    }
}

/// The storage of a tensor, with its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TensorKind {
    /// int8 tiles with u16 scales.
    Linear {
        /// Outputs.
        rows: u32,
        /// Inputs, a multiple of 32.
        columns: u32,
    },
    /// i32 gains.
    Gain {
        /// Elements.
        length: u32,
    },
    /// i32 cosines and sines.
    Rope {
        /// Positions.
        positions: u32,
        /// Rotated pairs of a head, `head_dim / 2`.
        half: u32,
    },
}

impl TensorKind {
    /// Tiles that the tensor fills.
    pub const fn tiles(self) -> u64 {
        match self {
            Self::Linear { rows, columns } => {
                (rows as u64).div_ceil(TILE_ROWS as u64) * (columns as u64 / TILE_COLUMNS as u64)
            }
            _ => self.content_bytes().div_ceil(TILE_BYTES as u64),
        }
    }

    /// Bytes of the tensor before the padding that fills its last tile.
    pub const fn content_bytes(self) -> u64 {
        match self {
            Self::Linear { .. } => self.tiles() * TILE_BYTES as u64,
            Self::Gain { length } => length as u64 * 4,
            Self::Rope { positions, half } => positions as u64 * half as u64 * 8,
        }
    }
}

/// One tensor of the canonical list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its role.
    pub role: TensorRole,
    /// The layer it belongs to, if any.
    pub layer: Option<u32>,
    /// Its storage, with its shape.
    pub kind: TensorKind,
    /// Index of its first tile.
    pub offset_tiles: u64,
    /// Number of its tiles.
    pub tiles: u64,
}

impl TensorSpec {
    /// A readable name: `layers.3.query`, `token_embedding`.
    pub fn name(&self) -> String {
        match self.layer {
            Some(layer) => format!("layers.{layer}.{}", self.role.name()),
            None => self.role.name().into(),
        }
    }

    /// Offset of its first byte in the weights.
    pub const fn offset_bytes(&self) -> u64 {
        self.offset_tiles * TILE_BYTES as u64
    }

    /// Bytes it fills, padding included.
    pub const fn bytes(&self) -> u64 {
        self.tiles * TILE_BYTES as u64
    }
}

/// Roles and layers of an architecture's tensors, in canonical order.
fn roles(a: &Architecture) -> impl Iterator<Item = (TensorRole, Option<u32>)> {
    let layers = (0..a.layers).flat_map(|layer| {
        TensorRole::LAYER
            .into_iter()
            .map(move |role| (role, Some(layer)))
    });
    let head = (!a.tied_head).then_some((TensorRole::OutputHead, None));
    core::iter::once((TensorRole::TokenEmbedding, None))
        .chain(layers)
        .chain([(TensorRole::FinalNorm, None)])
        .chain(head)
        .chain([(TensorRole::Rope, None)])
}

/// The canonical list of tensors.
pub fn tensors(architecture: &Architecture) -> Result<Vec<TensorSpec>, ArchitectureError> {
    architecture.validate()?;
    let mut offset_tiles = 0;
    Ok(roles(architecture)
        .map(|(role, layer)| {
            let kind = role.kind(architecture);
            let spec = TensorSpec {
                role,
                layer,
                kind,
                offset_tiles,
                tiles: kind.tiles(),
            };
            offset_tiles += spec.tiles;
            spec
        })
        .collect())
}

/// Number of tensors in the canonical list of a valid architecture.
pub const fn tensor_count(a: &Architecture) -> usize {
    a.layers as usize * TensorRole::LAYER.len() + 3 + !a.tied_head as usize
}

/// Tiles of the whole checkpoint.
///
/// Cannot overflow for dimensions within the limits of [`Architecture`]: a tensor has at most
/// 2^26 tiles and there are fewer than 2^14.
pub(crate) fn total_tiles(a: &Architecture) -> u64 {
    let of = |role: TensorRole| role.kind(a).tiles();
    let layer: u64 = TensorRole::LAYER.into_iter().map(of).sum();
    let head = if a.tied_head {
        0
    } else {
        of(TensorRole::OutputHead)
    };
    of(TensorRole::TokenEmbedding)
        + u64::from(a.layers) * layer
        + of(TensorRole::FinalNorm)
        + head
        + of(TensorRole::Rope)
}

/// Bytes of the weights of an architecture.
pub fn weights_bytes(architecture: &Architecture) -> Result<u64, ArchitectureError> {
    architecture.validate()?;
    Ok(total_tiles(architecture) * TILE_BYTES as u64)
}
