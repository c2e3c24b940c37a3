//! The trainable tensors, and the coordinates of their masters.

use alloc::vec::Vec;
use noema_numerics::{
    layout::{self, TensorKind, TensorSpec},
    tile::{quant_offset, TILE_BYTES, TILE_COLUMNS, TILE_QUANTS, TILE_ROWS},
    Architecture, ArchitectureError,
};

/// Coordinates of a tile.
pub const TILE_COORDINATES: usize = TILE_QUANTS;
/// Tiles of a chunk.
pub const CHUNK_TILES: usize = 8;
/// Coordinates of a chunk; the last chunk of a tensor may have fewer.
pub const CHUNK_COORDINATES: usize = CHUNK_TILES * TILE_COORDINATES;

/// Gains of a tile.
pub(crate) const TILE_GAINS: usize = TILE_BYTES / 4;

/// The trainable tensors of an architecture: the canonical list without the tables of rotations, which are
/// its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trainable {
    tensors: Vec<Tensor>,
    tiles: u64,
    weights_bytes: u64,
}

impl Trainable {
    /// The trainable tensors of `architecture`.
    ///
    /// # Errors
    /// As [`Architecture::validate`].
    pub fn new(architecture: &Architecture) -> Result<Self, ArchitectureError> {
        let specs = layout::tensors(architecture)?;
        let tensors: Vec<Tensor> = specs
            .iter()
            .take_while(|spec| spec.kind.is_trained())
            .map(|spec| Tensor {
                kind: spec.kind,
                offset_tiles: spec.offset_tiles,
                tiles: spec.tiles,
            })
            .collect();
        let tiles_of = |spec: &TensorSpec| spec.tiles;
        let all: u64 = specs.iter().map(tiles_of).sum();
        Ok(Self {
            tiles: specs.iter().map(tiles_of).take(tensors.len()).sum(),
            tensors,
            weights_bytes: all * TILE_BYTES as u64,
        })
    }

    /// The tensors, in canonical order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Tensor `index`, if it is trainable.
    pub fn tensor(&self, index: u16) -> Option<&Tensor> {
        self.tensors.get(usize::from(index))
    }

    /// The tensor that a tile of the checkpoint belongs to, with its index, if it is trainable.
    pub fn tensor_of_tile(&self, tile: u64) -> Option<(u16, &Tensor)> {
        let after = self
            .tensors
            .partition_point(|tensor| tensor.offset_tiles <= tile);
        let index = after.checked_sub(1)?;
        let tensor = self.tensors.get(index)?;
        (tile < tensor.offset_tiles + tensor.tiles).then_some((index as u16, tensor))
    }

    /// Tiles that have masters: all before the tables of rotations.
    pub const fn tiles(&self) -> u64 {
        self.tiles
    }

    /// Bytes of the weights of a checkpoint, the tables of rotations included.
    pub const fn weights_bytes(&self) -> u64 {
        self.weights_bytes
    }
}

/// The coordinates of one trainable tensor: 512 for each of its tiles, in the order of the tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    kind: TensorKind,
    offset_tiles: u64,
    tiles: u64,
}

impl Tensor {
    /// Its storage, with its shape.
    pub const fn kind(&self) -> TensorKind {
        self.kind
    }

    /// Index of its first tile in the checkpoint.
    pub const fn offset_tiles(&self) -> u64 {
        self.offset_tiles
    }

    /// Number of its tiles.
    pub const fn tiles(&self) -> u64 {
        self.tiles
    }

    /// Number of its coordinates, padding included.
    pub const fn coordinates(&self) -> u64 {
        self.tiles * TILE_COORDINATES as u64
    }

    /// Number of its chunks.
    pub const fn chunks(&self) -> u32 {
        // A checkpoint has fewer than 2^32 tiles.
        self.tiles.div_ceil(CHUNK_TILES as u64) as u32
    }

    /// Tiles of `chunk`: 8, fewer in the last, none beyond it.
    pub const fn chunk_tiles(&self, chunk: u32) -> usize {
        let rest = self.tiles.saturating_sub(chunk as u64 * CHUNK_TILES as u64);
        if rest < CHUNK_TILES as u64 {
            rest as usize
        } else {
            CHUNK_TILES
        }
    }

    /// Coordinates of `chunk`: 4,096, fewer in the last, none beyond it.
    pub const fn chunk_coordinates(&self, chunk: u32) -> usize {
        self.chunk_tiles(chunk) * TILE_COORDINATES
    }

    /// Coordinate of the weight at `row` and `column` of a linear tensor, or of gain `column` of a
    /// tensor of gains, whose `row` is 0; `None` outside it.
    pub fn coordinate(&self, row: u32, column: u32) -> Option<u64> {
        let (tile, offset) = match self.kind {
            TensorKind::Linear { rows, columns } if row < rows && column < columns => {
                let blocks = columns as usize / TILE_COLUMNS;
                let (row, column) = (row as usize, column as usize);
                (
                    row / TILE_ROWS * blocks + column / TILE_COLUMNS,
                    quant_offset(row % TILE_ROWS, column % TILE_COLUMNS),
                )
            }
            TensorKind::Gain { length } if row == 0 && column < length => {
                (column as usize / TILE_GAINS, column as usize % TILE_GAINS)
            }
            _ => return None,
        };
        Some(tile as u64 * TILE_COORDINATES as u64 + offset as u64)
    }

    /// Whether no weight and no gain has this coordinate.
    pub fn is_padding(&self, coordinate: u64) -> bool {
        let tile = coordinate / TILE_COORDINATES as u64;
        let offset = coordinate % TILE_COORDINATES as u64;
        match self.kind {
            TensorKind::Linear { rows, columns } => {
                // The order of a tile is `[k / 4][row][k % 4]`.
                let row = offset / 4 % TILE_ROWS as u64;
                let group = tile / (u64::from(columns) / TILE_COLUMNS as u64);
                group * TILE_ROWS as u64 + row >= u64::from(rows)
            }
            TensorKind::Gain { length } => {
                let gains = TILE_GAINS as u64;
                offset >= gains || tile * gains + offset >= u64::from(length)
            }
            _ => true,
        }
    }
}
