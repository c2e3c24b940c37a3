//! The weight tile: 16 output rows by 32 inputs in 544 bytes, the unit that is stored, hashed and
//! multiplied.
//!
//! | bytes | content |
//! |---|---|
//! | 0..512 | int8 quants, order `[k / 4][row][k % 4]` |
//! | 512..544 | sixteen little-endian u16 scales, one a row |
//!
//! A little-endian u32 word of the first part is four consecutive `k` of one row: the operand of
//! a four-way byte dot product (`dp4a`, `sdot`, `vpdpbusd`). The weight is `q * s * 2^E` with one
//! exponent `E` for the whole tensor. An importer writes quants in `-127..=127`; -128 is harmless
//! (every bound is computed with 128).

use crate::BLOCK;

/// Output rows of a tile.
pub const TILE_ROWS: usize = 16;
/// Inputs of a tile: one block.
pub const TILE_COLUMNS: usize = BLOCK;
/// Bytes of quants at the start of a tile.
pub const TILE_QUANTS: usize = TILE_ROWS * TILE_COLUMNS;
/// Bytes of a tile.
pub const TILE_BYTES: usize = TILE_QUANTS + TILE_ROWS * 2;

/// One stored tile.
pub type Tile = [u8; TILE_BYTES];

/// Offset inside a tile of the quant at `row` (below 16) and input `k` (below 32).
pub const fn quant_offset(row: usize, k: usize) -> usize {
    (k / 4) * (TILE_ROWS * 4) + row * 4 + k % 4
}

/// Builds a tile from quants `[row][k]` and scales `[row]`.
pub fn encode(quants: &[[i8; TILE_COLUMNS]; TILE_ROWS], scales: &[u16; TILE_ROWS]) -> Tile {
    let mut tile = [0; TILE_BYTES];
    for (row, values) in quants.iter().enumerate() {
        for (k, &q) in values.iter().enumerate() {
            tile[quant_offset(row, k)] = q.to_le_bytes()[0];
        }
    }
    for (row, scale) in scales.iter().enumerate() {
        let at = TILE_QUANTS + row * 2;
        tile[at..at + 2].copy_from_slice(&scale.to_le_bytes());
    }
    tile
}

/// Quants `[row][k]` and scales `[row]` of a tile.
pub fn decode(tile: &Tile) -> ([[i8; TILE_COLUMNS]; TILE_ROWS], [u16; TILE_ROWS]) {
    let mut quants = [[0; TILE_COLUMNS]; TILE_ROWS];
    for (row, values) in quants.iter_mut().enumerate() {
        for (k, q) in values.iter_mut().enumerate() {
            *q = i8::from_le_bytes([tile[quant_offset(row, k)]]);
        }
    }
    (quants, scales(tile))
}

/// Scales of a tile, one a row.
pub fn scales(tile: &Tile) -> [u16; TILE_ROWS] {
    core::array::from_fn(|row| {
        let at = TILE_QUANTS + row * 2;
        u16::from_le_bytes([tile[at], tile[at + 1]])
    })
}
