//! A model: an architecture over borrowed weight bytes.
//!
//! Any bytes of the right length are a model: no bit pattern makes an operator overflow or panic. The
//! checkpoint's root proves that they are the *right* bytes.

use crate::{
    experts::Experts,
    layout::{TensorKind, TensorRole, TensorSpec},
    tile::{self, Tile, TILE_BYTES, TILE_COLUMNS, TILE_QUANTS, TILE_ROWS},
    Architecture, ArchitectureError, Network,
};
use alloc::vec::Vec;
use core::{fmt, ops::Range};

/// Why bytes are not a model of an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelError {
    /// The architecture itself is refused.
    Architecture(ArchitectureError),
    /// The number of exponents is not the number of tensors.
    ExponentCount {
        /// Tensors of the architecture.
        expected: usize,
        /// Exponents given.
        found: usize,
    },
    /// The weights do not have the length that the architecture needs.
    WeightsLength {
        /// Bytes that the architecture needs.
        expected: u64,
        /// Bytes given.
        found: u64,
    },
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Architecture(error) => error.fmt(f),
            Self::ExponentCount { expected, found } => write!(
                f,
                "the architecture has {expected} tensors but {found} exponents are given"
            ),
            Self::WeightsLength { expected, found } => write!(
                f,
                "the architecture needs {expected} bytes of weights but {found} are given"
            ),
        }
    }
}

impl core::error::Error for ModelError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Architecture(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ArchitectureError> for ModelError {
    fn from(error: ArchitectureError) -> Self {
        Self::Architecture(error)
    }
}

/// Weights of an architecture, ready to execute. Cheap to build: nothing is copied or scanned.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    network: Network,
    exponents: Vec<i8>,
    weights: &'a [u8],
}

impl<'a> Model<'a> {
    /// `exponents` holds one per tensor in canonical order (0 for the rotation table); `weights`
    /// the tiles.
    pub fn new(
        architecture: &Architecture,
        exponents: &[i8],
        weights: &'a [u8],
    ) -> Result<Self, ModelError> {
        let network = Network::new(architecture)?;
        if exponents.len() != network.tensors().len() {
            return Err(ModelError::ExponentCount {
                expected: network.tensors().len(),
                found: exponents.len(),
            });
        }
        let expected = network.tiles() * TILE_BYTES as u64;
        if weights.len() as u64 != expected {
            return Err(ModelError::WeightsLength {
                expected,
                found: weights.len() as u64,
            });
        }
        Ok(Self {
            network,
            exponents: exponents.to_vec(),
            weights,
        })
    }

    /// The architecture.
    pub const fn architecture(&self) -> &Architecture {
        self.network.architecture()
    }

    /// The exponent of each tensor, in canonical order.
    pub fn exponents(&self) -> &[i8] {
        &self.exponents
    }

    /// The tiles of all tensors.
    pub const fn weights(&self) -> &'a [u8] {
        self.weights
    }

    /// The steps from tokens to logits.
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// The canonical list of tensors.
    pub fn tensors(&self) -> &[TensorSpec] {
        self.network.tensors()
    }

    /// Index in the canonical list of the tensor with this role in this layer.
    ///
    /// # Panics
    /// When the network has none.
    pub fn index(&self, role: TensorRole, layer: Option<u32>) -> usize {
        let found = self.network.tensor(role, layer);
        found.unwrap_or_else(|| {
            panic!(
                "the network has a tensor {} in layer {layer:?}",
                role.name()
            )
        })
    }

    /// Bytes of tensor `index` of the canonical list, without padding.
    fn content(&self, index: usize) -> &'a [u8] {
        let spec = &self.tensors()[index];
        &self.weights[spec.offset_bytes() as usize..][..spec.kind.content_bytes() as usize]
    }

    /// Tensor `index` of the canonical list, a matrix.
    ///
    /// # Panics
    /// When it is none.
    pub fn linear(&self, index: usize) -> Linear<'a> {
        let TensorKind::Linear { rows, columns } = self.tensors()[index].kind else {
            panic!("tensor {index} is a matrix");
        };
        Linear {
            rows: rows as usize,
            columns: columns as usize,
            exponent: i32::from(self.exponents[index]),
            bytes: self.content(index),
        }
    }

    /// Tensor `index` of the canonical list, the matrices of `count` experts.
    ///
    /// # Panics
    /// When it is no matrix, or is not one of as many.
    pub fn experts(&self, index: usize, count: usize) -> Experts<'a> {
        let experts = Experts::new(self.linear(index), count);
        experts.unwrap_or_else(|| panic!("tensor {index} has the matrices of {count} experts"))
    }

    /// Tensor `index` of the canonical list: the gains of a norm, or biases.
    ///
    /// # Panics
    /// When it is none.
    pub fn gains(&self, index: usize) -> Gains<'a> {
        let TensorKind::Gain { .. } = self.tensors()[index].kind else {
            panic!("tensor {index} has gains");
        };
        Gains {
            exponent: i32::from(self.exponents[index]),
            bytes: self.content(index),
        }
    }

    /// Tensor `index` of the canonical list, a table of rotations.
    ///
    /// # Panics
    /// When it is none.
    pub fn rope(&self, index: usize) -> RopeTable<'a> {
        let TensorKind::Rope { half, .. } = self.tensors()[index].kind else {
            panic!("tensor {index} is a table of rotations");
        };
        RopeTable {
            half: half as usize,
            bytes: self.content(index),
        }
    }
}

/// A matrix of `rows` outputs by `columns` inputs in tiles; a weight is `q * s * 2^exponent`.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    rows: usize,
    columns: usize,
    exponent: i32,
    bytes: &'a [u8],
}

impl<'a> Linear<'a> {
    /// A matrix over its own bytes; `None` unless `columns` is a multiple of 32 in
    /// `32..=32768`, `rows` is not zero and the length fits.
    pub fn new(rows: usize, columns: usize, exponent: i8, bytes: &'a [u8]) -> Option<Self> {
        let fits = rows > 0
            && rows <= u32::MAX as usize
            && columns > 0
            && columns.is_multiple_of(TILE_COLUMNS)
            && columns <= Architecture::MAX_COLUMNS as usize
            && (rows.div_ceil(TILE_ROWS) as u64)
                .checked_mul((columns / TILE_COLUMNS * TILE_BYTES) as u64)
                == Some(bytes.len() as u64);
        fits.then_some(Self {
            rows,
            columns,
            exponent: i32::from(exponent),
            bytes,
        })
    }

    /// Outputs.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs, a multiple of 32.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// Exponent `E` of all weights.
    pub const fn exponent(&self) -> i32 {
        self.exponent
    }

    /// Groups of 16 rows, the last padded with zero rows.
    pub const fn groups(&self) -> usize {
        self.rows.div_ceil(TILE_ROWS)
    }

    /// All tiles, row group by row group.
    pub fn tiles(&self) -> &'a [Tile] {
        self.bytes.as_chunks().0
    }

    /// The tiles of row group `group`, along the inputs.
    pub fn group(&self, group: usize) -> &'a [Tile] {
        let blocks = self.columns / TILE_COLUMNS;
        &self.tiles()[group * blocks..][..blocks]
    }

    /// The rows of some row groups alone.
    ///
    /// # Panics
    /// When the matrix does not have them.
    #[must_use]
    pub fn part(&self, groups: Range<usize>) -> Self {
        let group = self.columns / TILE_COLUMNS * TILE_BYTES;
        Self {
            rows: self.rows.min(groups.end * TILE_ROWS) - groups.start * TILE_ROWS,
            bytes: &self.bytes[groups.start * group..groups.end * group],
            ..*self
        }
    }

    /// `q` and `s` of the weight at `row` and `column`.
    pub fn weight(&self, row: usize, column: usize) -> (i8, u16) {
        let tile = &self.group(row / TILE_ROWS)[column / TILE_COLUMNS];
        let at = tile::quant_offset(row % TILE_ROWS, column % TILE_COLUMNS);
        let scale = TILE_QUANTS + row % TILE_ROWS * 2;
        (
            i8::from_le_bytes([tile[at]]),
            u16::from_le_bytes([tile[scale], tile[scale + 1]]),
        )
    }
}

/// Gains of a norm, or biases: one is `g * 2^exponent`.
#[derive(Clone, Copy, Debug)]
pub struct Gains<'a> {
    exponent: i32,
    bytes: &'a [u8],
}

impl<'a> Gains<'a> {
    /// Gains over little-endian i32 bytes, four for each.
    pub const fn new(exponent: i8, bytes: &'a [u8]) -> Self {
        Self {
            exponent: exponent as i32,
            bytes,
        }
    }

    /// Exponent of all gains.
    pub const fn exponent(&self) -> i32 {
        self.exponent
    }

    /// The integers `g`, in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = i32> + use<'a> {
        self.bytes
            .as_chunks()
            .0
            .iter()
            .map(|&bytes| i32::from_le_bytes(bytes))
    }
}

/// Cosines and sines by position and pair, in units of 2^-30.
#[derive(Clone, Copy, Debug)]
pub struct RopeTable<'a> {
    half: usize,
    bytes: &'a [u8],
}

impl<'a> RopeTable<'a> {
    /// A table over little-endian i32 bytes: cosine, sine for each of `half` pairs of a position.
    pub const fn new(half: usize, bytes: &'a [u8]) -> Self {
        Self { half, bytes }
    }

    /// Rotated pairs of a head, `head_dim / 2`.
    pub const fn half(&self) -> usize {
        self.half
    }

    /// (cosine, sine) of each pair at `position`.
    ///
    /// # Panics
    /// When the table does not cover the position.
    pub fn row(&self, position: usize) -> impl ExactSizeIterator<Item = (i32, i32)> + use<'a> {
        self.bytes[position * self.half * 8..][..self.half * 8]
            .as_chunks::<8>()
            .0
            .iter()
            .map(|&[a, b, c, d, e, f, g, h]| {
                (
                    i32::from_le_bytes([a, b, c, d]),
                    i32::from_le_bytes([e, f, g, h]),
                )
            })
    }
}
