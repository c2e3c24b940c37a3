//! The layout of the weights: the canonical list of tensors and their tiles.
//!
//! The weights of a checkpoint are one array of 544-byte tiles and nothing else. The tensors follow each
//! other in the order in which the steps of the [network](crate::network) first use them, except that tables
//! of rotations are the last. For a Llama that is:
//!
//! 1. `token_embedding`
//! 2. for each layer: `attention_norm`, `query`, `key`, `value`, `attention_output`,
//!    `feed_forward_norm`, `gate`, `up`, `down`; biases, then gains of heads, follow `value`, and gains of what is
//!    added to the residual stream follow `attention_output` and the last matrix of the feed-forward layer; a layer
//!    with experts has `router`, `expert_gates`, `expert_ups`, `expert_downs` after `feed_forward_norm`
//! 3. `final_norm`, then `output_head` where the head is not tied, then `rope`, before it `windowed_rope` where layers
//!    with a window have their own
//!
//! Each starts at a tile boundary and is padded with zero bytes to a whole number of tiles, so one
//! global tile index addresses any part of any tensor.
//!
//! | kind | content |
//! |---|---|
//! | linear, R rows × K columns | `ceil(R / 16)` row groups of `K / 32` tiles; all tiles of rows 0..16 first; missing rows are zero |
//! | gain, n | n little-endian i32 `g`; a gain or a bias is `g * 2^E`, largest \|g\| in `2^29..2^30` |
//! | rope, P positions × d/2 | for each position and pair: cosine, sine as little-endian i32 in units of 2^-30 |
//!
//! The matrices of a layer's experts are one tensor, with the rows of expert 0 first, then those of expert 1, and so
//! on. They have whole row groups, so each expert is a run of tiles.
//!
//! Query and key rows are in Hugging Face order: element `i` of a head is rotated together with
//! element `i + d/2`.

use crate::{
    tile::{TILE_BYTES, TILE_COLUMNS, TILE_ROWS},
    Architecture, ArchitectureError, Network,
};
use alloc::{format, string::String, vec::Vec};

pub use crate::network::TensorRole;

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
    /// i32 gains of a norm, or biases.
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
    /// Whether training changes the tensor: all but tables of rotations, which follow the others in the canonical
    /// list.
    pub const fn is_trained(self) -> bool {
        !matches!(self, Self::Rope { .. })
    }

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

/// The canonical list of tensors.
pub fn tensors(architecture: &Architecture) -> Result<Vec<TensorSpec>, ArchitectureError> {
    Ok(Network::new(architecture)?.into_tensors())
}

/// Number of tensors in the canonical list.
pub fn tensor_count(architecture: &Architecture) -> Result<usize, ArchitectureError> {
    Ok(Network::new(architecture)?.tensors().len())
}

/// Bytes of the weights of an architecture.
pub fn weights_bytes(architecture: &Architecture) -> Result<u64, ArchitectureError> {
    Ok(Network::new(architecture)?.tiles() * TILE_BYTES as u64)
}
